//! Rows that came, or came to count, between a run and its `backfill.sql`, whatever they are called: what is
//! missing may have arrived with them.

use super::between::{LEGACY, Mended, USER};
use super::world::{CONFIG, SCHEMA};

const OTHER: &str = "00000000-0000-4000-8000-0000000000bb";

/// A missing purchase, rows that count for nothing, and a grant of another user that was copied.
fn before() -> String {
    format!(
        "insert into token_transactions values
           ('{LEGACY}', '{USER}', 'pack_purchase', 1000, '2026-01-05 10:00+00', 'pi_1'),
           ('10000000-0000-4000-8000-000000000002', '{OTHER}', 'admin_grant', 50, '2026-03-05 10:00+00', null),
           ('10000000-0000-4000-8000-000000000003', '{USER}', 'admin_grant', 60, '2026-04-05 10:00+00', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, success, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000001', '{USER}', 'token_pack_purchase', 'x', 1000, false, null, '2026-01-05 10:00+00'),
           ('20000000-0000-4000-8000-000000000002', '{USER}', 'trial_grant', 'x', 0, true, null, '2026-01-05 10:00+00'),
           ('20000000-0000-4000-8000-000000000003', '{OTHER}', 'token_pack_purchase', 'x', 1000, false, '{{\"payment_intent\": \"pi_1\"}}', '2026-01-05 10:00+00'),
           ('20000000-0000-4000-8000-000000000004', '{OTHER}', 'admin_grant', 'x', 50, true, '{{\"legacy_id\": \"10000000-0000-4000-8000-000000000002\"}}', '2026-03-05 10:00+00'),
           ('20000000-0000-4000-8000-000000000005', '{USER}', 'admin_grant', 'x', 60, true, '{{\"legacy_id\": \"10000000-0000-4000-8000-000000000003\"}}', '2026-04-05 10:00+00');"
    )
}

fn comes(user: &str, label: &str, success: bool, reference: &str) -> String {
    format!(
        "insert into token_usage (user_id, action_type, model_used, tokens_used, success, metadata, created_at) values
         ('{user}', '{label}', 'x', 1000, {success}, '{{\"payment_intent\": {reference}}}', '2026-01-05 10:00:01+00')"
    )
}

fn changes(row: u32, what: &str) -> String {
    format!("update token_usage set {what} where id = '20000000-0000-4000-8000-00000000000{row}'")
}

#[test]
fn a_row_that_may_be_the_missing_one_stops_the_backfill_whatever_it_is_called() {
    const OF_USER: &str = "appeared for user 00000000-0000-4000-8000-0000000000aa, action";
    const CARRIED: &str =
        "1 references of the rows to insert are carried by rows that the run has not seen: pi_1 by row";
    // what happens · what the file says; nothing: it goes through
    let cases = [
        (comes(USER, "admin_grant", true, "\"pi_1\""), format!("{OF_USER} admin_grant")),
        (comes(USER, "trial_grant", true, "null"), format!("{OF_USER} trial_grant")),
        (comes(USER, "token_pack_purchase", true, "null"), format!("{OF_USER} token_pack_purchase")),
        (changes(1, "success = true"), format!("{OF_USER} token_pack_purchase")),
        (changes(2, "tokens_used = 1000"), format!("{OF_USER} trial_grant")),
        (changes(5, "action_type = 'token_pack_purchase'"), format!("{OF_USER} token_pack_purchase")),
        (changes(5, &format!("user_id = '{OTHER}'")), String::new()),
        (changes(4, &format!("user_id = '{USER}'")), format!("{OF_USER} admin_grant")),
        (comes(OTHER, "token_pack_purchase", true, "\"pi_1\""), CARRIED.to_owned()),
        (comes(OTHER, "admin_grant", true, "\" pi_1 \""), CARRIED.to_owned()),
        (changes(3, "success = true"), CARRIED.to_owned()),
        (changes(4, "metadata = metadata || '{\"payment_intent\": \"pi_1\"}'"), CARRIED.to_owned()),
        (comes(OTHER, "token_pack_purchase", true, "\"pi_2\""), String::new()),
        (comes(OTHER, "token_pack_purchase", true, "null"), String::new()),
        (comes(OTHER, "chat", true, "\"pi_1\""), String::new()),
        (comes(USER, "chat", true, "null"), String::new()),
        (comes(USER, "admin_grant", false, "null"), String::new()),
        (changes(5, "success = false"), String::new()),
        (changes(5, "model_used = 'y'"), String::new()),
        (changes(5, "tokens_used = 61"), format!("{OF_USER} admin_grant")),
        (changes(5, "created_at = created_at + interval '1 second'"), format!("{OF_USER} admin_grant")),
        (changes(4, "tokens_used = 51"), String::new()),
    ];
    for (change, message) in cases {
        let mended = Mended::of(&before());
        mended.db.sql(&change);
        if message.is_empty() {
            mended.applied("backfill");
            mended.applied("backfill");
            mended.all_is_as_expected();
        } else {
            let error = mended.refused("backfill");
            assert!(error.contains(&message), "{change}: {error}");
        }
    }
}

#[test]
fn a_reference_that_the_run_knew_elsewhere_stops_nothing() {
    let rows = format!(
        "insert into token_transactions values
           ('{LEGACY}', '{USER}', 'pack_purchase', 1000, '2026-01-05 10:00+00', 'pi_1'),
           ('10000000-0000-4000-8000-000000000002', '{OTHER}', 'pack_purchase', 500, '2026-03-05 10:00+00', 'pi_1');
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000002', '{OTHER}', 'token_pack_purchase', 'x', 500, '{{\"payment_intent\": \"pi_1\"}}', '2026-03-05 10:00+00');"
    );
    // Ids of UUIDs, and of texts in which they stand in capitals.
    for ids in [
        "",
        "alter table token_usage alter id drop default, alter id type text; update token_usage set id = upper(id);",
    ] {
        let mended = Mended::with(&format!("{SCHEMA}{rows}{ids}"), CONFIG);
        assert!(mended.text("backfill").contains("('pi_1', '20000000-0000-4000-8000-000000000002')"));
        mended.applied("backfill");
        mended.applied("backfill");
        mended.all_is_as_expected();
        assert_eq!(mended.db.value("select count(*) from token_usage"), "2", "{ids}");
    }
}

#[test]
fn a_row_of_a_label_without_a_meaning_stops_the_backfill_where_the_run_would_have_looked_at_it() {
    const LATER: &str = "insert into token_usage (id, user_id, action_type, model_used, tokens_used, created_at) values
        ('20000000-0000-4000-8000-000000000009', '00000000-0000-4000-8000-0000000000aa', 'promo_grant', 'x', 1000, '2099-01-01');";
    let of_user = |label: &str| format!("appeared for user {USER}, action {label} by row");
    let carried = "carried by rows that the run has not seen: pi_1 by row".to_owned();
    let comes = |user: &str, label: &str, tokens: u32, reference: &str| {
        comes(user, label, true, reference).replace("1000", &tokens.to_string())
    };
    // labels of use · what comes · what the file says; nothing: it goes through
    let cases = [
        ("", comes(USER, "promo_grant", 1000, "null"), of_user("promo_grant")),
        ("", comes(USER, "Admin Grant", 1000, "null"), of_user("Admin Grant")),
        ("", comes(USER, "promo_grant", 999, "null"), String::new()),
        ("", comes(OTHER, "promo_grant", 1000, "null"), String::new()),
        ("", comes(OTHER, "promo_grant", 999, "\"pi_1\""), carried.clone()),
        ("", comes(USER, "chat", 1000, "\"pi_1\""), String::new()),
        ("usage = [\"image\"]", comes(USER, "chat", 1000, "null"), of_user("chat")),
        ("usage = [\"image\"]", comes(USER, "image", 1000, "\"pi_1\""), String::new()),
        ("usage = [\"image\"]", comes(OTHER, "chat", 5, "\"pi_1\""), carried),
        ("usage = []", comes(USER, "image", 1000, "null"), of_user("image")),
    ];
    for (usage, change, message) in cases {
        let toml = CONFIG.replace("deductions = [", &format!("{usage}\ndeductions = ["));
        let free = "alter table token_usage drop constraint token_usage_action_type_check;";
        let mended = Mended::with(&format!("{SCHEMA}{}{free}{LATER}", before()), &toml);
        mended.db.sql(&change);
        if message.is_empty() {
            mended.applied("backfill");
            mended.applied("backfill");
            mended.all_is_as_expected();
        } else {
            let error = mended.refused("backfill");
            assert!(error.contains(&message), "{usage} {change}: {error}");
        }
    }
}
