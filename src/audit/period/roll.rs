//! Opening + every movement = closing, per month and line, in checked integers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Line, Movement, Period};
use crate::domain::{Overflow, Total};

/// What moved, by line. Tokens are signed: what adds to a balance is above zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// For each line what moved before the period, then in each of its months.
    pub lines: BTreeMap<Line, Vec<Total>>,
}

/// One line of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollLine {
    /// The line.
    pub line: Line,
    /// Rows that moved.
    pub rows: u64,
    /// Sum of all that had moved on this line before.
    pub opening: i128,
    /// What moved.
    pub tokens: i128,
    /// `opening + tokens`.
    pub closing: i128,
}

/// A month of the period, or all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// `2026-03`, or `period`.
    pub name: String,
    /// Every line of the pack, in order.
    pub lines: Vec<RollLine>,
    /// Rows of all lines.
    pub rows: u64,
    /// The balance before.
    pub opening: i128,
    /// What moved in all.
    pub tokens: i128,
    /// The balance after.
    pub closing: i128,
}

/// A period rolled forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollForward {
    /// By month.
    pub months: Vec<Block>,
    /// All of it.
    pub whole: Block,
}

impl Moves {
    /// Adds what moved on a line: `month` counts from 0, `None` is before the period.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn add(
        &mut self,
        line: Line,
        months: usize,
        month: Option<usize>,
        moved: Total,
    ) -> Result<(), Overflow> {
        let totals = self.lines.entry(line).or_insert_with(|| vec![Total::default(); months + 1]);
        let total = &mut totals[month.map_or(0, |month| month + 1)];
        *total = total.plus(moved)?;
        Ok(())
    }

    /// What had moved before the period, by line.
    pub fn before(&self) -> BTreeMap<Line, i128> {
        self.lines.iter().map(|(line, totals)| (line.clone(), totals[0].tokens)).collect()
    }
}

/// Rolls a period forward from `opening`, by line. Lines on which nothing ever moved are left out.
///
/// # Errors
/// [`Overflow`].
pub fn roll_forward(
    period: &Period,
    opening: &BTreeMap<Line, i128>,
    moves: &Moves,
) -> Result<RollForward, Overflow> {
    let used = moves
        .lines
        .iter()
        .filter(|(_, totals)| totals[1..].iter().any(|total| total.rows > 0 || total.tokens != 0));
    let lines: BTreeSet<&Line> = opening
        .iter()
        .filter(|(_, tokens)| **tokens != 0)
        .map(|(line, _)| line)
        .chain(used.map(|(line, _)| line))
        .collect();
    let start: BTreeMap<&Line, i128> =
        lines.iter().map(|line| (*line, opening.get(*line).copied().unwrap_or(0))).collect();
    let mut months = Vec::new();
    let mut reached = start.clone();
    for (at, month) in period.months().into_iter().enumerate() {
        let moved = |line: &Line| moves.lines.get(line).map(|totals| totals[at + 1]).unwrap_or_default();
        let block = block(month.name, &reached, moved)?;
        for line in &block.lines {
            if let Some(sum) = reached.get_mut(&line.line) {
                *sum = line.closing;
            }
        }
        months.push(block);
    }
    let mut totals: BTreeMap<Line, Total> = BTreeMap::new();
    for line in months.iter().flat_map(|month: &Block| &month.lines) {
        let total = totals.entry(line.line.clone()).or_default();
        *total = total.plus(Total { rows: line.rows, tokens: line.tokens })?;
    }
    let whole = block("period".to_owned(), &start, |line| totals.get(line).copied().unwrap_or_default())?;
    Ok(RollForward { months, whole })
}

fn block(
    name: String,
    opening: &BTreeMap<&Line, i128>,
    moved: impl Fn(&Line) -> Total,
) -> Result<Block, Overflow> {
    let mut block = Block { name, lines: Vec::new(), rows: 0, opening: 0, tokens: 0, closing: 0 };
    for (line, &opening) in opening {
        let Total { rows, tokens } = moved(line);
        let closing = opening.checked_add(tokens).ok_or(Overflow)?;
        block.rows = block.rows.checked_add(rows).ok_or(Overflow)?;
        block.opening = block.opening.checked_add(opening).ok_or(Overflow)?;
        block.tokens = block.tokens.checked_add(tokens).ok_or(Overflow)?;
        block.lines.push(RollLine { line: (*line).clone(), rows, opening, tokens, closing });
    }
    block.closing = block.opening.checked_add(block.tokens).ok_or(Overflow)?;
    Ok(block)
}

impl RollForward {
    /// What a movement came to over the whole period.
    pub fn moved(&self, movement: Movement) -> i128 {
        let lines = self.whole.lines.iter().filter(|line| line.line.movement == movement);
        lines.map(|line| line.tokens).sum()
    }

    /// What a movement came to over the whole period, paid or free.
    pub fn moved_paid(&self, movement: Movement, paid: bool) -> i128 {
        let lines = self.whole.lines.iter();
        let counted = lines.filter(|line| line.line.movement == movement && line.line.paid == Some(paid));
        counted.map(|line| line.tokens).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(tokens: i128) -> Total {
        Total { rows: 1, tokens }
    }

    #[test]
    fn every_line_and_every_month_rolls_from_what_it_was_to_what_it_is() {
        let period = Period::new("2026-01-15".parse().unwrap(), "2026-02-28".parse().unwrap()).unwrap();
        let grant = Line::new(Movement::Grant, "subscription_grant", Some(true));
        let usage = Line::new(Movement::Usage, "chat", None);
        let never = Line::new(Movement::Grant, "trial_grant", Some(false));
        let mut moves = Moves::default();
        for (line, month, tokens) in
            [(&grant, None, 500), (&grant, Some(0), 100), (&grant, Some(1), 50), (&usage, Some(1), -70)]
        {
            moves.add(line.clone(), 2, month, total(tokens)).unwrap();
        }
        moves.add(never, 2, None, Total::default()).unwrap();
        let rolled = roll_forward(&period, &moves.before(), &moves).unwrap();
        let shown: Vec<String> = rolled
            .months
            .iter()
            .chain([&rolled.whole])
            .flat_map(|block| {
                let lines = block.lines.iter().map(|line| {
                    format!("{} {} {:+} {}", line.line.action, line.opening, line.tokens, line.closing)
                });
                let sum = format!("{} {} {:+} {}", block.name, block.opening, block.tokens, block.closing);
                lines.chain([sum]).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(
            shown,
            [
                "subscription_grant 500 +100 600",
                "chat 0 +0 0",
                "2026-01 500 +100 600",
                "subscription_grant 600 +50 650",
                "chat 0 -70 -70",
                "2026-02 600 -20 580",
                "subscription_grant 500 +150 650",
                "chat 0 -70 -70",
                "period 500 +80 580",
            ]
        );
        assert_eq!(rolled.moved(Movement::Usage), -70);
        assert_eq!(rolled.moved_paid(Movement::Grant, true), 150);
    }
}
