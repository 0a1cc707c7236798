//! What to change: each row with its old values, its new values and the effect, as plain data.

use uuid::Uuid;

use crate::config::TableName;
use crate::domain::{Class, FindingId, Instant, Roster, RowId, UserNo};
use crate::sha256::Sha256;

use super::columns::{Layout, NewColumn};
use super::evidence::Evidence;
use super::known::Known;
use super::spelling::Spelling;
use super::success::Success;

/// What a change does to the unified table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `backfill.sql` inserts the row.
    Insert,
    /// `repair.sql` changes it.
    Update,
    /// `dedupe.sql` removes it.
    Delete,
}

impl Operation {
    /// The file that does it, without its ending.
    pub fn file(self) -> &'static str {
        match self {
            Operation::Insert => "backfill",
            Operation::Update => "repair",
            Operation::Delete => "dedupe",
        }
    }
}

/// The values of a unified row that a plan reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Values<'a> {
    /// User.
    pub user: &'a RowId,
    /// The same as a number of the books.
    pub user_no: UserNo,
    /// Label.
    pub action: &'a str,
    /// Tokens as the table stores them, with their sign.
    pub raw_tokens: i64,
    /// When.
    pub at: Instant,
}

/// The legacy row that a change relies on, as the run read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegacyRow<'a> {
    /// Id.
    pub id: &'a RowId,
    /// User.
    pub user: &'a RowId,
    /// Label as stored; several columns are joined with `/`.
    pub label: &'a str,
    /// Tokens as stored, with their sign.
    pub raw_tokens: i64,
    /// When.
    pub at: Instant,
    /// What it says beside them.
    pub evidence: Evidence<'a>,
}

/// The row that stays when an extra one is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptRow<'a> {
    /// Id.
    pub id: &'a RowId,
    /// Its values now.
    pub values: Values<'a>,
    /// The same after `repair.sql`.
    pub repaired: Values<'a>,
    /// What it says beside them.
    pub evidence: Evidence<'a>,
}

/// One change of one unified row. It borrows what the books and findings hold: there may be a million.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// The finding that it settles.
    pub finding: &'a FindingId,
    /// Class of the finding.
    pub class: Class,
    /// What is done.
    pub operation: Operation,
    /// Id of the unified row; `None` where the database gives it at insertion.
    pub row: Option<RowId>,
    /// The legacy row behind it, where there is one.
    pub legacy: Option<LegacyRow<'a>>,
    /// Values before; `None` for an insertion.
    pub old: Option<Values<'a>>,
    /// Values after; `None` for a removal.
    pub new: Option<Values<'a>>,
    /// What the row says beside its values; `None` for an insertion.
    pub evidence: Option<Evidence<'a>>,
    /// A reference that an inserted row takes along.
    pub reference: Option<&'a str>,
    /// The end of a grant that an inserted row takes along.
    pub expires_at: Option<Instant>,
    /// For a removal: the row that stays.
    pub kept: Option<KeptRow<'a>>,
    /// What it adds to the user's unified balance, in tokens.
    pub effect_tokens: i128,
    /// The finding stands against a clean result.
    pub blocks: bool,
}

/// What the files of a plan do, those that refuse left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mended {
    /// Findings that stand against a clean result.
    pub blocking: u64,
    /// Other findings.
    pub others: u64,
    /// What all of it adds to balances, in tokens.
    pub effect_tokens: i128,
}

/// A finding that a person has to look at. It stands in SQL as a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review<'a> {
    /// The finding.
    pub finding: &'a FindingId,
    /// Its class.
    pub class: Class,
    /// In which file's comments it stands.
    pub file: Operation,
    /// Its user.
    pub user: Option<&'a RowId>,
    /// Its legacy rows.
    pub legacy_ids: &'a [RowId],
    /// Its unified rows.
    pub unified_ids: &'a [RowId],
    /// Why it is not executable.
    pub reason: String,
    /// The unified rows as they are: no file of this plan touches them.
    pub rows: Vec<(&'a RowId, Values<'a>)>,
}

/// Why one file refuses to do anything, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The file.
    pub file: Operation,
    /// Why.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

/// What a reader of a file must know before running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub file: Operation,
    /// One sentence.
    pub text: String,
}

/// Everything that the SQL files of a run will say. The same input makes the same plan.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// First 16 hexadecimal digits of SHA-256 over the changes: names the plan in the journal.
    pub id: String,
    /// The legacy table.
    pub legacy_table: TableName,
    /// The table that is changed.
    pub unified_table: TableName,
    /// Insertions, then updates, then removals; each in the order of the findings.
    pub changes: Vec<Change<'a>>,
    /// Findings for a person, in the order of the findings.
    pub reviews: Vec<Review<'a>>,
    /// Files that refuse. Their changes stand in `changes` all the same.
    pub refusals: Vec<Refusal>,
    /// For the headers, and for the log.
    pub warnings: Vec<Warning>,
    /// What may stop a whole file for one row: for its header alone.
    pub(super) notes: Vec<Warning>,
    /// What the plan was made from, for the headers.
    pub(super) source: String,
    pub(super) as_of: Instant,
    pub(super) roster: &'a Roster,
    pub(super) references: &'a [Box<str>],
    pub(super) legacy: Layout,
    pub(super) unified: Layout,
    pub(super) new_columns: Vec<NewColumn>,
    pub(super) success: Success,
    pub(super) known: Known<'a>,
    /// Labels of grants and deductions of the unified table.
    pub(super) moving: Vec<String>,
    /// Labels of use, where they are listed.
    pub(super) usage: Option<Vec<String>>,
    /// `[repair] allow_triggers`.
    pub(super) allow_triggers: bool,
    /// What holds for all changes, found once: each of hundreds of parts asks for it.
    pub(super) common: Common,
    pub(super) spelling: Spelling,
    /// Executable repairs by operation, in the order of [`Operation`].
    pub(super) executable: [u64; 3],
}

/// What is asked of all changes of a plan at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Common {
    /// Every row to insert brings its id; otherwise the database gives ids.
    pub has_new_ids: bool,
    /// Some update changes the action.
    pub changes_action: bool,
    /// Some update changes the tokens.
    pub changes_tokens: bool,
    /// Some update changes the time.
    pub changes_time: bool,
}

impl Common {
    pub fn of(changes: &[Change<'_>]) -> Common {
        let of = |operation| changes.iter().filter(move |change| change.operation == operation);
        let changes = |differs: fn(&Values<'_>, &Values<'_>) -> bool| {
            of(Operation::Update).any(|change| match (&change.old, &change.new) {
                (Some(old), Some(new)) => differs(old, new),
                _ => false,
            })
        };
        Common {
            has_new_ids: of(Operation::Insert).all(|change| change.row.is_some()),
            changes_action: changes(|old, new| old.action != new.action),
            changes_tokens: changes(|old, new| old.raw_tokens != new.raw_tokens),
            changes_time: changes(|old, new| old.at != new.at),
        }
    }
}

impl<'a> Plan<'a> {
    /// The changes of one kind.
    pub fn of(&self, operation: Operation) -> &[Change<'a>] {
        let start = self.changes.partition_point(|change| change.operation < operation);
        let rest = &self.changes[start..];
        &rest[..rest.partition_point(|change| change.operation == operation)]
    }

    /// One sentence for people where no file makes some of the repairs that the findings call executable:
    /// corrected balances count them all the same.
    pub fn unwritten(&self) -> Option<String> {
        let files = [Operation::Insert, Operation::Update, Operation::Delete];
        let missing: Vec<(Operation, u64)> = files
            .into_iter()
            .zip(self.executable)
            .map(|(file, executable)| match self.refusal(file) {
                Some(_) => (file, executable),
                None => (file, executable.saturating_sub(self.of(file).len() as u64)),
            })
            .filter(|(_, missing)| *missing > 0)
            .collect();
        let total: u64 = missing.iter().map(|(_, missing)| missing).sum();
        let files: Vec<String> =
            missing.iter().map(|(file, missing)| format!("{}.sql {missing}", file.file())).collect();
        (total > 0).then(|| {
            format!(
                "no SQL makes {total} of the executable repairs, and corrected balances count them all the \
                 same: the files say why ({})",
                files.join(", ")
            )
        })
    }

    /// What the files do.
    pub fn mended(&self) -> Mended {
        let mut mended = Mended::default();
        for operation in [Operation::Insert, Operation::Update, Operation::Delete] {
            if self.refusal(operation).is_some() {
                continue;
            }
            for change in self.of(operation) {
                let count = if change.blocks { &mut mended.blocking } else { &mut mended.others };
                *count += 1;
                let sum = mended.effect_tokens.checked_add(change.effect_tokens);
                mended.effect_tokens = sum.expect("effects of 64 bits each add up within 128");
            }
        }
        mended
    }

    /// Why a file refuses, if it does.
    pub fn refusal(&self, file: Operation) -> Option<&Refusal> {
        self.refusals.iter().find(|refusal| refusal.file == file)
    }
}

/// How the id of an inserted row comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NewId {
    /// UUID v5 of the legacy id in this namespace.
    Derived(Uuid),
    /// The database gives it; the link tells the row.
    Given,
}

/// The namespace of the ids of rows copied from a legacy table: UUID v5 of
/// `reckon:<schema>.<table>` in the URL namespace; a table written without schema counts as
/// `public`.
pub fn namespace(legacy: &TableName) -> Uuid {
    let schema = legacy.schema.as_deref().unwrap_or("public");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("reckon:{schema}.{}", legacy.name).as_bytes())
}

/// The id that the copy of a legacy row gets.
pub fn derived_id(namespace: Uuid, legacy_id: &RowId) -> RowId {
    legacy_id.with_text(|text| RowId::Uuid(*Uuid::new_v5(&namespace, text.as_bytes()).as_bytes()))
}

/// The digest that names a plan: what is changed, and where.
pub(super) fn digest(unified: &TableName, legacy: &TableName, changes: &[Change<'_>]) -> String {
    let mut hasher = Sha256::default();
    let mut field = |text: &str| hasher.update_text(text);
    field(&unified.sql());
    field(&legacy.sql());
    let mut at = String::new();
    for change in changes {
        field(change.operation.file());
        field(&change.finding.0);
        match &change.row {
            Some(row) => row.with_text(&mut field),
            None => field(""),
        }
        match &change.legacy {
            Some(row) => row.id.with_text(&mut field),
            None => field(""),
        }
        for values in [&change.old, &change.new].into_iter().flatten() {
            values.user.with_text(&mut field);
            field(values.action);
            field(&values.raw_tokens.to_string());
            at.clear();
            values.at.push_rfc3339(&mut at);
            field(&at);
        }
    }
    hasher.finish().hex_of_first(8)
}
