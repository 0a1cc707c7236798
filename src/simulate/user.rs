//! One user: an honest history, with room between its grants.
//!
//! Grants and deductions of a user lie at least three days apart unless a defect puts them together,
//! so that nothing is within the window of anything else and what is true follows from the rule book.
//! Every grant that arrived pays for the usage after it: no balance falls below zero by itself.

use super::random::Random;
use super::rows::{LegacyRow, Movement, Truth, UnifiedRow, civil};

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const HOUR: i64 = 3_600 * SECOND;
pub(super) const DAY: i64 = 24 * HOUR;

/// 2026-09-01T00:00:00Z, `as_of` of the configuration.
pub(super) const AS_OF: i64 = 1_788_220_800 * SECOND;

/// Least time between what has nothing to do with each other.
const APART: i64 = 3 * DAY;

/// Times that all users share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    /// First day of the ledger.
    pub(super) start: i64,
    /// Since then both tables are written by the application; before, rows were copied.
    pub(super) dual_write: i64,
    /// When the bulk copy was made.
    pub(super) stamp: i64,
    months: i64,
}

impl Calendar {
    pub(super) fn new(months: u32) -> Calendar {
        let span = i64::from(months) * 30 * DAY;
        let start = AS_OF - span;
        let stamp = AS_OF - 20 * DAY + 7 * HOUR + 123_456;
        Calendar { start, dual_write: start + span * 6 / 10, stamp, months: i64::from(months) }
    }

    /// Are amounts of this time stored negative? They were, then they were not, then they were again.
    pub(super) fn is_negative_era(&self, at: i64) -> bool {
        let before = month_of(AS_OF) - month_of(at);
        before * 3 / self.months != 1
    }
}

/// Month of a time, counted from year 0.
pub(super) fn month_of(at: i64) -> i64 {
    let (year, month, _) = civil(at.div_euclid(DAY));
    year * 12 + month - 1
}

/// Usage: who, what, how much, when, and did it work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) id: u128,
    pub(super) action: &'static str,
    pub(super) tokens: i64,
    pub(super) at: i64,
    pub(super) failed: bool,
}

/// What the application uses tokens for.
const USAGES: [&str; 6] = [
    "chat_conversation",
    "vision_generation",
    "image_generation",
    "audio_generation",
    "transcription",
    "assessment_scoring",
];

/// Everything about one user.
#[derive(Debug)]
pub(super) struct User {
    pub(super) id: u128,
    pub(super) calendar: Calendar,
    pub(super) random: Random,
    /// Copies of this user's rows name their legacy row.
    linked: bool,
    taken: Vec<i64>,
    pub(super) legacy: Vec<LegacyRow>,
    pub(super) unified: Vec<UnifiedRow>,
    pub(super) usage: Vec<Usage>,
    /// Positions of honest pairs.
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) truth: Vec<Truth>,
    /// The balance that is right.
    pub(super) stored: i64,
    /// The household's admin, where there is one: a profile without a history of its own.
    pub(super) admin: Option<u128>,
}

impl User {
    pub(super) fn new(calendar: Calendar, mut random: Random) -> User {
        User {
            id: random.uuid(),
            calendar,
            linked: random.chance(0.5),
            random,
            taken: Vec::new(),
            legacy: Vec::new(),
            unified: Vec::new(),
            usage: Vec::new(),
            pairs: Vec::new(),
            truth: Vec::new(),
            stored: 0,
            admin: None,
        }
    }

    /// A time of the ledger before the bulk copy, with room around it.
    pub(super) fn room(&mut self) -> i64 {
        let wanted = self.random.between(self.calendar.start, self.calendar.stamp - 5 * DAY);
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

    /// The first time from `wanted` on with room around it, if the ledger lasts so long.
    fn room_after(&mut self, mut wanted: i64) -> Option<i64> {
        while !self.is_free(wanted) {
            wanted += APART / 2 + self.random.between(0, APART);
        }
        let lasts = wanted < AS_OF - 2 * DAY;
        lasts.then(|| self.taken.push(wanted))?;
        Some(wanted)
    }

    fn is_free(&self, at: i64) -> bool {
        self.taken.iter().all(|taken| (taken - at).abs() >= APART)
    }

    /// Nothing else may happen around this time.
    pub(super) fn take(&mut self, at: i64) {
        self.taken.push(at);
    }

    pub(super) fn legacy_row(&mut self, movement: Movement, tokens: i64, at: i64) -> usize {
        let id = self.random.uuid();
        let (label, tokens, at) = (movement.label(), Some(tokens), Some(at));
        self.legacy.push(LegacyRow { id, label, tokens, at, payment: None, contrary_sign: false });
        self.legacy.len() - 1
    }

    pub(super) fn unified_row(&mut self, movement: Movement, tokens: i64, at: i64) -> usize {
        self.unified.push(UnifiedRow {
            id: self.random.uuid(),
            other_user: None,
            action: movement.action(),
            tokens,
            at,
            failed: false,
            migrated: false,
            link: None,
            payment: None,
            alone: false,
        });
        self.unified.len() - 1
    }

    /// A legacy row and its marked copy, as the historical copy made them; the balance knows it.
    pub(super) fn copied(&mut self, movement: Movement, tokens: i64, at: i64) -> (usize, usize) {
        let legacy = self.legacy_row(movement, tokens, at);
        let unified = self.unified_row(movement, tokens, at);
        self.unified[unified].migrated = true;
        self.stored += movement.signed(tokens);
        if movement == Movement::Pack {
            let payment = Some(self.random.next());
            self.legacy[legacy].payment = payment;
            self.unified[unified].payment = payment;
        }
        (legacy, unified)
    }

    /// What really happened at that time, written as it was written then.
    fn honest(&mut self, movement: Movement, tokens: i64, at: i64) {
        if at < self.calendar.dual_write {
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
            let drift = self.random.between(0, SECOND / 2);
            let unified = self.unified_row(movement, tokens, at + drift);
            self.pairs.push((legacy, unified));
        } else {
            let unified = self.unified_row(movement, tokens, at);
            self.unified[unified].alone = true;
            if movement == Movement::Pack {
                self.unified[unified].payment = Some(self.random.next());
            }
        }
    }

    /// A grant and the usage that it pays for, if there is room for it; when it was given.
    fn grant(&mut self, movement: Movement, tokens: i64, wanted: i64, usage_rows: u32) -> Option<i64> {
        let at = self.room_after(wanted)?;
        let granted = at;
        self.honest(movement, tokens, at);
        let rows = self.random.between(0, 2 * i64::from(usage_rows) + 1);
        let most = tokens * 9 / 10 / rows.max(1);
        for _ in 0..rows {
            let tokens = self.random.between(1, most.clamp(2, 60_000));
            let latest = (at + 40 * DAY).min(AS_OF - HOUR);
            let (from, failed) = (at + 8 * HOUR, self.random.chance(0.01));
            let at = self.random.between(from, latest);
            let (id, action) = (self.random.uuid(), self.random.one_of(&USAGES));
            self.usage.push(Usage { id, action, tokens, at, failed });
            self.stored -= if failed { 0 } else { tokens };
        }
        Some(granted)
    }

    /// Sign-up, plan, packs, gifts and deductions.
    pub(super) fn live(&mut self, usage_rows: u32) {
        let calendar = self.calendar;
        let signup = self.random.between(calendar.start, AS_OF - 40 * DAY);
        let welcome = self.grant(Movement::Trial, 50_000, signup, usage_rows);
        let first = signup + 7 * DAY + self.random.between(0, 7 * DAY);
        match self.random.between(0, 10) {
            0..4 => self.renew(first, usage_rows),
            4..6 => {
                self.grant(Movement::Annual, 5_000_000, first, 4 * usage_rows);
                self.grant(Movement::Annual, 5_000_000, first + 365 * DAY, 4 * usage_rows);
            }
            _ => {}
        }
        for _ in 0..self.random.between(0, 3) {
            let tokens = self.random.one_of(&[100_000, 500_000, 1_200_000]);
            let wanted = self.random.between(signup, AS_OF);
            self.grant(Movement::Pack, tokens, wanted, usage_rows);
        }
        if self.random.chance(0.15) {
            let tokens = 5_000 * self.random.between(1, 11);
            let wanted = self.random.between(signup, AS_OF);
            self.grant(Movement::Adjustment, tokens, wanted, usage_rows);
        }
        let deducts = self.random.chance(0.1);
        // The welcome grant leaves a tenth unused, more than is deducted.
        if let Some(welcome) = welcome.filter(|_| deducts)
            && let Some(at) = self.room_after(welcome + DAY)
        {
            let tokens = self.random.between(500, 2_000);
            self.honest(Movement::Deduction, tokens, at);
        }
    }

    /// The 28-day plan until the user leaves.
    fn renew(&mut self, first: i64, usage_rows: u32) {
        let mut at = first;
        while at < AS_OF && !self.random.chance(0.04) {
            self.grant(Movement::Renewal, 250_000, at, usage_rows);
            at += 28 * DAY + self.random.between(-SECOND, SECOND);
        }
    }
}
