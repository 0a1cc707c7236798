//! How much of what is true was found, and how much of what was found is true.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::Ledger;
use super::simulated::{Became, dispositions};
use crate::cases::program::Run;
use crate::cases::table::{Row, Table};

/// A finding by what it says: class, severity, user, rows, effect, verdict, repair.
type Said = [String; 8];

const SAID: [&str; 8] =
    ["class", "severity", "user_id", "legacy_ids", "unified_ids", "tokens_effect", "verdict", "repair"];

/// Wrong ones of each sort that are shown.
const SHOWN: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Score {
    pub(super) planted: usize,
    pub(super) found: usize,
    pub(super) right: usize,
}

impl Score {
    fn take<T: Ord>(&mut self, truth: &BTreeSet<T>, found: &BTreeSet<T>) {
        self.planted += truth.len();
        self.found += found.len();
        self.right += truth.intersection(found).count();
    }
}

/// All ledgers together.
#[derive(Debug, Default)]
pub(super) struct Scores {
    /// Findings by class.
    pub(super) classes: BTreeMap<String, Score>,
    /// Findings by verdict.
    pub(super) verdicts: BTreeMap<String, Score>,
    /// Rows by side and disposition.
    pub(super) rows: BTreeMap<(String, String), Score>,
    /// Planted findings and rows by kind, and how many of them are right.
    pub(super) kinds: BTreeMap<String, [usize; 4]>,
    /// Balances: all, with a gap, with a gap taken apart as planted, of these with other sets of
    /// causes that are as small.
    pub(super) balances: [usize; 4],
    /// What is wrong, for people.
    pub(super) wrong: String,
}

impl Scores {
    /// Compares a run with the truth beside its ledger.
    pub(super) fn take(&mut self, ledger: &Ledger, place: &Path, run: &Run) {
        self.take_findings(ledger, place, run);
        self.take_rows(ledger, place, run);
        self.take_balances(ledger, place, run);
    }

    fn say(&mut self, ledger: &Ledger, what: &str) {
        writeln!(self.wrong, "seed {}: {what}", ledger.seed).unwrap();
    }

    fn take_findings(&mut self, ledger: &Ledger, place: &Path, run: &Run) {
        let table = Table::read(&place.join("truth_findings.csv"));
        let (truth, found) = (all_said(&table), all_said(&run.table("findings.csv")));
        for row in table.rows() {
            let kind = self.kinds.entry(row.text("defect").to_owned()).or_default();
            kind[0] += 1;
            kind[1] += usize::from(found.contains(&said(row)));
        }
        let by = |all: &BTreeSet<Said>, column: usize, word: &str| -> BTreeSet<Said> {
            all.iter().filter(|said| said[column] == word).cloned().collect()
        };
        for (column, scores) in [(0, &mut self.classes), (6, &mut self.verdicts)] {
            let words: BTreeSet<&String> = truth.iter().chain(&found).map(|said| &said[column]).collect();
            for word in words {
                let score = scores.entry(word.clone()).or_default();
                score.take(&by(&truth, column, word), &by(&found, column, word));
            }
        }
        for (name, rows) in [("missed", truth.difference(&found)), ("too much", found.difference(&truth))] {
            for one in rows.take(SHOWN) {
                self.say(ledger, &format!("{name}: {one:?}"));
            }
        }
    }

    fn take_rows(&mut self, ledger: &Ledger, place: &Path, run: &Run) {
        let found = dispositions(&run.out.join("dispositions.parquet"));
        let table = Table::read(&place.join("truth.csv"));
        let mut shown = 0;
        let mut known = 0;
        for row in table.rows() {
            known += 1;
            let expected = expected_of(row);
            let key = (row.text("side").to_owned(), row.text("row_id").to_owned());
            let became = found.get(&key);
            let is_right = became == Some(&expected);
            let score = self.rows.entry((key.0.clone(), expected.disposition.clone())).or_default();
            score.planted += 1;
            score.right += usize::from(is_right);
            let kind = row.text("defect");
            if !kind.is_empty() {
                let kind = self.kinds.entry(kind.to_owned()).or_default();
                kind[2] += 1;
                kind[3] += usize::from(is_right);
            }
            if !is_right && shown < SHOWN {
                shown += 1;
                self.say(ledger, &format!("row {key:?}: {expected:?}, got {became:?}"));
            }
        }
        for (key, became) in &found {
            self.rows.entry((key.0.clone(), became.disposition.clone())).or_default().found += 1;
        }
        if known != found.len() {
            self.say(ledger, &format!("{known} rows have a fate, {} a disposition", found.len()));
        }
    }

    /// Totals and gap of every balance; the causes of a gap wherever one smallest set of planted ones
    /// gives it; how it is explained, unless something was planted that nothing explains. The program
    /// knows more ways of keeping a balance than were planted, and says `several` where another one
    /// gives the same.
    fn take_balances(&mut self, ledger: &Ledger, place: &Path, run: &Run) {
        let table = run.table("balances.csv");
        let found: BTreeMap<&str, Row<'_>> = table.rows().map(|row| (row.text("user_id"), row)).collect();
        let truth = Table::read(&place.join("truth_balances.csv"));
        let mut shown = 0;
        assert_eq!(found.len(), truth.rows().count(), "a line for every user");
        for row in truth.rows() {
            let user = row.text("user_id");
            let is_certain = matches!(row.text("explanation"), "unique" | "none_needed");
            let compared = truth.columns().iter().filter(|column| match column.as_str() {
                "defects" => false,
                "explanation" => !row.text("explanation").is_empty(),
                column if column.starts_with("cause_") || column == "unexplained" => is_certain,
                _ => true,
            });
            let differing: Vec<String> = compared
                .map(|column| {
                    (column, row.text(column), found.get(user).map_or("no line", |row| row.text(column)))
                })
                .filter(|(column, expected, found)| {
                    let as_small = *column == "explanation" && *expected == "unique" && *found == "several";
                    expected != found && !as_small
                })
                .map(|(column, expected, found)| format!("{column} {expected}, got {found}"))
                .collect();
            self.balances[0] += 1;
            if row.text("gap") != "0" {
                self.balances[1] += 1;
                let is_right = is_certain && differing.is_empty();
                self.balances[2] += usize::from(is_right);
                let is_one_of_several =
                    found.get(user).is_some_and(|row| row.text("explanation") == "several");
                self.balances[3] += usize::from(is_right && is_one_of_several);
            }
            if !differing.is_empty() && shown < SHOWN {
                shown += 1;
                self.say(
                    ledger,
                    &format!("balance of {user} ({}): {}", row.text("defects"), differing.join("; ")),
                );
            }
        }
    }
}

fn said(row: Row<'_>) -> Said {
    SAID.map(|column| row.text(column).to_owned())
}

fn all_said(table: &Table) -> BTreeSet<Said> {
    let all: BTreeSet<Said> = table.rows().map(said).collect();
    assert_eq!(all.len(), table.rows().count(), "a finding stands twice");
    all
}

/// What `dispositions.parquet` must say of a row: rows that differ are in a pair, copies and parts
/// are not.
fn expected_of(row: Row<'_>) -> Became {
    let disposition = row.text("disposition").to_owned();
    let paired = disposition == "paired"
        || disposition == "mislabelled_purchase"
        || disposition.ends_with("_mismatch");
    let partner = if paired { row.text("partner_ids") } else { "" };
    Became { disposition, partner: partner.to_owned() }
}
