//! Random small ledgers: few users, actions and amounts, and times on a grid around the edges of
//! tolerance, window, settle and as-of, so that coincidences are the rule.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

use super::ledger::{DAY, HOUR, Ledgers, MINUTE, PURCHASE, Row, Rules, SECOND};

const USERS: [&str; 3] = ["ann", "bob", "cyd"];
const AMOUNTS: [i64; 4] = [100, 50, 150, 200];

/// Distances at which a rule changes its mind.
const EDGES: [i64; 10] =
    [0, 1, SECOND, 2 * SECOND, 2 * SECOND + 1, 3 * SECOND, 30 * MINUTE, HOUR, HOUR + 1, 2 * DAY];

/// Starting points: alone, or an edge from another.
const STARTS: [i64; 6] = [0, 1, 2 * SECOND, 4 * SECOND, HOUR, DAY];

/// A chance that proptest takes, unlike 0.
const NEVER: f64 = 1e-6;

/// What a copy changes of its original.
#[derive(Debug, Clone)]
struct Copy {
    original: prop::sample::Index,
    lag: i64,
    amount: Option<i64>,
    action: Option<&'static str>,
    user: Option<&'static str>,
    linked: bool,
    marked: bool,
    with_refs: bool,
    paid: bool,
    failed: bool,
}

/// The settings of all laws: the same cases in every run, so that a failure can be repeated. For a
/// longer search set `PROPTEST_CASES` and `PROPTEST_RNG_SEED`. What failed once becomes a table.
pub fn config(cases: u32) -> ProptestConfig {
    let from_environment = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let more = from_environment("PROPTEST_CASES").and_then(|cases| u32::try_from(cases).ok());
    ProptestConfig {
        cases: more.unwrap_or(cases),
        rng_seed: RngSeed::Fixed(from_environment("PROPTEST_RNG_SEED").unwrap_or(1)),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// How crowded ledgers are: simple ones find plain errors, crowded ones find ambiguity.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    /// Everything the rule book knows.
    Everything,
    /// One user, one action, one amount, times within tolerance: pure assignment.
    Crowd,
    /// One user, several amounts: splits and mismatches.
    Parts,
}

fn rows(mood: Mood) -> impl Strategy<Value = Vec<Row>> {
    let most = match mood {
        Mood::Everything => 7,
        Mood::Crowd | Mood::Parts => 6,
    };
    prop::collection::vec(fresh(mood, true), 0..=most)
}

/// A row that owes nothing to another.
fn fresh(mood: Mood, legacy: bool) -> BoxedStrategy<Row> {
    let labels: Vec<(u32, &str)> = match (mood, legacy) {
        (Mood::Everything, true) => {
            vec![
                (8, "sub"),
                (3, "renewal"),
                (3, "admin"),
                (4, "pack"),
                (3, "refund"),
                (1, "chat"),
                (1, "old"),
                (1, "x"),
            ]
        }
        (Mood::Everything, false) => vec![
            (6, "subscription_grant"),
            (2, "admin_grant"),
            (2, "trial_grant"),
            (3, "token_pack_purchase"),
            (2, "admin_deduct"),
            (1, "chat_conversation"),
            (1, "bonus_credit"),
        ],
        (_, true) => vec![(1, "sub")],
        (_, false) => vec![(1, "subscription_grant")],
    };
    let label =
        prop::strategy::Union::new_weighted(labels.into_iter().map(|(w, label)| (w, Just(label))).collect());
    let (users, amounts, starts): (&[&str], &[i64], &[i64]) = match mood {
        Mood::Everything => (&USERS, &AMOUNTS, &STARTS),
        Mood::Crowd => {
            (&USERS[..1], &AMOUNTS[..1], &[0, 1, SECOND, 2 * SECOND, 3 * SECOND, 4 * SECOND, 6 * SECOND])
        }
        Mood::Parts => (&USERS[..1], &AMOUNTS, &[0, SECOND, 2 * SECOND, 3 * SECOND]),
    };
    let odd = matches!(mood, Mood::Everything);
    (
        select(users.to_vec()),
        label,
        select(amounts.to_vec()),
        select(starts.to_vec()),
        refs(odd),
        0..1000u32,
        any::<bool>(),
        0..1000u32,
    )
        .prop_map(move |(user, label, amount, at, refs, oddity, paid, mark)| {
            let mut row = Row::new("", user, label, amount, at);
            row.refs = refs.into_iter().map(str::to_owned).collect();
            row.payment = odd && paid && label.contains("pack");
            if odd {
                match oddity {
                    0..10 => row.user = String::new(),
                    10..20 => row.amount = None,
                    20..30 => row.at = None,
                    30..60 => row.amount = Some(0),
                    60..120 if legacy => row.amount = Some(-amount),
                    120..150 if !legacy => row.failed = true,
                    150..200 => row.payment = true,
                    _ => {}
                }
            }
            row.migrated = !legacy && mark < if odd { 200 } else { 100 };
            row
        })
        .boxed()
}

fn refs(some: bool) -> BoxedStrategy<Vec<&'static str>> {
    if !some {
        return Just(Vec::new()).boxed();
    }
    prop_oneof![
        7 => Just(vec![]),
        2 => select(vec![vec!["R1"], vec!["R2"], vec!["R3"]]),
        1 => Just(vec!["R1", "R2"]),
    ]
    .boxed()
}

fn copy(mood: Mood) -> impl Strategy<Value = Copy> {
    let odd = matches!(mood, Mood::Everything);
    let rarely = move |chance: f64| proptest::bool::weighted(if odd { chance } else { 0.0 });
    let lags: Vec<i64> = if odd { EDGES.to_vec() } else { EDGES[..6].to_vec() };
    let amounts = if matches!(mood, Mood::Parts) {
        0.5
    } else if odd {
        0.12
    } else {
        NEVER
    };
    let actions =
        vec!["admin_grant", "token_pack_purchase", "subscription_grant", "trial_grant", "admin_deduct"];
    (
        any::<prop::sample::Index>(),
        (prop_oneof![3 => Just(0), 4 => select(lags)], any::<bool>()),
        prop::option::weighted(amounts, select(AMOUNTS.to_vec())),
        prop::option::weighted(if odd { 0.15 } else { NEVER }, select(actions)),
        prop::option::weighted(if odd { 0.12 } else { NEVER }, select(USERS.to_vec())),
        (rarely(0.2), rarely(0.3), rarely(0.6), rarely(0.1), rarely(0.03)),
    )
        .prop_map(
            |(original, (lag, before), amount, action, user, (linked, marked, with_refs, paid, failed))| {
                Copy {
                    original,
                    lag: if before { -lag } else { lag },
                    amount,
                    action,
                    user,
                    linked,
                    marked,
                    with_refs,
                    paid,
                    failed,
                }
            },
        )
}

/// The unified row that a copy makes of a legacy row.
fn copied(copy: &Copy, legacy: &[Row]) -> Row {
    let original = copy.original.get(legacy);
    let mapped = super::ledger::LEGACY_ACTIONS.iter().find(|(label, _)| *label == original.label);
    let label = match mapped {
        Some((_, "usage" | "ignore")) | None => "subscription_grant",
        Some((_, action)) => action,
    };
    Row {
        id: String::new(),
        user: copy.user.map_or(original.user.clone(), str::to_owned),
        label: copy.action.unwrap_or(label).to_owned(),
        amount: copy.amount.or(original.amount.map(i64::abs)),
        at: original.at.map(|at| at + copy.lag),
        refs: if copy.with_refs { original.refs.clone() } else { Default::default() },
        payment: copy.paid || (copy.with_refs && original.payment),
        link: copy.linked.then(|| original.id.clone()),
        migrated: copy.marked,
        failed: copy.failed,
    }
}

fn rules(mood: Mood) -> BoxedStrategy<Rules> {
    if !matches!(mood, Mood::Everything) {
        return Just(Rules::default()).boxed();
    }
    let as_of = prop_oneof![
        6 => Just(60 * DAY),
        1 => select(vec![5 * MINUTE, 5 * MINUTE + 1, 5 * MINUTE + 2 * SECOND, HOUR, HOUR + 5 * MINUTE]),
        1 => select(vec![0, SECOND, 2 * SECOND, DAY + 5 * MINUTE]),
    ];
    (as_of, any::<bool>(), any::<bool>())
        .prop_map(|(as_of, reference_is_payment, repair_time)| Rules {
            as_of,
            reference_is_payment,
            repair_time,
            ..Rules::default()
        })
        .boxed()
}

/// Gives ids whose order has nothing to do with the order of the rows.
fn name(rows: &mut [Row], side: char, ranks: &[u8]) {
    for (at, row) in rows.iter_mut().enumerate() {
        row.id = format!("{side}{}{at}", (b'a' + ranks[at % ranks.len()] % 5) as char);
    }
}

/// A pair of ledgers.
pub fn ledgers(mood: Mood) -> impl Strategy<Value = Ledgers> {
    let ranks = || prop::collection::vec(any::<u8>(), 14);
    (
        rows(mood),
        prop::collection::vec(copy(mood), 0..=6),
        prop::collection::vec(fresh(mood, false), 0..=2),
        rules(mood),
        ranks(),
        ranks(),
    )
        .prop_map(|(mut legacy, copies, more, rules, legacy_ranks, unified_ranks)| {
            name(&mut legacy, 'l', &legacy_ranks);
            let mut unified: Vec<Row> = Vec::new();
            if !legacy.is_empty() {
                unified.extend(copies.iter().map(|copy| copied(copy, &legacy)));
            }
            unified.extend(more);
            unified.truncate(7);
            name(&mut unified, 'u', &unified_ranks);
            Ledgers { rules, legacy, unified }
        })
}

/// The same, with payments that the legacy table has booked again, some of them with another amount.
pub fn replayed() -> impl Strategy<Value = Ledgers> {
    let replay = (any::<prop::sample::Index>(), select(vec![SECOND, HOUR, 2 * DAY]), any::<bool>());
    (ledgers(Mood::Everything), prop::collection::vec(replay, 1..=2)).prop_map(|(mut ledgers, replays)| {
        for (n, (which, later, is_same)) in replays.into_iter().enumerate() {
            let paid: Vec<&Row> = ledgers.legacy.iter().filter(|row| !row.refs.is_empty()).collect();
            if paid.is_empty() {
                break;
            }
            let first = (*which.get(&paid)).clone();
            let (at, amount) =
                (first.at.map(|at| at + later), first.amount.map(|it| it + i64::from(!is_same)));
            ledgers.legacy.push(Row { id: format!("lr{n}"), at, amount, ..first });
        }
        ledgers
    })
}

/// A payment that was granted, rows that book it again, and beside them rows of other payments, of several, of
/// other kinds and of none, near and far.
pub fn spent() -> impl Strategy<Value = Ledgers> {
    let refs = || {
        let some = vec![&["pi_1"][..], &["pi_1"], &["pi_2"], &["pi_2"], &["pi_3"], &[], &["cs_1"]];
        prop_oneof![5 => select(some), 1 => select(vec![&["pi_1", "pi_2"][..], &["cs_1", "pi_1"]])]
    };
    let at = || select(vec![0, SECOND, 10 * SECOND, 11 * SECOND, 11 * SECOND, 20 * MINUTE, 40 * DAY]);
    let user = || prop_oneof![6 => Just("ann"), 1 => Just("bob")];
    let amount = || prop_oneof![4 => Just(100), 1 => Just(50)];
    let row = move || (user(), amount(), at(), refs(), 0..20u8);
    let rows = move || prop::collection::vec(row(), 1..=5);
    let ranks = || prop::collection::vec(any::<u8>(), 14);
    (rows(), rows(), ranks(), ranks(), any::<bool>()).prop_map(|(legacy, unified, l_ranks, u_ranks, paid)| {
        let mut ledgers = Ledgers::default();
        ledgers.rules.reference_is_payment = paid;
        for (labels, side, rows) in [
            (["pack", "sub"], &mut ledgers.legacy, legacy),
            ([PURCHASE, "subscription_grant"], &mut ledgers.unified, unified),
        ] {
            let first = ("ann", 100, 0, &["pi_1"][..], 19);
            for (user, amount, at, refs, oddity) in std::iter::once(first).chain(rows) {
                let mut row = Row::new("", user, labels[usize::from(oddity == 0)], amount, at);
                row.refs = refs.iter().map(|text| (*text).to_owned()).collect();
                row.migrated = oddity == 1 && labels[0] == PURCHASE;
                row.payment = oddity == 2;
                side.push(row);
            }
        }
        name(&mut ledgers.legacy, 'l', &l_ranks);
        name(&mut ledgers.unified, 'u', &u_ranks);
        // Now and then a link pairs what the reference would not.
        if let ([.., named], [.., copy]) = (&ledgers.legacy[..], &mut ledgers.unified[..]) {
            copy.link = (l_ranks[0] % 6 == 0).then(|| named.id.clone());
        }
        ledgers
    })
}

/// The instant of a bulk copy.
const STAMP: i64 = 30 * DAY;

/// A few rows of two users that were copied in bulk, among just fewer or just enough others that
/// share the instant.
pub fn stamped() -> impl Strategy<Value = Ledgers> {
    let at = select(vec![0, SECOND, DAY, STAMP - HOUR, STAMP - SECOND, STAMP]);
    let legacy = (select(vec!["ann", "bob"]), select(vec![100, 50]), at);
    let stamp = select(vec![STAMP, STAMP, STAMP, STAMP + 1, DAY]);
    let copy = (select(vec!["ann", "bob"]), select(vec![100, 50]), stamp, any::<bool>());
    (prop::collection::vec(legacy, 1..=4), prop::collection::vec(copy, 0..=4), 17..=20usize).prop_map(
        |(legacy, copies, others)| {
            let mut ledgers = Ledgers::default();
            for (n, (user, amount, at)) in legacy.into_iter().enumerate() {
                ledgers.legacy.push(Row::new(&format!("l{n}"), user, "sub", amount, at));
            }
            for (n, (user, amount, at, migrated)) in copies.into_iter().enumerate() {
                let row = Row::new(&format!("u{n}"), user, "subscription_grant", amount, at);
                ledgers.unified.push(Row { migrated, ..row });
            }
            for n in 0..others {
                let (id, user) = (format!("x{n:02}"), format!("user{n:02}"));
                ledgers.unified.push(Row::new(&id, &user, "trial_grant", 10, STAMP));
            }
            ledgers
        },
    )
}

/// Ledgers made to mislead: many rows whose times, amounts or ids make wrong pairs look right.
pub fn hostile() -> impl Strategy<Value = Ledgers> {
    prop_oneof![ties(), decoys(), two_kinds(), swaps(), strange_links(), shifted()]
}

/// Six against six within tolerance of each other, equal sums of lag everywhere, ids that cross.
fn ties() -> BoxedStrategy<Ledgers> {
    let times = || prop::collection::vec(select(vec![0, SECOND, 2 * SECOND, 3 * SECOND]), 1..=6);
    let ranks = || prop::collection::vec(any::<u8>(), 14);
    (times(), times(), ranks(), ranks())
        .prop_map(|(legacy, unified, legacy_ranks, unified_ranks)| {
            let mut ledgers = Ledgers::default();
            let row = |label: &str, at: i64| Row::new("", "ann", label, 100, at);
            ledgers.legacy = legacy.into_iter().map(|at| row("sub", at)).collect();
            ledgers.unified = unified.into_iter().map(|at| row("subscription_grant", at)).collect();
            name(&mut ledgers.legacy, 'l', &legacy_ranks);
            name(&mut ledgers.unified, 'u', &unified_ranks);
            ledgers
        })
        .boxed()
}

/// A whole and parts of which several subsets have its sum.
fn decoys() -> BoxedStrategy<Ledgers> {
    let part = || (select(vec![10, 20, 20, 30, 40, 50]), select(vec![0, SECOND, 2 * SECOND]));
    let wholes = prop::collection::vec((select(vec![60, 50, 100]), select(vec![0, SECOND])), 1..=2);
    (wholes, prop::collection::vec(part(), 2..=6), any::<bool>())
        .prop_map(|(wholes, parts, turned)| {
            let rows = |side: char, label: &str, rows: Vec<(i64, i64)>| -> Vec<Row> {
                let row = |(n, (amount, at))| Row::new(&format!("{side}{n}"), "ann", label, amount, at);
                rows.into_iter().enumerate().map(row).collect()
            };
            let (legacy, unified) = if turned { (parts, wholes) } else { (wholes, parts) };
            Ledgers {
                legacy: rows('l', "sub", legacy),
                unified: rows('u', "subscription_grant", unified),
                ..Ledgers::default()
            }
        })
        .boxed()
}

/// Two actions and two amounts that alternate within tolerance: exact beside mismatch.
fn two_kinds() -> BoxedStrategy<Ledgers> {
    let row = || {
        let at = select(vec![0, 1, SECOND, 2 * SECOND, 3 * SECOND, HOUR]);
        (any::<bool>(), select(vec![100, 101]), at, any::<bool>())
    };
    (prop::collection::vec(row(), 1..=6), prop::collection::vec(row(), 1..=6))
        .prop_map(|(legacy, unified)| {
            let mut ledgers = Ledgers::default();
            for (n, (one, amount, at, negative)) in legacy.into_iter().enumerate() {
                let label = if one { "sub" } else { "refund" };
                let amount = if negative { -amount } else { amount };
                ledgers.legacy.push(Row::new(&format!("l{n}"), "ann", label, amount, at));
            }
            for (n, (one, amount, at, migrated)) in unified.into_iter().enumerate() {
                let label = if one { "subscription_grant" } else { "admin_deduct" };
                let row = Row::new(&format!("u{n}"), "ann", label, amount, at);
                ledgers.unified.push(Row { migrated, ..row });
            }
            ledgers
        })
        .boxed()
}

/// Users that swap grants, some at the same instant, some an edge apart.
fn swaps() -> BoxedStrategy<Ledgers> {
    let row = || (select(USERS.to_vec()), select(vec![100, 50]), select(vec![0, SECOND, HOUR, HOUR + 1]));
    (prop::collection::vec(row(), 1..=5), prop::collection::vec(select(USERS.to_vec()), 5), any::<bool>())
        .prop_map(|(rows, others, linked)| {
            let mut ledgers = Ledgers::default();
            for (n, (user, amount, at)) in rows.into_iter().enumerate() {
                let id = format!("l{n}");
                let mut copy = Row::new(&format!("u{}", 9 - n), others[n], "subscription_grant", amount, at);
                copy.link = (linked && n == 0).then(|| id.clone());
                ledgers.legacy.push(Row::new(&id, user, "sub", amount, at));
                ledgers.unified.push(copy);
            }
            ledgers
        })
        .boxed()
}

/// Links to rows of others, to rows that are no grants and to nothing; one reference on many rows,
/// far apart.
fn strange_links() -> BoxedStrategy<Ledgers> {
    let labels = select(vec!["sub", "pack", "pack", "chat"]);
    let legacy = (select(USERS[..2].to_vec()), labels, select(STARTS.to_vec()));
    let link = prop::option::of(select(vec!["l0", "l1", "l2", "l3", "lx"]));
    let refs = || select(vec![vec![], vec!["R1"], vec!["R1"], vec!["R1", "R2"], vec!["pi_1"], vec!["cs_1"]]);
    let unified = (
        select(USERS[..2].to_vec()),
        select(vec!["subscription_grant", "token_pack_purchase"]),
        select(vec![0, SECOND, HOUR, 2 * DAY, 40 * DAY]),
        link,
        refs(),
    );
    (prop::collection::vec((legacy, refs()), 1..=5), prop::collection::vec(unified, 1..=5))
        .prop_map(|(legacy, unified)| {
            let mut ledgers = Ledgers::default();
            let owned = |refs: Vec<&str>| refs.into_iter().map(str::to_owned).collect();
            for (n, ((user, label, at), refs)) in legacy.into_iter().enumerate() {
                let row = Row::new(&format!("l{n}"), user, label, 100, at);
                ledgers.legacy.push(Row { refs: owned(refs), ..row });
            }
            for (n, (user, label, at, link, refs)) in unified.into_iter().enumerate() {
                let row = Row::new(&format!("u{n}"), user, label, 100, at);
                ledgers.unified.push(Row { refs: owned(refs), link: link.map(str::to_owned), ..row });
            }
            ledgers
        })
        .boxed()
}

/// A few rows among just fewer or just enough others that are shifted by half an hour, some of them
/// at the very instant at which another user's copy stands.
fn shifted() -> BoxedStrategy<Ledgers> {
    let shift = 30 * MINUTE;
    let at = || select(vec![0, shift, 2 * shift]);
    let rows = prop::collection::vec((select(USERS.to_vec()), at(), at(), any::<bool>()), 1..=4);
    (rows, 18..=21i64)
        .prop_map(move |(rows, others)| {
            let mut ledgers = Ledgers::default();
            for (n, (user, legacy, unified, both)) in rows.into_iter().enumerate() {
                ledgers.legacy.push(Row::new(&format!("l{n}"), user, "sub", 100, legacy));
                let at = if both { legacy + shift } else { unified };
                let row = Row::new(&format!("u{n}"), user, "subscription_grant", 100, at);
                ledgers.unified.push(row);
            }
            for n in 0..others {
                let (user, at) = (format!("user{n:02}"), 10 * DAY + n * 7 * SECOND);
                ledgers.legacy.push(Row::new(&format!("lx{n:02}"), &user, "sub", 10, at));
                let id = format!("ux{n:02}");
                ledgers.unified.push(Row::new(&id, &user, "subscription_grant", 10, at + shift));
            }
            ledgers
        })
        .boxed()
}
