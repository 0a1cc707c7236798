//! What would explain more than the configuration does, in words.

use crate::config::Config;
use crate::domain::{Instant, Side, Span};
use crate::matching::Calibration;
use crate::matching::calibrate::{Advice, AdviceKind, ZoneFit};

use super::figures::{counted, day, grouped, length};

/// A recommendation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdviceText {
    /// `tolerance`, `timezone`, `shift`, `window`, `bulk_stamp` or `unified_only`.
    pub kind: &'static str,
    /// The line of `reckon.toml` that it recommends, with its section, where there is one:
    /// `[legacy] timezone = "America/New_York"`.
    pub setting: Option<String>,
    /// Findings or rows that it would explain.
    pub rows: u64,
    /// Pairs that are good now and would not be any more.
    pub spoils: u64,
    /// One or two sentences.
    pub text: String,
}

/// All advice in words, in the same order.
pub(super) fn texts(calibration: &Calibration, config: &Config) -> Vec<AdviceText> {
    calibration.advice.iter().map(|advice| text(advice, config)).collect()
}

fn text(advice: &Advice, config: &Config) -> AdviceText {
    let rows = grouped(advice.rows.into());
    let (kind, setting, text) = match &advice.kind {
        AdviceKind::Tolerance { tolerance, greatest, ambiguous } => {
            let setting = format!("[matching] tolerance = \"{}\"", written(*tolerance));
            let disputed = match ambiguous {
                0 => "each has one candidate only".to_owned(),
                some => format!("{} of them have more than one candidate", grouped((*some).into())),
            };
            let text = format!(
                "{rows} more rows would pair as good: their lags end at {} and then comes a gap; {disputed}.",
                length(*greatest)
            );
            ("tolerance", Some(setting), text)
        }
        AdviceKind::Timezone(fit) => ("timezone", fit.acts.then(|| zone_setting(fit)), zone_text(fit)),
        AdviceKind::Shift { lag } => {
            let spoilt = match advice.spoils {
                0 => String::new(),
                pairs => format!(
                    ", and a time zone for the whole table would put out {} good pairs",
                    grouped(pairs.into())
                ),
            };
            let text = format!(
                "{rows} rows{} lie {} apart from their partners{spoilt}: correct those times, do not change a setting.",
                between(advice.span),
                lag_text(*lag)
            );
            ("shift", None, text)
        }
        AdviceKind::BeyondWindow { lag } => {
            let hours = lag.abs().0 / 3_600_000_000 + 1;
            let text = format!(
                "{rows} rows{} without a partner have a unified row of the same user, action and amount {} apart, \
                 beyond the window of {}. A wider window would show them as pairs.",
                between(advice.span),
                lag_text(*lag),
                length(config.matching.window)
            );
            ("window", Some(format!("[matching] window = \"{hours}h\"")), text)
        }
        AdviceKind::BulkStamp { at } => {
            let text = format!(
                "{} stamped {}: their own times are those of the legacy rows. With this setting \
                 repair.sql sets them where a link, mark or reference shows the copy.",
                counted(advice.rows, "copy is", "copies are"),
                at.rfc3339()
            );
            ("bulk_stamp", (!config.repair.time).then(|| "[repair] time = true".to_owned()), text)
        }
        AdviceKind::UnifiedOnly { action } => {
            let label = action_name(config, action.0);
            let text = format!(
                "{rows} rows of {label} stand in the unified table, and no legacy row has that action. If the \
                 legacy table was never meant to have them, add the action to the list."
            );
            let mut only = config.unified.unified_only.clone();
            only.push(label);
            let only: Vec<String> = only.iter().map(|label| format!("{label:?}")).collect();
            ("unified_only", Some(format!("[unified] unified_only = [{}]", only.join(", "))), text)
        }
    };
    AdviceText { kind, setting, rows: advice.rows, spoils: advice.spoils, text }
}

fn action_name(config: &Config, no: u16) -> String {
    let actions = config.unified.grants.iter().chain(&config.unified.deductions);
    actions.into_iter().nth(usize::from(no)).cloned().unwrap_or_default()
}

/// The line that sets the zone.
pub(super) fn zone_setting(fit: &ZoneFit) -> String {
    let section = if fit.side == Side::Legacy { "legacy" } else { "unified" };
    format!("[{section}] timezone = \"{}\"", fit.zone.name())
}

fn zone_text(fit: &ZoneFit) -> String {
    let mut text = format!(
        "{} {}{}.",
        counted(fit.absorbs, "time mismatch has", "time mismatches have"),
        lags_text(&fit.lags),
        if fit.lags.len() > 1 { ", as summer time comes and goes" } else { "" }
    );
    match fit.acts {
        true => text.push_str(&format!(" {} would absorb {}.", zone_setting(fit), them(fit.absorbs))),
        false => text.push_str(&format!(
            " The {} times carry a zone of their own, so that no setting changes them; without it, {} would \
             absorb {}.",
            fit.side.name(),
            zone_setting(fit),
            them(fit.absorbs)
        )),
    }
    if let Some(also) = fit.also {
        text.push_str(&format!(" {} fits as well: all of them lie in one season.", also.name()));
    }
    if fit.spoils > 0 {
        let pairs = counted(fit.spoils, "pair that is good now", "pairs that are good now");
        text.push_str(&format!(" It would put out {pairs}."));
    }
    text
}

fn them(count: u64) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

/// `a lag of +5 h`, `lags of +4 h and +5 h`.
pub(super) fn lags_text(lags: &[Span]) -> String {
    let lengths: Vec<String> = lags.iter().map(|lag| lag_text(*lag)).collect();
    match lengths.as_slice() {
        [] => "no lag".to_owned(),
        [one] => format!("a lag of {one}"),
        [first @ .., last] => format!("lags of {} and {last}", first.join(", ")),
    }
}

/// A length with its sign: `+5 h`.
pub(super) fn lag_text(lag: Span) -> String {
    if lag.0 > 0 { format!("+{}", length(lag)) } else { length(lag) }
}

/// A duration as `reckon.toml` takes it.
fn written(span: Span) -> String {
    let units = [("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];
    let (unit, size) = units.into_iter().find(|(_, size)| span.0 % size == 0).unwrap_or(("us", 1));
    format!("{}{unit}", span.0 / size)
}

fn between(span: Option<(Instant, Instant)>) -> String {
    match span {
        Some((first, last)) if day(first) == day(last) => format!(" of {}", day(first)),
        Some((first, last)) => format!(" from {} to {}", day(first), day(last)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_the_configuration_reads_them() {
        for (micros, expected) in [(3_100_000, "3100ms"), (4_000_000, "4s"), (120_000_000, "2m"), (7, "7us")]
        {
            assert_eq!(written(Span(micros)), expected);
            assert_eq!(crate::config::parse_duration(expected), Ok(Span(micros)));
        }
    }

    #[test]
    fn lags_are_told_with_their_signs() {
        const HOUR: i64 = 3_600_000_000;
        let cases: [(&[i64], &str); 3] = [
            (&[5], "a lag of +5 h"),
            (&[-5], "a lag of -5 h"),
            (&[-5, -4, 1], "lags of -5 h, -4 h and +1 h"),
        ];
        for (hours, expected) in cases {
            let lags: Vec<Span> = hours.iter().map(|hours| Span(hours * HOUR)).collect();
            assert_eq!(lags_text(&lags), expected);
        }
    }
}
