//! `reckon history USER` under policies: what they add and take stands between the rows, and what is
//! left of each grant below them.

use super::{code, reckon, stderr, stdout};

const LEGACY: &str = "\
id,user_id,action_type,tokens_used,created_at
l1,u1,subscription_grant,1000,2026-01-01T00:00:00Z
l2,u1,trial_grant,200,2026-01-05T00:00:00Z
";

const UNIFIED: &str = "\
id,user_id,action_type,tokens_used,created_at,success
n1,u1,subscription_grant,1000,2026-01-01T00:00:00Z,true
n2,u1,trial_grant,200,2026-01-05T00:00:00Z,true
n3,u1,chat,150,2026-01-06T00:00:00Z,true
n4,u1,chat,100,2026-02-20T00:00:00Z,true
n5,u1,chat,70,2026-02-21T00:00:00Z,false
n6,u1,annual_grant,5000,2026-03-01T00:00:00Z,true
n7,u1,chat,6000,2026-03-02T00:00:00Z,true
n8,u1,admin_grant,10,2026-03-03T00:00:00Z,true
n9,u2,admin_grant,10,2026-03-03T00:00:00Z,true
n10,u2,chat,4,2026-03-04T00:00:00Z,true
n11,<b>&u3,admin_grant,1,2026-03-04T00:00:00Z,true
";

const CONFIG: &str = r#"
as_of = "2026-04-01T00:00:00Z"
[legacy]
path = "legacy.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
[legacy.actions]
subscription_grant = "subscription_grant"
trial_grant = "trial_grant"
[unified]
path = "unified.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
success = "success"
grants = ["admin_grant", "subscription_grant", "trial_grant", "annual_grant"]
unified_only = ["admin_grant", "annual_grant"]
"#;

const POLICIES: &str = r#"
[balances]
opening_tokens = 100
reset_actions = ["annual_grant"]
floor = "clamp"
[balances.expiry]
order = "earliest_expiry"
after = { trial_grant = "28d" }
"#;

const POOLS: &str = r#"
[balances.pools]
path = "pools.csv"
user = "user_id"
pool = "pool_id"
owner = "owner_id"
"#;

fn ask(more: &str, arguments: &[&str]) -> String {
    ask_of(UNIFIED, more, arguments)
}

fn ask_of(unified: &str, more: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("legacy.csv", LEGACY);
    write("unified.csv", unified);
    write("stored.csv", "user_id,balance\nu1,59\n");
    write("pools.csv", "user_id,pool_id,owner_id\nu1,p,u1\nu2,p,u1\n");
    write("reckon.toml", &format!("{CONFIG}{more}"));
    let output = reckon(folder.path()).arg("history").args(arguments).output().unwrap();
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
    stdout(&output)
}

/// Some columns of a CSV, line by line.
fn columns(text: &str, wanted: &[&str]) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let places: Vec<usize> =
        wanted.iter().map(|name| headers.iter().position(|header| header == *name).unwrap()).collect();
    let row = |record: csv::StringRecord| places.iter().map(|at| &record[*at]).collect::<Vec<_>>().join(" ");
    reader.records().map(|record| row(record.unwrap())).collect()
}

#[test]
fn what_policies_add_and_take_stands_between_the_rows() {
    let text = ask(POLICIES, &["u1", "--csv"]);
    let found = columns(&text, &["side", "row_id", "action", "change", "balance", "balance_policy"]);
    // Worked out by hand: the trial ends on February 2 with 50 of 200 unused; the annual grant
    // replaces 1,000; 6,000 of use meet 5,000.
    let expected = [
        "unified n8 admin_grant 10 -40 10",
        "policy  clamped 1000  0",
        "unified n7 chat -6000 -50 -1000",
        "unified n6 annual_grant 5000 5950 5000",
        "policy  reset -1000  0",
        "unified n5 chat   ",
        "unified n4 chat -100 950 1000",
        "policy n2 expired -50  1100",
        "unified n3 chat -150 1050 1150",
        "unified n2 trial_grant 200 1200 1300",
        "legacy l2 trial_grant 200 1200 ",
        "unified n1 subscription_grant 1000 1000 1100",
        "legacy l1 subscription_grant 1000 1000 ",
        "policy  opening 100  100",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_grant_stands_before_what_replaces_it_and_before_its_own_end() {
    let unified = "\
id,user_id,action_type,tokens_used,created_at,success,expires_at
n1,u1,chat,30,2026-01-01T00:00:00Z,true,
n2,u1,annual_grant,500,2026-01-02T00:00:00Z,true,
n3,u1,annual_grant,300,2026-01-02T00:00:00Z,true,
n4,u1,trial_grant,80,2026-01-02T00:00:00Z,true,2026-01-02T00:00:00Z
";
    let more = "expires_at = \"expires_at\"\n[balances]\nreset_actions = [\"annual_grant\"]\n";
    let text = ask_of(unified, more, &["u1", "--csv"]);
    let found = columns(&text, &["row_id", "action", "change", "balance", "balance_policy"]);
    // Of two plans of one instant the larger one replaces the smaller one.
    let expected = [
        "l2 trial_grant 200 1200 ",
        "n4 expired -80  500",
        "n4 trial_grant 80 850 580",
        "n2 annual_grant 500 770 500",
        " reset -300  0",
        "n3 annual_grant 300 270 300",
        " reset 30  0",
        "n1 chat -30 -30 -30",
        "l1 subscription_grant 1000 1000 ",
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_is_left_of_each_grant_adds_up() {
    let text = ask(POLICIES, &["u1", "--lots"]);
    let wanted = ["row_id", "action", "granted", "used", "expired", "voided", "remaining", "ends_at"];
    let expected = [
        " opening 100 100 0 0 0 ",
        "n1 subscription_grant 1000 0 0 1000 0 ",
        "n2 trial_grant 200 150 50 0 0 2026-02-02T00:00:00.000000Z",
        "n6 annual_grant 5000 5000 0 0 0 ",
        "n8 admin_grant 10 0 0 0 10 ",
    ];
    assert_eq!(columns(&text, &wanted), expected);
}

#[test]
fn without_policies_the_balance_is_the_sum_of_the_rows() {
    let text = ask("", &["u1", "--csv"]);
    let found = columns(&text, &["side", "balance", "balance_policy"]);
    assert!(found.iter().all(|row| !row.starts_with("policy")), "{found:?}");
    for row in found.iter().filter(|row| row.starts_with("unified")) {
        let cells: Vec<&str> = row.split(' ').collect();
        assert_eq!(cells[1], cells[2], "{row}");
    }
    assert!(ask("", &["u1"]).contains("Left of each grant"));
}

#[test]
fn a_pool_is_said_and_its_balance_stands_at_the_owner() {
    let statement: serde_json::Value =
        serde_json::from_str(&ask(POOLS, &["u2", "--format", "json"])).unwrap();
    // 1,000 + 200 + 5,000 + 10 − 6,250 of u1, 10 − 4 of u2.
    let expected = serde_json::json!({ "holder": "u1", "pooled": true, "balance": -34, "debt": 34 });
    assert_eq!(statement["policies"], expected);
    let text = ask(POOLS, &["u2"]);
    assert!(text.contains("of the pool, whose balance of -34 stands at its owner"), "{text}");
}

#[test]
fn the_page_has_every_row_needs_no_network_and_obeys_no_id() {
    let page = ask(POLICIES, &["u1", "--html"]);
    for row in ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "l1", "l2"] {
        assert!(page.contains(&format!("<td class=\"id\">{row}</td>")), "{row}");
    }
    assert!(page.contains("default-src 'none'") && !page.contains("http:") && !page.contains("https:"));
    assert!(page.contains("expired trial_grant") && page.contains("held at zero"));
    let page = ask("", &["<b>&u3", "--html"]);
    assert!(page.contains("&lt;b&gt;&amp;u3") && !page.contains("<b>"), "{page}");
}

#[test]
fn the_page_adds_up_before_the_eyes_of_its_reader() {
    let stored = "[balances]\nopening_tokens = 100\n\
                  stored = { path = \"stored.csv\", user = \"user_id\", balance = \"balance\" }\n";
    let page = ask(stored, &["u1", "--html"]);
    let table = page.split_once("<table class=\"sums\">").unwrap().1.split_once("</table>").unwrap().0;
    let lines: Vec<(&str, i64)> = table
        .split("<td>")
        .skip(1)
        .map(|line| {
            let (what, rest) = line.split_once("</td><td class=\"n\">").unwrap();
            (what, rest.split_once("</td>").unwrap().0.replace([',', '+'], "").parse().unwrap())
        })
        .collect();
    let expected = [
        ("Granted", 6_210),
        ("Used", -6_250),
        ("Sum of the rows", -40),
        ("Opening tokens", 100),
        ("Balance", 60),
        ("Difference of the balance on record", -1),
        ("On record", 59),
    ];
    assert_eq!(lines, expected);
    let said =
        "The balance on record is 1 less than the one above: it differs from the sum of the rows by +99 (";
    let rest = page.split_once(said).unwrap_or_else(|| panic!("{page}")).1;
    let (parts, rules) = rest.split_once("), the one above by the ").unwrap();
    assert!(rules.starts_with("+100 that the rules"), "{rules}");
    let sum: i64 =
        parts.split(", ").map(|part| part.rsplit_once(' ').unwrap().1.parse::<i64>().unwrap()).sum();
    assert_eq!(sum, 99, "{parts}");
}

#[test]
fn under_fifo_opening_tokens_go_before_the_first_grant() {
    let fifo = "[balances]\nopening_tokens = 100\n[balances.expiry]\norder = \"fifo\"\n\
                after = { subscription_grant = \"20d\" }\n";
    let found = columns(&ask(fifo, &["u1", "--lots"]), &["action", "used", "expired"]);
    // 150 of use on January 6: all opening tokens, and 50 of the first grant.
    assert_eq!(found[..2], ["opening 100 0", "subscription_grant 50 950"], "{found:?}");
}
