//! The object `calibration` of `summary.json`.

use serde::Serialize;

use crate::domain::Span;
use crate::matching::calibrate::{CurvePoint, LagBucket, LagFigures};

use super::model::Model;

/// Lags, pairs as a function of the tolerance, recommendations.
#[derive(Serialize)]
pub(super) struct CalibrationNumbers<'a> {
    tolerance_seconds: f64,
    window_seconds: f64,
    lags: LagNumbers,
    pairs_by_tolerance: Vec<ToleranceNumbers>,
    recommendations: Vec<Recommendation<'a>>,
}

#[derive(Serialize)]
struct LagNumbers {
    all: Option<Figures>,
    by_rule: Vec<OfRule>,
    buckets: Vec<Bucket>,
}

#[derive(Serialize)]
struct OfRule {
    rule: &'static str,
    #[serde(flatten)]
    figures: Figures,
}

/// `min` and `max` with their signs, the quantiles of |lag|.
#[derive(Serialize)]
struct Figures {
    rows: u64,
    min_seconds: f64,
    max_seconds: f64,
    median_seconds: f64,
    p95_seconds: f64,
    p99_seconds: f64,
}

#[derive(Serialize)]
struct Bucket {
    from_seconds: Option<f64>,
    to_seconds: Option<f64>,
    rows: u64,
}

#[derive(Serialize)]
struct ToleranceNumbers {
    tolerance_seconds: f64,
    configured: bool,
    rows: u64,
    time_mismatch: u64,
    unmigrated: u64,
}

#[derive(Serialize)]
struct Recommendation<'a> {
    kind: &'static str,
    setting: Option<&'a str>,
    rows: u64,
    spoils: u64,
    text: &'a str,
}

/// The numbers of a run.
pub(super) fn numbers<'a>(model: &'a Model<'_>) -> CalibrationNumbers<'a> {
    let calibration = model.calibration;
    CalibrationNumbers {
        tolerance_seconds: seconds(model.tolerance),
        window_seconds: seconds(model.window),
        lags: LagNumbers {
            all: calibration.lags.map(figures),
            by_rule: calibration
                .lags_by_rung
                .iter()
                .map(|(rule, lags)| OfRule { rule: rule.name(), figures: figures(*lags) })
                .collect(),
            buckets: calibration.buckets.iter().map(bucket).collect(),
        },
        pairs_by_tolerance: calibration.curve.iter().map(tolerance).collect(),
        recommendations: model
            .advice
            .iter()
            .map(|advice| Recommendation {
                kind: advice.kind,
                setting: advice.setting.as_deref(),
                rows: advice.rows,
                spoils: advice.spoils,
                text: &advice.text,
            })
            .collect(),
    }
}

/// Lags are lengths of time, not tokens: a number with a fraction may hold them.
fn seconds(span: Span) -> f64 {
    span.0 as f64 / 1e6
}

fn figures(lags: LagFigures) -> Figures {
    Figures {
        rows: lags.rows,
        min_seconds: seconds(lags.least),
        max_seconds: seconds(lags.most),
        median_seconds: seconds(lags.median),
        p95_seconds: seconds(lags.p95),
        p99_seconds: seconds(lags.p99),
    }
}

fn bucket(bucket: &LagBucket) -> Bucket {
    let LagBucket { from, to, rows } = *bucket;
    Bucket { from_seconds: from.map(seconds), to_seconds: to.map(seconds), rows }
}

fn tolerance(point: &CurvePoint) -> ToleranceNumbers {
    ToleranceNumbers {
        tolerance_seconds: seconds(point.tolerance),
        configured: point.is_configured,
        rows: point.rows,
        time_mismatch: point.time_mismatches,
        unmigrated: point.unmigrated,
    }
}
