//! Where the mapped fields stand in the two tables, and how SQL names them.

use crate::config::{Columns, Config, Field, Literal, TableName, quote_identifier};
use crate::source::postgres::catalogue::{ColumnFacts, TableFacts};

use super::extent::Extent;
use super::quote::literal;
use super::success::Success;
use super::{RepairError, Targets};

/// What a mapped field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Id,
    User,
    /// The label, or its part of this number where several columns are joined.
    Action(usize),
    Amount,
    CreatedAt,
    Success,
    Link,
    Migrated,
    Reference,
    ExpiresAt,
}

/// A column, or a place inside a JSON column.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub column: String,
    pub path: Vec<String>,
    /// What the catalogue says of the column, where it could be asked.
    pub facts: Option<ColumnFacts>,
}

impl Slot {
    fn new(field: &Field, table: Option<&TableFacts>) -> Slot {
        let column = |name: &str| table.and_then(|table| table.columns.iter().find(|it| it.name == name));
        match column(&field.written) {
            Some(facts) => {
                Slot { column: field.written.clone(), path: Vec::new(), facts: Some(facts.clone()) }
            }
            None => Slot {
                column: field.column.clone(),
                path: field.path.clone(),
                facts: column(&field.column).cloned(),
            },
        }
    }

    pub fn is_plain(&self) -> bool {
        self.path.is_empty()
    }

    /// The quoted name of the column.
    pub fn name(&self) -> String {
        quote_identifier(&self.column)
    }

    /// The value in its own type; text for a place inside JSON.
    pub fn value(&self, alias: &str) -> String {
        let column = format!("{alias}.{}", self.name());
        match self.path.as_slice() {
            [] => column,
            [key] => format!("({} ->> {})", self.json(&column), literal(key)),
            keys => {
                let keys: Vec<String> = keys.iter().map(|key| literal(key)).collect();
                format!("({} #>> array[{}])", self.json(&column), keys.join(", "))
            }
        }
    }

    fn json(&self, column: &str) -> String {
        match self.type_name() {
            Some("json" | "jsonb") => column.to_owned(),
            _ => format!("nullif({column}::text, '')::jsonb"),
        }
    }

    /// The value as text.
    pub fn text(&self, alias: &str) -> String {
        if self.is_plain() { format!("{}::text", self.value(alias)) } else { self.value(alias) }
    }

    /// The type of the column, or what stands under its domain.
    pub fn type_name(&self) -> Option<&str> {
        self.facts.as_ref().map(|facts| facts.base_type.as_str())
    }

    /// What the column can hold, as far as that is known; JSON holds everything.
    pub fn extent(&self) -> Extent {
        self.type_name().filter(|_| self.is_plain()).map_or(Extent::Any, Extent::of)
    }

    /// The server fills the column itself.
    pub fn is_generated(&self) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.generated)
    }

    /// `value` (this slot's, or a staged one of its type) in the form that tells whether two are equal.
    /// A wall clock becomes an instant of the session's zone: once a year an hour of it does not exist,
    /// yet rows stand there, and their instant written back as a wall clock is an hour later. A text
    /// becomes an instant too, since there are many ways to write one. A column of unknown type may be
    /// either.
    pub fn comparable(&self, value: &str) -> String {
        let wall_clock = self
            .type_name()
            .is_none_or(|name| name.starts_with("timestamp") && name.ends_with("without time zone"));
        if self.is_plain() && (wall_clock || self.holds_text()) {
            format!("{value}::timestamptz")
        } else {
            value.to_owned()
        }
    }

    /// The same for an amount: a text becomes a number.
    pub fn comparable_amount(&self, value: &str) -> String {
        if self.is_plain() && self.holds_text() { format!("{value}::numeric") } else { value.to_owned() }
    }

    /// It is known to be a column of numbers.
    pub fn is_number(&self) -> bool {
        const NUMBERS: [&str; 5] = ["smallint", "integer", "bigint", "real", "double precision"];
        let is_number = |name: &str| NUMBERS.contains(&name) || name.starts_with("numeric");
        self.is_plain() && self.type_name().is_some_and(is_number)
    }

    /// The value fits a text column of any length.
    pub fn holds_text(&self) -> bool {
        self.type_name().is_some_and(|name| {
            name == "text" || name == "citext" || name.starts_with("character") || name == "bpchar"
        })
    }
}

/// The mapped fields of one side.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub table: TableName,
    pub id: Slot,
    pub user: Slot,
    pub action: Vec<Slot>,
    pub amount: Slot,
    pub created_at: Slot,
    pub success: Option<Slot>,
    pub link: Option<Slot>,
    pub migrated: Option<Slot>,
    /// The one reference field, where there is exactly one.
    pub reference: Option<Slot>,
    /// All reference fields.
    pub references: Vec<Slot>,
    /// What shows that a row was paid for, where it is not just the references.
    pub payment: Vec<Slot>,
    pub expires_at: Option<Slot>,
    /// Zone of timestamps without one.
    pub zone: chrono_tz::Tz,
    /// The rows came from this table of a database, so it must be there.
    pub from_table: bool,
    pub facts: Option<TableFacts>,
}

impl Layout {
    fn new(columns: &Columns, facts: Option<&TableFacts>) -> Layout {
        let slot = |field: &Field| Slot::new(field, facts);
        let written = columns.origin.target().clone();
        Layout {
            table: facts.map_or(written, |facts| facts.name.clone()),
            id: slot(&columns.id),
            user: slot(&columns.user),
            action: columns.action.iter().map(slot).collect(),
            amount: slot(&columns.amount),
            created_at: slot(&columns.created_at),
            success: columns.success.as_ref().map(slot),
            link: columns.link.as_ref().map(slot),
            migrated: columns.migrated.as_ref().map(slot),
            reference: match columns.reference.as_slice() {
                [only] => Some(slot(only)),
                _ => None,
            },
            references: columns.reference.iter().map(slot).collect(),
            payment: match columns.payment == columns.reference {
                true => Vec::new(),
                false => columns.payment.iter().map(slot).collect(),
            },
            expires_at: columns.expires_at.as_ref().map(slot),
            zone: columns.timezone,
            from_table: matches!(columns.origin, crate::config::Origin::Table(_)),
            facts: facts.cloned(),
        }
    }

    /// The layouts of both sides, legacy first.
    pub fn of(config: &Config, targets: &Targets) -> (Layout, Layout) {
        (
            Layout::new(&config.legacy.columns, targets.legacy.as_ref()),
            Layout::new(&config.unified.columns, targets.unified.as_ref()),
        )
    }

    /// The fields without which no row can be found, guarded or written, and which SQL therefore
    /// wants as columns of their own.
    pub fn vital(&self) -> Vec<(Meaning, &Slot)> {
        let mut vital = vec![(Meaning::Id, &self.id), (Meaning::User, &self.user)];
        vital.extend(self.action.iter().enumerate().map(|(at, slot)| (Meaning::Action(at), slot)));
        vital.extend([(Meaning::Amount, &self.amount), (Meaning::CreatedAt, &self.created_at)]);
        vital
    }

    /// The label of a row as text: several columns are joined with `/`.
    pub fn label(&self, alias: &str) -> String {
        let parts: Vec<String> =
            self.action.iter().map(|slot| format!("coalesce({}, '')", slot.text(alias))).collect();
        parts.join(" || '/' || ")
    }

    /// The parts of a label, one a column; `None` where it does not split so.
    pub fn parts<'a>(&self, label: &'a str) -> Option<Vec<&'a str>> {
        if self.action.len() == 1 {
            return Some(vec![label]);
        }
        let parts: Vec<&str> = label.split('/').collect();
        (parts.len() == self.action.len()).then_some(parts)
    }
}

/// How a column of a new row is filled.
#[derive(Debug, Clone)]
pub(super) enum Filling {
    /// With one mapped value.
    Mapped(Meaning),
    /// With a JSON object of mapped values.
    Json {
        places: Vec<(Vec<String>, Meaning)>,
        /// Null when the row has none of the values; otherwise an empty object.
        nullable: bool,
    },
    /// With the same value in every row.
    Constant(Literal),
}

/// A column of the rows that a backfill inserts.
#[derive(Debug, Clone)]
pub(super) struct NewColumn {
    pub name: String,
    pub filling: Filling,
    pub facts: Option<ColumnFacts>,
}

/// The columns of the rows that a backfill inserts, in the order of the mapping.
pub(super) fn new_columns(
    config: &Config,
    legacy: &Layout,
    unified: &Layout,
    gives_id: bool,
    success: &Success,
) -> Result<Vec<NewColumn>, RepairError> {
    let mut mapped = unified.vital();
    mapped.retain(|(meaning, _)| gives_id || *meaning != Meaning::Id);
    mapped.extend(unified.success.iter().map(|slot| (Meaning::Success, slot)));
    mapped.retain(|(meaning, _)| *meaning != Meaning::Success || *success != Success::LeftOut);
    mapped.extend(optional(legacy, unified).into_iter().filter(|(_, slot)| !slot.is_generated()));

    let mut columns: Vec<NewColumn> = Vec::new();
    for (meaning, slot) in mapped {
        add_mapped(&mut columns, meaning, slot)?;
    }
    for (name, value) in &config.backfill.values {
        if columns.iter().any(|column| column.name == *name) {
            return Err(RepairError::MappedColumn { column: name.clone() });
        }
        let facts = match &unified.facts {
            Some(table) => {
                Some(table.columns.iter().find(|column| column.name == *name).cloned().ok_or_else(|| {
                    RepairError::NoColumn { table: unified.table.to_string(), column: name.clone() }
                })?)
            }
            None => None,
        };
        columns.push(NewColumn { name: name.clone(), filling: Filling::Constant(value.clone()), facts });
    }
    Ok(columns)
}

/// What a new row says beside its values and its success, as far as both sides can say it.
pub(super) fn optional<'l>(legacy: &Layout, unified: &'l Layout) -> Vec<(Meaning, &'l Slot)> {
    let both = |legacy: &Option<Slot>, unified| if legacy.is_some() { unified } else { None };
    let optional = [
        (Meaning::ExpiresAt, both(&legacy.expires_at, unified.expires_at.as_ref())),
        (Meaning::Link, unified.link.as_ref()),
        (Meaning::Migrated, unified.migrated.as_ref()),
        (Meaning::Reference, both(&legacy.reference, unified.reference.as_ref())),
    ];
    optional.into_iter().filter_map(|(meaning, slot)| Some((meaning, slot?))).collect()
}

fn add_mapped(columns: &mut Vec<NewColumn>, meaning: Meaning, slot: &Slot) -> Result<(), RepairError> {
    let conflict = || RepairError::Conflict { place: place(slot) };
    let there = columns.iter_mut().find(|column| column.name == slot.column);
    match (there, slot.is_plain()) {
        (None, true) => columns.push(NewColumn {
            name: slot.column.clone(),
            filling: Filling::Mapped(meaning),
            facts: slot.facts.clone(),
        }),
        (None, false) => columns.push(NewColumn {
            name: slot.column.clone(),
            filling: Filling::Json {
                places: vec![(slot.path.clone(), meaning)],
                nullable: slot.facts.as_ref().is_none_or(|facts| !facts.not_null),
            },
            facts: slot.facts.clone(),
        }),
        (Some(NewColumn { filling: Filling::Json { places, .. }, .. }), false) => {
            let overlaps = |path: &[String]| path.starts_with(&slot.path) || slot.path.starts_with(path);
            if places.iter().any(|(path, _)| overlaps(path)) {
                return Err(conflict());
            }
            places.push((slot.path.clone(), meaning));
        }
        (Some(_), _) => return Err(conflict()),
    }
    Ok(())
}

fn place(slot: &Slot) -> String {
    let mut place = slot.column.clone();
    for key in &slot.path {
        place.push('.');
        place.push_str(key);
    }
    place
}
