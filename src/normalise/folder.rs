//! Takes the rows of one worker as they stream by.

use super::columns::{Amount, IdColumn, IntegerColumn, Moment, Text, TimeColumn};
use super::details::DetailView;
use super::flags::{Flag, FlagColumn};
use super::fold::DaySums;
use super::intern::{FETCHED, Ids, Texts};
use super::kept::Kept;
use super::months::Month;
use super::rules::{Meaning, Rules};
use super::usage_log::Writer;
use crate::config::SignPolicy;
use crate::domain::{
    ActionNo, Few, Instant, Kind, Marks, Population, PopulationClass, Rejected, RowId, Side, Total,
    is_nothing,
};
use crate::source::{DetailColumns, KeyColumns, Selection, Sink};
use arrow_array::Array;
use rustc_hash::FxHashMap;

/// What a column of times should hold.
const A_TIME: &str = "a time";
/// What is wrong with an integer that cannot be read.
const TOO_LARGE: &str = "is too large: amounts go up to 9223372036854775807";
/// What to do about seconds or milliseconds since 1970: of which unit they are, nobody knows.
const NO_NUMBERS: &str = " (numbers are not read as times: write RFC 3339, as in 2026-02-10T09:00:00Z)";

fn is_number(text: &str) -> bool {
    let text = text.trim_ascii();
    text.contains(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

/// What one worker has taken. Numbers of users, labels and references are the folder's own.
#[derive(Debug)]
pub struct Folder {
    pub(super) rules: std::sync::Arc<Rules>,
    pub(super) users: Ids,
    pub(super) labels: Texts,
    pub(super) meanings: Vec<Meaning>,
    pub(super) references: Texts,
    pub(super) usage_by_day: DaySums,
    pub(super) log: Writer,
    pub(super) entries: Kept,
    pub(super) bystanders: Vec<RawBystander>,
    pub(super) rejected: Vec<Rejected>,
    pub(super) signs: FxHashMap<(u32, Month), [u64; 3]>,
    pub(super) population: Population,
    pub(super) folded: Total,
    pub(super) unreadable_balances: u64,
    pub(super) unreadable_ends: Vec<RowId>,
    /// What the entries had.
    pub(super) any: Marks,
    /// A row that is no plain usage has a time without a zone of its own.
    pub(super) has_wall_times: bool,
    pub(super) wrong_type: Option<(String, String, &'static str)>,
}

/// A grant or deduction with the folder's own numbers, later with those of the books.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawEntry {
    pub(super) id: RowId,
    pub(super) user: u32,
    pub(super) label: u32,
    pub(super) action: ActionNo,
    pub(super) kind: Kind,
    pub(super) tokens: i64,
    pub(super) negative: bool,
    pub(super) at: Instant,
    pub(super) references: Box<[u32]>,
    pub(super) paid: bool,
    pub(super) payments: Option<Box<Few<u32>>>,
    pub(super) link: Option<Box<RowId>>,
    pub(super) migrated: bool,
    pub(super) expires_at: Option<Instant>,
    pub(super) balance_after: Option<i64>,
    pub(super) succeeded: bool,
    pub(super) class: PopulationClass,
}

impl RawEntry {
    /// Notes what the row has.
    fn show(&self, any: &mut Marks) {
        any.negative += u64::from(self.negative && self.class == PopulationClass::Grants);
        any.link |= self.link.is_some();
        any.migrated |= self.migrated;
        any.reference |= !self.references.is_empty();
        any.payment |= self.paid;
        any.ids.note(&self.id);
        self.link.iter().for_each(|link| any.links.note(link));
    }
}

/// A bystander with the folder's own numbers.
#[derive(Debug)]
pub(super) struct RawBystander {
    pub(super) id: RowId,
    pub(super) user: u32,
    pub(super) label: u32,
    pub(super) raw_tokens: i64,
    pub(super) at: Instant,
    pub(super) class: PopulationClass,
    pub(super) balance_after: Option<i64>,
}

/// Typed views of the key columns of one chunk.
pub(super) struct KeyView<'a> {
    pub(super) user: IdColumn<'a>,
    user_slots: Vec<Option<u32>>,
    pub(super) action: Vec<Text<'a>>,
    pub(super) action_slots: Vec<u32>,
    pub(super) amount: IntegerColumn<'a>,
    pub(super) created_at: TimeColumn<'a>,
    pub(super) success: Option<FlagColumn<'a>>,
}

impl Folder {
    /// An empty folder.
    pub fn new(rules: std::sync::Arc<Rules>) -> Folder {
        Folder {
            rules,
            users: Ids::default(),
            labels: Texts::default(),
            meanings: Vec::new(),
            references: Texts::default(),
            usage_by_day: DaySums::default(),
            log: Writer::default(),
            entries: Kept::default(),
            bystanders: Vec::new(),
            rejected: Vec::new(),
            signs: FxHashMap::default(),
            population: Population::default(),
            folded: Total::default(),
            unreadable_balances: 0,
            unreadable_ends: Vec::new(),
            any: Marks::default(),
            has_wall_times: false,
            wrong_type: None,
        }
    }

    fn view<'a>(&mut self, keys: &'a KeyColumns) -> Option<KeyView<'a>> {
        let names = self.rules.columns.clone();
        let zone = self.rules.zone;
        let user = self.typed(&keys.user, names.user, "an id", IdColumn::of)?;
        let mut action = Vec::new();
        for array in &keys.action {
            action.push(self.typed(array, names.action.clone(), "a label", Text::of)?);
        }
        let amount = self.typed(&keys.amount, names.amount, "a number of tokens", IntegerColumn::of)?;
        let created_at =
            self.typed(&keys.created_at, names.created_at, A_TIME, |array| TimeColumn::of(array, zone))?;
        let success = match &keys.success {
            Some(array) => Some(self.typed(array, names.success, "a flag", FlagColumn::of)?),
            None => None,
        };
        let action_slots = match &action[..] {
            [only] => (0..only.slots().unwrap_or(0))
                .map(|slot| self.label(only.slot_text(slot).unwrap_or_default()))
                .collect(),
            _ => Vec::new(),
        };
        let user_slots = match &user {
            IdColumn::Text(text) => vec![None; text.slots().unwrap_or(0)],
            IdColumn::Uuid(_) | IdColumn::Integer(_) => Vec::new(),
        };
        Some(KeyView { user, user_slots, action, action_slots, amount, created_at, success })
    }

    /// The typed view of an array, or a note of the wrong type.
    pub(super) fn typed<'a, T>(
        &mut self,
        array: &'a dyn Array,
        column: String,
        wanted: &'static str,
        view: impl FnOnce(&'a dyn Array) -> Option<T>,
    ) -> Option<T> {
        let typed = view(array);
        if typed.is_none() && self.wrong_type.is_none() {
            self.wrong_type = Some((column, array.data_type().to_string(), wanted));
        }
        typed
    }

    /// The number of a label; looks up its meaning when it is new.
    fn label(&mut self, text: &str) -> u32 {
        let number = self.labels.number(text);
        if self.labels.len() > self.meanings.len() {
            self.meanings.push(self.rules.meaning(text));
        }
        number
    }

    pub(super) fn label_of(&mut self, view: &KeyView<'_>, row: usize) -> u32 {
        match &view.action[..] {
            [only] => match only.slot(row) {
                Some(slot) => view.action_slots[slot],
                None => self.label(only.get(row).unwrap_or_default()),
            },
            several => {
                let parts: Vec<&str> = several.iter().map(|part| part.get(row).unwrap_or_default()).collect();
                self.label(&parts.join("/"))
            }
        }
    }

    pub(super) fn user_of(&mut self, view: &mut KeyView<'_>, row: usize) -> Option<u32> {
        match &view.user {
            IdColumn::Uuid(array) => {
                array.is_valid(row).then(|| self.users.uuid(array.value(row).try_into().expect("16 bytes")))
            }
            IdColumn::Text(text) => {
                if let Some(slot) = text.slot(row) {
                    if let Some(known) = view.user_slots[slot] {
                        return Some(known);
                    }
                    let user = text
                        .slot_text(slot)
                        .filter(|text| !is_nothing(text))
                        .map(|text| self.users.text(text));
                    view.user_slots[slot] = user;
                    return user;
                }
                text.get(row).filter(|text| !is_nothing(text)).map(|text| self.users.text(text))
            }
            IdColumn::Integer(_) => view.user.get(row).map(|id| self.users.text(&id.to_string())),
        }
    }

    /// When a grant ends. An end that cannot be read is none, and is told.
    fn end(
        &mut self,
        details: &DetailView<'_>,
        at: usize,
        id: &RowId,
        class: PopulationClass,
    ) -> Option<Instant> {
        let (expires_at, is_unreadable) = details.expires_at(at);
        self.any.end |= expires_at.is_some() || is_unreadable;
        if is_unreadable && class == PopulationClass::Grants {
            self.unreadable_ends.push(id.clone());
        }
        expires_at
    }

    /// Takes a row that is not plain usage.
    fn take(&mut self, view: &mut KeyView<'_>, row: usize, details: &DetailView<'_>, at_detail: usize) {
        self.note_widths(view, row);
        details.note_widths(at_detail, &mut self.any.widths);
        let label = self.label_of(view, row);
        let id = details.id.get(at_detail);
        let amount = view.amount.get(row);
        let moment = view.created_at.get(row);
        let user_id = view.user.user(row);
        let meaning = self.meanings[label as usize];
        let success = view.success.as_ref().map_or(Flag::Missing, |success| success.get(row));
        let has_ids = (id.is_some(), user_id.is_some());
        if let Some(reason) = self.reject_reason(has_ids, &amount, &moment, &success, meaning) {
            let tokens = amount.tokens();
            let at = if let Moment::At(at) = moment { Some(at) } else { None };
            let label = Some(self.labels.get(label).into());
            let succeeded = matches!(success, Flag::Yes | Flag::Missing);
            let mut read = Rejected { id, user: user_id, label, tokens, at, reason, ..Rejected::default() };
            read.succeeded = succeeded;
            return self.reject(read, details, at_detail);
        }
        let (Some(id), Amount::Tokens(raw), Moment::At(at)) = (id, amount, moment) else {
            unreachable!("a row without id, amount or time was rejected")
        };
        let user = self.user_of(view, row).expect("a row without user was rejected");
        let succeeded = success != Flag::No;
        let class = self.class(meaning, raw, at, succeeded);
        self.population.get_mut(class).add_row(raw.abs());
        let balance_after = details.balance_after(at_detail, &mut self.unreadable_balances);
        self.any.balance |= balance_after.is_some();
        self.has_wall_times = self.has_wall_times || view.created_at.is_wall_time(row);
        match meaning {
            Meaning::Action(action, kind) => {
                if self.rules.side == Side::Legacy {
                    let sign = if raw == 0 { 2 } else { usize::from(raw < 0) };
                    self.signs.entry((label, Month::of(at))).or_default()[sign] += 1;
                }
                let expires_at = self.end(details, at_detail, &id, class);
                let references = details.references(at_detail, &mut self.references);
                let payments = details.payments(at_detail, &references, &mut self.references);
                let entry = RawEntry {
                    id,
                    user,
                    label,
                    action,
                    kind,
                    tokens: raw.abs(),
                    negative: raw < 0,
                    at,
                    references,
                    paid: details.paid(at_detail),
                    payments,
                    link: details.link(at_detail),
                    migrated: details.migrated.as_ref().is_some_and(|mark| mark.is_set(at_detail)),
                    expires_at,
                    balance_after,
                    succeeded,
                    class,
                };
                entry.show(&mut self.any);
                self.entries.push(entry, &self.rules.room);
            }
            Meaning::Usage | Meaning::Ignored | Meaning::Unmapped => {
                // Legacy usage is not what a balance is made of.
                if meaning == Meaning::Usage && self.rules.side == Side::Unified {
                    self.add_usage(user, label, at, raw, class);
                }
                let row = RawBystander { id, user, label, raw_tokens: raw, at, class, balance_after };
                self.bystanders.push(row);
            }
        }
    }

    /// Keeps a row that cannot be read: what it says of the grant that it may be is read beside what was.
    fn reject(&mut self, read: Rejected, details: &DetailView<'_>, at_detail: usize) {
        let rejected = self.population.get_mut(PopulationClass::Rejected);
        match read.tokens {
            Some(tokens) => rejected.add_row(tokens.abs()),
            None => rejected.add_unreadable_row(),
        }
        self.rejected.push(Rejected {
            references: details.references(at_detail, &mut self.references),
            paid: details.paid(at_detail),
            link: details.link(at_detail),
            place: details.raw.place.of(at_detail),
            ..read
        });
    }

    fn note_widths(&mut self, view: &KeyView<'_>, row: usize) {
        let widths = &mut self.any.widths;
        let label = match &view.action[..] {
            [only] => only.get(row),
            _ => None,
        };
        for (text, width) in [(view.user.text(row), &mut widths.user), (label, &mut widths.label)] {
            text.into_iter().for_each(|text| width.note(text));
        }
    }

    /// Why a row cannot be read, if so. `has_ids`: has an id, has a user.
    fn reject_reason(
        &self,
        has_ids: (bool, bool),
        amount: &Amount,
        moment: &Moment,
        success: &Flag,
        meaning: Meaning,
    ) -> Option<String> {
        let names = &self.rules.columns;
        let mut reasons = Vec::new();
        if !has_ids.0 {
            reasons.push("no id".to_owned());
        }
        if !has_ids.1 {
            reasons.push(format!("no {}", names.user));
        }
        match amount {
            Amount::Missing => reasons.push(format!("no {}", names.amount)),
            Amount::Unreadable(text) => {
                let digits = text.trim_ascii().trim_start_matches(['+', '-']);
                let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let what = if is_number { TOO_LARGE } else { "is not an integer" };
                reasons.push(format!("{} {text:?} {what}", names.amount));
            }
            Amount::Tokens(raw) => {
                let is_action = matches!(meaning, Meaning::Action(..));
                match self.rules.sign {
                    SignPolicy::Positive if is_action && *raw < 0 => {
                        reasons.push(format!("{} is below zero under sign = positive: {raw}", names.amount));
                    }
                    SignPolicy::Negative if is_action && *raw > 0 => {
                        reasons.push(format!("{} is above zero under sign = negative: {raw}", names.amount));
                    }
                    SignPolicy::ByAction | SignPolicy::Positive | SignPolicy::Negative => {}
                }
            }
        }
        match moment {
            Moment::Missing => reasons.push(format!("no {}", names.created_at)),
            Moment::Unreadable(text) => {
                let way_out = if is_number(text) { NO_NUMBERS } else { "" };
                reasons.push(format!("{} {text:?} is not a time{way_out}", names.created_at));
            }
            Moment::At(_) => {}
        }
        if let Flag::Unreadable(text) = success {
            reasons.push(format!("{} {text:?} is neither true nor false", names.success));
        }
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }

    /// The population class of a readable row.
    fn class(&self, meaning: Meaning, raw: i64, at: Instant, succeeded: bool) -> PopulationClass {
        if at > self.rules.as_of {
            return PopulationClass::AfterAsOf;
        }
        match meaning {
            Meaning::Ignored => PopulationClass::Ignored,
            Meaning::Unmapped => PopulationClass::Unmapped,
            _ if !succeeded => PopulationClass::Failed,
            Meaning::Usage => PopulationClass::Usage,
            Meaning::Action(..) if raw == 0 => PopulationClass::Zero,
            Meaning::Action(_, Kind::Grant) => PopulationClass::Grants,
            Meaning::Action(_, Kind::Deduction) => PopulationClass::Deductions,
        }
    }
}

impl Sink for Folder {
    fn keys(&mut self, keys: &KeyColumns) -> Selection {
        let Some(mut view) = self.view(keys) else { return Selection::Rows(Vec::new()) };
        if let Some(success) = &keys.success {
            self.any.success = self.any.success || success.logical_null_count() < success.len();
        }
        self.note_points(&view.amount, keys.rows);
        if self.rules.side == Side::Legacy {
            return Selection::All;
        }
        Selection::Rows(self.fold_usage(&mut view, keys))
    }

    fn details(&mut self, keys: &KeyColumns, selection: &Selection, details: &DetailColumns) {
        let Some(mut view) = self.view(keys) else { return };
        let Some(detail_view) = self.detail_view(details) else { return };
        let all: Vec<u32>;
        let rows = match selection {
            Selection::All => {
                all = (0..keys.rows as u32).collect();
                &all
            }
            Selection::Rows(rows) => rows,
        };
        for (begin, some) in (0..).step_by(FETCHED).zip(rows.chunks(FETCHED)) {
            if let IdColumn::Uuid(ids) = &view.user {
                let of_valid = some.iter().map(|&row| row as usize).filter(|&row| ids.is_valid(row));
                self.users.fetch(of_valid.map(|row| ids.value(row).try_into().expect("16 bytes")));
            }
            for (at_detail, &row) in (begin..).zip(some) {
                self.take(&mut view, row as usize, &detail_view, at_detail);
            }
        }
    }
}
