//! Brings everything into its final form: ids, order, dispositions, populations, conservation.

use super::dispositions::{Dispositions, Listed, NOT_LISTED, Places, State, rows_of, silent_pairs};
use super::ids::{NoIds, finding_id, name_findings, positions_of_rejected, put_in_order};
use super::{Audit, Conservation, SideConservation};
use crate::config::Config;
use crate::cores::at_once;
use crate::domain::{Books, Finding, FindingId, Ledger, Overflow, Rule, Side, Total};
use crate::matching::Matched;

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
    mut more_findings: Vec<Finding>,
) -> Result<Audit, AuditError> {
    let Matched { pairs, groups, legacy, unified, mut findings, .. } = matched;
    let no_ids = NoIds::of(books);
    let of_rejected = positions_of_rejected(&findings);
    for (position, id) in of_rejected.iter().zip(no_ids.in_order()) {
        findings[*position].id = finding_id(&findings[*position], id);
    }
    let rejected_ids: Vec<FindingId> = of_rejected.iter().map(|&at| findings[at].id.clone()).collect();
    // The longer list takes the shorter one in, so that neither is in memory twice.
    if findings.len() < more_findings.len() {
        std::mem::swap(&mut findings, &mut more_findings);
    }
    findings.reserve_exact(more_findings.len());
    findings.extend(more_findings);
    name_findings(&mut findings);
    put_in_order(&mut findings);

    let places = Places::of(books, &findings, &rejected_ids);
    let state = State {
        books,
        settled: books.as_of.minus(config.matching.settle),
        legacy: &legacy,
        unified: &unified,
        findings: &findings,
        no_ids: &no_ids,
        silent: silent_pairs(books, &pairs),
    };
    // There are as many as rows, so both sides are listed in one list.
    let (of_legacy, of_unified) = (rows_of(&books.legacy), rows_of(&books.unified));
    let mut rows = vec![NOT_LISTED; of_legacy + of_unified];
    let (of_legacy, of_unified) = rows.split_at_mut(of_legacy);
    let (legacy, unified) = at_once(
        || places.list(&state, Side::Legacy, of_legacy),
        || places.list(&state, Side::Unified, of_unified),
    );
    let (legacy, unified) = (legacy?, unified?);
    let pair_totals = pair_totals(books, &pairs, &groups)?;
    let conservation = Conservation {
        legacy: side_conservation(&books.legacy, &legacy)?,
        unified: side_conservation(&books.unified, &unified)?,
        holds: true,
    };
    for (side, totals) in [("legacy", conservation.legacy), ("unified", conservation.unified)] {
        if (totals.rows_in, totals.tokens_in) != (totals.rows_out, totals.tokens_out) {
            return Err(AuditError::NotConserved { side, totals });
        }
    }
    Ok(Audit {
        findings,
        pairs,
        pair_totals,
        dispositions: Dispositions::new(rows, [legacy.rejected, unified.rejected]),
        outcomes: [legacy.totals, unified.totals],
        legacy_population: legacy.population,
        unified_population: unified.population,
        conservation,
        contradicted: matched.contradicted,
    })
}

/// Pairs by rung. Silent pairs after as-of do not count.
fn pair_totals(
    books: &Books,
    pairs: &[crate::domain::Pair],
    groups: &[crate::matching::Group],
) -> Result<Vec<(Rule, Total)>, Overflow> {
    let settled = |rule: Rule| books.settled.rung(rule).map_or(Total::default(), |rung| rung.total);
    let mut totals: Vec<(Rule, Total)> = Rule::PAIRING.map(|rule| (rule, settled(rule))).to_vec();
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

fn side_conservation(ledger: &Ledger, listed: &Listed) -> Result<SideConservation, Overflow> {
    let out = listed.totals.iter().try_fold(ledger.folded, |sum, (_, total)| sum.plus(*total))?;
    Ok(SideConservation {
        rows_in: ledger.control.rows,
        rows_out: out.rows,
        tokens_in: ledger.control.tokens,
        tokens_out: out.tokens,
    })
}

/// Checks that every row and token that the sources count stands in the books.
///
/// # Errors
/// [`AuditError::NotConserved`].
pub(super) fn check_books(books: &Books) -> Result<(), AuditError> {
    for ledger in [&books.legacy, &books.unified] {
        let mut out = ledger.folded.plus(books.settled.side(ledger.side).total()?)?;
        let amounts = (ledger.entries.iter().map(|entry| Some(entry.raw_tokens())))
            .chain(ledger.bystanders.iter().map(|row| Some(row.raw_tokens)))
            .chain(ledger.rejected.iter().map(|row| row.tokens));
        for tokens in amounts {
            out = out.plus(Total { rows: 1, tokens: tokens.map_or(0, i128::from) })?;
        }
        if out != ledger.control {
            let totals = SideConservation {
                rows_in: ledger.control.rows,
                rows_out: out.rows,
                tokens_in: ledger.control.tokens,
                tokens_out: out.tokens,
            };
            return Err(AuditError::NotConserved { side: ledger.side.name(), totals });
        }
    }
    Ok(())
}
