//! Brings everything into its final form: ids, order, dispositions, populations, conservation.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{Audit, Conservation, SideConservation};
use crate::config::Config;
use crate::domain::{
    Books, Class, Disposition, Finding, FindingId, Kind, Ledger, Outcome, Overflow, Population,
    PopulationClass, RowId, Rule, Side, Total,
};
use crate::matching::{Matched, Row};

/// Why a run cannot be accounted for.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Rows or tokens went in that did not come out, or the other way round.
    #[error(
        "the {side} side does not tie out: {} rows and {} tokens in, {} rows and {} tokens out. This is an error \
         in reckon or in the source, so no report was written; please report it",
        .totals.rows_in, .totals.tokens_in, .totals.rows_out, .totals.tokens_out
    )]
    NotConserved {
        /// Side.
        side: &'static str,
        /// What went in and came out.
        totals: SideConservation,
    },
    /// A sum left its range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// Accounts for everything. `more_findings` are those of the balances.
///
/// # Errors
/// [`AuditError`] when rows or tokens do not tie out: a run that does not is no report.
pub fn account(
    books: &Books,
    config: &Config,
    matched: Matched,
    more_findings: Vec<Finding>,
) -> Result<Audit, AuditError> {
    let Matched { pairs, groups, legacy, unified, mut findings, .. } = matched;
    let no_ids = NoIds::of(books);
    let of_rejected = positions_of_rejected(&findings);
    for (position, id) in of_rejected.iter().zip(no_ids.in_order()) {
        findings[*position].id = finding_id(&findings[*position], id);
    }
    findings.extend(more_findings);
    for finding in findings.iter_mut().filter(|finding| finding.id.0.is_empty()) {
        finding.id = finding_id(finding, None);
    }
    let rejected_ids: Vec<FindingId> = of_rejected.iter().map(|&at| findings[at].id.clone()).collect();
    findings.sort_by(|a, b| order(a).cmp(&order(b)));

    let places = Places::of(&findings, &rejected_ids);
    let late = |side: Side, row: u32| books.side(side).entries[row as usize].at > books.as_of;
    let outcome_of = |side: Side, row: u32| -> (Outcome, Option<u32>, Option<u32>) {
        let entry = &books.side(side).entries[row as usize];
        let state = if side == Side::Legacy { legacy[row as usize] } else { unified[row as usize] };
        let finding = places.of_entry(side, row);
        if let Some(finding) = finding {
            let pair = if let Row::Paired(pair) = state { Some(pair) } else { None };
            return (Outcome::Finding(findings[finding as usize].class), pair, Some(finding));
        }
        match state {
            // Both rows lie after as-of: silent.
            Row::Paired(pair) if late(Side::Legacy, pairs[pair as usize].legacy) => {
                (Outcome::Population(PopulationClass::AfterAsOf), None, None)
            }
            Row::Grouped(_) if entry.class == PopulationClass::AfterAsOf => {
                (Outcome::Population(PopulationClass::AfterAsOf), None, None)
            }
            Row::Paired(pair) => (Outcome::Paired, Some(pair), None),
            Row::Grouped(_) => (Outcome::Paired, None, None),
            Row::Apart => (Outcome::Population(entry.class), None, None),
            Row::Free(_) if entry.class == PopulationClass::AfterAsOf => {
                (Outcome::Population(entry.class), None, None)
            }
            Row::Free(_) if entry.at > books.as_of.minus(config.matching.settle) => {
                (Outcome::Population(PopulationClass::Pending), None, None)
            }
            Row::Free(_) => (Outcome::UnifiedOnly, None, None),
        }
    };
    let mut dispositions = Vec::new();
    for side in [Side::Legacy, Side::Unified] {
        let start = dispositions.len();
        let ledger = books.side(side);
        for (row, entry) in ledger.entries.iter().enumerate() {
            let (outcome, pair, finding) = outcome_of(side, row as u32);
            let raw_tokens = Some(entry.raw_tokens());
            dispositions.push(Disposition {
                side,
                row: entry.id.clone(),
                outcome,
                pair,
                finding,
                raw_tokens,
            });
        }
        dispositions.extend(ledger.bystanders.iter().map(|row| {
            let finding = places.of_unmapped(side, &row.id);
            let outcome = match finding {
                Some(_) => Outcome::Finding(Class::UnmappedAction),
                None => Outcome::Population(row.class),
            };
            Disposition {
                side,
                row: row.id.clone(),
                outcome,
                pair: None,
                finding,
                raw_tokens: Some(row.raw_tokens),
            }
        }));
        dispositions.extend(ledger.rejected.iter().enumerate().map(|(at, row)| Disposition {
            side,
            row: row.id.clone().unwrap_or_else(|| no_ids.of_row(side, at)),
            outcome: Outcome::Finding(Class::RejectedRow),
            pair: None,
            finding: places.of_rejected(side, at, books),
            raw_tokens: row.tokens,
        }));
        dispositions[start..].sort_unstable_by(|a, b| a.row.cmp(&b.row));
    }
    let pair_totals = pair_totals(books, &pairs, &groups)?;
    let conservation = Conservation {
        legacy: side_conservation(&books.legacy, &dispositions)?,
        unified: side_conservation(&books.unified, &dispositions)?,
        holds: true,
    };
    for (side, totals) in [("legacy", conservation.legacy), ("unified", conservation.unified)] {
        if (totals.rows_in, totals.tokens_in) != (totals.rows_out, totals.tokens_out) {
            return Err(AuditError::NotConserved { side, totals });
        }
    }
    let legacy_population = with_pending(&books.legacy, &dispositions);
    let unified_population = with_pending(&books.unified, &dispositions);
    Ok(Audit {
        findings,
        pairs,
        pair_totals,
        dispositions,
        legacy_population,
        unified_population,
        conservation,
    })
}

/// Class, user, created_at, ids.
fn order(finding: &Finding) -> impl Ord + '_ {
    let at = finding.created_at_legacy.or(finding.created_at_unified);
    (finding.class, finding.user.as_ref(), at, &finding.legacy_ids, &finding.unified_ids, &finding.id)
}

/// The first 16 hexadecimal digits of SHA-256 over `class \n legacy ids \n unified ids`, ids sorted
/// and joined with `;`. A finding about a user has the user in place of legacy ids; one about a row
/// without an id has `no_id`.
fn finding_id(finding: &Finding, no_id: Option<&str>) -> FindingId {
    let join = |ids: &[RowId]| ids.iter().map(RowId::to_string).collect::<Vec<_>>().join(";");
    let mut legacy = join(&finding.legacy_ids);
    if finding.legacy_ids.is_empty() && finding.unified_ids.is_empty() {
        legacy = match (no_id, &finding.user) {
            (Some(no_id), _) => no_id.to_owned(),
            (None, Some(user)) => user.to_string(),
            (None, None) => String::new(),
        };
    }
    let text = format!("{}\n{legacy}\n{}", finding.class.name(), join(&finding.unified_ids));
    FindingId(hex16(text.as_bytes()))
}

/// The first 16 hexadecimal digits of SHA-256.
pub(super) fn hex16(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Pseudo ids of rejected rows without an id: a digest of what the row holds, and a number where
/// several rows hold the same.
struct NoIds {
    legacy: Vec<Option<String>>,
    unified: Vec<Option<String>>,
}

impl NoIds {
    fn of(books: &Books) -> NoIds {
        let side = |ledger: &Ledger| {
            let mut seen: HashMap<String, u32> = HashMap::new();
            let name = |row: &crate::domain::Rejected| {
                if row.id.is_some() {
                    return None;
                }
                let content = format!(
                    "{}\n{:?}\n{:?}\n{:?}\n{:?}\n{}",
                    ledger.side.name(),
                    row.user,
                    row.label,
                    row.tokens,
                    row.at,
                    row.reason
                );
                let digest = hex16(content.as_bytes());
                let number = seen.entry(digest.clone()).and_modify(|number| *number += 1).or_insert(1);
                Some(format!("no-id:{digest}-{number}"))
            };
            ledger.rejected.iter().map(name).collect()
        };
        NoIds { legacy: side(&books.legacy), unified: side(&books.unified) }
    }

    fn in_order(&self) -> impl Iterator<Item = Option<&str>> {
        self.legacy.iter().chain(&self.unified).map(Option::as_deref)
    }

    fn of_row(&self, side: Side, at: usize) -> RowId {
        let names = if side == Side::Legacy { &self.legacy } else { &self.unified };
        RowId::Text(names[at].clone().unwrap_or_default().into())
    }
}

/// Matching lists rejected rows in the order of the books: legacy, then unified.
fn positions_of_rejected(findings: &[Finding]) -> Vec<usize> {
    (0..findings.len()).filter(|&at| findings[at].class == Class::RejectedRow).collect()
}

/// Which finding each row stands in.
struct Places<'f> {
    legacy: HashMap<u32, u32>,
    unified: HashMap<u32, u32>,
    unmapped: HashMap<(Side, &'f RowId), u32>,
    rejected: Vec<u32>,
}

impl<'f> Places<'f> {
    fn of(findings: &'f [Finding], rejected_ids: &[FindingId]) -> Places<'f> {
        let mut places = Places {
            legacy: HashMap::new(),
            unified: HashMap::new(),
            unmapped: HashMap::new(),
            rejected: Vec::new(),
        };
        let mut by_id: HashMap<&FindingId, u32> = HashMap::new();
        for (at, finding) in findings.iter().enumerate() {
            let at = at as u32;
            // The grant that a duplicate repeats stands in its own pair, not in the finding.
            if finding.class != Class::Duplicate {
                places.legacy.extend(finding.legacy_rows.iter().map(|&row| (row, at)));
            }
            places.unified.extend(finding.unified_rows.iter().map(|&row| (row, at)));
            match finding.class {
                Class::UnmappedAction => {
                    places.unmapped.extend(finding.legacy_ids.iter().map(|id| ((Side::Legacy, id), at)));
                    places.unmapped.extend(finding.unified_ids.iter().map(|id| ((Side::Unified, id), at)));
                }
                Class::RejectedRow => drop(by_id.insert(&finding.id, at)),
                _ => {}
            }
        }
        places.rejected = rejected_ids.iter().map(|id| by_id[id]).collect();
        places
    }

    fn of_entry(&self, side: Side, row: u32) -> Option<u32> {
        if side == Side::Legacy { self.legacy.get(&row).copied() } else { self.unified.get(&row).copied() }
    }

    fn of_unmapped(&self, side: Side, id: &RowId) -> Option<u32> {
        self.unmapped.get(&(side, id)).copied()
    }

    fn of_rejected(&self, side: Side, at: usize, books: &Books) -> Option<u32> {
        let before = if side == Side::Legacy { 0 } else { books.legacy.rejected.len() };
        self.rejected.get(before + at).copied()
    }
}

/// Pairs by rung. Silent pairs after as-of do not count.
fn pair_totals(
    books: &Books,
    pairs: &[crate::domain::Pair],
    groups: &[crate::matching::Group],
) -> Result<Vec<(Rule, Total)>, Overflow> {
    let mut totals: Vec<(Rule, Total)> = Rule::PAIRING.map(|rule| (rule, Total::default())).to_vec();
    let mut add = |rule: Rule, row: u32| -> Result<(), Overflow> {
        let entry = &books.legacy.entries[row as usize];
        if entry.at > books.as_of {
            return Ok(());
        }
        let total = totals.iter_mut().find(|(other, _)| *other == rule).expect("a rung that makes pairs");
        total.1 = total.1.plus(Total { rows: 1, tokens: i128::from(entry.tokens) })?;
        Ok(())
    };
    pairs.iter().try_for_each(|pair| add(pair.rule, pair.legacy))?;
    groups.iter().flat_map(|group| &group.legacy).try_for_each(|&row| add(Rule::Split, row))?;
    Ok(totals)
}

fn side_conservation(ledger: &Ledger, dispositions: &[Disposition]) -> Result<SideConservation, Overflow> {
    let mut out = ledger.folded;
    for disposition in dispositions.iter().filter(|disposition| disposition.side == ledger.side) {
        let tokens = disposition.raw_tokens.map_or(0, i128::from);
        out = out.plus(Total { rows: 1, tokens })?;
    }
    Ok(SideConservation {
        rows_in: ledger.control.rows,
        rows_out: out.rows,
        tokens_in: ledger.control.tokens,
        tokens_out: out.tokens,
    })
}

/// The population with its pending rows in their own class.
fn with_pending(ledger: &Ledger, dispositions: &[Disposition]) -> Population {
    let mut population = ledger.population.clone();
    let pending = dispositions.iter().filter(|disposition| {
        disposition.side == ledger.side
            && disposition.outcome == Outcome::Population(PopulationClass::Pending)
    });
    for disposition in pending {
        let Ok(at) = ledger.entries.binary_search_by(|entry| entry.id.cmp(&disposition.row)) else {
            continue;
        };
        let entry = &ledger.entries[at];
        let from = match entry.kind {
            Kind::Grant => PopulationClass::Grants,
            Kind::Deduction => PopulationClass::Deductions,
        };
        let total = population.get_mut(from);
        total.rows -= 1;
        total.tokens -= i128::from(entry.tokens);
        population.get_mut(PopulationClass::Pending).add_row(entry.tokens);
    }
    population
}
