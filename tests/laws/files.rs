//! Ledgers as files, the program over them, and what it wrote.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::ledger::{DEDUCTIONS, GRANTS, LEGACY_ACTIONS, Ledgers, Row, Rules, Said, UNIFIED_ONLY};

/// 2026-03-01T12:00:00Z in microseconds since 1970: instant 0 of the ledgers.
pub const EPOCH: i64 = 1_772_366_400_000_000;

/// An instant as the files have it.
pub fn instant(at: i64) -> String {
    chrono::DateTime::from_timestamp_micros(EPOCH + at)
        .unwrap()
        .to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// The UTC month of an instant.
pub fn month(at: i64) -> String {
    instant(at)[..7].to_owned()
}

/// `((side, row id), disposition)`.
pub type Disposition = ((String, String), String);

/// What a run wrote, as far as the laws look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Findings without those on balances, sorted.
    pub said: Vec<Said>,
    /// `(side, row id)` → disposition.
    pub dispositions: BTreeMap<(String, String), String>,
    /// The same in the order of the file.
    pub dispositions_in_order: Vec<Disposition>,
    /// `summary.json`.
    pub summary: serde_json::Value,
    /// `findings.csv`, byte for byte.
    pub findings: String,
    /// `balances.csv`, line for line, without the header.
    pub balances: Vec<String>,
    /// The SQL that mends, without comments: it names the run.
    pub sql: Vec<String>,
    /// Pair id → row ids of the legacy and the unified side, in the order of the file.
    pub pairs: BTreeMap<String, [Vec<String>; 2]>,
    /// Exit code.
    pub code: i32,
}

/// A table as CSV.
pub fn csv_of(rows: &[Row]) -> String {
    let mut text = "id,user,action,amount,at,ref_a,ref_b,payment,link,migrated,success\n".to_owned();
    for row in rows {
        let mut refs = row.refs.iter();
        let (a, b) = (refs.next(), refs.next());
        let empty = String::new();
        writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{}",
            row.id,
            row.user,
            row.label,
            row.amount.map_or("n/a".to_owned(), |amount| amount.to_string()),
            row.at.map_or(String::new(), instant),
            a.unwrap_or(&empty),
            b.unwrap_or(&empty),
            if row.payment { "paid" } else { "" },
            row.link.as_ref().unwrap_or(&empty),
            if row.migrated { "token_transactions" } else { "" },
            if row.failed { "false" } else { "true" },
        )
        .unwrap();
    }
    text
}

/// The configuration that reads `legacy.csv` and `unified.csv`.
pub fn toml_of(rules: &Rules) -> String {
    let list = |labels: &[&str]| format!("[\"{}\"]", labels.join("\", \""));
    let columns = "id = \"id\"\nuser = \"user\"\naction = \"action\"\namount = \"amount\"\ncreated_at = \"at\"\n\
                   reference = [\"ref_a\", \"ref_b\"]\n";
    let payment = if rules.reference_is_payment { "" } else { "payment = [\"payment\"]\n" };
    let meanings: String =
        LEGACY_ACTIONS.iter().map(|(label, meaning)| format!("{label} = \"{meaning}\"\n")).collect();
    format!(
        "[legacy]\npath = \"legacy.csv\"\nsign = \"by_action\"\n{columns}{payment}\n[legacy.actions]\n{meanings}\n\
         [unified]\npath = \"unified.csv\"\n{columns}{payment}success = \"success\"\nlink = \"link\"\n\
         migrated = \"migrated\"\ngrants = {}\ndeductions = {}\nunified_only = {}\n\n\
         [matching]\ntolerance = \"{}us\"\nwindow = \"{}us\"\nsettle = \"{}us\"\n\n[repair]\ntime = {}\n",
        list(&GRANTS),
        list(&DEDUCTIONS),
        list(&UNIFIED_ONLY),
        rules.tolerance,
        rules.window,
        rules.settle,
        rules.repair_time,
    )
}

/// Writes the ledgers and their configuration into a folder.
pub fn write(ledgers: &Ledgers, folder: &Path) {
    std::fs::write(folder.join("legacy.csv"), csv_of(&ledgers.legacy)).unwrap();
    std::fs::write(folder.join("unified.csv"), csv_of(&ledgers.unified)).unwrap();
    std::fs::write(folder.join("reckon.toml"), toml_of(&ledgers.rules)).unwrap();
}

/// Runs `reckon reconcile` in a folder, into `out` there.
///
/// # Panics
/// When it could not do its job.
pub fn reconcile(folder: &Path, as_of: i64, out: &str, further: &[&str], url: Option<&str>) -> i32 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
    command.env_remove("RECKON_CONFIG").env_remove("RUST_LOG").env_remove("DATABASE_URL");
    if let Some(url) = url {
        command.env("DATABASE_URL", url);
    }
    let output = command
        .args(["reconcile", "--no-progress", "--out", out, "--as-of", &instant(as_of)])
        .args(further)
        .current_dir(folder)
        .output()
        .unwrap();
    let code = output.status.code().unwrap_or(-1);
    assert!(matches!(code, 0 | 1), "exit {code}: {}", String::from_utf8_lossy(&output.stderr));
    code
}

/// Runs the program over the ledgers with further arguments.
///
/// # Panics
/// When it could not do its job.
pub fn run(ledgers: &Ledgers, further: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let mut ledgers = ledgers.clone();
    ledgers.legacy.extend(grant_of_nothing(&ledgers));
    write(&ledgers, folder.path());
    let code = reconcile(folder.path(), ledgers.rules.as_of, "out", further, None);
    let mut run = read(&folder.path().join("out"), code);
    run.dispositions.retain(|(_, id), _| id != GRANT_OF_NOTHING);
    run.dispositions_in_order.retain(|((_, id), _)| id != GRANT_OF_NOTHING);
    run
}

/// Id of a row that no law knows of.
const GRANT_OF_NOTHING: &str = "l-nothing";

/// Where legacy rows are use or left out, all of them, the program refuses to compare nothing: a grant of no
/// tokens, which is never paired and changes no sum, lets it go on.
pub fn grant_of_nothing(ledgers: &Ledgers) -> Option<Row> {
    let meaning =
        |label: &str| LEGACY_ACTIONS.iter().find(|(known, _)| *known == label).map(|(_, meaning)| *meaning);
    let is_passed_over = |row: &Row| matches!(meaning(&row.label), Some("usage" | "ignore"));
    let first = ledgers.legacy.first().filter(|_| ledgers.legacy.iter().all(is_passed_over))?;
    // A row without user or time is a finding, and nothing is refused.
    first
        .at
        .filter(|_| !first.user.is_empty())
        .map(|at| Row::new(GRANT_OF_NOTHING, &first.user, "sub", 0, at))
}

/// What a run directory says.
pub fn read(out: &Path, code: i32) -> Run {
    let findings = std::fs::read_to_string(out.join("findings.csv")).unwrap();
    let summary = std::fs::read_to_string(out.join("summary.json")).unwrap();
    let balances = std::fs::read_to_string(out.join("balances.csv")).unwrap();
    let balances = balances.lines().skip(1).map(str::to_owned).collect();
    let dispositions_in_order = dispositions(&out.join("dispositions.parquet"));
    let dispositions: BTreeMap<_, _> = dispositions_in_order.iter().cloned().collect();
    assert_eq!(dispositions.len(), dispositions_in_order.len(), "one disposition a row");
    Run {
        said: said(&findings),
        dispositions,
        dispositions_in_order,
        summary: serde_json::from_str(&summary).unwrap(),
        findings,
        pairs: pairs(&out.join("dispositions.parquet")),
        balances,
        sql: ["backfill", "repair", "dedupe"].map(|name| statements(out, name)).to_vec(),
        code,
    }
}

fn statements(out: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(out.join(format!("{name}.sql"))).unwrap();
    text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

/// The classes whose effect the rule book does not settle.
const WITHOUT_EFFECT: [&str; 3] = ["orphan", "unmapped_action", "rejected_row"];

fn said(findings: &str) -> Vec<Said> {
    let mut reader = csv::Reader::from_reader(findings.as_bytes());
    let mut said = Vec::new();
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let class = row["class"].clone();
        if class == "balance_gap" || class == "negative_balance" {
            continue;
        }
        let ids = |name: &str| row[name].split(';').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        let effect = row["tokens_effect"].parse().ok().filter(|_| !WITHOUT_EFFECT.contains(&class.as_str()));
        said.push(Said {
            severity: row["severity"].clone(),
            legacy: ids("legacy_ids"),
            unified: ids("unified_ids"),
            effect,
            rule: row["rule"].clone(),
            verdict: row["verdict"].clone(),
            repair: row["repair"].clone(),
            class,
        });
    }
    said.sort();
    said
}

fn dispositions(file: &Path) -> Vec<Disposition> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    let reader = SerializedFileReader::new(std::fs::File::open(file).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap());
    rows.map(|row| {
        let text = |column| row.get_string(column).unwrap().clone();
        ((text(0), text(1)), text(2))
    })
    .collect()
}

fn pairs(file: &Path) -> BTreeMap<String, [Vec<String>; 2]> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    let reader = SerializedFileReader::new(std::fs::File::open(file).unwrap()).unwrap();
    let mut pairs: BTreeMap<String, [Vec<String>; 2]> = BTreeMap::new();
    for row in reader.get_row_iter(None).unwrap().map(|row| row.unwrap()) {
        let Ok(pair) = row.get_string(3) else { continue };
        let sides = pairs.entry(pair.clone()).or_default();
        sides[usize::from(row.get_string(0).unwrap() == "unified")].push(row.get_string(1).unwrap().clone());
    }
    pairs
}
