//! Unified rows of which nobody knows whether they are grants, and which: rows that cannot be read and
//! rows whose label has no meaning. One of them may be the row that a legacy row lacks, so that what
//! is missing may not be inserted: it could have been granted already.

use hashbrown::HashMap;

use super::board::Board;
use crate::config::UnifiedConfig;
use crate::domain::{ActionNo, Bystander, Entry, Instant, PopulationClass, Rejected, RowId};
use crate::source::looks_like_a_grant;

/// What is known of such a row; what is not known may be anything.
type Known = (Option<ActionNo>, Option<i64>);

/// Finds unclear rows by what is known of them.
pub(super) struct Unclear<'a> {
    rejected: &'a [Rejected],
    bystanders: &'a [Bystander],
    /// Positions in the rejected rows, where the user is known.
    of_user: HashMap<(u32, Known), usize>,
    /// Where it is not: by instant, first those without one.
    of_nobody: HashMap<Known, Vec<(Option<Instant>, usize)>>,
    /// Positions in the bystanders, by user and amount.
    unmapped: HashMap<(u32, i64), usize>,
}

impl<'a> Unclear<'a> {
    pub(super) fn of(board: &Board<'a>) -> Unclear<'a> {
        let (rejected, bystanders) = (&board.books.unified.rejected, &board.books.unified.bystanders);
        let mut of_user = HashMap::new();
        let mut of_nobody: HashMap<Known, Vec<(Option<Instant>, usize)>> = HashMap::new();
        for (at, row) in rejected.iter().enumerate() {
            let label = row.label.as_deref().unwrap_or_default();
            let action = board.books.actions.iter().position(|action| **action == *label);
            if action.is_none() && is_usage(&board.config.unified, label) {
                continue;
            }
            let action = action.map(|action| ActionNo(action as u16));
            let known = (action, row.tokens.map(i64::abs));
            match &row.user {
                None => of_nobody.entry(known).or_default().push((row.at, at)),
                // A user who stands in no other row misses nothing.
                Some(user) => {
                    if let Some(user) = board.books.roster.find(user) {
                        of_user.entry((user.0, known)).or_insert(at);
                    }
                }
            }
        }
        of_nobody.values_mut().for_each(|rows| rows.sort_unstable());
        let mut unmapped = HashMap::new();
        for (at, row) in bystanders.iter().enumerate() {
            if row.class == PopulationClass::Unmapped {
                unmapped.entry((row.user.0, row.raw_tokens.abs())).or_insert(at);
            }
        }
        Unclear { rejected, bystanders, of_user, of_nobody, unmapped }
    }

    /// A row that may be the one that this legacy row lacks, as evidence: its kind and its id. Of the
    /// same user at any time; where the user is not known, within the window, if the time is known.
    pub(super) fn may_be(
        &self,
        board: &Board<'_>,
        entry: &Entry,
        expected: ActionNo,
    ) -> Option<(&'static str, String)> {
        let user = entry.user.0;
        let known = [Some(expected), Some(entry.action), None]
            .into_iter()
            .flat_map(|action| [Some(entry.tokens), None].map(|tokens| (action, tokens)));
        let rejected = known.clone().find_map(|known| self.of_user.get(&(user, known)).copied());
        let near = |rows: &Vec<(Option<Instant>, usize)>| {
            let first = rows.first().filter(|(at, _)| at.is_none());
            let from = rows.partition_point(|(at, _)| *at < Some(entry.at.minus(board.window)));
            let within = rows.get(from).filter(|(at, _)| *at <= Some(entry.at.plus(board.window)));
            within.or(first).map(|(_, row)| *row)
        };
        if let Some(at) = rejected {
            return Some(("rejected_unified_row", self.name(at)));
        }
        if let Some(at) = self.unmapped.get(&(user, entry.tokens)) {
            return Some(("unmapped_unified_row", self.bystanders[*at].id.to_string()));
        }
        let at = known.into_iter().find_map(|known| self.of_nobody.get(&known).and_then(near))?;
        Some(("rejected_unified_row", self.name(at)))
    }

    /// The id of a rejected row, or else what is wrong with it.
    fn name(&self, rejected: usize) -> String {
        let row = &self.rejected[rejected];
        row.id.as_ref().map_or_else(|| row.reason.clone(), RowId::to_string)
    }
}

/// The label is that of use, whatever else is wrong with its row.
fn is_usage(unified: &UnifiedConfig, label: &str) -> bool {
    match &unified.usage {
        Some(usage) => usage.iter().any(|usage| usage == label),
        None => {
            let listed = unified.grants.iter().chain(&unified.deductions).map(String::as_str);
            !looks_like_a_grant(label, listed)
        }
    }
}
