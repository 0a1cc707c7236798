//! The way from the stored balances to the corrected ones, step by step.

use super::super::model::{Model, add};
use super::view::{change, tokens};
use super::words;

/// The statement, each line with its bar.
pub struct Waterfall {
    pub title: &'static str,
    pub lines: Vec<Step>,
    /// Where the bars begin, where that is not 0.
    pub from: String,
}

/// A balance or a step from one to the next.
pub struct Step {
    pub name: String,
    pub tokens: String,
    pub is_sum: bool,
    /// Where the bar begins, and how long it is, in thousandths.
    pub x: u32,
    pub width: u32,
    pub tone: &'static str,
}

/// A line before it is laid out: a balance, or a change.
struct Line {
    name: String,
    amount: i128,
    is_sum: bool,
}

/// Builds the statement: from the stored balances over the causes of gaps to the recomputed ones, and
/// over the repairs to the corrected ones. Without stored balances it begins with the grants.
pub fn view(model: &Model<'_>) -> Waterfall {
    let totals = &model.balances;
    let mut lines = match (totals.stored, totals.recomputed_with_stored, totals.unexplained_tokens) {
        (Some(stored), Some(compared), Some(unexplained)) => {
            from_stored(model, stored, compared, unexplained)
        }
        _ => from_grants(model),
    };
    lines.extend(repairs(model));
    let (low, high) = bounds(&lines);
    let mut level = 0;
    let steps = lines.iter().map(|line| step(line, &mut level, low, high)).collect();
    Waterfall {
        title: if totals.stored.is_some() { "From stored to corrected" } else { "From grants to corrected" },
        lines: steps,
        from: if low > 0 { tokens(low) } else { String::new() },
    }
}

fn sum(name: &str, amount: i128) -> Line {
    Line { name: name.to_owned(), amount, is_sum: true }
}

fn by(name: &str, amount: i128) -> Line {
    Line { name: name.to_owned(), amount, is_sum: false }
}

fn from_stored(model: &Model<'_>, stored: i128, compared: i128, unexplained: i128) -> Vec<Line> {
    let totals = &model.balances;
    let mut lines = vec![sum("Stored balances", stored)];
    // A gap is stored less recomputed: its causes lead from the one to the other with a minus.
    let causes = totals.causes.iter().filter(|(_, tokens)| *tokens != 0);
    lines.extend(causes.map(|(cause, tokens)| by(words::gap_cause(*cause), -tokens)));
    if unexplained != 0 {
        lines.push(by("Unexplained, net", -unexplained));
    }
    if compared != totals.recomputed {
        lines.push(by("Users without a stored balance", totals.recomputed - compared));
    }
    lines.push(sum("Recomputed from the rows", totals.recomputed));
    lines
}

fn from_grants(model: &Model<'_>) -> Vec<Line> {
    let totals = &model.balances;
    vec![
        sum("Granted in the unified table", totals.granted),
        by("Deducted", -totals.deducted),
        by("Used", -totals.used),
        sum("Recomputed from the rows", totals.recomputed),
    ]
}

/// The repairs by class; what they do not give stands as a line of its own, so that the statement
/// always adds up.
fn repairs(model: &Model<'_>) -> Vec<Line> {
    let totals = &model.balances;
    let classes = model.classes.iter().filter(|class| class.executable_tokens != 0);
    let mut lines: Vec<Line> = classes
        .map(|class| by(&format!("Repair: {}", class.class.title()), class.executable_tokens))
        .collect();
    let named = lines.iter().map(|line| line.amount).fold(0, add);
    let whole = totals.corrected.saturating_sub(totals.recomputed);
    match whole.saturating_sub(named) {
        0 => {}
        rest if lines.is_empty() => lines.push(by("Repairs", rest)),
        // Rows beyond as-of change no balance yet.
        rest => lines.push(by("Of these not in balances: later than as-of", rest)),
    }
    lines.push(sum("Balances after the repairs", totals.corrected));
    lines
}

/// From where to where the bars reach. They begin at 0 unless the steps would then be too short to be
/// seen.
fn bounds(lines: &[Line]) -> (i128, i128) {
    let mut level: i128 = 0;
    let (mut low, mut high) = (i128::MAX, i128::MIN);
    for line in lines {
        level = if line.is_sum { line.amount } else { level.saturating_add(line.amount) };
        (low, high) = (low.min(level), high.max(level));
    }
    let spread = high.saturating_sub(low);
    if low > 0 && spread < high / 3 {
        (low.saturating_sub(spread / 4).max(0), high)
    } else {
        (low.min(0), high.max(0))
    }
}

fn step(line: &Line, level: &mut i128, low: i128, high: i128) -> Step {
    let place = |value: i128| per_mille_of(value.clamp(low, high).abs_diff(low), high.abs_diff(low));
    let from = if line.is_sum { low.max(0) } else { *level };
    *level = if line.is_sum { line.amount } else { level.saturating_add(line.amount) };
    let (left, right) = (place(from.min(*level)), place(from.max(*level)));
    // What is there is seen.
    let left = left.min(996);
    Step {
        name: line.name.clone(),
        tokens: if line.is_sum { tokens(line.amount) } else { change(line.amount) },
        is_sum: line.is_sum,
        x: left,
        width: if line.amount == 0 { 0 } else { (right.max(left) - left).max(4) },
        tone: match (line.is_sum, line.amount < 0) {
            (true, _) => "sum",
            (false, true) => "less",
            (false, false) => "more",
        },
    }
}

/// A part in thousandths.
fn per_mille_of(part: u128, whole: u128) -> u32 {
    let scaled =
        part.checked_mul(1000).map_or_else(|| part / (whole / 1000).max(1), |part| part / whole.max(1));
    u32::try_from(scaled.min(1000)).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hang_between_the_balances_that_they_join() {
        let lines = [
            sum("stored", 600),
            by("usage", -400),
            sum("recomputed", 200),
            by("repair", 100),
            sum("corrected", 300),
        ];
        let (low, high) = bounds(&lines);
        assert_eq!((low, high), (0, 600));
        let mut level = 0;
        let steps: Vec<(u32, u32, &str)> = lines
            .iter()
            .map(|line| step(line, &mut level, low, high))
            .map(|step| (step.x, step.width, step.tone))
            .collect();
        assert_eq!(
            steps,
            [(0, 1000, "sum"), (333, 667, "less"), (0, 333, "sum"), (333, 167, "more"), (0, 500, "sum")]
        );
    }

    #[test]
    fn small_steps_between_large_balances_are_shown_from_near_them() {
        let cases = [
            (vec![sum("a", 1_000_000), by("b", 4), sum("c", 1_000_004)], (999_999, 1_000_004)),
            (vec![sum("a", -5), by("b", 10), sum("c", 5)], (-5, 5)),
            (vec![sum("a", 0)], (0, 0)),
            (vec![sum("a", i128::MAX), by("b", i128::MIN), sum("c", -1)], (-1, i128::MAX)),
        ];
        for (lines, expected) in cases {
            assert_eq!(bounds(&lines), expected);
        }
    }
}
