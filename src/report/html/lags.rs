//! How far apart partners lie, and what another setting would give.

use crate::domain::Span;
use crate::matching::calibrate::{CurvePoint, LagBucket};

use super::super::advice::AdviceText;
use super::super::figures::{counted, length};
use super::super::model::Model;
use super::chart::{Chart, Column, stacked};
use super::view::{Fact, number, per_mille};

/// The section.
pub struct Lags<'a> {
    /// Quantiles; empty without pairs.
    pub facts: Vec<Fact>,
    pub chart: Option<Chart>,
    pub curve: Vec<CurveLine>,
    pub advice: &'a [AdviceText],
}

/// What one tolerance gives.
pub struct CurveLine {
    pub tolerance: String,
    pub is_configured: bool,
    pub pairs: String,
    pub bar: u32,
    pub time_mismatches: String,
    pub unmigrated: String,
}

/// Builds the section.
pub fn view<'a>(model: &'a Model<'_>) -> Lags<'a> {
    let calibration = model.calibration;
    let mut facts = Vec::new();
    if let Some(lags) = calibration.lags {
        let fact = |name: &str, span: Span| (name.to_owned(), short(span));
        facts = vec![
            fact("Half of the pairs lie apart by at most", lags.median),
            fact("95 % by at most", lags.p95),
            fact("99 % by at most", lags.p99),
            fact("Least lag", lags.least),
            fact("Greatest lag", lags.most),
        ];
    }
    let most = calibration.curve.iter().map(|point| point.rows).max().unwrap_or(0);
    Lags {
        facts,
        chart: chart(&calibration.buckets),
        curve: calibration.curve.iter().map(|point| line(point, most)).collect(),
        advice: &model.advice,
    }
}

fn line(point: &CurvePoint, most: u64) -> CurveLine {
    CurveLine {
        tolerance: short(point.tolerance),
        is_configured: point.is_configured,
        pairs: number(point.rows),
        bar: per_mille(point.rows.into(), most.into()),
        time_mismatches: number(point.time_mismatches),
        unmigrated: number(point.unmigrated),
    }
}

/// The buckets from the first to the last that has a pair; nothing without pairs.
fn chart(buckets: &[LagBucket]) -> Option<Chart> {
    let first = buckets.iter().position(|bucket| bucket.rows > 0)?;
    let last = buckets.iter().rposition(|bucket| bucket.rows > 0)?;
    let columns: Vec<Column> = buckets[first..=last]
        .iter()
        .map(|bucket| Column { label: label(bucket), title: title(bucket), values: vec![bucket.rows] })
        .collect();
    let sum = |is_counted: fn(&LagBucket) -> bool| -> u64 {
        buckets.iter().filter(|bucket| is_counted(bucket)).map(|bucket| bucket.rows).sum()
    };
    let before = sum(|bucket| bucket.to.is_some_and(|to| to.0 <= 0) && bucket.from != bucket.to);
    let at_once = sum(|bucket| bucket.from == bucket.to);
    let all = sum(|_| true);
    let summary = format!(
        "{} by lag: {} with the same time, {} whose unified row is earlier, {} whose unified row is later.",
        counted(all, "pair", "pairs"),
        number(at_once),
        number(before),
        number(all - before - at_once)
    );
    Some(stacked(&columns, &[("pairs".to_owned(), "s1")], summary))
}

/// The end that is farther off; `>` where there is none.
fn label(bucket: &LagBucket) -> String {
    match (bucket.from, bucket.to) {
        (Some(from), Some(to)) if from == to => "0".to_owned(),
        (Some(from), Some(to)) if to.0 <= 0 => short(from),
        (Some(_), Some(to)) => format!("+{}", short(to)),
        (Some(from), None) => format!("> +{}", short(from)),
        (None, Some(to)) => format!("< {}", short(to)),
        (None, None) => String::new(),
    }
}

fn title(bucket: &LagBucket) -> String {
    match (bucket.from, bucket.to) {
        (Some(from), Some(to)) if from == to => "no lag".to_owned(),
        (Some(from), Some(to)) => format!("{} to {}", short(from), short(to)),
        (Some(from), None) => format!("more than {}", short(from)),
        (None, Some(to)) => format!("less than {}", short(to)),
        (None, None) => String::new(),
    }
}

/// A length in the largest unit that says it whole; below a second in thousandths.
fn short(span: Span) -> String {
    let text = match span.abs().0 {
        0 => "0".to_owned(),
        micros if micros % 1_000 != 0 && micros < 1_000 => format!("{micros} µs"),
        micros if micros < 1_000_000 => match micros % 1_000 {
            0 => format!("{} ms", micros / 1_000),
            _ => format!("{}.{:03} ms", micros / 1_000, micros % 1_000),
        },
        _ => length(span.abs()),
    };
    if span.0 < 0 { format!("\u{2212}{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short_at_every_size() {
        let cases = [
            (0, "0"),
            (7, "7 µs"),
            (1_000, "1 ms"),
            (369_329, "369.329 ms"),
            (-2_000_000, "\u{2212}2 s"),
            (86_400_000_000, "1 d"),
        ];
        for (micros, expected) in cases {
            assert_eq!(short(Span(micros)), expected);
        }
    }

    #[test]
    fn a_bucket_is_called_by_its_farther_end() {
        let bucket = |from: Option<i64>, to: Option<i64>| LagBucket {
            from: from.map(Span),
            to: to.map(Span),
            rows: 1,
        };
        let cases = [
            (bucket(Some(0), Some(0)), "0", "no lag"),
            (bucket(Some(0), Some(1_000)), "+1 ms", "0 to 1 ms"),
            (bucket(Some(-2_000_000), Some(-1_000_000)), "\u{2212}2 s", "\u{2212}2 s to \u{2212}1 s"),
            (bucket(None, Some(-1_000_000)), "< \u{2212}1 s", "less than \u{2212}1 s"),
            (bucket(Some(1_000_000), None), "> +1 s", "more than 1 s"),
        ];
        for (bucket, short, long) in cases {
            assert_eq!((label(&bucket).as_str(), title(&bucket).as_str()), (short, long));
        }
        assert!(chart(&[]).is_none());
        assert_eq!(chart(&[bucket(Some(0), Some(0))]).map(|chart| chart.bars.len()), Some(1));
    }
}
