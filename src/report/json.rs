//! `summary.json`: the numbers of a run, keys in the order of the contract.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::audit::{Conservation, RunVerdict};
use crate::balance::Hypothesis;
use crate::domain::{Population, SignCell, Total};

use super::calibration::{self, CalibrationNumbers};
use super::error::ReportError;
use super::gap_causes::ExplanationTotals;
use super::model::Model;
use super::snapshots;
use super::waivers::{self, Waiver};

/// Name and version of the shape of `summary.json`.
pub const SCHEMA: &str = "reckon.summary/1";

#[derive(Serialize)]
struct Summary<'a> {
    schema: &'static str,
    verdict: RunVerdict,
    exit_code: u8,
    as_of: String,
    source: Source<'a>,
    population: PopulationBySide<'a>,
    pairs: Named<Total>,
    findings: Named<ClassNumbers>,
    causes: Vec<Cause<'a>>,
    balances: BalanceNumbers<'a>,
    conservation: Conservation,
    history: History<'a>,
    // What the contract leaves free.
    blocking: u64,
    waivers: Vec<Waiver<'a>>,
    run_id: &'a str,
    version: &'static str,
    sentence: &'a str,
    calibration: CalibrationNumbers<'a>,
    outcomes: OutcomesBySide,
    signs: &'a [SignCell],
    snapshot_columns: Vec<snapshots::Column<'a>>,
    sql: Vec<SqlNumbers<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Source<'a> {
    kind: &'static str,
    legacy: &'a str,
    unified: &'a str,
    snapshot: Option<&'a str>,
    lsn: Option<&'a str>,
    timezone: String,
}

#[derive(Serialize)]
struct PopulationBySide<'a> {
    legacy: &'a Population,
    unified: &'a Population,
}

#[derive(Serialize)]
struct OutcomesBySide {
    legacy: Named<Total>,
    unified: Named<Total>,
}

#[derive(Serialize)]
struct ClassNumbers {
    count: u64,
    tokens_effect: i128,
    waived: u64,
}

#[derive(Serialize)]
struct Cause<'a> {
    cause: &'a str,
    class: &'static str,
    rows: u64,
    tokens: i128,
    first_at: Option<String>,
    last_at: Option<String>,
    detail: &'a str,
}

#[derive(Serialize)]
struct BalanceNumbers<'a> {
    users: u64,
    users_with_gap: Option<u64>,
    gap_tokens: Option<i128>,
    unexplained_tokens: Option<i128>,
    users_with_stored: Option<u64>,
    gap_tokens_absolute: Option<i128>,
    granted_tokens: i128,
    deducted_tokens: i128,
    used_tokens: i128,
    recomputed_tokens: i128,
    corrected_tokens: i128,
    stored_tokens: Option<i128>,
    unexplained_tokens_absolute: Option<i128>,
    users_none_needed: Option<u64>,
    users_unique: Option<u64>,
    users_several: Option<u64>,
    users_partial: Option<u64>,
    users_unexplained: Option<u64>,
    causes: Vec<GapCauseNumbers<'a>>,
}

#[derive(Serialize)]
struct GapCauseNumbers<'a> {
    cause: &'static str,
    users: u64,
    users_several: u64,
    tokens: i128,
    configured: bool,
    detail: &'a str,
}

#[derive(Serialize)]
struct History<'a> {
    previous: Option<&'a str>,
    new: u64,
    open: u64,
    resolved: u64,
    reopened: u64,
    changed: u64,
    lapsed: u64,
    shrunk: Vec<Shrunk>,
    users_gone: u64,
    /// Users that had a stored balance and have none now; left out where there are none.
    #[serde(skip_serializing_if = "is_none")]
    users_without_stored: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

#[derive(Serialize)]
struct Shrunk {
    side: &'static str,
    rows: u64,
    tokens: i128,
    rows_of_all_kinds: u64,
}

#[derive(Serialize)]
struct SqlNumbers<'a> {
    name: &'a str,
    rows: u64,
    tokens: i128,
}

/// A map whose keys keep their order.
struct Named<T>(Vec<(&'static str, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The bytes of `summary.json`.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn summary(model: &Model<'_>) -> Result<Vec<u8>, ReportError> {
    pretty(
        "summary.json",
        &Summary {
            schema: SCHEMA,
            verdict: model.verdict,
            exit_code: model.exit_code(),
            as_of: model.as_of.rfc3339(),
            source: source(model),
            population: PopulationBySide {
                legacy: model.legacy_population,
                unified: model.unified_population,
            },
            pairs: Named(model.pairs.iter().map(|(rule, total)| (rule.name(), *total)).collect()),
            findings: class_numbers(model),
            causes: causes(model),
            balances: balances(model),
            conservation: model.conservation,
            history: History {
                previous: model.history.previous.as_deref(),
                new: model.history.new,
                open: model.history.open,
                resolved: model.history.resolved,
                reopened: model.history.reopened,
                changed: model.history.changed,
                lapsed: model.history.lapsed,
                shrunk: shrunk(model),
                users_gone: model.history.shrunk.users,
                users_without_stored: model.history.shrunk.users_without_stored,
            },
            blocking: model.blocking,
            waivers: waivers::of(model),
            run_id: &model.run_id,
            version: model.version,
            sentence: &model.sentence,
            calibration: calibration::numbers(model),
            outcomes: outcomes(model),
            signs: model.signs,
            snapshot_columns: snapshots::columns(model),
            sql: model
                .sql
                .iter()
                .map(|file| SqlNumbers { name: &file.name, rows: file.rows, tokens: file.tokens })
                .collect(),
            warnings: &model.warnings,
        },
    )
}

fn balances<'a>(model: &'a Model<'_>) -> BalanceNumbers<'a> {
    let totals = &model.balances;
    let explained = |of: fn(&ExplanationTotals) -> u64| totals.explanations.as_ref().map(of);
    BalanceNumbers {
        users: totals.users,
        users_with_gap: totals.users_with_gap,
        gap_tokens: totals.gap_tokens,
        unexplained_tokens: totals.unexplained_tokens,
        users_with_stored: totals.users_with_stored,
        gap_tokens_absolute: totals.gap_tokens_absolute,
        granted_tokens: totals.granted,
        deducted_tokens: totals.deducted,
        used_tokens: totals.used,
        recomputed_tokens: totals.recomputed,
        corrected_tokens: totals.corrected,
        stored_tokens: totals.stored,
        unexplained_tokens_absolute: totals.unexplained_tokens_absolute,
        users_none_needed: explained(|users| users.none_needed),
        users_unique: explained(|users| users.unique),
        users_several: explained(|users| users.several),
        users_partial: explained(|users| users.partial),
        users_unexplained: explained(|users| users.unexplained),
        causes: totals
            .gap_causes
            .iter()
            .map(|total| GapCauseNumbers {
                cause: total.cause.name(),
                users: total.users,
                users_several: total.users_several,
                tokens: total.tokens,
                configured: total.why == Hypothesis::Configured,
                detail: &total.detail,
            })
            .collect(),
    }
}

fn source<'a>(model: &'a Model<'_>) -> Source<'a> {
    Source {
        kind: model.source_kind(),
        legacy: &model.inputs[0].provenance.name,
        unified: &model.inputs[1].provenance.name,
        snapshot: model.snapshot.map(|snapshot| snapshot.name.as_str()),
        lsn: model.snapshot.and_then(|snapshot| snapshot.lsn.as_deref()),
        timezone: model.timezone(),
    }
}

fn shrunk(model: &Model<'_>) -> Vec<Shrunk> {
    let sides = model.history.shrunk.sides.iter().map(|side| Shrunk {
        side: side.side.name(),
        rows: side.rows,
        tokens: side.tokens,
        rows_of_all_kinds: side.rows_of_all_kinds,
    });
    let inputs = model.history.shrunk.inputs.iter().map(|input| Shrunk {
        side: input.role,
        rows: 0,
        tokens: 0,
        rows_of_all_kinds: input.rows,
    });
    sides.chain(inputs).collect()
}

fn class_numbers(model: &Model<'_>) -> Named<ClassNumbers> {
    let numbers = model.classes.iter().map(|class| {
        let numbers =
            ClassNumbers { count: class.count, tokens_effect: class.tokens_effect, waived: class.waived };
        (class.class.name(), numbers)
    });
    Named(numbers.collect())
}

fn causes<'a>(model: &'a Model<'_>) -> Vec<Cause<'a>> {
    let causes = model.causes.iter().map(|cause| Cause {
        cause: &cause.cause,
        class: cause.class.name(),
        rows: cause.rows,
        tokens: cause.tokens,
        first_at: cause.first_at.map(|at| at.rfc3339()),
        last_at: cause.last_at.map(|at| at.rfc3339()),
        detail: &cause.detail,
    });
    causes.collect()
}

fn outcomes(model: &Model<'_>) -> OutcomesBySide {
    let [legacy, unified] = [&model.legacy_outcomes, &model.unified_outcomes]
        .map(|outcomes| Named(outcomes.iter().map(|(outcome, total)| (outcome.name(), *total)).collect()));
    OutcomesBySide { legacy, unified }
}

/// Pretty JSON that ends in a newline.
pub(super) fn pretty(file: &'static str, value: &impl Serialize) -> Result<Vec<u8>, ReportError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|source| ReportError::Json { file, source })?;
    bytes.push(b'\n');
    Ok(bytes)
}
