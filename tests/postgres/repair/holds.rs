//! What a column does not hold as it is: amounts beyond `numeric(p,s)`, texts beyond their length, times that are
//! cut to days or digits.

use super::between::{Mended, USER};

const CONFIG: &str = r#"
[legacy]
table = "public.l"
id = "id"
user = "u"
action = "a"
amount = "n"
created_at = "t"
reference = ["ref"]

[legacy.actions]
g = "subscription_grant"
p = "token_pack_purchase"

[unified]
table = "public.m"
id = "id"
user = "u"
action = "a"
amount = "n"
created_at = "t"
link = "link"
reference = ["ref"]
grants = ["subscription_grant", "token_pack_purchase"]

[repair]
time = true
"#;

const COLUMNS: [(&str, &str); 7] = [
    ("id", "uuid primary key"),
    ("u", "uuid"),
    ("a", "text"),
    ("n", "int"),
    ("t", "timestamptz"),
    ("link", "text"),
    ("ref", "text"),
];

/// Both tables, one column of the unified one of another type; legacy rows that follow each other, of one user
/// each: label, amount, time, reference.
fn tables(column: &str, type_name: &str, rows: &[(&str, i64, &str, &str)]) -> String {
    let columns =
        COLUMNS.map(|(name, usual)| format!("{name} {}", if name == column { type_name } else { usual }));
    let rows = rows.iter().zip(1..).map(|((label, amount, at, reference), number)| {
        format!(
            "insert into l values ('10000000-0000-4000-8000-00000000000{number}', '{}{number}', '{label}', {amount}, '{at}', {reference});",
            &USER[..USER.len() - 1]
        )
    });
    format!(
        "create domain amount as numeric(3,0); create domain deeper as amount; create domain word as varchar(18);
         create table l (id uuid primary key, u text, a text, n bigint, t timestamptz, ref text);
         create table m ({});
         {}",
        columns.join(", "),
        rows.collect::<String>()
    )
}

/// Applies the backfill, which goes through, and answers how many rows there are and the comments.
fn backfilled(mended: &Mended) -> (String, String) {
    for _ in 0..2 {
        mended.applied("backfill");
    }
    mended.all_is_as_expected();
    let text = mended.text("backfill");
    let comments = text.split("-- To be looked at: nothing below is executed.\n").nth(1).unwrap_or_default();
    (mended.db.value("select count(*) from m"), comments.to_owned())
}

#[test]
fn a_row_that_a_column_does_not_hold_is_a_comment_and_the_others_are_inserted() {
    const AT: &str = "2026-05-01 10:00:00.123456Z";
    let amounts = [("g", 5_000, AT, "null"), ("g", 100, AT, "null")];
    let rounded = [("g", 70, AT, "null"), ("g", 100, AT, "null")];
    let references = [("p", 5, AT, "'pi_12345678'"), ("p", 5, AT, "'pi_1234567'"), ("g", 5, AT, "null")];
    let comma = [("p", 5, AT, "'no uuid'"), ("p", 5, AT, "'30000000-0000-4000-8000-000000000001'")];
    // column · its type · legacy rows · rows that are inserted · the comment
    let cases: [(&str, &str, &[_], &str, &str); 10] = [
        ("n", "numeric(3,0)", &amounts, "1", "5000 tokens do not fit the column n (numeric(3,0))"),
        ("n", "numeric(5,2)", &amounts, "1", "5000 tokens do not fit the column n (numeric(5,2))"),
        ("n", "deeper", &amounts, "1", "5000 tokens do not fit the column n (numeric(3,0))"),
        ("n", "numeric(4,-2)", &rounded, "1", "70 tokens do not fit the column n (numeric(4,-2))"),
        ("n", "varchar(3)", &amounts, "1", "5000 tokens do not fit the column n (character varying(3))"),
        ("n", "numeric", &amounts, "2", ""),
        (
            "ref",
            "varchar(10)",
            &references,
            "2",
            "pi_12345678 does not fit the column ref (character varying(10))",
        ),
        ("ref", "uuid", &comma, "1", "no uuid does not fit the column ref (uuid)"),
        (
            "link",
            "varchar(20)",
            &amounts,
            "0",
            "10000000-0000-4000-8000-000000000001 does not fit the column link (character varying(20))",
        ),
        (
            "u",
            "char(20)",
            &amounts,
            "0",
            "00000000-0000-4000-8000-0000000000a1 does not fit the column u (character(20))",
        ),
    ];
    for (column, type_name, rows, inserted, comment) in cases {
        let mended = Mended::with(&tables(column, type_name, rows), CONFIG);
        let (count, comments) = backfilled(&mended);
        assert_eq!(count, inserted, "{column} {type_name}: {comments}");
        assert!(comments.contains(comment), "{column} {type_name}: {comments}");
        assert_eq!(comments.is_empty(), comment.is_empty(), "{column} {type_name}: {comments}");
    }
}

#[test]
fn an_amount_that_the_column_does_not_hold_is_not_written_into_a_copy_either() {
    let mended = Mended::with(
        &format!(
            "{}insert into m select id, u::uuid, 'subscription_grant', 100, t, id from l;",
            tables(
                "n",
                "numeric(4,-2)",
                &[("g", 70, "2026-05-01Z", "null"), ("g", 300, "2026-05-01Z", "null")]
            )
        ),
        CONFIG,
    );
    mended.applied("repair");
    mended.all_is_as_expected();
    assert!(mended.text("repair").contains("70 tokens do not fit the column n (numeric(4,-2))"));
    assert_eq!(mended.db.value("select string_agg(n::text, ' ' order by n) from m"), "100 300");
}

#[test]
fn a_label_that_is_longer_than_the_column_withholds_the_file() {
    let rows = [("p", 5, "2026-05-01Z", "null")];
    for (type_name, shown) in [
        ("varchar(18)", "character varying(18)"),
        ("char(18)", "character(18)"),
        ("word", "character varying(18)"),
    ] {
        let mended = Mended::with(&tables("a", type_name, &rows), CONFIG);
        let error = mended.apply("backfill").expect_err("it stops");
        let reason = format!(
            "reckon: backfill.sql refuses: the column a is a {shown}, which does not hold token_pack_purchase"
        );
        assert!(error.contains(&reason), "{type_name}: {error}");
    }
    for type_name in ["varchar(19)", "char(19)", "varchar"] {
        let mended = Mended::with(&tables("a", type_name, &rows), CONFIG);
        assert_eq!(backfilled(&mended), ("1".to_owned(), String::new()), "{type_name}");
    }
}

#[test]
fn values_that_every_new_row_has_are_looked_at_too() {
    let rows = [("p", 5, "2026-05-01Z", "null")];
    let toml = CONFIG.replace("link = \"link\"", "link = \"link\"\nmigrated = \"mark\"")
        + "\n[backfill]\nvalues = { word = \"migration\" }\n";
    // length of the mark, of the word · what the file says
    for (mark, word, says) in [
        (8, 9, ""),
        (7, 9, "the column mark is a character varying(7), which does not hold public.l"),
        (8, 8, "the column word is a character varying(8), which does not hold migration"),
    ] {
        let further = format!("alter table m add mark varchar({mark}), add word varchar({word});");
        let mended = Mended::with(&(tables("", "", &rows) + &further), &toml);
        match says {
            "" => assert_eq!(backfilled(&mended).0, "1"),
            says => assert!(mended.apply("backfill").expect_err("it stops").contains(says)),
        }
    }
}

#[test]
fn a_time_that_the_column_does_not_hold_is_not_repaired_again_and_again() {
    // type of the column · tolerance · the copy · the comment; nothing: the row is repaired
    let cases = [
        (
            "date",
            "2s",
            "2026-05-01",
            "the column t (date) would say 2026-05-01T00:00:00.000000Z instead of 2026-05-01T10:00:00.123456Z",
        ),
        ("date", "2s", "2026-04-29", "the column t (date) would say 2026-05-01T00:00:00.000000Z instead of"),
        (
            "timestamp(0)",
            "0s",
            "2026-05-01 11:00",
            "the column t (timestamp(0) without time zone) would say 2026-05-01T10:00:00.000000Z instead of",
        ),
        ("timestamptz(3)", "1ms", "2026-05-01 11:00Z", ""),
        ("timestamptz(0)", "2s", "2026-05-01 11:00Z", ""),
        ("timestamptz", "0s", "2026-05-01 11:00Z", ""),
    ];
    for (type_name, tolerance, copy, comment) in cases {
        let toml = format!("{CONFIG}\n[matching]\ntolerance = \"{tolerance}\"\nwindow = \"96h\"\n");
        let sql = format!(
            "{}insert into m select id, u::uuid, 'subscription_grant', 100, '{copy}', id from l;",
            tables("t", type_name, &[("g", 100, "2026-05-01 10:00:00.123456Z", "null")])
        );
        let mended = Mended::with(&sql, &toml);
        let changed = i32::from(comment.is_empty());
        assert!(mended.text("repair").contains(comment), "{type_name}: {}", mended.text("repair"));
        assert!(mended.text("repair").contains(&format!("-- {changed} row")), "{}", mended.text("repair"));
        mended.applied("repair");
        mended.all_is_as_expected();
    }
}

#[test]
fn the_header_tells_that_times_of_new_rows_are_cut() {
    let rows = [("g", 5, "2026-05-01 10:00:00.123456Z", "null"), ("g", 5, "2026-05-01 00:00Z", "null")];
    for (type_name, says) in [
        (
            "date",
            "-- WARNING: the column t (date) does not hold the times of 1 new rows as they are: 1 of them will be time_mismatch in the next run.",
        ),
        (
            "timestamptz(3)",
            "-- WARNING: the column t (timestamp(3) with time zone) does not hold the times of 1 new rows as they are, but within tolerance.",
        ),
        ("timestamptz", ""),
    ] {
        let mended = Mended::with(&tables("t", type_name, &rows), CONFIG);
        let text = mended.text("backfill");
        assert!(text.contains(says), "{type_name}: {text}");
        assert_eq!(text.contains("does not hold the times"), !says.is_empty(), "{type_name}: {text}");
        assert_eq!(backfilled(&mended).0, "2");
        let summary = std::fs::read_to_string(mended.folder.join("summary.json")).unwrap();
        assert_eq!(summary.contains("does not hold the times"), type_name == "date", "{summary}");
    }
}
