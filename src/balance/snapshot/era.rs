//! Where the meaning changes: per label, the cheapest cut of its rows into periods.

use std::collections::BTreeMap;

use super::fit::{Fit, Fits};
use super::{Meaning, Period};
use crate::domain::Instant;

/// A period of a label.
#[derive(Debug, Clone)]
pub(super) struct Era {
    pub label: u16,
    pub period: Period,
}

/// A row with a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tested {
    pub at: Instant,
    /// Its position among all rows.
    pub row: u32,
    pub fits: Fits,
}

/// A row that contradicts the meaning of its period.
const CONTRADICTION: u64 = 4;
/// A row that says nothing of the meaning of its period, but fits another one.
const OTHER_FITS: u64 = 1;
/// A row of a period that is given up as broken.
const BROKEN: u64 = 2;
/// A change of meaning, at least: three rows must speak for it.
const CHANGE: u64 = 10;

const STATES: usize = 4;
const MEANINGS: [Meaning; STATES] = [Meaning::After, Meaning::Before, Meaning::Size, Meaning::Broken];

/// The periods of all labels, by label and time. `meanings` becomes the meaning at each row.
pub(super) fn by_label(labels: BTreeMap<u16, Vec<Tested>>, meanings: &mut [Meaning]) -> Vec<Era> {
    let mut eras = Vec::new();
    for (label, mut rows) in labels {
        rows.sort_unstable_by_key(|tested| (tested.at, tested.row));
        let states = cut(&rows);
        let mut start = 0;
        while start < rows.len() {
            let length = states[start..].iter().take_while(|state| **state == states[start]).count();
            let own = &rows[start..start + length];
            let era = describe(label, MEANINGS[usize::from(states[start])], own);
            own.iter().for_each(|tested| meanings[tested.row as usize] = era.period.meaning);
            join(&mut eras, era);
            start += length;
        }
    }
    eras
}

/// The state of each row: least cost, and of equal ones that with the latest change, since rows of
/// one size fit the meaning before and that after it alike until the first contradiction.
fn cut(rows: &[Tested]) -> Vec<u8> {
    let change = CHANGE.max(2 * u64::from(rows.len().ilog2()));
    let mut costs = [0u64; STATES];
    let mut came_from: Vec<[u8; STATES]> = Vec::with_capacity(rows.len());
    for (nth, tested) in rows.iter().enumerate() {
        let (cheapest, least) = least(&costs);
        let mut from = [0u8; STATES];
        let mut next = [0u64; STATES];
        for state in 0..STATES {
            let (previous, cost) = if nth > 0 && least + change <= costs[state] {
                (cheapest, least + change)
            } else {
                (state, costs[state])
            };
            from[state] = previous as u8;
            next[state] = cost + price(state, &tested.fits);
        }
        costs = next;
        came_from.push(from);
    }
    let mut state = least(&costs).0;
    let mut states = vec![0; rows.len()];
    for nth in (0..rows.len()).rev() {
        states[nth] = state as u8;
        state = usize::from(came_from[nth][state]);
    }
    states
}

fn least(costs: &[u64; STATES]) -> (usize, u64) {
    let mut best = 0;
    for state in 1..STATES {
        if costs[state] < costs[best] {
            best = state;
        }
    }
    (best, costs[best])
}

fn price(state: usize, fits: &Fits) -> u64 {
    match fits.get(state) {
        None => BROKEN,
        Some(Fit::Contradicts) => CONTRADICTION,
        Some(Fit::Untested) if fits.contains(&Fit::Fits) => OTHER_FITS,
        Some(Fit::Fits | Fit::Untested) => 0,
    }
}

fn describe(label: u16, meaning: Meaning, own: &[Tested]) -> Era {
    let count =
        |state: usize, wanted: Fit| own.iter().filter(|tested| tested.fits[state] == wanted).count() as u64;
    let shown: [u64; 3] = [0, 1, 2].map(|state| count(state, Fit::Fits));
    let contradicted: [u64; 3] = [0, 1, 2].map(|state| count(state, Fit::Contradicts));
    let mut period = Period {
        meaning,
        from: own[0].at,
        to: own[own.len() - 1].at,
        rows: own.len() as u64,
        fits: 0,
        misfits: 0,
        alike: Vec::new(),
    };
    if let Some(state) = MEANINGS[..3].iter().position(|known| *known == meaning) {
        let as_good = |other: &usize| shown[*other] > 0 && contradicted[*other] <= contradicted[state];
        let alike: Vec<usize> = (0..3).filter(as_good).collect();
        match alike[..] {
            [only] => {
                period.meaning = MEANINGS[only];
                (period.fits, period.misfits) = (shown[only], contradicted[only]);
            }
            _ => {
                period.meaning = Meaning::Unknown;
                period.alike = alike.into_iter().map(|state| MEANINGS[state]).collect();
            }
        }
    } else {
        period.misfits = own.len() as u64;
    }
    Era { label, period }
}

/// A period that turns out to mean the same as the one before it is no period of its own.
fn join(eras: &mut Vec<Era>, next: Era) {
    match eras.last_mut() {
        Some(last)
            if last.label == next.label
                && last.period.meaning == next.period.meaning
                && last.period.alike == next.period.alike =>
        {
            last.period.to = next.period.to;
            last.period.rows += next.period.rows;
            last.period.fits += next.period.fits;
            last.period.misfits += next.period.misfits;
        }
        _ => eras.push(next),
    }
}
