//! What the findings, and rows that wait for their partner, would change in the rows of a user.

use std::collections::HashMap;

use super::super::GapCause;
use super::super::replay::{End, Holding, Policies, RowEvent, What};
use super::hypothesis::Hypothesis;
use super::waiting;
use crate::config::{Config, LegacyMeaning};
use crate::domain::{ActionNo, Books, Class, Entry, Finding, Instant, Kind, Side, UserNo};
use crate::matching::Matched;
use crate::source::{is_alike, looks_like_a_grant};

/// One change of a holder's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edit {
    pub cause: GapCause,
    /// Whether it [`Hypothesis::is_of_findings`], and how.
    pub why: Hypothesis,
    /// The finding: position in the findings; of a row that waits, a number behind them.
    pub finding: u32,
    pub change: Change,
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A row that is not there comes in.
    Insert(Instant, What),
    /// A unified row goes.
    Remove(u32),
}

/// Changes by holder.
#[derive(Debug, Default)]
pub(super) struct Edits(HashMap<UserNo, Vec<Edit>>);

impl Edits {
    /// Reads them from what was matched; `holding` says at whose row a token stands.
    pub fn of(books: &Books, config: &Config, matched: &Matched, holding: &Holding) -> Edits {
        let mut edits = Edits::default();
        for (at, finding) in matched.findings.iter().enumerate() {
            let reader = Reader { books, config, holding, finding, number: at as u32 };
            reader.read(&mut edits);
        }
        waiting::add(&mut edits, books, config, matched, holding);
        edits
    }

    pub(super) fn add(&mut self, holder: UserNo, edit: Edit) {
        self.0.entry(holder).or_default().push(edit);
    }

    pub fn of_holder(&self, holder: UserNo) -> &[Edit] {
        self.0.get(&holder).map_or(&[], Vec::as_slice)
    }

    /// Where rows come in and where they end, so that use is cut there.
    pub fn cuts(&self, policies: &Policies) -> Vec<(UserNo, Instant)> {
        let mut cuts = Vec::new();
        for (&holder, edits) in &self.0 {
            for edit in edits {
                if let Change::Insert(at, what) = edit.change {
                    cuts.push((holder, at));
                    if let What::Grant(row) = what {
                        let end = policies.at(at).end_of(row.action, at, row.end);
                        cuts.extend(end.map(|end| (holder, end)));
                    }
                }
            }
        }
        cuts.sort_unstable();
        cuts
    }
}

struct Reader<'a> {
    books: &'a Books,
    config: &'a Config,
    holding: &'a Holding,
    finding: &'a Finding,
    number: u32,
}

impl Reader<'_> {
    fn read(&self, edits: &mut Edits) {
        match self.finding.class {
            Class::Unmigrated => self.missing(edits, GapCause::Unmigrated),
            Class::UnmigratedDeduction => self.missing(edits, GapCause::Deduction),
            Class::Duplicate => self.remove(edits, GapCause::Duplicate),
            Class::Orphan => self.remove(edits, GapCause::Orphan),
            Class::AmountMismatch => self.differs(edits, GapCause::Amount),
            Class::ActionMismatch => self.differs(edits, GapCause::Action),
            Class::UserMismatch => {
                self.remove(edits, GapCause::OtherUser);
                self.missing(edits, GapCause::OtherUser);
            }
            Class::UnmappedAction | Class::RejectedRow => self.uncounted(edits),
            _ => {}
        }
    }

    fn push(&self, edits: &mut Edits, user: UserNo, at: Instant, cause: GapCause, change: Change) {
        let holder = self.holding.holder(user, at);
        let why = match self.finding.class {
            Class::UnmappedAction | Class::RejectedRow => Hypothesis::Uncounted,
            _ => Hypothesis::Findings,
        };
        edits.add(holder, Edit { cause, why, finding: self.number, change });
    }

    fn user(&self) -> Option<UserNo> {
        self.finding.user.as_ref().and_then(|id| self.books.roster.find(id))
    }

    fn insert(
        &self,
        edits: &mut Edits,
        cause: GapCause,
        user: UserNo,
        at: Instant,
        signed: i128,
        as_row: RowEvent,
    ) {
        let Ok(tokens) = i64::try_from(signed.unsigned_abs()) else { return };
        if tokens == 0 || at > self.books.as_of {
            return;
        }
        let event = RowEvent { user, tokens, ..as_row };
        let what = if signed > 0 { What::Grant(event) } else { What::Deduction(event) };
        self.push(edits, user, at, cause, Change::Insert(at, what));
    }

    fn row_event(&self, entry: &Entry) -> RowEvent {
        let expected = self.finding.action_expected.as_deref();
        let named = expected.and_then(|name| self.books.actions.iter().position(|action| **action == *name));
        RowEvent {
            row: u32::MAX,
            user: entry.user,
            action: named.map_or(entry.action, |at| ActionNo(at as u16)),
            tokens: entry.tokens,
            paid: entry.paid,
            end: entry.expires_at.map_or(End::NotSaid, End::At),
        }
    }

    /// The legacy row comes in.
    fn missing(&self, edits: &mut Edits, cause: GapCause) {
        let (Some(user), Some(effect), [row]) =
            (self.user(), self.finding.tokens_effect, &self.finding.legacy_rows[..])
        else {
            return;
        };
        let entry = &self.books.legacy.entries[*row as usize];
        self.insert(edits, cause, user, entry.at, effect, self.row_event(entry));
    }

    /// The unified rows go, whether or not a repair would take them away.
    fn remove(&self, edits: &mut Edits, cause: GapCause) {
        for &row in &self.finding.unified_rows {
            let entry = &self.books.unified.entries[row as usize];
            if entry.moves_a_balance() {
                self.push(edits, entry.user, entry.at, cause, Change::Remove(row));
            }
        }
    }

    /// The unified row gets what the legacy row says.
    fn differs(&self, edits: &mut Edits, cause: GapCause) {
        let (Some(user), Some(effect), [row]) =
            (self.user(), self.finding.tokens_effect, &self.finding.unified_rows[..])
        else {
            return;
        };
        let entry = &self.books.unified.entries[*row as usize];
        let legacy = match self.finding.legacy_rows[..] {
            [legacy] => Some(&self.books.legacy.entries[legacy as usize]),
            _ => None,
        };
        let mut event = self.row_event(entry);
        if let Some(legacy) = legacy.filter(|_| entry.expires_at.is_none()) {
            event.end = legacy.expires_at.map_or(End::NotSaid, End::At);
        }
        if entry.moves_a_balance() {
            if effect == 0 && event.action == entry.action {
                return;
            }
            // It stays where it stands among the rows of its instant.
            event.row = *row;
            let signed = i128::from(entry.signed_tokens()) + effect;
            self.push(edits, entry.user, entry.at, cause, Change::Remove(*row));
            self.insert(edits, cause, entry.user, entry.at, signed, event);
        } else if let Some(legacy) = legacy {
            // It lies after as-of, so the sum of the rows has nothing of the grant yet.
            self.insert(edits, cause, user, legacy.at, i128::from(legacy.signed_tokens()), event);
        }
    }

    /// A row that the sum leaves out, since nobody knows what it means or it cannot be read.
    fn uncounted(&self, edits: &mut Edits) {
        let (Some(user), [], []) =
            (self.user(), &self.finding.legacy_rows[..], &self.finding.unified_rows[..])
        else {
            return;
        };
        let (side, tokens) = match (self.finding.tokens_legacy, self.finding.tokens_unified) {
            (Some(tokens), None) => (Side::Legacy, tokens),
            (None, Some(tokens)) => (Side::Unified, tokens),
            _ => return,
        };
        let label = match side {
            Side::Legacy => self.finding.action_legacy.as_deref(),
            Side::Unified => self.finding.action_unified.as_deref(),
        };
        let (cause, signed) = match self.direction(side, label.unwrap_or_default()) {
            Some(Kind::Grant) => (GapCause::Unmigrated, tokens.abs()),
            Some(Kind::Deduction) => (GapCause::Deduction, -tokens.abs()),
            None => return,
        };
        let times = [self.finding.created_at_legacy, self.finding.created_at_unified];
        let at = times.into_iter().flatten().next().unwrap_or(self.books.as_of);
        let event = RowEvent {
            row: u32::MAX,
            user,
            action: ActionNo(0),
            tokens: 0,
            paid: false,
            end: End::Unreadable,
        };
        self.insert(edits, cause, user, at, signed, event);
    }

    /// What a row with this label would do to a balance, if anything.
    fn direction(&self, side: Side, label: &str) -> Option<Kind> {
        let unified = &self.config.unified;
        // Whoever spelt a label in another way meant the same.
        let alike = |listed: &[String], label: &str| {
            listed.iter().any(|listed| listed == label || is_alike(label, listed))
        };
        let of_action = |label: &str| match () {
            () if alike(&unified.grants, label) => Some(Kind::Grant),
            () if alike(&unified.deductions, label) => Some(Kind::Deduction),
            () => None,
        };
        match side {
            Side::Legacy => match self.config.legacy.actions.get(label) {
                Some(LegacyMeaning::Action(action)) => of_action(action),
                Some(LegacyMeaning::Usage | LegacyMeaning::Ignore) => None,
                None => Some(Kind::Grant),
            },
            Side::Unified => of_action(label).or_else(|| {
                Some(if looks_like_a_grant(label, std::iter::empty()) {
                    Kind::Grant
                } else {
                    Kind::Deduction
                })
            }),
        }
    }
}
