//! Folds rows of plain usage, of which there are most by far: column by column, in tight loops.

use arrow_array::Array;

use super::columns::IdColumn;
use super::flags::Flag;
use super::folder::{Folder, KeyView};
use super::rules::Meaning;
use crate::domain::{Instant, PopulationClass, Total};
use crate::source::KeyColumns;

/// UTC day since 1970-01-01, label, success.
pub(super) type DayKey = (i32, u32, bool);

/// Sums by day, label and success. Rows come in the order of time more often than not, so most find
/// their sum in a small table by the side of the map.
#[derive(Debug, Default)]
pub(super) struct DaySums {
    recent: Vec<(DayKey, Total)>,
    others: rustc_hash::FxHashMap<DayKey, Total>,
}

/// Sums in the small table.
const RECENT: usize = 1 << 10;

impl DaySums {
    /// Adds a row of so many tokens.
    pub(super) fn add(&mut self, key: DayKey, tokens: i64) {
        if self.recent.is_empty() {
            self.recent = vec![((0, 0, false), Total::default()); RECENT];
        }
        let (day, label, succeeded) = key;
        let place = (day as u32).wrapping_mul(37) ^ (label << 1) ^ u32::from(succeeded);
        let cell = &mut self.recent[place as usize % RECENT];
        if cell.0 != key {
            let (other, sum) = std::mem::replace(cell, (key, Total::default()));
            self.others_mut(other, sum);
        }
        self.recent[place as usize % RECENT].1.add_row(tokens);
    }

    #[cold]
    fn others_mut(&mut self, key: DayKey, sum: Total) {
        if sum.rows > 0 {
            let total = self.others.entry(key).or_default();
            *total = total.plus(sum).expect("token total");
        }
    }

    /// All sums, in no particular order.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (DayKey, Total)> + use<> {
        for (key, sum) in std::mem::take(&mut self.recent) {
            self.others_mut(key, sum);
        }
        std::mem::take(&mut self.others).into_iter()
    }
}

/// The numbers of a chunk, row by row.
struct Numbers<'a> {
    amounts: std::borrow::Cow<'a, [i64]>,
    at: std::borrow::Cow<'a, [i64]>,
    /// Amount and time of a row can be read; `None`: of every row.
    readable: Option<Vec<bool>>,
}

impl<'a> Numbers<'a> {
    fn of(view: &KeyView<'a>, rows: usize) -> Numbers<'a> {
        if let (Some(amounts), Some(at)) = (view.amount.all(), view.created_at.all()) {
            return Numbers { amounts, at, readable: None };
        }
        let (mut amounts, mut at, mut readable) =
            (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        for row in 0..rows {
            let (amount, moment) = (view.amount.get(row).tokens(), view.created_at.get(row).at());
            readable.push(amount.is_some() && moment.is_some());
            amounts.push(amount.unwrap_or(0));
            at.push(moment.map_or(0, |at| at.0));
        }
        Numbers { amounts: amounts.into(), at: at.into(), readable: Some(readable) }
    }
}

impl Folder {
    /// Folds the rows of plain usage; gives back all others, ascending: rows of other labels, rows
    /// that need a closer look, and usage that is to be kept row by row.
    pub(super) fn fold_usage(&mut self, view: &mut KeyView<'_>, keys: &KeyColumns) -> Vec<u32> {
        let labels = self.labels_of(view, keys.rows);
        let (mut usage, mut others) = (Vec::with_capacity(keys.rows), Vec::new());
        let numbers = Numbers::of(view, keys.rows);
        let plain: Vec<bool> = self.meanings.iter().map(|meaning| *meaning == Meaning::Usage).collect();
        let flags = view.success.as_ref().filter(|flags| !flags.is_always_readable());
        let all_have_users = matches!(&view.user, IdColumn::Uuid(ids) if ids.null_count() == 0);
        for row in 0..keys.rows {
            let is_plain = plain[labels[row] as usize]
                && numbers.readable.as_ref().is_none_or(|readable| readable[row])
                && (all_have_users || view.user.has_user(row))
                && flags.is_none_or(|flags| !matches!(flags.get(row), Flag::Unreadable(_)))
                && !keys.id_is_null.as_ref().is_some_and(|nulls| nulls.value(row));
            if is_plain { usage.push(row as u32) } else { others.push(row as u32) }
        }
        let users = self.users_of(view, &usage);
        // Whose usage is kept as rows has it folded there.
        if let Some(kept) = &self.rules.keep_usage_of {
            let is_kept = |user: u32| kept == self.users.get(user);
            let rows = usage.iter().zip(&users);
            others.extend(rows.filter(|(_, user)| is_kept(**user)).map(|(row, _)| *row));
            others.sort_unstable();
        }
        self.add_up(view, &numbers, &labels, &usage, &users);
        others
    }

    /// The number of each row's label.
    fn labels_of(&mut self, view: &KeyView<'_>, rows: usize) -> Vec<u32> {
        match &view.action[..] {
            [only] if only.has_no_null_slot() => {
                only.slot_numbers().iter().map(|&slot| view.action_slots[slot as usize]).collect()
            }
            _ => (0..rows).map(|row| self.label_of(view, row)).collect(),
        }
    }

    /// The number of the user of each of these rows, which all have one. A loop of its own: it waits
    /// for memory and for nothing else.
    fn users_of(&mut self, view: &mut KeyView<'_>, rows: &[u32]) -> Vec<u32> {
        if let IdColumn::Uuid(ids) = &view.user {
            let bytes = ids.value_data().as_chunks::<16>().0;
            let first = ids.offset();
            let ids = rows.iter().map(|&row| bytes[first + row as usize]);
            return self.users.uuids(ids, rows.len());
        }
        let user = |&row: &u32| self.user_of(view, row as usize).expect("plain usage has a user");
        rows.iter().map(user).collect()
    }

    fn add_up(
        &mut self,
        view: &KeyView<'_>,
        numbers: &Numbers<'_>,
        labels: &[u32],
        usage: &[u32],
        users: &[u32],
    ) {
        let rules = self.rules.clone();
        let classes = [PopulationClass::Usage, PopulationClass::Failed, PopulationClass::AfterAsOf];
        let mut raw_total = Total::default();
        let mut totals = [Total::default(); 3];
        for (&row, &user) in usage.iter().zip(users) {
            if rules.keep_usage_of.as_ref().is_some_and(|kept| kept == self.users.get(user)) {
                continue;
            }
            let at_row = row as usize;
            let (raw, at) = (numbers.amounts[at_row], Instant(numbers.at[at_row]));
            let tokens = raw.abs();
            raw_total.add_row(raw);
            if at > rules.as_of {
                totals[2].add_row(tokens);
                continue;
            }
            let failed = view.success.as_ref().is_some_and(|success| success.is_false(at_row));
            totals[usize::from(failed)].add_row(tokens);
            self.usage_by_day.add((at.utc_day(), labels[at_row], !failed), tokens);
            self.log.push(user, at, tokens, failed, &rules.log_bytes);
        }
        self.folded = self.folded.plus(raw_total).expect("token total");
        for (class, total) in classes.into_iter().zip(totals) {
            let sum = self.population.get_mut(class);
            *sum = sum.plus(total).expect("token total");
        }
    }

    /// Takes the usage of a row that is kept as a row too.
    pub(super) fn add_usage(&mut self, user: u32, label: u32, at: Instant, raw: i64, class: PopulationClass) {
        let failed = match class {
            PopulationClass::Usage => false,
            PopulationClass::Failed => true,
            _ => return,
        };
        self.usage_by_day.add((at.utc_day(), label, !failed), raw.abs());
        let rules = self.rules.clone();
        self.log.push(user, at, raw.abs(), failed, &rules.log_bytes);
    }
}
