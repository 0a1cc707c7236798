//! What became of every finding that a history has had: `lifecycle.csv`. Each run reads that of the run
//! before and writes its own, so that one run directory tells the whole past.

use std::collections::BTreeMap;
use std::path::Path;

use super::table::{Row, each_row};
use super::waivers::Facts;
use crate::domain::{Class, Finding, Instant, RepairKind, RowId, Severity, Status};

/// Name of the file.
pub const FILE_NAME: &str = "lifecycle.csv";

/// Its columns, in order.
pub const COLUMNS: [&str; 12] = [
    "finding_id",
    "class",
    "severity",
    "user_id",
    "tokens_effect",
    "first_seen",
    "last_seen",
    "resolved_at",
    "times_reopened",
    "state",
    "previous_state",
    "content",
];

pub(super) const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];

/// Where a finding stands among the runs of its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No run before had it.
    New,
    /// The run before had it.
    Open,
    /// It had been resolved, and is there again. Its status in `findings.csv` is `new`.
    Reopened,
    /// A waiver in force accepts it.
    Waived,
    /// It is gone.
    Resolved,
}

impl State {
    /// All states, in order.
    pub const ALL: [State; 5] = [State::New, State::Open, State::Reopened, State::Waived, State::Resolved];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            State::New => "new",
            State::Open => "open",
            State::Reopened => "reopened",
            State::Waived => "waived",
            State::Resolved => "resolved",
        }
    }
}

/// One finding through the runs of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// Id of the finding.
    pub id: String,
    /// Class.
    pub class: Class,
    /// Severity in the last run that had it.
    pub severity: Severity,
    /// User, where known.
    pub user: Option<String>,
    /// What its repair adds to the user's balance, in tokens.
    pub tokens_effect: Option<i128>,
    /// As-of of the first run that had it.
    pub first_seen: Instant,
    /// As-of of the last one that had it.
    pub last_seen: Instant,
    /// As-of of the first run that had it no more; `None` while it stands.
    pub resolved_at: Option<Instant>,
    /// How often it came back.
    pub times_reopened: u32,
    /// Where it stands.
    pub state: State,
    /// Where it stood in the run before; `None`: that run's history did not have it.
    pub previous_state: Option<State>,
    /// What it said in the last run that had it, as a digest; empty where an earlier version did not
    /// write it down.
    pub content: String,
    /// It stood in the run before and said something else there. Not in the file: the content of both
    /// runs tells it.
    pub is_changed: bool,
}

/// What a finding says, as far as another word of it is worth an alert. A gap follows every new usage, so
/// what counts of it is the part without a cause, and the cause; how far a balance went below zero is no
/// news once it had. The cause of any other finding, and with it its repair, is drawn from all findings
/// together: one more must not make news of the others.
fn content(finding: &Finding) -> String {
    match finding.class {
        Class::BalanceGap => {
            let unexplained = finding.evidence.split("; ").find(|part| part.starts_with("unexplained="));
            format!("{}; cause={}", unexplained.unwrap_or_default(), finding.cause)
        }
        Class::NegativeBalance => "below_zero".to_owned(),
        _ => {
            let rows = Finding { cause: "".into(), repair: RepairKind::None, ..finding.clone() };
            Facts::of(&rows).content
        }
    }
}

impl Life {
    /// The run has it.
    pub fn stands(&self) -> bool {
        self.state != State::Resolved
    }

    /// It keeps the run from being clean.
    pub fn is_blocking(&self) -> bool {
        self.severity == Severity::Error && !matches!(self.state, State::Waived | State::Resolved)
    }

    /// The run before had it, this one has not.
    pub fn resolved_now(&self) -> bool {
        self.state == State::Resolved && self.previous_state != Some(State::Resolved)
    }

    fn read(row: &Row<'_>) -> Result<Life, String> {
        let state = |column| row.word(column, &State::ALL, State::name);
        let optional = |column: &str| row.plain(column).map(|text| !text.is_empty());
        Ok(Life {
            id: row.plain("finding_id")?.to_owned(),
            class: row.word("class", &Class::ALL, Class::name)?,
            severity: row.word("severity", &SEVERITIES, Severity::name)?,
            user: Some(row.text("user_id")?).filter(|user| !user.is_empty()).map(str::to_owned),
            tokens_effect: row.known("tokens_effect")?,
            first_seen: row.instant("first_seen")?,
            last_seen: row.instant("last_seen")?,
            resolved_at: optional("resolved_at")?.then(|| row.instant("resolved_at")).transpose()?,
            times_reopened: row.number("times_reopened")?,
            state: state("state")?,
            previous_state: optional("previous_state")?.then(|| state("previous_state")).transpose()?,
            // An earlier version has no such column.
            content: row.text("content").unwrap_or_default().to_owned(),
            is_changed: false,
        })
    }

    /// What a run without `lifecycle.csv` says in its `findings.csv`.
    fn of_listed(row: &Row<'_>, as_of: Instant) -> Result<Life, String> {
        let state = match row.plain("status")? {
            "new" => State::New,
            "open" => State::Open,
            "waived" => State::Waived,
            other => return Err(format!("status {other:?} is unknown to this version")),
        };
        Ok(Life {
            id: row.plain("finding_id")?.to_owned(),
            class: row.word("class", &Class::ALL, Class::name)?,
            severity: row.word("severity", &SEVERITIES, Severity::name)?,
            user: Some(row.text("user_id")?).filter(|user| !user.is_empty()).map(str::to_owned),
            tokens_effect: row.known("tokens_effect")?,
            first_seen: as_of,
            last_seen: as_of,
            resolved_at: None,
            times_reopened: 0,
            state,
            previous_state: None,
            content: String::new(),
            is_changed: false,
        })
    }

    fn of(finding: &Finding, as_of: Instant, before: Option<Life>) -> Life {
        let previous_state = before.as_ref().map(|life| life.state);
        let is_back = previous_state == Some(State::Resolved);
        let content = content(finding);
        let is_other = |life: &Life| life.stands() && !life.content.is_empty() && life.content != content;
        let is_changed = before.as_ref().is_some_and(is_other);
        Life {
            id: finding.id.0.clone(),
            class: finding.class,
            severity: finding.severity,
            user: finding.user.as_ref().map(RowId::to_string),
            tokens_effect: finding.tokens_effect,
            first_seen: before.as_ref().map_or(as_of, |life| life.first_seen),
            last_seen: as_of,
            resolved_at: None,
            times_reopened: before.map_or(0, |life| life.times_reopened) + u32::from(is_back),
            state: match previous_state {
                _ if finding.status == Status::Waived => State::Waived,
                None => State::New,
                Some(State::Resolved) => State::Reopened,
                Some(_) => State::Open,
            },
            previous_state,
            content,
            is_changed,
        }
    }
}

/// All findings that a history has had, ascending by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// The findings.
    pub lives: Vec<Life>,
}

impl Lifecycle {
    /// The lives after a run with these findings, which have their status already.
    pub fn after(before: Option<&Lifecycle>, findings: &[Finding], as_of: Instant) -> Lifecycle {
        let mut now: BTreeMap<&str, &Finding> =
            findings.iter().map(|finding| (finding.id.0.as_str(), finding)).collect();
        let mut lives = Vec::with_capacity(findings.len());
        for life in before.iter().flat_map(|before| &before.lives) {
            let after = match now.remove(life.id.as_str()) {
                Some(finding) => Life::of(finding, as_of, Some(life.clone())),
                None => Life {
                    resolved_at: life.resolved_at.or(Some(as_of)),
                    state: State::Resolved,
                    previous_state: Some(life.state),
                    is_changed: false,
                    ..life.clone()
                },
            };
            lives.push(after);
        }
        lives.extend(now.into_values().map(|finding| Life::of(finding, as_of, None)));
        lives.sort_by(|a, b| a.id.cmp(&b.id));
        Lifecycle { lives }
    }

    /// Reads the `lifecycle.csv` of a run directory.
    ///
    /// # Errors
    /// The line and the fault.
    pub fn read(file: &Path) -> Result<Lifecycle, String> {
        let mut lives = Vec::new();
        each_row(file, |row| {
            lives.push(Life::read(row)?);
            Ok(())
        })?;
        Ok(Lifecycle::sorted(lives))
    }

    /// The same from the `findings.csv` of a run that a version without lifecycles wrote.
    pub(super) fn of_findings(file: &Path, as_of: Instant) -> Result<Lifecycle, String> {
        let mut lives = Vec::new();
        each_row(file, |row| {
            lives.push(Life::of_listed(row, as_of)?);
            Ok(())
        })?;
        Ok(Lifecycle::sorted(lives))
    }

    fn sorted(mut lives: Vec<Life>) -> Lifecycle {
        lives.sort_by(|a, b| a.id.cmp(&b.id));
        Lifecycle { lives }
    }

    /// The finding of this id.
    pub fn find(&self, id: &str) -> Option<&Life> {
        self.lives.binary_search_by(|life| life.id.as_str().cmp(id)).ok().map(|at| &self.lives[at])
    }

    /// Those that the run before had and this one has not.
    pub fn resolved_now(&self) -> impl Iterator<Item = &Life> {
        self.lives.iter().filter(|life| life.resolved_now())
    }

    /// Those that had been resolved and are there again.
    pub fn reopened(&self) -> impl Iterator<Item = &Life> {
        self.lives.iter().filter(|life| life.state == State::Reopened)
    }

    /// Those that the run before had too, and that say something else now.
    pub fn changed(&self) -> impl Iterator<Item = &Life> {
        self.lives.iter().filter(|life| life.is_changed)
    }

    /// Those that the run before had under a waiver, and this one without.
    pub fn lapsed(&self) -> impl Iterator<Item = &Life> {
        let is_lapsed =
            |life: &&Life| life.previous_state == Some(State::Waived) && life.state == State::Open;
        self.lives.iter().filter(is_lapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FindingId;

    fn at(day: i64) -> Instant {
        Instant(day * 86_400_000_000)
    }

    fn finding(id: &str, status: Status) -> Finding {
        let mut finding = Finding::new(Class::Unmigrated, Severity::Error, RepairKind::Review);
        finding.id = FindingId(id.to_owned());
        finding.status = status;
        finding
    }

    /// A night a column, `.` where the finding is not there, `x` where it is, `w` where it is waived:
    /// the states, and what the last night says of first, last, resolved, times reopened.
    #[test]
    fn a_finding_is_followed_through_its_nights() {
        use State::{New, Open, Reopened, Resolved, Waived};
        type Case<'a> = (&'a str, &'a [Option<State>], [Option<i64>; 3], u32);
        let cases: [Case<'_>; 5] = [
            ("xxx", &[Some(New), Some(Open), Some(Open)], [Some(0), Some(2), None], 0),
            (".x.", &[None, Some(New), Some(Resolved)], [Some(1), Some(1), Some(2)], 0),
            (
                "x.x.xx",
                &[Some(New), Some(Resolved), Some(Reopened), Some(Resolved), Some(Reopened), Some(Open)],
                [Some(0), Some(5), None],
                2,
            ),
            (
                "xwwx..",
                &[Some(New), Some(Waived), Some(Waived), Some(Open), Some(Resolved), Some(Resolved)],
                [Some(0), Some(3), Some(4)],
                0,
            ),
            ("w.w", &[Some(Waived), Some(Resolved), Some(Waived)], [Some(0), Some(2), None], 1),
        ];
        for (nights, states, [first, last, resolved], reopened) in cases {
            let mut lifecycle: Option<Lifecycle> = None;
            let mut before = None;
            for (day, (night, state)) in nights.chars().zip(states).enumerate() {
                let findings = match night {
                    'x' => vec![finding("f", Status::New)],
                    'w' => vec![finding("f", Status::Waived)],
                    _ => Vec::new(),
                };
                lifecycle = Some(Lifecycle::after(lifecycle.as_ref(), &findings, at(day as i64)));
                let life = lifecycle.as_ref().and_then(|lifecycle| lifecycle.find("f"));
                assert_eq!(life.map(|life| life.state), *state, "{nights}, night {day}");
                assert_eq!(life.and_then(|life| life.previous_state), before, "{nights}, night {day}");
                before = *state;
            }
            let life = lifecycle.and_then(|lifecycle| lifecycle.find("f").cloned()).expect("it was there");
            assert_eq!(
                (Some(life.first_seen), Some(life.last_seen), life.resolved_at, life.times_reopened),
                (first.map(at), last.map(at), resolved.map(at), reopened),
                "{nights}"
            );
        }
    }

    #[test]
    fn a_gap_has_changed_where_its_unexplained_part_or_its_cause_has() {
        let gap = |evidence: &str, cause: &str| {
            let mut finding = Finding::new(Class::BalanceGap, Severity::Error, RepairKind::Review);
            (finding.evidence, finding.cause) = (evidence.to_owned(), cause.to_owned().into());
            finding
        };
        let before = gap("stored=9; recomputed=2; gap=7; unexplained=7; explanation=unexplained", "");
        // evidence, cause, changed
        let cases = [
            ("stored=8; recomputed=1; gap=7; unexplained=7; explanation=unexplained", "", false),
            ("stored=9; recomputed=2; gap=7; unexplained=70; explanation=unexplained", "", true),
            ("stored=9; recomputed=2; gap=7; unexplained=7; explanation=unexplained", "unmigrated", true),
        ];
        let first = Lifecycle::after(None, &[before], at(0));
        for (evidence, cause, expected) in cases {
            let next = Lifecycle::after(Some(&first), &[gap(evidence, cause)], at(1));
            assert_eq!(next.changed().count() == 1, expected, "{evidence} {cause}");
        }
        let mut unknown = first;
        unknown.lives[0].content = String::new();
        let next = Lifecycle::after(Some(&unknown), &[gap("unexplained=70", "")], at(1));
        assert_eq!(next.changed().count(), 0, "an earlier version wrote no content");
    }

    #[test]
    fn what_blocks_is_an_error_that_stands_unwaived() {
        for (state, expected) in State::ALL.into_iter().zip([true, true, true, false, false]) {
            let mut life = Life::of(&finding("f", Status::New), at(0), None);
            life.state = state;
            assert_eq!(life.is_blocking(), expected, "{state:?}");
            life.severity = Severity::Warning;
            assert!(!life.is_blocking());
        }
    }
}
