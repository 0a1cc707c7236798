//! Partitions and heirs of the unified table: what hangs on them acts on its rows too.

use super::between::{LEGACY, Mended, USER};
use super::world::CONFIG;

/// A partitioned table, or one with an heir, in whose part for 2026 a legacy row and its copy twice.
fn tables(is_partitioned: bool) -> String {
    let columns = "id uuid not null default gen_random_uuid(), user_id uuid not null, action_type text not null,
        model_used text not null, tokens_used int not null, success boolean not null default true, metadata jsonb,
        created_at timestamptz not null default now()";
    let table = if is_partitioned {
        format!(
            "create table token_usage ({columns}, primary key (id, created_at)) partition by range (created_at);
             create table of_2025 partition of token_usage for values from ('2025-01-01') to ('2026-01-01');
             create table of_2026 partition of token_usage for values from ('2026-01-01') to ('2027-01-01');"
        )
    } else {
        format!(
            "create table token_usage ({columns}, primary key (id));
             create table of_2026 (of_its_own text, primary key (id, created_at)) inherits (token_usage);"
        )
    };
    format!(
        "create table token_transactions (id uuid primary key, user_id uuid not null, action_type text, tokens_used int,
           created_at timestamptz, stripe_payment_intent_id text);
         {table}
         insert into token_transactions values ('{LEGACY}', '{USER}', 'subscription_grant', 1000, '2026-01-05 10:00+00', null);
         insert into of_2026 (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000001', '{USER}', 'subscription_grant', 'x', 1000, '{{\"legacy_id\": \"{LEGACY}\"}}', '2026-01-05 10:00+00'),
           ('20000000-0000-4000-8000-000000000002', '{USER}', 'subscription_grant', 'x', 1000, '{{\"legacy_id\": \"{LEGACY}\"}}', '2026-01-05 10:00:01+00');"
    )
}

#[test]
fn a_foreign_key_on_a_part_of_the_table_is_seen() {
    for target in ["of_2026", "token_usage"] {
        let lines = format!(
            "create table invoice_lines (usage_id uuid, usage_at timestamptz,
               foreign key (usage_id, usage_at) references {target} (id, created_at) on delete cascade);
             insert into invoice_lines values ('20000000-0000-4000-8000-000000000002', '2026-01-05 10:00:01+00');"
        );
        let mended = Mended::with(&format!("{}{lines}", tables(true)), CONFIG);
        let warning = "of public.invoice_lines acts when a row is deleted here";
        let text = mended.text("dedupe");
        assert_eq!(text.matches(warning).count(), 1, "{target}: {text}");
        let error = mended.refused("dedupe");
        assert!(error.contains("would change 1 rows of invoice_lines"), "{target}: {error}");
        mended.db.sql("delete from invoice_lines");
        mended.applied("dedupe");
        assert_eq!(mended.db.value("select count(*) from token_usage"), "1");
    }
}

#[test]
fn a_row_that_stands_in_an_heir_is_not_removed() {
    let mended = Mended::with(&tables(false), CONFIG);
    let error = mended.refused("dedupe");
    assert!(error.contains("public.of_2026 inherits from public.token_usage"), "{error}");
    // The run knew of no heir.
    let apart = format!("{}alter table of_2026 no inherit token_usage;", tables(false));
    let copies = "insert into token_usage select id, user_id, action_type, model_used, tokens_used, success, metadata, created_at from of_2026;";
    let mended = Mended::with(&format!("{apart}{copies}"), CONFIG);
    mended.db.sql("delete from token_usage where id::text like '%02'; delete from of_2026 where id::text like '%01'; alter table of_2026 inherit token_usage");
    let error = mended.refused("dedupe");
    assert!(error.contains("1 extra rows stand in heirs of token_usage: of_2026"), "{error}");
    mended.db.sql("alter table of_2026 no inherit token_usage; insert into token_usage select id, user_id, action_type, model_used, tokens_used, success, metadata, created_at from of_2026");
    mended.applied("dedupe");
}

#[test]
fn a_trigger_of_a_partition_is_seen_before_and_when_the_file_runs() {
    const TRIGGER: &str =
        "create function keep() returns trigger language plpgsql as 'begin return new; end';
        create trigger keep after insert on of_2026 for each row execute function keep();";
    let missing = format!("{}truncate token_usage;", tables(true));
    let mended = Mended::with(&format!("{missing}{TRIGGER}"), CONFIG);
    let error = mended.refused("backfill");
    let reason = "the trigger keep on public.of_2026 calls public.keep on INSERT of public.token_usage";
    assert!(error.contains(reason), "{error}");
    let mended = Mended::with(&missing, CONFIG);
    mended.db.sql(TRIGGER);
    let error = mended.refused("backfill");
    assert!(error.contains("a trigger acts on INSERT of public.token_usage: keep"), "{error}");
    // One that the table hands down is told once.
    let whole = TRIGGER.replace("of_2026", "token_usage");
    let mended = Mended::with(&format!("{missing}{whole}"), CONFIG);
    assert_eq!(mended.text("backfill").matches("-- Why: the trigger keep").count(), 1);
    // Rows that are inserted here do not go to heirs.
    let mended = Mended::with(&format!("{}truncate token_usage;{TRIGGER}", tables(false)), CONFIG);
    mended.applied("backfill");
}
