//! Rows that no rung took: which of them repeat a kept one.

use std::collections::{BTreeMap, BTreeSet};

use super::ladder::Paired;
use super::optimum::Verdict;
use super::population::{Books, Entry};
use crate::laws::ledger::Rules;

/// A unified row that stays: paired, or the first of several unpaired copies.
#[derive(Debug, Clone)]
pub struct Kept {
    pub unified: usize,
    /// The legacy rows that it stands for.
    pub partners: Vec<usize>,
}

/// By what a row repeats another; the lesser is the stronger evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    Link,
    Reference,
    /// Same user, action and amount within tolerance of the kept row or of its legacy row.
    Content,
}

/// A unified row that repeats a kept one.
#[derive(Debug, Clone)]
pub struct Repeat {
    pub extra: usize,
    pub kept: Kept,
    pub evidence: Evidence,
    pub verdict: Verdict,
}

/// What became of the rows left over.
#[derive(Debug, Clone, Default)]
pub struct Left {
    pub duplicates: Vec<Repeat>,
    /// Legacy rows that repeat a kept legacy row.
    pub source_duplicates: BTreeMap<usize, Verdict>,
    /// Legacy rows whose reference names no single grant.
    pub among_several: BTreeSet<usize>,
    pub pending_legacy: BTreeSet<usize>,
    pub pending_unified: BTreeSet<usize>,
}

/// The unified rows that the ladder took.
pub fn kept(books: &Books, paired: &Paired) -> Vec<Kept> {
    let mut kept = Vec::new();
    for taken in &paired.taken {
        for unified in &taken.group.unified {
            kept.push(Kept { unified: *unified, partners: taken.group.legacy.clone() });
        }
    }
    kept.sort_by_key(|kept| books.unified[kept.unified].id.clone());
    kept
}

/// Does a unified row repeat a kept one, or the grant that the kept one stands for?
pub fn repeats(extra: &Entry, kept: &Kept, books: &Books, rules: &Rules) -> Option<Evidence> {
    let row = &books.unified[kept.unified];
    let partners: Vec<&Entry> = kept.partners.iter().map(|at| &books.legacy[*at]).collect();
    let copies: Vec<&Entry> =
        partners.iter().copied().chain([row]).filter(|copy| copy.grant == extra.grant).collect();
    if copies.is_empty() {
        return None; // A refund repeats no purchase.
    }
    let known_ids: BTreeSet<&String> = partners.iter().map(|partner| &partner.id).chain(&row.link).collect();
    let known_refs: BTreeSet<&String> =
        partners.iter().flat_map(|partner| &partner.refs).chain(&row.refs).collect();
    if extra.link.as_ref().is_some_and(|link| known_ids.contains(link)) {
        return Some(Evidence::Link);
    }
    if extra.refs.iter().any(|reference| known_refs.contains(reference)) {
        return Some(Evidence::Reference);
    }
    let other_reference =
        extra.refs.iter().any(|ours| known_refs.iter().any(|theirs| !of_different_kinds(ours, theirs)));
    let other_link = extra.link.is_some() && !known_ids.is_empty();
    // What the one says, at the time of either.
    let is_kept = |copy: &Entry| std::ptr::eq(copy, row);
    let same_content = copies.iter().any(|copy| {
        let of_other = |other: &&Entry| std::ptr::eq(*other, *copy) || is_kept(other) != is_kept(copy);
        let mut times = partners.iter().copied().chain([row]).filter(of_other).map(|other| other.at);
        says(copy) == says(extra) && times.any(|at| (at - extra.at).abs() <= rules.tolerance)
    });
    (same_content && !other_reference && !other_link).then_some(Evidence::Content)
}

/// User, effective action and amount.
fn says(row: &Entry) -> (&str, &str, i64) {
    (&row.user, &row.effective, row.tokens)
}

/// `pi_1` and `cs_1`: ids of different things, so that both may belong to one purchase.
fn of_different_kinds(a: &str, b: &str) -> bool {
    let kind = |text: &str| Some(text.split_once('_')?.0.to_owned());
    kind(a).zip(kind(b)).is_some_and(|(a, b)| a != b)
}

/// Judges the rows left over, oldest first, then by id.
pub fn judge(books: &Books, paired: &Paired, rules: &Rules) -> Left {
    let mut left = Left::default();
    let legacy = judged(&books.legacy, &paired.legacy_free, rules, &mut left.pending_legacy);
    let unified = judged(&books.unified, &paired.unified_free, rules, &mut left.pending_unified);
    let mut kept = kept(books, paired);
    for extra in unified {
        let row = &books.unified[extra];
        let found = kept
            .iter()
            .filter_map(|kept| Some((repeats(row, kept, books, rules)?, kept)))
            .min_by_key(|(evidence, kept)| {
                let other = &books.unified[kept.unified];
                let is_other = *evidence != Evidence::Content && says(other) != says(row);
                (*evidence, is_other, (other.at - row.at).abs(), other.at, other.id.clone())
            });
        let Some((evidence, repeated)) = found else {
            kept.push(Kept { unified: extra, partners: Vec::new() });
            continue;
        };
        let identical = books.unified[repeated.unified].signature() == row.signature();
        let unpaired = repeated.partners.is_empty();
        let floor = if identical && unpaired { Verdict::Interchangeable } else { Verdict::Forced };
        let verdict = paired.unified_verdict[extra].max(floor);
        left.duplicates.push(Repeat { extra, kept: repeated.clone(), evidence, verdict });
    }
    (left.source_duplicates, left.among_several) = source_duplicates(books, paired, &legacy);
    left
}

/// The rows left over that are judged, in order; those younger than as-of − settle are pending, and
/// those after as-of are neither.
fn judged(rows: &[Entry], free: &[bool], rules: &Rules, pending: &mut BTreeSet<usize>) -> Vec<usize> {
    let mut judged: Vec<usize> =
        (0..rows.len()).filter(|at| free[*at] && rows[*at].at <= rules.as_of).collect();
    judged.retain(|at| {
        let young = rows[*at].at > rules.as_of - rules.settle;
        if young {
            pending.insert(*at);
        }
        !young
    });
    judged.sort_by_key(|at| (rows[*at].at, rows[*at].id.clone()));
    judged
}

/// Three rows, each a week or more after the one before.
fn is_a_series(mut times: Vec<i64>) -> bool {
    times.sort_unstable();
    let mut chosen: Vec<i64> = Vec::new();
    for at in times {
        if chosen.iter().all(|before| at - before >= 7 * 86_400_000_000) {
            chosen.push(at);
        }
    }
    chosen.len() >= 3
}

fn users_of<'a>(reference: &String, rows: &'a [Entry]) -> BTreeSet<&'a str> {
    rows.iter().filter(|row| row.refs.contains(reference)).map(|row| row.user.as_str()).collect()
}

/// Rows that repeat a kept one: same reference, user and actions, and the same tokens, unless several kept
/// rows say this, each paired for itself. Beside them rows whose reference stands on kept rows all the same.
fn source_duplicates(
    books: &Books,
    paired: &Paired,
    left: &[usize],
) -> (BTreeMap<usize, Verdict>, BTreeSet<usize>) {
    let groups = || paired.taken.iter().map(|taken| &taken.group);
    let taken: Vec<usize> = groups().flat_map(|group| &group.legacy).copied().collect();
    let whole = groups().filter(|group| group.legacy.len() == 1 && group.unified.len() == 1);
    let whole: Vec<usize> = whole.flat_map(|group| &group.legacy).copied().collect();
    let mut kept: Vec<usize> = taken.clone();
    let (mut repeats, mut beside) = (BTreeMap::new(), BTreeSet::new());
    for extra in left {
        let row = &books.legacy[*extra];
        let same = |at: &usize, reference: &String| {
            let other = &books.legacy[*at];
            let says = |it: &Entry| {
                (it.user.clone(), it.effective.clone(), it.action.clone(), it.tokens, it.minority)
            };
            says(other) == says(row) && other.refs.contains(reference)
        };
        let known = |reference: &&String| kept.iter().any(|at| same(at, reference));
        let pairs = |reference: &str| whole.iter().filter(|at| same(at, &reference.to_owned())).count();
        let is_no_payment = |reference: &String| {
            let alike = (0..books.legacy.len()).filter(|at| same(at, reference));
            is_a_series(alike.map(|at| books.legacy[at].at).collect())
                || users_of(reference, &books.legacy).len() >= 3
        };
        let names_one = |reference: &&String| pairs(reference) < 2 && !is_no_payment(reference);
        if let Some(reference) = row.refs.iter().filter(known).find(names_one) {
            let at = *kept.iter().find(|at| same(at, reference)).expect("known");
            let identical = !taken.contains(&at) && books.legacy[at].signature() == row.signature();
            let floor = if identical { Verdict::Interchangeable } else { Verdict::Forced };
            repeats.insert(*extra, paired.legacy_verdict[*extra].max(floor));
            continue;
        }
        let shares =
            |at: &usize| books.legacy[*at].user == row.user && books.legacy[*at].shares_reference(row);
        if taken.iter().any(shares) {
            beside.insert(*extra);
        }
        if !row.refs.iter().any(|reference| known(&reference)) {
            kept.push(*extra);
        }
    }
    (repeats, beside)
}
