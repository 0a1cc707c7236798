//! What a right configuration means. What is said of a wrong one stands in tests/errors.

use std::path::{Path, PathBuf};

use super::*;

/// The shortest configuration there is.
const SHORT: &str = r#"
[legacy]
table = "public.token_transactions"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"

[unified]
path = "data/token_usage.csv.gz"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
reference = ["metadata.payment_intent", "stripe_session_id"]
grants = ["admin_grant", "trial_grant"]
deductions = ["admin_deduct"]
"#;

fn short_with(more: &str) -> Config {
    parse(Path::new("etc/reckon.toml"), &format!("{SHORT}{more}")).unwrap()
}

fn table(schema: Option<&str>, name: &str) -> TableName {
    TableName { schema: schema.map(str::to_owned), name: name.to_owned() }
}

#[test]
fn defaults_are_those_of_the_contract() {
    let config = short_with("");
    let expected =
        Matching { tolerance: Span(2_000_000), window: Span(86_400_000_000), settle: Span(300_000_000) };
    assert_eq!(config.matching, expected);
    assert_eq!(config.as_of, None);
    assert_eq!(config.legacy.sign, SignPolicy::ByAction);
    assert_eq!(config.legacy.columns.timezone, chrono_tz::Tz::UTC);
    assert_eq!(config.unified.usage, None);
    assert!(config.unified.unified_only.is_empty());
    assert_eq!(config.balances.opening_tokens, 0);
    assert!(!config.balances.count_failed_usage && config.balances.policies[0].floor == Floor::Debt);
    assert!(config.balances.stored.is_none() && config.balances.pools.is_none());
    assert_eq!(config.repair, Repair { time: false, allow_triggers: false });
    assert_eq!(config.history.folder, PathBuf::from("reports"));
    assert!((1..=4).contains(&config.postgres.streams));
    assert_eq!(config.postgres.statement_timeout, Span(0));
    assert_eq!(config.postgres.session_wait, Span(5_000_000));
}

#[test]
fn without_a_section_every_configured_action_means_itself() {
    let actions = short_with("").legacy.actions;
    let names = ["admin_deduct", "admin_grant", "trial_grant"];
    let expected = names.map(|name| (name.to_owned(), LegacyMeaning::Action(name.to_owned())));
    assert_eq!(actions, expected.into());
}

#[test]
fn with_a_section_only_its_labels_have_a_meaning() {
    let actions = short_with(
        "[legacy.actions]\n\"grant/admin\" = \"admin_grant\"\nchat = \"usage\"\ntest = \"ignore\"\n",
    )
    .legacy
    .actions;
    let expected = [
        ("chat", LegacyMeaning::Usage),
        ("grant/admin", LegacyMeaning::Action("admin_grant".to_owned())),
        ("test", LegacyMeaning::Ignore),
    ];
    assert_eq!(actions, expected.map(|(label, meaning)| (label.to_owned(), meaning)).into());
}

#[test]
fn payment_evidence_is_the_reference_unless_configured() {
    let columns = short_with("").unified.columns;
    assert_eq!(columns.payment, columns.reference);
    assert_eq!(columns.reference[0].column, "metadata");
    assert_eq!(columns.reference[0].path, ["payment_intent"]);
    assert_eq!(columns.reference[1].column, "stripe_session_id");
    assert!(columns.reference[1].path.is_empty());
    let text = SHORT.replace("reference = [", "payment = []\nreference = [");
    assert!(parse(Path::new("reckon.toml"), &text).unwrap().unified.columns.payment.is_empty());
}

#[test]
fn table_or_path_decides_where_rows_come_from() {
    let config = short_with("[history]\nfolder = \"runs\"");
    assert_eq!(config.legacy.columns.origin, Origin::Table(table(Some("public"), "token_transactions")));
    let files = |target| Origin::Files {
        pattern: "data/token_usage.csv.gz".to_owned(),
        folder: PathBuf::from("etc"),
        target,
    };
    assert_eq!(config.unified.columns.origin, files(table(None, "token_usage")));
    assert_eq!(config.history.folder, PathBuf::from("etc/runs"));
    let text = SHORT.replace("path =", "table = \"app.usage\"\npath =");
    let config = parse(Path::new("etc/reckon.toml"), &text).unwrap();
    assert_eq!(config.unified.columns.origin, files(table(Some("app"), "usage")));
}

#[test]
fn the_digest_is_that_of_the_bytes() {
    let config = parse(Path::new("reckon.toml"), SHORT).unwrap();
    assert_eq!(config.digest.len(), 64);
    assert_ne!(config.digest, short_with("# a comment").digest);
}

#[test]
fn paths_name_tables() {
    let cases = [
        ("token_transactions.csv", None, "token_transactions"),
        ("a/b/token_transactions.csv.gz", None, "token_transactions"),
        ("token_usage.CSV.zst", None, "token_usage"),
        ("public.token_usage.parquet", Some("public"), "token_usage"),
        ("export.2026.csv", None, "export.2026"),
        ("legacy/*.parquet", None, "legacy"),
        ("legacy/part-*.parquet", None, "part"),
        ("usage_[0-9]?.parquet", None, "usage"),
        ("data/*/*.csv", None, "data"),
        ("*.csv", None, "unified"),
        ("../*.csv", None, "unified"),
    ];
    for (path, schema, name) in cases {
        assert_eq!(table_of_path(path, "unified"), table(schema, name), "{path}");
    }
}

#[test]
fn table_names_keep_case_and_quotes() {
    let cases = [
        ("token_usage", None, "token_usage", "token_usage"),
        ("public.token_usage", Some("public"), "token_usage", "public.token_usage"),
        ("public.order", Some("public"), "order", "public.\"order\""),
        ("TokenUsage", None, "TokenUsage", "\"TokenUsage\""),
        (r#""my schema"."a.b""#, Some("my schema"), "a.b", r#""my schema"."a.b""#),
        (r#"public."say ""hi""""#, Some("public"), r#"say "hi""#, r#"public."say ""hi""""#),
    ];
    for (text, schema, name, sql) in cases {
        let parsed = parse_table(text).unwrap();
        assert_eq!(parsed, table(schema, name), "{text}");
        assert_eq!(parsed.sql(), sql, "{text}");
    }
}

#[test]
fn identifiers_are_quoted_where_postgres_needs_it() {
    let cases = [
        ("token_usage", "token_usage"),
        ("_a1", "_a1"),
        ("user", "\"user\""),
        ("position", "\"position\""),
        ("left", "\"left\""),
        ("name", "name"),
        ("1a", "\"1a\""),
        ("Größe", "\"Größe\""),
        ("größe", "\"größe\""),
        ("a\"b", "\"a\"\"b\""),
        ("a;b", "\"a;b\""),
        ("", "\"\""),
    ];
    for (name, expected) in cases {
        assert_eq!(quote_identifier(name), expected);
    }
}

#[test]
fn durations() {
    let cases = [
        ("0s", 0),
        ("7us", 7),
        ("500ms", 500_000),
        ("2s", 2_000_000),
        ("5m", 300_000_000),
        ("24h", 86_400_000_000),
        ("56d", 4_838_400_000_000),
        ("2w", 1_209_600_000_000),
        ("1h30m", 5_400_000_000),
    ];
    for (text, micros) in cases {
        assert_eq!(parse_duration(text), Ok(Span(micros)), "{text}");
    }
}

#[test]
fn sizes() {
    let cases = [
        ("1B", Ok(1)),
        ("4k", Ok(4 << 10)),
        ("512MiB", Ok(512 << 20)),
        ("512 mib", Ok(512 << 20)),
        ("2G", Ok(2 << 30)),
        ("3GB", Ok(3_000_000_000)),
        ("1TiB", Ok(1 << 40)),
        ("", Err(())),
        ("512", Err(())),
        ("0MiB", Err(())),
        ("-1MiB", Err(())),
        ("1.5GiB", Err(())),
        ("9MiBs", Err(())),
        ("99999999TiB", Err(())),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_size(text).map_err(|_| ()), expected, "{text}");
    }
}

#[test]
fn instants() {
    let cases = [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00.000001+01:00", 1),
        ("1970-01-01 00:00:01Z", 1_000_000),
    ];
    for (text, micros) in cases {
        assert_eq!(parse_instant(text), Ok(Instant(micros)), "{text}");
    }
    let toml = format!("as_of = 2026-03-01T09:30:00Z\n{SHORT}");
    let config = parse(Path::new("reckon.toml"), &toml).unwrap();
    assert_eq!(config.as_of.map(Instant::rfc3339).as_deref(), Some("2026-03-01T09:30:00.000000Z"));
}

#[test]
fn the_values_of_a_backfill_keep_their_types() {
    let config = short_with("[backfill]\nvalues = { a = \"x\", b = 7, c = 0.5, d = true }\n");
    let expected = [
        ("a", Literal::Text("x".to_owned())),
        ("b", Literal::Integer(7)),
        ("c", Literal::Decimal(0.5)),
        ("d", Literal::Boolean(true)),
    ];
    assert_eq!(config.backfill.values, expected.map(|(name, value)| (name.to_owned(), value)).into());
}

#[test]
fn stored_balances_and_pools() {
    let config = short_with(
        "[balances]\nstored = { path = \"profiles.csv\", user = \"user_id\", balance = \"left\", several_rows = \"sum\" }\n\
         floor = \"clamp\"\nfailed_usage = \"count\"\nopening_tokens = 100\nreset_actions = [\"trial_grant\"]\n\
         [balances.expiry]\norder = \"fifo\"\nafter = { trial_grant = \"56d\" }\n\
         [balances.pools]\ntable = \"household_members\"\nuser = \"user_id\"\npool = \"household_id\"\nowner = \"admin\"\n",
    );
    let balances = config.balances;
    let stored = balances.stored.unwrap();
    assert!(stored.sum_rows && balances.count_failed_usage);
    assert_eq!(stored.origin.target(), &table(None, "profiles"));
    assert_eq!(balances.opening_tokens, 100);
    let [policy] = &balances.policies[..] else { panic!("one policy, since ever") };
    assert_eq!((policy.from, policy.floor), (Instant::MIN, Floor::Clamp));
    assert_eq!(policy.reset_actions, ["trial_grant"]);
    assert_eq!(policy.expiry_order, ExpiryOrder::Fifo);
    assert_eq!(policy.expiry_after["trial_grant"], Span(4_838_400_000_000));
    let pools = balances.pools.unwrap();
    assert_eq!(pools.owner.unwrap().column, "admin");
    assert!(pools.from.is_none() && pools.to.is_none());
}

#[test]
fn a_dated_policy_changes_what_it_names_and_keeps_the_rest() {
    let config = short_with(
        "[balances]\nopening_tokens = 100\nfailed_usage = \"count\"\n\
         [balances.expiry]\norder = \"priority\"\npriority = [\"trial_grant\"]\nafter = { trial_grant = \"1d\" }\n\
         [balances.rollover]\ntrial_grant = 5\n\
         [[balances.policy]]\nfrom = \"2026-01-01T01:00:00+01:00\"\nfloor = \"write_off\"\nopening_tokens = 0\n\
         [[balances.policy]]\nfrom = 2026-02-01\nrollover = {}\nexpiry = { order = \"fifo\", after = {} }\n",
    );
    let [ever, january, february] = &config.balances.policies[..] else { panic!("three policies") };
    assert_eq!((ever.from, ever.opening_tokens, ever.floor), (Instant::MIN, 100, Floor::Debt));
    assert_eq!(january.from, Instant(1_767_225_600_000_000));
    assert_eq!((january.opening_tokens, january.floor), (0, Floor::WriteOff));
    let kept = (january.count_failed_usage, january.expiry_order, &january.priority, &january.rollover);
    assert_eq!(kept, (true, ExpiryOrder::Priority, &ever.priority, &ever.rollover));
    assert_eq!(january.expiry_after["trial_grant"], Span(86_400_000_000));
    assert_eq!(february.from, Instant(1_769_904_000_000_000));
    assert_eq!((february.floor, february.expiry_order), (Floor::WriteOff, ExpiryOrder::Fifo));
    assert!(february.expiry_after.is_empty() && february.rollover.is_empty());
}

#[test]
fn another_encoding_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reckon.toml");
    let cases = [
        (
            b"as_of = \"x\"\n# f\xfcr\n".to_vec(),
            ":2:4: the byte 0xFC here is not UTF-8: save the file as UTF-8",
        ),
        (b"\xff\xfe[\0a\0]\0".to_vec(), ":1:1: the file is UTF-16: save it as UTF-8"),
    ];
    for (bytes, expected) in cases {
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(load(&file).unwrap_err().to_string(), format!("{}{expected}", file.display()));
    }
    // A mark of UTF-8 at the beginning says what is so anyway.
    std::fs::write(&file, format!("\u{feff}{SHORT}")).unwrap();
    load(&file).unwrap();
}
