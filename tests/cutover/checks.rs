//! The checks that rest on rows, counters, the history and the configuration.

use rustix::fs::{FlockOperation, flock};

use super::world::{USER, World};
use crate::postgres::cluster::{Cluster, OPEN_HBA};

#[test]
fn who_writes_or_reads_between_two_runs_is_noticed() {
    let world = World::new("counters");
    let cases = [
        ("nothing", "select 1", "true", "true"),
        (
            "a row that came and went",
            "insert into a.token_transactions (user_id) values (gen_random_uuid());
             delete from a.token_transactions where transaction_type is null",
            "false",
            "false",
        ),
        ("a read from first to last", "select count(*) from a.token_transactions", "true", "false"),
        (
            "a look-up",
            "set enable_seqscan = off;
             select * from a.token_transactions where id = '00000000-0000-4000-8000-000000000001'",
            "true",
            "false",
        ),
    ];
    for (what, sql, writes, reads) in cases {
        world.reconcile();
        world.db.sql(sql);
        // The server counts a session when it ends, and does not tell when it has.
        world.db.sql("select pg_sleep(0.2)");
        let gate = world.gate();
        assert_eq!(
            (gate.ok("legacy_writes").as_str(), gate.ok("legacy_reads").as_str()),
            (writes, reads),
            "{what}"
        );
        match what {
            "nothing" => gate.must_be_go(),
            "a look-up" => assert_eq!(gate.evidence("legacy_reads"), ["scans a.token_transactions certain"]),
            "a read from first to last" => {
                assert_eq!(gate.evidence("legacy_reads"), ["scans a.token_transactions possible"]);
            }
            _ => assert_eq!(gate.evidence("legacy_writes"), ["rows written a.token_transactions certain"]),
        }
    }
}

#[test]
fn without_a_run_to_compare_with_nobody_knows_who_writes_or_reads() {
    let world = World::new("no_baseline");
    for quiet in ["0s", "1h"] {
        world.change("quiet = \"0s\"", &format!("quiet = \"{quiet}\""));
        let gate = world.gate();
        assert_eq!(gate.reasons(), ["legacy_writes", "legacy_reads"], "{quiet}");
        for check in gate.reasons() {
            assert_eq!(gate.ok(check), "not_tested");
            let detail = gate.check(check)["detail"].as_str().unwrap();
            assert!(
                detail.contains("reckon reconcile") && detail.contains("the baseline is there after"),
                "{detail}"
            );
        }
        // A night that is too young is none either.
        if quiet == "0s" {
            world.reconcile();
        }
    }
}

#[test]
fn counters_that_a_crash_took_away_say_nothing() {
    let cluster = Cluster::start(&[], OPEN_HBA).leak();
    let world = World::on(cluster, "crashed");
    let crash = || {
        world.db.sql("checkpoint");
        cluster.stop();
        cluster.start_again();
    };
    // The counters begin with nothing, so that they do not fall when they are lost.
    crash();
    world.reconcile();
    cluster.stop_cleanly();
    cluster.start_again();
    world.gate().must_be_go();
    world
        .db
        .sql("update a.token_transactions set source = source; select count(*) from a.token_transactions");
    crash();
    let gate = world.gate();
    assert_eq!(gate.reasons(), ["legacy_writes", "legacy_reads"]);
    for check in gate.reasons() {
        assert_eq!(gate.ok(check), "not_tested");
        let detail = gate.check(check)["detail"].as_str().unwrap();
        assert!(detail.contains("set back or lost"), "{detail}");
    }
    world.fresh_gate().must_be_go();
}

#[test]
fn a_young_row_is_a_write_whatever_the_counters_say() {
    let world = World::new("young");
    world.db.sql(&format!(
        "insert into a.token_transactions (user_id, transaction_type, token_amount, source, created_at)
           values ('{USER}', 'grant', 500, 'subscription', date_trunc('second', now()) - interval '2 hours');
         insert into token_usage (user_id, action_type, model_used, tokens_used, created_at)
           values ('{USER}', 'subscription_grant', 'none', 500, date_trunc('second', now()) - interval '2 hours');
         update user_profiles set vibe_assistant_tokens_remaining = 1500 where user_id = '{USER}';"
    ));
    world.fresh_gate().must_be_go();
    world.change("quiet = \"0s\"", "quiet = \"3h\"");
    let gate = world.gate();
    assert_eq!(gate.ok("legacy_writes"), "false");
    assert_eq!(gate.evidence("legacy_writes"), ["rows a.token_transactions certain"]);
}

#[test]
fn findings_and_balances_stand_in_the_way() {
    let world = World::new("balance");
    world.db.sql("update user_profiles set vibe_assistant_tokens_remaining = 999");
    let gate = world.fresh_gate();
    assert_eq!(gate.reasons(), ["findings", "balances"]);
    assert_eq!(gate.evidence("findings"), ["finding balance_gap certain"]);
    assert_eq!(gate.evidence("balances"), [format!("user {USER} certain")]);

    world.configure("[cutover]\nclean_nights = 0\nquiet = \"0s\"\nwriters = [\"grant_tokens\"]");
    let gate = world.fresh_gate();
    assert_eq!((gate.reasons(), gate.ok("balances").as_str()), (vec!["balances"], "not_tested"));
}

#[test]
fn a_pair_that_its_link_denies_is_no_proof() {
    let world = World::new("contradicted");
    world.db.sql(
        "insert into a.token_transactions (id, user_id, transaction_type, token_amount, source, created_at) values
           ('00000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', 'grant', 500,
            'subscription', '2025-02-05 08:00:00+00');
         insert into public.token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', 'subscription_grant',
            'migration', 500, '{\"legacy_id\": \"00000000-0000-4000-8000-000000000009\"}', '2025-02-05 08:00:00+00');
         update public.user_profiles set vibe_assistant_tokens_remaining = 1500",
    );
    let gate = world.fresh_gate();
    assert_eq!(gate.reasons(), ["findings"]);
    let pair = "00000000-0000-4000-8000-000000000002 and 20000000-0000-4000-8000-000000000002";
    assert_eq!(gate.evidence("findings"), [format!("pair {pair} possible")]);
}

#[test]
fn what_the_configuration_asks_for_is_asked() {
    let world = World::new("asked");
    let cases: [(&str, &str, &[&str], &[&str]); 5] = [
        ("clean_nights = 0", "clean_nights = 2", &[], &["clean_nights"]),
        ("clean_nights = 0", "clean_nights = 0\nbackup = \"require\"", &[], &["backup"]),
        (
            "clean_nights = 0",
            "clean_nights = 0\nbackup = \"require\"",
            &["--backup-acknowledged", "vault 7"],
            &[],
        ),
        ("clean_nights = 0", "clean_nights = 0\nsnapshot_age = \"0s\"", &[], &["snapshot_age"]),
        ("clean_nights = 0", "clean_nights = 1", &[], &[]),
    ];
    for (from, to, flags, reasons) in cases {
        world.change(from, to);
        world.reconcile();
        let gate = world.gate_with(flags);
        assert_eq!(gate.reasons(), reasons, "{to}");
    }
}

#[test]
fn a_balance_that_nothing_was_compared_with_is_no_good_one() {
    let world = World::new("uncompared");
    let other = "10000000-0000-4000-8000-000000000002";
    world.db.sql(&format!(
        "insert into a.token_transactions (id, user_id, transaction_type, token_amount, source, created_at) values
           ('00000000-0000-4000-8000-000000000002', '{other}', 'grant', 1000, 'subscription', '2025-01-05 08:00:00+00');
         insert into public.token_usage (user_id, action_type, model_used, tokens_used, metadata, created_at)
           select '{other}', action_type, model_used, tokens_used,
                  jsonb_set(metadata, '{{legacy_id}}', '\"00000000-0000-4000-8000-000000000002\"'), created_at
           from public.token_usage"
    ));
    let cases = [
        ("select 1", "not_tested", "1 of 2 users"),
        (
            &*format!(
                "alter table public.user_profiles alter vibe_assistant_tokens_remaining drop not null; insert into public.user_profiles values ('{other}', null)"
            ),
            "not_tested",
            "1 of 2 users",
        ),
        (
            "update public.user_profiles set vibe_assistant_tokens_remaining = 1000",
            "true",
            "every stored balance",
        ),
        ("delete from public.user_profiles", "not_tested", "2 of 2 users"),
    ];
    for (sql, ok, detail) in cases {
        world.db.sql(sql);
        let gate = world.fresh_gate();
        let said = gate.check("balances")["detail"].as_str().unwrap().to_owned();
        assert_eq!(
            (gate.ok("balances").as_str(), gate.ok("findings").as_str()),
            (ok, "true"),
            "{sql}: {said}"
        );
        assert!(said.contains(detail), "{sql}: {said}");
    }
}

#[test]
fn nights_are_runs_of_the_history_made_that_day_on_these_tables() {
    let world = World::new("nights");
    world.change("clean_nights = 0", "clean_nights = 1");
    let says = |expected: &str, text: &str| {
        let gate = world.gate();
        let said = gate.check("clean_nights")["detail"].as_str().unwrap().to_owned();
        assert_eq!(gate.ok("clean_nights"), expected, "{said}");
        assert!(said.contains(text), "{text}: {said}");
    };
    // Made today, whatever it says.
    let yesterday = (chrono::Utc::now() - chrono::Duration::days(1)).to_rfc3339();
    assert_eq!(world.reckon(&["reconcile", "--as-of", &yesterday]).status.code(), Some(0));
    says("false", "made on another day than that of its as-of");
    // Beside the history.
    let clean = world.reckon(&["reconcile", "--out", "reports/by_hand"]);
    assert_eq!(clean.status.code(), Some(0));
    says("false", "made on another day than that of its as-of");
    std::fs::remove_dir_all(world.folder.path().join("reports/by_hand")).unwrap();
    world.reconcile();
    says("true", "1 clean days in a row");

    // The same history, of another table.
    world.db.sql("alter table a.token_transactions rename to grants");
    let file = world.folder.path().join("reckon.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("a.token_transactions", "a.grants");
    std::fs::write(&file, text).unwrap();
    says("false", "1 are asked for");
}

#[test]
fn the_history_is_read_when_the_folder_is_locked() {
    let world = World::new("locked_history");
    world.change("clean_nights = 0", "clean_nights = 1");
    world.reconcile();
    let reports = world.folder.path().join("reports");
    let aside = world.folder.path().join("aside");
    std::fs::rename(&reports, &aside).unwrap();
    std::fs::create_dir(&reports).unwrap();
    let held = std::fs::File::create(reports.join(".reckon.lock")).unwrap();
    flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
    let output = std::thread::scope(|scope| {
        let gate = scope.spawn(|| world.reckon(&["cutover", "--format", "json", "--wait", "60s"]));
        std::thread::sleep(std::time::Duration::from_secs(2));
        // Another run ends.
        for entry in std::fs::read_dir(&aside).unwrap().map(|entry| entry.unwrap()) {
            if entry.file_name() != ".reckon.lock" {
                std::fs::rename(entry.path(), reports.join(entry.file_name())).unwrap();
            }
        }
        drop(held);
        gate.join().unwrap()
    });
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let certificate: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&said);
    assert_eq!(certificate["reasons"], serde_json::json!([]), "{certificate}");
}

#[test]
fn what_a_standby_shows_has_no_known_age() {
    let mut world = World::new("gate_standby");
    world.reconcile();
    let standby = Cluster::standby_of(world.db.cluster);
    world.read_at(world.db.url().replace(&world.db.cluster.port().to_string(), &standby.port().to_string()));
    let gate = world.gate();
    assert_eq!(gate.ok("snapshot_age"), "not_tested");
    assert!(gate.check("snapshot_age")["detail"].as_str().unwrap().contains("standby"));
}

#[test]
fn writers_have_to_insert_into_the_unified_table() {
    let world = World::new("writers");
    let body = |name: &str, body: &str| {
        format!(
            "create or replace function public.{name}(u uuid) returns void language plpgsql as $$ begin {body} end $$"
        )
    };
    let insert = "insert into token_usage (user_id, action_type, model_used, tokens_used) values (u, 'trial_grant', 'x', 1);";
    let cases = [
        (body("w", insert), "true", ""),
        (body("w", "-- insert into token_usage\n perform 1;"), "false", "function public.w certain"),
        (
            body("w", &format!("execute '{}';", insert.replace('\'', "''"))),
            "false",
            "function public.w possible",
        ),
        (
            format!("{}; {}", body("inner_w", insert), body("w", "perform public.inner_w(u);")),
            "false",
            "function public.w possible",
        ),
        ("drop function public.w(uuid)".to_owned(), "false", "function w certain"),
    ];
    world.change("\"grant_tokens\"", "\"w\"");
    for (sql, ok, evidence) in cases {
        world.db.sql(&sql);
        let gate = world.fresh_gate();
        assert_eq!(
            (gate.ok("writers").as_str(), gate.evidence("writers").join(";").as_str()),
            (ok, evidence),
            "{sql}"
        );
    }
    // Those of the product are looked for where none is named, and need not be there.
    world.change("writers = [\"grant_tokens\"]\n", "");
    assert_eq!(world.fresh_gate().ok("writers"), "not_tested");
    world.db.sql(&format!(
        "{}; {}",
        body("grant_annual_tokens", insert).replace("trial_grant", "subscription_grant"),
        body("grant_trial_tokens", insert)
    ));
    world.fresh_gate().must_be_go();
}

#[test]
fn what_a_role_may_not_see_is_not_tested() {
    let mut world = World::new("rights");
    world.db.sql(
        "drop role if exists gate_reader; create role gate_reader login;
         grant usage on schema a to gate_reader; grant select on all tables in schema a, public to gate_reader;
         create schema cron; create table cron.job (jobid bigint, schedule text, command text, username text);
         insert into cron.job values (1, '* * * * *', 'select 1', 'somebody')",
    );
    world.read_as("gate_reader");
    world.reconcile();
    let gate = world.gate();
    assert_eq!((gate.reasons(), gate.ok("jobs").as_str()), (vec!["jobs"], "not_tested"));
    assert!(gate.check("jobs")["detail"].as_str().unwrap().contains("gate_reader"));
    // As pg_cron has it: everybody sees their own.
    world.db.sql(
        "grant usage on schema cron to gate_reader; grant select on cron.job to gate_reader;
         alter table cron.job enable row level security;
         create policy own on cron.job using (username = current_user)",
    );
    assert_eq!(world.fresh_gate().ok("jobs"), "not_tested");
    world.db.sql("create policy all_of_them on cron.job for select to gate_reader using (true)");
    world.fresh_gate().must_be_go();
    world.db.sql("drop schema cron cascade; drop owned by gate_reader; drop role gate_reader");
}

#[test]
fn statements_of_other_roles_are_read_where_the_server_keeps_them() {
    let cluster = Cluster::start(&["shared_preload_libraries = 'pg_stat_statements'"], OPEN_HBA).leak();
    let mut world = World::on(cluster, "statements");
    world.db.sql(
        "create extension pg_stat_statements; create role app; create role plain login;
         grant usage on schema a, b to app, plain; grant select on all tables in schema a, b, public to app, plain;
         set role app; select count(*), 'monthly' from a.token_transactions;
         reset role; select pg_stat_statements_reset(0, 0, 0) is null;
         set role app; select sum(token_amount) from a.token_transactions; select count(*) from b.token_transactions",
    );
    let gate = world.fresh_gate();
    assert_eq!(gate.reasons(), ["legacy_reads"]);
    assert_eq!(gate.evidence("legacy_reads"), ["statement role app possible"]);
    let detail = gate.check("legacy_reads")["evidence"][0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("select sum(token_amount) from a.token_transactions"), "{detail}");

    world.read_as("plain");
    let gate = world.fresh_gate();
    assert_eq!((gate.reasons(), gate.ok("legacy_reads").as_str()), (vec!["legacy_reads"], "not_tested"));
    world.db.sql("grant pg_read_all_stats to plain; select pg_stat_statements_reset()");
    world.fresh_gate().must_be_go();
}

#[test]
fn nights_and_counters_of_another_database_with_the_same_tables_do_not_count() {
    let mut world = World::new("counted_here");
    let other = World::new("counted_there");
    world.change("clean_nights = 0", "clean_nights = 1");
    let here = world.read_from(other.db.url());
    world.reconcile();
    world.read_from(here);
    let gate = world.gate();
    assert_eq!(gate.ok("clean_nights"), "false", "a night over other tables");
    assert_eq!(
        (gate.ok("legacy_writes").as_str(), gate.ok("legacy_reads").as_str()),
        ("not_tested", "not_tested")
    );
    world.fresh_gate().must_be_go();
}

#[test]
fn a_night_of_another_database_counts_for_nothing_when_its_run_has_been_removed() {
    let mut world = World::new("removed_here");
    let other = World::new("removed_there");
    world.change("clean_nights = 0", "clean_nights = 1");
    let here = world.read_from(other.db.url());
    world.reconcile();
    let reports = world.folder.path().join("reports");
    let there = std::fs::canonicalize(reports.join("latest")).unwrap();
    world.read_from(here);
    // Of a day on which it was not made, so that it is no night itself.
    let output = world.reckon(&["reconcile", "--as-of", "2025-06-01T00:00:00Z"]);
    let said = String::from_utf8_lossy(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("this folder holds the nights of other tables"), "{said}");
    assert!(said.contains("removed_there") && said.contains("what is gone since is not told"), "{said}");
    std::fs::remove_dir_all(there).unwrap();
    let gate = world.gate();
    assert_eq!(gate.ok("clean_nights"), "false", "{}", gate.check("clean_nights"));
}
