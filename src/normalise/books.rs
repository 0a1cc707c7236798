//! Merges the folders of both sides into books that do not depend on the order of rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::dealt::{self, Dealt};
use super::folder::{Folder, RawEntry};
use super::kept::Kept;
use super::months::Month;
use super::order::{number_ids, number_texts};
use super::parts::{Dealing, Parts, Shares, Signs};
use super::redact::Redaction;
use super::rules::actions;
use super::usage_log::{self, UsageLog, Writer};
use super::{NormaliseError, repeated_id, spill_error};
use crate::config::{Config, SignPolicy};
use crate::cores::at_once;
use crate::domain::{
    Books, Bystander, DayUsage, Entry, Instant, Ledger, Marks, Population, Rejected, Roster, RowId, Settled,
    Side, SignCell, Total, UserNo,
};

/// The folders of both sides with their control totals.
#[derive(Debug)]
pub struct Sides {
    /// Folders of the legacy side.
    pub legacy: Vec<Folder>,
    /// Control totals of the legacy side.
    pub legacy_control: Total,
    /// Folders of the unified side.
    pub unified: Vec<Folder>,
    /// Control totals of the unified side.
    pub unified_control: Total,
}

/// Both sides, brought into the books.
#[derive(Debug)]
pub struct Brought {
    /// The books.
    pub books: Books,
    /// Every row of usage.
    pub log: UsageLog,
    /// The entries, where they do not fit the memory: the books then have none.
    pub parts: Option<Parts>,
}

/// Brings both sides into the books. `more_users` are users of the stored balances, by the
/// names that `redaction` gives them where there is one; it renames all others.
///
/// # Errors
/// [`NormaliseError`] when a column has a type that does not fit or an id stands on two rows.
pub fn books(
    config: &Config,
    sides: Sides,
    more_users: &[RowId],
    as_of: Instant,
    redaction: Option<&Redaction>,
) -> Result<Brought, NormaliseError> {
    let origins = [&config.legacy.columns.origin, &config.unified.columns.origin];
    for (origin, folders) in origins.into_iter().zip([&sides.legacy, &sides.unified]) {
        if let Some((column, found, wanted)) = folders.iter().find_map(|folder| folder.wrong_type.clone()) {
            return Err(NormaliseError::ColumnType { name: origin.name(), column, found, wanted });
        }
    }
    let mut sides = sides;
    let parts_of = PartsAsked::of(&mut sides)?;
    let log_bytes = sides.unified.first().map(|folder| folder.rules.log_bytes.clone()).unwrap_or_default();
    let mut legacy = Merged::new(Side::Legacy, sides.legacy)?;
    let mut unified = Merged::new(Side::Unified, sides.unified)?;
    if let Some(redaction) = redaction {
        legacy.rename_users(redaction);
        unified.rename_users(redaction);
    }
    let mut users = vec![more_users.to_vec()];
    users.append(&mut legacy.users);
    users.append(&mut unified.users);
    let (ids, mut users) = number_ids(users);
    let roster = Roster::new(ids);
    let shares = parts_of.map(|asked| asked.shares(roster.len()));
    let mut references = std::mem::take(&mut legacy.references);
    references.append(&mut unified.references);
    let (references, mut reference_maps) = number_texts(references);
    let folders = legacy.folders.len();
    let unified_maps =
        Maps { users: users.split_off(1 + folders), references: reference_maps.split_off(folders) };
    let legacy_maps = Maps { users: users.split_off(1), references: reference_maps };
    let deal = |by_action| Deal { shares, references: references.len(), by_action };

    let by_action = config.legacy.sign == SignPolicy::ByAction;
    let (legacy, unified) = at_once(
        || legacy.ledger(&legacy_maps, sides.legacy_control, &deal(by_action)),
        || unified.ledger(&unified_maps, sides.unified_control, &deal(false)),
    );
    let (legacy_ledger, _, legacy_dealt) = legacy?;
    let (unified_ledger, usage, unified_dealt) = unified?;
    let (log, usage_by_user) = UsageLog::of(usage.writers, roster.len(), &log_bytes)
        .map_err(|error| spill_error(Side::Unified, error))?;
    let books = Books {
        roster,
        actions: actions(config),
        references,
        legacy: legacy_ledger,
        unified: unified_ledger,
        usage: usage_by_user,
        usage_by_day: usage.by_day.into_iter().map(day_usage).collect(),
        as_of,
        settled: Settled::default(),
    };
    let parts = legacy_dealt.zip(unified_dealt).map(|(legacy, unified)| Parts::of(legacy, unified));
    Ok(Brought { books, log, parts })
}

/// Entries that did not fit the memory.
#[derive(Debug, Clone, Copy)]
struct PartsAsked {
    entries: usize,
    part: usize,
}

impl PartsAsked {
    /// `None`: all entries are in memory.
    fn of(sides: &mut Sides) -> Result<Option<PartsAsked>, NormaliseError> {
        let (mut entries, mut part) = (0, None);
        let legacy = sides.legacy.iter_mut().map(|folder| (Side::Legacy, folder));
        let unified = sides.unified.iter_mut().map(|folder| (Side::Unified, folder));
        for (side, folder) in legacy.chain(unified) {
            if let Some(source) = folder.log.error.take().or_else(|| folder.entries.error.take()) {
                return Err(spill_error(side, source));
            }
            entries += folder.entries.len();
            if folder.entries.is_spilled() {
                part = Some(folder.rules.room.part());
            }
        }
        Ok(part.map(|part| PartsAsked { entries, part }))
    }

    fn shares(self, users: usize) -> Shares {
        Shares::of(self.entries, users, self.part, usage_log::users_of_part(users))
    }
}

/// What is to be done with the entries of a side.
struct Deal {
    /// How they are dealt out to files, where they do not fit the memory.
    shares: Option<Shares>,
    references: usize,
    /// The rarer sign of a label and month is to be marked.
    by_action: bool,
}

/// Usage of all folders of a side.
#[derive(Default)]
struct Usage {
    by_day: BTreeMap<(i32, u16, bool), Total>,
    writers: Vec<(Writer, Vec<u32>)>,
}

impl Usage {
    /// Takes what a folder has kept, with the numbers of the books.
    fn take(&mut self, folder: &mut Folder, users: &[u32], labels: &[u16]) {
        for ((day, label, succeeded), sum) in folder.usage_by_day.take() {
            let total = self.by_day.entry((day, labels[label as usize], succeeded)).or_default();
            *total = total.plus(sum).expect("token total");
        }
        self.writers.push((std::mem::take(&mut folder.log), users.to_vec()));
    }
}

fn day_usage(((day, label, succeeded), total): ((i32, u16, bool), Total)) -> DayUsage {
    DayUsage { day, label, succeeded, rows: total.rows, tokens: total.tokens }
}

/// The numbers in the books of each folder's users and references.
struct Maps {
    users: Vec<Vec<u32>>,
    references: Vec<Vec<u32>>,
}

/// The folders of one side, with what has to be renumbered taken out.
struct Merged {
    side: Side,
    folders: Vec<Folder>,
    users: Vec<Vec<RowId>>,
    references: Vec<Vec<Box<str>>>,
    labels: Vec<Box<str>>,
    label_maps: Vec<Vec<u16>>,
}

impl Merged {
    fn new(side: Side, mut folders: Vec<Folder>) -> Result<Merged, NormaliseError> {
        let users: Vec<Vec<RowId>> =
            folders.iter_mut().map(|folder| std::mem::take(&mut folder.users).into_all()).collect();
        for (folder, users) in folders.iter_mut().zip(&users) {
            users.iter().for_each(|user| folder.any.users.note(user));
        }
        let references =
            folders.iter_mut().map(|folder| std::mem::take(&mut folder.references).into_all()).collect();
        let folder_labels: Vec<Vec<Box<str>>> =
            folders.iter_mut().map(|folder| std::mem::take(&mut folder.labels).into_all()).collect();
        let labels: BTreeSet<Box<str>> = folder_labels.iter().flatten().cloned().collect();
        let labels: Vec<Box<str>> = labels.into_iter().collect();
        if labels.len() > usize::from(u16::MAX) {
            let (what, limit) = ("labels", u64::from(u16::MAX));
            return Err(NormaliseError::TooMany { side: side.name(), what, limit });
        }
        let label_maps = folder_labels
            .iter()
            .map(|folder| folder.iter().map(|label| position(&labels, label) as u16).collect())
            .collect();
        Ok(Merged { side, folders, users, references, labels, label_maps })
    }

    /// Puts other names in the place of user ids, wherever they stand.
    fn rename_users(&mut self, redaction: &Redaction) {
        let known = self.users.iter_mut().flatten();
        let rejected = self.folders.iter_mut().flat_map(|folder| &mut folder.rejected);
        let rejected = rejected.filter_map(|row| row.user.as_mut());
        known.chain(rejected).for_each(|user| *user = redaction.name(user));
    }

    fn ledger(
        &mut self,
        maps: &Maps,
        control: Total,
        deal: &Deal,
    ) -> Result<(Ledger, Usage, Option<Dealing>), NormaliseError> {
        let mut usage = Usage::default();
        let mut raw_entries: Vec<Kept> = Vec::with_capacity(self.folders.len());
        let mut bystanders =
            Vec::with_capacity(self.folders.iter().map(|folder| folder.bystanders.len()).sum());
        let mut rejected: Vec<Rejected> = Vec::new();
        let mut population = Population::default();
        let mut folded = Total::default();
        let mut unreadable_balances = 0;
        let mut unreadable_ends = Vec::new();
        let mut any = Marks::default();
        let mut has_wall_times = false;
        let mut signs = Signs::new();
        for (at, mut folder) in std::mem::take(&mut self.folders).into_iter().enumerate() {
            let (users, labels) = (&maps.users[at], &self.label_maps[at]);
            usage.take(&mut folder, users, labels);
            for ((label, month), counts) in &folder.signs {
                let cell = signs.entry((labels[*label as usize], *month)).or_default();
                cell.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
            raw_entries.push(folder.entries);
            bystanders.extend(folder.bystanders.into_iter().map(|raw| Bystander {
                id: raw.id,
                user: UserNo(users[raw.user as usize]),
                label: labels[raw.label as usize],
                raw_tokens: raw.raw_tokens,
                at: raw.at,
                class: raw.class,
                balance_after: raw.balance_after,
            }));
            rejected.extend(folder.rejected.into_iter().map(|mut row| {
                renumber(&mut row.references, &maps.references[at]);
                row
            }));
            unreadable_balances += folder.unreadable_balances;
            unreadable_ends.extend(folder.unreadable_ends);
            any.merge(folder.any);
            population.merge(&folder.population);
            has_wall_times |= folder.has_wall_times;
            folded = folded.plus(folder.folded).expect("token total");
        }
        let marked = deal.by_action.then_some(&signs);
        let (entries, dealt) = match deal.shares {
            None => (self.in_memory(raw_entries, maps, marked), None),
            Some(shares) => {
                let dealt = self.dealt(raw_entries, maps, marked, Dealing::new(shares, deal.references));
                (Vec::new(), Some(dealt.map_err(|error| spill_error(self.side, error))?))
            }
        };
        bystanders.sort_unstable_by(|a: &Bystander, b| a.id.cmp(&b.id));
        rejected.sort_unstable_by(|a, b| rejected_key(a).cmp(&rejected_key(b)));
        unreadable_ends.sort_unstable();
        let labels = std::mem::take(&mut self.labels);
        let signs = sign_matrix(signs, &labels);
        let ledger = Ledger {
            side: self.side,
            entries,
            bystanders,
            rejected,
            labels,
            folded,
            control,
            population,
            has_wall_times,
            signs,
            unreadable_balances,
            unreadable_ends,
            any,
        };
        refuse_repeated_ids(&ledger)?;
        Ok((ledger, usage, dealt))
    }

    /// The entries, ascending by id.
    fn in_memory(&self, kept: Vec<Kept>, maps: &Maps, signs: Option<&Signs>) -> Vec<Entry> {
        let kept: Vec<Dealt<RawEntry>> = kept.into_iter().map(Kept::into_held).collect();
        let finish = |folder: usize, raw: RawEntry| entry(self.numbered(folder, raw, maps));
        let mut entries = dealt::by_id(kept, finish, |entry| &entry.id);
        if let Some(signs) = signs {
            mark_minority_signs(&mut entries, signs);
        }
        entries
    }

    /// The entries in files.
    fn dealt(
        &self,
        kept: Vec<Kept>,
        maps: &Maps,
        signs: Option<&Signs>,
        dealing: std::io::Result<Dealing>,
    ) -> std::io::Result<Dealing> {
        let mut dealing = dealing?;
        for (folder, kept) in kept.into_iter().enumerate() {
            kept.each(|raw| dealing.push(&self.numbered(folder, raw, maps)))?;
        }
        dealing.end(signs.cloned())
    }

    /// A row with the numbers of the books in place of those of its folder.
    fn numbered(&self, folder: usize, mut raw: RawEntry, maps: &Maps) -> RawEntry {
        let (users, labels) = (&maps.users[folder], &self.label_maps[folder]);
        raw.user = users[raw.user as usize];
        raw.label = u32::from(labels[raw.label as usize]);
        renumber(&mut raw.references, &maps.references[folder]);
        raw.payments.iter_mut().for_each(|payments| renumber(payments, &maps.references[folder]));
        raw
    }
}

/// Gives references the numbers of the books in place of those of their folder.
fn renumber(references: &mut [u32], numbers: &[u32]) {
    references.iter_mut().for_each(|number| *number = numbers[*number as usize]);
    references.sort_unstable();
}

/// A row of the books, of one that has their numbers.
pub(super) fn entry(raw: RawEntry) -> Entry {
    Entry {
        id: raw.id,
        user: UserNo(raw.user),
        label: raw.label as u16,
        action: raw.action,
        kind: raw.kind,
        tokens: raw.tokens,
        negative: raw.negative,
        minority_sign: false,
        at: raw.at,
        references: raw.references,
        paid: raw.paid,
        payments: raw.payments,
        link: raw.link,
        migrated: raw.migrated,
        expires_at: raw.expires_at,
        balance_after: raw.balance_after,
        succeeded: raw.succeeded,
        class: raw.class,
    }
}

fn sign_matrix(signs: Signs, labels: &[Box<str>]) -> Vec<SignCell> {
    let cell = |((label, month), [positive, negative, zero]): ((u16, Month), [u64; 3])| SignCell {
        label: labels[usize::from(label)].clone(),
        month: month.name(),
        positive,
        negative,
        zero,
    };
    signs.into_iter().map(cell).collect()
}

/// Position of a text that is known to be there.
fn position(sorted: &[Box<str>], text: &str) -> usize {
    sorted.binary_search_by(|probe| (**probe).cmp(text)).expect("every text was collected before")
}

/// Everything of a rejected row that does not depend on where it stood.
fn rejected_key(row: &Rejected) -> impl Ord + '_ {
    let said = (row.label.as_deref(), row.at, row.tokens, row.reason.as_str());
    (row.id.as_ref(), row.user.as_ref(), said, &row.references, row.paid, row.link.as_deref())
}

/// A sign is the minority of its label and month when the other one is as frequent or more: of a grant and
/// its reversal nobody knows which is the ordinary one.
pub(super) fn mark_minority_signs(entries: &mut [Entry], signs: &Signs) {
    for entry in entries.iter_mut().filter(|entry| entry.tokens != 0) {
        let Some([positive, negative, _]) = signs.get(&(entry.label, Month::of(entry.at))) else { continue };
        entry.minority_sign = if entry.negative { negative <= positive } else { positive <= negative };
    }
}

/// Ids tell rows apart: one that stands twice makes every finding about it ambiguous.
pub(super) fn refuse_repeated_ids(ledger: &Ledger) -> Result<(), NormaliseError> {
    let Ledger { side, entries, bystanders, rejected, .. } = ledger;
    let repeated = |id: &RowId| Err(repeated_id(*side, id));
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return repeated(&pair[0].id);
    }
    if let Some(pair) = bystanders.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return repeated(&pair[0].id);
    }
    let mut seen: HashMap<&RowId, ()> = HashMap::new();
    for id in rejected.iter().filter_map(|row| row.id.as_ref()) {
        let stands_elsewhere = entries.binary_search_by(|entry| entry.id.cmp(id)).is_ok()
            || bystanders.binary_search_by(|row| row.id.cmp(id)).is_ok();
        if stands_elsewhere || seen.insert(id, ()).is_some() {
            return repeated(id);
        }
    }
    let (mut entry, mut bystander) = (entries.iter().peekable(), bystanders.iter().peekable());
    while let (Some(a), Some(b)) = (entry.peek(), bystander.peek()) {
        match a.id.cmp(&b.id) {
            std::cmp::Ordering::Less => drop(entry.next()),
            std::cmp::Ordering::Greater => drop(bystander.next()),
            std::cmp::Ordering::Equal => return repeated(&a.id),
        }
    }
    Ok(())
}
