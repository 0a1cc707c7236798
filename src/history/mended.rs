//! What the SQL of the run before may have taken from the unified rows and brought to them: neither is a
//! row that has gone, nor one that stands in for another.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::shrunk::{Now, moves};
use super::table::Row;
use crate::domain::{Entry, Instant, RepairKind, RowId, Side, Total};
use crate::normalise::NormaliseError;

/// The repairs of a run, by what they were for. What was accepted is in no SQL, and left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Mended {
    /// What a repair takes, by finding.
    taken: HashMap<String, Total>,
    /// Legacy rows that `backfill.sql` inserts, with their findings.
    missing: HashMap<RowId, String>,
    /// Unified rows that `repair.sql` makes larger, with their findings and their tokens.
    raised: HashMap<RowId, (String, i128)>,
    /// Unified rows that findings name, by their hashes: they were there.
    named: HashSet<u64>,
}

impl Mended {
    /// Takes in a row of `findings.csv`.
    pub(super) fn note(&mut self, row: &Row<'_>) -> Result<(), String> {
        let unified = row.text("unified_ids")?;
        // An id may hold the sign that parts ids: both readings are kept.
        self.named.extend(unified.split(';').chain([unified]).map(|id| hash(&RowId::parse(id))));
        if row.plain("status")? == "waived" {
            return Ok(());
        }
        let [repair, legacy_tokens, unified_tokens] =
            ["repair", "tokens_legacy", "tokens_unified"].map(|column| row.plain(column));
        let (repair, legacy_tokens, unified_tokens) = (repair?, legacy_tokens?, unified_tokens?);
        let finding = row.plain("finding_id")?;
        if let Some(taken) = taken_by(repair, legacy_tokens, unified_tokens) {
            self.taken.insert(finding.to_owned(), taken);
        } else if repair == RepairKind::Backfill.name() {
            self.missing.insert(RowId::parse(row.text("legacy_ids")?), finding.to_owned());
        } else if repair == RepairKind::Update.name()
            && tokens(unified_tokens) < tokens(legacy_tokens)
            && !unified_tokens.is_empty()
        {
            let before = (finding.to_owned(), tokens(unified_tokens));
            self.raised.insert(RowId::parse(unified), before);
        }
        Ok(())
    }

    /// What was taken, as far as the findings are not there any more.
    pub(super) fn taken(&self, open: &HashSet<&str>) -> Total {
        let resolved = self.taken.iter().filter(|(id, _)| !open.contains(id.as_str()));
        resolved.fold(Total::default(), |sum, (_, total)| plus(sum, *total))
    }

    /// What was brought, among the rows up to a moment: rows that stand for a legacy row which had none,
    /// and what was added to rows that were too small. Only what is seen to be there counts, so that a
    /// finding that was mended in another way lets nobody miss a row.
    pub(super) fn brought(
        &self,
        open: &HashSet<&str>,
        now: &Now<'_>,
        until: Instant,
    ) -> Result<Total, NormaliseError> {
        let was_missing = |id: &RowId| self.missing.get(id).is_some_and(|id| !open.contains(id.as_str()));
        let was_there = |id: &RowId| self.named.contains(&hash(id));
        let added_to = |id: &RowId, tokens: i64| {
            let (finding, before) = self.raised.get(id)?;
            let added = i128::from(tokens).saturating_sub(*before);
            (added > 0 && !open.contains(finding.as_str())).then_some(Total { rows: 0, tokens: added })
        };
        let mut brought = Total::default();
        if self.missing.is_empty() && self.raised.is_empty() {
            return Ok(brought);
        }
        let [legacy, unified] = [Side::Legacy, Side::Unified].map(|side| &now.books.side(side).entries);
        let is_seen = |entry: &Entry| moves(entry, until);
        for pair in now.pairs {
            let entry = &unified[pair.unified as usize];
            if was_missing(&legacy[pair.legacy as usize].id) && !was_there(&entry.id) && is_seen(entry) {
                brought = plus(brought, Total { rows: 1, tokens: entry.tokens.into() });
            }
        }
        for entry in unified.iter().filter(|entry| is_seen(entry)) {
            brought = plus(brought, added_to(&entry.id, entry.tokens).unwrap_or_default());
        }
        let Some(settled) = now.settled else { return Ok(brought) };
        let mut pairs = HashSet::new();
        settled.each(Side::Legacy, |row| pairs.extend(row.pair.filter(|_| was_missing(&row.id))))?;
        settled.each(Side::Unified, |row| {
            if row.at > until || !row.moves() {
                return;
            }
            if row.pair.is_some_and(|pair| pairs.contains(&pair)) && !was_there(&row.id) {
                brought = plus(brought, Total { rows: 1, tokens: row.tokens.into() });
            }
            brought = plus(brought, added_to(&row.id, row.tokens).unwrap_or_default());
        })?;
        Ok(brought)
    }
}

fn hash(id: &RowId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

fn plus(one: Total, other: Total) -> Total {
    Total { rows: one.rows.saturating_add(other.rows), tokens: one.tokens.saturating_add(other.tokens) }
}

fn tokens(text: &str) -> i128 {
    text.parse::<i128>().map_or(0, i128::saturating_abs)
}

/// What the repair of a finding takes from the unified rows: a whole row, or the part of its amount
/// that is too much.
fn taken_by(repair: &str, tokens_legacy: &str, tokens_unified: &str) -> Option<Total> {
    let (legacy, unified) = (tokens(tokens_legacy), tokens(tokens_unified));
    if repair == RepairKind::Dedupe.name() {
        return Some(Total { rows: 1, tokens: unified });
    }
    let is_less = repair == RepairKind::Update.name() && !tokens_legacy.is_empty() && legacy < unified;
    is_less.then(|| Total { rows: 0, tokens: unified.saturating_sub(legacy) })
}
