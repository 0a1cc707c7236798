//! Balances event by event: what the configured policies make of the unified rows.
//!
//! A holder (a user, or the owner of a pool) has a [`Timeline`]: grants and deductions in order of
//! time, with the use between two of them summed, since between them only use occurs. A timeline is
//! replayed under [`Policies`], the configured ones or hypothetical ones, in as many steps as the
//! holder has grants, however much it used. Lots are kept in [`lots`](Lot) so that none is ever used
//! before it was given, after it ended, or beyond what was granted.
//!
//! [`Replay::visit`] shows all timelines, a range of holders at a time, so that memory stays bounded
//! by users and grants; [`Replay::timeline_of`] gives one with every use an event of its own.

mod below_zero;
mod effects;
mod ends;
mod engine;
mod holding;
mod lots;
mod movement;
mod policy;
mod stretches;
#[cfg(test)]
mod tests;
mod timeline;

use std::ops::Range;

pub use below_zero::{BelowZero, below_zero};
pub use effects::{PolicyEffects, Replayed, ReplayedBefore};
pub use ends::Ends;
pub use engine::{Dip, FirstBelow};
pub use holding::{Holding, HoldingError, Membership};
pub use movement::{HolderReplay, KINDS, Lot, Movement, MovementKind};
pub use policy::{End, Policies, Policy};
pub use timeline::{Event, Place, RowEvent, Stretch, Timeline, Use, What};

use stretches::Stretches;

use crate::cores;
use crate::domain::{Books, Entry, Instant, Kind, PopulationClass, Span, UserNo};
use crate::normalise::{UsageEvent, UsageLog};

/// The action of what is paid for, with or without payment evidence on the row.
const PURCHASE: &str = "token_pack_purchase";

/// More threads than this read the log oftener than they save.
const MOST_THREADS: usize = 8;

/// Fewest stretches that are summed at a time; there are as many as grants, at least.
const FEWEST_STRETCHES: usize = 1 << 22;

/// Why balances could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The temporary file of usage rows could not be read back.
    #[error("the temporary file of usage rows could not be read back: {0}; run again")]
    Log(#[from] std::io::Error),
}

/// What is configured, ready to be applied to the books.
#[derive(Debug, Clone)]
pub struct Setting {
    /// What the rows say of the ends of grants.
    pub ends: Ends,
    /// Who holds whose tokens.
    pub holding: Holding,
    /// The policies.
    pub policies: Policies,
}

/// Everything that a replay reads.
#[derive(Debug)]
pub struct Replay<'a> {
    books: &'a Books,
    log: &'a UsageLog,
    setting: &'a Setting,
    /// Each user's first row.
    joined: Vec<Instant>,
    /// Entries that move a balance or [empty](empties) it, by holder.
    rows: Groups,
    /// Further instants at which use is cut, ascending.
    cuts: Vec<(UserNo, Instant)>,
}

/// Numbers grouped by holder.
#[derive(Debug)]
struct Groups {
    begins: Vec<u32>,
    members: Vec<u32>,
}

impl Groups {
    /// `pairs` must give the same each time it is called.
    fn of<I: Iterator<Item = (UserNo, u32)>>(holders: usize, pairs: impl Fn() -> I) -> Groups {
        let mut begins = vec![0u32; holders + 1];
        pairs().for_each(|(holder, _)| begins[holder.0 as usize + 1] += 1);
        (0..holders).for_each(|at| begins[at + 1] += begins[at]);
        let mut next = begins.clone();
        let mut members = vec![0; begins[holders] as usize];
        pairs().for_each(|(holder, member)| {
            let at = &mut next[holder.0 as usize];
            members[*at as usize] = member;
            *at += 1;
        });
        Groups { begins, members }
    }

    fn of_holder(&self, holder: UserNo) -> &[u32] {
        let at = holder.0 as usize;
        &self.members[self.begins[at] as usize..self.begins[at + 1] as usize]
    }
}

impl<'a> Replay<'a> {
    /// Prepares a replay. The setting's policies say where use has to be cut: each hypothetical
    /// policy that a timeline is replayed under must change at no other instant, and end grants at
    /// no other, than one of these (or not at all).
    pub fn new(books: &'a Books, log: &'a UsageLog, setting: &'a Setting) -> Replay<'a> {
        let mut replay = Replay::of_users_with_rows(books, log, setting);
        replay.joined.iter_mut().for_each(|first| *first = (*first).min(books.as_of));
        replay
    }

    /// The same, but a user without a row up to as-of has not joined yet: the balance at an as-of is
    /// then the balance before the next instant at any later one.
    pub fn of_users_with_rows(books: &'a Books, log: &'a UsageLog, setting: &'a Setting) -> Replay<'a> {
        let holding = &setting.holding;
        let users = books.roster.len();
        let mut joined: Vec<Instant> =
            books.usage.iter().map(|usage| usage.first_at.unwrap_or(Instant(i64::MAX))).collect();
        joined.resize(users, Instant(i64::MAX));
        for entry in books.unified.entries.iter().filter(|entry| entry.at <= books.as_of) {
            let first = &mut joined[entry.user.0 as usize];
            *first = (*first).min(entry.at);
        }
        let moving = || {
            let entries = books.unified.entries.iter().enumerate();
            let moving =
                entries.filter(|(_, entry)| entry.moves_a_balance() || empties(&setting.policies, entry));
            moving.map(|(row, entry)| (holding.holder(entry.user, entry.at), row as u32))
        };
        let rows = Groups::of(users, moving);
        Replay { books, log, setting, joined, rows, cuts: Vec::new() }
    }

    /// Cuts the use of these holders at these instants too, so that hypothetical rows can be put in
    /// there.
    pub fn cut_at(mut self, mut cuts: Vec<(UserNo, Instant)>) -> Replay<'a> {
        cuts.sort_unstable();
        self.cuts = cuts;
        self
    }

    /// Shows the timeline of every user of the roster, ascending. A user whose tokens all stand in a
    /// pool has an empty one. `marks` are instants, ascending, at which the balance is asked for, in
    /// every timeline; use is cut there too, so that movements of use lie between two marks.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn visit(&self, marks: &[Instant], mut see: impl FnMut(&Timeline)) -> Result<(), ReplayError> {
        self.visit_some(0..self.users(), marks, self.most_stretches(), &mut see)
    }

    /// As [`Replay::visit`] for the holders of a range, without marks.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn visit_range(
        &self,
        holders: Range<u32>,
        mut see: impl FnMut(&Timeline),
    ) -> Result<(), ReplayError> {
        self.visit_some(holders, &[], self.most_stretches(), &mut see)
    }

    fn users(&self) -> u32 {
        self.books.roster.len() as u32
    }

    /// As many as there are grants, several times over; more only at many marks.
    fn most_stretches(&self) -> usize {
        FEWEST_STRETCHES.max(3 * (self.books.unified.entries.len() + self.books.roster.len()))
    }

    /// As [`Replay::visit`] for a range of holders, without marks and on all cores: `new` makes the state
    /// of one thread, and the states come back in the order of the holders that they saw.
    fn visit_on_all_cores<T: Send>(
        &self,
        holders: Range<u32>,
        new: impl Fn() -> T + Sync,
        see: impl Fn(&mut T, &Timeline) + Sync,
    ) -> Result<Vec<T>, ReplayError> {
        let threads = cores::count().min(MOST_THREADS);
        let share = (holders.len() as u32).div_ceil(threads as u32).max(1);
        let most = self.most_stretches() / threads;
        let of_share = |begin: u32| -> Result<T, ReplayError> {
            let mut state = new();
            let holders = begin..holders.end.min(begin + share);
            self.visit_some(holders, &[], most, &mut |timeline| see(&mut state, timeline))?;
            Ok(state)
        };
        cores::each(holders.clone().step_by(share as usize), of_share).into_iter().collect()
    }

    fn visit_some(
        &self,
        holders: Range<u32>,
        marks: &[Instant],
        most: usize,
        see: &mut impl FnMut(&Timeline),
    ) -> Result<(), ReplayError> {
        let mut begin = holders.start;
        let mut own = OwnEvents::default();
        let mut bounds = Vec::new();
        let mut timeline = Timeline { holder: UserNo(0), events: Vec::new(), as_of: self.books.as_of };
        while begin < holders.end {
            let mut stretches = Stretches::new(UserNo(begin));
            own.clear();
            let mut end = begin;
            let last = holders.end.min(self.batch_end(begin));
            while end < last && stretches.len() < most {
                let events = own.add(|events| self.events(UserNo(end), marks, events));
                self.bounds(UserNo(end), events, marks, &mut bounds);
                stretches.add_holder(&bounds);
                end += 1;
            }
            self.sum(&mut stretches, begin..end)?;
            for holder in begin..end {
                timeline.holder = UserNo(holder);
                in_order(own.of((holder - begin) as usize), &stretches, &mut timeline);
                see(&timeline);
            }
            begin = end;
        }
        Ok(())
    }

    /// Use of the holders of a part stands in that part alone, unless there are pools.
    fn batch_end(&self, begin: u32) -> u32 {
        if self.setting.holding.has_pools() { u32::MAX } else { self.log.part_end(UserNo(begin)).0 }
    }

    fn sum(&self, stretches: &mut Stretches, holders: Range<u32>) -> Result<(), ReplayError> {
        match self.setting.holding.has_pools() {
            true => {
                let all = |see: &mut dyn FnMut(&[UsageEvent])| self.log.for_each_chunk(see);
                stretches.fill(all, |user, at| self.setting.holding.holder(user, at))?;
            }
            false => {
                let own = |see: &mut dyn FnMut(&[UsageEvent])| self.log.for_each_chunk_of(holders, see);
                stretches.fill(own, |user, _| user)?;
            }
        }
        Ok(())
    }

    fn timeline(&self, holder: UserNo, mut events: Vec<Event>, used: Vec<Use>) -> Timeline {
        events.extend(used.into_iter().map(use_event));
        // Stable: use stays behind what happened at the same instant.
        events.sort_by_key(|event| event.at);
        Timeline { holder, events, as_of: self.books.as_of }
    }

    /// The timeline of one holder with every use an event of its own, in as much memory as the
    /// holder has rows.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn timeline_of(&self, holder: UserNo, marks: &[Instant]) -> Result<Timeline, ReplayError> {
        let mut own: Vec<UsageEvent> = Vec::new();
        self.log.for_each_chunk(&mut |events| {
            let of_holder = |event: &&UsageEvent| {
                event.tokens != 0 && self.setting.holding.holder(event.user, event.at) == holder
            };
            own.extend(events.iter().filter(of_holder));
        })?;
        own.sort_unstable_by_key(|event| (event.at, event.failed, event.user, event.tokens));
        let each = own.into_iter().map(|event| {
            let one = Stretch { first: event.at, last: event.at, rows: 1, tokens: i128::from(event.tokens) };
            match event.failed {
                false => Use { succeeded: Some(one), failed: None },
                true => Use { succeeded: None, failed: Some(one) },
            }
        });
        let mut events = Vec::new();
        self.events(holder, marks, &mut events);
        Ok(self.timeline(holder, events, each.collect()))
    }

    /// Adds the holder's events but use, in order.
    fn events(&self, holder: UserNo, marks: &[Instant], events: &mut Vec<Event>) {
        let before = events.len();
        // Opening tokens are the user's own, whatever pool the user is in.
        let joined = Event { at: self.joined[holder.0 as usize], what: What::Joined };
        // A mark beyond as-of asks for the balance at as-of.
        let last = self.books.as_of.plus(Span(1));
        events.extend(marks.iter().map(|&at| Event { at: at.min(last), what: What::Mark }));
        events.extend((joined.at <= self.books.as_of).then_some(joined));
        events.extend(self.rows.of_holder(holder).iter().map(|&row| self.row(row)));
        events[before..].sort_unstable_by_key(|event| event.place(&self.setting.policies));
    }

    fn row(&self, row: u32) -> Event {
        let entry = &self.books.unified.entries[row as usize];
        let event = RowEvent {
            row,
            user: entry.user,
            action: entry.action,
            tokens: entry.tokens,
            paid: entry.paid || self.books.action(entry.action) == PURCHASE,
            end: self.setting.ends.get(row),
        };
        let what = match entry.kind {
            Kind::Grant => What::Grant(event),
            Kind::Deduction => What::Deduction(event),
        };
        Event { at: entry.at, what }
    }

    /// Where use has to be cut: at every event, at every end of a grant, at every change of policy.
    fn bounds(&self, holder: UserNo, events: &[Event], marks: &[Instant], bounds: &mut Vec<Instant>) {
        bounds.clear();
        bounds.extend_from_slice(marks);
        if !self.cuts.is_empty() {
            let from = self.cuts.partition_point(|(other, _)| *other < holder);
            let own = self.cuts[from..].iter().take_while(|(other, _)| *other == holder);
            bounds.extend(own.map(|(_, at)| *at));
        }
        for event in events {
            bounds.push(event.at);
            if let What::Grant(row) = event.what {
                bounds.extend(self.setting.policies.at(event.at).end_of(row.action, event.at, row.end));
            }
        }
        bounds.extend(self.setting.policies.all()[1..].iter().map(|policy| policy.from));
        bounds.retain(|bound| *bound <= self.books.as_of);
        bounds.sort_unstable();
        bounds.dedup();
    }
}

/// A grant of no tokens adds nothing; where grants of its action replace what was there, nothing is left.
fn empties(policies: &Policies, entry: &Entry) -> bool {
    entry.class == PopulationClass::Zero
        && entry.kind == Kind::Grant
        && policies.at(entry.at).resets[usize::from(entry.action.0)]
}

/// Events of the holders of a batch, one after the other.
#[derive(Debug, Default)]
struct OwnEvents {
    all: Vec<Event>,
    ends: Vec<usize>,
}

impl OwnEvents {
    fn clear(&mut self) {
        self.all.clear();
        self.ends.clear();
    }

    /// Adds the events of the next holder; gives them back.
    fn add(&mut self, add: impl FnOnce(&mut Vec<Event>)) -> &[Event] {
        let begin = self.all.len();
        add(&mut self.all);
        self.ends.push(self.all.len());
        &self.all[begin..]
    }

    fn of(&self, at: usize) -> &[Event] {
        let begin = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.all[begin..self.ends[at]]
    }
}

fn use_event(used: Use) -> Event {
    let whole = used.counted(true).expect("a stretch has rows");
    Event { at: whole.first, what: What::Use(used) }
}

/// Puts the holder's own events and its use in order of time, use behind what happened at the same
/// instant.
fn in_order(own: &[Event], stretches: &Stretches, timeline: &mut Timeline) {
    timeline.events.clear();
    let mut own = own.iter().copied().peekable();
    for used in stretches.of(timeline.holder).map(use_event) {
        while let Some(event) = own.next_if(|event| event.at <= used.at) {
            timeline.events.push(event);
        }
        timeline.events.push(used);
    }
    timeline.events.extend(own);
}
