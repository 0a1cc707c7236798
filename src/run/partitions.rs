//! Settles users a part at a time, where not all rows fit the memory. What is then in the books are the rows
//! of the users about whom there may be something to say; of all others there are sums.

use std::collections::HashSet;
use std::ops::Range;

use super::{Reads, stored_balances};
use crate::audit;
use crate::balance::replay::{
    Ends, Holding, Policies, PolicyEffects, Replay, Replayed, ReplayedBefore, Setting,
};
use crate::balance::{self, ExplainedBefore, SnapshotColumn, SnapshotTest, StoredByUser};
use crate::config::Config;
use crate::cores::at_once;
use crate::domain::{Books, Entry, Ledger, PopulationClass, RowId, Settled, Side, UserNo};
use crate::matching::{Likeness, Tried};
use crate::normalise::{Entries, NormaliseError, Parts, SettledRow, SettledRows};

/// What is left of the users that were settled, beside the sums in the books.
#[derive(Debug)]
pub(super) struct Before {
    /// Their rows, for `dispositions.parquet`.
    pub(super) rows: SettledRows,
    /// Their balances under the configured policies.
    pub(super) replayed: ReplayedBefore,
    /// Their gaps.
    pub(super) explained: ExplainedBefore,
    /// What the balance columns mean, of all rows.
    pub(super) snapshots: Vec<SnapshotColumn>,
}

/// Settles what can be settled and brings the rest into the books.
///
/// # Errors
/// Temporary files that cannot be written or read, ids that stand on two rows, balances that cannot be
/// computed.
pub(super) fn settle(config: &Config, reads: &mut Reads, parts: &Parts) -> anyhow::Result<Before> {
    let stored = stored_balances(config, reads)?;
    let snapshots = snapshots(config, reads, parts)?;
    let reached = Reached::of(config, reads, parts)?;
    let users = reads.books.roster.len();
    let mut settling = Settling {
        config,
        policies: Policies::configured(config, &reads.books),
        stored,
        settled: Settled { users: vec![false; users], moved: vec![(0, 0); users], ..Settled::default() },
        before: Before {
            rows: SettledRows::new()?,
            replayed: ReplayedBefore::default(),
            explained: ExplainedBefore::default(),
            snapshots,
        },
    };
    let (pooled, uncounted) = (pooled(reads), uncounted(&reads.books));
    let mut open: [Entries; 2] = Default::default();
    each_part(parts, reads, |reads, users| {
        let mut tried = Tried::of(&reads.books, config, users.clone(), parts.is_shared());
        tried.open_named(&reached.named);
        tried.open_wanted(&reached.wanting);
        let kept = pooled.iter().chain(&uncounted).filter(|user| users.contains(&user.0));
        kept.for_each(|user| tried.open(*user));
        settling.take(reads, &mut tried, users)?;
        drop(tried);
        for side in [Side::Legacy, Side::Unified] {
            let entries = std::mem::take(entries(reads, side)).into_iter();
            open[side as usize].extend(entries.filter(|entry| !settling.settled.has(entry.user)));
        }
        Ok(())
    })?;
    let Settling { mut settled, before, .. } = settling;
    let [legacy, unified] = open;
    let books = &mut reads.books;
    (books.legacy.entries, books.unified.entries) =
        at_once(|| legacy.into_sorted(), || unified.into_sorted());
    let repeated = |side: Side| before.rows.refuse_repeated_ids(books.side(side));
    let (legacy, unified) = at_once(|| repeated(Side::Legacy), || repeated(Side::Unified));
    legacy.and(unified)?;
    let open = reads.books.unified.entries.iter().filter(|entry| entry.is_matchable());
    settled.at_instants = open.map(|entry| (entry.at, 0)).collect();
    before.rows.each(Side::Unified, |row| {
        if row.moves() {
            settled.at_instants.entry(row.at).and_modify(|rows| *rows += 1);
        }
    })?;
    let done = settled.users.iter().filter(|is_settled| **is_settled).count();
    let left = reads.books.legacy.entries.len() + reads.books.unified.entries.len();
    tracing::debug!("{done} of {users} users settled, {left} rows left");
    reads.books.settled = settled;
    Ok(before)
}

fn entries(reads: &mut Reads, side: Side) -> &mut Vec<Entry> {
    match side {
        Side::Legacy => &mut reads.books.legacy.entries,
        Side::Unified => &mut reads.books.unified.entries,
    }
}

/// Shows each part of the books, with its users. The next one is read while one is looked at.
fn each_part(
    parts: &Parts,
    reads: &mut Reads,
    mut see: impl FnMut(&mut Reads, Range<u32>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let users: Vec<Range<u32>> = parts.users().collect();
    let load = |part: usize| -> Result<[Vec<Entry>; 2], NormaliseError> {
        if part == users.len() {
            return Ok(Default::default());
        }
        Ok([parts.load(part, Side::Legacy)?, parts.load(part, Side::Unified)?])
    };
    let mut next = load(0);
    for (part, users) in users.iter().enumerate() {
        [reads.books.legacy.entries, reads.books.unified.entries] = next?;
        reads.go_on()?;
        let (following, seen) = at_once(|| load(part + 1), || see(reads, users.clone()));
        seen?;
        next = following;
    }
    Ok(())
}

/// Tests the balance columns on the rows of all users, a part at a time.
fn snapshots(config: &Config, reads: &mut Reads, parts: &Parts) -> anyhow::Result<Vec<SnapshotColumn>> {
    let mut test = SnapshotTest::configured(config);
    let passes = if test.is_empty() { 0 } else { SnapshotTest::PASSES };
    for _ in 0..passes {
        each_part(parts, reads, |reads, users| {
            test.see(&reads.books, users);
            Ok(())
        })?;
        test.end_pass();
    }
    Ok(test.finish(&reads.books))
}

/// Users whose tokens may stand at another's row, or others' at theirs, ascending.
fn pooled(reads: &Reads) -> Vec<UserNo> {
    let named = reads.members.iter().flat_map(|member| [Some(&member.user), member.owner.as_ref()]);
    let mut users: Vec<UserNo> = named.flatten().filter_map(|id| reads.books.roster.find(id)).collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// Users with a row that no sum counts, since nobody knows what it means or it cannot be read: it may be what
/// their gap comes from, and is told of beside the causes that their other rows show.
fn uncounted(books: &Books) -> Vec<UserNo> {
    let mut users = Vec::new();
    for side in [Side::Legacy, Side::Unified] {
        let Ledger { bystanders, rejected, .. } = books.side(side);
        let unmapped = bystanders.iter().filter(|row| row.class == PopulationClass::Unmapped);
        users.extend(unmapped.map(|row| row.user));
        users.extend(rejected.iter().filter_map(|row| books.roster.find(row.user.as_ref()?)));
    }
    users.sort_unstable();
    users.dedup();
    users
}

/// How open users reach others.
#[derive(Default)]
struct Reached {
    /// The legacy ids that their rows name, as far as these may be of users who are not known to be open. A user
    /// who has one of them is open too, and names no other: what a settled user's rows name are its own.
    named: HashSet<RowId>,
    /// What their legacy rows might be paired with under another user.
    wanting: HashSet<Likeness>,
}

impl Reached {
    fn of(config: &Config, reads: &mut Reads, parts: &Parts) -> anyhow::Result<Reached> {
        let mut reached = Reached::default();
        // Whoever has a row that nobody expects is open anyway.
        let expects_alone = !config.unified.unified_only.is_empty();
        if !parts.has_links() && !expects_alone {
            return Ok(reached);
        }
        let mut has_alone = false;
        each_part(parts, reads, |reads, users| {
            let tried = Tried::of(&reads.books, config, users, parts.is_shared());
            reached.named.extend(tried.links().cloned());
            reached.wanting.extend(tried.wanting());
            has_alone |= tried.alone().next().is_some();
            Ok(())
        })?;
        if !has_alone {
            reached.wanting = HashSet::new();
        } else if !reached.named.is_empty() {
            // Who is open because of a name is known only now.
            each_part(parts, reads, |reads, users| {
                let mut tried = Tried::of(&reads.books, config, users, parts.is_shared());
                tried.open_named(&reached.named);
                reached.wanting.extend(tried.wanting());
                Ok(())
            })?;
        }
        Ok(reached)
    }
}

/// What is gathered part by part.
struct Settling<'c> {
    config: &'c Config,
    policies: Policies,
    stored: Option<StoredByUser>,
    settled: Settled,
    before: Before,
}

impl Settling<'_> {
    /// Takes the users of a part that can be settled.
    fn take(&mut self, reads: &Reads, tried: &mut Tried<'_>, users: Range<u32>) -> anyhow::Result<()> {
        let (books, config) = (&reads.books, self.config);
        let ends = Ends::of(books, tried.all_pairs(), &[]);
        let setting = Setting { ends, holding: Holding::alone(), policies: self.policies.clone() };
        let replay = Replay::new(books, &reads.usage_log, &setting);
        let counts_failed = config.balances.count_failed_usage;
        let is_asked = |user| !tried.is_open(user);
        let Replayed { effects, below_zero } =
            Replayed::of_some(&replay, counts_failed, users.clone(), is_asked)?;
        // A stored balance that the user's own rows and the policies do not explain is looked into later.
        if let Some(stored) = &self.stored {
            let gaps = balance::gaps(books, config, stored, users.clone())?;
            let asked = |((user, gap), effects): ((u32, Option<i128>), &PolicyEffects)| {
                let gap = gap.filter(|_| !tried.is_open(UserNo(user)))?;
                let tokens = stored.get(&UserNo(user)).copied().flatten()?;
                (gap != 0 || *effects != PolicyEffects::default()).then_some((tokens, gap, *effects))
            };
            let asked: Vec<_> = users.clone().zip(gaps).zip(&effects).map(asked).collect();
            let (explained, stop) = (&mut self.before.explained, reads.progress.stop());
            let left =
                explained.explain(&replay, &self.policies, counts_failed, users.clone(), &asked, stop)?;
            reads.go_on()?;
            left.into_iter().for_each(|user| tried.open(user));
        }
        let is_settled = |user: UserNo| !tried.is_open(user);
        let moved = users.clone().map(UserNo).zip(effects);
        self.before.replayed.effects.extend(
            moved.filter(|(user, effects)| is_settled(*user) && *effects != PolicyEffects::default()),
        );
        self.before
            .replayed
            .below_zero
            .extend(below_zero.into_iter().filter(|below| is_settled(below.holder)));
        for user in users {
            self.settled.users[user as usize] = is_settled(UserNo(user));
        }
        tried.add_to(&mut self.settled);
        self.keep_rows(reads, tried)?;
        Ok(())
    }

    /// Writes down the rows of settled users, in order of their ids.
    fn keep_rows(&mut self, reads: &Reads, tried: &Tried<'_>) -> Result<(), NormaliseError> {
        let ids = audit::pair_ids(tried.all_pairs(), &reads.books);
        let rows = |side: Side| {
            tried.settled(side).map(|(entry, outcome, pair)| {
                let (id, pair) = (entry.id.clone(), pair.map(|pair| ids[pair as usize]));
                SettledRow { id, outcome, pair, at: entry.at, tokens: entry.tokens }
            })
        };
        self.before.rows.add(rows(Side::Legacy), rows(Side::Unified))
    }
}
