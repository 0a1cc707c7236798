//! Ids of findings about rows whose own ids hold what parts ids from each other.

use super::{World, stderr};

/// Two grants of 100 tokens with 90 in the unified table: legacy id and unified id of each.
fn ledgers(world: &World, pairs: [[&str; 2]; 2]) {
    let mut legacy = "id,user_id,action_type,tokens_used,created_at\n".to_owned();
    let mut unified = "id,user_id,action_type,tokens_used,created_at,legacy_id\n".to_owned();
    for (at, [one, other]) in pairs.into_iter().enumerate() {
        let time = format!("2025-11-0{}T09:00:00Z", at + 1);
        legacy.push_str(&format!("\"{one}\",u{at},renewal_grant,100,{time}\n"));
        unified.push_str(&format!("\"{other}\",u{at},subscription_grant,90,{time},\"{one}\"\n"));
    }
    world.write("legacy.csv", &legacy);
    world.write("unified.csv", &unified);
}

#[test]
fn rows_that_differ_have_findings_that_differ() {
    let cases = [
        [["A", "B\nC"], ["A\nB", "C"]],
        [["A\n", "B"], ["A", "\nB"]],
        [["A;B", "C"], ["A\\;B", "C1"]],
        [["A\nB", "C"], ["A\\nB", "C2"]],
        [["A;B\nC", "D;E"], ["A;B", "C\nD;E"]],
    ];
    for pairs in cases {
        let world = World::new("");
        ledgers(&world, pairs);
        assert_eq!(world.night(0, &[]), 1, "{pairs:?}");
        let rows = world.table("reports/latest/findings.csv", &["finding_id", "legacy_ids", "unified_ids"]);
        let [one, other] = &rows[..] else { panic!("two findings: {rows:?}") };
        assert_ne!(one[0], other[0], "{pairs:?}");
        let (code, checks) = world.verify("reports/latest");
        assert_eq!(code, 0, "{pairs:?}: {checks:#?}");
        // Nor does the one stand for the other in the next night.
        let known = World::new("");
        ledgers(&known, [pairs[0], ["P", "Q"]]);
        known.night(0, &[]);
        ledgers(&known, [pairs[1], ["P", "Q"]]);
        let output =
            known.run(&["reconcile", "--as-of", &super::as_of(1), "--fail-on", "new", "--no-progress"]);
        assert_eq!(super::code(&output), 1, "{pairs:?}: {}", stderr(&output));
    }
}
