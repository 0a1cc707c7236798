//! The product's own schema, functions and migrations, on a real server.

use std::path::{Path, PathBuf};

use super::cluster::{Cluster, Db};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/postgres").join(name)
}

fn product(name: &str) -> Db {
    let db = Cluster::shared().database(name);
    db.file(&fixture("schema.sql"));
    db.file(&fixture("functions.sql"));
    db
}

const USER: &str = "10000000-0000-4000-8000-000000000009";

#[test]
fn annual_grants_go_to_both_tables_and_trials_to_the_unified_one() {
    for (shape, label) in [("a", "transaction_type || '/' || source"), ("b", "action_type::text")] {
        let db = product("functions");
        db.sql(&format!(
            "select {shape}.grant_annual_tokens('{USER}'); select grant_trial_tokens('{USER}');"
        ));
        let legacy = db.query(&format!("select {label} from {shape}.token_transactions"));
        let expected = if shape == "a" { "grant/subscription" } else { "annual_subscription_grant" };
        assert_eq!(legacy, [[expected]]);
        let unified = db.query("select action_type, tokens_used from token_usage order by 1");
        assert_eq!(unified, [["subscription_grant", "1000000"], ["trial_grant", "100000"]]);
        let drift = db.value(&format!(
            "select extract(epoch from u.created_at - t.created_at) between 0 and 1
             from token_usage u, {shape}.token_transactions t where u.action_type = 'subscription_grant'"
        ));
        assert_eq!(drift, "t");
        assert_eq!(db.value("select vibe_assistant_tokens_remaining from user_profiles"), "1100100");
    }
}

const MIGRATED: &str = "select right(metadata->>'legacy_id', 1), action_type, tokens_used from token_usage \
                        where metadata->>'migrated_from' = 'token_transactions' order by 1";

#[test]
fn the_flawed_migration_mislabels_and_leaves_behind_what_was_negative() {
    let db = product("flawed");
    db.file(&fixture("history.sql"));
    db.file(&fixture("migration_flawed.sql"));
    let expected = [
        ["1", "admin_grant", "100000"],
        ["2", "admin_grant", "1000000"],
        ["3", "token_pack_purchase", "50000"],
        ["6", "admin_grant", "25000"],
    ];
    assert_eq!(db.query(MIGRATED), expected);
}

#[test]
fn the_correct_migration_copies_every_grant_and_deduction_once() {
    let db = product("correct");
    db.file(&fixture("history.sql"));
    db.sql(&format!("select a.grant_annual_tokens('{USER}')"));
    for _ in 0..2 {
        db.file(&fixture("migration_correct.sql"));
        let expected = [
            ["1", "trial_grant", "100000"],
            ["2", "subscription_grant", "1000000"],
            ["3", "token_pack_purchase", "50000"],
            ["4", "subscription_grant", "1000000"],
            ["5", "token_pack_purchase", "50000"],
            ["6", "admin_grant", "25000"],
            ["7", "admin_deduct", "5000"],
            ["8", "admin_deduct", "50000"],
        ];
        assert_eq!(db.query(MIGRATED), expected);
        // What its writer put into both tables is there once.
        let own = format!("select count(*) from token_usage where user_id = '{USER}'");
        assert_eq!(db.value(&own), "1");
    }
}
