//! The possible causes of one holder's gap, and what each set of them gives.

use std::collections::BTreeMap;

use super::super::GapCause;
use super::super::replay::{Policies, Policy, Timeline};
use super::edit::Edit;
use super::hypothesis::{Cause, Hypothesis};
use super::search::Possible;
use super::world::{Choice, World};
use crate::config::Floor;

/// A holder with more findings than this has one bit a class, not one a finding.
const MOST_BITS: usize = 24;
/// Findings are looked at one by one where there are at most so many.
pub(super) const MOST_SINGLE: usize = 10;

/// What belongs to all holders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Premises<'p> {
    /// The configured policies.
    pub policies: &'p Policies,
    /// The sum of the rows has failed use in it.
    pub count_failed: bool,
    /// Opening tokens that the data show although no policy knows them.
    pub opening_shown: Option<i64>,
    /// Only what is configured or found is of interest, not what else could be.
    pub only_known: bool,
}

/// One holder.
#[derive(Debug)]
pub(super) struct Holder<'p> {
    own: World<'p>,
    /// With the rows of all members of the pool that it owns, or without those of its own that
    /// stand in a pool.
    pooled: Option<World<'p>>,
    /// Those that can matter, by column; of one column the configured first.
    pub options: Vec<Choosable>,
    /// The sum of its own rows.
    pub plain: i128,
    /// Each finding, where they are few.
    singles: Vec<Single>,
}

/// One finding: its cause, and its bits as in [`Choosable`].
type Single = (GapCause, [u32; 2]);

/// A possible cause with what it takes to choose it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choosable {
    pub possible: Possible,
    /// Bits of its findings among the holder's own, and among the pool's.
    bits: [u32; 2],
    /// What it gives alone.
    pub effect: i128,
}

/// Bits of the findings of one holder.
struct Bits<'e> {
    edits: &'e [Edit],
    single: bool,
}

impl<'e> Bits<'e> {
    fn new(edits: &'e [Edit]) -> Bits<'e> {
        let mut findings: Vec<u32> = edits.iter().map(|edit| edit.finding).collect();
        findings.sort_unstable();
        findings.dedup();
        Bits { edits, single: findings.len() <= MOST_BITS }
    }

    fn bit(&self, edit: &Edit) -> u32 {
        if !self.single {
            let uncounted = u32::from(edit.why == Hypothesis::Uncounted) * GapCause::COUNT as u32;
            return 1 << (edit.cause as u32 + uncounted);
        }
        let earlier = self.edits.iter().take_while(|other| other.finding != edit.finding);
        let mut seen: Vec<u32> = earlier.map(|other| other.finding).collect();
        seen.dedup();
        seen.sort_unstable();
        seen.dedup();
        1 << seen.len()
    }

    fn of(&self, cause: GapCause, why: Hypothesis) -> u32 {
        let own = |edit: &&Edit| (edit.cause, edit.why) == (cause, why);
        self.edits.iter().filter(own).fold(0, |bits, edit| bits | self.bit(edit))
    }
}

/// The findings of both ways of holding, one by one in their order; none where there are too many.
fn singles(bits: &[Bits<'_>; 2]) -> Vec<Single> {
    if bits.iter().any(|bits| !bits.single) {
        return Vec::new();
    }
    let mut singles: BTreeMap<u32, Single> = BTreeMap::new();
    for (side, bits) in bits.iter().enumerate() {
        for edit in bits.edits.iter().filter(|edit| edit.why == Hypothesis::Findings) {
            let (_, own) = singles.entry(edit.finding).or_insert((edit.cause, [0, 0]));
            own[side] |= bits.bit(edit);
        }
    }
    singles.into_values().collect()
}

/// The rows of a holder in one way of holding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub timeline: &'a Timeline,
    pub edits: &'a [Edit],
}

impl<'p> Holder<'p> {
    pub fn new(own: Rows<'_>, pooled: Option<Rows<'_>>, premises: Premises<'p>) -> Holder<'p> {
        let bits = [Some(own), pooled].map(|rows| Bits::new(rows.map_or(&[], |rows| rows.edits)));
        let world = |rows: Rows<'_>, bits: &Bits<'_>| {
            World::new(
                rows.timeline,
                rows.edits,
                |edit| bits.bit(edit),
                premises.policies,
                premises.count_failed,
            )
        };
        let own = world(own, &bits[0]);
        let pooled = pooled.map(|rows| world(rows, &bits[1]));
        let plain = own.balance(&Choice::default());
        let mut holder = Holder { own, pooled, options: Vec::new(), plain, singles: singles(&bits) };
        for (cause, why) in holder.candidates(premises) {
            if premises.only_known && !why.is_known() {
                continue;
            }
            let of_findings = bits.each_ref().map(|bits| bits.of(cause, why));
            if !why.is_of_findings() || of_findings != [0, 0] {
                holder.options.push(holder.choosable(cause, why, of_findings));
            }
        }
        holder.drop_what_never_matters();
        holder
    }

    fn choosable(&self, cause: GapCause, why: Hypothesis, bits: [u32; 2]) -> Choosable {
        let adds = !matches!(cause, GapCause::Reset | GapCause::Clamp | GapCause::Expiry | GapCause::Pool);
        let mut choosable = Choosable { possible: Possible { cause, why, adds }, bits, effect: 0 };
        choosable.effect = self.balance_of(&[choosable]) - self.plain;
        choosable
    }

    /// By column.
    fn candidates(&self, premises: Premises<'_>) -> Vec<(GapCause, Hypothesis)> {
        let mut found: Vec<(GapCause, Hypothesis)> = Vec::new();
        let findings = GapCause::ALL.into_iter().filter(|cause| cause.is_of_findings());
        found.extend(findings.map(|cause| (cause, Hypothesis::Findings)));
        found.extend([GapCause::Unmigrated, GapCause::Deduction].map(|cause| (cause, Hypothesis::Uncounted)));
        let policies = premises.policies.all();
        if policies.iter().any(|policy| policy.count_failed_usage != premises.count_failed) {
            found.push((GapCause::FailedUsage, Hypothesis::Configured));
        }
        found.push((GapCause::FailedUsage, Hypothesis::FailedAgainstPolicy));
        found.push((GapCause::UsageNotDeducted, Hypothesis::NotDeducted));
        if policies.iter().any(|policy| policy.opening_tokens != 0) {
            found.push((GapCause::Opening, Hypothesis::Configured));
        }
        found.extend(
            premises.opening_shown.map(|tokens| (GapCause::Opening, Hypothesis::OpeningShown(tokens))),
        );
        let actions = self.own.granted_actions();
        let is_capped = |policy: &Policy| policy.rollover.iter().any(Option::is_some);
        if policies.iter().any(|policy| policy.resets.contains(&true) || is_capped(policy)) {
            found.push((GapCause::Reset, Hypothesis::Configured));
        }
        found.extend(actions.iter().map(|&action| (GapCause::Reset, Hypothesis::ResetBy(action))));
        if actions.len() > 1 {
            found.push((GapCause::Reset, Hypothesis::ResetByAll));
        }
        if policies.iter().any(|policy| policy.floor != Floor::Debt) {
            found.push((GapCause::Clamp, Hypothesis::Configured));
        }
        if policies.iter().any(|policy| policy.floor != Floor::Clamp) {
            found.push((GapCause::Clamp, Hypothesis::HeldAtZero));
        }
        if self.own.has_ends() || self.pooled.as_ref().is_some_and(World::has_ends) {
            found.push((GapCause::Expiry, Hypothesis::Configured));
            found.push((GapCause::Expiry, Hypothesis::ExpiredAtFaceValue));
        }
        if self.pooled.is_some() {
            found.push((GapCause::Pool, Hypothesis::Configured));
        }
        found.sort_by_key(|(cause, _)| *cause as usize);
        found
    }

    /// What an option changes on top of others, those aside that it excludes.
    fn effect_on(&self, ground: &[Choosable], option: &Choosable) -> i128 {
        let is_other = |other: &&Choosable| {
            !other.possible.excludes(&option.possible) && other.possible != option.possible
        };
        let without: Vec<Choosable> = ground.iter().filter(is_other).copied().collect();
        let with: Vec<Choosable> = without.iter().copied().chain([*option]).collect();
        self.balance_of(&with) - self.balance_of(&without)
    }

    /// What changes nothing alone, nor on top of all that is configured, of all findings, of both, of the pool,
    /// or, where rows meet, of anything else, is no cause; and what does everywhere the same as what is
    /// configured is that.
    fn drop_what_never_matters(&mut self) {
        let grounds = self.grounds();
        let mut kept: Vec<(Choosable, Vec<i128>)> = Vec::new();
        for option in &self.options {
            let effects: Vec<i128> = grounds.iter().map(|ground| self.effect_on(ground, option)).collect();
            let is_something = effects.iter().any(|effect| *effect != 0);
            let same = |(other, theirs): &(Choosable, Vec<i128>)| {
                other.possible.excludes(&option.possible) && *theirs == effects && is_something
            };
            if (is_something || self.matters_with_another(option)) && !kept.iter().any(same) {
                kept.push((*option, effects));
            }
        }
        self.options = kept.into_iter().map(|(option, _)| option).collect();
    }

    /// What every option is tried on.
    fn grounds(&self) -> Vec<Vec<Choosable>> {
        let configured = self.configured();
        let findings = self.all_of(|why| why == Hypothesis::Findings);
        let both: Vec<Choosable> = configured.iter().chain(&findings).copied().collect();
        let pool: Vec<Choosable> = self.pool().into_iter().collect();
        let mut grounds = vec![Vec::new(), configured, findings.clone(), both];
        if !pool.is_empty() {
            grounds.extend([pool.clone(), pool.into_iter().chain(findings).collect()]);
        }
        grounds
    }

    fn pool(&self) -> Option<Choosable> {
        self.options.iter().find(|option| option.possible.cause == GapCause::Pool).copied()
    }

    /// The option changes something on top of one other. What only adds does not where it does nothing alone,
    /// but for findings, whose rows may be of another action, and in a pool, which has other rows.
    fn matters_with_another(&self, option: &Choosable) -> bool {
        let Possible { why, adds, .. } = option.possible;
        if adds && self.pooled.is_none() && !why.is_of_findings() {
            return false;
        }
        let pool = self.pool();
        self.options.iter().any(|other| {
            let both: Vec<Choosable> = pool.into_iter().chain([*other]).collect();
            self.effect_on(&[*other], option) != 0 || pool.is_some() && self.effect_on(&both, option) != 0
        })
    }

    /// All policies that are configured and can matter.
    pub fn configured(&self) -> Vec<Choosable> {
        self.all_of(|why| why == Hypothesis::Configured)
    }

    fn all_of(&self, wanted: fn(Hypothesis) -> bool) -> Vec<Choosable> {
        self.options.iter().filter(|option| wanted(option.possible.why)).copied().collect()
    }

    /// The balance if the stored one is kept in this way.
    pub fn balance_of(&self, set: &[Choosable]) -> i128 {
        let is_pooled = set.iter().any(|option| option.possible.cause == GapCause::Pool);
        let (world, side) = match &self.pooled {
            Some(pooled) if is_pooled => (pooled, 1),
            _ => (&self.own, 0),
        };
        let choice = set.iter().fold(Choice::default(), |choice, option| {
            choice.with(option.possible.cause, option.possible.why, option.bits[side])
        });
        world.balance(&choice)
    }

    /// The same for positions of the options, without a replay where effects add up.
    pub fn balance_of_positions(&self, set: &[usize]) -> i128 {
        if set.iter().all(|&at| self.options[at].possible.adds) {
            return self.plain + set.iter().map(|&at| self.options[at].effect).sum::<i128>();
        }
        let set: Vec<Choosable> = set.iter().map(|&at| self.options[at]).collect();
        self.balance_of(&set)
    }

    /// Each finding as an option of its own, where a class has several and there are few.
    pub fn single_findings(&self) -> Vec<Choosable> {
        let mut singles = Vec::new();
        for option in self.options.iter().filter(|option| option.possible.why == Hypothesis::Findings) {
            let own = self.singles.iter().filter(|(cause, _)| *cause == option.possible.cause);
            singles.extend(own.map(|(cause, bits)| self.choosable(*cause, Hypothesis::Findings, *bits)));
        }
        let several = singles.windows(2).any(|pair| pair[0].possible.cause == pair[1].possible.cause);
        if several && singles.len() <= MOST_SINGLE { singles } else { Vec::new() }
    }

    /// What each cause of a set gives, in the order of the columns: the change of the balance when
    /// it comes on top of those before it. They add up to what the set gives.
    pub fn shares(&self, set: &[Choosable]) -> Vec<Cause> {
        let mut sorted = set.to_vec();
        sorted.sort_by_key(|option| option.possible.cause as usize);
        let mut shares: Vec<Cause> = Vec::new();
        let mut before = self.plain;
        for length in 1..=sorted.len() {
            let Possible { cause, why, .. } = sorted[length - 1].possible;
            let balance = self.balance_of(&sorted[..length]);
            let tokens = balance - before;
            before = balance;
            match shares.last_mut() {
                Some(last) if (last.cause, last.why) == (cause, why) => last.tokens += tokens,
                _ => shares.push(Cause { cause, why, tokens }),
            }
        }
        shares
    }
}
