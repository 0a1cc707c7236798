//! Which left-over row repeats a kept one.
//!
//! A unified row repeats a kept one when it names the same legacy row, carries the same reference,
//! or has the same user, action and amount within tolerance without a reference or link of its own
//! that says otherwise. What the kept row's legacy partner shows counts as shown by the kept row.

use std::collections::BTreeSet;

use hashbrown::{HashMap, HashSet};

use super::board::{Board, Row};
use super::components;
use crate::cores;
use crate::domain::{ActionNo, Entry, Instant, Kind, RowId, Rule, Side, Span};

/// A kept row and what shows that another repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repeat {
    /// The kept row.
    pub(super) kept: u32,
    /// `link`, `reference`, `exact` (same microsecond) or `near`.
    pub(super) by: Rule,
}

type Likeness = (u32, ActionNo, i64);

/// The kept unified rows, as far as the left-over rows can repeat them.
pub(super) struct Kept<'b> {
    links: HashMap<&'b RowId, Vec<u32>>,
    references: HashMap<u32, Vec<u32>>,
    /// Instant of the kept row itself.
    alike: HashMap<Likeness, BTreeSet<(Instant, u32)>>,
    /// Instant of its legacy partner.
    partner_alike: HashMap<Likeness, BTreeSet<(Instant, u32)>>,
}

impl<'b> Kept<'b> {
    /// The kept rows of the pairs and groups so far. `left_over` says which rows will be asked
    /// about: only what they could repeat is indexed.
    pub(super) fn of_pairs(board: &Board<'b>, left_over: &[u32]) -> Kept<'b> {
        let mut kept = Kept {
            links: HashMap::new(),
            references: HashMap::new(),
            alike: HashMap::new(),
            partner_alike: HashMap::new(),
        };
        if left_over.is_empty() {
            return kept;
        }
        let wanted = Wanted::new(board, left_over);
        // Almost all rows are looked at only to see that nothing is wanted of them.
        let of_share = |first: usize, rows: &[Row]| {
            let mut marks = Vec::new();
            for (row, state) in (first as u32..).zip(rows) {
                if wanted.may_want(board, row, *state) {
                    each_mark(board, row, |mark| {
                        if wanted.has(&mark) {
                            marks.push((row, mark));
                        }
                    });
                }
            }
            marks
        };
        let marks = cores::in_shares(&board.unified, of_share);
        marks.into_iter().flatten().for_each(|(row, mark)| kept.add(row, mark));
        kept
    }

    /// Keeps a row.
    pub(super) fn keep(&mut self, board: &Board<'b>, row: u32) {
        each_mark(board, row, |mark| self.add(row, mark));
    }

    fn add(&mut self, row: u32, mark: Mark<'b>) {
        match mark {
            Mark::Link(link) => push(self.links.entry(link).or_default(), row),
            Mark::Reference(reference) => push(self.references.entry(reference).or_default(), row),
            Mark::Alike(likeness, at) => {
                self.alike.entry(likeness).or_default().insert((at, row));
            }
            Mark::PartnerAlike(likeness, at) => {
                self.partner_alike.entry(likeness).or_default().insert((at, row));
            }
        }
    }

    /// What a row repeats: by link before reference before likeness; then a kept row that says the same, the
    /// nearest in time, the older one, the least id.
    pub(super) fn repeated_by(&self, board: &Board<'b>, row: u32) -> Option<Repeat> {
        self.repeated_among(board, row, &|_| true)
    }

    /// The row repeats a grant of its own user.
    pub(super) fn repeats_own_user(&self, board: &Board<'b>, row: u32) -> bool {
        let user = board.entry(Side::Unified, row).user;
        self.repeated_among(board, row, &|kept| board.entry(Side::Unified, kept).user == user).is_some()
    }

    fn repeated_among(&self, board: &Board<'b>, row: u32, may_be: &dyn Fn(u32) -> bool) -> Option<Repeat> {
        let entry = board.entry(Side::Unified, row);
        let nearest = |rows: &mut dyn Iterator<Item = u32>| {
            rows.filter(|&kept| kept != row && may_be(kept) && is_of_kind(board, kept, entry.kind))
                .min_by_key(|&kept| {
                    let other = board.entry(Side::Unified, kept);
                    let is_other = likeness(board, other) != likeness(board, entry);
                    (is_other, other.at.since(entry.at).abs(), other.at, kept)
                })
        };
        if let Some(rows) = entry.link.as_deref().and_then(|link| self.links.get(link))
            && let Some(kept) = nearest(&mut rows.iter().copied())
        {
            return Some(Repeat { kept, by: Rule::Link });
        }
        let mut by_reference =
            entry.references.iter().filter_map(|no| self.references.get(no)).flatten().copied();
        if let Some(kept) = nearest(&mut by_reference) {
            return Some(Repeat { kept, by: Rule::Reference });
        }
        let kept = self.alike(board, entry, row, may_be)?;
        let same_instant = board.entry(Side::Unified, kept).at == entry.at;
        Some(Repeat { kept, by: if same_instant { Rule::Exact } else { Rule::Near } })
    }

    /// Same user, action and amount within tolerance, and nothing that says it is another grant.
    fn alike(&self, board: &Board<'b>, entry: &Entry, row: u32, may_be: &dyn Fn(u32) -> bool) -> Option<u32> {
        let likeness = likeness(board, entry);
        let (from, to) = (entry.at.minus(board.tolerance), entry.at.plus(board.tolerance));
        [&self.alike, &self.partner_alike]
            .into_iter()
            .filter_map(|index| index.get(&likeness))
            .flat_map(|rows| rows.range((from, 0)..=(to, u32::MAX)).map(|&(_, kept)| kept))
            .filter(|&kept| kept != row && may_be(kept) && !is_another(board, entry, kept))
            .min_by_key(|&kept| {
                let other = board.entry(Side::Unified, kept);
                (other.at.since(entry.at).abs(), other.at, kept)
            })
    }
}

/// A refund with the payment id of its purchase repeats nothing: grants repeat grants, deductions
/// deductions. A kept row of the wrong kind is of the kind of its legacy row too.
fn is_of_kind(board: &Board<'_>, kept: u32, kind: Kind) -> bool {
    board.entry(Side::Unified, kept).kind == kind
        || partners(board, kept).iter().any(|partner| partner.kind == kind)
}

/// A different reference, payment or link says that two rows are two grants. (Equal references and links
/// were looked at before.) Ids of different kinds say nothing: one purchase has several of them.
fn is_another(board: &Board<'_>, entry: &Entry, kept: u32) -> bool {
    let other = board.entry(Side::Unified, kept);
    let partners = partners(board, kept);
    let differs = |theirs: &Entry| {
        let ours = &entry.references;
        ours.iter().any(|a| theirs.references.iter().any(|b| !board.are_of_different_kinds(*a, *b)))
            || board.have_other_payments(entry, theirs)
    };
    let has_link = other.link.is_some() || !partners.is_empty();
    differs(other) || partners.iter().any(|partner| differs(partner)) || (entry.link.is_some() && has_link)
}

/// The legacy rows that a kept unified row stands for.
pub(super) fn partners<'b>(board: &Board<'b>, row: u32) -> Vec<&'b Entry> {
    match board.unified[row as usize] {
        Row::Paired(pair) => vec![board.entry(Side::Legacy, board.pairs[pair as usize].legacy)],
        Row::Grouped(group) => board.groups[group as usize]
            .legacy
            .iter()
            .map(|&legacy| board.entry(Side::Legacy, legacy))
            .collect(),
        Row::Apart | Row::Free(_) => Vec::new(),
    }
}

/// What shows that another row repeats a kept one: of the row itself, or of a legacy row that it stands for.
#[derive(Debug, Clone, Copy)]
enum Mark<'b> {
    /// A link of it, or the id of its partner.
    Link(&'b RowId),
    Reference(u32),
    /// When it was.
    Alike(Likeness, Instant),
    /// When its partner was.
    PartnerAlike(Likeness, Instant),
}

/// Shows the marks of a kept row.
fn each_mark<'b>(board: &Board<'b>, row: u32, mut see: impl FnMut(Mark<'b>)) {
    let entry = board.entry(Side::Unified, row);
    let partners = partners(board, row);
    let links = entry.link.as_deref().into_iter().chain(partners.iter().map(|partner| &partner.id));
    links.for_each(|link| see(Mark::Link(link)));
    let references =
        entry.references.iter().chain(partners.iter().flat_map(|partner| partner.references.iter()));
    references.for_each(|&reference| see(Mark::Reference(reference)));
    see(Mark::Alike(likeness(board, entry), entry.at));
    let ours = likeness(board, entry);
    for partner in partners {
        let theirs = likeness(board, partner);
        see(Mark::PartnerAlike(theirs, partner.at));
        // Where a pair differs in more than time, a row may say what the one says at the other's moment.
        if ours != theirs {
            see(Mark::Alike(ours, partner.at));
            see(Mark::PartnerAlike(theirs, entry.at));
        }
    }
}

fn likeness(board: &Board<'_>, entry: &Entry) -> Likeness {
    (entry.user.0, board.action(entry), entry.tokens)
}

fn push(rows: &mut Vec<u32>, row: u32) {
    if rows.last() != Some(&row) {
        rows.push(row);
    }
}

/// What the left-over rows could repeat.
struct Wanted<'b> {
    links: HashSet<&'b RowId>,
    alike: HashSet<Likeness>,
    /// By legacy position: a left-over row links to it, has one of its references, or is of its user. One
    /// byte instead of a look at the row.
    legacy: Vec<bool>,
    /// By number: a left-over row has the reference.
    referred: Vec<bool>,
    /// By user: a left-over row is of the user.
    users: Vec<bool>,
    /// A left-over row links to what is no legacy row to be paired.
    any_other_link: bool,
}

impl<'b> Wanted<'b> {
    fn new(board: &Board<'b>, left_over: &[u32]) -> Wanted<'b> {
        let entries = || left_over.iter().map(|&row| board.entry(Side::Unified, row));
        let legacy = &board.books.legacy.entries;
        let mut wanted = Wanted {
            links: entries().filter_map(|entry| entry.link.as_deref()).collect(),
            alike: entries().map(|entry| likeness(board, entry)).collect(),
            legacy: Vec::new(),
            referred: vec![false; board.books.references.len()],
            users: vec![false; board.books.roster.len()],
            any_other_link: false,
        };
        let mut linked = vec![false; legacy.len()];
        for entry in entries() {
            wanted.users[entry.user.0 as usize] = true;
            entry.references.iter().for_each(|&number| wanted.referred[number as usize] = true);
            if let Some(link) = entry.link.as_deref() {
                match legacy.binary_search_by(|row| row.id.cmp(link)) {
                    Ok(at) => linked[at] = true,
                    Err(_) => wanted.any_other_link = true,
                }
            }
        }
        let of_legacy = cores::in_shares(legacy, |first, rows| {
            let linked = linked[first..].iter().zip(rows);
            linked.map(|(linked, row)| *linked || wanted.is_of_interest(row)).collect::<Vec<bool>>()
        });
        wanted.legacy = of_legacy.concat();
        wanted
    }

    fn has(&self, mark: &Mark<'_>) -> bool {
        match mark {
            Mark::Link(link) => self.links.contains(*link),
            Mark::Reference(reference) => self.referred[*reference as usize],
            Mark::Alike(likeness, _) | Mark::PartnerAlike(likeness, _) => self.alike.contains(likeness),
        }
    }

    /// A left-over row has the row's user or one of its references.
    fn is_of_interest(&self, entry: &Entry) -> bool {
        self.users[entry.user.0 as usize] || entry.references.iter().any(|&no| self.referred[no as usize])
    }

    /// The row is kept, and something of it may be asked for. Looks at what is quick to see: of almost all
    /// rows nothing is.
    fn may_want(&self, board: &Board<'b>, row: u32, state: Row) -> bool {
        let pair = match state {
            Row::Apart | Row::Free(_) => return false,
            Row::Grouped(_) => return true,
            Row::Paired(pair) => pair,
        };
        let entry = board.entry(Side::Unified, row);
        if self.is_of_interest(entry) || (self.any_other_link && entry.link.is_some()) {
            return true;
        }
        let pair = &board.pairs[pair as usize];
        // A kept row's own link is to its partner, as on the rung of links, or is looked up.
        let partner = || &board.entry(Side::Legacy, pair.legacy).id;
        let has_own_link = |link: &RowId| pair.rule != Rule::Link && link != partner();
        self.legacy[pair.legacy as usize] || entry.link.as_deref().is_some_and(has_own_link)
    }
}

/// What a left-over legacy row has its reference in common with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    /// A row that says the same, which it repeats.
    Repeats(u32),
    /// A row with a partner that says something else, or several with a partner each that say the same: so
    /// this reference (its position in the books) names no single grant, and shows nothing about one more
    /// row.
    Beside(u32),
}

/// A reference of a user, and what a row with it says: the action that it should have, its own, and
/// tokens, below zero where the sign is the rarer one of its label and month.
type Said = (u32, u32, ActionNo, ActionNo, i64);

/// Legacy rows with references that left-over rows have.
#[derive(Default)]
struct Carriers {
    /// By what they say: the first kept row, and how many have a partner of their own.
    kept: HashMap<Said, (u32, u32)>,
    /// User and reference of rows with a partner.
    with_partner: HashSet<(u32, u32)>,
    /// What stands in a series; see [`SERIES_ROWS`].
    series: HashSet<Said>,
    /// References of so many users that they name no payment; see [`SEVERAL_USERS`].
    of_several: HashSet<u32>,
}

/// So many rows that say the same, each so long after the one before, are a series: their reference names a
/// subscription or a customer and no payment. Who sends a payment again does so for some days, and nobody books
/// it by hand week after week.
const SERIES_ROWS: u32 = 3;
const SERIES_GAP: Span = Span(7 * 24 * 60 * 60 * 1_000_000);

/// A reference that rows of so many users carry names no payment: it is a placeholder, or a plan.
const SEVERAL_USERS: usize = 3;

impl Carriers {
    fn of(board: &Board<'_>, left_over: &[u32]) -> Carriers {
        let mut wanted = vec![false; board.books.references.len()];
        for &row in left_over {
            let references = &board.entry(Side::Legacy, row).references;
            references.iter().for_each(|&number| wanted[number as usize] = true);
        }
        let found = cores::in_shares(&board.legacy, |first, rows| {
            let rows = (first as u32..).zip(rows).filter(|(_, state)| !matches!(state, Row::Apart));
            let said = rows.flat_map(|(row, _)| said(board, row).map(move |said| (said, row)));
            said.filter(|(said, _)| wanted[said.1 as usize]).collect::<Vec<_>>()
        });
        let mut found: Vec<(Said, u32)> = found.into_iter().flatten().collect();
        let mut carriers = Carriers::default();
        for &(said, row) in &found {
            let partners = match board.legacy[row as usize] {
                Row::Paired(_) => 1,
                Row::Grouped(_) => 0,
                Row::Apart | Row::Free(_) => continue,
            };
            let kept = carriers.kept.entry(said).or_insert((row, 0));
            kept.1 += partners;
            carriers.with_partner.insert((said.0, said.1));
        }
        found.sort_unstable_by_key(|&(said, row)| (said, board.at(Side::Legacy, row)));
        for run in found.chunk_by(|a, b| a.0 == b.0) {
            if is_a_series(run.iter().map(|(_, row)| board.at(Side::Legacy, *row))) {
                carriers.series.insert(run[0].0);
            }
        }
        let mut users: Vec<(u32, u32)> = found.iter().map(|(said, _)| (said.1, said.0)).collect();
        users.sort_unstable();
        users.dedup();
        let of_several = users.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() >= SEVERAL_USERS);
        carriers.of_several = of_several.map(|run| run[0].0).collect();
        carriers
    }

    /// The reference of what was said names no single payment.
    fn is_no_payment(&self, said: &Said) -> bool {
        self.series.contains(said) || self.of_several.contains(&said.1)
    }
}

/// Times ascend.
fn is_a_series(times: impl Iterator<Item = Instant>) -> bool {
    let mut last: Option<Instant> = None;
    let mut rows = 0;
    for at in times {
        if last.is_none_or(|last| at.since(last) >= SERIES_GAP) {
            last = Some(at);
            rows += 1;
        }
    }
    rows >= SERIES_ROWS
}

/// What a legacy row says, by each of its references.
fn said<'b>(board: &Board<'b>, row: u32) -> impl Iterator<Item = Said> + use<'b> {
    let entry = board.entry(Side::Legacy, row);
    let (user, expected) = (entry.user.0, board.action(entry));
    // A sign may only belong to its time; the rarer one may be a reversal.
    let tokens = if entry.minority_sign { -entry.tokens } else { entry.tokens };
    entry.references.iter().map(move |&no| (user, no, expected, entry.action, tokens))
}

/// Left-over legacy rows that share user and a reference with a kept legacy row.
/// `left_over` is oldest first; a row that repeats nothing is kept itself.
pub(super) fn shared_references(board: &Board<'_>, left_over: &[u32]) -> Vec<(u32, Shared)> {
    let mut carriers = Carriers::of(board, left_over);
    let mut shared = Vec::new();
    for &row in left_over {
        let said = || said(board, row);
        let known = || said().filter_map(|said| Some((said, *carriers.kept.get(&said)?)));
        // Of several references one that names a single grant counts.
        let single = known().find(|(said, (_, pairs))| *pairs < 2 && !carriers.is_no_payment(said));
        if let Some((_, (first, _))) = single {
            shared.push((row, Shared::Repeats(first)));
            continue;
        }
        if let Some(said) = said().find(|said| carriers.with_partner.contains(&(said.0, said.1))) {
            shared.push((row, Shared::Beside(said.1)));
        }
        if known().next().is_none() {
            said().for_each(|said| {
                carriers.kept.entry(said).or_insert((row, 0));
            });
        }
    }
    shared
}

/// |Δt| of two rows within a limit.
pub(super) fn within(a: &Entry, b: &Entry, limit: Span) -> bool {
    a.at.since(b.at).abs() <= limit
}

/// A legacy row and the unpaired one that it repeats look the same.
pub(super) fn is_free_twin(board: &Board<'_>, row: u32, kept: u32) -> bool {
    let looks = |row| components::looks(board, board.entry(Side::Legacy, row));
    board.is_free(Side::Legacy, kept) && looks(row) == looks(kept)
}
