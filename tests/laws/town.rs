//! Many small ledgers in one: some share users and references, some have users of their own.

use proptest::prelude::*;
use proptest::sample::select;

use super::generate::{self, Mood};
use super::ledger::{Ledgers, Rules};

/// A pair of ledgers of some dozens of rows, and stored balances of its users.
#[derive(Debug, Clone, Default)]
pub struct Town {
    pub ledgers: Ledgers,
    /// User and tokens; tokens are empty where nothing is stored.
    pub stored: Vec<(String, Option<i64>)>,
    /// Lines of `[balances]`.
    pub policies: Vec<&'static str>,
}

/// Policies of which each may hold.
const POLICIES: [&str; 5] = [
    "opening_tokens = 100",
    "failed_usage = \"count\"",
    "floor = \"clamp\"",
    "reset_actions = [\"subscription_grant\"]",
    "expiry = { order = \"fifo\", after = { trial_grant = \"1d\", subscription_grant = \"20d\" } }",
];

/// A town of up to `most` small ledgers.
pub fn towns(most: usize) -> impl Strategy<Value = Town> {
    let ledgers = prop_oneof![4 => generate::ledgers(Mood::Everything), 1 => generate::spent()];
    let part = (ledgers, any::<bool>());
    let stored = prop::option::weighted(0.8, select(vec![0, 50, 100, 150, 200, -50, 100_000]));
    let policies = prop::collection::vec(any::<bool>(), POLICIES.len());
    (prop::collection::vec(part, 1..=most), prop::collection::vec(stored, 3 * most), policies).prop_map(
        |(parts, stored, policies)| {
            let ledgers = merged(parts);
            let users = users(&ledgers);
            let stored = users.into_iter().zip(stored).filter(|(_, tokens)| *tokens != Some(100_000));
            let policies = POLICIES.iter().zip(policies).filter(|(_, holds)| *holds).map(|(line, _)| *line);
            Town { ledgers, stored: stored.collect(), policies: policies.collect() }
        },
    )
}

fn merged(parts: Vec<(Ledgers, bool)>) -> Ledgers {
    let mut town = Ledgers { rules: Rules::default(), ..Ledgers::default() };
    for (number, (part, own_users)) in parts.into_iter().enumerate() {
        town.rules = part.rules.clone();
        for (rows, of_town) in [(part.legacy, &mut town.legacy), (part.unified, &mut town.unified)] {
            of_town.extend(rows.into_iter().map(|mut row| {
                row.id = format!("{}-{number}", row.id);
                row.link = row.link.map(|id| format!("{id}-{number}"));
                if own_users && !row.user.is_empty() {
                    row.user = format!("{}-{number}", row.user);
                }
                row
            }));
        }
    }
    town
}

fn users(ledgers: &Ledgers) -> Vec<String> {
    let rows = ledgers.legacy.iter().chain(&ledgers.unified);
    let mut users: Vec<String> = rows.map(|row| row.user.clone()).filter(|user| !user.is_empty()).collect();
    users.sort();
    users.dedup();
    users
}
