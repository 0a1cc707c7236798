//! Plants defects in the history of a user, and says what must be found.
//!
//! What is true is derived from the rule book, never from what the program says.

mod balances;
mod copies;
mod labels;
mod pairs;

pub(super) use balances::OPENING_TOKENS;

use super::defect::Defect;
use super::rows::{Fate, Movement, Truth};
use super::truth;
use super::user::User;
use crate::domain::{Class, RepairKind, Severity, Verdict};

/// Everything about one user: the honest history with these kinds in it.
pub(super) fn live(user: &mut User, kinds: &[Defect]) {
    user.planted = kinds.to_vec();
    live_with(user, kinds);
    let is_said = user.truth.iter().any(|truth| truth.class == Class::NegativeBalance);
    if !is_said && truth::dips(user) {
        let kind = if user.world.policies.expiry { Defect::Expired } else { Defect::Reset };
        Say::new(kind, Class::NegativeBalance, RepairKind::Review).without_effect().of(user);
    }
}

fn live_with(user: &mut User, kinds: &[Defect]) {
    if let [kind] = kinds
        && kind.stands_alone()
    {
        return balances::live(user, *kind);
    }
    user.take(user.signup);
    user.subscribe();
    for &kind in kinds {
        plant(user, kind);
    }
    user.live();
    for &kind in kinds {
        match kind {
            Defect::UniformShift => pairs::uniform_shift(user),
            _ => balances::spoil(user, kind),
        }
    }
    doubt_missing_rows(user);
}

/// Plants what needs room of its own, before the honest history fills the rest.
fn plant(user: &mut User, kind: Defect) {
    let (legacy, unified) = (user.legacy.len(), user.unified.len());
    match kind {
        Defect::Unmigrated | Defect::UnmigratedDeduction => pairs::missing(user, kind),
        Defect::AmountMismatch | Defect::ActionMismatch | Defect::LateCopy | Defect::OtherUser => {
            pairs::differing(user, kind);
        }
        Defect::BulkStamp => pairs::bulk_stamp(user),
        Defect::Split | Defect::Merge => pairs::parts(user, kind),
        Defect::ContestedMissing => pairs::contested_missing(user),
        Defect::GreedyTrap => pairs::greedy_trap(user),
        Defect::MislabelledPurchase | Defect::WebhookLabel => labels::purchase(user, kind),
        Defect::SignEra => labels::sign_era(user),
        Defect::UnmappedAction => labels::unmapped(user),
        Defect::RejectedRow => labels::rejected(user),
        Defect::ZeroAndFailed => labels::zero_and_failed(user),
        Defect::LegacyUsage => labels::legacy_usage(user),
        Defect::Future => labels::future(user),
        Defect::Pending => labels::pending(user),
        Defect::Replay => copies::replay(user),
        Defect::SourceReplay => copies::source_replay(user),
        Defect::DoubleBackfill => copies::double_backfill(user),
        Defect::DualWriteCopy => copies::dual_write_copy(user),
        Defect::DedupeWithoutAction => copies::dedupe_without_action(user),
        Defect::KVsM | Defect::MVsK => copies::identical(user, kind),
        Defect::ContestedCopy => copies::contested_copy(user),
        Defect::Phantom | Defect::Orphan | Defect::Plug => copies::without_legacy_row(user, kind),
        Defect::HonestTwins => copies::twins(user),
        // These change the whole history, or the balance beside it.
        Defect::UniformShift
        | Defect::BalanceGap
        | Defect::NeverDecremented
        | Defect::FailedCounted
        | Defect::Opening
        | Defect::TwoProfiles
        | Defect::NegativeBalance
        | Defect::Reset
        | Defect::Clamp
        | Defect::Expired
        | Defect::Pool => {}
    }
    user.legacy[legacy..].iter_mut().for_each(|row| row.fate.defect = kind.name());
    user.unified[unified..].iter_mut().for_each(|row| row.fate.defect = kind.name());
}

/// What must be found, rows by their positions.
struct Say<'a> {
    defect: Defect,
    class: Class,
    repair: RepairKind,
    legacy: &'a [usize],
    unified: &'a [usize],
    effect: Option<i64>,
    verdict: Verdict,
}

impl<'a> Say<'a> {
    fn new(defect: Defect, class: Class, repair: RepairKind) -> Say<'a> {
        Say { defect, class, repair, legacy: &[], unified: &[], effect: Some(0), verdict: Verdict::Forced }
    }

    fn rows(self, legacy: &'a [usize], unified: &'a [usize]) -> Say<'a> {
        Say { legacy, unified, ..self }
    }

    fn effect(self, tokens: i64) -> Say<'a> {
        Say { effect: Some(tokens), ..self }
    }

    fn without_effect(self) -> Say<'a> {
        Say { effect: None, ..self }
    }

    fn verdict(self, verdict: Verdict) -> Say<'a> {
        Say { verdict, ..self }
    }

    /// Writes it down. The grant that a duplicate repeats stands in a pair of its own.
    fn of(self, user: &mut User) {
        let finding = Some(user.truth.len() as u32);
        let (disposition, defect) = (self.class.name(), self.defect.name());
        for &at in self.unified {
            let fate = &mut user.unified[at].fate;
            *fate = Fate { disposition, defect, finding, ..*fate };
        }
        for &at in self.legacy.iter().filter(|_| self.class != Class::Duplicate) {
            let fate = &mut user.legacy[at].fate;
            *fate = Fate { disposition, defect, finding, ..*fate };
        }
        let mut legacy: Vec<u128> = self.legacy.iter().map(|&at| user.legacy[at].id).collect();
        let mut unified: Vec<u128> = self.unified.iter().map(|&at| user.unified[at].id).collect();
        legacy.sort_unstable();
        unified.sort_unstable();
        let has_user = self.legacy.iter().all(|&at| user.legacy[at].has_user);
        user.truth.push(Truth {
            class: self.class,
            severity: severity(self.class, self.repair),
            user: has_user.then_some(user.id),
            legacy,
            unified,
            effect: self.effect,
            verdict: self.verdict,
            repair: self.repair,
            defect,
        });
    }
}

/// The severity of a class in the rule book; an orphan weighs by its mark.
fn severity(class: Class, repair: RepairKind) -> Severity {
    match class {
        Class::Orphan if repair == RepairKind::None => Severity::Warning,
        Class::TimeMismatch
        | Class::SourceDuplicate
        | Class::MislabelledPurchase
        | Class::NegativeBalance => Severity::Warning,
        Class::SplitGrant => Severity::Info,
        _ => Severity::Error,
    }
}

/// A missing row with a free look-alike at any time is for a person to judge. A copy that will be
/// removed is not free.
fn doubt_missing_rows(user: &mut User) {
    for at in 0..user.truth.len() {
        let truth = &user.truth[at];
        if truth.repair != RepairKind::Backfill {
            continue;
        }
        let Some(row) = user.legacy.iter().find(|row| row.id == truth.legacy[0]) else { continue };
        let alike = user.unified.iter().any(|unified| {
            let finding = unified.fate.finding.map(|finding| &user.truth[finding as usize]);
            let is_left_over = match unified.fate.disposition {
                "unified_only" | "orphan" | "pending" => true,
                "duplicate" => finding.is_some_and(|finding| finding.repair != RepairKind::Dedupe),
                "mislabelled_purchase" | "after_as_of" => unified.fate.partner.is_none(),
                _ => false,
            };
            // A payment makes a grant a purchase, whatever its label says.
            let action = match unified.payment {
                Some(_) => Movement::Pack.action(),
                None => unified.action,
            };
            is_left_over
                && unified.other.is_none()
                && Some(unified.tokens) == row.tokens
                && action == row.movement.action()
        });
        if alike {
            user.truth[at].repair = RepairKind::Review;
        }
    }
}
