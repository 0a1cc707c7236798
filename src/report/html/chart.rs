//! Stacked columns: where each bar, line and label of a chart stands. The template draws them.
//!
//! Lengths are in the units of the drawing, whole numbers, so that the same run draws the same
//! bytes everywhere.

use super::view::number;

/// Width and height of a drawing.
const WIDTH: u32 = 760;
const HEIGHT: u32 = 230;
/// Room for the labels of the axes.
const LEFT: u32 = 52;
const RIGHT: u32 = 6;
const TOP: u32 = 20;
const BOTTOM: u32 = 26;
/// The narrowest room that a label below the axis needs.
const LABEL_WIDTH: u32 = 46;
/// With no more columns than this, each bears its total.
const LABELLED_COLUMNS: usize = 16;

/// One column of what is to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Below the axis.
    pub label: String,
    /// In full, for the tooltip and the table.
    pub title: String,
    /// One number a series.
    pub values: Vec<u64>,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its name.
    pub title: String,
    /// Its colour: a class of the style sheet.
    pub color: &'static str,
    /// Its sum.
    pub total: String,
}

/// A chart, ready to draw.
pub struct Chart {
    pub width: u32,
    pub height: u32,
    pub left: u32,
    pub right: u32,

    pub ticks: Vec<Tick>,
    pub bars: Vec<Bar>,
    pub labels: Vec<Label>,
    pub series: Vec<Series>,
    pub lines: Vec<TableLine>,
    /// What the chart shows, for those who do not see it.
    pub summary: String,
}

/// A line across the chart with its number.
pub struct Tick {
    pub y: u32,
    pub text: String,
}

/// A part of a column.
pub struct Bar {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
    pub color: &'static str,
    pub title: String,
}

/// A word in the chart.
pub struct Label {
    pub x: u32,
    pub y: u32,
    pub text: String,
    pub kind: &'static str,
}

/// The same as a line of a table.
pub struct TableLine {
    pub title: String,
    pub cells: Vec<String>,
    pub total: String,
}

/// Lays out stacked columns, the first series lowest.
pub fn stacked(columns: &[Column], series: &[(String, &'static str)], summary: String) -> Chart {
    let sums: Vec<u64> = columns.iter().map(|column| column.values.iter().sum()).collect();
    let top = ceiling(sums.iter().copied().max().unwrap_or(0));
    let y = |value: u64| HEIGHT - BOTTOM - scaled(value, top, HEIGHT - BOTTOM - TOP);
    let room = (WIDTH - LEFT - RIGHT).checked_div(columns.len() as u32).unwrap_or(1).max(1);
    let gap = (room / 5).clamp(1, 14);
    let left = |at: usize| LEFT + (WIDTH - LEFT - RIGHT) * at as u32 / columns.len() as u32;
    let mut chart = Chart {
        width: WIDTH,
        height: HEIGHT,
        left: LEFT,
        right: WIDTH - RIGHT,
        ticks: ticks(top).into_iter().map(|tick| Tick { y: y(tick), text: number(tick) }).collect(),
        bars: Vec::new(),
        labels: Vec::new(),
        series: series_with_sums(columns, series),
        lines: columns.iter().zip(&sums).map(|(column, sum)| table_line(column, *sum)).collect(),
        summary,
    };
    let every = (LABEL_WIDTH.div_ceil(room) as usize).max(1);
    for (at, (column, sum)) in columns.iter().zip(&sums).enumerate() {
        let mut below = 0;
        for (value, (title, color)) in column.values.iter().zip(series) {
            let (from, to) = (y(below), y(below + value));
            below += value;
            // What is there is seen, be it ever so little.
            let height = if *value > 0 { (from - to).max(1) } else { continue };
            chart.bars.push(Bar {
                x: left(at) + gap / 2,
                y: from - height,
                width: room.saturating_sub(gap).max(1),
                height,
                color,
                title: format!("{}, {title}: {}", column.title, number(*value)),
            });
        }
        let middle = left(at) + room / 2;
        if at % every == 0 {
            let label = Label { x: middle, y: HEIGHT - 8, text: column.label.clone(), kind: "axis" };
            chart.labels.push(label);
        }
        if *sum > 0 && columns.len() <= LABELLED_COLUMNS {
            chart.labels.push(Label { x: middle, y: y(*sum) - 6, text: number(*sum), kind: "value" });
        }
    }
    chart
}

fn series_with_sums(columns: &[Column], series: &[(String, &'static str)]) -> Vec<Series> {
    let sum = |at: usize| columns.iter().map(|column| column.values[at]).sum();
    let named = series.iter().enumerate();
    named.map(|(at, (title, color))| Series { title: title.clone(), color, total: number(sum(at)) }).collect()
}

fn table_line(column: &Column, sum: u64) -> TableLine {
    TableLine {
        title: column.title.clone(),
        cells: column.values.iter().map(|value| number(*value)).collect(),
        total: number(sum),
    }
}

/// A part of a length.
fn scaled(value: u64, whole: u64, length: u32) -> u32 {
    let part = u128::from(value) * u128::from(length) / u128::from(whole.max(1));
    u32::try_from(part).unwrap_or(length).min(length)
}

/// The step between two lines: 1, 2 or 5 times a power of ten, four or five to the top.
fn step(most: u64) -> u64 {
    let mut unit = 1;
    loop {
        for factor in [1, 2, 5] {
            let step = factor * unit;
            if most.div_ceil(step) <= 5 {
                return step;
            }
        }
        unit *= 10;
    }
}

fn ceiling(most: u64) -> u64 {
    let most = most.max(1);
    most.div_ceil(step(most)) * step(most)
}

fn ticks(top: u64) -> Vec<u64> {
    (0..=top / step(top)).map(|at| at * step(top)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number_above_the_highest_column() {
        let cases = [
            (0, vec![0, 1]),
            (1, vec![0, 1]),
            (7, vec![0, 2, 4, 6, 8]),
            (12_431, vec![0, 5000, 10000, 15000]),
        ];
        for (most, expected) in cases {
            assert_eq!(ticks(ceiling(most)), expected, "{most}");
        }
    }

    #[test]
    fn columns_stand_on_each_other_and_nothing_that_is_there_is_invisible() {
        let column =
            |label: &str, values: Vec<u64>| Column { label: label.into(), title: label.into(), values };
        let columns = [column("a", vec![1000, 1]), column("b", vec![0, 500])];
        let series = [("one".to_owned(), "s1"), ("two".to_owned(), "s2")];
        let chart = stacked(&columns, &series, String::new());
        let [low, high, alone] = &chart.bars[..] else { panic!("three bars: {}", chart.bars.len()) };
        assert_eq!(low.y + low.height, HEIGHT - BOTTOM);
        assert_eq!((high.height, high.y + high.height), (1, low.y));
        assert_eq!(alone.title, "b, two: 500");
        assert!(alone.x > low.x + low.width && alone.x + alone.width <= chart.right);
        let totals: Vec<&str> = chart.series.iter().map(|series| series.total.as_str()).collect();
        assert_eq!(totals, ["1,000", "501"]);
    }

    #[test]
    fn many_columns_leave_out_labels_and_stay_inside() {
        let columns: Vec<Column> = (0..120)
            .map(|at| Column {
                label: at.to_string(),
                title: at.to_string(),
                values: vec![u64::from(at % 7u32)],
            })
            .collect();
        let chart = stacked(&columns, &[("one".to_owned(), "s1")], String::new());
        assert!(chart.labels.len() < 20);
        assert!(chart.bars.iter().all(|bar| bar.x + bar.width <= chart.right && bar.y >= TOP));
    }
}
