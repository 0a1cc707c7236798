//! The files on the real tables: applied, applied again, after a change, undone.

use reckon::domain::{Class, RepairKind, Verdict};

use super::world::{World, text};

const USER: &str = "00000000-0000-4000-8000-0000000000aa";
const OTHER: &str = "00000000-0000-4000-8000-0000000000bb";

/// Legacy l1…l5, unified: u2 with a wrong amount, u3 with a wrong action, u4 right, u5 its copy, u6
/// paid for under another label, u7 for a person.
fn rows() -> String {
    format!(
        "insert into token_transactions values
           ('10000000-0000-4000-8000-000000000001', '{USER}', 'renewal_grant', -1500, '2026-01-05 10:00:00.123456+00', null),
           ('10000000-0000-4000-8000-000000000002', '{USER}', 'subscription_grant', 200, '2026-01-06 10:00:00+00', null),
           ('10000000-0000-4000-8000-000000000003', '{USER}', 'trial_grant', 300, '2026-01-07 10:00:00+00', null),
           ('10000000-0000-4000-8000-000000000004', '{USER}', 'subscription_grant', 400, '2026-01-08 10:00:00+00', null),
           ('10000000-0000-4000-8000-000000000005', '{OTHER}', 'pack_purchase', 500, '2026-01-09 10:00:00+00', 'pi_5');
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('20000000-0000-4000-8000-000000000002', '{USER}', 'subscription_grant', 'gpt', 20, '{{\"legacy_id\": \"10000000-0000-4000-8000-000000000002\"}}', '2026-01-06 10:00:00.5+00'),
           ('20000000-0000-4000-8000-000000000003', '{USER}', 'admin_grant', 'gpt', 300, null, '2026-01-07 10:00:00+00'),
           ('20000000-0000-4000-8000-000000000004', '{USER}', 'subscription_grant', 'gpt', 400, '{{\"legacy_id\": \"10000000-0000-4000-8000-000000000004\"}}', '2026-01-08 10:00:00+00'),
           ('20000000-0000-4000-8000-000000000005', '{USER}', 'subscription_grant', 'gpt', 400, '{{\"a\": 1.50}}', '2026-01-08 10:00:03+00'),
           ('20000000-0000-4000-8000-000000000006', '{USER}', 'admin_grant', 'gpt', 600, '{{\"payment_intent\": \"pi_6\"}}', '2026-01-10 10:00:00+00'),
           ('20000000-0000-4000-8000-000000000007', '{OTHER}', 'trial_grant', 'gpt', 700, '{{\"legacy_id\": \"gone\"}}', '2026-01-11 10:00:00+00');"
    )
}

fn world(name: &str) -> World {
    let mut world = World::new(name, &rows());
    world.unmigrated("10000000-0000-4000-8000-000000000001");
    world.unmigrated("10000000-0000-4000-8000-000000000005");
    world
        .update(
            Class::AmountMismatch,
            "10000000-0000-4000-8000-000000000002",
            "20000000-0000-4000-8000-000000000002",
        )
        .tokens_effect = Some(180);
    world.update(
        Class::ActionMismatch,
        "10000000-0000-4000-8000-000000000003",
        "20000000-0000-4000-8000-000000000003",
    );
    world.duplicate("20000000-0000-4000-8000-000000000005");
    world.finding(Class::Orphan, RepairKind::Review, &[], &["20000000-0000-4000-8000-000000000007"]);
    world
        .finding(
            Class::MislabelledPurchase,
            RepairKind::Update,
            &[],
            &["20000000-0000-4000-8000-000000000006"],
        )
        .action_expected = Some("token_pack_purchase".to_owned());
    world
}

const ALL: [&str; 3] = ["backfill", "repair", "dedupe"];

#[test]
fn the_files_do_what_the_findings_say() {
    let world = world("repair_all");
    let files = world.files();
    assert!(world.verify(&files).iter().any(|row| row[3] == "f"), "not as planned before");
    for name in ALL {
        world.applied(&files, name);
    }
    let found = world.db.query(
        "select user_id, action_type, tokens_used, model_used, success, created_at at time zone 'UTC', metadata \
         from token_usage where model_used = 'migration' order by created_at",
    );
    assert_eq!(
        found,
        [
            [
                USER,
                "subscription_grant",
                "1500",
                "migration",
                "t",
                "2026-01-05 10:00:00.123456",
                r#"{"legacy_id": "10000000-0000-4000-8000-000000000001", "migrated_from": "public.token_transactions"}"#
            ],
            [
                OTHER,
                "token_pack_purchase",
                "500",
                "migration",
                "t",
                "2026-01-09 10:00:00",
                r#"{"legacy_id": "10000000-0000-4000-8000-000000000005", "migrated_from": "public.token_transactions", "payment_intent": "pi_5"}"#
            ]
        ]
    );
    let found =
        world.db.query("select right(id::text, 1), action_type, tokens_used from token_usage where model_used = 'gpt' order by id");
    assert_eq!(
        found,
        [
            ["2", "subscription_grant", "200"],
            ["3", "trial_grant", "300"],
            ["4", "subscription_grant", "400"],
            ["6", "token_pack_purchase", "600"],
            ["7", "trial_grant", "700"]
        ]
    );
    world.all_is_as_expected(&files);
}

#[test]
fn a_second_run_changes_nothing_in_any_order() {
    for (name, order) in [("repair_abc", [0, 1, 2]), ("repair_cba", [2, 1, 0]), ("repair_bac", [1, 0, 2])] {
        let world = world(name);
        let files = world.files();
        order.iter().for_each(|at| world.applied(&files, ALL[*at]));
        let (table, journal) = (world.db.digest("token_usage"), world.db.digest("reckon_journal.entries"));
        order.iter().rev().for_each(|at| world.applied(&files, ALL[*at]));
        assert_eq!(world.db.digest("token_usage"), table);
        assert_eq!(world.db.digest("reckon_journal.entries"), journal);
        world.all_is_as_expected(&files);
    }
}

#[test]
fn undo_puts_every_row_back_as_it_was_and_a_second_undo_does_nothing() {
    let world = world("repair_undo");
    let files = world.files();
    let before = world.db.digest("token_usage");
    for _ in 0..2 {
        ALL.iter().for_each(|name| world.applied(&files, name));
        assert_ne!(world.db.digest("token_usage"), before);
        world.applied(&files, "undo");
        assert_eq!(world.db.digest("token_usage"), before);
        world.applied(&files, "undo");
        assert_eq!(world.db.digest("token_usage"), before);
    }
}

#[test]
fn undo_takes_back_what_was_done_so_far() {
    let world = world("repair_undo_part");
    let files = world.files();
    let before = world.db.digest("token_usage");
    world.applied(&files, "undo");
    world.applied(&files, "dedupe");
    world.applied(&files, "undo");
    assert_eq!(world.db.digest("token_usage"), before);
}

#[test]
fn undo_stops_when_a_row_was_edited_since() {
    let edits = [
        (
            "repair_edit_i",
            "update token_usage set tokens_used = 1 where model_used = 'migration' and tokens_used = 500",
        ),
        (
            "repair_edit_u",
            "update token_usage set metadata = metadata || '{\"seen\": true}' where tokens_used = 200",
        ),
        (
            "repair_edit_d",
            "insert into token_usage select '20000000-0000-4000-8000-000000000005', user_id, action_type, model_used, 1 from token_usage where tokens_used = 700",
        ),
        ("repair_edit_g", "delete from token_usage where model_used = 'migration'"),
    ];
    for (name, edit) in edits {
        let world = world(name);
        let files = world.files();
        ALL.iter().for_each(|name| world.applied(&files, name));
        world.db.sql(edit);
        let error = world.refused(&files, "undo", "token_usage");
        assert!(error.contains("edited since"), "{error}");
    }
}

/// What happens between run and file: what happened · which file stops · what it says
const BETWEEN: [(&str, &str, &str); 17] = [
    (
        "update token_transactions set tokens_used = -1501 where tokens_used = -1500",
        "backfill",
        "legacy rows changed or vanished",
    ),
    (
        "update token_transactions set created_at = created_at + interval '1 microsecond' where tokens_used = -1500",
        "backfill",
        "legacy rows changed or vanished",
    ),
    (
        "update token_transactions set created_at = null where tokens_used = -1500",
        "backfill",
        "legacy rows changed or vanished",
    ),
    (
        "update token_transactions set action_type = 'trial_grant' where tokens_used = 500",
        "backfill",
        "legacy rows changed or vanished",
    ),
    (
        "update token_transactions set user_id = gen_random_uuid() where tokens_used = 500",
        "backfill",
        "legacy rows changed or vanished",
    ),
    ("delete from token_transactions where tokens_used = 500", "backfill", "legacy rows changed or vanished"),
    ("drop table token_transactions", "backfill", "does not exist"),
    (
        "update token_transactions set tokens_used = 201 where tokens_used = 200",
        "repair",
        "legacy rows changed or vanished",
    ),
    (
        "insert into token_usage select gen_random_uuid(), user_id, 'subscription_grant', 'gpt', 1500 from token_usage where tokens_used = 20",
        "backfill",
        "appeared for user",
    ),
    (
        "update token_usage set id = gen_random_uuid() where tokens_used = 400 and metadata ? 'legacy_id'",
        "backfill",
        "appeared for user",
    ),
    ("update token_usage set tokens_used = 21 where tokens_used = 20", "repair", "changed or vanished"),
    (
        "update token_usage set created_at = created_at + interval '1 microsecond' where tokens_used = 300",
        "repair",
        "changed or vanished",
    ),
    ("delete from token_usage where tokens_used = 600", "repair", "changed or vanished"),
    (
        "update token_usage set action_type = 'trial_grant' where id = '20000000-0000-4000-8000-000000000005'",
        "dedupe",
        "extra rows changed or vanished",
    ),
    (
        "delete from token_usage where id = '20000000-0000-4000-8000-000000000005'",
        "dedupe",
        "extra rows changed or vanished",
    ),
    (
        "delete from token_usage where id = '20000000-0000-4000-8000-000000000004'",
        "dedupe",
        "should stay changed or vanished",
    ),
    (
        "update token_usage set tokens_used = 0 where id = '20000000-0000-4000-8000-000000000004'",
        "dedupe",
        "should stay changed or vanished",
    ),
];

#[test]
fn a_row_that_changed_in_between_stops_the_file_with_nothing_changed() {
    for (event, name, message) in BETWEEN {
        let world = world("repair_between");
        let files = world.files();
        world.db.sql(event);
        let error = world.refused(&files, name, "token_usage");
        assert!(error.contains(message), "{event}: {error}");
    }
}

#[test]
fn what_others_do_elsewhere_does_not_stop_a_backfill() {
    let events = [
        "insert into token_usage select gen_random_uuid(), user_id, 'chat', 'gpt', 15 from token_usage where tokens_used = 20",
        "insert into token_usage select gen_random_uuid(), gen_random_uuid(), 'subscription_grant', 'gpt', 15",
        "delete from token_usage where tokens_used = 400 and metadata ? 'legacy_id'",
    ];
    for event in events {
        let world = world("repair_elsewhere");
        let files = world.files();
        world.db.sql(event);
        world.applied(&files, "backfill");
    }
}

#[test]
fn a_row_of_the_same_id_with_other_content_stops_the_backfill() {
    let world = world("repair_clash");
    let files = world.files();
    world.applied(&files, "backfill");
    world.db.sql("update token_usage set tokens_used = 1 where tokens_used = 1500");
    let error = world.refused(&files, "backfill", "token_usage");
    assert!(error.contains("are there already with other content"), "{error}");
}

#[test]
fn without_stopping_at_errors_nothing_is_changed_either() {
    let world = world("repair_no_stop");
    let files = world.files();
    world.db.sql("delete from token_transactions where tokens_used = 500");
    let before = world.db.digest("token_usage");
    let script = format!("\\set ON_ERROR_STOP 0\n{}", text(&files, "backfill"));
    world.db.try_sql(&script).unwrap();
    assert_eq!(world.db.digest("token_usage"), before);
}

#[test]
fn contested_waived_and_reviewed_findings_are_comments() {
    let mut world = World::new("repair_comments", &rows());
    world.unmigrated("10000000-0000-4000-8000-000000000001").verdict = Verdict::Contested;
    world.unmigrated("10000000-0000-4000-8000-000000000005").status = reckon::domain::Status::Waived;
    world
        .finding(Class::Duplicate, RepairKind::Review, &[], &["20000000-0000-4000-8000-000000000005"])
        .evidence = "two\nlines */ delete from token_usage; --".to_owned();
    let files = world.files();
    assert!(files.iter().all(|file| file.rows == 0 || file.name == "verify.sql"));
    let before = world.db.digest("token_usage");
    for name in ["backfill", "repair", "dedupe", "undo"] {
        world.applied(&files, name);
    }
    assert_eq!(world.db.digest("token_usage"), before);
    assert!(
        text(&files, "backfill").contains(
            "-- 0000000000000000 unmigrated legacy=10000000-0000-4000-8000-000000000001: contested"
        )
    );
    assert!(
        text(&files, "backfill")
            .contains("-- 0000000000000001 unmigrated legacy=10000000-0000-4000-8000-000000000005: waived")
    );
    assert!(text(&files, "dedupe").contains(": two lines * / delete from token_usage; --\n"));
    world.all_is_as_expected(&files);
}

#[test]
fn the_same_input_makes_the_same_bytes() {
    let world = world("repair_bytes");
    assert_eq!(world.files(), world.files());
}

#[test]
fn the_journal_is_closed_to_others() {
    let world = world("repair_journal");
    let files = world.files();
    world.applied(&files, "repair");
    world.db.sql("drop role if exists reckon_nobody; create role reckon_nobody");
    let error = world.db.try_sql("set role reckon_nobody; select * from reckon_journal.entries").unwrap_err();
    assert!(error.contains("permission denied for schema reckon_journal"), "{error}");
    let security =
        world.db.value("select relrowsecurity from pg_class where oid = 'reckon_journal.entries'::regclass");
    assert_eq!(security, "t");
}

#[test]
fn a_file_is_one_text_that_a_web_editor_can_run() {
    let world = world("repair_editor");
    let files = world.files();
    let before = world.db.digest("token_usage");
    for name in ALL {
        // One message with all statements, as editors send it.
        world.db.query(text(&files, name));
    }
    world.all_is_as_expected(&files);
    world.db.query(text(&files, "undo"));
    assert_eq!(world.db.digest("token_usage"), before);
}

/// Number, second and metadata of rows.
type Others<'a> = &'a [(u32, u32, &'a str)];

#[test]
fn the_row_that_stays_is_the_linked_one_then_the_referenced_then_the_nearest() {
    let row = |number: u32, second: u32, metadata: &str| {
        format!(
            "insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
             ('20000000-0000-4000-8000-00000000000{number}', '{USER}', 'trial_grant', 'gpt', 5, {metadata}, '2026-01-01 00:00:{second:02}+00');"
        )
    };
    let linked = "'{\"legacy_id\": \"10000000-0000-4000-8000-000000000009\"}'";
    let paid = "'{\"payment_intent\": \"pi\"}'";
    let extra = "'{\"legacy_id\": \"10000000-0000-4000-8000-000000000009\", \"payment_intent\": \"pi\"}'";
    // other rows (number, second, metadata) · the one that stays
    let cases: [(Others<'_>, Option<char>); 5] = [
        (&[(1, 40, linked), (2, 31, paid), (3, 30, "null")], Some('1')),
        (&[(2, 40, paid), (3, 30, "null")], Some('2')),
        (&[(3, 28, "null"), (4, 31, "null")], Some('4')),
        (&[(4, 31, "null"), (3, 29, "null")], Some('3')),
        (&[], None),
    ];
    for (others, expected) in cases {
        let rows: String =
            others.iter().map(|(number, second, metadata)| row(*number, *second, metadata)).collect();
        let mut world = World::new("repair_kept", &(rows + &row(7, 30, extra)));
        world.duplicate("20000000-0000-4000-8000-000000000007");
        let plan = world.plan().unwrap();
        let kept = plan.changes.first().and_then(|change| change.kept.as_ref());
        assert_eq!(kept.and_then(|kept| kept.id.to_string().pop()), expected, "{others:?}");
        assert_eq!(plan.reviews.len(), usize::from(expected.is_none()));
    }
}

#[test]
fn a_row_that_the_table_cannot_hold_is_left_to_a_person() {
    let rows = format!(
        "alter table token_transactions alter tokens_used type bigint;
         insert into token_transactions values
           ('10000000-0000-4000-8000-000000000001', '{USER}', 'admin_grant', 3000000000, '2026-01-05Z', null),
           ('10000000-0000-4000-8000-000000000002', '{USER}', 'admin_grant', 1, '10001-01-01Z', null),
           ('10000000-0000-4000-8000-000000000003', '{USER}', 'admin_deduct', 7, '2026-01-05Z', null);"
    );
    let mut world = World::new("repair_fits", &rows);
    for number in 1..=3 {
        world.unmigrated(&format!("10000000-0000-4000-8000-00000000000{number}"));
    }
    let plan = world.plan().unwrap();
    let reasons: Vec<&str> = plan.reviews.iter().map(|review| review.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "3000000000 tokens do not fit the column tokens_used (integer)",
            "+10001-01-01T00:00:00.000000Z lies outside the years 1 to 9999"
        ]
    );
    assert_eq!(plan.changes[0].effect_tokens, -7, "a deduction takes");
    let files = world.files();
    world.applied(&files, "backfill");
    world.all_is_as_expected(&files);
}

#[test]
fn a_copy_that_was_changed_later_is_left_to_a_person() {
    let world = world("repair_changed_copy");
    world.applied(&world.files(), "backfill");
    world.db.sql("update token_usage set tokens_used = 1 where tokens_used = 1500");
    let mut next = World::over(world);
    next.unmigrated("10000000-0000-4000-8000-000000000001");
    let plan = next.plan().unwrap();
    assert!(plan.changes.is_empty());
    assert!(plan.reviews[0].reason.ends_with("is there already, with other content"));
}

#[test]
fn times_are_set_and_a_stored_sign_is_kept() {
    let rows = format!(
        "insert into token_transactions values
           ('10000000-0000-4000-8000-000000000001', '{USER}', 'admin_grant', 100, '2026-01-05 00:00:00.000001Z', null),
           ('10000000-0000-4000-8000-000000000002', '{USER}', 'admin_grant', 200, '2026-01-06Z', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, created_at) values
           ('20000000-0000-4000-8000-000000000001', '{USER}', 'admin_grant', 'gpt', 100, '2026-01-05 05:00Z'),
           ('20000000-0000-4000-8000-000000000002', '{USER}', 'admin_grant', 'gpt', -20, '2026-01-06Z');"
    );
    let mut world = World::new("repair_time", &rows);
    let (first, second) = ("10000000-0000-4000-8000-000000000001", "10000000-0000-4000-8000-000000000002");
    world.update(Class::TimeMismatch, first, "20000000-0000-4000-8000-000000000001");
    world.update(Class::AmountMismatch, second, "20000000-0000-4000-8000-000000000002");
    let files = world.files();
    world.applied(&files, "repair");
    let found =
        world.db.query("select tokens_used, created_at at time zone 'UTC' from token_usage order by id");
    assert_eq!(found, [["100", "2026-01-05 00:00:00.000001"], ["-200", "2026-01-06 00:00:00"]]);
    world.all_is_as_expected(&files);
}
