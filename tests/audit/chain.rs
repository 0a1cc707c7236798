//! Two years of months: each opens with what the one before closed with, whatever happened to its rows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::pack::{Pack, audit, ended};
use super::world::{Row, World, days, month_name};

const MONTHS: usize = 24;

fn make(folder: &Path, month: usize, more: &[&str]) -> (i32, String) {
    let (from, to) = days(month);
    let args = [&["--from", &from, "--to", &to], more].concat();
    ended(&audit(folder, &args))
}

fn pack(folder: &Path, month: usize) -> Pack {
    let (from, to) = days(month);
    Pack(folder.join("packs").join(format!("{from}_{to}")))
}

/// Sum of the effects of rows, by hand.
fn sum<'r>(rows: impl Iterator<Item = &'r Row>) -> i128 {
    rows.map(Row::effect).sum()
}

#[test]
fn two_years_of_months_chain_and_late_arrivals_are_adjustments() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let world = World::new(MONTHS, true);
    let mut closed: Option<(i128, BTreeMap<String, i128>)> = None;
    let mut adjusted_months = 0;
    for month in 0..MONTHS {
        world.write(folder, month, "");
        let (code, stderr) = make(folder, month, &[]);
        assert!(code < 2, "{}: {stderr}", month_name(month));
        let pack = pack(folder, month);
        let (opening, closing) = pack.ends();
        let dated = |row: &&Row| row.at.0 <= month && row.is_there(month);
        assert_eq!(closing, sum(world.rows.iter().filter(dated)), "{} closes", month_name(month));
        if let Some((last, users)) = &closed {
            assert_eq!(opening, *last, "{} opens", month_name(month));
            assert_eq!(not_zero(&pack, "opening"), *users, "{} opens by user", month_name(month));
        }
        let changed = changes(&world, month);
        let listed = pack.csv("adjustments.csv");
        let unified: i128 = listed.sum("effect");
        assert_eq!(unified, changed, "{} adjusts", month_name(month));
        let mut kinds = listed.rows.iter().map(|row| listed.cell(row, "change"));
        assert!(kinds.all(|kind| kind != "policy"), "every change is a row or a day");
        assert_eq!(pack.balances("adjustment").values().sum::<i128>(), changed);
        assert_eq!(pack.balances("unattributed").values().map(|tokens| tokens.abs()).sum::<i128>(), 0);
        adjusted_months += usize::from(!listed.rows.is_empty());
        closed = Some((closing, not_zero(&pack, "closing")));
    }
    assert!(adjusted_months > MONTHS / 2, "the world changes its past often: {adjusted_months}");
}

/// What changed, since the pack of the month before, in rows dated before this month.
fn changes(world: &World, month: usize) -> i128 {
    let Some(before) = month.checked_sub(1) else { return 0 };
    let old = |row: &&Row| row.at.0 <= before;
    let now = sum(world.rows.iter().filter(old).filter(|row| row.is_there(month)));
    now - sum(world.rows.iter().filter(old).filter(|row| row.is_there(before)))
}

#[test]
fn late_rows_are_listed_by_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut world = World::new(5, false);
    let grants: Vec<usize> =
        (0..world.rows.len()).filter(|&at| world.rows[at].is_grant() && world.rows[at].at.0 < 4).collect();
    let [late, gone, altered, other_user] = grants[..4] else { panic!("four grants before May") };
    world.rows[late].arrives = 4;
    world.write(folder, 3, "");
    assert!(make(folder, 3, &[]).0 < 2);
    world.rows[gone].vanishes = Some(4);
    world.rows[altered].tokens += 7;
    world.rows[other_user].user = "somebody else".to_owned();
    world.write(folder, 4, "");
    assert!(make(folder, 4, &[]).0 < 2);
    let pack = pack(folder, 4);
    let listed = pack.csv("adjustments.csv");
    let shown: Vec<(String, String, i128)> = listed
        .rows
        .iter()
        .filter(|row| listed.cell(row, "table") == "unified")
        .map(|row| {
            let cell = |column| listed.cell(row, column).to_owned();
            (cell("row_id"), cell("change"), listed.number(row, "effect"))
        })
        .collect();
    let row = |at: usize| &world.rows[at];
    let mut expected = vec![
        (row(late).id.clone(), "new".to_owned(), row(late).effect()),
        (row(gone).id.clone(), "deleted".to_owned(), -row(gone).effect()),
        (row(altered).id.clone(), "changed".to_owned(), 7),
        (row(other_user).id.clone(), "changed_from".to_owned(), -row(other_user).effect()),
        (row(other_user).id.clone(), "changed_to".to_owned(), row(other_user).effect()),
    ];
    let mut shown = shown;
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    let adjusted = pack.balances("adjustment");
    assert_eq!(adjusted["somebody else"], row(other_user).effect());
}

/// A column of the balances without users who have nothing: some come in the course of the period.
fn not_zero(pack: &Pack, column: &str) -> BTreeMap<String, i128> {
    pack.balances(column).into_iter().filter(|(_, tokens)| *tokens != 0).collect()
}

#[test]
fn policies_move_balances_and_the_months_still_meet() {
    let policies = "[balances]\nopening_tokens = 100\nfailed_usage = \"count\"\nfloor = \"clamp\"\n\
                    reset_actions = [\"subscription_grant\"]\n\
                    [balances.expiry]\nafter = { trial_grant = \"45d\", token_pack_purchase = \"90d\" }";
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let world = World::new(MONTHS, false);
    world.write(folder, MONTHS, policies);
    let config = fs::read_to_string(folder.join("reckon.toml")).unwrap();
    fs::write(folder.join("alone.toml"), config.replace("\"packs\"", "\"no packs\"")).unwrap();
    let mut closed = None;
    let mut moved = BTreeMap::<String, i128>::new();
    for month in 0..MONTHS {
        // Each stands alone: what it opens with is computed, not read.
        let out = format!("alone/{month}/pack");
        let (code, stderr) = make(folder, month, &["--out", &out, "--config", "alone.toml"]);
        assert!(code < 2, "{}: {stderr}", month_name(month));
        let alone = Pack(folder.join(&out));
        assert_eq!(make(folder, month, &[]), (code, String::new()), "the chained one ends the same");
        let chained = pack(folder, month);
        for pack in [&alone, &chained] {
            let (opening, closing) = pack.ends();
            let (openings, closings) = (not_zero(pack, "opening"), not_zero(pack, "closing"));
            assert_eq!(openings.values().sum::<i128>(), opening);
            assert_eq!(closings.values().sum::<i128>(), closing);
            if let Some((last, users)) = &closed {
                assert_eq!((&opening, &openings), (last, users), "{}", month_name(month));
            }
        }
        assert!(chained.csv("adjustments.csv").rows.is_empty(), "nothing changed in {}", month_name(month));
        for row in &alone.csv("roll_forward.csv").rows {
            if row[0] == "period" {
                *moved.entry(row[1].clone()).or_default() += row[6].parse::<i128>().unwrap().abs();
            }
        }
        closed = Some((alone.ends().1, not_zero(&alone, "closing")));
    }
    for movement in ["grant", "usage", "failed_usage", "opening_tokens", "expired", "reset", "clamped"] {
        assert!(moved.get(movement).is_some_and(|tokens| *tokens > 0), "{movement} moves something");
    }
    assert_eq!(moved.get("unattributed"), None);
}

#[test]
fn a_sealed_pack_is_compared_and_never_changed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut world = World::new(3, false);
    world.write(folder, 0, "");
    let first = make(folder, 0, &[]);
    assert_eq!(first.0, 0, "{}", first.1);
    let january = pack(folder, 0);
    let bytes = |pack: &Pack| fs::read(pack.0.join("manifest.json")).unwrap();
    let sealed = bytes(&january);
    assert_eq!(make(folder, 0, &[]).0, 0, "the same again is the same");
    world.write(folder, 2, "");
    let (code, stderr) = make(folder, 0, &[]);
    assert_eq!(code, 0, "what comes after the period, users and all, changes nothing: {stderr}");
    world.rows[0].tokens += 1;
    world.write(folder, 2, "");
    let (code, stderr) = make(folder, 0, &[]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("is sealed") && stderr.contains("balances.csv") && stderr.contains("--out"),
        "{stderr}"
    );
    assert_eq!(bytes(&january), sealed);
    assert_eq!(make(folder, 0, &["--out", "elsewhere/january"]).0, 0, "it may be written elsewhere");
    let left: Vec<_> =
        fs::read_dir(folder.join("packs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 1, "nothing half-written stays: {left:?}");

    fs::write(january.0.join("balances.csv"), "user_id,closing,closing_paid\nu1,5,0\n").unwrap();
    let (code, stderr) = make(folder, 1, &[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("balances.csv was changed after its pack was sealed"), "{stderr}");
    let (code, stderr) = make(folder, 2, &["--previous", "elsewhere/january"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("ends on 2024-01-31") && stderr.contains("begins on 2024-03-01"), "{stderr}");
    assert_eq!(make(folder, 1, &["--previous", "elsewhere/january", "--out", "elsewhere/february"]).0, 0);
}

#[test]
fn a_damaged_pack_is_an_error_and_no_new_beginning() {
    type Change = fn(&str) -> String;
    let cases: [(Change, &str); 6] = [
        (|manifest| manifest[..manifest.len() / 2].to_owned(), "manifest.json: EOF while parsing"),
        (|manifest| manifest.replace("reckon.audit/1", "reckon.audit/2"), "its schema is \"reckon.audit/2\""),
        (|manifest| manifest.replace("reckon.audit/1", "reckon.manifest/1"), "its schema is"),
        (|manifest| manifest.replace("\"redacted\"", "\"redactd\""), "missing field `redacted`"),
        (|manifest| manifest.replace("2024-01-31", "2024-01-30"), "is that of 2024-01-01_2024-01-30"),
        (|_| String::new(), "manifest.json: "),
    ];
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    World::new(2, false).write(folder, 1, "");
    assert_eq!(make(folder, 0, &[]).0, 0);
    let january = pack(folder, 0).0;
    let unlike = folder.join("packs/january");
    let manifest = fs::read_to_string(january.join("manifest.json")).unwrap();
    for (change, expected) in cases {
        let damaged = change(&manifest);
        assert_ne!(damaged, manifest, "{expected}");
        fs::write(january.join("manifest.json"), damaged).unwrap();
        for month in [0, 1] {
            let (code, stderr) = make(folder, month, &[]);
            assert_eq!(code, 2, "{expected}: {stderr}");
            assert!(stderr.contains("packs/2024-01-01_2024-01-31 is or was an audit pack"), "{stderr}");
            assert!(stderr.contains(expected) && stderr.contains("--previous"), "{expected}: {stderr}");
        }
        assert!(!pack(folder, 1).0.exists(), "{expected}");
    }
    fs::remove_file(january.join("manifest.json")).unwrap();
    for (at, name) in [(&january, "2024-01-01_2024-01-31"), (&unlike, "january")] {
        if !at.exists() {
            fs::rename(&january, at).unwrap();
        }
        let (code, stderr) = make(folder, 1, &[]);
        assert_eq!(code, 2, "{name}: {stderr}");
        assert!(stderr.contains(&format!("{name} is or was an audit pack")), "{stderr}");
    }
    fs::write(unlike.join("manifest.json"), manifest).unwrap();
    // What is beside the packs and none is left alone.
    fs::create_dir_all(folder.join("packs/2023-12-01_2023-12-31")).unwrap();
    fs::create_dir_all(folder.join("packs/notes")).unwrap();
    fs::write(folder.join("packs/notes/usage.csv"), "mine").unwrap();
    fs::write(folder.join("packs/notes/manifest.json"), "mine").unwrap();
    assert_eq!(make(folder, 1, &[]), (0, String::new()));
    assert_eq!(pack(folder, 1).ends().0, Pack(unlike).ends().1, "restored, it is followed");
}

#[test]
fn a_pack_of_which_any_file_was_altered_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    World::new(2, false).write(folder, 1, "");
    assert_eq!(make(folder, 0, &[]).0, 0);
    let january = pack(folder, 0).0;
    let entries = fs::read_dir(&january).unwrap().map(|entry| entry.unwrap().file_name());
    let files: Vec<_> = entries.filter(|name| name != "manifest.json").collect();
    assert_eq!(files.len(), 13, "{files:?}");
    for file in files {
        let path = january.join(&file);
        let whole = fs::read(&path).unwrap();
        let name = file.to_string_lossy();
        for (bytes, expected) in
            [(Some([&whole[..], b"x"].concat()), "was changed after"), (None, "cannot read")]
        {
            match bytes {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let (code, stderr) = make(folder, 1, &[]);
            assert_eq!(code, 2, "{name}: {stderr}");
            assert!(stderr.contains(&*name) && stderr.contains(expected), "{name}: {stderr}");
        }
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(make(folder, 1, &[]).0, 0, "restored, it is followed");
}

#[test]
fn rows_too_young_for_their_pack_are_counted_and_judged_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Created at, rows that are told of, findings of January, findings of February.
    let cases = [("23:56:00", 1, 0, 1), ("23:54:00", 0, 1, 1)];
    for (time, told, of_january, of_february) in cases {
        World::new(2, false).write(folder, 1, "");
        let path = folder.join("legacy.csv");
        let legacy = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{legacy}lone,u1,subscription_grant,5,2024-01-31T{time}Z,\n")).unwrap();
        for (month, told, findings) in [(0, told, of_january), (1, 0, of_february)] {
            let (code, stderr) = make(folder, month, &[]);
            assert_eq!(code, findings, "{time} {month}: {stderr}");
            let pack = pack(folder, month);
            let found = pack.csv("exceptions.csv");
            let of_row = found.rows.iter().filter(|row| found.cell(row, "legacy_ids") == "lone");
            assert_eq!(of_row.count() as i32, findings, "{time} {month}");
            let summary = fs::read_to_string(pack.0.join("summary.csv")).unwrap();
            let words =
                "1 legacy row of the last moments of the period ([matching] settle) has no partner yet";
            assert_eq!(summary.matches(words).count(), told, "{time} {month}: {summary}");
            assert_eq!(summary.matches("the next pack judges").count(), told, "{time} {month}");
        }
        fs::remove_dir_all(folder.join("packs")).unwrap();
    }
}

#[test]
fn what_is_no_period_is_answered_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    World::new(1, false).write(folder.path(), 0, "");
    fs::create_dir(folder.path().join("taken")).unwrap();
    fs::write(folder.path().join("taken/notes.txt"), "mine").unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["--from", "2024-02-01", "--to", "2024-01-31"], "ends (2024-01-31) before it begins"),
        (&["--from", "2024-02-30", "--to", "2024-03-31"], "write a day of the calendar as YYYY-MM-DD"),
        (&["--from", "2024-2-1", "--to", "2024-03-31"], "write a day of the calendar as YYYY-MM-DD"),
        (&["--from", "2024-01-01"], "--to <DATE>"),
        (&["--from", "2024-01-01", "--to", "2024-01-31", "--out", "taken"], "is not empty"),
        (&["--from", "2024-01-01", "--to", "2024-01-31", "--previous", "taken"], "holds no audit pack"),
    ];
    for (args, expected) in cases {
        let (code, stderr) = ended(&audit(folder.path(), args));
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("taken/notes.txt")).unwrap(), "mine");
}
