//! The possible causes of one holder's gap, and what each set of them gives.

use std::collections::BTreeMap;

use super::super::GapCause;
use super::super::replay::{Policies, Policy, Timeline};
use super::edit::Edit;
use super::hypothesis::{Cause, Hypothesis};
use super::search::{Possible, smallest_sets};
use super::world::{Choice, World};
use crate::config::Floor;

/// A holder with more findings than this has one bit a class, not one a finding.
const MOST_BITS: usize = 24;
/// So many columns are of findings, and they come first.
const COLUMNS_OF_FINDINGS: usize = 7;
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

/// One finding: its cause, and its bit as in [`Choosable`].
type Single = (GapCause, u32);

/// A possible cause with what it takes to choose it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choosable {
    pub possible: Possible,
    /// Bits of its findings.
    bits: u32,
    /// What it gives alone.
    pub effect: i128,
}

/// Bits of the findings of one holder: the same in both ways of holding.
struct Bits<'e> {
    edits: [&'e [Edit]; 2],
    /// Those that have a bit each, ascending; `None` where they are too many.
    findings: Option<Vec<u32>>,
}

impl<'e> Bits<'e> {
    fn new(own: &'e [Edit], pooled: &'e [Edit]) -> Bits<'e> {
        let mut findings: Vec<u32> = own.iter().chain(pooled).map(|edit| edit.finding).collect();
        findings.sort_unstable();
        findings.dedup();
        Bits { edits: [own, pooled], findings: (findings.len() <= MOST_BITS).then_some(findings) }
    }

    fn all(&self) -> impl Iterator<Item = &'e Edit> {
        let [own, pooled] = self.edits;
        own.iter().chain(pooled)
    }

    fn bit(&self, edit: &Edit) -> u32 {
        match &self.findings {
            Some(findings) => 1 << findings.partition_point(|finding| *finding < edit.finding),
            None => {
                let why = Hypothesis::OF_FINDINGS.iter().position(|why| *why == edit.why);
                1 << (edit.cause as usize + why.unwrap_or(0) * COLUMNS_OF_FINDINGS)
            }
        }
    }

    fn of(&self, cause: GapCause, why: Hypothesis) -> u32 {
        let own = |edit: &&Edit| (edit.cause, edit.why) == (cause, why);
        self.all().filter(own).fold(0, |bits, edit| bits | self.bit(edit))
    }

    /// The findings one by one in their order; none where there are too many.
    fn singles(&self) -> Vec<Single> {
        if self.findings.is_none() {
            return Vec::new();
        }
        let findings = self.all().filter(|edit| edit.why == Hypothesis::Findings);
        let singles: BTreeMap<u32, Single> =
            findings.map(|edit| (edit.finding, (edit.cause, self.bit(edit)))).collect();
        singles.into_values().collect()
    }
}

/// The rows of a holder in one way of holding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub timeline: &'a Timeline,
    pub edits: &'a [Edit],
}

impl<'p> Holder<'p> {
    pub fn new(own: Rows<'_>, pooled: Option<Rows<'_>>, premises: Premises<'p>) -> Holder<'p> {
        let bits = Bits::new(own.edits, pooled.map_or(&[], |rows| rows.edits));
        let world = |rows: Rows<'_>| {
            let Premises { policies, count_failed, .. } = premises;
            World::new(rows.timeline, rows.edits, own.edits, |edit| bits.bit(edit), policies, count_failed)
        };
        let (pooled, own) = (pooled.map(world), world(own));
        let plain = own.balance(&Choice::default());
        let mut holder = Holder { own, pooled, options: Vec::new(), plain, singles: bits.singles() };
        for (cause, why) in holder.candidates(premises) {
            if premises.only_known && !why.is_known() {
                continue;
            }
            let of_findings = bits.of(cause, why);
            if !why.is_of_findings() || of_findings != 0 {
                holder.options.push(holder.choosable(cause, why, of_findings));
            }
        }
        holder.drop_what_never_matters();
        holder
    }

    fn choosable(&self, cause: GapCause, why: Hypothesis, bits: u32) -> Choosable {
        let adds = match cause {
            GapCause::Reset | GapCause::Clamp | GapCause::Expiry | GapCause::Pool => false,
            // A row that comes in first moves the sign-up to where another number may be given.
            GapCause::Opening => why != Hypothesis::Configured || !self.own.opening_depends_on_findings(),
            // Failed use that the sum has in it is use that may never have been taken off.
            GapCause::FailedUsage | GapCause::UsageNotDeducted => !self.own.sums_failed_use(),
            _ => true,
        };
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
        for why in [Hypothesis::Pending, Hypothesis::Late] {
            let causes = [GapCause::Unmigrated, GapCause::Deduction, GapCause::Orphan];
            found.extend(causes.map(|cause| (cause, why)));
        }
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
        let world = self.pooled.as_ref().filter(|_| is_pooled).unwrap_or(&self.own);
        let choice = set.iter().fold(Choice::default(), |choice, option| {
            choice.with(option.possible.cause, option.possible.why, option.bits)
        });
        world.balance(&choice)
    }

    /// The smallest sets of options that give the stored balance, of at most so many causes.
    pub fn smallest_sets(&self, stored: i128, most: Option<usize>) -> Vec<Vec<Choosable>> {
        let possible: Vec<Possible> = self.options.iter().map(|option| option.possible).collect();
        let chosen = |set: &[usize]| set.iter().map(|&at| self.options[at]).collect::<Vec<Choosable>>();
        let added = |set: &[usize]| self.plain + set.iter().map(|&at| self.options[at].effect).sum::<i128>();
        let found =
            smallest_sets(&possible, stored, most, added, |set: &[usize]| self.balance_of(&chosen(set)));
        found.iter().map(|set| chosen(set)).collect()
    }

    /// Each finding as an option of its own, where a class has several and there are few.
    pub fn single_findings(&self) -> Vec<Choosable> {
        let mut singles = Vec::new();
        for option in self.options.iter().filter(|option| option.possible.why == Hypothesis::Findings) {
            let own = self.singles.iter().filter(|(cause, _)| *cause == option.possible.cause);
            singles.extend(own.map(|(cause, bit)| self.choosable(*cause, Hypothesis::Findings, *bit)));
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
