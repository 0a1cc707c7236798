//! What a finding rests on beside user, action, tokens and time: whether the row counts, what it says it
//! was copied from, what it was paid with.
//!
//! SQL asks the database for the same values in the form in which the run read them, so that a row of
//! which any of it has changed since is found out.

use crate::domain::{Entry, Instant, NO_NAME, NO_VALUE, NULL_WORDS, PLACEHOLDERS, RowId};
use crate::source::{FALSE_WORDS, TRUE_WORDS};

use super::columns::{Layout, Slot};
use super::fits;
use super::quote::literal;
use super::spelling::id_form;
use super::values::Tuple;

/// What a row says beside its values, as the run read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// `success` is not `false`.
    pub succeeded: bool,
    /// The legacy id that it names.
    pub link: Option<&'a RowId>,
    /// Says that it was migrated.
    pub migrated: bool,
    /// Says that it was paid for.
    pub paid: bool,
    /// References: positions in the books.
    pub references: &'a [u32],
    /// When the grant ends.
    pub expires_at: Option<Instant>,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(entry: &'a Entry) -> Evidence<'a> {
        Evidence {
            succeeded: entry.succeeded,
            link: entry.link.as_deref(),
            migrated: entry.migrated,
            paid: entry.paid,
            references: &entry.references,
            expires_at: entry.expires_at,
        }
    }

    /// The database can hold every text of it.
    ///
    /// # Errors
    /// Why not, for people.
    pub(super) fn fits(&self, references: &[Box<str>]) -> Result<(), String> {
        self.link.map_or(Ok(()), |link| link.with_text(fits::text))?;
        self.references.iter().try_for_each(|number| fits::text(&references[*number as usize]))
    }
}

/// One thing that is compared.
enum Item<'l> {
    Success(&'l Slot),
    Link(&'l Slot),
    Migrated(&'l Slot),
    Paid(&'l [Slot]),
    References(&'l [Slot]),
}

/// What the mapping of a side lets a row say.
fn items(layout: &Layout) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    items.extend(layout.success.as_ref().map(Item::Success));
    items.extend(layout.link.as_ref().map(Item::Link));
    items.extend(layout.migrated.as_ref().map(Item::Migrated));
    if !layout.payment.is_empty() {
        items.push(Item::Paid(&layout.payment));
    }
    if !layout.references.is_empty() {
        items.push(Item::References(&layout.references));
    }
    items
}

impl Item<'_> {
    fn name(&self) -> &'static str {
        match self {
            Item::Success(_) => "succeeded",
            Item::Link(_) => "link",
            Item::Migrated(_) => "migrated",
            Item::Paid(_) => "paid",
            Item::References(_) => "reference_set",
        }
    }

    /// An expression of the type that the staging table gives it.
    fn sample(&self) -> &'static str {
        match self {
            Item::Success(_) | Item::Migrated(_) | Item::Paid(_) => "null::boolean",
            Item::Link(_) => "null::text",
            Item::References(_) => "null::text[]",
        }
    }

    /// The row `alias` says what the staged value says.
    fn same(&self, alias: &str, staged: &str) -> String {
        match self {
            Item::Success(slot) => format!("{} = {staged}", success(slot, alias)),
            Item::Link(slot) => {
                let text = id_form(&slot.text(alias));
                format!("case when not ({}) then {text} end is not distinct from {staged}", is_no_name(&text))
            }
            Item::Migrated(slot) => format!("({}) = {staged}", is_set(slot, alias)),
            Item::Paid(slots) => {
                let any: Vec<String> = slots.iter().map(|slot| is_set(slot, alias)).collect();
                format!("({}) = {staged}", any.join(" or "))
            }
            Item::References(slots) => {
                // A set: a reference may stand in several fields, in any order.
                let found = format!(
                    "array(select r.text from unnest(array[{}]) as r (text) where not ({}))",
                    texts(slots, alias).join(", "),
                    is_no_name("r.text")
                );
                format!("{found} @> {staged} and {found} <@ {staged}")
            }
        }
    }
}

/// What stands in the fields of references; some of it may say nothing.
fn texts(slots: &[Slot], alias: &str) -> Vec<String> {
    slots.iter().map(|slot| trimmed(&id_form(&slot.text(alias)))).collect()
}

/// What stands in the fields of references of the row `alias`.
pub(super) fn references(layout: &Layout, alias: &str) -> Vec<String> {
    texts(&layout.references, alias)
}

/// Names and samples of the columns of a staging table.
pub(super) fn staging(layout: &Layout, prefix: &str) -> Vec<(String, String)> {
    let columns = items(layout).into_iter();
    columns.map(|item| (format!("{prefix}{}", item.name()), item.sample().to_owned())).collect()
}

/// The row `alias` says what the columns with this prefix of `p` say; begins with `and` unless there is
/// nothing to compare.
pub(super) fn same(layout: &Layout, alias: &str, prefix: &str) -> String {
    let items = items(layout).into_iter();
    items
        .map(|item| format!("\n            and {}", item.same(alias, &format!("p.{prefix}{}", item.name()))))
        .collect()
}

/// Adds the literals of [`staging`].
pub(super) fn push(line: &mut Tuple<'_>, layout: &Layout, evidence: &Evidence<'_>, references: &[Box<str>]) {
    for item in items(layout) {
        match item {
            Item::Success(_) => line.number(evidence.succeeded),
            Item::Link(_) => line.known_id(evidence.link),
            Item::Migrated(_) => line.number(evidence.migrated),
            Item::Paid(_) => line.number(evidence.paid),
            Item::References(_) => {
                line.texts(evidence.references.iter().map(|number| &*references[*number as usize]))
            }
        };
    }
}

/// Without the blanks that are left out when a reference is read.
fn trimmed(text: &str) -> String {
    format!("btrim({text}, E' \\t\\n\\r\\f')")
}

/// Null, a word for nothing, or what is [none](NO_VALUE): what [`crate::domain::says_nothing`] says. The rules of
/// "C" do not change an I into another letter, as those of Turkish do.
fn is_no_value(text: &str) -> String {
    let words = NULL_WORDS.iter().chain(&PLACEHOLDERS).chain(&[""]);
    let words: Vec<String> = words.map(|word| literal(word)).collect();
    let is_word = format!("lower(coalesce({}, '') collate \"C\") in ({})", trimmed(text), words.join(", "));
    format!("{is_word} or {text} collate \"C\" ~* {}", literal(NO_VALUE))
}

/// The same, or a flag or zero: what [`crate::domain::names_nothing`] says.
fn is_no_name(text: &str) -> String {
    format!("{} or {text} collate \"C\" ~* {}", is_no_value(text), literal(NO_NAME))
}

/// Null, empty, or what a path into JSON gives for its null: no flag.
fn is_nothing(text: &str) -> String {
    format!("coalesce({}, '') in ('', 'null')", trimmed(text))
}

/// The row `alias` says that it succeeded.
pub(super) fn success(slot: &Slot, alias: &str) -> String {
    if slot.is_plain() && slot.type_name() == Some("boolean") {
        return format!("coalesce({}, true)", slot.value(alias));
    }
    let (text, words) = (slot.text(alias), TRUE_WORDS.join("|"));
    let says_yes = literal(&format!("^\\s*({words}|[+]?0*1([.]0*)?)\\s*$"));
    format!("({} or {text} ~* {says_yes})", is_nothing(&text))
}

/// The value is there and does not say no.
fn is_set(slot: &Slot, alias: &str) -> String {
    let (text, words) = (slot.text(alias), FALSE_WORDS.join("|"));
    let says_no = literal(&format!("^\\s*({words}|[-+]?0+([.]0*)?)\\s*$"));
    format!("not ({} or {text} ~* {says_no})", is_no_value(&text))
}
