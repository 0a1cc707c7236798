//! Pools through the program itself: whose balance it is, how the columns add up, and what is
//! refused.

use std::path::Path;
use std::process::Command;

const CONFIGURATION: &str = r#"
as_of = "2026-04-01T00:00:00Z"
[legacy]
path = "legacy.csv"
id = "id"
user = "user_id"
action = "action"
amount = "tokens"
created_at = "created_at"
[legacy.actions]
subscription_grant = "subscription_grant"
[unified]
path = "unified.csv"
id = "id"
user = "user_id"
action = "action"
amount = "tokens"
created_at = "created_at"
grants = ["subscription_grant", "trial_grant"]
unified_only = ["subscription_grant", "trial_grant"]
[balances]
stored = { path = "stored.csv", user = "user_id", balance = "balance" }
[balances.pools]
path = "members.csv"
user = "user_id"
pool = "household_id"
"#;
const UNIFIED: &str = "id,user_id,action,tokens,created_at
U1,ann,subscription_grant,1000,2026-01-01T00:00:00Z
U2,bob,chat,300,2026-01-10T00:00:00Z
U3,ann,chat,100,2026-01-11T00:00:00Z
U4,bob,trial_grant,50,2026-01-12T00:00:00Z
U5,cid,chat,7,2026-01-13T00:00:00Z
";

/// Exit code, standard error, and of each file its text.
struct Run {
    code: i32,
    stderr: String,
    folder: tempfile::TempDir,
}

fn run(members: &str, more_keys: &str, stored: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("reckon.toml", &format!("{CONFIGURATION}{more_keys}"));
    write("unified.csv", UNIFIED);
    write("legacy.csv", "id,user_id,action,tokens,created_at\n");
    write("stored.csv", stored);
    write("members.csv", members);
    let output = Command::new(env!("CARGO_BIN_EXE_reckon"))
        .args(["reconcile", "--no-progress", "--out", "out"])
        .current_dir(folder.path())
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    Run { code: output.status.code().unwrap(), stderr, folder }
}

impl Run {
    fn read(&self, name: &str) -> String {
        let path: &Path = self.folder.path();
        std::fs::read_to_string(path.join("out").join(name)).unwrap()
    }

    /// The users with a balance below zero, with the evidence.
    fn below_zero(&self) -> Vec<(String, String)> {
        let text = self.read("findings.csv");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let at = |name: &str| header.iter().position(|column| column == name).unwrap();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let negative = rows.iter().filter(|row| &row[at("class")] == "negative_balance");
        negative.map(|row| (row[at("user_id")].to_owned(), row[at("evidence")].to_owned())).collect()
    }
}

#[test]
fn a_member_that_uses_what_the_owner_was_granted_is_not_below_zero() {
    let owner = "owner = \"owner\"\n";
    let apart = run("user_id,household_id,owner\n", owner, "user_id,balance\n");
    let users: Vec<String> = apart.below_zero().into_iter().map(|(user, _)| user).collect();
    assert_eq!((apart.code, users), (0, vec!["bob".to_owned(), "cid".to_owned()]));

    let pooled = run("user_id,household_id,owner\nann,h,ann\nbob,h,ann\n", owner, "user_id,balance\n");
    let users: Vec<String> = pooled.below_zero().into_iter().map(|(user, _)| user).collect();
    assert_eq!((pooled.code, users), (0, vec!["cid".to_owned()]), "{}", pooled.stderr);
    assert!(pooled.read("manifest.json").contains("members.csv"), "an input like any other");
}

#[test]
fn a_member_counts_from_its_first_day_to_before_its_last() {
    // bob's use on the 10th lies in the pool, his grant on the 12th is his own again.
    let keys = "owner = \"owner\"\nfrom = \"since\"\nto = \"until\"\n";
    let members = |since: &str, until: &str| {
        format!("user_id,household_id,owner,since,until\nbob,h,ann,{since},{until}\n")
    };
    let cases = [
        ("2026-01-10", "2026-01-12", vec!["cid"]),
        ("2026-01-10T00:00:00.000001Z", "", vec!["bob", "cid"]),
        ("", "2026-01-10", vec!["bob", "cid"]),
        ("", "2026-01-10T00:00:00.000001Z", vec!["cid"]),
    ];
    for (since, until, expected) in cases {
        let run = run(&members(since, until), keys, "user_id,balance\n");
        let users: Vec<String> = run.below_zero().into_iter().map(|(user, _)| user).collect();
        assert_eq!(users, expected, "{since}..{until} {}", run.stderr);
    }
}

#[test]
fn without_an_owner_the_balance_stands_at_the_only_one_who_can_hold_it() {
    // cid's use of 7 shows at whose row the pool of bob and cid stands.
    let members = "user_id,household_id\nbob,h\ncid,h\nann,\n";
    let cases = [
        // The only one with a stored balance.
        ("user_id,balance\ncid,0\n", "cid"),
        ("user_id,balance\ncid,0\nbob,\n", "cid"),
        // The only one with grants.
        ("user_id,balance\n", "bob"),
        ("user_id,balance\nbob,0\ncid,0\n", "bob"),
    ];
    for (stored, expected) in cases {
        let run = run(members, "", stored);
        let found = run.below_zero();
        let users: Vec<&str> = found.iter().map(|(user, _)| user.as_str()).collect();
        assert_eq!(users, [expected], "{stored} {}", run.stderr);
        let evidence = "first_at=2026-01-10T00:00:00.000000Z; first_balance=-300; \
                        lowest_at=2026-01-10T00:00:00.000000Z; lowest_balance=-300; balance_at_as_of=-257; opening=0";
        assert_eq!(found[0].1, evidence);
    }
}

#[test]
fn pools_that_cannot_be_are_refused_with_names() {
    let dated = "owner = \"owner\"\nfrom = \"since\"\nto = \"until\"\n";
    let cases = [
        (
            "user_id,household_id\nbob,h\nbob,k\n",
            "",
            "members.csv: user bob is in pool h and in pool k at once, at all times",
        ),
        (
            "user_id,household_id,owner,since,until\nbob,h,ann,2026-01-01,2026-02-01\nbob,k,cid,2026-01-31,\n",
            dated,
            "members.csv: user bob is in pool h and in pool k at once, at 2026-01-31T00:00:00.000000Z",
        ),
        (
            "user_id,household_id,owner\nbob,h,ann\ncid,h,bob\n",
            "owner = \"owner\"\n",
            "members.csv: pool h has two owners, ann and bob",
        ),
        (
            "user_id,household_id,owner,since,until\nbob,h,ann,2026-02-01,2026-01-01\n",
            dated,
            "members.csv line 2: user bob in pool h is a member from 2026-02-01",
        ),
        ("user_id,household\nbob,h\n", "", "household_id"),
    ];
    for (members, keys, expected) in cases {
        let run = run(members, keys, "user_id,balance\n");
        assert_eq!(run.code, 2, "{members}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        assert!(!run.folder.path().join("out").exists());
    }
}
