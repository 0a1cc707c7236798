//! Which kinds of defect each user has.

use super::random::Random;
use super::{Defect, Settings};

/// So that these numbers are not those of the users' histories.
const PICK_STREAM: u64 = 0x7069_636b;
const VANISH_STREAM: u64 = 0x676f_6e65;

/// What becomes of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pick {
    /// With these kinds of defect.
    Lives(Vec<Defect>),
    /// Left out.
    Vanished,
}

/// Deals the kinds to the users, in the order of the users.
pub(super) struct Picks {
    seed: u64,
    rate: f64,
    per_user: i64,
    vanished: f64,
    turns: Vec<Defect>,
    shares: Vec<(Defect, f64)>,
    turn: usize,
}

impl Picks {
    pub(super) fn new(settings: &Settings) -> Picks {
        let shared = |kind: &Defect| settings.shares.iter().any(|(shared, _)| shared == kind);
        let turns = settings.defects.iter().copied();
        let turns = turns.filter(|kind| kind.fits(settings.shape) && !shared(kind)).collect();
        let shares = settings.shares.iter().copied().filter(|(kind, _)| kind.fits(settings.shape));
        Picks {
            seed: settings.seed,
            rate: settings.rate,
            per_user: i64::from(settings.per_user.max(1)),
            vanished: settings.vanished,
            turns,
            shares: shares.collect(),
            turn: 0,
        }
    }

    /// The kinds of the next user.
    pub(super) fn next(&mut self, user: u64) -> Pick {
        let mut random = Random::of_part(self.seed ^ PICK_STREAM, user);
        let mut kinds: Vec<Defect> = Vec::new();
        if !self.turns.is_empty() && random.chance(self.rate) {
            for _ in 0..random.between(1, self.per_user + 1) {
                let kind = self.turns[self.turn % self.turns.len()];
                if !goes_with(kind, &kinds) {
                    break;
                }
                self.turn += 1;
                kinds.push(kind);
            }
        }
        for &(kind, share) in &self.shares {
            if random.chance(share) && goes_with(kind, &kinds) {
                kinds.push(kind);
            }
        }
        // A user who vanishes takes nobody's turn: the others are as they were.
        if Random::of_part(self.seed ^ VANISH_STREAM, user).chance(self.vanished) {
            return Pick::Vanished;
        }
        Pick::Lives(kinds)
    }
}

/// Can a user who has these kinds have this one too?
fn goes_with(kind: Defect, kinds: &[Defect]) -> bool {
    if kinds.is_empty() {
        return true;
    }
    let alone = kind.stands_alone() || kinds.iter().any(|kind| kind.stands_alone());
    let balances = kind.is_about_the_balance() && kinds.iter().any(|kind| kind.is_about_the_balance());
    !alone && !balances && !kinds.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_that_exclude_each_other_never_meet() {
        let cases = [
            (Defect::Orphan, vec![], true),
            (Defect::Orphan, vec![Defect::Phantom], true),
            (Defect::Orphan, vec![Defect::Orphan], false),
            (Defect::Orphan, vec![Defect::Pool], false),
            (Defect::Pool, vec![Defect::Orphan], false),
            (Defect::BalanceGap, vec![Defect::Orphan, Defect::NeverDecremented], false),
        ];
        for (kind, kinds, expected) in cases {
            assert_eq!(goes_with(kind, &kinds), expected, "{kind:?} beside {kinds:?}");
        }
    }
}
