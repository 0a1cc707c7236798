//! The replay of balances against the model that counts token by token, through files as a person
//! would give them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use reckon::balance::replay::{Ends, Holding, Movement, MovementKind, Policies};
use reckon::balance::replay::{HolderReplay, Replay, Replayed, Setting};
use reckon::domain::{ActionNo, Instant, UserNo};
use reckon::run::{Options, read};
use reckon::source::Progress;

use super::replay_model::{Account, Floor, Happening, Membership, Order, PAID, Policy, Row, World};

/// 2026-01-01T00:00:00Z; a tick is a minute.
const EPOCH_MICROS: i64 = 1_767_225_600_000_000;
const TICK_MICROS: i64 = 60_000_000;
const LABELS: [&str; 3] = ["trial_grant", "subscription_grant", "token_pack_purchase"];
const LAST_TICK: i64 = 40;

fn instant(tick: i64) -> Instant {
    Instant(EPOCH_MICROS + tick * TICK_MICROS)
}

fn tick(at: Instant) -> i64 {
    (at.0 - EPOCH_MICROS) / TICK_MICROS
}

// ---- worlds -----------------------------------------------------------------------------------

fn policy(from: i64) -> impl Strategy<Value = Policy> {
    let floor = prop_oneof![Just(Floor::Debt), Just(Floor::Clamp), Just(Floor::WriteOff)];
    let order = prop_oneof![Just(Order::Fifo), Just(Order::EarliestExpiry), Just(Order::Priority)];
    let lives = proptest::collection::btree_map(0..3usize, 1..12i64, 0..3);
    let caps = proptest::collection::btree_map(0..3usize, 0..8i64, 0..2);
    let resets = proptest::collection::btree_set(0..3usize, 0..2);
    let priority = Just(vec![0usize, 1, 2])
        .prop_shuffle()
        .prop_flat_map(|all| (1..=3usize).prop_map(move |some| all[..some].to_vec()));
    (any::<bool>(), 0..6i64, resets, floor, order, priority, lives, caps).prop_map(
        move |(count_failed, opening, resets, floor, order, priority, after, mut rollover)| {
            rollover.retain(|label, _| !resets.contains(label));
            let resets = resets.into_iter().collect();
            Policy { from, count_failed, opening, resets, floor, order, priority, after, rollover }
        },
    )
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    (policy(i64::MIN), proptest::option::of((0..LAST_TICK).prop_flat_map(policy)))
        .prop_map(|(first, second)| std::iter::once(first).chain(second).collect())
}

fn row() -> impl Strategy<Value = Row> {
    let id = String::new;
    prop_oneof![
        3 => (0..3usize, 1..15i64, proptest::option::of(0..LAST_TICK + 5))
            .prop_map(move |(label, tokens, ends)| Row::Grant { id: id(), label, tokens, ends }),
        1 => (1..8i64).prop_map(move |tokens| Row::Deduction { id: id(), tokens }),
        6 => (0..7i64, proptest::bool::weighted(0.2))
            .prop_map(move |(tokens, failed)| Row::Use { id: id(), tokens, failed }),
    ]
}

fn members(users: usize) -> impl Strategy<Value = Vec<Membership>> {
    let of_user = (0..2usize, 0..LAST_TICK, 1..20i64, any::<bool>(), 0..2usize, any::<bool>());
    proptest::collection::vec(proptest::option::weighted(0.4, of_user), users).prop_map(|all| {
        let mut members = Vec::new();
        for (user, some) in all.into_iter().enumerate() {
            let Some((pool, from, length, stays, next, moves)) = some else { continue };
            let to = (!stays || moves).then_some(from + length);
            members.push(Membership { user, pool, from, to });
            if moves {
                members.push(Membership { user, pool: next, from: from + length, to: None });
            }
        }
        members
    })
}

fn world() -> impl Strategy<Value = World> {
    (1..4usize).prop_flat_map(|users| {
        // A few instants are used often, so that ends, grants and uses meet.
        let at = prop_oneof![0..LAST_TICK, (0..5i64).prop_map(|some| some * 8)];
        let rows = proptest::collection::vec((0..users, at, row()), 0..28);
        let owners = proptest::collection::vec(0..users, 2);
        (policies(), rows, members(users), owners, 20..LAST_TICK).prop_map(
            move |(policies, rows, members, owners, as_of)| {
                let rows = rows.into_iter().enumerate();
                let rows =
                    rows.map(|(number, (user, at, row))| Happening { user, at, row: named(row, number) });
                World { users, as_of, policies, rows: rows.collect(), members, owners }
            },
        )
    })
}

fn named(row: Row, number: usize) -> Row {
    let id = format!("r{number:02}");
    match row {
        Row::Grant { label, tokens, ends, .. } => Row::Grant { id, label, tokens, ends },
        Row::Deduction { tokens, .. } => Row::Deduction { id, tokens },
        Row::Use { tokens, failed, .. } => Row::Use { id, tokens, failed },
    }
}

// ---- files ------------------------------------------------------------------------------------

fn write(world: &World, folder: &Path) {
    let mut rows = "id,user_id,action_type,tokens_used,created_at,success,expires_at\n".to_owned();
    for happening in &world.rows {
        let at = instant(happening.at).rfc3339();
        let (id, label, tokens, success, ends) = match &happening.row {
            Row::Grant { id, label, tokens, ends } => (id, LABELS[*label], tokens, true, *ends),
            Row::Deduction { id, tokens } => (id, "admin_deduct", tokens, true, None),
            Row::Use { id, tokens, failed } => (id, "chat", tokens, !failed, None),
        };
        let ends = ends.map(|ends| instant(ends).rfc3339()).unwrap_or_default();
        writeln!(rows, "{id},u{},{label},{tokens},{at},{success},{ends}", happening.user).unwrap();
    }
    std::fs::write(folder.join("unified.csv"), rows).unwrap();
    std::fs::write(folder.join("legacy.csv"), "id,user_id,action,tokens,created_at\n").unwrap();
    let mut stored = "user_id,balance\n".to_owned();
    (0..world.users).for_each(|user| writeln!(stored, "u{user},0").unwrap());
    std::fs::write(folder.join("stored.csv"), stored).unwrap();
    let mut members = "user_id,pool,owner,from,to\n".to_owned();
    for member in &world.members {
        let to = member.to.map(|to| instant(to).rfc3339()).unwrap_or_default();
        let (from, owner) = (instant(member.from).rfc3339(), world.owners[member.pool]);
        writeln!(members, "u{},p{},u{owner},{from},{to}", member.user, member.pool).unwrap();
    }
    std::fs::write(folder.join("members.csv"), members).unwrap();
    std::fs::write(folder.join("reckon.toml"), configuration(world)).unwrap();
}

fn configuration(world: &World) -> String {
    let mut text = format!(
        "as_of = \"{}\"\n[legacy]\npath = \"legacy.csv\"\nid = \"id\"\nuser = \"user_id\"\naction = \"action\"\n\
         amount = \"tokens\"\ncreated_at = \"created_at\"\n[legacy.actions]\ntrial_grant = \"trial_grant\"\n\
         [unified]\npath = \"unified.csv\"\nid = \"id\"\nuser = \"user_id\"\naction = \"action_type\"\n\
         amount = \"tokens_used\"\ncreated_at = \"created_at\"\nsuccess = \"success\"\n\
         expires_at = \"expires_at\"\ngrants = {LABELS:?}\ndeductions = [\"admin_deduct\"]\n\
         [balances]\nstored = {{ path = \"stored.csv\", user = \"user_id\", balance = \"balance\" }}\n",
        instant(world.as_of).rfc3339()
    );
    text += &keys(&world.policies[0]);
    text += "[balances.pools]\npath = \"members.csv\"\nuser = \"user_id\"\npool = \"pool\"\nowner = \"owner\"\n\
             from = \"from\"\nto = \"to\"\n";
    for policy in &world.policies[1..] {
        text += &format!("[[balances.policy]]\nfrom = \"{}\"\n", instant(policy.from).rfc3339());
        text += &keys(policy);
    }
    text
}

fn keys(policy: &Policy) -> String {
    let names = |labels: &[usize]| labels.iter().map(|label| LABELS[*label]).collect::<Vec<_>>();
    let table = |map: &BTreeMap<usize, i64>, unit: &str| {
        let pairs = map.iter().map(|(label, value)| match unit {
            "" => format!("{} = {value}", LABELS[*label]),
            _ => format!("{} = \"{value}{unit}\"", LABELS[*label]),
        });
        pairs.collect::<Vec<_>>().join(", ")
    };
    let floor = match policy.floor {
        Floor::Debt => "debt",
        Floor::Clamp => "clamp",
        Floor::WriteOff => "write_off",
    };
    let order = match policy.order {
        Order::Fifo => "order = \"fifo\"".to_owned(),
        Order::EarliestExpiry => "order = \"earliest_expiry\"".to_owned(),
        Order::Priority => format!("order = \"priority\", priority = {:?}", names(&policy.priority)),
    };
    format!(
        "failed_usage = \"{}\"\nopening_tokens = {}\nreset_actions = {:?}\nfloor = \"{floor}\"\n\
         expiry = {{ {order}, after = {{ {} }} }}\nrollover = {{ {} }}\n",
        if policy.count_failed { "count" } else { "ignore" },
        policy.opening,
        names(&policy.resets),
        table(&policy.after, "m"),
        table(&policy.rollover, ""),
    )
}

// ---- the comparison ---------------------------------------------------------------------------

fn account(done: &HolderReplay, rows: &[String], movements: &[Movement]) -> Account {
    let mut totals: BTreeMap<&'static str, i64> = BTreeMap::new();
    for movement in movements {
        *totals.entry(movement.kind.name()).or_default() += movement.tokens as i64;
    }
    totals.retain(|_, tokens| *tokens != 0);
    let mut lots: Vec<_> = done
        .lots
        .iter()
        .map(|lot| {
            let id = lot.row.map(|row| rows[row as usize].clone()).unwrap_or_default();
            let tokens = |tokens: i128| i64::try_from(tokens).unwrap();
            let (granted, used) = (tokens(lot.granted), tokens(lot.used));
            (id, granted, used, tokens(lot.expired), tokens(lot.voided), tokens(lot.remaining))
        })
        .collect();
    lots.sort();
    Account {
        balance: done.balance as i64,
        debt: done.debt as i64,
        paid: done.paid_balance as i64,
        totals,
        lots,
        at_marks: done.at_marks.iter().map(|balance| *balance as i64).collect(),
        first_below: None,
        lowest: None,
    }
}

fn compare(world: &World, marks: &[i64]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    write(world, folder.path());
    let config = reckon::config::load(&folder.path().join("reckon.toml")).unwrap();
    let reads = read(&config, &Options::to_read(None, Instant(0)), &Progress::hidden()).unwrap();
    let books = &reads.books;
    let setting = Setting {
        ends: Ends::of(books, &[], &[]),
        holding: Holding::of(&reads.members, books, None, "members.csv").unwrap(),
        policies: Policies::configured(&config, books),
    };
    let replay = Replay::new(books, &reads.usage_log, &setting);
    let users: Vec<usize> = books.roster.iter().map(|(_, id)| id.to_string()[1..].parse().unwrap()).collect();
    let rows: Vec<String> = books.unified.entries.iter().map(|entry| entry.id.to_string()).collect();
    let at_marks: Vec<Instant> = marks.iter().map(|&mark| instant(mark)).collect();

    let expected = |holder: UserNo| world.account(users[holder.0 as usize], marks);
    let without_dips = |account: Account| Account { first_below: None, lowest: None, ..account };
    let mut shown = Vec::new();
    let mut seen = 0;
    replay.visit(&at_marks, |timeline| shown.push(timeline.clone())).unwrap();
    for holder in (0..users.len() as u32).map(UserNo) {
        shown.push(replay.timeline_of(holder, &at_marks).unwrap());
    }
    for timeline in &shown {
        let mut movements = Vec::new();
        let done = timeline.replay_with(&setting.policies, |movement| movements.push(*movement));
        let found = account(&done, &rows, &movements);
        prop_assert_eq!(&found, &without_dips(expected(done.holder)));
        let sum = |paid: Option<bool>| -> i128 {
            let wanted = |movement: &&Movement| paid.is_none_or(|paid| movement.paid == paid);
            movements.iter().filter(wanted).map(|movement| movement.tokens).sum()
        };
        prop_assert_eq!((sum(None), sum(Some(true))), (done.balance, done.paid_balance));
        let totals: i128 = done.totals.iter().sum();
        prop_assert_eq!(totals, done.balance);
        prop_assert!(movements.is_sorted_by_key(|movement| movement.at), "{movements:?}");
        seen += 1;
    }
    prop_assert_eq!(seen, 2 * users.len());

    let replayed = Replayed::of(&replay, config.balances.count_failed_usage).unwrap();
    for (user, &number) in users.iter().enumerate() {
        let expected = world.account(number, marks);
        let below = replayed.below_zero.iter().find(|below| below.holder.0 as usize == user);
        let at = |(at, balance): (Instant, i128)| (tick(at), balance as i64);
        prop_assert_eq!(below.map(|below| at(below.first)), expected.first_below);
        prop_assert_eq!(below.map(|below| at(below.lowest)), expected.lowest);
        // The sum of the user's own rows and the effects of the policies are the balance.
        let effects = replayed.effects[user];
        prop_assert_eq!(world.sum_of_rows(number) + effects.sum() as i64, expected.balance);
        let total = |kind| expected.totals.get(kind).copied().unwrap_or_default();
        prop_assert_eq!(effects.opening as i64, total("opening"));
        prop_assert_eq!(effects.expiry as i64, total("expired"));
        prop_assert_eq!(effects.reset as i64, total("reset") + total("rolled_over"));
        prop_assert_eq!(effects.clamp as i64, total("clamped") + total("written_off"));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_is_what_counting_token_by_token_gives(
        world in world(),
        marks in proptest::collection::btree_set(0..LAST_TICK, 0..3),
    ) {
        let marks: Vec<i64> = marks.into_iter().filter(|mark| *mark <= world.as_of).collect();
        compare(&world, &marks)?;
    }
}

#[test]
fn kinds_have_a_place_each() {
    let any = ActionNo(0);
    let kinds = [
        MovementKind::Opening,
        MovementKind::Grant(any),
        MovementKind::Deduction(any),
        MovementKind::Usage,
        MovementKind::FailedUsage,
        MovementKind::Expired(any),
        MovementKind::Reset,
        MovementKind::RolledOver(any),
        MovementKind::Clamped,
        MovementKind::WrittenOff,
        MovementKind::DebtPaid,
    ];
    let places: Vec<usize> = kinds.iter().map(|kind| kind.position()).collect();
    assert_eq!(places, (0..reckon::balance::replay::KINDS).collect::<Vec<_>>());
    assert_eq!(LABELS[PAID], "token_pack_purchase");
}
