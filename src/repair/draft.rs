//! Sorting the findings: what a machine may change, and what a person has to look at.

use std::collections::{HashMap, HashSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::config::Config;
use crate::domain::{Books, Class, Entry, Finding, RepairKind, RowId, Span, Status, Verdict};

use super::columns::Layout;
use super::evidence::Evidence;
use super::fits;
use super::kept::Keepers;
use super::plan::{Change, KeptRow, LegacyRow, NewId, Operation, Review, Values, derived_id};
use super::spelling::Written;

/// Sorts findings into changes and reviews.
pub(super) struct Draft<'a, 'l> {
    books: &'a Books,
    legacy: &'l Layout,
    unified: &'l Layout,
    window: Span,
    tolerance: Span,
    new_id: NewId,
    written: Written,
    /// The unified row that names a legacy row which is to be inserted.
    named: FxHashMap<&'a RowId, &'a RowId>,
    inserted: HashSet<&'a RowId>,
    touched: HashSet<u32>,
    changes: Vec<Change<'a>>,
    reviews: Vec<Review<'a>>,
}

/// Where a finding goes.
type Planned<'a> = Result<Change<'a>, String>;

impl<'a, 'l> Draft<'a, 'l> {
    pub fn new(
        config: &Config,
        books: &'a Books,
        legacy: &'l Layout,
        unified: &'l Layout,
        new_id: NewId,
    ) -> Self {
        Draft {
            books,
            legacy,
            unified,
            window: config.matching.window,
            tolerance: config.matching.tolerance,
            new_id,
            written: Written::of(books, legacy, unified),
            named: FxHashMap::default(),
            inserted: HashSet::new(),
            touched: HashSet::new(),
            changes: Vec::new(),
            reviews: Vec::new(),
        }
    }

    /// Takes all findings: changes by operation, and reviews.
    pub fn sorted(mut self, findings: &'a [Finding]) -> (Vec<Change<'a>>, Vec<Review<'a>>) {
        let leaving: HashSet<u32> = findings
            .iter()
            .filter(|finding| finding.repair == RepairKind::Dedupe && barrier(finding).is_none())
            .flat_map(|finding| finding.unified_rows.iter().copied())
            .collect();
        let keepers = Keepers::new(self.books, &leaving, self.window);
        self.named = named(self.books, findings);
        for finding in findings {
            if finding.repair == RepairKind::None && finding.verdict != Verdict::Contested {
                continue;
            }
            let planned = match barrier(finding) {
                Some(reason) => Err(reason),
                None => match finding.repair {
                    RepairKind::Backfill => self.insertion(finding),
                    RepairKind::Update => self.update(finding),
                    RepairKind::Dedupe => self.removal(finding, &keepers),
                    RepairKind::Review | RepairKind::None => Err(String::new()),
                },
            };
            match planned {
                Ok(change) => self.changes.push(change),
                Err(reason) => self.reviews.push(self.review(finding, reason)),
            }
        }
        self.changes.sort_by_key(|change| change.operation);
        self.note_repaired_keepers();
        self.spare_reviewed_rows();
        (self.changes, self.reviews)
    }

    fn insertion(&mut self, finding: &'a Finding) -> Planned<'a> {
        let entry = self.only(&finding.legacy_rows, &self.books.legacy.entries, "legacy")?.1;
        let legacy = self.legacy_row(entry);
        let action = match &finding.action_expected {
            Some(action) => action,
            None => self.books.action(entry.action),
        };
        let (user, user_no) = (legacy.user, entry.user);
        let new = Values { user, user_no, action, raw_tokens: entry.tokens, at: entry.at };
        if self.unified.parts(new.action).is_none() {
            return Err(format!("the label {} does not split into the columns of the action", new.action));
        }
        if !self.inserted.insert(legacy.id) {
            return Err("another finding inserts a row for the same legacy id".to_owned());
        }
        let reference = match (&self.legacy.reference, &self.unified.reference, &*entry.references) {
            (Some(_), Some(_), [only]) => Some(&*self.books.references[*only as usize]),
            _ => None,
        };
        self.written.tells(user_no, user)?;
        fits::values(self.unified, &new)?;
        fits::text(legacy.label)?;
        legacy.id.with_text(fits::text)?;
        legacy.evidence.fits(&self.books.references)?;
        entry.expires_at.map_or(Ok(()), fits::instant)?;
        if let Some(link) = &self.unified.link {
            fits::id(link, legacy.id)?;
        }
        if let (Some(slot), Some(reference)) = (&self.unified.reference, reference) {
            fits::id(slot, &RowId::parse(reference))?;
        }
        let row = match self.new_id {
            NewId::Derived(namespace) => Some(derived_id(namespace, legacy.id)),
            NewId::Given => None,
        };
        row.as_ref().map_or(Ok(()), |row| fits::id(&self.unified.id, row))?;
        if let Some(row) = row.as_ref().filter(|row| self.is_there(row)) {
            return Err(format!("its copy {row} is there already, with other content"));
        }
        if let Some(row) = self.named.get(legacy.id) {
            return Err(format!("the unified row {row} names it, though it does not count as its copy"));
        }
        Ok(Change {
            finding: &finding.id,
            class: finding.class,
            operation: Operation::Insert,
            row,
            effect_tokens: finding.tokens_effect.unwrap_or(i128::from(entry.signed_tokens())),
            legacy: Some(legacy),
            old: None,
            new: Some(new),
            evidence: None,
            reference,
            expires_at: entry.expires_at,
            kept: None,
            blocks: finding.is_blocking(),
        })
    }

    fn update(&mut self, finding: &'a Finding) -> Planned<'a> {
        let (position, entry) = self.only(&finding.unified_rows, &self.books.unified.entries, "unified")?;
        let legacy = match &*finding.legacy_rows {
            [] => None,
            _ => Some(self.only(&finding.legacy_rows, &self.books.legacy.entries, "legacy")?.1),
        };
        let old = self.values(entry);
        let mut new = old;
        match (finding.class, legacy, &finding.action_expected) {
            (Class::AmountMismatch, Some(legacy), _) => {
                new.raw_tokens = if entry.negative { -legacy.tokens } else { legacy.tokens };
            }
            (Class::TimeMismatch, Some(legacy), _) => new.at = legacy.at,
            (Class::ActionMismatch | Class::MislabelledPurchase, _, Some(action)) => {
                new.action = action;
            }
            _ => return Err(format!("{} has no update", finding.class.name())),
        }
        if new == old {
            return Err("the row has the expected values already".to_owned());
        }
        if self.unified.parts(new.action).is_none() || self.unified.parts(old.action).is_none() {
            return Err(format!("the label {} does not split into the columns of the action", new.action));
        }
        let legacy = legacy.map(|entry| self.legacy_row(entry));
        fits::values(self.unified, &old)?;
        fits::values(self.unified, &new)?;
        if new.at != old.at {
            fits::time(self.unified, new.at, self.tolerance)?;
        }
        entry.id.with_text(fits::text)?;
        let evidence = self.evidence(entry)?;
        legacy.map_or(Ok(()), |legacy| legacy.evidence.fits(&self.books.references))?;
        self.touch(position)?;
        Ok(Change {
            finding: &finding.id,
            class: finding.class,
            operation: Operation::Update,
            row: Some(entry.id.clone()),
            legacy,
            old: Some(old),
            new: Some(new),
            evidence: Some(evidence),
            reference: None,
            expires_at: None,
            kept: None,
            effect_tokens: finding.tokens_effect.unwrap_or(0),
            blocks: finding.is_blocking(),
        })
    }

    fn removal(&mut self, finding: &'a Finding, keepers: &Keepers<'a>) -> Planned<'a> {
        let (position, entry) = self.only(&finding.unified_rows, &self.books.unified.entries, "unified")?;
        let old = self.values(entry);
        if self.unified.parts(old.action).is_none() {
            return Err(format!("the label {} does not split into the columns of the action", old.action));
        }
        let Some(kept) = keepers.of(entry, finding.legacy_ids.first()) else {
            return Err("no row of the same user, action and amount would stay within the window".to_owned());
        };
        fits::values(self.unified, &old)?;
        entry.id.with_text(fits::text)?;
        kept.id.with_text(fits::text)?;
        let (evidence, values) = (self.evidence(entry)?, self.values(kept));
        let kept = KeptRow { id: &kept.id, values, repaired: values, evidence: self.evidence(kept)? };
        self.touch(position)?;
        Ok(Change {
            finding: &finding.id,
            class: finding.class,
            operation: Operation::Delete,
            row: Some(entry.id.clone()),
            legacy: None,
            old: Some(old),
            new: None,
            evidence: Some(evidence),
            reference: None,
            expires_at: None,
            kept: Some(kept),
            effect_tokens: finding.tokens_effect.unwrap_or(-i128::from(entry.signed_tokens())),
            blocks: finding.is_blocking(),
        })
    }

    /// A unified row of this id is in the books.
    fn is_there(&self, id: &RowId) -> bool {
        let unified = &self.books.unified;
        self.books.settled.known_ids.contains(id)
            || unified.entries.binary_search_by(|entry| entry.id.cmp(id)).is_ok()
            || unified.bystanders.binary_search_by(|row| row.id.cmp(id)).is_ok()
    }

    fn touch(&mut self, position: u32) -> Result<(), String> {
        if self.touched.insert(position) {
            Ok(())
        } else {
            Err("another finding changes the same row".to_owned())
        }
    }

    fn only<'b>(
        &self,
        positions: &[u32],
        entries: &'b [Entry],
        side: &str,
    ) -> Result<(u32, &'b Entry), String> {
        match positions {
            [only] => entries
                .get(*only as usize)
                .map(|entry| (*only, entry))
                .ok_or_else(|| format!("its {side} row is not in the books")),
            several => Err(format!("it has {} {side} rows", several.len())),
        }
    }

    fn legacy_row(&self, entry: &'a Entry) -> LegacyRow<'a> {
        LegacyRow {
            id: &entry.id,
            user: self.books.roster.id(entry.user),
            label: &self.books.legacy.labels[usize::from(entry.label)],
            raw_tokens: entry.raw_tokens(),
            at: entry.at,
            evidence: Evidence::of(entry),
        }
    }

    fn values(&self, entry: &Entry) -> Values<'a> {
        Values {
            user: self.books.roster.id(entry.user),
            user_no: entry.user,
            action: &self.books.unified.labels[usize::from(entry.label)],
            raw_tokens: entry.raw_tokens(),
            at: entry.at,
        }
    }

    /// What a unified row says beside its values.
    fn evidence(&self, entry: &'a Entry) -> Result<Evidence<'a>, String> {
        let evidence = Evidence::of(entry);
        evidence.fits(&self.books.references)?;
        Ok(evidence)
    }

    fn review(&self, finding: &'a Finding, reason: String) -> Review<'a> {
        let rows = finding
            .unified_rows
            .iter()
            .filter_map(|row| self.books.unified.entries.get(*row as usize))
            .map(|entry| (&entry.id, self.values(entry)))
            .collect();
        Review {
            finding: &finding.id,
            class: finding.class,
            file: match finding.class {
                Class::Unmigrated | Class::UnmigratedDeduction => Operation::Insert,
                Class::Duplicate => Operation::Delete,
                _ => Operation::Update,
            },
            user: finding.user.as_ref(),
            legacy_ids: &finding.legacy_ids,
            unified_ids: &finding.unified_ids,
            reason: if reason.is_empty() { described(finding) } else { reason },
            rows,
        }
    }

    /// A kept row that is repaired has one of two contents, whichever file runs first.
    fn note_repaired_keepers(&mut self) {
        let repaired: HashMap<RowId, Values<'a>> = self
            .changes
            .iter()
            .filter(|change| change.operation == Operation::Update)
            .filter_map(|change| Some((change.row.clone()?, change.new?)))
            .collect();
        for kept in self.changes.iter_mut().filter_map(|change| change.kept.as_mut()) {
            if let Some(values) = repaired.get(kept.id) {
                kept.repaired = *values;
            }
        }
    }

    /// A row that stands in a review and in a change is not promised to stay as it is.
    fn spare_reviewed_rows(&mut self) {
        let changed: HashSet<&RowId> = self
            .changes
            .iter()
            .filter(|change| change.old.is_some())
            .filter_map(|it| it.row.as_ref())
            .collect();
        for review in &mut self.reviews {
            review.rows.retain(|(id, _)| !changed.contains(*id));
        }
    }
}

/// Rows that name a legacy row which has no copy: they failed, are worth nothing, or lie beyond as-of. Would
/// one of them count later, a row inserted now would be the second.
fn named<'a>(books: &'a Books, findings: &'a [Finding]) -> FxHashMap<&'a RowId, &'a RowId> {
    let missing = findings.iter().filter(|finding| finding.repair == RepairKind::Backfill);
    let missing: FxHashSet<&RowId> = missing.flat_map(|finding| &finding.legacy_ids).collect();
    if missing.is_empty() {
        return FxHashMap::default();
    }
    // Asked of every row, nearly always in vain: this is what a fast hash is for.
    let links = books.unified.entries.iter().filter_map(|row| Some((row.link.as_deref()?, &row.id)));
    links.filter(|(link, _)| missing.contains(link)).collect()
}

/// What each side says, and the evidence.
fn described(finding: &Finding) -> String {
    let mut parts = Vec::new();
    let sides = [
        ("legacy", &finding.action_legacy, finding.tokens_legacy, finding.created_at_legacy),
        ("unified", &finding.action_unified, finding.tokens_unified, finding.created_at_unified),
    ];
    for (side, action, tokens, at) in sides {
        let words = [
            action.clone(),
            tokens.map(|tokens| format!("{tokens} tokens")),
            at.map(|at| format!("at {}", at.rfc3339())),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        if !words.is_empty() {
            parts.push(format!("{side} says {}", words.join(" ")));
        }
    }
    if !finding.evidence.is_empty() {
        parts.push(finding.evidence.clone());
    }
    parts.join("; ")
}

/// Repairs that the findings call executable, by operation.
pub(super) fn executable(findings: &[Finding]) -> [u64; 3] {
    let count = |kind: RepairKind| {
        let of_kind = findings.iter().filter(|finding| finding.repair == kind);
        of_kind.filter(|finding| barrier(finding).is_none()).count() as u64
    };
    [count(RepairKind::Backfill), count(RepairKind::Update), count(RepairKind::Dedupe)]
}

/// Why a finding may not stand in executable SQL, whatever its repair.
fn barrier(finding: &Finding) -> Option<String> {
    if finding.verdict == Verdict::Contested {
        return Some(format!("contested: the rows could be paired otherwise; {}", finding.evidence));
    }
    if finding.status == Status::Waived && finding.repair.is_executable() {
        return Some("waived: what was accepted is left as it is".to_owned());
    }
    None
}
