//! Judges what the ladder left: classes, severity, what may be repaired. The tables of
//! `semantics.md`, row by row.

use std::collections::BTreeSet;

use hashbrown::HashSet;

use super::board::{Board, Row};
use super::copies::{Awaited, duplicate};
use super::draft::Draft;
use super::repeats::Kept;
use super::unclear::{Evidence, Reach, Unclear};
use super::{Matched, SharedReferences, cause, missing};
use crate::cores::{self, at_once};
use crate::domain::{
    Books, Class, Confidence, Entry, Finding, Kind, Pair, PopulationClass, RepairKind, Rule, Severity, Side,
    Standing, Verdict,
};

/// Judges all rows.
pub(super) fn judge(mut board: Board<'_>) -> Matched {
    order_pairs(&mut board);
    let ((seen, contradicted), (mut findings, shared_references)) =
        at_once(|| (cause::Seen::of(&board), board.contradicted()), || findings(&board));
    let calibration = cause::name(&board, seen, &mut findings);
    Matched {
        pairs: board.pairs,
        groups: board.groups,
        legacy: board.legacy,
        unified: board.unified,
        findings,
        bounded: board.bounded,
        contradicted,
        shared_references,
        calibration,
    }
}

/// All findings, without causes but where one shows with the finding itself.
fn findings(board: &Board<'_>) -> (Vec<Finding>, Option<SharedReferences>) {
    let unclear = [Unclear::of(board, Side::Legacy), Unclear::of(board, Side::Unified)];
    let of_pairs = of_pairs(board, &unclear);
    let (unified, dedupes) = left_over_unified(board, &unclear[Side::Legacy as usize]);
    let (missing, shared_references) = missing::left_over_legacy(board, &dedupes, &unclear);
    // Findings are large and there may be a million: each is moved once.
    let known = of_pairs.iter().map(Vec::len).sum::<usize>() + unified.len() + missing.len();
    let mut findings = Vec::with_capacity(known + board.groups.len());
    of_pairs.into_iter().for_each(|share| findings.extend(share));
    findings.extend((0..board.groups.len()).filter_map(|group| of_group(board, group)));
    findings.extend(unified);
    findings.extend(missing);
    findings.extend(unmapped(board.books));
    findings.extend(rejected(board.books));
    (findings, shared_references)
}

/// Pairs and groups ascend by legacy row, whatever rung they come from.
fn order_pairs(board: &mut Board<'_>) {
    let mut pairs = Vec::with_capacity(board.pairs.len());
    for row in &mut board.legacy {
        if let Row::Paired(before) = row {
            let pair = board.pairs[*before as usize];
            *row = Row::Paired(pairs.len() as u32);
            board.unified[pair.unified as usize] = *row;
            pairs.push(pair);
        }
    }
    board.pairs = pairs;
    board.groups.sort_by(|a, b| a.legacy.cmp(&b.legacy));
    for (number, group) in board.groups.iter().enumerate() {
        group.legacy.iter().for_each(|&row| board.legacy[row as usize] = Row::Grouped(number as u32));
        group.unified.iter().for_each(|&row| board.unified[row as usize] = Row::Grouped(number as u32));
    }
}

impl Board<'_> {
    pub(super) fn is_late(&self, entry: &Entry) -> bool {
        entry.at > self.books.as_of
    }

    /// The legacy row of a position is.
    pub(super) fn is_late_at(&self, legacy: u32) -> bool {
        self.at(Side::Legacy, legacy) > self.books.as_of
    }

    /// Younger than as-of − settle: a partner may still come.
    pub(super) fn is_young(&self, entry: &Entry) -> bool {
        entry.at > self.books.as_of.minus(self.config.matching.settle)
    }
}

/// Any finding about a row that lies in the future of as-of is a warning.
fn weigh(severity: Severity, is_late: bool) -> Severity {
    if is_late { Severity::Warning } else { severity }
}

/// Findings about pairs, in their order, in several lists; on all cores, since each pair is judged alone.
fn of_pairs(board: &Board<'_>, unclear: &[Unclear<'_>; 2]) -> Vec<Vec<Finding>> {
    let of_share =
        |_, pairs: &[Pair]| pairs.iter().filter_map(|pair| of_pair(board, pair, unclear)).collect();
    cores::in_shares(&board.pairs, of_share)
}

fn of_pair(board: &Board<'_>, pair: &Pair, unclear: &[Unclear<'_>; 2]) -> Option<Finding> {
    let (legacy, unified) =
        (board.entry(Side::Legacy, pair.legacy), board.entry(Side::Unified, pair.unified));
    let differs = pair.differs;
    if differs.count() == 0 || board.is_late(legacy) {
        return None;
    }
    let (class, severity) = class_of_pair(board, pair);
    let expected = i128::from(legacy_effect(board, legacy, unified, pair.rule));
    let sure = repair_of_pair(board, pair, class);
    let doubt = if sure == RepairKind::Update { doubt_of_pair(board, pair, unclear) } else { None };
    let repair = match (&doubt, class) {
        (None, _) => sure,
        (Some(_), Class::TimeMismatch) => RepairKind::None,
        (Some(_), _) => RepairKind::Review,
    };
    let effect = match class {
        Class::UserMismatch => expected,
        // Its time brings it before as-of, where it counts.
        Class::TimeMismatch if repair == RepairKind::Update && board.is_late(unified) => expected,
        Class::TimeMismatch => 0,
        _ => expected - i128::from(unified.signed_tokens()),
    };
    let severity = weigh(severity, board.is_late(unified));
    let draft = Draft::new(board.books, class, severity, repair)
        .legacy(board.books, pair.legacy)
        .unified(board.books, pair.unified)
        .rule(pair.rule, differs.count())
        .verdict(pair.verdict)
        .effect(effect)
        .expects(board.expected_of_pair(legacy, unified, pair.rule));
    let draft = with_evidence(board, pair, class, draft);
    Some(match doubt {
        Some((kind, row)) => draft.evidence(kind, &row).finish(),
        None => draft.finish(),
    })
}

/// A row that nobody can read or place and that may be the true partner of one of the two. Only where the pair
/// rests on nearness: what is said by a link, a reference or equality nobody doubts, nor what a payment on the
/// row itself says.
fn doubt_of_pair(board: &Board<'_>, pair: &Pair, unclear: &[Unclear<'_>; 2]) -> Option<Evidence> {
    let (legacy, unified) =
        (board.entry(Side::Legacy, pair.legacy), board.entry(Side::Unified, pair.unified));
    if !matches!(pair.rule, Rule::Mismatch | Rule::Stamped) || unified.paid {
        return None;
    }
    let [of_legacy, of_unified] = unclear;
    let reach = if pair.rule == Rule::Stamped { Reach::Any } else { Reach::Within(board.window) };
    let original = of_legacy.may_be_original(board, unified, reach);
    original.or_else(|| of_unified.may_be(board, legacy, reach))
}

/// The pair is for people to judge: another user's row, or one that differs in so much that another row may
/// be its partner as well.
pub(super) fn is_a_guess(board: &Board<'_>, pair: &Pair) -> bool {
    match pair.rule {
        Rule::User => true,
        Rule::Mismatch => repair_of_pair(board, pair, class_of_pair(board, pair).0) == RepairKind::Review,
        _ => false,
    }
}

/// The first of user, action, amount, time in which the pair differs. Where a payment calls for
/// another label and nothing but time differs beside it, the row is mislabelled; beside another
/// user or amount it is the error that it would be without a payment, and beside another time too
/// where neither a link nor a reference nor a payment on the row itself shows that it is this grant:
/// a warning never hides an error.
fn class_of_pair(board: &Board<'_>, pair: &Pair) -> (Class, Severity) {
    let (legacy, unified) =
        (board.entry(Side::Legacy, pair.legacy), board.entry(Side::Unified, pair.unified));
    let differs = pair.differs;
    let paid = board.is_paid_pair(legacy, unified, pair.rule) && unified.kind == Kind::Grant;
    let is_guess = !matches!(pair.rule, Rule::Link | Rule::Reference) && !unified.paid;
    if differs.user {
        (Class::UserMismatch, Severity::Error)
    } else if differs.action && paid && !differs.amount && !(differs.time && is_guess) {
        (Class::MislabelledPurchase, Severity::Warning)
    } else if differs.action {
        (Class::ActionMismatch, Severity::Error)
    } else if differs.amount {
        (Class::AmountMismatch, Severity::Error)
    } else {
        (Class::TimeMismatch, Severity::Warning)
    }
}

/// The unified row shows itself that it is the copy of this legacy row. A link to another row says
/// the contrary, whatever the mark says, and so does another payment.
fn is_copy(board: &Board<'_>, legacy: &Entry, unified: &Entry) -> bool {
    let named = match unified.link.as_deref() {
        Some(link) => *link == legacy.id,
        None => unified.migrated && board.contrary(legacy, unified).is_none(),
    };
    named || unified.references.iter().any(|reference| legacy.references.binary_search(reference).is_ok())
}

fn repair_of_pair(board: &Board<'_>, pair: &Pair, class: Class) -> RepairKind {
    let (legacy, unified) =
        (board.entry(Side::Legacy, pair.legacy), board.entry(Side::Unified, pair.unified));
    let is_one = pair.differs.count() == 1;
    let is_sure = pair.verdict != Verdict::Contested;
    let may_update = is_one && is_sure && is_copy(board, legacy, unified);
    match class {
        // The payment on the row itself says what it is, whatever its partner.
        Class::MislabelledPurchase if is_sure && (unified.paid || is_one) => RepairKind::Update,
        Class::TimeMismatch if board.config.repair.time && may_update => RepairKind::Update,
        Class::TimeMismatch => RepairKind::None,
        Class::AmountMismatch | Class::ActionMismatch if may_update => RepairKind::Update,
        _ => RepairKind::Review,
    }
}

fn with_evidence<'b>(board: &Board<'b>, pair: &Pair, class: Class, mut draft: Draft<'b>) -> Draft<'b> {
    let (legacy, unified) =
        (board.entry(Side::Legacy, pair.legacy), board.entry(Side::Unified, pair.unified));
    let differs = pair.differs;
    let others = [
        (differs.action && class != Class::ActionMismatch && class != Class::MislabelledPurchase, "action"),
        (differs.amount && class != Class::AmountMismatch, "amount"),
        (differs.time && class != Class::TimeMismatch, "time"),
    ];
    let also: Vec<&str> = others.iter().filter(|(differs, _)| *differs).map(|(_, name)| *name).collect();
    if !also.is_empty() {
        draft = draft.evidence("also_differs", &also.join("+"));
    }
    if let (false, Some(contrary)) =
        (matches!(pair.rule, Rule::Link | Rule::Reference), board.contrary(legacy, unified))
    {
        draft = draft.evidence("contradicted_by", contrary.name());
    }
    if differs.user {
        draft = draft
            .evidence("unified_user", &board.books.roster.id(unified.user).to_string())
            .evidence("unified_user_effect_tokens", &(-unified.signed_tokens()).to_string());
    }
    if differs.action && board.is_paid_pair(legacy, unified, pair.rule) {
        let on = match (legacy.paid, unified.paid) {
            (true, true) => "both",
            (true, false) => "legacy",
            _ => "unified",
        };
        draft = draft.evidence("payment_on", on);
    }
    if is_copy(board, legacy, unified) {
        draft = draft.evidence("copy_shown_by", copy_shown_by(legacy, unified));
    }
    draft
}

/// What the pair should do to the balance: the legacy amount in the direction of the action.
fn legacy_effect(board: &Board<'_>, legacy: &Entry, unified: &Entry, rule: Rule) -> i64 {
    if board.is_paid_pair(legacy, unified, rule) { legacy.tokens } else { legacy.signed_tokens() }
}

fn copy_shown_by(legacy: &Entry, unified: &Entry) -> &'static str {
    match unified.link.as_deref() {
        Some(link) if *link == legacy.id => "link",
        None if unified.migrated => "mark",
        _ => "reference",
    }
}

fn of_group(board: &Board<'_>, number: usize) -> Option<Finding> {
    let group = &board.groups[number];
    if group.legacy.iter().all(|&row| board.is_late(board.entry(Side::Legacy, row))) {
        return None;
    }
    let is_late = |side: Side, rows: &[u32]| rows.iter().any(|&row| board.is_late(board.entry(side, row)));
    let late = is_late(Side::Legacy, &group.legacy) || is_late(Side::Unified, &group.unified);
    let severity = weigh(Severity::Info, late);
    let mut draft = Draft::new(board.books, Class::SplitGrant, severity, RepairKind::None)
        .rule(Rule::Split, 0)
        .verdict(group.verdict)
        .effect(0);
    for &row in &group.legacy {
        draft = draft.legacy(board.books, row);
    }
    for &row in &group.unified {
        draft = draft.unified(board.books, row);
    }
    let parts = format!("{}:{}", group.legacy.len(), group.unified.len());
    Some(
        draft
            .expects(board.action(board.entry(Side::Legacy, group.legacy[0])))
            .evidence("rows", &parts)
            .finish(),
    )
}

/// Free rows that are judged, oldest first: neither late nor young.
pub(super) fn judged(board: &Board<'_>, side: Side) -> Vec<u32> {
    let mut rows = board.free(side);
    rows.retain(|&row| {
        let entry = board.entry(side, row);
        !board.is_late(entry) && !board.is_young(entry)
    });
    rows.sort_by_key(|&row| (board.entry(side, row).at, row));
    rows
}

pub(super) fn verdict_of_free(row: Row) -> Verdict {
    if let Row::Free(verdict) = row { verdict } else { Verdict::Forced }
}

/// Findings about unified rows that are left over, and those of them that will be removed.
pub(super) fn left_over_unified(board: &Board<'_>, unclear: &Unclear<'_>) -> (Vec<Finding>, BTreeSet<u32>) {
    let rows = judged(board, Side::Unified);
    let mut kept = Kept::of_pairs(board, &rows);
    let awaiting = board.free(Side::Legacy).into_iter().map(|row| board.entry(Side::Legacy, row));
    let awaited: HashSet<Awaited> =
        awaiting.map(|entry| (entry.user, board.action(entry), entry.tokens)).collect();
    let mut findings = Vec::new();
    let mut dedupes = BTreeSet::new();
    for row in rows {
        if let Some(repeat) = kept.repeated_by(board, row) {
            let finding = duplicate(board, row, repeat, (&awaited, unclear));
            if finding.repair == RepairKind::Dedupe {
                dedupes.insert(row);
            }
            findings.push(finding);
            continue;
        }
        kept.keep(board, row);
        findings.extend(alone(board, row));
    }
    (findings, dedupes)
}

/// A unified row without a legacy row, that repeats nothing.
fn alone(board: &Board<'_>, row: u32) -> Option<Finding> {
    let entry = board.entry(Side::Unified, row);
    let verdict = verdict_of_free(board.unified[row as usize]);
    let expected = board.action(entry);
    let finish = |class, severity, repair, effect: i128| {
        Draft::new(board.books, class, severity, repair)
            .unified(board.books, row)
            .rule(Rule::None, 0)
            .verdict(verdict)
            .effect(effect)
            .expects(expected)
    };
    if entry.is_marked() {
        let effect = -i128::from(entry.signed_tokens());
        let mut draft = finish(Class::Orphan, Severity::Error, RepairKind::Review, effect);
        if let Some(link) = &entry.link {
            let what = match board.books.legacy.standing(link) {
                Some(Standing::Read) => "link_to_other_row",
                Some(Standing::Rejected) => "link_to_rejected_row",
                None => "link_to_nothing",
            };
            draft = draft.evidence(what, &link.to_string());
        }
        return Some(draft.finish());
    }
    if expected != entry.action {
        // What another optimum would have paired is not touched.
        let repair = if verdict == Verdict::Contested { RepairKind::Review } else { RepairKind::Update };
        let draft = finish(Class::MislabelledPurchase, Severity::Warning, repair, 0);
        return Some(draft.evidence("payment_on", "unified").finish());
    }
    (!board.stands_alone(entry))
        .then(|| finish(Class::Orphan, Severity::Warning, RepairKind::None, 0).finish())
}

/// One finding a row whose label means nothing.
fn unmapped(books: &Books) -> Vec<Finding> {
    let mut findings = Vec::new();
    for side in [Side::Legacy, Side::Unified] {
        let ledger = books.side(side);
        for row in ledger.bystanders.iter().filter(|row| row.class == PopulationClass::Unmapped) {
            let label = ledger.labels[usize::from(row.label)].to_string();
            let mut finding = Draft::new(books, Class::UnmappedAction, Severity::Error, RepairKind::Review)
                .rule(Rule::None, 0)
                .evidence("label", &label)
                .cause("unmapped_label")
                .finish();
            finding.user = Some(books.roster.id(row.user).clone());
            let tokens = Some(i128::from(row.raw_tokens).abs());
            match side {
                Side::Legacy => {
                    finding.legacy_ids.push(row.id.clone());
                    finding.action_legacy = Some(label);
                    finding.tokens_legacy = tokens;
                    finding.created_at_legacy = Some(row.at);
                }
                Side::Unified => {
                    finding.unified_ids.push(row.id.clone());
                    finding.action_unified = Some(label);
                    finding.tokens_unified = tokens;
                    finding.created_at_unified = Some(row.at);
                }
            }
            findings.push(finding);
        }
    }
    findings
}

/// One finding a row that cannot be read.
fn rejected(books: &Books) -> Vec<Finding> {
    let mut findings = Vec::new();
    for side in [Side::Legacy, Side::Unified] {
        for row in &books.side(side).rejected {
            let late = row.at.is_some_and(|at| at > books.as_of);
            let severity = weigh(Severity::Error, late);
            let mut finding = Draft::new(books, Class::RejectedRow, severity, RepairKind::Review)
                .rule(Rule::None, 0)
                .evidence("reason", &row.reason)
                .cause("unreadable")
                .finish();
            finding.user = row.user.clone();
            let ids = row.id.iter().cloned().collect();
            let label = row.label.as_deref().filter(|label| !label.is_empty()).map(str::to_owned);
            let tokens = row.tokens.map(|tokens| i128::from(tokens).abs());
            match side {
                Side::Legacy => {
                    finding.legacy_ids = ids;
                    finding.action_legacy = label;
                    finding.tokens_legacy = tokens;
                    finding.created_at_legacy = row.at;
                }
                Side::Unified => {
                    finding.unified_ids = ids;
                    finding.action_unified = label;
                    finding.tokens_unified = tokens;
                    finding.created_at_unified = row.at;
                }
            }
            findings.push(finding);
        }
    }
    findings
}

/// How sure a rule is.
pub(super) fn confidence(rule: Rule, differing: u32) -> Confidence {
    match rule {
        Rule::Link | Rule::Reference | Rule::Exact => Confidence::High,
        Rule::Near | Rule::Split | Rule::User => Confidence::Medium,
        Rule::Mismatch if differing == 1 => Confidence::Medium,
        Rule::Mismatch | Rule::Stamped | Rule::None => Confidence::Low,
    }
}

/// Unified time − legacy time of a pair, for causes.
pub(super) fn lag_micros(board: &Board<'_>, pair: &Pair) -> i64 {
    board.at(Side::Unified, pair.unified).since(board.at(Side::Legacy, pair.legacy)).0
}
