//! The finding about a unified row that repeats a kept one, and whether it may be removed.

use hashbrown::HashSet;

use super::board::{Board, Row};
use super::classify::verdict_of_free;
use super::draft::Draft;
use super::repeats::{self, Repeat};
use super::unclear::{Reach, Unclear};
use super::{cause, components};
use crate::domain::{
    ActionNo, Class, Entry, Finding, RepairKind, RowId, Rule, Severity, Side, UserNo, Verdict,
};

/// User, action and amount of a legacy row without a partner.
pub(super) type Awaited = (UserNo, ActionNo, i64);

/// A unified row that repeats a kept one. `unclear` are the legacy rows of which one may be its own.
pub(super) fn duplicate(
    board: &Board<'_>,
    row: u32,
    repeat: Repeat,
    (awaited, unclear): (&HashSet<Awaited>, &Unclear<'_>),
) -> Finding {
    let (extra, kept) = (board.entry(Side::Unified, row), board.entry(Side::Unified, repeat.kept));
    // A payment on one of them alone makes the two different grants, whatever their labels.
    let same = extra.user == kept.user
        && extra.action == kept.action
        && board.action(extra) == board.action(kept)
        && extra.tokens == kept.tokens;
    let partners = repeats::partners(board, repeat.kept);
    // A link to a row that the kept one does not stand for denies the copy.
    let agrees = |link: &RowId| partners.iter().any(|partner| partner.id == *link);
    let shows = |row: &Entry| row.is_marked() && row.link.as_deref().is_none_or(agrees);
    let is_denied = extra.link.as_deref().is_some_and(|link| !agrees(link));
    let tied = matches!(repeat.by, Rule::Link | Rule::Reference);
    // Neither is paired, and a legacy row waits for one of them: both may be true copies.
    let is_awaited =
        !tied && partners.is_empty() && awaited.contains(&(extra.user, board.action(extra), extra.tokens));
    // What stands for another payment is no copy of that one's grant, nor is its copy.
    let is_contradicted = partners.iter().any(|partner| board.contrary(partner, kept).is_some());
    // Each has a payment of its own, of kinds that say nothing of each other.
    let paid_apart = |other: &Entry| {
        let (mut ours, theirs) = (extra.named_payments(), other.named_payments());
        let is_paid = |row: &Entry| row.named_payments().next().is_some();
        let shares = ours.any(|one| theirs.clone().any(|other| other == one));
        is_paid(extra) && is_paid(other) && !shares
    };
    let is_paid_apart = partners.iter().copied().chain([kept]).any(paid_apart);
    let shown = tied || (!is_paid_apart && !is_denied && (shows(extra) || shows(kept)));
    let copy = shown && !is_contradicted;
    let same_look = components::looks(board, extra) == components::looks(board, kept);
    let verdict = verdict_of_free(board.unified[row as usize]).max(if same_look {
        Verdict::Interchangeable
    } else {
        Verdict::Forced
    });
    let would_remove = same
        && copy
        && !is_awaited
        && repeats::within(extra, kept, board.window)
        && verdict != Verdict::Contested;
    let original = match repeat.by {
        _ if !would_remove => None,
        Rule::Link => None,
        Rule::Reference => unclear.carries(extra),
        _ => unclear.may_be_original(board, extra, reach_of_original(board, repeat.kept)),
    };
    let may_remove = would_remove && original.is_none();
    let repair = if may_remove { RepairKind::Dedupe } else { RepairKind::Review };
    let mut draft = Draft::new(board.books, Class::Duplicate, Severity::Error, repair)
        .unified(board.books, row)
        .rule(repeat.by, 0)
        .verdict(verdict)
        .effect(-i128::from(extra.signed_tokens()))
        .expects(board.action(kept))
        .evidence("repeats", &kept.id.to_string());
    let partners = legacy_of_kept(board, repeat.kept);
    draft = draft.cause(cause::of_duplicate(extra, kept, repeat.by, !partners.is_empty(), board.tolerance));
    for position in partners {
        draft = draft.legacy(board.books, position);
    }
    if !same {
        draft = draft.evidence("differs_from_kept", &differs_from_kept(board, extra, kept));
    }
    if let Some((kind, row)) = original {
        draft = draft.evidence(kind, &row);
    }
    if extra.user != kept.user {
        draft = draft.evidence("kept_user", &board.books.roster.id(kept.user).to_string());
    }
    let mut finding = draft.finish();
    // Whose balance changes when the row goes, whoever had the grant that it repeats.
    finding.user = Some(board.books.roster.id(extra.user).clone());
    finding
}

/// Where the kept row stands at the time of its own legacy row, its copies do too, and those of another legacy
/// row at the time of that. Where it has none, or another time was given to it, nothing shows whose copy the
/// extra row is.
fn reach_of_original(board: &Board<'_>, kept: u32) -> Reach {
    match board.unified[kept as usize] {
        Row::Paired(pair) if !board.pairs[pair as usize].differs.time => Reach::KnownWithin(board.tolerance),
        Row::Grouped(_) => Reach::KnownWithin(board.tolerance),
        _ => Reach::Any,
    }
}

fn differs_from_kept(board: &Board<'_>, extra: &Entry, kept: &Entry) -> String {
    let is_other_action = extra.action != kept.action;
    let all = [
        (extra.user != kept.user, "user"),
        (is_other_action, "action"),
        (!is_other_action && board.action(extra) != board.action(kept), "payment"),
        (extra.tokens != kept.tokens, "amount"),
    ];
    all.iter().filter(|(differs, _)| *differs).map(|(_, name)| *name).collect::<Vec<_>>().join("+")
}

/// Positions of the legacy rows that a kept row stands for.
fn legacy_of_kept(board: &Board<'_>, kept: u32) -> Vec<u32> {
    match board.unified[kept as usize] {
        Row::Paired(pair) => vec![board.pairs[pair as usize].legacy],
        Row::Grouped(group) => board.groups[group as usize].legacy.clone(),
        Row::Apart | Row::Free(_) => Vec::new(),
    }
}
