//! What others do between a run and its files: the run reads a real database, the files are applied to what
//! has become of it.

use std::path::PathBuf;
use std::process::Command;

use super::world::{CONFIG, SCHEMA};
use crate::postgres::cluster::{Cluster, Db};

pub const USER: &str = "00000000-0000-4000-8000-0000000000aa";
const OTHER: &str = "00000000-0000-4000-8000-0000000000bb";
pub const LEGACY: &str = "10000000-0000-4000-8000-000000000001";

/// A database that was reconciled, and the files of the run.
pub struct Mended {
    pub db: Db,
    pub folder: PathBuf,
    _temporary: tempfile::TempDir,
}

impl Mended {
    /// Runs over the real tables with these rows.
    pub fn of(rows: &str) -> Mended {
        Mended::with(&format!("{SCHEMA}{rows}"), CONFIG)
    }

    /// Runs over any tables.
    pub fn with(sql: &str, toml: &str) -> Mended {
        Mended::beside(sql, toml, "")
    }

    /// Runs over any tables, with the rows of `legacy.csv`.
    pub fn beside(sql: &str, toml: &str, csv: &str) -> Mended {
        let db = Cluster::shared().database("repair_between");
        db.sql(sql);
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("run");
        std::fs::write(temporary.path().join("reckon.toml"), toml).unwrap();
        std::fs::write(temporary.path().join("legacy.csv"), csv).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_reckon"))
            .args(["reconcile", "--no-progress", "--out", "run"])
            .current_dir(temporary.path())
            .env("DATABASE_URL", db.url())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
        Mended { db, folder, _temporary: temporary }
    }

    pub fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.join(format!("{file}.sql"))).unwrap()
    }

    pub fn apply(&self, file: &str) -> Result<String, String> {
        self.db.try_file(&self.folder.join(format!("{file}.sql")))
    }

    /// Applies a file that must go through.
    pub fn applied(&self, file: &str) {
        if let Err(error) = self.apply(file) {
            panic!("{file}: {error}\n{}", self.text(file));
        }
    }

    /// `verify.sql` finds everything as planned.
    pub fn all_is_as_expected(&self) {
        let script = format!("\\pset format csv\n\\pset tuples_only on\n{}", self.text("verify"));
        let output = self.db.try_sql(&script).unwrap();
        assert!(!output.is_empty() && output.lines().all(|line| line.ends_with(",t")), "{output}");
    }

    /// Applies a file that must stop, with nothing changed; answers the message.
    pub fn refused(&self, file: &str) -> String {
        let before = self.db.digest("token_usage");
        let error = self.apply(file).expect_err("it stops");
        assert_eq!(self.db.digest("token_usage"), before, "nothing was changed");
        error
    }
}

/// A paid legacy row, its copy, and the copy again.
fn paid_twice() -> String {
    format!(
        "insert into token_transactions values ('{LEGACY}', '{USER}', 'pack_purchase', 1000, '2026-01-05 10:00+00', 'pi_1');
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000001', '{USER}', 'token_pack_purchase', 'x', 1000, '{{\"legacy_id\": \"{LEGACY}\", \"payment_intent\": \"pi_1\"}}', '2026-01-05 10:00+00'),
           ('20000000-0000-4000-8000-000000000002', '{USER}', 'token_pack_purchase', 'x', 1000, '{{\"payment_intent\": \"pi_1\"}}', '2026-01-05 10:05+00');"
    )
}

#[test]
fn a_row_that_is_no_copy_any_more_is_not_removed_nor_is_one_whose_original_does_not_count_any_more() {
    const EXTRA: &str = "extra rows changed or vanished";
    const KEPT: &str = "the row that should stay changed or vanished";
    // what is set · in which row · what the file says; nothing: it goes through
    let cases = [
        ("metadata = metadata || '{\"payment_intent\": \"pi_2\"}'", 2, EXTRA),
        ("metadata = null", 2, EXTRA),
        ("success = false", 2, EXTRA),
        ("metadata = metadata || '{\"legacy_id\": \"of another\"}'", 2, EXTRA),
        ("metadata = metadata || '{\"migrated_from\": \"elsewhere\"}'", 2, EXTRA),
        ("success = false, metadata = metadata || '{\"reversed\": true}'", 1, KEPT),
        ("action_type = 'admin_deduct'", 1, KEPT),
        ("created_at = created_at - interval '1 day'", 1, KEPT),
        ("metadata = metadata || '{\"payment_intent\": \"pi_2\"}'", 1, KEPT),
        ("metadata = metadata - 'legacy_id'", 1, KEPT),
        ("metadata = metadata || '{\"note\": \"seen\", \"migrated_from\": false}'", 1, ""),
        ("metadata = metadata || '{\"legacy_id\": null, \"migrated_from\": \"\"}', model_used = 'y'", 2, ""),
    ];
    for (change, row, message) in cases {
        let mended = Mended::of(&paid_twice());
        mended.db.sql(&format!(
            "update token_usage set {change} where id = '20000000-0000-4000-8000-00000000000{row}'"
        ));
        if message.is_empty() {
            mended.applied("dedupe");
            assert_eq!(mended.db.value("select count(*) from token_usage"), "1", "{change}");
        } else {
            let error = mended.refused("dedupe");
            assert!(error.contains(message), "{change} of {row}: {error}");
        }
    }
}

#[test]
fn a_legacy_row_whose_end_or_payment_changed_stops_the_backfill() {
    let toml = CONFIG
        .replace(
            "reference = [\"stripe_payment_intent_id\"]",
            "reference = [\"stripe_payment_intent_id\"]\nexpires_at = \"expires_at\"",
        )
        .replace("success = \"success\"", "success = \"success\"\nexpires_at = \"expires_at\"");
    let paid = toml.replace(
        "expires_at = \"expires_at\"\n\n",
        "expires_at = \"expires_at\"\npayment = [\"amount_paid_cents\"]\n\n",
    );
    assert!(paid.contains("amount_paid_cents"));
    let sql = |end: &str| {
        format!(
            "{SCHEMA}alter table token_transactions add expires_at {end}, add amount_paid_cents int;
             alter table token_usage add expires_at timestamptz;
             insert into token_transactions values
               ('{LEGACY}', '{USER}', 'pack_purchase', 1000, '2026-01-05 10:00+00', 'pi_1', '2027-01-01 00:00:00+00', 900),
               ('10000000-0000-4000-8000-000000000002', '{USER}', 'trial_grant', 10, '2026-01-06 10:00+00', null, null, null);"
        )
    };
    let changes = [
        "stripe_payment_intent_id = 'pi_2' where tokens_used = 1000",
        "stripe_payment_intent_id = null where tokens_used = 1000",
        "stripe_payment_intent_id = 'pi_3' where tokens_used = 10",
        "amount_paid_cents = null where tokens_used = 1000",
        "expires_at = '2026-02-01 00:00:00+00' where tokens_used = 1000",
        "expires_at = null where tokens_used = 1000",
        "expires_at = '2026-02-01 00:00:00+00' where tokens_used = 10",
    ];
    for end in ["timestamptz", "timestamp", "date", "text"] {
        for change in changes {
            let mended = Mended::with(&sql(end), &paid);
            mended.db.sql(&format!("update token_transactions set {change}"));
            let error = mended.refused("backfill");
            assert!(error.contains("legacy rows changed or vanished"), "{end}: {change}: {error}");
        }
        let mended = Mended::with(&sql(end), &paid);
        mended.db.sql("update token_transactions set amount_paid_cents = 800 where tokens_used = 1000");
        mended.applied("backfill");
        assert_eq!(
            mended.db.value("select count(*) from token_usage where expires_at = '2027-01-01Z'"),
            "1",
            "{end}"
        );
    }
}

#[test]
fn a_legacy_row_that_changes_while_a_file_runs_stops_it() {
    let rows = format!(
        "insert into token_transactions values ('{LEGACY}', '{USER}', 'subscription_grant', 1000, '2026-01-05 10:00+00', null),
           ('10000000-0000-4000-8000-000000000002', '{USER}', 'subscription_grant', 500, '2026-02-05 10:00+00', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000001', '{USER}', 'subscription_grant', 'x', 100, '{{\"legacy_id\": \"{LEGACY}\"}}', '2026-01-05 10:00+00');"
    );
    for (file, place) in [("backfill", "-- The rows to insert."), ("repair", "-- Old and new values.")] {
        let mended = Mended::of(&rows);
        let before = mended.db.digest("token_usage");
        let text = mended.text(file);
        assert_eq!(text.matches(place).count(), 1);
        let text = text.replace(place, &format!("update token_transactions set tokens_used = 1;\n{place}"));
        let error = mended.db.try_sql(&text).unwrap_err();
        assert!(error.contains("1 of the legacy rows changed or vanished"), "{file}: {error}");
        assert_eq!(mended.db.digest("token_usage"), before, "{file}");
    }
}

#[test]
fn a_row_that_appeared_is_seen_whatever_else_has_gone() {
    let copies = |rows: u32| {
        format!(
            "insert into token_transactions
             select ('10000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, '{USER}', 'subscription_grant', 1000,
                    timestamptz '2024-01-05Z' + i * interval '2 hours', null from generate_series(1, {rows} + 1) i;
             insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at)
             select ('20000000' || right(id::text, -8))::uuid, user_id, 'subscription_grant', 'x', 1000,
                    jsonb_build_object('legacy_id', id), created_at
               from token_transactions order by id limit {rows};"
        )
    };
    let appears = format!(
        "insert into token_usage (user_id, action_type, model_used, tokens_used, created_at) values
         ('{USER}', 'subscription_grant', 'app', 1000, '2026-03-05Z');"
    );
    const TWO_GO: &str = "delete from token_usage where right(id::text, 2) in ('01', '02');";
    const ONE_GOES: &str = "delete from token_usage where right(id::text, 12) = '000000000001';";
    for (rows, change, passes) in [
        (2, String::new(), true),
        (2, TWO_GO.to_owned(), true),
        (2, format!("{TWO_GO}{appears}"), false),
        (2, format!("{ONE_GOES}{appears}"), false),
        (4_097, String::new(), true),
        // Too many to be listed: then nothing may go either.
        (4_097, ONE_GOES.to_owned(), false),
        (4_097, format!("{ONE_GOES}{appears}"), false),
    ] {
        let mended = Mended::of(&copies(rows));
        mended.db.sql(&change);
        if passes {
            mended.applied("backfill");
        } else {
            let error = mended.refused("backfill");
            assert!(error.contains("appeared for user"), "{rows} {change}: {error}");
        }
    }
}

#[test]
fn a_legacy_row_that_a_unified_row_names_is_not_inserted_whatever_that_row_counts_as() {
    let legacy = format!(
        "insert into token_transactions values ('{LEGACY}', '{USER}', 'subscription_grant', 1000, '2026-01-05 10:00+00', null);"
    );
    let names = |label: &str, tokens: u32, success: bool, at: &str| {
        format!(
            "insert into token_usage (id, user_id, action_type, model_used, tokens_used, success, metadata, created_at) values
             ('20000000-0000-4000-8000-000000000001', '{USER}', '{label}', 'x', {tokens}, {success}, '{{\"legacy_id\": \"{LEGACY}\"}}', '{at}');"
        )
    };
    // Failed, worth nothing: known to the run, and a comment.
    for row in [
        names("subscription_grant", 1000, false, "2026-01-05 10:00+00"),
        names("subscription_grant", 0, true, "2026-01-05 10:00+00"),
    ] {
        let mended = Mended::of(&format!("{legacy}{row}"));
        let reason = "the unified row 20000000-0000-4000-8000-000000000001 names it";
        assert!(mended.text("backfill").contains(reason), "{row}: {}", mended.text("backfill"));
        mended.applied("backfill");
        assert_eq!(mended.db.value("select count(*) from token_usage"), "1", "{row}");
    }
    // Without a meaning, or use, when the run looked; or not there yet, and then of another user.
    for (before, after) in [
        (names("bonus_grant", 999, true, "2026-01-05 10:00+00"), String::new()),
        (names("chat", 1000, true, "2026-01-05 10:00+00"), String::new()),
        (String::new(), names("admin_grant", 1, true, "2026-03-05 10:00+00").replace(USER, OTHER)),
    ] {
        let free = "alter table token_usage drop constraint token_usage_action_type_check;";
        let mended = Mended::of(&format!("{free}{legacy}{before}"));
        mended.db.sql(&after);
        let error = mended.refused("backfill");
        assert!(
            error.contains(&format!("named by rows of public.token_usage already: {LEGACY} by row")),
            "{error}"
        );
    }
}

#[test]
fn repairs_that_no_sql_makes_are_told() {
    let rows = format!(
        "alter table token_transactions alter tokens_used type bigint;
         insert into token_transactions values
           ('{LEGACY}', '{USER}', 'subscription_grant', 3000000000, '2026-01-05 10:00+00', null),
           ('10000000-0000-4000-8000-000000000002', '{USER}', 'subscription_grant', 5, '2026-02-05 10:00+00', null);"
    );
    let summary = |rows: &str| std::fs::read_to_string(Mended::of(rows).folder.join("summary.json")).unwrap();
    let warning = "no SQL makes 1 of the executable repairs, and corrected balances count them all the same: the files say why (backfill.sql 1)";
    assert!(summary(&rows).contains(warning));
    let trigger = "create function f() returns trigger language plpgsql as 'begin return new; end';
        create trigger t before insert on token_usage for each row execute function f();";
    assert!(summary(&format!("{rows}{trigger}")).contains("(backfill.sql 2)"));
    assert!(!summary(&rows.replace("3000000000", "3")).contains("no SQL makes"));
}

#[test]
fn verify_compares_users_in_their_own_type() {
    let sql = format!(
        "{SCHEMA}
         alter table token_transactions alter user_id type bigint using 7;
         alter table token_usage alter user_id type numeric using 7;
         insert into token_transactions values ('{LEGACY}', 7, 'subscription_grant', 1000, '2026-01-05 10:00+00', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000001', 7.0, 'subscription_grant', 'x', 100, '{{\"legacy_id\": \"{LEGACY}\"}}', '2026-01-05 10:00+00');"
    );
    let mended = Mended::with(&sql, CONFIG);
    mended.applied("repair");
    mended.all_is_as_expected();
    assert!(mended.text("verify").contains("run set client_encoding = 'UTF8' first"));
}

#[test]
fn ids_that_are_decimal_numbers_are_known_too() {
    let sql = format!(
        "create table token_transactions (id numeric primary key, user_id uuid not null, action_type text, tokens_used int,
           created_at timestamptz, stripe_payment_intent_id text);
         create sequence numbers start 1000;
         create table token_usage (id numeric primary key default nextval('numbers'), user_id uuid not null,
           action_type text not null, model_used text not null, tokens_used int not null,
           success boolean not null default true, metadata jsonb, created_at timestamptz not null default now());
         insert into token_transactions values (1, '{USER}', 'subscription_grant', 1000, '2026-01-05 10:00+00', null),
           (2, '{USER}', 'subscription_grant', 1000, '2026-02-05 10:00+00', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           (1.00, '{USER}', 'subscription_grant', 'x', 1000, '{{\"legacy_id\": \"1\"}}', '2026-01-05 10:00+00');"
    );
    let mended = Mended::with(&sql, CONFIG);
    mended.db.sql(&format!(
        "delete from token_usage;
         insert into token_usage (user_id, action_type, model_used, tokens_used, created_at)
         values ('{USER}', 'subscription_grant', 'app', 1000, '2026-02-05 10:00+00');"
    ));
    let error = mended.refused("backfill");
    assert!(error.contains("appeared for user"), "{error}");
    let mended = Mended::with(&sql, CONFIG);
    mended.applied("backfill");
}

#[test]
fn a_row_that_does_not_count_any_more_or_stands_for_another_is_not_repaired() {
    let rows = format!(
        "insert into token_transactions values ('{LEGACY}', '{USER}', 'subscription_grant', 1000, '2026-01-05 10:00+00', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000001', '{USER}', 'subscription_grant', 'x', 100, '{{\"legacy_id\": \"{LEGACY}\"}}', '2026-01-05 10:00+00');"
    );
    for change in ["success = false", "metadata = '{\"legacy_id\": \"other\"}'", "metadata = null"] {
        let mended = Mended::of(&rows);
        mended.db.sql(&format!("update token_usage set {change}"));
        let error = mended.refused("repair");
        assert!(error.contains("rows changed or vanished"), "{change}: {error}");
    }
}
