//! Columns of kinds that a mapping rarely meets: generated ones, texts of times and amounts, flags that are no
//! booleans, domains, ids that are missing.

use super::between::{LEGACY, Mended, USER};
use super::images;
use super::world::{CONFIG, SCHEMA};

/// A legacy row without a copy.
fn missing(further: &str) -> String {
    format!(
        "{SCHEMA}insert into token_transactions values ('{LEGACY}', '{USER}', 'subscription_grant', 1000, '2026-01-05 10:00+00', null);
         {further}"
    )
}

/// Inserts, looks, takes back.
fn backfilled(mended: &Mended, case: &str) {
    let before = mended.db.digest("token_usage");
    for _ in 0..2 {
        mended.applied("backfill");
        assert_eq!(
            mended.db.value("select count(*) from token_usage where tokens_used = '1000'"),
            "1",
            "{case}"
        );
    }
    mended.all_is_as_expected();
    mended.applied("undo");
    assert_eq!(mended.db.digest("token_usage"), before, "{case}");
}

#[test]
fn a_success_that_the_server_works_out_is_left_to_it_if_it_means_yes() {
    for (good, says) in
        [("<> 'bad'", ""), ("= 'good'", "1 new rows do not count as succeeded: see the column success")]
    {
        let mended = Mended::with(
            &missing(&format!(
                "alter table token_usage drop column success, add success boolean generated always as (model_used {good}) stored;"
            )),
            CONFIG,
        );
        if says.is_empty() {
            backfilled(&mended, good);
        } else {
            let error = mended.refused("backfill");
            assert!(error.contains(says), "{error}");
        }
    }
}

#[test]
fn another_field_that_the_server_works_out_withholds_the_backfill_alone() {
    let toml = CONFIG.replace("\"metadata.legacy_id\"", "\"legacy_id\"");
    let sql = images::tables(
        "alter table token_usage add legacy_id text generated always as (metadata ->> 'legacy_id') stored;
         insert into token_transactions select '10000000-0000-4000-8000-000000000002', user_id, 'trial_grant', 5, created_at, null from token_transactions;",
    );
    let mended = Mended::with(&sql, &toml);
    let error = mended.refused("backfill");
    assert!(
        error.contains("column legacy_id of public.token_usage, the link of [unified], is generated"),
        "{error}"
    );
    ["repair", "dedupe"].iter().for_each(|file| mended.applied(file));
    mended.all_is_as_expected();
}

#[test]
fn a_new_row_says_that_it_succeeded_as_the_column_does() {
    const UNKNOWN: &str = "it cannot be told how it says that a row succeeded";
    // type of the column · what stands there, or that the file refuses
    let cases = [
        ("smallint not null default 1", "1"),
        ("numeric(1,0)", "1"),
        ("double precision", "1"),
        ("bit(1) not null", "1"),
        ("text default 'yes'", "yes"),
        ("varchar(3) not null default 'yes'", "yes"),
        ("\"char\" default 'Y'", "Y"),
        ("text not null check (success in ('y', 'failed'))", "y"),
        ("one_yes", "yes"),
        ("two_yes not null", UNKNOWN),
        ("two_yes default 'on'", "on"),
        ("text", UNKNOWN),
        ("varchar(3) not null", UNKNOWN),
    ];
    for (column, expected) in cases {
        let sql = missing(&format!(
            "create type one_yes as enum ('yes', 'failed'); create type two_yes as enum ('yes', 'on', 'failed');
             alter table token_usage drop column success, add success {column};"
        ));
        let mended = Mended::with(&sql, CONFIG);
        if expected == UNKNOWN {
            let error = mended.refused("backfill");
            assert!(error.contains(expected), "{column}: {error}");
            let toml = CONFIG.replace("\"migration\" }", "\"migration\", success = \"yes\" }");
            backfilled(&Mended::with(&sql, &toml), column);
        } else {
            mended.applied("backfill");
            assert_eq!(mended.db.value("select success from token_usage"), expected, "{column}");
            mended.applied("undo");
            backfilled(&mended, column);
        }
    }
}

const ISO: &str = "to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

#[test]
fn times_and_amounts_of_legacy_rows_may_be_texts() {
    let text = format!(
        "alter table token_transactions alter created_at type text using {ISO}, alter tokens_used type text using tokens_used || '.00';
         insert into token_transactions values ('10000000-0000-4000-8000-000000000009', null, 'trial_grant', 'many', 'some day', null);"
    );
    let nullable = "alter table token_transactions alter user_id drop not null;";
    backfilled(&Mended::with(&missing(&format!("{nullable}{text}")), CONFIG), "backfill");
    let mended = Mended::with(&images::tables(&format!("{nullable}{text}")), CONFIG);
    mended.applied("repair");
    mended.db.sql("update token_transactions set tokens_used = '1001.00' where tokens_used = '1000.00'");
    let error = mended.refused("repair");
    assert!(error.contains("legacy rows changed or vanished"), "{error}");
}

#[test]
fn times_that_are_texts_are_compared_but_not_written() {
    let text = format!(
        "alter table token_usage alter created_at drop default, alter created_at type text using {ISO};
         insert into token_transactions select '10000000-0000-4000-8000-000000000002', user_id, 'trial_grant', 5, created_at, null from token_transactions;"
    );
    let mended = Mended::with(&images::tables(&text), CONFIG);
    let before = mended.db.digest("token_usage");
    let error = mended.refused("backfill");
    assert!(error.contains("column created_at of public.token_usage is a text"), "{error}");
    for _ in 0..2 {
        ["repair", "dedupe"].iter().for_each(|file| mended.applied(file));
    }
    mended.all_is_as_expected();
    mended.applied("undo");
    assert_eq!(mended.db.digest("token_usage"), before);
}

#[test]
fn amounts_that_are_texts_are_written_where_they_are_plain_digits() {
    let text = |form: &str| {
        format!(
            "alter table token_usage alter tokens_used type text using tokens_used || '{form}';
             insert into token_transactions select '10000000-0000-4000-8000-000000000002', user_id, 'trial_grant', 5, created_at, null from token_transactions;"
        )
    };
    let mended = Mended::with(&images::tables(&text(".00")), CONFIG);
    for file in ["backfill", "repair"] {
        let error = mended.refused(file);
        assert!(
            error.contains("write their amount in another form than plain digits: 2000"),
            "{file}: {error}"
        );
    }
    mended.applied("dedupe");
    let mended = Mended::with(&images::tables(&text("")), CONFIG);
    let before = mended.db.digest("token_usage");
    for _ in 0..2 {
        ["backfill", "repair", "dedupe"].iter().for_each(|file| mended.applied(file));
    }
    assert_eq!(
        mended.db.value("select string_agg(tokens_used, ' ' order by tokens_used) from token_usage"),
        "1000 5"
    );
    mended.all_is_as_expected();
    mended.applied("undo");
    assert_eq!(mended.db.digest("token_usage"), before);
}

#[test]
fn a_domain_is_the_type_under_it_with_default_and_checks() {
    let sql = missing(
        "create domain uid as uuid; create domain uid2 as uid; create domain tok as int check (value >= 0); create domain lab as text check (value <> 'x');
         create domain moment as timestamptz; create domain doc as jsonb; create domain yes as boolean default true; create domain note as text default 'none';
         alter table token_usage alter id drop default, alter id type uid2, alter user_id type uid, alter tokens_used type tok,
           alter action_type type lab, alter created_at type moment, alter metadata type doc, alter success type yes, add remark note not null;",
    );
    let mended = Mended::with(&sql, CONFIG);
    let warning = "the constraint tok_check of the domain tok checks the column tokens_used";
    assert!(mended.text("backfill").contains(warning), "{}", mended.text("backfill"));
    backfilled(&mended, "domains");
    let sql = missing(
        "create domain lab as text check (value in ('chat', 'admin_grant')); alter table token_usage alter action_type type lab;",
    );
    let error = Mended::with(&sql, CONFIG).refused("backfill");
    assert!(error.contains("the constraint lab_check of lab refuses subscription_grant"), "{error}");
}

#[test]
fn rows_without_an_id_are_known_too() {
    let free = "alter table token_usage drop constraint token_usage_pkey, alter id drop not null;";
    let row = |id: &str, tokens: u32| {
        format!(
            "insert into token_usage (id, user_id, action_type, model_used, tokens_used, created_at) values
             ({id}, '{USER}', 'subscription_grant', 'x', {tokens}, '2025-01-01Z');"
        )
    };
    let text = "alter table token_usage alter id drop default, alter id type text, alter id set default gen_random_uuid()::text;";
    for (kind, id) in [("", "null"), (text, "null"), (text, "''"), (text, "' '")] {
        let mended = Mended::with(&missing(&format!("{free}{kind}{}", row(id, 7))), CONFIG);
        backfilled(&mended, &format!("{kind}{id}"));
        mended.db.sql(&row(id, 8));
        let error = mended.refused("backfill");
        assert!(error.contains("appeared for user"), "{kind}{id}: {error}");
    }
}
