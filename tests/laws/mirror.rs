//! What changes when the two tables change places: what is missing here is too much there, and what
//! differs differs by the opposite.
//!
//! The mirror is exact where nothing is ambiguous. Where it is, ids decide, legacy ids first, and the
//! tables have different ids.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::files::{self, Run};
use super::generate::{self, Mood};
use super::ledger::Said;
use super::notation;
use super::transform;

/// Findings of these classes stand for two rows, or two groups of rows, that differ.
const DIFFER: [&str; 4] = ["amount_mismatch", "action_mismatch", "time_mismatch", "split_grant"];

/// `class [ids of this side] [ids of that side] effect rule`.
fn differing(run: &Run, mirror: bool) -> BTreeSet<String> {
    let line = |said: &Said| {
        let (here, there, sign) =
            if mirror { (&said.unified, &said.legacy, -1) } else { (&said.legacy, &said.unified, 1) };
        let effect = said.effect.map(|effect| effect * sign);
        format!("{} {here:?} {there:?} {effect:?} {}", said.class, said.rule)
    };
    run.said.iter().filter(|said| DIFFER.contains(&said.class.as_str())).map(line).collect()
}

/// Ids of the rows of a side whose finding is of one of these classes.
fn left(run: &Run, side: &str, classes: &[&str]) -> BTreeSet<String> {
    let said = run.said.iter().filter(|said| classes.contains(&said.class.as_str()));
    said.map(|said| if side == "legacy" { &said.legacy } else { &said.unified })
        .map(|ids| ids.first().expect("the row itself").clone())
        .collect()
}

const MISSING: [&str; 3] = ["unmigrated", "unmigrated_deduction", "source_duplicate"];
const EXTRA: [&str; 2] = ["orphan", "duplicate"];

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 4_000, ..generate::config(60) })]

    #[test]
    fn where_nothing_is_ambiguous_the_sides_mirror_each_other(
        ledgers in prop_oneof![generate::ledgers(Mood::Everything), generate::ledgers(Mood::Parts)]
    ) {
        let here = transform::mirrorable(ledgers);
        let there = transform::mirrored(&here);
        let text = format!("{}\nmirrored:\n{}", notation::text(&here), notation::text(&there));
        let (here, there) = (files::run(&here, &[]), files::run(&there, &[]));
        let is_forced = |run: &Run| run.said.iter().all(|said| said.verdict == "forced");
        prop_assume!(is_forced(&here) && is_forced(&there));
        prop_assert_eq!(differing(&here, false), differing(&there, true), "{}", text);
        prop_assert_eq!(left(&here, "legacy", &MISSING), left(&there, "unified", &EXTRA), "{}", text);
        prop_assert_eq!(left(&here, "unified", &EXTRA), left(&there, "legacy", &MISSING), "{}", text);
        // What repeats a reference on the one side repeats it on the other.
        let repeats = left(&here, "legacy", &["source_duplicate"]);
        prop_assert!(repeats.is_subset(&left(&there, "unified", &["duplicate"])), "{}", text);
        let repeats = left(&there, "legacy", &["source_duplicate"]);
        prop_assert!(repeats.is_subset(&left(&here, "unified", &["duplicate"])), "{}", text);
        for rung in ["reference", "exact", "near", "mismatch"] {
            prop_assert_eq!(&here.summary["pairs"][rung]["rows"], &there.summary["pairs"][rung]["rows"]);
        }
    }
}
