//! Charts as numbers that the template places: lengths only, exact figures stand beside them.

use crate::audit::period::{Granted, Movement, RollForward};
use crate::report::figures::{grouped, signed};

/// Inner height of the charts.
const HEIGHT: f64 = 200.0;
/// Inner width.
const WIDTH: f64 = 960.0;

/// The longest bar leaves room for its figure.
const LONGEST_PERCENT: f64 = 68.0;

/// From the opening to the closing balance.
pub(super) struct Waterfall {
    pub(super) steps: Vec<Step>,
    pub(super) zero: String,
    pub(super) said: String,
}

/// One step.
pub(super) struct Step {
    pub(super) title: String,
    pub(super) value: String,
    pub(super) tone: &'static str,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) middle: String,
    pub(super) above: String,
}

/// Closing balances by month.
pub(super) struct Months {
    pub(super) columns: Vec<Step>,
    pub(super) zero: String,
    pub(super) said: String,
}

/// A bar.
pub(super) struct Bar {
    pub(super) title: String,
    pub(super) value: String,
    pub(super) percent: String,
}

/// A scale from the least to the greatest value, both around 0.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = i128>) -> Scale {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for value in values {
            low = low.min(value as f64);
            high = high.max(value as f64);
        }
        if low == high {
            high = 1.0;
        }
        Scale { low, high }
    }

    fn y(&self, value: i128) -> f64 {
        HEIGHT * (self.high - value as f64) / (self.high - self.low)
    }
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

fn step(
    scale: &Scale,
    place: (usize, usize),
    from: i128,
    to: i128,
    words: (String, String, &'static str),
) -> Step {
    let (at, count) = place;
    let slot = WIDTH / count.max(1) as f64;
    let (top, bottom) = (scale.y(from.max(to)), scale.y(from.min(to)));
    let (title, value, tone) = words;
    Step {
        title,
        value,
        tone,
        x: number(slot * at as f64 + slot * 0.18),
        y: number(top),
        width: number(slot * 0.64),
        height: number((bottom - top).max(1.0)),
        middle: number(slot * (at as f64 + 0.5)),
        above: number(top - 6.0),
    }
}

/// Steps of the movements that moved anything.
pub(super) fn waterfall(opening: i128, movements: &[(&'static str, &'static str, i128)]) -> Waterfall {
    let moved: Vec<_> = movements.iter().filter(|(_, _, tokens)| *tokens != 0).collect();
    let mut reached = opening;
    let mut levels = vec![opening];
    for (_, _, tokens) in &moved {
        reached += tokens;
        levels.push(reached);
    }
    let scale = Scale::of(levels.iter().copied());
    let count = moved.len() + 2;
    let words = |title: &str, value: String, tone| (title.to_owned(), value, tone);
    let mut steps = vec![step(&scale, (0, count), 0, opening, words("Opening", grouped(opening), "level"))];
    for (at, (_, title, tokens)) in moved.iter().enumerate() {
        let tone = if *tokens > 0 { "plus" } else { "minus" };
        let words = words(title, signed(*tokens), tone);
        steps.push(step(&scale, (at + 1, count), levels[at], levels[at + 1], words));
    }
    steps.push(step(&scale, (count - 1, count), 0, reached, words("Closing", grouped(reached), "level")));
    let said: Vec<String> = steps.iter().map(|step| format!("{} {}", step.title, step.value)).collect();
    Waterfall { steps, zero: number(scale.y(0)), said: said.join(", ") }
}

/// A column a month.
pub(super) fn months(roll: &RollForward) -> Months {
    let scale = Scale::of(roll.months.iter().map(|month| month.closing));
    let count = roll.months.len();
    let columns: Vec<Step> = roll
        .months
        .iter()
        .enumerate()
        .map(|(at, month)| {
            let words = (month.name.clone(), grouped(month.closing), "level");
            step(&scale, (at, count), 0, month.closing, words)
        })
        .collect();
    let said: Vec<String> = columns.iter().map(|month| format!("{} {}", month.title, month.value)).collect();
    Months { columns, zero: number(scale.y(0)), said: said.join(", ") }
}

fn bars(mut values: Vec<(String, i128)>) -> Vec<Bar> {
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let most = values.first().map_or(1, |(_, value)| (*value).max(1)) as f64;
    let bar = |(title, value): (String, i128)| Bar {
        title,
        value: grouped(value),
        percent: number(LONGEST_PERCENT * value.max(0) as f64 / most),
    };
    values.into_iter().map(bar).collect()
}

/// Usage of the period by label.
pub(super) fn usage(roll: &RollForward) -> Vec<Bar> {
    let lines = roll.whole.lines.iter();
    let used = lines.filter(|line| line.line.movement == Movement::Usage && line.tokens != 0);
    bars(used.map(|line| (line.line.action.to_string(), -line.tokens)).collect())
}

/// Grants of the period by action type, paid and free.
pub(super) fn granted(granted: &[Granted]) -> Vec<Bar> {
    let groups = granted.iter().filter(|group| group.unified.total.tokens != 0);
    let name = |group: &Granted| format!("{}, {}", group.action, if group.paid { "paid" } else { "free" });
    bars(groups.map(|group| (name(group), group.unified.total.tokens)).collect())
}
