//! The texts: headers, and the templates filled.

use super::{RetireFile, Sealed};
use crate::domain::Span;
use crate::repair::quote::{comment, do_block, dollar_quoted, fill, literal, rows};
use crate::source::postgres::{ROW_TEXT_SETTINGS, digest_query, shape_query};

const HEAD: &str = include_str!("sql/head.sql");
const JOURNAL: &str = include_str!("sql/journal.sql");
const SERIAL: &str = include_str!("sql/serial.sql");
const STANDING: &str = include_str!("sql/standing.sql");
const FIND: &str = include_str!("sql/find.sql");
const ABSENT: &str = include_str!("sql/absent.sql");
const LOCK: &str = include_str!("sql/lock.sql");
const ALONE: &str = include_str!("sql/alone.sql");
const COMPARE: &str = include_str!("sql/compare.sql");
const FORBIDDEN: &str = include_str!("sql/forbidden.sql");
const FORBID: &str = include_str!("sql/forbid.sql");
const FORBID_BODY: &str = include_str!("sql/forbid_body.sql");
const NO_STEP: &str = include_str!("sql/no_step.sql");
const RENAME: &str = include_str!("sql/rename.sql");
const DROP: &str = include_str!("sql/drop.sql");
const DROP_ARCHIVED: &str = include_str!("sql/drop_archived.sql");
const NO_ARCHIVE: &str = include_str!("sql/no_archive.sql");
const PROGRESS: &str = include_str!("sql/progress.sql");
const UNRETIRE: &str = include_str!("sql/unretire.sql");
const REFUSED: &str = include_str!("sql/refused.sql");

/// Longest time of a step, and how many rows may make it a second longer: an idle server digests some
/// 250,000 rows a second, a busy one a fifth of that.
const STEP_SECONDS: u64 = 300;
const ROWS_A_SECOND: u64 = 20_000;

/// `retire.sql` and `unretire.sql` for a certified table. The same seal makes the same bytes.
pub fn files(sealed: &Sealed) -> Vec<RetireFile> {
    let places = Places::of(sealed);
    let text = [
        header(sealed),
        step_1(&places),
        step(&places, "step 2", "step 1", "access exclusive", RENAME),
        step(&places, "step 3", "step 2", "access exclusive", DROP),
    ]
    .join("\n");
    vec![
        RetireFile { name: "retire.sql", text },
        RetireFile { name: "unretire.sql", text: unretire(sealed, &places) },
    ]
}

/// `retire.sql` of a NO-GO: the reasons, and a statement that says that there is nothing to run.
pub fn refused(reasons: &[String]) -> RetireFile {
    let mut lines = vec![
        "reckon, retire.sql: NO-GO. The legacy table must not be retired; nothing here changes anything."
            .to_owned(),
        String::new(),
    ];
    lines.extend(reasons.iter().map(|reason| format!("- {reason}")));
    let body = fill(
        REFUSED,
        &[
            ("message", &literal("reckon: NO-GO: the legacy table must not be retired")),
            ("reasons", &literal(&reasons.join("\n"))),
        ],
    );
    RetireFile { name: "retire.sql", text: format!("{}\n{}\n", comments(&lines), do_block(&body)) }
}

/// The values of the templates' places, ready for SQL.
struct Places {
    values: Vec<(&'static str, String)>,
    is_archived: bool,
}

impl Places {
    fn of(sealed: &Sealed) -> Places {
        let table = sealed.table.sql();
        let retired = sealed.retired_name();
        let function = format!("forbid_write_{}", sealed.oid);
        let message = format!(
            "reckon: {table} is being retired under certificate {}: writes to it are forbidden",
            sealed.run_id
        );
        let body = fill(FORBID_BODY, &[("message", &literal(&message))]);
        let archive = sealed.archive.as_ref();
        let publications: Vec<String> = sealed.publications.iter().map(|name| literal(name)).collect();
        let text = |text: Option<String>| literal(&text.unwrap_or_default());
        let values = vec![
            ("oid", format!("'{}'::oid", sealed.oid)),
            ("schema", literal(sealed.table.schema.as_deref().unwrap_or("public"))),
            ("name", literal(&sealed.table.name)),
            ("table", table.clone()),
            ("table_literal", literal(&table)),
            ("retired_name", crate::config::quote_identifier(&retired.name)),
            ("retired_literal", literal(&retired.sql())),
            ("certificate", literal(&sealed.run_id)),
            ("expires_at", literal(&sealed.expires_at.rfc3339())),
            ("hold", format!("interval {}", literal(&format!("{} seconds", sealed.hold.seconds())))),
            ("rows", literal(&sealed.digest.rows.to_string())),
            ("digest", literal(&sealed.digest.to_string())),
            ("shape", literal(&sealed.shape)),
            ("digest_query", dollar_quoted("digest", &digest_query("%s"))),
            ("shape_query", shape_query(&format!("'{}'::oid", sealed.oid))),
            ("archive_digest", text(archive.map(|archive| archive.digest.to_string()))),
            ("archive_shape", text(archive.map(|archive| archive.shape.clone()))),
            ("publications", format!("array[{}]::name[]", publications.join(", "))),
            ("function", format!("reckon_journal.{function}")),
            ("function_literal", literal(&function)),
            ("body", dollar_quoted("forbid", &body)),
            ("settings", ROW_TEXT_SETTINGS.trim_end().to_owned()),
            ("timeout_seconds", (STEP_SECONDS + sealed.digest.rows / ROWS_A_SECOND).to_string()),
        ];
        Places { values, is_archived: archive.is_some() }
    }

    /// Fills a template, with places of its own beside those that all share.
    fn fill(&self, template: &str, own: &[(&'static str, &str)]) -> String {
        let shared = self.values.iter().map(|(place, value)| (*place, value.as_str()));
        let all: Vec<(&str, &str)> = own.iter().copied().chain(shared).collect();
        fill(template, &all).trim_end().to_owned()
    }

    /// A block of a step: finds the table, locks it in `mode`, compares it.
    fn block(&self, template: &str, step: &str, mode: &str) -> String {
        let again = match step {
            // The table has another name by now: there is nothing that a new certificate could name.
            "step 3" => "Run unretire.sql, then reckon cutover again, and use the retire.sql that it writes.",
            _ => "Run reckon cutover again, and use the retire.sql that it writes.",
        };
        let named = [("step", step), ("mode", mode), ("again", again)];
        let parts = [("serial", SERIAL), ("find", FIND), ("absent", ABSENT), ("standing", STANDING)]
            .into_iter()
            .chain([("lock", LOCK), ("alone", ALONE), ("compare", COMPARE), ("forbidden", FORBIDDEN)])
            .map(|(place, part)| (place, self.fill(part, &named)))
            .collect::<Vec<_>>();
        let mut own: Vec<(&'static str, &str)> = named.to_vec();
        own.extend(parts.iter().map(|(place, part)| (*place, part.as_str())));
        let rest = self.fill(if self.is_archived { DROP_ARCHIVED } else { NO_ARCHIVE }, &own);
        own.push(("rest", &rest));
        do_block(&self.fill(template, &own))
    }
}

fn step_1(places: &Places) -> String {
    let does = "-- Step 1 of 3: forbid writes. Readers are not held up.";
    let serial = places.fill(SERIAL, &[("step", "step 1")]);
    let journal = do_block(&places.fill(JOURNAL, &[("serial", &serial)]));
    let block = places.block(FORBID, "step 1", "share row exclusive");
    format!("{does}\n{}\n\n{journal}\n\n{block}\n\n{}\n", places.fill(HEAD, &[]), end(places))
}

fn step(places: &Places, step: &str, before: &str, mode: &str, template: &str) -> String {
    let does = match step {
        "step 2" => {
            "-- Step 2 of 3: rename, so that whatever still reads the table by its name fails, and can be helped."
        }
        _ => "-- Step 3 of 3: drop, when the hold is over. It cannot be taken back.",
    };
    let serial = places.fill(SERIAL, &[("step", step)]);
    let order = do_block(&places.fill(NO_STEP, &[("step", step), ("before", before), ("serial", &serial)]));
    let block = places.block(template, step, mode);
    format!("{does}\n{}\n\n{order}\n\n{block}\n\n{}\n", places.fill(HEAD, &[]), end(places))
}

/// What was done so far, for editors that show no notices; and the end.
fn end(places: &Places) -> String {
    format!("{}\n\ncommit;", places.fill(PROGRESS, &[]))
}

fn unretire(sealed: &Sealed, places: &Places) -> String {
    let table = sealed.table.sql();
    let lines = [
        format!("reckon, unretire.sql: takes back steps 1 and 2 of retire.sql for {table}."),
        format!("Certificate {}, issued {}.", sealed.run_id, sealed.issued_at.rfc3339()),
        "One transaction: gives the table its name back and lets it be written again. A second run does \
         nothing. After step 3 there is nothing to take back: it refuses, and the archive's restore.sql \
         makes the table again."
            .to_owned(),
        format!("Needs: PostgreSQL 13 or later; the owner of {table} and of reckon_journal."),
    ];
    let block = places.block(UNRETIRE, "unretire", "access exclusive");
    format!("{}\n{}\n\n{block}\n\ncommit;\n", comments(&lines), places.fill(HEAD, &[]))
}

fn header(sealed: &Sealed) -> String {
    let table = sealed.table.sql();
    let mut lines = vec![
        format!("reckon, retire.sql: retires {table} in three steps: forbid writes, rename, drop."),
        format!(
            "Certificate {}, issued {}: GO. It opens step 1 until {}.",
            sealed.run_id,
            sealed.issued_at.rfc3339(),
            sealed.expires_at.rfc3339()
        ),
        format!("{}; digest {}; oid {}.", rows(sealed.digest.rows), sealed.digest, sealed.oid),
        format!(
            "After step 2 it is called {}. Step 3 drops it, {}.",
            sealed.retired_name().sql(),
            hold(sealed.hold)
        ),
    ];
    match &sealed.archive {
        Some(archive) => {
            lines.push(format!(
                "Its archive: digest {}, CSV of SHA-256 {}. Keep it: the server cannot look whether it is still there.",
                archive.digest, archive.csv_sha256
            ));
        }
        None => lines.push(
            "There is no archive, so step 3 refuses. To be able to drop, run reckon cutover --archive DIR before \
             step 2, or after unretire.sql."
                .to_owned(),
        ),
    }
    lines.extend([
        format!(
            "Needs: PostgreSQL 13 or later; the owner of {table}, who may create in its schema and, the first \
             time, the schema reckon_journal; a role that row-level security lets see every row."
        ),
        "Each step is one transaction that locks the table, counts and digests it, and stops with an error and \
         nothing changed unless it is as it was certified. A step that is done does nothing. The file can be run \
         whole, and again; or one step at a time. unretire.sql takes steps 1 and 2 back; once step 2 is done, it \
         has to before there can be another certificate."
            .to_owned(),
    ]);
    comments(&lines)
}

fn hold(span: Span) -> String {
    let seconds = span.0.max(0) / 1_000_000;
    match (seconds % 86_400, seconds % 3_600) {
        _ if seconds == 0 => "at any time after step 2".to_owned(),
        (0, _) => format!("no sooner than {} days after step 2", seconds / 86_400),
        (_, 0) => format!("no sooner than {} hours after step 2", seconds / 3_600),
        _ => format!("no sooner than {} s after step 2", span.seconds()),
    }
}

fn comments(lines: &[String]) -> String {
    lines.iter().map(|line| comment(line) + "\n").collect()
}
