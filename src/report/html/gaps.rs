//! How wide the gaps between stored and recomputed balances are.

use std::collections::BTreeMap;

use super::super::figures::counted;
use super::super::model::Model;
use super::chart::{Chart, Column, stacked};
use super::view::number;

/// The section.
pub struct Gaps {
    pub chart: Chart,
    /// Users whose stored balance is the recomputed one.
    pub without: String,
}

/// Builds the section; nothing where no stored balance differs.
pub fn view(model: &Model<'_>) -> Option<Gaps> {
    let with_gap = model.balances.users_with_gap.filter(|users| *users > 0)?;
    let mut by_size = BTreeMap::<i32, [u64; 3]>::new();
    for user in model.users {
        let Some(gap) = user.gap.filter(|gap| *gap != 0) else { continue };
        let part = match user.unexplained.unwrap_or(gap) {
            0 => 0,
            rest if rest == gap => 2,
            _ => 1,
        };
        by_size.entry(size(gap)).or_default()[part] += 1;
    }
    let (first, last) = (*by_size.first_key_value()?.0, *by_size.last_key_value()?.0);
    let columns: Vec<Column> = (first..=last)
        .filter(|size| *size != 0)
        .map(|size| Column {
            label: label(size),
            title: title(size),
            values: by_size.get(&size).copied().unwrap_or_default().to_vec(),
        })
        .collect();
    let series = [
        ("explained to the token".to_owned(), "s3"),
        ("explained in part".to_owned(), "s2"),
        ("not explained".to_owned(), "s6"),
    ];
    let below: u64 = by_size.range(..0).map(|(_, parts)| parts.iter().sum::<u64>()).sum();
    let summary = format!(
        "{} by size of the gap: {} stored too low, {} stored too high.",
        counted(with_gap, "user", "users"),
        number(below),
        number(with_gap.saturating_sub(below))
    );
    let without = model.balances.users_with_stored.unwrap_or(with_gap).saturating_sub(with_gap);
    Some(Gaps {
        chart: stacked(&columns, &series, summary),
        without: counted(without, "user has", "users have"),
    })
}

/// The number of digits, negative where the stored balance is too low. Never 0.
fn size(gap: i128) -> i32 {
    let digits = gap.unsigned_abs().checked_ilog10().map_or(1, |digits| digits as i32 + 1);
    if gap < 0 { -digits } else { digits }
}

/// `1–9`, `1k–10k`: the sign stands with it, its meaning below the axis.
fn label(size: i32) -> String {
    let sign = if size < 0 { "\u{2212}" } else { "+" };
    let digits = size.unsigned_abs() - 1;
    let (scale, letter) = match digits {
        0..=2 => (digits, ""),
        3..=5 => (digits - 3, "k"),
        6..=8 => (digits - 6, "M"),
        9..=11 => (digits - 9, "G"),
        12..=14 => (digits - 12, "T"),
        _ => return format!("{sign}10^{digits}"),
    };
    format!("{sign}{}{letter}", 10_u32.pow(scale))
}

fn title(size: i32) -> String {
    let digits = size.unsigned_abs();
    let least = 10_i128.saturating_pow(digits - 1);
    let most = 10_i128.saturating_pow(digits) - 1;
    let grouped = super::view::tokens;
    let side = if size < 0 { "too low" } else { "too high" };
    format!("{} to {} {side}", grouped(least), grouped(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_stands_in_the_column_of_its_size() {
        let cases = [
            (1, 1, "+1", "1 to 9 too high"),
            (-9, -1, "\u{2212}1", "1 to 9 too low"),
            (100, 3, "+100", "100 to 999 too high"),
            (-432_878, -6, "\u{2212}100k", "100,000 to 999,999 too low"),
            (1_000_000, 7, "+1M", "1,000,000 to 9,999,999 too high"),
        ];
        for (gap, expected, short, long) in cases {
            assert_eq!(size(gap), expected, "{gap}");
            assert_eq!((label(expected).as_str(), title(expected).as_str()), (short, long));
        }
        assert_eq!(size(i128::MIN), -39);
    }
}
