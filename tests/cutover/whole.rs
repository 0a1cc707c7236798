//! From the certificate to the drop, through the program and psql: what the README tells people to do.

use super::world::World;

/// Without a hold, so that the last step need not wait.
const NO_HOLD: &str = "
[cutover]
clean_nights = 0
quiet = \"0s\"
writers = [\"grant_tokens\"]
hold = \"0s\"
";

/// The rest of the configuration, as the world writes it.
const BALANCES: &str = "
[balances]
stored = { table = \"public.user_profiles\", user = \"user_id\", balance = \"vibe_assistant_tokens_remaining\" }
";

fn file(world: &World, name: &str) -> String {
    std::fs::read_to_string(world.folder.path().join(name)).unwrap()
}

/// Runs a file of the run directory as people do.
fn psql(world: &World, name: &str) -> Result<String, String> {
    world.db.try_file(&world.folder.path().join(name))
}

fn tables(world: &World) -> Vec<String> {
    let sql = "select relname from pg_class where relname like 'token_transactions%' and relkind = 'r'
               and relnamespace = 'a'::regnamespace order by 1";
    world.db.query(sql).into_iter().map(|row| row[0].clone()).collect()
}

fn code(world: &World, arguments: &[&str]) -> i32 {
    let output = world.reckon(arguments);
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    output.status.code().unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn a_certified_table_is_archived_retired_and_can_be_read_back() {
    let world = World::new("whole");
    world.configure(&format!("{BALANCES}{NO_HOLD}"));
    world.reconcile();
    let gate = world.gate_with(&["--archive", "archive"]);
    gate.must_be_go();
    let digest = gate.certificate["legacy"]["digest"].as_str().unwrap();
    assert!(digest.starts_with("sha256/128:1:"), "{digest}");
    assert_eq!(gate.certificate["archive"]["digest"], digest);
    assert!(file(&world, "gate/retire.sql").contains(digest));
    assert!(file(&world, "gate/certificate.html").contains("archive"));
    let manifest = file(&world, "gate/manifest.json");
    assert!(manifest.contains("\"retire.sql\"") && manifest.contains("\"unretire.sql\""));
    for folder in ["gate", "archive"] {
        assert_eq!(code(&world, &["verify", folder]), 0, "{folder}");
    }
    psql(&world, "gate/retire.sql").unwrap();
    assert_eq!(tables(&world), Vec::<String>::new());
    let error = psql(&world, "gate/unretire.sql").unwrap_err();
    assert!(error.contains("restore.sql"), "{error}");

    psql(&world, "archive/restore.sql").unwrap();
    let rows = world.folder.path().join("archive/a.token_transactions.csv");
    world.db.sql(&format!("\\copy a.token_transactions from '{}' csv header", rows.display()));
    assert_eq!(tables(&world), ["token_transactions"]);
    let checked = psql(&world, "archive/check.sql").unwrap();
    assert!(checked.contains('t'), "{checked}");
}

#[test]
fn a_publication_of_all_tables_that_was_accepted_does_not_stop_the_steps() {
    let world = World::new("whole_accepted");
    world.configure(&format!("{BALANCES}{NO_HOLD}"));
    world.db.sql("create publication everything for all tables");
    world.reconcile();
    assert_eq!(world.gate().reasons(), ["publications"]);
    let until = (chrono::Utc::now() + chrono::Duration::days(3)).format("%Y-%m-%d").to_string();
    let waive =
        ["waive", "check:publications", "--run", "gate", "--reason", "r", "--owner", "o", "--until", &until];
    assert_eq!(code(&world, &waive), 0);
    world.gate_with(&["--archive", "archive"]).must_be_go();
    psql(&world, "gate/retire.sql").unwrap();
    assert_eq!(tables(&world), Vec::<String>::new());
}

#[test]
fn a_write_after_the_certificate_is_refused_and_the_way_back_is_open() {
    let world = World::new("whole_write");
    world.reconcile();
    world.gate_with(&["--archive", "archive"]).must_be_go();
    let write = "insert into a.token_transactions (id, user_id, transaction_type, token_amount, source)
                 values (gen_random_uuid(), gen_random_uuid(), 'grant', 5, 'subscription')";
    world.db.sql(write);
    let error = psql(&world, "gate/retire.sql").unwrap_err();
    assert!(error.contains("a.token_transactions"), "{error}");
    assert_eq!(tables(&world), ["token_transactions"]);
    world.db.sql("delete from a.token_transactions where token_amount = 5");

    // As it was certified again: the first two steps go through, the third waits for the hold.
    let error = psql(&world, "gate/retire.sql").unwrap_err();
    assert!(error.contains("was NOT dropped: it is held until"), "{error}");
    let retired = tables(&world);
    assert!(retired.len() == 1 && retired[0].starts_with("token_transactions_retired_"), "{retired:?}");
    psql(&world, "gate/unretire.sql").unwrap();
    assert_eq!(tables(&world), ["token_transactions"]);
    world.db.sql(write);
}

#[test]
fn what_the_first_step_made_is_no_reason_against_a_new_certificate() {
    let world = World::new("whole_again");
    world.reconcile();
    world.gate().must_be_go();
    let text = file(&world, "gate/retire.sql");
    let (first, _) = text.split_once("\n-- Step 2").unwrap();
    world.db.sql(first);
    let gate = world.fresh_gate();
    gate.must_be_go();
    let triggers =
        ["trigger a.reckon_retired note", "trigger a.reckon_retired_row note"].map(str::to_owned).to_vec();
    assert_eq!(gate.evidence("triggers"), triggers);
    let functions = gate.evidence("functions");
    let is_own =
        |name: &String| name.starts_with("function reckon_journal.forbid_write_") && name.ends_with(" note");
    assert!(functions.len() == 1 && functions.iter().all(is_own), "{functions:?}");
    // One that no longer fires always, and one of another's, are triggers as any other.
    world.db.sql("alter table a.token_transactions enable trigger reckon_retired");
    assert_eq!(world.fresh_gate().evidence("triggers")[0], "trigger a.reckon_retired certain");
}

#[test]
fn no_go_writes_no_step_and_a_check_is_accepted_by_name_until_its_day() {
    let world = World::new("whole_accepted");
    world
        .db
        .sql("create function public.old() returns text language sql as $$ select 'token_transactions' $$");
    world.reconcile();
    let gate = world.gate();
    assert_eq!(gate.reasons(), ["functions"]);
    let sql = file(&world, "gate/retire.sql");
    assert!(sql.contains("functions: "), "{sql}");
    let error = psql(&world, "gate/retire.sql").unwrap_err();
    assert!(error.contains("NO-GO"), "{error}");
    assert!(!world.folder.path().join("gate/unretire.sql").exists());

    let tomorrow = (chrono::Utc::now() + chrono::Duration::days(1)).format("%Y-%m-%d").to_string();
    let waive =
        ["waive", "check:functions", "--reason", "a word in a text", "--owner", "ops", "--until", &tomorrow];
    assert_eq!(code(&world, &waive), 2, "the history has no certificate");
    let waive = [&waive[..], &["--run", "gate"]].concat();
    assert_eq!(code(&world, &waive), 0);
    let gate = world.fresh_gate();
    assert_eq!((gate.code, gate.certificate["verdict"].as_str()), (0, Some("go")));
    assert_eq!(gate.certificate["accepted"][0]["check"], "functions");
    assert_eq!(gate.certificate["accepted"][0]["reason"], "a word in a text");
    assert_eq!(gate.ok("functions"), "false", "what was found stays found");
    assert!(file(&world, "gate/certificate.html").contains("a word in a text"));

    // Another function is not what was accepted.
    world
        .db
        .sql("create function public.new() returns text language sql as $$ select 'token_transactions' $$");
    let gate = world.fresh_gate();
    assert_eq!((gate.code, gate.reasons()), (1, vec!["functions"]));
    let detail = gate.check("functions")["detail"].as_str().unwrap();
    assert!(detail.contains("the waiver of ops until") && detail.contains("lapsed_content"), "{detail}");
    assert_eq!(gate.certificate["accepted"].as_array().unwrap().len(), 0);
    assert_eq!(code(&world, &waive), 0, "it is accepted anew");
    assert_eq!(world.fresh_gate().code, 0);
    world.db.sql("drop function public.new()");
    assert_eq!(world.fresh_gate().code, 0, "what was accepted first still is");

    // Its day is over.
    let waivers = file(&world, "waivers.toml").replace(&tomorrow, "2026-01-31");
    std::fs::write(world.folder.path().join("waivers.toml"), waivers).unwrap();
    assert_eq!(world.fresh_gate().reasons(), ["functions"]);
}
