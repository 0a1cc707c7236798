//! What the schema refuses for one row and not for another is said in the header, and by the file as far as it
//! can.

use super::between::{LEGACY, Mended, USER};
use super::images;
use super::world::{CONFIG, SCHEMA};

const OTHER: &str = "00000000-0000-4000-8000-0000000000bb";

fn missing(further: &str) -> String {
    format!(
        "{SCHEMA}insert into token_transactions values
           ('{LEGACY}', '{USER}', 'subscription_grant', 1000, '2026-01-05 10:00+00', null),
           ('10000000-0000-4000-8000-000000000002', '{OTHER}', 'subscription_grant', 500, '2026-01-05 10:00+00', null);
         {further}"
    )
}

#[test]
fn a_user_that_a_foreign_key_does_not_find_is_named() {
    let further = format!(
        "create table users (id uuid primary key); insert into users values ('{OTHER}');
         alter table token_usage add foreign key (user_id) references users;"
    );
    let mended = Mended::with(&missing(&further), CONFIG);
    let warning = "-- WARNING: the constraint token_usage_user_id_fkey looks at other rows";
    assert!(mended.text("backfill").contains(warning), "{}", mended.text("backfill"));
    let error = mended.refused("backfill");
    let message = format!(
        "the foreign key token_usage_user_id_fkey finds nothing in users for 1 of the rows to insert: {USER}"
    );
    assert!(error.contains(&message), "{error}");
    mended.db.sql(&format!("insert into users values ('{USER}')"));
    mended.applied("backfill");
    mended.all_is_as_expected();
}

#[test]
fn what_may_stop_a_file_for_one_row_is_said_in_its_header() {
    // what the table has · which file · the warning
    let unique = "alter table token_usage add no int unique; create unique index one_each on token_usage (user_id, created_at, action_type);";
    let warning = "-- WARNING: the index one_each is unique: one row that it refuses stops the whole file (CREATE UNIQUE INDEX";
    let mended = Mended::with(&missing(unique), CONFIG);
    let text = mended.text("backfill");
    assert_eq!((text.matches(warning).count(), text.matches("is unique").count()), (1, 1), "{text}");
    let amounts = "create unique index amounts on token_usage (user_id, tokens_used, created_at);
         create unique index labels on token_usage (user_id, action_type, created_at);
         create table lines (usage_id uuid references token_usage);";
    let mended = Mended::with(&images::tables(amounts), CONFIG);
    let text = mended.text("repair");
    assert!(text.contains("the index amounts is unique") && !text.contains("the index labels"), "{text}");
    let text = mended.text("dedupe");
    assert!(
        text.contains("-- WARNING: the foreign key lines_usage_id_fkey of public.lines keeps each row"),
        "{text}"
    );
    // The summary does not repeat them every night.
    let summary = std::fs::read_to_string(mended.folder.join("summary.json")).unwrap();
    assert!(!summary.contains("lines_usage_id_fkey"), "{summary}");
}

#[test]
fn a_partitioned_table_may_have_no_place_for_a_row() {
    let further = "alter table token_usage rename to t0;
        create table token_usage (like t0 including defaults) partition by range (created_at);
        create table of_2025 partition of token_usage for values from ('2025-01-01') to ('2026-01-01');";
    let text = Mended::with(&missing(further), CONFIG).text("backfill");
    assert!(
        text.contains("-- WARNING: public.token_usage is partitioned by RANGE (created_at): one row"),
        "{text}"
    );
}

#[test]
fn the_header_says_which_rights_a_role_needs() {
    let sql =
        missing("").replace("id uuid primary key default gen_random_uuid()", "id bigserial primary key");
    let text = Mended::with(&sql, CONFIG).text("backfill");
    assert!(text.contains(" on public.token_usage, usage on the sequence of id; "), "{text}");
    assert!(
        text.contains("the schema reckon_journal, which later files use as the role that made it"),
        "{text}"
    );
}

#[test]
fn a_check_that_may_refuse_a_row_is_said_in_the_header() {
    // the constraint · is it named by backfill.sql · by repair.sql, which changes amounts
    let cases = [
        ("check (tokens_used <= 100000)", true, true),
        ("check (created_at < '2027-01-01')", true, false),
        ("check (metadata ->> 'note' is distinct from 'x')", true, false),
        ("check (action_type <> 'usage' or tokens_used < 0)", false, false),
        ("check (action_type <> 'subscription_grant' or tokens_used > 0)", false, true),
        ("check (action_type = any (array['subscription_grant', 'chat', 'admin_grant']))", false, false),
    ];
    for (constraint, in_backfill, in_repair) in cases {
        let further = format!("alter table token_usage add constraint mine {constraint};");
        let warning = "-- WARNING: the constraint mine checks each row: one row that it refuses stops the whole file (CHECK (";
        let told = "it could not be told whether the constraint mine admits subscription_grant";
        for (sql, file, is_named) in
            [(missing(&further), "backfill", in_backfill), (images::tables(&further), "repair", in_repair)]
        {
            let text = Mended::with(&sql, CONFIG).text(file);
            assert_eq!(text.contains(warning), is_named, "{constraint} in {file}: {text}");
            let says_both = text.contains(warning) && text.contains(told);
            assert!(!says_both, "{constraint} in {file}: {text}");
        }
    }
}
