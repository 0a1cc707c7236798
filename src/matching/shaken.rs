//! Doubt that reaches lower rungs.
//!
//! Where several optima of a rung leave other rows over, the rungs below choose from what one of them left.
//! So what they found of the same user nearby is as doubtful as the choice above, however clear it looks: with
//! other ids, the same rows might have been paired otherwise.

use hashbrown::HashMap;

use super::board::{Board, Row};
use super::disjoint::Disjoint;
use crate::domain::{Instant, Rule, Side, Verdict};

/// What a row has to do with the doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Another optimum may have used it otherwise.
    Source,
    /// It was looked at on a lower rung, or is left over.
    Below,
}

/// A row of a user whose rows were contested.
struct Line {
    user: u32,
    at: Instant,
    side: Side,
    row: u32,
    part: Part,
}

/// Makes contested what rests on a contested choice: all that the rungs below it found within a window, step by
/// step, and of the same action and amount at any time where copies were stamped.
pub(super) fn spread(board: &mut Board<'_>) {
    if board.shaken.is_empty() {
        return;
    }
    let lines = lines(board);
    let mut sets = Disjoint::of(lines.len());
    let (mut pairs, mut groups, mut keys) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (at, line) in lines.iter().enumerate() {
        let near = |before: &Line| before.user == line.user && line.at.since(before.at).abs() <= board.window;
        if at > 0 && near(&lines[at - 1]) {
            sets.join(at - 1, at);
        }
        let known = match board.rows(line.side)[line.row as usize] {
            Row::Paired(pair) => Some(*pairs.entry(pair).or_insert(at)),
            Row::Grouped(group) => Some(*groups.entry(group).or_insert(at)),
            Row::Apart | Row::Free(_) => None,
        };
        known.into_iter().for_each(|known| sets.join(known, at));
        if !board.crowded.is_empty() {
            let key = board.key_at(line.side, line.row);
            let known = *keys.entry((key.user, key.action, key.tokens)).or_insert(at);
            sets.join(known, at);
        }
    }
    let mut is_shaken = vec![false; lines.len()];
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| line.part == Part::Source) {
        is_shaken[sets.root(at)] = true;
    }
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.part == Part::Below) {
        if is_shaken[sets.root(at)] {
            board.shake(line.side, line.row);
        }
    }
}

/// Rows of users with a contested choice that were part of it, or were looked at after it; ascending by user and
/// time.
fn lines(board: &Board<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    for side in [Side::Legacy, Side::Unified] {
        for (row, state) in (0..).zip(board.rows(side)) {
            let key = board.key_at(side, row);
            let Some(rung) = board.shaken.get(&key.user) else { continue };
            let (rule, verdict) = match *state {
                Row::Apart => continue,
                Row::Free(verdict) => (None, verdict),
                Row::Paired(pair) => {
                    let pair = &board.pairs[pair as usize];
                    (Some(pair.rule), pair.verdict)
                }
                Row::Grouped(group) => (Some(Rule::Split), board.groups[group as usize].verdict),
            };
            let part = match verdict {
                Verdict::Contested => Part::Source,
                _ if rule.is_none_or(|rule| rule > *rung) => Part::Below,
                _ => continue,
            };
            lines.push(Line { user: key.user, at: key.at, side, row, part });
        }
    }
    lines.sort_unstable_by_key(|line| (line.user, line.at, line.side, line.row));
    lines
}
