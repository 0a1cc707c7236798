//! Tables of many rows, and users of many.

use super::between::{LEGACY, Mended, USER};
use super::world::{CONFIG, SCHEMA};

/// A missing purchase, and much use that says nothing of it.
fn much_use(rows: u32) -> String {
    format!(
        "insert into token_transactions values ('{LEGACY}', '{USER}', 'pack_purchase', 1000, '2026-01-05 10:00+00', 'pi_1');
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata)
         select md5(n::text)::uuid, '{USER}', 'chat', 'x', n, jsonb_build_object('session', n)
           from generate_series(1, {rows}) as n;"
    )
}

#[test]
fn a_backfill_looks_once_at_a_table_and_sorts_nothing_of_it() {
    const LOOK: &str = "create temporary table reckon_near on commit drop as\n";
    for analyzed in ["", "analyze token_usage;"] {
        let mended = Mended::of(&much_use(50_000));
        mended.db.sql(analyzed);
        let text = mended.text("backfill");
        let (before, after) = text.split_once(LOOK).expect("one look");
        let (look, _) = after.split_once(";\n").expect("its end");
        let plan = mended.db.try_sql(&format!("{before}\nexplain (costs off)\n{look};\nrollback;")).unwrap();
        assert_eq!(plan.matches("Scan on token_usage").count(), 1, "{plan}");
        assert_eq!(
            plan.matches("Seq Scan on reckon_").count(),
            plan.matches("hashed SubPlan").count(),
            "{plan}"
        );
        assert!(plan.contains("hashed SubPlan"), "{plan}");
        assert!(!plan.contains("Merge") && !plan.contains("Sort"), "{plan}");
        let after = text.split_once("create temporary table reckon_near").unwrap().1;
        assert!(!after.contains("from public.token_usage as u\n       cross"), "no second look");
        mended.applied("backfill");
        mended.applied("backfill");
        mended.all_is_as_expected();
    }
}

#[test]
fn of_a_user_of_very_many_rows_those_count_that_the_server_counts() {
    let rows = format!(
        "alter table token_usage alter created_at drop not null, alter success drop default, alter success type text,
           alter success set default 'true';
         insert into token_transactions values
           ('{LEGACY}', '{USER}', 'pack_purchase', 1000, '2026-01-05 10:00+00', 'pi_1');
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, success, created_at)
         select md5(n::text)::uuid, '{USER}', 'admin_grant', 'x', 7, 'true', timestamptz '2020-01-01' + n * interval '1 hour'
           from generate_series(1, 4200) as n;
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, success, created_at) values
           ('20000000-0000-4000-8000-000000000001', '{USER}', 'trial_grant', 'x', 0, 'true', null),
           ('20000000-0000-4000-8000-000000000002', '{USER}', 'trial_grant', 'x', 5, 'maybe', '2026-01-05 10:00+00'),
           ('20000000-0000-4000-8000-000000000003', '{USER}', 'trial_grant', 'x', 6, 'false', null),
           ('20000000-0000-4000-8000-000000000004', '{USER}', 'trial_grant', 'x', 8, 'yes', null);"
    );
    let mended = Mended::with(&format!("{SCHEMA}{rows}"), CONFIG);
    assert!(mended.text("backfill").contains("-- 1 row; 1,000 tokens."), "{}", mended.text("backfill"));
    for change in ["success = 'true' where success = 'maybe'", "tokens_used = 8 where md5('17')::uuid = id"] {
        mended.db.sql(&format!(
            "begin; create table kept as table token_usage; update token_usage set {change}; commit;"
        ));
        let error = mended.refused("backfill");
        assert!(error.contains("appeared for user"), "{change}: {error}");
        mended.db.sql("truncate token_usage; insert into token_usage table kept; drop table kept;");
    }
    mended.applied("backfill");
    mended.applied("backfill");
    mended.all_is_as_expected();
}

#[test]
fn amounts_of_a_column_of_reals_are_compared_as_reals() {
    for kind in ["real", "double precision", "numeric(12, 2)"] {
        let rows = format!(
            "alter table token_usage alter tokens_used type {kind};
             insert into token_transactions values
               ('{LEGACY}', '{USER}', 'pack_purchase', 1234567, '2026-01-05 10:00+00', 'pi_1'),
               ('10000000-0000-4000-8000-000000000002', '{USER}', 'admin_grant', 7654321, '2026-03-05 10:00+00', null);
             insert into token_usage (user_id, action_type, model_used, tokens_used, metadata, created_at) values
               ('{USER}', 'admin_grant', 'x', 7654321, '{{\"legacy_id\": \"10000000-0000-4000-8000-000000000002\"}}', '2026-03-05 10:00+00'),
               ('{USER}', 'trial_grant', 'x', 7654321, null, '2026-03-05 10:00+00');"
        );
        let mended = Mended::of(&rows);
        mended.applied("backfill");
        mended.applied("backfill");
        mended.all_is_as_expected();
        let sum = mended.db.value("select sum(tokens_used::float8)::bigint from token_usage");
        assert_eq!(sum, "16543209", "{kind}");
    }
}
