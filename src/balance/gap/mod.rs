//! Why a stored balance differs: the smallest set of causes that gives the gap to the token.
//!
//! A cause is a way of keeping the balance other than adding up the unified rows: findings whose
//! rows the stored balance has right, use that was never taken off, opening tokens, grants that
//! replaced the balance, a floor, expiry, a pool. What a set of causes gives is found by replaying
//! the user's rows in that way, so that causes which meet (a reset forgets what a floor held back)
//! are exact; what each gives within its set is what it changes on top of those in the columns
//! before it, and what it moved in the replay where all configured policies are the set. A cause that
//! the figures do not show is never forced.
//!
//! 1. Sets that give the balance to the token: those of configured policies alone, then the
//!    smallest of all. One is `unique`, more are `several`: the columns show the first, and all are
//!    listed.
//! 2. Where none does, findings of one class are looked at one by one.
//! 3. Where still none does, configured policies and findings count, unless most of the other users
//!    whose balance could show them do not; the rest is unexplained.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

mod edit;
mod holder;
mod hypothesis;
mod opening;
mod search;
#[cfg(test)]
mod tests;
mod votes;
mod waiting;
mod world;

pub use hypothesis::{Cause, Explanations, Hypothesis, LISTED};

use edit::Edits;
use holder::{Choosable, Holder, Premises, Rows};
use opening::Leftovers;
use votes::Votes;

use super::replay::{Holding, Policies, PolicyEffects, Replay, ReplayError, Replayed, Setting, Timeline};
use super::{Balances, Explanation, GapCause, UserBalance};
use crate::config::Config;
use crate::domain::{Books, UserNo};
use crate::matching::Matched;
use crate::normalise::UsageLog;

/// What gaps are explained from.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    /// Both ledgers.
    pub books: &'a Books,
    /// Checked configuration.
    pub config: &'a Config,
    /// Pairs, left-over rows, and findings about them.
    pub matched: &'a Matched,
    /// Every row of usage.
    pub log: &'a UsageLog,
    /// The configured policies, ends of grants and pools.
    pub setting: &'a Setting,
    /// All balances under them.
    pub replayed: &'a Replayed,
    /// Set when the work shall end: users who were not seen by then are not looked at.
    pub stop: &'a AtomicBool,
}

/// Gaps of settled users, explained when these left the memory.
#[derive(Debug, Clone, Default)]
pub struct ExplainedBefore {
    /// What their balances show of the causes.
    votes: Votes,
    found: Vec<(UserNo, Explanation, Explanations)>,
}

impl ExplainedBefore {
    /// Explains the gaps of users of a range about whose rows there is no finding and who are in no pool, as
    /// far as that takes nothing but the user. `asked` says by user of the range what is stored, what its gap is
    /// and what the policies add; `None`: nobody asks. Once `stop` is set nobody is looked at any more. Gives
    /// back those whose gap needs a look at all users.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn explain(
        &mut self,
        replay: &Replay<'_>,
        policies: &Policies,
        count_failed: bool,
        users: Range<u32>,
        asked: &[Option<(i128, i128, PolicyEffects)>],
        stop: &AtomicBool,
    ) -> Result<Vec<UserNo>, ReplayError> {
        let mut left = Vec::new();
        let first = users.start;
        replay.visit_range(users, |timeline| {
            let user = timeline.holder;
            let Some((stored, gap, effects)) = asked[(user.0 - first) as usize] else { return };
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let premises = Premises { policies, count_failed, opening_shown: None, only_known: gap == 0 };
            let holder = Holder::new(Rows { timeline, edits: &[] }, None, premises);
            if gap == 0 {
                return self.votes.add(&holder, &[]);
            }
            let found = explanations(&holder, stored, &effects);
            if let [only] = &found[..] {
                self.votes.add(&holder, &only.set);
            }
            match explained(found) {
                Some((explanation, explanations)) => self.found.push((user, explanation, explanations)),
                None => left.push(user),
            }
        })?;
        Ok(left)
    }
}

/// Explains the gaps of all users with a stored balance; `before` are settled users.
///
/// # Errors
/// [`ReplayError`] when the rows of usage cannot be read back.
pub fn explain_gaps(
    balances: &mut Balances,
    grounds: Grounds<'_>,
    before: &ExplainedBefore,
) -> Result<(), ReplayError> {
    for (user, explanation, explanations) in &before.found {
        fill(&mut balances.users[user.0 as usize], *explanation, explanations.clone());
    }
    let has_gap = |balance: &UserBalance| balance.gap.is_some_and(|gap| gap != 0);
    for balance in balances.users.iter_mut().filter(|balance| balance.gap == Some(0)) {
        balance.unexplained = Some(0);
        balance.explanation = Some(Explanation::NoneNeeded);
    }
    if !balances.users.iter().any(has_gap) {
        return Ok(());
    }
    let stage = Stage::new(grounds);
    let mut premises = Premises {
        policies: &grounds.setting.policies,
        count_failed: grounds.config.balances.count_failed_usage,
        opening_shown: None,
        only_known: false,
    };
    let (mut votes, mut leftovers) = (before.votes.clone(), Leftovers::new(grounds.books));
    let is_wanted =
        |balance: &UserBalance| !grounds.books.settled.has(balance.user) && stage.is_wanted(balance);
    let wanted: Vec<bool> = balances.users.iter().map(is_wanted).collect();
    stage.visit(&wanted, |user, own, pooled| {
        let balance = &mut balances.users[user.0 as usize];
        let Some(stored) = balance.stored else { return };
        let only_known = stored == balance.recomputed;
        let holder = Holder::new(own, pooled, Premises { only_known, ..premises });
        if only_known {
            votes.add(&holder, &[]);
            return;
        }
        let found = explanations(&holder, stored, &grounds.replayed.effects[user.0 as usize]);
        match &found[..] {
            [] => leftovers.add(&holder, stored),
            [only] => votes.add(&holder, &only.set),
            _ => {}
        }
        take(balance, found);
    })?;
    premises.opening_shown = leftovers.constant();
    let open: Vec<bool> =
        balances.users.iter().map(|balance| has_gap(balance) && balance.explanation.is_none()).collect();
    if !open.contains(&true) {
        return Ok(());
    }
    stage.visit(&open, |user, own, pooled| {
        let balance = &mut balances.users[user.0 as usize];
        let Some(stored) = balance.stored else { return };
        // Without something new only what is known can give a part.
        let only_known = premises.opening_shown.is_none();
        let holder = Holder::new(own, pooled, Premises { only_known, ..premises });
        let found = match premises.opening_shown {
            Some(_) => explanations(&holder, stored, &grounds.replayed.effects[user.0 as usize]),
            None => Vec::new(),
        };
        match found.is_empty() {
            true => take_part(balance, &holder, &votes),
            false => take(balance, found),
        }
    })
}

/// The replays that all holders are seen through.
struct Stage<'a> {
    grounds: Grounds<'a>,
    /// The setting without pools, where there are some.
    alone: Option<Setting>,
    own_edits: Edits,
    pool_edits: Edits,
}

impl<'a> Stage<'a> {
    fn new(grounds: Grounds<'a>) -> Stage<'a> {
        let Grounds { books, config, matched, setting, .. } = grounds;
        let own_edits = Edits::of(books, config, matched, &Holding::alone());
        let (mut pool_edits, mut alone) = (Edits::default(), None);
        if setting.holding.has_pools() {
            pool_edits = Edits::of(books, config, matched, &setting.holding);
            alone = Some(Setting { holding: Holding::alone(), ..setting.clone() });
        }
        Stage { grounds, alone, own_edits, pool_edits }
    }

    /// Has a gap, or could show that a policy or finding is not what stored balances follow.
    fn is_wanted(&self, balance: &UserBalance) -> bool {
        let at = balance.user.0 as usize;
        let could_have = self.grounds.replayed.effects[at] != PolicyEffects::default()
            || !self.own_edits.of_holder(balance.user).is_empty();
        balance.gap.is_some_and(|gap| gap != 0 || could_have)
    }

    /// Shows the wanted users with their own rows, and with those of their pool where that makes a
    /// difference.
    fn visit(
        &self,
        wanted: &[bool],
        mut see: impl FnMut(UserNo, Rows<'_>, Option<Rows<'_>>),
    ) -> Result<(), ReplayError> {
        let Grounds { books, log, setting, stop, .. } = self.grounds;
        let mut pools: HashMap<UserNo, Timeline> = HashMap::new();
        if self.alone.is_some() {
            // A row of the user's own that stands elsewhere may still be its first.
            let mut cuts = self.pool_edits.cuts(&setting.policies);
            cuts.extend(self.own_edits.cuts(&setting.policies));
            let replay = Replay::new(books, log, setting).cut_at(cuts);
            replay.visit(&[], |timeline| {
                if wanted[timeline.holder.0 as usize] {
                    pools.insert(timeline.holder, timeline.clone());
                }
            })?;
        }
        let alone = self.alone.as_ref().unwrap_or(setting);
        let replay = Replay::new(books, log, alone).cut_at(self.own_edits.cuts(&setting.policies));
        replay.visit(&[], |timeline| {
            let user = timeline.holder;
            if !wanted[user.0 as usize] || stop.load(Ordering::Relaxed) {
                return;
            }
            let own = Rows { timeline, edits: self.own_edits.of_holder(user) };
            let pooled =
                pools.get(&user).map(|timeline| Rows { timeline, edits: self.pool_edits.of_holder(user) });
            let differs =
                |pooled: &Rows<'_>| pooled.timeline.events != timeline.events || pooled.edits != own.edits;
            see(user, own, pooled.filter(differs));
        })
    }
}

/// A set of causes that gives the stored balance, with what each of them gives.
struct Found {
    set: Vec<Choosable>,
    shares: Vec<Cause>,
}

/// All sets of causes that give the stored balance, the one to be shown first. What all configured
/// policies together give is taken as they moved it, whatever each would do without the others.
fn explanations(holder: &Holder<'_>, stored: i128, policies: &PolicyEffects) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let is_whole = holder.plain + policies.sum() == stored;
    if is_whole {
        let moved = policies.by_cause().into_iter().filter(|(_, tokens)| *tokens != 0);
        let share = |(cause, tokens)| Cause { cause, why: Hypothesis::Configured, tokens };
        found.push(Found { set: holder.configured(), shares: moved.map(share).collect() });
    }
    let most = found.first().map(|found| found.shares.len());
    for set in sets(holder, stored, most) {
        let is_configured = set.iter().all(|option| option.possible.why == Hypothesis::Configured);
        let shares = holder.shares(&set);
        let is_known = is_whole && is_configured || found.iter().any(|other| other.shares == shares);
        if !is_known {
            found.push(Found { set, shares });
        }
    }
    found
}

/// All sets that give the stored balance, of at most so many causes where something does already.
fn sets(holder: &Holder<'_>, stored: i128, most: Option<usize>) -> Vec<Vec<Choosable>> {
    let found = holder.smallest_sets(stored, most);
    if !found.is_empty() || most.is_some() {
        return found;
    }
    single_findings(holder, stored)
}

/// Some findings of a class, with or without all that is configured.
fn single_findings(holder: &Holder<'_>, stored: i128) -> Vec<Vec<Choosable>> {
    let singles = holder.single_findings();
    let configured = holder.configured();
    let grounds = if configured.is_empty() { vec![Vec::new()] } else { vec![configured, Vec::new()] };
    let mut found: Vec<Vec<Choosable>> = Vec::new();
    let mut bits: Vec<u32> = (1..1u32 << singles.len()).collect();
    bits.sort_by_key(|bits| bits.count_ones());
    for bits in bits {
        if found.first().is_some_and(|first| first.len() < bits.count_ones() as usize) {
            break;
        }
        for ground in &grounds {
            let chosen = (0..singles.len()).filter(|at| bits >> at & 1 == 1).map(|at| singles[at]);
            let set: Vec<Choosable> = chosen.chain(ground.iter().copied()).collect();
            if holder.balance_of(&set) == stored {
                found.push(set);
            }
        }
    }
    found
}

/// Explained to the token, if anything was found.
fn take(balance: &mut UserBalance, found: Vec<Found>) {
    if let Some((explanation, explanations)) = explained(found) {
        fill(balance, explanation, explanations);
    }
}

/// What was found, if anything was.
fn explained(found: Vec<Found>) -> Option<(Explanation, Explanations)> {
    let explanation = match found.len() {
        0 => return None,
        1 => Explanation::Unique,
        _ => Explanation::Several,
    };
    let more = found.len() - 1;
    let mut shares = found.into_iter().map(|found| found.shares);
    let shown = shares.next().unwrap_or_default();
    let others = shares.take(LISTED).collect();
    Some((explanation, Explanations { shown, others, more }))
}

/// Not explained to the token: what configured policies and findings give, and a rest.
fn take_part(balance: &mut UserBalance, holder: &Holder<'_>, votes: &Votes) {
    let counted: Vec<Choosable> = holder
        .options
        .iter()
        .filter(|option| votes::counts(option.possible.why))
        .filter(|option| !votes.are_against(option.possible.cause))
        .copied()
        .collect();
    let mut shown = holder.shares(&counted);
    shown.retain(|share| share.tokens != 0);
    let explanation = if shown.is_empty() { Explanation::Unexplained } else { Explanation::Partial };
    fill(balance, explanation, Explanations { shown, ..Explanations::default() });
}

fn fill(balance: &mut UserBalance, explanation: Explanation, explanations: Explanations) {
    let mut rest = balance.gap.unwrap_or(0);
    let mut causes = [0; GapCause::COUNT];
    for share in &explanations.shown {
        causes[share.cause as usize] += share.tokens;
        rest -= share.tokens;
    }
    balance.causes = causes.into();
    balance.unexplained = Some(rest);
    balance.explanation = Some(explanation);
    balance.explained_by = explanations.into();
}
