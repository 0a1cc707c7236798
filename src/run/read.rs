//! Reads both ledgers, and what stands beside them, at one moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context as _;

use super::partitions::Before;
use super::{Options, again, gate, rows};
use crate::balance::StoredByUser;
use crate::config::{Columns, Config, Origin};
use crate::cores;
use crate::cutover::Live;
use crate::domain::{Books, Instant, PopulationClass, RowId, Side, Span};
use crate::history::Tables;
use crate::history::waivers::Waivers;
use crate::matching::{Contradicted, Matched, SharedReferences};
use crate::normalise::{self, Brought, Folder, Member, Parts, Redaction, Room, Rules, Sides, UsageLog};
use crate::repair::Targets;
use crate::source::postgres::Database;
use crate::source::postgres::activity::Activity;
use crate::source::{self, Digesting, Progress, Provenance, Reading, Snapshot, SourceError, StoredReading};

/// Both ledgers as read, and where they came from.
#[derive(Debug)]
pub struct Reads {
    /// The books.
    pub books: Books,
    /// Every row of usage, for replays.
    pub usage_log: UsageLog,
    /// Members of pools, where configured.
    pub members: Vec<Member>,
    /// Source of the members.
    pub pools: Option<Provenance>,
    /// Stored balances, where configured.
    pub stored: Option<StoredReading>,
    /// Source of the legacy rows.
    pub legacy: Provenance,
    /// Source of the unified rows.
    pub unified: Provenance,
    /// The moment that all reads of the database saw.
    pub snapshot: Option<Snapshot>,
    /// How long that moment was held; longer than a cap it holds up the server's vacuum.
    pub snapshot_held: Option<Span>,
    /// What the catalogue says of the tables.
    pub targets: Targets,
    /// What may hide rows of the tables and cannot be judged from here.
    pub doubts: Vec<String>,
    /// The stored balances were read at a later moment than as-of, so they cannot be compared. A
    /// file of balances has no moment of its own: it is taken to be of as-of.
    pub as_of_is_past: bool,
    /// Users stand under other names.
    pub redacted: bool,
    /// What has been accepted.
    pub waivers: Waivers,
    /// What the statistics counted around the reading, where that was asked for.
    pub activity: Option<Activity>,
    /// What the gate was told, where it asked.
    pub live: Option<Live>,
    /// The entries, where they do not fit the memory and have not been settled yet.
    pub(super) parts: Option<Parts>,
    /// What is left of users that were settled.
    pub(super) before: Option<Before>,
    /// Says whether the run shall stop.
    pub(super) progress: Progress,
    /// The digests of the ledgers' files, while they are being taken.
    digesting: Option<Digesting<2>>,
}

/// One try of [`super::read`].
pub(super) fn read_once(config: &Config, options: &Options, progress: &Progress) -> anyhow::Result<Reads> {
    let waivers = Waivers::load(config)?;
    rows::two_sources(config)?;
    let mut database = again::open(config, progress)?;
    let mut watch = gate::Watch::begin(config, options.look.clone(), database.as_mut())?;
    let snapshot = database.as_ref().map(|database| database.snapshot().clone());
    let read_at = snapshot.as_ref().map(|snapshot| snapshot.at);
    let as_of = options.as_of.or(config.as_of).or(read_at).unwrap_or(options.started);
    let threads = options.threads.unwrap_or_else(cores::count);

    let keep_usage_of = options.keep_usage_of.as_ref();
    let room = Arc::new(room(options));
    let mut scan = |columns: &Columns, side: Side| -> anyhow::Result<Reading<Folder>> {
        let rules = Arc::new(rules(config, side, as_of, keep_usage_of).within(room.clone()));
        let new_sink = || Folder::new(rules.clone());
        let rule = Rules::detail_rule(config, side, keep_usage_of);
        let reading = match (&columns.origin, &mut database) {
            (Origin::Table(_), Some(database)) => database.scan(columns, &rule, &new_sink, progress)?,
            (_, Some(database)) => {
                database.awake_during(|| source::files::scan(columns, &rule, threads, &new_sink, progress))?
            }
            _ => source::files::scan(columns, &rule, threads, &new_sink, progress)?,
        };
        Ok(reading)
    };
    let legacy = scan(&config.legacy.columns, Side::Legacy).context("the legacy side")?;
    let unified = scan(&config.unified.columns, Side::Unified).context("the unified side")?;
    let (mut stored, mut members, pools) = beside(config, &mut database, progress)?;
    let digesting = Digesting::begin([legacy.digests, unified.digests], progress);
    let targets = targets(config, &mut database)?;
    let doubts = database.as_ref().map_or_else(Vec::new, doubts);
    let snapshot_held = watch.end(config, database, progress)?;

    let sides = Sides {
        legacy: legacy.sinks,
        legacy_control: legacy.provenance.control,
        unified: unified.sinks,
        unified_control: unified.provenance.control,
    };
    if let Some(redaction) = &options.redaction {
        rename(&mut stored, &mut members, redaction);
    }
    let more_users = users_beside(stored.as_ref(), &members);
    let Brought { books, log, parts } =
        normalise::books(config, sides, &more_users, as_of, options.redaction.as_ref())?;
    let stored_origin = config.balances.stored.as_ref().map(|stored| &stored.origin);
    let stored_in_database = matches!(stored_origin, Some(Origin::Table(_)));
    Ok(Reads {
        books,
        usage_log: log,
        members,
        pools,
        stored,
        legacy: legacy.provenance,
        unified: unified.provenance,
        snapshot,
        targets,
        doubts,
        snapshot_held,
        as_of_is_past: stored_in_database && read_at.is_some_and(|at| as_of < at),
        redacted: options.redaction.is_some(),
        waivers,
        activity: watch.activity,
        live: watch.live,
        parts,
        before: None,
        progress: progress.clone(),
        digesting: Some(digesting),
    })
}

/// What the catalogue says of the two tables, which have to be two.
fn targets(config: &Config, database: &mut Option<Database>) -> Result<Targets, SourceError> {
    let mut facts = |origin: &Origin| match (origin, &mut *database) {
        (Origin::Table(table), Some(database)) => database.facts(table).map(Some),
        _ => Ok(None),
    };
    let targets = Targets {
        legacy: facts(&config.legacy.columns.origin)?,
        unified: facts(&config.unified.columns.origin)?,
    };
    rows::two_tables(&targets)?;
    Ok(targets)
}

/// What is in doubt of the tables that were read, each said once.
fn doubts(database: &Database) -> Vec<String> {
    let said: BTreeSet<&str> = database.doubts().map(|(_, doubt)| doubt).collect();
    said.into_iter().map(str::to_owned).collect()
}

/// How the rows of a side are read.
fn rules(config: &Config, side: Side, as_of: Instant, keep_usage_of: Option<&RowId>) -> Rules {
    match side {
        Side::Legacy => Rules::legacy(config, as_of),
        Side::Unified => Rules::unified(config, as_of, keep_usage_of),
    }
}

/// What a run may hold of what it reads. Beyond it users are settled a part at a time, which neither the gate
/// nor the history of a user is made for: they look at all rows.
fn room(options: &Options) -> Room {
    let allows = options.keep_usage_of.is_none() && !matches!(options.look, gate::Look::Gate { .. });
    options.memory.as_ref().filter(|_| allows).map_or_else(Room::unbounded, |bound| bound.room())
}

/// Stored balances and members of pools: what is read beside the ledgers.
fn beside(
    config: &Config,
    database: &mut Option<Database>,
    progress: &Progress,
) -> anyhow::Result<(Option<StoredReading>, Vec<Member>, Option<Provenance>)> {
    let stored = match &config.balances.stored {
        None => None,
        Some(stored) => Some(match (&stored.origin, &mut *database) {
            (Origin::Table(_), Some(database)) => database.stored(stored)?,
            (_, Some(database)) => database.awake_during(|| source::files::stored(stored, progress))?,
            _ => source::files::stored(stored, progress)?,
        }),
    };
    let Some(pools) = &config.balances.pools else { return Ok((stored, Vec::new(), None)) };
    let reading = match (&pools.origin, database) {
        (Origin::Table(_), Some(database)) => database.pools(pools)?,
        _ => source::files::pools(pools, progress)?,
    };
    let members = normalise::members(&reading, pools)?;
    Ok((stored, members, Some(reading.provenance)))
}

/// Users whom the ledgers need not know.
fn users_beside(stored: Option<&StoredReading>, members: &[Member]) -> Vec<RowId> {
    let with_balance = stored.into_iter().flat_map(|stored| &stored.balances).map(|row| &row.user);
    let owners = members.iter().filter_map(|member| member.owner.as_ref());
    with_balance.chain(owners).cloned().collect()
}

/// Puts other names in the place of users and pools read beside the ledgers.
fn rename(stored: &mut Option<StoredReading>, members: &mut [Member], redaction: &Redaction) {
    let mut users: Vec<&mut RowId> = Vec::new();
    users.extend(stored.iter_mut().flat_map(|stored| &mut stored.balances).map(|row| &mut row.user));
    for member in members {
        users.extend([&mut member.user, &mut member.pool]);
        users.extend(member.owner.as_mut());
    }
    users.into_iter().for_each(|user| *user = redaction.name(user));
}

/// What to do about something that is empty, since nothing can differ in it.
const RIGHT_ONE: &str = "make sure that the right table or file was read";

impl Reads {
    /// Which tables were read, to be told from those of other runs.
    pub fn tables(&self) -> Tables {
        Tables::of(&self.legacy, &self.unified, self.activity.as_ref())
    }

    /// Waits for the digests of the ledgers' files and puts them where they belong.
    ///
    /// # Errors
    /// A file that was changed since its rows were read: what was made of them is worth nothing. A file with
    /// rows that one side has and the other one too, to the byte: it was compared with itself.
    pub(super) fn end_digests(&mut self, config: &Config) -> Result<(), SourceError> {
        if let Some(digesting) = self.digesting.take() {
            [self.legacy.files, self.unified.files] = digesting.end()?;
        }
        source::files::no_copy(
            &config.legacy.columns,
            &self.legacy.files,
            &self.unified.files,
            &self.progress,
        )
    }

    /// Files of one side that are the same to the byte. Grants in them would have repeated ids, which ends
    /// a run; use is added up without a look at ids. To be asked once the digests are there.
    pub(super) fn read_twice(&self) -> Vec<String> {
        let sides = [&self.legacy, &self.unified].into_iter();
        sides.flat_map(|provenance| source::files::same_bytes(&provenance.files)).collect()
    }

    /// May the work on what was read go on?
    ///
    /// # Errors
    /// [`SourceError::Interrupted`] after a signal.
    pub(super) fn go_on(&self) -> Result<(), SourceError> {
        if self.progress.is_stopped() { Err(SourceError::Interrupted) } else { Ok(()) }
    }

    /// Where the rows came from, in one line.
    pub(super) fn source_line(&self) -> String {
        format!("{} and {}", self.legacy.name, self.unified.name)
    }

    /// What a reader of the report must know about the rows.
    pub(super) fn warnings(
        &self,
        config: &Config,
        matched: &Matched,
        stored: Option<&StoredByUser>,
    ) -> Vec<String> {
        let mut warnings = self.doubts.clone();
        if stored.is_some_and(StoredByUser::is_empty) {
            warnings.push(format!("no balance is stored: {RIGHT_ONE}"));
        }
        let beside = self.stored.as_ref().map(|stored| &stored.provenance).into_iter().chain(&self.pools);
        for provenance in [&self.legacy, &self.unified].into_iter().chain(beside) {
            warnings.extend(provenance.notes.iter().cloned());
        }
        warnings.extend(rows::nothing_counts(&self.books));
        for side in [Side::Legacy, Side::Unified] {
            let ledger = self.books.side(side);
            if ledger.control.rows == 0 {
                warnings.push(format!("the {} table holds no row: {RIGHT_ONE}", side.name()));
            }
            let late = ledger.population.get(PopulationClass::AfterAsOf).rows;
            if late > 0 {
                let as_of = self.books.as_of.rfc3339();
                warnings.push(format!(
                    "{late} {} rows lie after as-of {as_of}; they are counted apart",
                    side.name()
                ));
            }
            if let Some(first) = ledger.unreadable_ends.first() {
                warnings.push(format!(
                    "{} {} grants say when they end in a way that is no time, as {first} does: they are \
                     taken not to end",
                    ledger.unreadable_ends.len(),
                    side.name()
                ));
            }
            warnings.extend(rows::never_set(config, &self.books, side));
            warnings.extend(rows::pointed(config, &self.books, side));
            warnings.extend(normalise::doubtful_amounts(config, &self.books, side));
            warnings.extend(rows::padded(config, &self.books, side));
            // The legacy side has `sign` for them, and the matrix of signs.
            if side == Side::Unified && ledger.any.negative > 0 {
                warnings.push(format!(
                    "unified grants stored as negative amounts: {}; their magnitude counts, so whoever adds up \
                     the column gets other balances: store them without the minus",
                    ledger.any.negative
                ));
            }
            for row in &ledger.rejected {
                tracing::info!("{}: rejected: {}", row.place, row.reason);
            }
        }
        if let Some(Contradicted { pairs, first: (legacy, unified) }) = &matched.contradicted {
            warnings.push(format!(
                "pairs that look alike but carry different payments, or a link to another row: {pairs}, the \
                 first of them {legacy} and {unified}; one grant may stand for another there: \
                 compare their payments before you rely on these pairs"
            ));
        }
        if let Some(SharedReferences { missing, first, repeated }) = &matched.shared_references {
            warnings.push(format!(
                "missing rows whose reference stands on other rows of their user too, which were copied: {missing}, \
                 {first} among them; where a reference names a customer or a subscription and no payment, take \
                 it out of `reference`, since of the {repeated} rows called source_duplicate some may be missing \
                 too"
            ));
        }
        warnings.extend(matched.bounded.iter().map(|component| {
            format!("too many candidates to tell all answers apart, so these rows are contested: {component}")
        }));
        warnings
    }
}
