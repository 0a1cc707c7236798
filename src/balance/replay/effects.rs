//! What the configured policies add to each user's sum of rows, cause by cause.

use std::ops::Range;

use super::below_zero::{BelowZero, Found, below_zero};
use super::movement::MovementKind;
use super::{HolderReplay, Replay, ReplayError, Timeline, What};
use crate::balance::GapCause;
use crate::domain::{Instant, UserNo};

/// What the policies add to a user's balance beyond the sum of the user's rows. The sum and the
/// effects together are the balance that stands at the user's row under the policies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PolicyEffects {
    /// Failed use that is counted by a policy other than that of the plain keys.
    pub failed_usage: i128,
    /// Opening tokens.
    pub opening: i128,
    /// Grants that replace the balance, and caps on what is carried over.
    pub reset: i128,
    /// A balance held at zero, and debt written off.
    pub clamp: i128,
    /// Unused parts of grants that ended.
    pub expiry: i128,
    /// Movements of others that stand here, less own ones that stand elsewhere.
    pub pool: i128,
}

impl PolicyEffects {
    /// By cause.
    pub fn by_cause(&self) -> [(GapCause, i128); 6] {
        [
            (GapCause::FailedUsage, self.failed_usage),
            (GapCause::Opening, self.opening),
            (GapCause::Reset, self.reset),
            (GapCause::Clamp, self.clamp),
            (GapCause::Expiry, self.expiry),
            (GapCause::Pool, self.pool),
        ]
    }

    /// All together.
    pub fn sum(&self) -> i128 {
        self.by_cause().iter().map(|(_, tokens)| tokens).sum()
    }

    fn of(replay: &HolderReplay) -> PolicyEffects {
        let total = |kind: MovementKind| replay.totals[kind.position()];
        let any = crate::domain::ActionNo(0);
        PolicyEffects {
            opening: total(MovementKind::Opening),
            reset: total(MovementKind::Reset) + total(MovementKind::RolledOver(any)),
            clamp: total(MovementKind::Clamped) + total(MovementKind::WrittenOff),
            expiry: total(MovementKind::Expired(any)),
            ..PolicyEffects::default()
        }
    }
}

/// All holders under the configured policies.
#[derive(Debug, Clone, Default)]
pub struct Replayed {
    /// What the policies add to each user's sum of rows.
    pub effects: Vec<PolicyEffects>,
    /// Balances that were below zero at some time, ascending by holder.
    pub below_zero: Vec<BelowZero>,
}

impl Replayed {
    /// Replays all holders. `plain_counts_failed`: failed use stands in the sum of rows.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn of(replay: &Replay<'_>, plain_counts_failed: bool) -> Result<Replayed, ReplayError> {
        Replayed::of_some(replay, plain_counts_failed, 0..replay.users(), |_| true)
    }

    /// Replays the holders of a range: [`Replayed::effects`] begin with its first. Nothing is told of those
    /// that are not asked for. Where there are pools the range has to be all users.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn of_some(
        replay: &Replay<'_>,
        plain_counts_failed: bool,
        users: Range<u32>,
        is_asked: impl Fn(UserNo) -> bool + Sync,
    ) -> Result<Replayed, ReplayError> {
        let parts = replay.visit_on_all_cores(users.clone(), Part::default, |part, timeline| {
            if !is_asked(timeline.holder) {
                return part.effects.push(PolicyEffects::default());
            }
            let done = timeline.replay(&replay.setting.policies);
            part.effects.push(PolicyEffects::of(&done));
            part.dips.extend(done.dip.map(|dip| (done.holder, done.balance, dip)));
            part.move_rows(timeline);
        })?;
        let mut whole = Part::default();
        for part in parts {
            whole.effects.extend(part.effects);
            whole.dips.extend(part.dips);
            whole.moved.extend(part.moved);
        }
        let Part { mut effects, dips, moved } = whole;
        moved.into_iter().for_each(|(user, tokens)| effects[user.0 as usize].pool += tokens);
        move_use(replay, plain_counts_failed, users, &mut effects)?;
        let below_zero = below_zero(replay, &dips)?;
        Ok(Replayed { effects, below_zero })
    }

    /// Puts in what was replayed before, of users that were not asked for here.
    pub fn put(&mut self, before: ReplayedBefore) {
        for (user, effects) in before.effects {
            self.effects[user.0 as usize] = effects;
        }
        self.below_zero.extend(before.below_zero);
        self.below_zero.sort_by_key(|below| below.holder);
    }
}

/// What is left of replays of single holders.
#[derive(Debug, Clone, Default)]
pub struct ReplayedBefore {
    /// Where policies add something.
    pub effects: Vec<(UserNo, PolicyEffects)>,
    /// Balances that were below zero at some time.
    pub below_zero: Vec<BelowZero>,
}

/// What one thread found, in the order of the holders.
#[derive(Debug, Default)]
struct Part {
    effects: Vec<PolicyEffects>,
    dips: Vec<Found>,
    /// What rows in pools move, by user.
    moved: Vec<(UserNo, i128)>,
}

impl Part {
    /// Grants and deductions that stand at another user's row.
    fn move_rows(&mut self, timeline: &Timeline) {
        for event in &timeline.events {
            let (row, sign) = match event.what {
                What::Grant(row) => (row, 1),
                What::Deduction(row) => (row, -1),
                What::Mark | What::Joined | What::Use(_) => continue,
            };
            if row.user != timeline.holder {
                let tokens = sign * i128::from(row.tokens);
                self.moved.extend([(row.user, -tokens), (timeline.holder, tokens)]);
            }
        }
    }
}

/// Use that stands at another user's row, and failed use that the sum of rows treats otherwise.
fn move_use(
    replay: &Replay<'_>,
    plain_counts_failed: bool,
    users: Range<u32>,
    effects: &mut [PolicyEffects],
) -> Result<(), ReplayError> {
    let setting = replay.setting;
    let counts = |at: Instant| setting.policies.at(at).count_failed_usage;
    let differs =
        setting.policies.all().iter().any(|policy| policy.count_failed_usage != plain_counts_failed);
    if !setting.holding.has_pools() && !differs {
        return Ok(());
    }
    let first = users.start;
    replay.log.for_each_chunk_of(users.clone(), &mut |events| {
        // A part of the log may have neighbours too.
        for event in events.iter().filter(|event| users.contains(&event.user.0)) {
            let tokens = i128::from(event.tokens);
            let counted = !event.failed || counts(event.at);
            let in_sum = !event.failed || plain_counts_failed;
            effects[(event.user.0 - first) as usize].failed_usage += match (counted, in_sum) {
                (true, false) => -tokens,
                (false, true) => tokens,
                _ => 0,
            };
            let holder: UserNo = setting.holding.holder(event.user, event.at);
            if counted && holder != event.user {
                effects[(event.user.0 - first) as usize].pool += tokens;
                effects[(holder.0 - first) as usize].pool -= tokens;
            }
        }
    })?;
    Ok(())
}
