//! `reckon init` looks at a database: both shapes of the legacy table, found by name or by itself.

use std::process::{Command, Output};

use super::cluster::{Cluster, Db};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/postgres");

fn product(name: &str) -> Db {
    let db = Cluster::shared().database(name);
    db.file(format!("{FIXTURES}/schema.sql").as_ref());
    db.sql(
        "insert into a.token_transactions (user_id, transaction_type, token_amount, source, created_at)
         select gen_random_uuid(), kind, tokens, source, timestamptz '2026-02-01 09:00:00+00'
         from (values ('grant', 250000, 'subscription'), ('grant', 50000, 'trial'), ('grant', 1000, 'admin'),
                      ('deduction', -500, 'admin'), ('refund', -700, 'stripe'), ('transfer', 5, 'household'))
              as row (kind, tokens, source);
         insert into b.token_transactions (user_id, action_type, tokens_used, created_at, stripe_payment_intent_id)
         values (gen_random_uuid(), 'renewal_grant', 250000, '2026-02-01', null),
                (gen_random_uuid(), 'pack_purchase', 500000, '2026-02-02', 'pi_1');
         insert into public.token_usage (user_id, action_type, model_used, tokens_used, metadata)
         values (gen_random_uuid(), 'subscription_grant', 'migration', 250000,
                 '{\"legacy_id\": \"x\", \"migrated_from\": \"token_transactions\"}'),
                (gen_random_uuid(), 'token_pack_purchase', 'none', 500000, '{\"payment_intent\": \"pi_1\"}'),
                (gen_random_uuid(), 'chat_conversation', 'gpt', 12, null);",
    );
    db
}

fn init(url: &str, args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_reckon"))
        .args(["init", "-o", "-"])
        .args(args)
        .current_dir(folder.path())
        .env("DATABASE_URL", url)
        .output()
        .unwrap()
}

/// The proposal's lines without their comments.
fn settings(output: &Output) -> Vec<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = text.lines().map(|line| line.split(" # ").next().unwrap().trim().to_owned());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn assert_lists(lines: &[String], expected: &[&str]) {
    for line in expected {
        assert!(lines.iter().any(|found| found == line), "{line}\n{}", lines.join("\n"));
    }
}

#[test]
fn shape_a_needs_two_columns() {
    let db = product("init_shape_a");
    let output = init(&db.url(), &["--legacy", "a.token_transactions", "--unified", "token_usage"]);
    assert_lists(
        &settings(&output),
        &[
            "table = \"a.token_transactions\"",
            "action = [\"transaction_type\", \"source\"]",
            "amount = \"token_amount\"",
            "\"grant/subscription\" = \"subscription_grant\"",
            "\"grant/trial\" = \"trial_grant\"",
            "\"grant/admin\" = \"admin_grant\"",
            "\"deduction/admin\" = \"admin_deduct\"",
            "\"refund/stripe\" = \"admin_deduct\"",
            "table = \"public.token_usage\"",
            "success = \"success\"",
            "link = \"metadata.legacy_id\"",
            "migrated = \"metadata.migrated_from\"",
            "reference = [\"metadata.payment_intent\"]",
            "grants = [\"admin_grant\", \"subscription_grant\", \"trial_grant\", \"token_pack_purchase\"]",
            "deductions = [\"admin_deduct\"]",
            "values = { model_used = \"migration\" }",
        ],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("# \"transfer/household\" = \"…\""), "{text}");
    assert!(text.contains("\"frequency_flip\""), "labels of the constraint are known: {text}");
}

#[test]
fn without_names_the_two_ledgers_and_the_balances_are_found() {
    let db = product("init_by_itself");
    let output = init(&db.url(), &[]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.starts_with("reckon: cannot tell which two tables are meant")
            && stderr.contains("a.token_transactions, b.token_transactions, public.token_usage"),
        "{stderr}"
    );
    db.sql("drop schema a cascade");
    assert_lists(
        &settings(&init(&db.url(), &[])),
        &[
            "table = \"b.token_transactions\"",
            "action = \"action_type\"",
            "renewal_grant = \"subscription_grant\"",
            "annual_subscription_grant = \"subscription_grant\"",
            "pack_purchase = \"token_pack_purchase\"",
            "chat = \"usage\"",
            "reference = [\"stripe_payment_intent_id\"]",
            "expires_at = \"expires_at\"",
            "table = \"public.token_usage\"",
            "stored = { table = \"public.user_profiles\", user = \"user_id\", balance = \"vibe_assistant_tokens_remaining\" }",
            "opening_tokens = 100",
        ],
    );
}

#[test]
fn strange_names_are_looked_at_too() {
    let db = Cluster::shared().database("init_strange");
    db.sql(
        "create schema \"My App\";
         create table \"My App\".\"order\" (id serial primary key, \"user\" text not null, type text, tokens bigint,
            created_at timestamp, \"meta data\" json);
         insert into \"My App\".\"order\" (\"user\", type, tokens, created_at, \"meta data\")
         values ('ada', 'trial_grant', 5, '2026-02-01', '{\"legacy_id\": 7}'), ('ben', null, null, null, '[1]');",
    );
    let twice = init(&db.url(), &["--legacy", "\"My App\".order", "--unified", "\"My App\".\"order\""]);
    let said = String::from_utf8_lossy(&twice.stderr).into_owned();
    assert_eq!(twice.status.code(), Some(2), "{said}");
    assert!(said.contains("--legacy and --unified name the same source"), "{said}");
    db.sql("create table \"My App\".old as select * from \"My App\".\"order\"");
    let output = init(&db.url(), &["--legacy", "\"My App\".old", "--unified", "\"My App\".\"order\""]);
    assert_lists(
        &settings(&output),
        &[
            "table = \"My App.order\"",
            "user = \"user\"",
            "timezone = \"UTC\"",
            "trial_grant = \"trial_grant\"",
            "link = \"meta data.legacy_id\"",
        ],
    );
}

#[test]
fn the_id_of_a_subscription_is_no_reference_in_a_table_either() {
    let db = Cluster::shared().database("init_no_reference");
    db.sql(
        "create table old_tokens (id serial primary key, user_id text, type text, tokens bigint,
            created_at timestamptz, external_id text, metadata jsonb);
         insert into old_tokens (user_id, type, tokens, created_at, external_id, metadata)
         select 'u' || u, 'subscription_grant', 5, timestamptz '2026-01-05' + m * interval '1 month', 'sub_' || u,
                jsonb_build_object('order_id', u || '-' || m)
         from generate_series(1, 3) as u, generate_series(1, 4) as m;
         create table new_tokens as select * from old_tokens;
         alter table new_tokens add primary key (id);",
    );
    let output = init(&db.url(), &["--legacy", "old_tokens", "--unified", "new_tokens"]);
    let lines = settings(&output);
    assert_lists(&lines, &["reference = [\"metadata.order_id\"]"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let comment = "# external_id is no reference: for the same user and label it comes back on another day \
         9 times in 12 rows,";
    assert_eq!(text.matches(comment).count(), 2, "{text}");
}

#[test]
fn a_table_that_is_not_there_or_hides_rows_is_refused() {
    let db = product("init_refused");
    db.sql(
        "create role init_reader login;
         grant usage on schema b to init_reader;
         grant select on all tables in schema b, public to init_reader;
         alter table public.token_usage enable row level security;",
    );
    let args = ["--legacy", "b.token_transactions", "--unified", "public.token_usage"];
    let output = init(&db.url_as("init_reader"), &args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("init_reader") && stderr.contains("public.token_usage"), "{stderr}");
    let output = init(&db.url(), &["--legacy", "b.token_transaction", "--unified", "public.token_usage"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("token_transaction"), "{stderr}");
}

#[test]
fn the_contract_becomes_the_constraint() {
    let db = Cluster::shared().database("contract");
    db.file(format!("{FIXTURES}/schema.sql").as_ref());
    db.sql(
        "insert into token_usage (user_id, action_type, model_used, tokens_used)
            values (gen_random_uuid(), 'chat_conversation', 'm', 1)",
    );
    let shape = std::fs::read_to_string(format!("{FIXTURES}/shape_b.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let contract = |usage: &str| {
        let text = shape.replace("unified_only =", &format!("{usage}\nunified_only ="));
        std::fs::write(folder.path().join("reckon.toml"), text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_reckon"))
            .args(["contract", "--format", "sql"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let sql = contract("usage = [\"chat_conversation\", \"it's; new\"]");
    // Twice: the second run exchanges the constraint of the first.
    db.sql(&sql);
    db.sql(&sql);
    let insert = |label: &str| {
        db.try_sql(&format!(
            "insert into token_usage (user_id, action_type, model_used, tokens_used)
             values (gen_random_uuid(), '{label}', 'm', 1)"
        ))
    };
    insert("it''s; new").unwrap();
    assert!(insert("image_generation").unwrap_err().contains("token_usage_action_type_check"));
    // Without a usage list the constraint is not complete: it does not fit the rows, nothing changes.
    assert!(db.try_sql(&contract("")).unwrap_err().contains("is violated by some row"));
    insert("it''s; new").unwrap();
}
