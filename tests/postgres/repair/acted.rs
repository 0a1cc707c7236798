//! What acts beside the files: triggers that change what is written, rules, and people who put rows back.

use reckon::domain::{Class, RepairKind};

use super::world::{CONFIG, LEGACY_QUERY, SCHEMA, UNIFIED_QUERY, World, text};

const USER: &str = "00000000-0000-4000-8000-0000000000aa";
const MISSING: &str = "10000000-0000-4000-8000-000000000001";
const COPIED: &str = "10000000-0000-4000-8000-000000000002";
const KEPT: &str = "20000000-0000-4000-8000-000000000001";
const EXTRA: &str = "20000000-0000-4000-8000-000000000002";
const WRONG: &str = "20000000-0000-4000-8000-000000000003";

/// A legacy row without a copy, one that was copied twice, and a row of a wrong amount.
fn world(name: &str, allowed: bool) -> World {
    let rows = format!(
        "insert into token_transactions values
           ('{MISSING}', '{USER}', 'admin_grant', 100, '2026-01-05Z', null),
           ('{COPIED}', '{USER}', 'admin_grant', 200, '2026-02-05Z', null),
           ('10000000-0000-4000-8000-000000000003', '{USER}', 'admin_grant', 300, '2026-03-05Z', null);
         insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('{KEPT}', '{USER}', 'admin_grant', 'x', 200, '{{\"legacy_id\": \"{COPIED}\"}}', '2026-02-05Z'),
           ('{EXTRA}', '{USER}', 'admin_grant', 'x', 200, '{{\"legacy_id\": \"{COPIED}\"}}', '2026-02-05Z'),
           ('{WRONG}', '{USER}', 'admin_grant', 'x', 3, '{{\"legacy_id\": \"10000000-0000-4000-8000-000000000003\"}}', '2026-03-05Z');"
    );
    let toml =
        if allowed { format!("{CONFIG}\n[repair]\nallow_triggers = true\n") } else { CONFIG.to_owned() };
    let mut world = World::of(name, SCHEMA, &rows, &toml, LEGACY_QUERY, UNIFIED_QUERY);
    planned(&mut world);
    world
}

/// What a run finds in it.
fn planned(world: &mut World) {
    world.unmigrated(MISSING);
    world.finding(Class::Duplicate, RepairKind::Dedupe, &[COPIED], &[EXTRA]);
    world.update(Class::AmountMismatch, "10000000-0000-4000-8000-000000000003", WRONG);
}

fn trigger(when: &str, body: &str) -> String {
    format!(
        "create function act() returns trigger language plpgsql as $$ begin {body} return new; end $$;
         create trigger acts {when} on token_usage for each row execute function act();"
    )
}

#[test]
fn a_trigger_that_changes_what_is_written_stops_the_file() {
    for (name, event, body, message) in [
        (
            "backfill",
            "insert",
            "new.tokens_used := 1;",
            "a trigger changed what was written for 1 legacy rows: 1000",
        ),
        (
            "backfill",
            "insert",
            "new.id := gen_random_uuid();",
            "a trigger changed what was written for 1 legacy",
        ),
        ("repair", "update", "new.tokens_used := 1;", "a trigger changed what was written for 1 rows: 2000"),
    ] {
        let world = world("acted_written", true);
        let files = world.files();
        world.db.sql(&trigger(&format!("before {event}"), body));
        let error = world.refused(&files, name, "token_usage");
        assert!(error.contains(message), "{name} {body}: {error}");
        world.db.sql("drop trigger acts on token_usage");
        world.applied(&files, name);
    }
    // After the statement too, and nobody minds a column that reckon does not write.
    let world = world("acted_after", true);
    let files = world.files();
    world.db.sql(&trigger("after insert", "update token_usage set tokens_used = 1 where id = new.id;"));
    let error = world.refused(&files, "backfill", "token_usage");
    assert!(error.contains("a trigger changed what was written"), "{error}");
    world.db.sql("drop trigger acts on token_usage; drop function act();");
    world.db.sql(&trigger("before insert", "new.metadata := new.metadata || '{\"seen\": true}';"));
    world.applied(&files, "backfill");
}

#[test]
fn undo_stops_where_a_trigger_changes_what_comes_back() {
    for (name, event) in [("dedupe", "insert"), ("repair", "update")] {
        let world = world("acted_undone", true);
        let files = world.files();
        world.applied(&files, name);
        world.db.sql(&trigger(&format!("before {event}"), "new.tokens_used := 1;"));
        let error = world.refused(&files, "undo", "token_usage");
        assert!(error.contains("a trigger changed 1 rows while they were put back: 2000"), "{name}: {error}");
        // A mark of its own, which reckon does not read, is told and stays.
        world.db.sql("drop trigger acts on token_usage; drop function act();");
        world.db.sql(&trigger(&format!("before {event}"), "new.model_used := 'marked';"));
        world.applied(&files, "undo");
        assert_eq!(world.db.value("select count(*) from token_usage where model_used = 'marked'"), "1");
    }
}

#[test]
fn a_trigger_on_insert_stops_what_removes_rows_with_the_promise_to_put_them_back() {
    let on_insert = trigger("after insert", "");
    // It is seen beforehand, or when the file runs.
    for before in [true, false] {
        let mut world = world("acted_removed", false);
        world.facts = before;
        let files = if before {
            world.db.sql(&on_insert);
            world.files()
        } else {
            let files = world.files();
            world.db.sql(&on_insert);
            files
        };
        let error = world.refused(&files, "dedupe", "token_usage");
        let message = match before {
            true => "undo.sql, which puts removed rows back, would fire it for each of them",
            false => "a trigger acts on INSERT of public.token_usage, by which undo.sql puts rows back: acts",
        };
        assert!(error.contains(message), "{error}");
        world.applied(&files, "repair");
    }
    // One that comes between the file and its undo.
    let world = world("acted_came", false);
    let files = world.files();
    world.applied(&files, "dedupe");
    world.db.sql(&on_insert);
    let error = world.refused(&files, "undo", "token_usage");
    assert!(
        error.contains("a trigger acts on INSERT of public.token_usage, by which rows would come back"),
        "{error}"
    );
}

#[test]
fn triggers_that_only_undo_would_fire_are_named_in_the_headers() {
    let mut world = world("acted_named", true);
    world.db.sql(&trigger("after insert or update or delete", ""));
    world.facts = true;
    let files = world.files();
    for (name, events) in [
        ("backfill", ["INSERT", "DELETE"]),
        ("repair", ["UPDATE", "UPDATE"]),
        ("dedupe", ["DELETE", "INSERT"]),
    ] {
        for event in events {
            let warning = format!("-- WARNING: the trigger acts calls act on {event} of public.token_usage");
            assert!(text(&files, name).contains(&warning), "{name} {event}");
        }
        world.applied(&files, name);
    }
    world.applied(&files, "undo");
}

#[test]
fn a_rule_stops_every_file_and_says_the_way_out() {
    let world = world("acted_rule", false);
    let files = world.files();
    for rule in [
        "create rule beside as on insert to token_usage do also select 1",
        "create rule beside as on delete to token_usage do instead nothing",
        "create rule beside as on update to token_usage do also notify noticed",
    ] {
        world.db.sql(rule);
        for name in ["backfill", "repair", "dedupe", "undo"] {
            let error = world.refused(&files, name, "token_usage");
            assert!(error.contains("a rule acts on public.token_usage: beside"), "{name}: {error}");
            assert!(error.contains("disable rule"), "{name}: {error}");
        }
        world.db.sql("alter table token_usage disable rule beside");
        let error = world.apply(&files, "verify");
        assert!(error.is_ok(), "{error:?}");
        world.db.sql("drop rule beside on token_usage");
    }
    for name in ["backfill", "repair", "dedupe", "undo"] {
        world.applied(&files, name);
    }
}

#[test]
fn what_somebody_did_between_two_files_of_one_plan_is_not_lost() {
    // The extra row comes back by hand, as it was or not quite, and the same plan removes it again.
    let world = world("acted_twice", false);
    let files = world.files();
    world.applied(&files, "dedupe");
    world.db.sql(&format!(
        "insert into token_usage (id, user_id, action_type, model_used, tokens_used, metadata, created_at) values
           ('{EXTRA}', '{USER}', 'admin_grant', 'by hand', 200, '{{\"legacy_id\": \"{COPIED}\"}}', '2026-02-05Z')"
    ));
    world.applied(&files, "dedupe");
    let error = world.refused(&files, "undo", "token_usage");
    assert!(
        error.contains(&format!(
            "1 rows were changed by somebody else between two files of this plan: {EXTRA}"
        )),
        "{error}"
    );

    // A row that was repaired is put back, edited, and repaired again.
    let world = self::world("acted_again", false);
    let files = world.files();
    world.applied(&files, "repair");
    world
        .db
        .sql(&format!("update token_usage set tokens_used = 3, model_used = 'edited' where id = '{WRONG}'"));
    world.applied(&files, "repair");
    let error = world.refused(&files, "undo", "token_usage");
    assert!(error.contains("changed by somebody else between two files of this plan"), "{error}");

    // Two files of a plan that change one row follow each other, and are taken back.
    let world = self::world("acted_in_turn", false);
    let files = world.files();
    let before = world.db.digest("token_usage");
    for name in ["backfill", "repair", "dedupe", "repair", "undo"] {
        world.applied(&files, name);
    }
    assert_eq!(world.db.digest("token_usage"), before);
}
