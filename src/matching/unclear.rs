//! Rows of which nobody knows whether they are grants, and which: rows that cannot be read and rows whose
//! label has no meaning. A unified one may be the row that a legacy row lacks, so that what is missing may not
//! be inserted: it could have been granted already. A legacy one may be what a unified row is the copy of, so
//! that this is neither a copy too many nor to be made the copy of another row.

use hashbrown::HashMap;

use super::board::Board;
use crate::config::{LegacyMeaning, UnifiedConfig};
use crate::domain::{ActionNo, Bystander, Entry, Instant, PopulationClass, Rejected, RowId, Side, Span};
use crate::source::looks_like_a_grant;

/// What is known of such a row; what is not known may be anything.
type Known = (Option<ActionNo>, Option<i64>);

/// An unclear row as evidence: its kind and its id.
pub(super) type Evidence = (&'static str, String);

/// Finds the unclear rows of a side by what is known of them. Positions are those in the rejected rows, if
/// nothing else is said.
pub(super) struct Unclear<'a> {
    side: Side,
    rejected: &'a [Rejected],
    bystanders: &'a [Bystander],
    /// By the legacy row that they name.
    of_link: HashMap<&'a RowId, usize>,
    of_reference: HashMap<u32, usize>,
    /// Where the user is known, and where not.
    of_user: HashMap<(u32, Known), ByTime>,
    of_nobody: HashMap<Known, ByTime>,
    /// Positions in the bystanders, by user and amount.
    unmapped: HashMap<(u32, i64), ByTime>,
}

/// Rows with their positions, ascending by instant, first those without one.
type ByTime = Vec<(Option<Instant>, usize)>;

/// How far from a row another may lie to be its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// At any time.
    Any,
    /// So far, and a row of unknown time too.
    Within(Span),
    /// So far, and no row of unknown time: what stands where it should is no copy of what has no time.
    KnownWithin(Span),
}

impl Reach {
    /// The first of these rows that is near enough.
    fn find(self, rows: &ByTime, at: Instant) -> Option<usize> {
        let timeless = rows.first().filter(|(at, _)| at.is_none());
        let within = |span: Span| {
            let from = rows.partition_point(|(other, _)| *other < Some(at.minus(span)));
            rows.get(from).filter(|(other, _)| *other <= Some(at.plus(span)))
        };
        let found = match self {
            Reach::Any => rows.first(),
            Reach::Within(span) => within(span).or(timeless),
            Reach::KnownWithin(span) => within(span),
        };
        found.map(|(_, row)| *row)
    }
}

impl<'a> Unclear<'a> {
    pub(super) fn of(board: &Board<'a>, side: Side) -> Unclear<'a> {
        let ledger = board.books.side(side);
        let (rejected, bystanders) = (&ledger.rejected[..], &ledger.bystanders[..]);
        let mut unclear = Unclear {
            side,
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
        for (at, row) in bystanders.iter().enumerate() {
            if row.class == PopulationClass::Unmapped {
                let known = (row.user.0, row.raw_tokens.abs());
                unclear.unmapped.entry(known).or_default().push((Some(row.at), at));
            }
        }
        let of_users = unclear.of_user.values_mut().chain(unclear.unmapped.values_mut());
        of_users.chain(unclear.of_nobody.values_mut()).for_each(|rows| rows.sort_unstable());
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
        let named = |name: &str| board.books.actions.iter().position(|action| **action == *name);
        let action = match self.side {
            Side::Unified => named(label),
            Side::Legacy => match board.config.legacy.actions.get(label) {
                Some(LegacyMeaning::Action(name)) => named(name),
                Some(LegacyMeaning::Usage | LegacyMeaning::Ignore) => return,
                None => None,
            },
        };
        if self.side == Side::Unified && action.is_none() && is_usage(&board.config.unified, label) {
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
                        self.of_user.entry((user.0, known)).or_default().push((row.at, at));
                    }
                }
            }
        }
    }

    /// Of the unified side: a row that may be the one that this legacy row lacks.
    pub(super) fn may_be(&self, board: &Board<'_>, legacy: &Entry, reach: Reach) -> Option<Evidence> {
        let named = self.of_link.get(&legacy.id).copied();
        named.map(|at| self.of_rejected(at)).or_else(|| self.alike(board, legacy, reach))
    }

    /// Of the legacy side: a row that this unified row may be the copy of. One that names a legacy row is the
    /// copy of that or of none.
    pub(super) fn may_be_original(
        &self,
        board: &Board<'_>,
        unified: &Entry,
        reach: Reach,
    ) -> Option<Evidence> {
        if unified.link.is_some() { None } else { self.alike(board, unified, reach) }
    }

    /// A row that carries a reference of this one.
    pub(super) fn carries(&self, entry: &Entry) -> Option<Evidence> {
        let at = entry.references.iter().find_map(|reference| self.of_reference.get(reference))?;
        Some(self.of_rejected(*at))
    }

    /// A row that may be the other side's of this one. Where its user is not known it could be that of any
    /// user: it has to lie within the window, if its time is known.
    fn alike(&self, board: &Board<'_>, entry: &Entry, reach: Reach) -> Option<Evidence> {
        let user = entry.user.0;
        let known: Vec<Known> = [Some(board.action(entry)), Some(entry.action), None]
            .into_iter()
            .flat_map(|action| [Some(entry.tokens), None].map(|tokens| (action, tokens)))
            .collect();
        let find = |rows: &ByTime, reach: Reach| reach.find(rows, entry.at);
        let mut of_user = known.iter().filter_map(|known| self.of_user.get(&(user, *known)));
        let mut of_user = || of_user.find_map(|rows| find(rows, reach));
        if let Some(found) = self.carries(entry).or_else(|| of_user().map(|at| self.of_rejected(at))) {
            return Some(found);
        }
        let unmapped = self.unmapped.get(&(user, entry.tokens));
        if let Some(at) = unmapped.and_then(|rows| find(rows, reach)) {
            let kind = match self.side {
                Side::Legacy => "unmapped_legacy_row",
                Side::Unified => "unmapped_unified_row",
            };
            return Some((kind, self.bystanders[at].id.to_string()));
        }
        let reach = if reach == Reach::Any { Reach::Within(board.window) } else { reach };
        let mut of_nobody = known.iter().filter_map(|known| self.of_nobody.get(known));
        let at = of_nobody.find_map(|rows| find(rows, reach))?;
        Some(self.of_rejected(at))
    }

    fn of_rejected(&self, at: usize) -> Evidence {
        let kind = match self.side {
            Side::Legacy => "rejected_legacy_row",
            Side::Unified => "rejected_unified_row",
        };
        (kind, self.name(at))
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
