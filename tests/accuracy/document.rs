//! `ACCURACY.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::Ledger;
use super::score::{Score, Scores};

/// Classes of `findings.csv`.
pub(super) const CLASSES: [&str; 15] = [
    "unmigrated",
    "unmigrated_deduction",
    "amount_mismatch",
    "action_mismatch",
    "time_mismatch",
    "user_mismatch",
    "duplicate",
    "source_duplicate",
    "orphan",
    "split_grant",
    "mislabelled_purchase",
    "unmapped_action",
    "rejected_row",
    "balance_gap",
    "negative_balance",
];

fn share(right: usize, of: usize) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.3}", right as f64 / of as f64) }
}

fn line(text: &mut String, name: &str, score: &Score) {
    let precision = share(score.right, score.found);
    let recall = share(score.right, score.planted);
    writeln!(text, "| {name} | {} | {} | {precision} | {recall} |", score.planted, score.found).unwrap();
}

/// The document.
pub(super) fn of(scores: &Scores, ledgers: &[Ledger]) -> String {
    let mut text = include_str!("head.md").to_owned();
    let header = "| Planted | Found | Precision | Recall |\n|---|--:|--:|--:|--:|\n";
    text += &format!("\n## Findings\n\n| Class {header}");
    for class in CLASSES {
        line(&mut text, &format!("`{class}`"), &scores.classes[class]);
    }
    text += &format!("\n| Verdict {header}");
    for (verdict, score) in &scores.verdicts {
        line(&mut text, &format!("`{verdict}`"), score);
    }
    text += &format!(
        "\n## Rows\n\nEvery legacy row and every unified grant or deduction, with its partner.\n\n| Disposition {header}"
    );
    for ((side, disposition), score) in &scores.rows {
        line(&mut text, &format!("{side} `{disposition}`"), score);
    }
    let [users, gaps, certain, several] = scores.balances;
    write!(
        text,
        "\n## Balances\n\n{users} balances: granted, deducted, used, recomputed, corrected, stored and gap are right \
         for all. {gaps} have a gap; for {certain} of these one smallest set of planted causes gives it to the token, \
         and that set was found with the tokens of each ({several} of them are called `several`, since another way of \
         keeping the balance gives the same). For the rest several planted sets are equally small, or what was \
         planted is explained by nothing.\n"
    )
    .unwrap();
    text += "\n## Kinds of defect\n\nAs `--defects` names them; rows are those that the kind touches.\n\n";
    text += "| Kind | Findings planted | found | Rows planted | right |\n|---|--:|--:|--:|--:|\n";
    for (kind, [planted, found, rows, right]) in &scores.kinds {
        writeln!(text, "| `{kind}` | {planted} | {found} | {rows} | {right} |").unwrap();
    }
    text += "\n## Ledgers\n\nEach was made and reconciled twice, as CSV and as Parquet, with equal findings.\n\n```\n";
    for ledger in ledgers {
        writeln!(text, "reckon simulate {}", ledger.flags().join(" ")).unwrap();
    }
    text + "```\n" + include_str!("tail.md")
}

/// Compares with the committed file; `UPDATE_GOLDEN=1` writes it.
pub(super) fn compare(text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ACCURACY.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(committed == text, "ACCURACY.md is not what this run gives; UPDATE_GOLDEN=1 writes:\n{text}");
}
