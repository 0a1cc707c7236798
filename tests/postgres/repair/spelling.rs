//! UUIDs in columns of text: the table may write them in capitals.

use super::between::Mended;
use super::world::CONFIG;

const USER: &str = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
const OTHER: &str = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12";

/// Tables with users, and perhaps ids, of text; two legacy rows of which one has a copy.
fn tables(id: &str, legacy_user: &str) -> String {
    format!(
        "create table token_transactions (id {id} primary key, user_id {legacy_user} not null, action_type text,
           tokens_used int, created_at timestamptz, stripe_payment_intent_id text);
         create table token_usage (id {id} primary key default gen_random_uuid(), user_id text not null,
           action_type text not null, model_used text not null, tokens_used int not null,
           success boolean not null default true, metadata jsonb, created_at timestamptz not null default now());
         insert into token_transactions values
           ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380B01', '{USER}', 'subscription_grant', 1000, '2026-01-05 10:00+00', null),
           ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380B02', '{USER}', 'subscription_grant', 500, '2026-02-05 10:00+00', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380C01', '{USER}', 'subscription_grant', 'x', 1000, '{{\"legacy_id\": \"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380B01\"}}', '2026-01-05 10:00+00');"
    )
}

fn users(mended: &Mended) -> Vec<String> {
    mended.db.query("select distinct user_id from token_usage order by 1").into_iter().flatten().collect()
}

#[test]
fn a_new_row_names_its_user_as_the_other_rows_do() {
    for (id, legacy_user) in [("uuid", "uuid"), ("uuid", "text"), ("text", "text")] {
        let sql =
            tables(id, legacy_user).replace("default gen_random_uuid()", "default gen_random_uuid()::text");
        let sql = if id == "uuid" { tables(id, legacy_user) } else { sql };
        let mended = Mended::with(&sql, CONFIG);
        let before = mended.db.digest("token_usage");
        for _ in 0..2 {
            mended.applied("backfill");
            assert_eq!(users(&mended), [USER]);
            assert_eq!(mended.db.value("select count(*) from token_usage"), "2");
        }
        mended.all_is_as_expected();
        mended.applied("undo");
        assert_eq!(mended.db.digest("token_usage"), before);
    }
}

#[test]
fn a_row_of_the_application_is_seen_however_it_writes_the_user() {
    for user in [USER.to_owned(), USER.to_lowercase()] {
        let mended = Mended::with(&tables("uuid", "uuid"), CONFIG);
        mended.db.sql(&format!(
            "insert into token_usage (user_id, action_type, model_used, tokens_used, created_at)
             values ('{user}', 'subscription_grant', 'app', 500, '2026-02-05 10:00+00')"
        ));
        let error = mended.refused("backfill");
        assert!(error.contains("appeared for user"), "{error}");
    }
}

#[test]
fn where_the_table_writes_a_user_in_two_ways_the_legacy_row_decides() {
    let sql = format!(
        "{}insert into token_usage (user_id, action_type, model_used, tokens_used) values (lower('{USER}'), 'chat', 'x', 1);
         insert into token_transactions values ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380B03', '{OTHER}', 'subscription_grant', 7, '2026-03-05 10:00+00', null);",
        tables("uuid", "text")
    );
    let mended = Mended::with(&sql, CONFIG);
    mended.applied("backfill");
    let found = mended
        .db
        .query("select user_id from token_usage where model_used = 'migration' order by tokens_used");
    assert_eq!(found, [[OTHER], [USER]]);
}

#[test]
fn a_user_of_whom_nobody_knows_how_it_is_written_is_left_to_a_person() {
    let toml = CONFIG.replace("table = \"public.token_transactions\"", "path = \"legacy.csv\"");
    let csv = format!(
        "id,user_id,action_type,tokens_used,created_at,stripe_payment_intent_id\n\
         10000000-0000-4000-8000-000000000001,{USER},subscription_grant,500,2026-02-05T10:00:00Z,\n\
         10000000-0000-4000-8000-000000000002,{OTHER},subscription_grant,500,2026-02-05T10:00:00Z,\n"
    );
    let sql = format!("{}drop table token_transactions;", tables("uuid", "text"));
    let mended = Mended::beside(&sql, &toml, &csv);
    let reason = format!(
        "legacy=10000000-0000-4000-8000-000000000002: it cannot be told in which case of letters the user {} is written here",
        OTHER.to_lowercase()
    );
    assert!(mended.text("backfill").contains(&reason), "{}", mended.text("backfill"));
    mended.applied("backfill");
    assert_eq!(users(&mended), [USER]);
}

#[test]
fn ids_in_capitals_are_found() {
    let sql = format!(
        "{}update token_usage set tokens_used = 10;
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at)
         select 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380C02', user_id, action_type, 'x', 1000, metadata, created_at from token_usage;
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at)
         select 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380C03', user_id, action_type, 'x', 1000, metadata, created_at from token_usage
          where tokens_used = 1000;
         insert into token_transactions values ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380B04', '{USER}', 'trial_grant', 70, '2026-04-05 10:00+00', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at)
         values ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380C04', '{USER}', 'trial_grant', 'x', 7, '{{\"legacy_id\": \"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380B04\"}}', '2026-04-05 10:00+00');",
        tables("text", "text").replace("default gen_random_uuid()", "default gen_random_uuid()::text")
    );
    let mended = Mended::with(&sql, CONFIG);
    let before = mended.db.digest("token_usage");
    for _ in 0..2 {
        ["dedupe", "repair", "backfill"].iter().for_each(|file| mended.applied(file));
    }
    assert_eq!(
        mended
            .db
            .query("select right(id, 3), tokens_used from token_usage where model_used = 'x' order by 1")[..],
        [["C01", "10"], ["C02", "1000"], ["C04", "70"]]
    );
    mended.all_is_as_expected();
    mended.applied("undo");
    assert_eq!(mended.db.digest("token_usage"), before);
}
