//! What the stored balance of a holder would be if it were kept in another way.

use super::super::GapCause;
use super::super::replay::{Event, Place, Policies, Policy, Timeline, Use, What};
use super::edit::{Change, Edit};
use super::hypothesis::Hypothesis;
use crate::config::Floor;
use crate::domain::{ActionNo, Instant};

/// How a balance is kept. The default is the sum of the rows and nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// Findings whose rows are as the legacy table has them, by bit of the holder.
    pub findings: u32,
    pub failed: Failed,
    pub not_deducted: bool,
    pub opening: Opening,
    pub reset: Reset,
    pub floor: KeptFloor,
    pub expiry: Expiry,
}

/// Which failed use is taken off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Failed {
    /// As in the sum of the rows.
    #[default]
    AsSummed,
    /// The other way round.
    Otherwise,
    /// As each policy says.
    Configured,
}

/// Tokens at sign-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Opening {
    #[default]
    None,
    Configured,
    Tokens(i64),
}

/// Which grants replace the balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Reset {
    #[default]
    None,
    /// And caps on what is carried over.
    Configured,
    By(ActionNo),
    ByAll,
}

/// What becomes of a balance below zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum KeptFloor {
    #[default]
    Debt,
    Configured,
    Clamp,
}

/// What becomes of grants that end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Expiry {
    #[default]
    Ignored,
    /// The unused part goes.
    Configured,
    /// The whole grant is taken off at its end.
    FaceValue,
}

impl Choice {
    /// The choice with one more cause. The pool is not in here: it is another [`World`].
    pub fn with(mut self, cause: GapCause, why: Hypothesis, bits: u32) -> Choice {
        match (cause, why) {
            (_, Hypothesis::Findings | Hypothesis::Uncounted | Hypothesis::Pending | Hypothesis::Late) => {
                self.findings |= bits;
            }
            (GapCause::FailedUsage, Hypothesis::Configured) => self.failed = Failed::Configured,
            (GapCause::Opening, Hypothesis::Configured) => self.opening = Opening::Configured,
            (GapCause::Reset, Hypothesis::Configured) => self.reset = Reset::Configured,
            (GapCause::Clamp, Hypothesis::Configured) => self.floor = KeptFloor::Configured,
            (GapCause::Expiry, Hypothesis::Configured) => self.expiry = Expiry::Configured,
            (_, Hypothesis::Configured) => {}
            (_, Hypothesis::FailedAgainstPolicy) => self.failed = Failed::Otherwise,
            (_, Hypothesis::NotDeducted) => self.not_deducted = true,
            (_, Hypothesis::OpeningShown(tokens)) => self.opening = Opening::Tokens(tokens),
            (_, Hypothesis::ResetBy(action)) => self.reset = Reset::By(action),
            (_, Hypothesis::ResetByAll) => self.reset = Reset::ByAll,
            (_, Hypothesis::HeldAtZero) => self.floor = KeptFloor::Clamp,
            (_, Hypothesis::ExpiredAtFaceValue) => self.expiry = Expiry::FaceValue,
        }
        self
    }
}

/// An event with the findings that it needs, or that take it away.
#[derive(Debug, Clone, Copy)]
struct Step {
    event: Event,
    needs: u32,
    gone_with: u32,
    /// Position of the policy in force.
    policy: usize,
    /// A grant of this many tokens ends here, under the configured policies.
    face_value: Option<i128>,
    /// It ends where it begins.
    ends_at_once: bool,
}

impl Step {
    /// Where it stands, as a replay has it. What ends goes before all else of its instant, and behind its own
    /// grant where it ends at once.
    fn place(&self, policies: &Policies) -> (Place, bool) {
        match self.face_value {
            Some(_) if !self.ends_at_once => ((self.event.at, 0, 0, 0), false),
            ends => (self.event.place(policies), ends.is_some()),
        }
    }
}

/// The rows of one holder, and of those of its findings.
#[derive(Debug)]
pub(super) struct World<'p> {
    steps: Vec<Step>,
    timeline: Timeline,
    policies: &'p Policies,
    count_failed: bool,
    last_policy: usize,
}

impl<'p> World<'p> {
    /// `own` are the edits of the holder's own rows, wherever these stand; `bit` gives each edit its bit;
    /// `count_failed`: the sum of the rows has failed use in it.
    pub fn new(
        timeline: &Timeline,
        edits: &[Edit],
        own: &[Edit],
        bit: impl Fn(&Edit) -> u32,
        policies: &'p Policies,
        count_failed: bool,
    ) -> World<'p> {
        let position = |at: Instant| policies.all().partition_point(|policy| policy.from <= at) - 1;
        let step = |event: Event, needs: u32, gone_with: u32| Step {
            event,
            needs,
            gone_with,
            policy: position(event.at),
            face_value: None,
            ends_at_once: false,
        };
        let row_of = |event: &Event| match event.what {
            What::Grant(row) | What::Deduction(row) => Some(row.row),
            _ => None,
        };
        let mut steps: Vec<Step> = Vec::with_capacity(timeline.events.len() + edits.len());
        for event in timeline.events.iter().filter(|event| !matches!(event.what, What::Mark)) {
            let removes =
                |edit: &&Edit| matches!(edit.change, Change::Remove(row) if row_of(event) == Some(row));
            let gone_with = edits.iter().filter(removes).fold(0, |bits, edit| bits | bit(edit));
            steps.push(step(*event, 0, gone_with));
        }
        for edit in edits {
            if let Change::Insert(at, what) = edit.change {
                steps.push(step(Event { at, what }, bit(edit), 0));
            }
        }
        join_earlier(&mut steps, own.iter().filter_map(|edit| own_row(edit, bit(edit))).collect());
        let ends: Vec<Step> =
            steps.iter().filter_map(|step| face_value(step, policies, timeline.as_of)).collect();
        steps.extend(ends);
        steps.sort_by_key(|step| step.place(policies));
        steps.iter_mut().for_each(|step| step.policy = position(step.event.at));
        let last_policy = position(timeline.as_of);
        World { steps, timeline: timeline.clone(), policies, count_failed, last_policy }
    }

    /// The balance that this choice gives.
    pub fn balance(&self, choice: &Choice) -> i128 {
        let has_caps = choice.reset == Reset::Configured && self.has_caps();
        if choice.expiry == Expiry::Configured || has_caps {
            self.replayed(choice)
        } else {
            self.summed(choice)
        }
    }

    /// Actions of the grants, and whether something happens before them, for resets.
    pub fn granted_actions(&self) -> Vec<ActionNo> {
        let mut actions: Vec<ActionNo> = Vec::new();
        for step in &self.steps {
            if let What::Grant(row) = step.event.what
                && step.face_value.is_none()
                && !actions.contains(&row.action)
            {
                actions.push(row.action);
            }
        }
        actions.sort_unstable();
        actions
    }

    /// Some grant ends up to as-of.
    pub fn has_ends(&self) -> bool {
        self.steps.iter().any(|step| step.face_value.is_some())
    }

    /// Opening tokens may be others where a row comes in before all that is there.
    pub fn opening_depends_on_findings(&self) -> bool {
        let is_moved = |step: &Step| matches!(step.event.what, What::Joined) && step.needs != 0;
        let is_given = |one: &[Policy]| one[0].opening_tokens == one[1].opening_tokens;
        self.steps.iter().any(is_moved) && !self.policies.all().windows(2).all(is_given)
    }

    /// Failed use is in the sum of the rows.
    pub fn sums_failed_use(&self) -> bool {
        let has_failed = |step: &Step| matches!(step.event.what, What::Use(Use { failed: Some(_), .. }));
        self.count_failed && self.steps.iter().any(has_failed)
    }

    fn has_caps(&self) -> bool {
        self.policies.all().iter().any(|policy| policy.rollover.iter().any(Option::is_some))
    }

    /// Kept without lots: exact where no grant ends by its unused part and nothing is capped by
    /// action.
    fn summed(&self, choice: &Choice) -> i128 {
        let mut balance = 0i128;
        let mut now = 0;
        for step in self.steps.iter().filter(|step| is_there(step, choice)) {
            self.enter(step.policy, &mut now, choice, &mut balance);
            let policy = &self.policies.all()[now];
            let floor = kept_floor(policy, choice);
            match step.event.what {
                _ if step.face_value.is_some() => {
                    if choice.expiry == Expiry::FaceValue {
                        balance -= step.face_value.unwrap_or_default();
                    }
                }
                What::Mark => {}
                What::Joined => balance += i128::from(opening(policy, choice)),
                What::Grant(row) => {
                    if resets(policy, row.action, choice) || floor == Floor::WriteOff && balance < 0 {
                        balance = 0;
                    }
                    balance += i128::from(row.tokens);
                }
                What::Deduction(row) => balance = taken(balance, i128::from(row.tokens), floor),
                What::Use(stretch) => {
                    let counted = self.counted(stretch, policy, choice);
                    let tokens = counted.counted(true).map_or(0, |used| used.tokens);
                    balance = taken(balance, tokens, floor);
                }
            }
        }
        self.enter(self.last_policy, &mut now, choice, &mut balance);
        balance
    }

    /// A floor that begins to hold lifts what is below it.
    fn enter(&self, policy: usize, now: &mut usize, choice: &Choice, balance: &mut i128) {
        while *now < policy {
            *now += 1;
            if kept_floor(&self.policies.all()[*now], choice) == Floor::Clamp {
                *balance = (*balance).max(0);
            }
        }
    }

    /// What of a stretch of use is taken off. Use that is never taken off is what the sum of the rows
    /// has in it.
    fn counted(&self, stretch: Use, policy: &Policy, choice: &Choice) -> Use {
        let counts_failed = match choice.failed {
            Failed::AsSummed => self.count_failed,
            Failed::Otherwise => !self.count_failed,
            Failed::Configured => policy.count_failed_usage,
        };
        let failed = stretch.failed.filter(|_| counts_failed && !(choice.not_deducted && self.count_failed));
        Use { succeeded: stretch.succeeded.filter(|_| !choice.not_deducted), failed }
    }

    /// Lot by lot.
    fn replayed(&self, choice: &Choice) -> i128 {
        let there = self.steps.iter().filter(|step| step.face_value.is_none() && is_there(step, choice));
        let events = there.map(|step| match step.event.what {
            What::Use(stretch) => {
                let policy = &self.policies.all()[step.policy];
                Event { what: What::Use(self.counted(stretch, policy, choice)), ..step.event }
            }
            _ => step.event,
        });
        let timeline =
            Timeline { holder: self.timeline.holder, events: events.collect(), as_of: self.timeline.as_of };
        let policies = self.policies.with(|policy| {
            policy.opening_tokens = opening(policy, choice);
            // What is not counted has been left out of the events.
            policy.count_failed_usage = true;
            policy.floor = kept_floor(policy, choice);
            for action in 0..policy.resets.len() {
                policy.resets[action] = resets(policy, ActionNo(action as u16), choice);
                if choice.reset != Reset::Configured || policy.resets[action] {
                    policy.rollover[action] = None;
                }
            }
            policy.expires = choice.expiry == Expiry::Configured;
        });
        timeline.replay(&policies).balance
    }
}

fn is_there(step: &Step, choice: &Choice) -> bool {
    (step.needs == 0 || step.needs & choice.findings != 0) && step.gone_with & choice.findings == 0
}

/// When a row of the holder's own comes in, and the bit that it needs.
fn own_row(edit: &Edit, bit: u32) -> Option<(Instant, u32)> {
    match edit.change {
        Change::Insert(at, What::Grant(_) | What::Deduction(_)) => Some((at, bit)),
        _ => None,
    }
}

/// Opening tokens are given at the user's first row: where a row comes in before it, there.
fn join_earlier(steps: &mut Vec<Step>, mut own: Vec<(Instant, u32)>) {
    let is_join = |step: &Step| matches!(step.event.what, What::Joined);
    let Some(joined) = steps.iter().position(is_join) else { return };
    own.retain(|(at, _)| *at < steps[joined].event.at);
    own.sort_unstable();
    let mut bits = 0;
    for (at, needs) in own {
        let event = Event { at, what: What::Joined };
        steps.push(Step { event, needs, gone_with: bits, ..steps[joined] });
        bits |= needs;
    }
    steps[joined].gone_with |= bits;
}

/// The step that takes a grant off whole at its end.
fn face_value(step: &Step, policies: &Policies, as_of: Instant) -> Option<Step> {
    let What::Grant(row) = step.event.what else { return None };
    let end = policies.at(step.event.at).end_of(row.action, step.event.at, row.end)?;
    let event = Event { at: end, what: step.event.what };
    let (face_value, ends_at_once) = (Some(i128::from(row.tokens)), end == step.event.at);
    (end <= as_of).then_some(Step { event, face_value, ends_at_once, ..*step })
}

fn opening(policy: &Policy, choice: &Choice) -> i64 {
    match choice.opening {
        Opening::None => 0,
        Opening::Configured => policy.opening_tokens,
        Opening::Tokens(tokens) => tokens,
    }
}

fn kept_floor(policy: &Policy, choice: &Choice) -> Floor {
    match choice.floor {
        KeptFloor::Debt => Floor::Debt,
        KeptFloor::Configured => policy.floor,
        KeptFloor::Clamp => Floor::Clamp,
    }
}

fn resets(policy: &Policy, action: ActionNo, choice: &Choice) -> bool {
    match choice.reset {
        Reset::None => false,
        Reset::Configured => policy.resets[usize::from(action.0)],
        Reset::By(one) => one == action,
        Reset::ByAll => true,
    }
}

fn taken(balance: i128, tokens: i128, floor: Floor) -> i128 {
    let rest = balance - tokens;
    if floor == Floor::Clamp { rest.max(0) } else { rest }
}
