//! Unified rows of which nobody knows whether they are grants, and which: rows that cannot be read and
//! rows whose label has no meaning. One of them may be the row that a legacy row lacks, so that what
//! is missing may not be inserted: it could have been granted already.

use hashbrown::HashMap;

use super::board::Board;
use crate::config::UnifiedConfig;
use crate::domain::{ActionNo, Bystander, Entry, Instant, PopulationClass, Rejected, RowId};
use crate::source::looks_like_a_grant;

/// What is known of such a row; what is not known may be anything. Of a row with a user nobody compares when it
/// happened: one that was copied late is a copy all the same.
type Known = (Option<ActionNo>, Option<i64>);

/// Finds unclear rows by what is known of them. Positions are those in the rejected rows, if nothing else
/// is said.
pub(super) struct Unclear<'a> {
    rejected: &'a [Rejected],
    bystanders: &'a [Bystander],
    /// By the legacy row that they name.
    of_link: HashMap<&'a RowId, usize>,
    of_reference: HashMap<u32, usize>,
    /// Where the user is known.
    of_user: HashMap<(u32, Known), usize>,
    /// Where it is not: by instant, first those without one.
    of_nobody: HashMap<Known, Vec<(Option<Instant>, usize)>>,
    /// Positions in the bystanders, by user and amount.
    unmapped: HashMap<(u32, i64), usize>,
}

impl<'a> Unclear<'a> {
    pub(super) fn of(board: &Board<'a>) -> Unclear<'a> {
        let (rejected, bystanders) = (&board.books.unified.rejected, &board.books.unified.bystanders);
        let mut unclear = Unclear {
            rejected,
            bystanders,
            of_link: HashMap::new(),
            of_reference: HashMap::new(),
            of_user: HashMap::new(),
            of_nobody: HashMap::new(),
            unmapped: HashMap::new(),
        };
        for (at, row) in rejected.iter().enumerate() {
            unclear.add(board, at, row);
        }
        unclear.of_nobody.values_mut().for_each(|rows| rows.sort_unstable());
        for (at, row) in bystanders.iter().enumerate() {
            if row.class == PopulationClass::Unmapped {
                unclear.unmapped.entry((row.user.0, row.raw_tokens.abs())).or_insert(at);
            }
        }
        unclear
    }

    fn add(&mut self, board: &Board<'a>, at: usize, row: &'a Rejected) {
        // These two tell which grant it is, whatever else can be read of it.
        if let Some(link) = &row.link {
            self.of_link.entry(link).or_insert(at);
        }
        for &reference in &row.references {
            self.of_reference.entry(reference).or_insert(at);
        }
        let label = row.label.as_deref().unwrap_or_default();
        let actions = &board.books.actions;
        let action = actions.iter().position(|action| **action == *label);
        if action.is_none() && is_usage(&board.config.unified, label) {
            return;
        }
        let is_grant = action.is_some_and(|action| action < board.config.unified.grants.len());
        let action = action.map(|action| ActionNo(action as u16));
        let paid_for = board.purchase.filter(|_| is_grant && row.paid);
        let tokens = row.tokens.map(i64::abs);
        for action in [Some(action), paid_for.map(Some)].into_iter().flatten() {
            let known = (action, tokens);
            match &row.user {
                None => self.of_nobody.entry(known).or_default().push((row.at, at)),
                // A user who stands in no other row misses nothing.
                Some(user) => {
                    if let Some(user) = board.books.roster.find(user) {
                        self.of_user.entry((user.0, known)).or_insert(at);
                    }
                }
            }
        }
    }

    /// A row that may be the one that this legacy row lacks, as evidence: its kind and its id. A row of which
    /// the user is not known could be that of any user: it has to lie within the window, if its time is known.
    pub(super) fn may_be(
        &self,
        board: &Board<'_>,
        entry: &Entry,
        expected: ActionNo,
    ) -> Option<(&'static str, String)> {
        let user = entry.user.0;
        let known: Vec<Known> = [Some(expected), Some(entry.action), None]
            .into_iter()
            .flat_map(|action| [Some(entry.tokens), None].map(|tokens| (action, tokens)))
            .collect();
        let mut references = entry.references.iter();
        let of_user = || known.iter().find_map(|known| self.of_user.get(&(user, *known)));
        let rejected = self
            .of_link
            .get(&entry.id)
            .or_else(|| references.find_map(|reference| self.of_reference.get(reference)))
            .or_else(of_user);
        if let Some(at) = rejected {
            return Some(("rejected_unified_row", self.name(*at)));
        }
        if let Some(at) = self.unmapped.get(&(user, entry.tokens)) {
            return Some(("unmapped_unified_row", self.bystanders[*at].id.to_string()));
        }
        let near = |rows: &Vec<(Option<Instant>, usize)>| {
            let first = rows.first().filter(|(at, _)| at.is_none());
            let from = rows.partition_point(|(at, _)| *at < Some(entry.at.minus(board.window)));
            let within = rows.get(from).filter(|(at, _)| *at <= Some(entry.at.plus(board.window)));
            within.or(first).map(|(_, row)| *row)
        };
        let at = known.iter().find_map(|known| self.of_nobody.get(known).and_then(near))?;
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
