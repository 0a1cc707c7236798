//! One user: an honest history, with room between its grants.
//!
//! Grants and deductions of a user lie at least three days apart unless a defect puts them together,
//! so that nothing is within the window of anything else and what is true follows from the rule book.
//! Every grant that arrived pays for the usage after it: no balance falls below zero by itself.

use super::calendar::{Calendar, DAY, SECOND, moment};
use super::defect::Defect;
use super::random::Random;
use super::rows::{Fate, LegacyRow, Movement, Other, Truth, UnifiedRow, Usage};
use super::usage;

/// Least time between what has nothing to do with each other.
const APART: i64 = 3 * DAY;

/// Tokens at sign-up.
pub(super) const TRIAL_TOKENS: i64 = 50_000;

/// How long a trial lasts, where the configuration says so.
pub(super) const TRIAL_LASTS: i64 = 56 * DAY;

/// What the configuration of the ledger says about balances.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Policies {
    /// Default tokens at sign-up.
    pub(super) opening: bool,
    /// Subscription grants replace the balance.
    pub(super) reset: bool,
    /// A balance stops at zero.
    pub(super) clamp: bool,
    /// A trial ends after 56 days.
    pub(super) expiry: bool,
    /// Households share their tokens.
    pub(super) pools: bool,
}

/// What all users have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct World {
    pub(super) calendar: Calendar,
    pub(super) policies: Policies,
    /// Usage rows after each grant, on average.
    pub(super) usage_rows: i64,
    /// The legacy table has payment ids.
    pub(super) legacy_payments: bool,
}

/// A grant that the plan has in store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) at: i64,
    pub(super) movement: Movement,
    pub(super) tokens: i64,
}

/// Everything about one user.
#[derive(Debug)]
pub(super) struct User {
    pub(super) id: u128,
    pub(super) world: World,
    pub(super) random: Random,
    /// Copies of this user's rows name their legacy row.
    linked: bool,
    pub(super) signup: i64,
    /// What the 28-day plan grants.
    pub(super) plan_tokens: i64,
    pub(super) schedule: Vec<Planned>,
    taken: Vec<i64>,
    /// Quarters of average usage.
    appetite: i64,
    /// Percent of a grant that may be used.
    pub(super) budget_percent: i64,
    pub(super) legacy: Vec<LegacyRow>,
    pub(super) unified: Vec<UnifiedRow>,
    pub(super) usage: Vec<Usage>,
    /// Positions of honest pairs.
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) truth: Vec<Truth>,
    /// What the product stores: what was really granted, deducted and used.
    pub(super) stored: i64,
    /// A gap that nothing explains.
    pub(super) unexplained: i64,
    /// The stored balance stands in two rows.
    pub(super) two_profiles: bool,
    pub(super) others: Vec<Other>,
    pub(super) household: Option<u128>,
    pub(super) planted: Vec<Defect>,
}

impl User {
    pub(super) fn new(world: World, mut random: Random) -> User {
        let id = random.uuid();
        let linked = random.chance(0.5);
        let signup = world.calendar.sign_up(&mut random);
        User {
            id,
            world,
            linked,
            signup,
            plan_tokens: random.one_of(&[100_000, 250_000, 250_000, 1_000_000]),
            schedule: Vec::new(),
            taken: Vec::new(),
            appetite: usage::appetite(&mut random),
            // Where a subscription replaces the balance, a pack is gone at the next one: whoever used
            // more than a little would fall below zero.
            budget_percent: if world.policies.reset { 2 } else { 90 },
            random,
            legacy: Vec::new(),
            unified: Vec::new(),
            usage: Vec::new(),
            pairs: Vec::new(),
            truth: Vec::new(),
            stored: 0,
            unexplained: 0,
            two_profiles: false,
            others: Vec::new(),
            household: None,
            planted: Vec::new(),
        }
    }

    pub(super) fn as_of(&self) -> i64 {
        self.world.calendar.as_of
    }

    /// A time of the user's life before the bulk copy, with room around it.
    pub(super) fn room(&mut self) -> i64 {
        let end = self.world.calendar.stamp - 5 * DAY;
        let from = (self.signup + DAY).min(end - DAY);
        for _ in 0..8 {
            let wanted = moment(&mut self.random, from, end);
            if self.is_free(wanted) {
                self.taken.push(wanted);
                return wanted;
            }
        }
        let wanted = moment(&mut self.random, from, end);
        self.room_before(wanted)
    }

    /// The latest time up to `wanted` with room around it; the account may be older than the ledger.
    pub(super) fn room_before(&mut self, mut wanted: i64) -> i64 {
        while !self.is_free(wanted) {
            wanted -= APART / 2 + self.random.between(0, APART);
        }
        self.taken.push(wanted);
        wanted
    }

    /// A time from `from` on with room around it, if the ledger lasts so long.
    fn room_after(&mut self, from: i64) -> Option<i64> {
        let end = self.as_of() - 2 * DAY;
        for _ in 0..8 {
            if from >= end {
                return None;
            }
            let wanted = moment(&mut self.random, from, end);
            if self.is_free(wanted) {
                self.taken.push(wanted);
                return Some(wanted);
            }
        }
        None
    }

    pub(super) fn is_free(&self, at: i64) -> bool {
        self.taken.iter().all(|taken| (taken - at).abs() >= APART)
    }

    /// Nothing else may happen around this time.
    pub(super) fn take(&mut self, at: i64) {
        self.taken.push(at);
    }

    pub(super) fn legacy_row(&mut self, movement: Movement, tokens: i64, at: i64) -> usize {
        self.legacy.push(LegacyRow {
            id: self.random.uuid(),
            movement,
            tokens: Some(tokens),
            at: Some(at),
            has_user: true,
            payment: None,
            contrary_sign: false,
            fate: Fate::of(""),
        });
        self.legacy.len() - 1
    }

    pub(super) fn unified_row(&mut self, movement: Movement, tokens: i64, at: i64) -> usize {
        self.unified.push(UnifiedRow {
            id: self.random.uuid(),
            other: None,
            action: movement.action(),
            tokens,
            at,
            failed: false,
            migrated: false,
            link: None,
            payment: None,
            fate: Fate::of(""),
        });
        self.unified.len() - 1
    }

    /// The two rows stand for one grant.
    pub(super) fn pair(&mut self, legacy: usize, unified: usize) {
        self.legacy[legacy].fate = Fate { partner: Some(unified as u32), ..Fate::of("paired") };
        self.unified[unified].fate = Fate { partner: Some(legacy as u32), ..Fate::of("paired") };
    }

    /// A legacy row and its marked copy, as the historical copy made them; the balance knows it.
    pub(super) fn copied(&mut self, movement: Movement, tokens: i64, at: i64) -> (usize, usize) {
        let legacy = self.legacy_row(movement, tokens, at);
        let unified = self.unified_row(movement, tokens, at);
        self.unified[unified].migrated = true;
        self.stored += movement.signed(tokens);
        if movement == Movement::Pack {
            let payment = Some(self.random.next());
            self.legacy[legacy].payment = payment.filter(|_| self.world.legacy_payments);
            self.unified[unified].payment = payment;
        }
        self.pair(legacy, unified);
        (legacy, unified)
    }

    /// What really happened at that time, written as it was written then.
    fn honest(&mut self, movement: Movement, tokens: i64, at: i64) {
        if at < self.world.calendar.dual_write {
            let (legacy, unified) = self.copied(movement, tokens, at);
            if self.linked {
                self.unified[unified].link = Some(self.legacy[legacy].id);
            }
            self.pairs.push((legacy, unified));
            return;
        }
        self.stored += movement.signed(tokens);
        let is_dual = matches!(movement, Movement::Renewal | Movement::Annual | Movement::Deduction);
        if is_dual {
            let legacy = self.legacy_row(movement, tokens, at);
            // Two inserts of one function: some milliseconds, seldom half a second.
            let drift = self.random.between(200, 9_000) << self.random.between(0, 7);
            let unified = self.unified_row(movement, tokens, at + drift.min(SECOND));
            self.pair(legacy, unified);
            self.pairs.push((legacy, unified));
        } else {
            let unified = self.unified_row(movement, tokens, at);
            self.unified[unified].fate = Fate::of("unified_only");
            if movement == Movement::Pack {
                self.unified[unified].payment = Some(self.random.next());
            }
        }
    }

    /// A grant at a time that is taken already, and the usage that it pays for.
    pub(super) fn grant(&mut self, movement: Movement, tokens: i64, at: i64, share: i64) {
        self.honest(movement, tokens, at);
        let most = 2 * self.world.usage_rows * self.appetite * share / 4;
        let rows = self.random.between(0, most + 1);
        let budget = tokens * self.budget_percent / 100;
        let reach = usage::reach(at, self.as_of());
        let first = self.usage.len();
        usage::spend(&mut self.random, reach, rows, budget, &mut self.usage);
        let used: i64 = self.usage[first..].iter().filter(|row| !row.failed).map(|row| row.tokens).sum();
        self.stored -= used;
    }

    /// The next times of the plan: renewals on the day of the month that 28 days make, or years.
    pub(super) fn subscribe(&mut self) {
        let first = self.signup + 7 * DAY + self.random.between(0, 7 * DAY);
        let (movement, tokens, step) = match self.random.between(0, 10) {
            0..5 => (Movement::Renewal, self.plan_tokens, 28 * DAY),
            5..7 => (Movement::Annual, self.random.one_of(&[3_000_000, 5_000_000, 12_000_000]), 365 * DAY),
            _ => return,
        };
        let mut due = first;
        while due < self.as_of() - 3 * DAY {
            // The job that renews works off its queue.
            let at = due + self.random.between(0, 40 * SECOND);
            self.take(at);
            self.schedule.push(Planned { at, movement, tokens });
            if movement == Movement::Renewal && self.random.chance(0.04) {
                return;
            }
            due += step;
        }
    }

    /// A grant of the plan for a defect to spoil, or one like it at a time of its own.
    pub(super) fn planned(&mut self) -> Planned {
        let end = self.world.calendar.stamp - 5 * DAY;
        let count = self.schedule.iter().take_while(|planned| planned.at < end).count();
        if count > 0 {
            let at = self.random.between(0, count as i64) as usize;
            return self.schedule.remove(at);
        }
        Planned { at: self.room(), movement: Movement::Renewal, tokens: self.plan_tokens }
    }

    /// What is left of the plan.
    pub(super) fn live_plan(&mut self) {
        for planned in std::mem::take(&mut self.schedule) {
            let share = if planned.movement == Movement::Annual { 4 } else { 1 };
            self.grant(planned.movement, planned.tokens, planned.at, share);
        }
    }

    /// Packs, bought when tokens ran out.
    pub(super) fn buy_packs(&mut self, count: i64) {
        for _ in 0..count {
            let tokens = self.random.one_of(&[100_000, 100_000, 500_000, 1_200_000]);
            if let Some(at) = self.room_after(self.signup + DAY) {
                self.grant(Movement::Pack, tokens, at, 1);
            }
        }
    }

    /// The welcome grant, plan, packs, gifts and deductions.
    pub(super) fn live(&mut self) {
        self.grant(Movement::Trial, TRIAL_TOKENS, self.signup, 1);
        self.live_plan();
        let packs = self.random.between(0, 3);
        self.buy_packs(packs);
        if self.random.chance(0.15) {
            let tokens = 5_000 * self.random.between(1, 11);
            if let Some(at) = self.room_after(self.signup + DAY) {
                self.grant(Movement::Adjustment, tokens, at, 1);
            }
        }
        // The welcome grant leaves a tenth unused, more than is deducted; where it has ended by then, that is
        // a finding.
        if self.random.chance(0.1)
            && let Some(at) = self.room_after(self.signup + DAY)
        {
            let tokens = self.random.between(500, 2_000);
            self.honest(Movement::Deduction, tokens, at);
        }
    }

    /// The user's own successful usage.
    pub(super) fn used(&self) -> i64 {
        self.usage.iter().filter(|row| row.other.is_none() && !row.failed).map(|row| row.tokens).sum()
    }

    /// The user's own failed usage.
    pub(super) fn failed(&self) -> i64 {
        self.usage.iter().filter(|row| row.other.is_none() && row.failed).map(|row| row.tokens).sum()
    }
}
