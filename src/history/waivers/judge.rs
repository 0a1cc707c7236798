//! Which waivers are in force, and which have lapsed and why.

use std::collections::{HashMap, HashSet};

use super::content::Facts;
use super::{DAYS_AHEAD_MAX, Subject, Waiver, Waivers};
use crate::domain::{Finding, Instant, Status};
use crate::history::{Certified, ListedRun};

/// A waiver that ends within so many days is said to end.
pub const DAYS_OF_WARNING: i64 = 7;

/// Whether a waiver holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaiverState {
    /// It holds.
    InForce,
    /// The finding does not say any more what was accepted.
    LapsedContent,
    /// Its last day is over.
    LapsedDate,
    /// The finding is larger than what was accepted, or of a size that nobody knows.
    LapsedAmount,
    /// No finding has this id (any more).
    Unmatched,
}

impl WaiverState {
    /// All states.
    pub const ALL: [WaiverState; 5] = [
        WaiverState::InForce,
        WaiverState::LapsedContent,
        WaiverState::LapsedDate,
        WaiverState::LapsedAmount,
        WaiverState::Unmatched,
    ];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            WaiverState::InForce => "in_force",
            WaiverState::LapsedContent => "lapsed_content",
            WaiverState::LapsedDate => "lapsed_date",
            WaiverState::LapsedAmount => "lapsed_amount",
            WaiverState::Unmatched => "unmatched",
        }
    }
}

/// A waiver, judged against a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The entry of the file. Where several accept the same, the last that holds, or else the last.
    pub waiver: Waiver,
    /// Whether it holds.
    pub state: WaiverState,
    /// Days (UTC) from as-of to its last one; below zero when it is over.
    pub days_left: i64,
}

/// What the waivers mean for a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// SHA-256 of the file, lower-case hexadecimal; `None` without one.
    pub digest: Option<String>,
    /// The waivers in the order of the file, each with whether it holds.
    pub standings: Vec<Standing>,
}

impl Accepted {
    /// The waiver that accepts a finding.
    pub fn of_finding(&self, finding: &Finding) -> Option<&Waiver> {
        let accepts = |standing: &&Standing| match &standing.waiver.subject {
            Subject::Finding(id) => standing.state == WaiverState::InForce && *id == finding.id,
            Subject::Check(_) => false,
        };
        self.standings.iter().find(accepts).map(|standing| &standing.waiver)
    }
}

impl Standing {
    /// What a reader must know of it: that it has lapsed, or will soon.
    pub fn warning(&self) -> Option<String> {
        let Waiver { subject, owner, until, max_tokens, .. } = &self.waiver;
        let lapsed = |why: String| Some(format!("the waiver of {subject} ({owner}) has lapsed: {why}"));
        match self.state {
            WaiverState::Unmatched => None,
            WaiverState::InForce if self.days_left < DAYS_OF_WARNING => {
                let left = match self.days_left {
                    0 => "today".to_owned(),
                    1 => "tomorrow".to_owned(),
                    days => format!("in {days} days"),
                };
                Some(format!("the waiver of {subject} ({owner}) ends {left}, on {until}"))
            }
            WaiverState::InForce if self.days_left > DAYS_AHEAD_MAX as i64 => Some(format!(
                "the waiver of {subject} ({owner}) is in force until {until}, more than {DAYS_AHEAD_MAX} days after \
                 as-of: name a nearer day, and look at it again then"
            )),
            WaiverState::InForce => None,
            WaiverState::LapsedDate => lapsed(format!("it was in force until {until}")),
            WaiverState::LapsedContent => {
                let what = match subject {
                    Subject::Finding(_) => "finding",
                    Subject::Check(_) => "check",
                };
                lapsed(format!("the {what} does not say any more what was accepted"))
            }
            WaiverState::LapsedAmount => lapsed(format!(
                "the finding is larger than the {} tokens that were accepted, or its size is not known",
                max_tokens.unwrap_or(0)
            )),
        }
    }
}

impl Waiver {
    /// Of a check `certified` is the content, where a certificate is known.
    fn judged(&self, facts: Option<&Facts>, certified: Option<&str>, as_of: Instant) -> WaiverState {
        let within = |cap: &i128, facts: &Facts| {
            facts.weight.is_some_and(|weight| i128::try_from(weight).is_ok_and(|weight| weight <= *cap))
        };
        match (&self.subject, facts) {
            (Subject::Finding(_), None) => WaiverState::Unmatched,
            _ if !self.is_in_time(as_of) => WaiverState::LapsedDate,
            (Subject::Check(_), _) if certified.is_some_and(|content| content != self.content) => {
                WaiverState::LapsedContent
            }
            (Subject::Check(_), _) => WaiverState::InForce,
            (_, Some(facts)) if self.content != facts.content => WaiverState::LapsedContent,
            (_, Some(facts)) if self.max_tokens.as_ref().is_some_and(|cap| !within(cap, facts)) => {
                WaiverState::LapsedAmount
            }
            _ => WaiverState::InForce,
        }
    }
}

impl Waivers {
    /// Marks the findings that are accepted, and says of each waiver whether it holds, in the order of
    /// the file. Checks are made after that, so of theirs only the last day is judged.
    pub fn apply(&self, as_of: Instant, findings: &mut [Finding]) -> Accepted {
        let named = self.named();
        let mut facts: HashMap<String, Facts> = HashMap::new();
        for finding in findings.iter() {
            if named.contains(finding.id.0.as_str()) {
                facts.insert(finding.id.0.clone(), Facts::of(finding));
            }
        }
        let standings = self.standings(as_of, &facts, None);
        let accepted: HashSet<&str> = standings
            .iter()
            .filter(|standing| standing.state == WaiverState::InForce)
            .filter_map(|standing| match &standing.waiver.subject {
                Subject::Finding(id) => Some(id.0.as_str()),
                Subject::Check(_) => None,
            })
            .collect();
        for finding in findings {
            if accepted.contains(finding.id.0.as_str()) {
                finding.status = Status::Waived;
            }
        }
        Accepted { digest: self.digest.clone(), standings }
    }

    /// The same against a run that has been written, at a moment of its own; waivers of checks against a
    /// certificate, where there is one.
    pub fn against(&self, run: &ListedRun, certified: Option<&Certified>, as_of: Instant) -> Vec<Standing> {
        let named = self.named();
        let listed = run.findings.iter().filter(|finding| named.contains(finding.id.as_str()));
        let facts = listed.map(|finding| (finding.id.clone(), finding.facts.clone())).collect();
        self.standings(as_of, &facts, certified)
    }

    /// The ids of the findings that are named.
    fn named(&self) -> HashSet<&str> {
        let ids = self.entries.iter().filter_map(|waiver| match &waiver.subject {
            Subject::Finding(id) => Some(id.0.as_str()),
            Subject::Check(_) => None,
        });
        ids.collect()
    }

    fn standings(
        &self,
        as_of: Instant,
        facts: &HashMap<String, Facts>,
        certified: Option<&Certified>,
    ) -> Vec<Standing> {
        let checked = |name: &str| certified?.checks.get(name)?.content.as_deref();
        let mut standings: Vec<Standing> = Vec::new();
        for waiver in &self.entries {
            let (facts, content) = match &waiver.subject {
                Subject::Finding(id) => (facts.get(&id.0), None),
                Subject::Check(name) => (None, checked(name)),
            };
            let state = waiver.judged(facts, content, as_of);
            let standing = Standing { waiver: waiver.clone(), state, days_left: waiver.days_left(as_of) };
            let other = standings.iter_mut().find(|other| other.waiver.subject == waiver.subject);
            match other {
                // A later entry goes on from an earlier one, unless only the earlier one holds.
                Some(other) if other.state != WaiverState::InForce || state == WaiverState::InForce => {
                    *other = standing;
                }
                Some(_) => {}
                None => standings.push(standing),
            }
        }
        standings
    }
}
