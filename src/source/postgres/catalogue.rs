//! What the database's catalogue says about a table. Plain types: `repair`, `config::infer` and the
//! commands read them, only this folder fills them.

use crate::config::{TableName, quote_identifier};

use super::super::SourceError;
use super::session::{Session, TextRow};

/// A table, view or foreign table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFacts {
    /// Name with its schema, as found.
    pub name: TableName,
    /// `r` table, `p` partitioned, `v` view, `m` materialised view, `f` foreign table.
    pub relkind: char,
    /// Columns in order.
    pub columns: Vec<ColumnFacts>,
    /// Columns of the primary key, in order.
    pub primary_key: Vec<String>,
    /// CHECK constraints: name and `pg_get_constraintdef`.
    pub checks: Vec<(String, String)>,
    /// User triggers that are enabled.
    pub triggers: Vec<TriggerFacts>,
    /// Foreign keys of other tables that point here.
    pub referenced_by: Vec<ForeignKeyFacts>,
    /// Indexes: name and `pg_get_indexdef`.
    pub indexes: Vec<(String, String)>,
    /// Constraints that look at other rows: foreign keys of this table, and exclusions. Name and
    /// `pg_get_constraintdef`.
    pub limits: Vec<(String, String)>,
    /// Constraints of it, its partitions and heirs that were never validated.
    pub unproven: Vec<UnprovenFacts>,
    /// `pg_get_partkeydef` of a partitioned table.
    pub partition_key: Option<String>,
    /// Tables that inherit from it and are no partitions, at any depth: `schema.name`.
    pub heirs: Vec<String>,
    /// Estimated rows (`reltuples`), −1 unknown.
    pub estimated_rows: i64,
    /// Size in 8-kB blocks of the main fork.
    pub blocks: i64,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnFacts {
    /// Name.
    pub name: String,
    /// `format_type`: `uuid`, `integer`, `timestamp with time zone`, `token_action_type`, `numeric(12,0)`.
    pub type_name: String,
    /// The same of the type that stands under a domain.
    pub base_type: String,
    /// Schema-qualified and quoted type for a cast in SQL: `public.token_action_type`.
    pub cast: String,
    /// NOT NULL, of the column or of its domain: a row without a value is refused. What is read may be
    /// null even so.
    pub not_null: bool,
    /// Default expression, of the column or else of its domain.
    pub default: Option<String>,
    /// `GENERATED …` or identity: must not be given.
    pub generated: bool,
    /// Labels where the type is an enum.
    pub enum_labels: Option<Vec<String>>,
    /// CHECK constraints of its domains: name and `pg_get_constraintdef`, which calls the value `VALUE`.
    pub domain_checks: Vec<(String, String)>,
}

/// A CHECK, NOT NULL or foreign key that is `NOT VALID`: rows that were there before may stand against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnprovenFacts {
    /// Name.
    pub name: String,
    /// The table that it belongs to, schema-qualified and quoted.
    pub table: String,
    /// `pg_get_constraintdef`.
    pub definition: String,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerFacts {
    /// Name.
    pub name: String,
    /// Fires on INSERT.
    pub on_insert: bool,
    /// Fires on UPDATE.
    pub on_update: bool,
    /// Fires on DELETE.
    pub on_delete: bool,
    /// Function, `schema.name`.
    pub function: String,
}

/// A foreign key of another table that points at this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKeyFacts {
    /// Name.
    pub name: String,
    /// The other table, `schema.name`.
    pub table: String,
    /// `pg_get_constraintdef`.
    pub definition: String,
    /// ON DELETE CASCADE / SET NULL / SET DEFAULT: a delete here would change rows there.
    pub delete_acts: bool,
}

/// A relation as the reader needs it.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub oid: String,
    pub name: TableName,
    pub relkind: char,
    pub populated: bool,
    pub schema_usage: bool,
    /// SELECT on the whole table; otherwise each column says for itself.
    pub table_select: bool,
    /// The role that reads: `current_user`.
    pub role: String,
    pub columns: Vec<Column>,
    /// Rows can be asked for by block (`ctid`).
    pub by_block: bool,
    /// Blocks of the largest member of its inheritance or partition tree.
    pub largest_blocks: i64,
    /// Blocks of all members.
    pub blocks: i64,
    pub estimated_rows: i64,
}

/// A column with its type resolved.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub facts: ColumnFacts,
    pub base: BaseType,
    pub select: bool,
    /// No row that is read has a null there.
    pub never_null: bool,
}

/// A type, domains followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BaseType {
    /// `pg_catalog`'s own: `int4`, `text`, `jsonb`…
    BuiltIn(String),
    Enum,
    /// Of an extension or made by hand: `citext`.
    Other(String),
}

impl Relation {
    /// What follows `from … t` to read every row: a condition that every row meets, since a scan by place
    /// is not counted among the sequential scans of the statistics. So the job's own reads do not look
    /// like somebody else's. Empty where rows cannot be asked for by place.
    pub fn all_rows(&self) -> &'static str {
        match self.by_place() {
            true => " where t.ctid >= '(0,0)'",
            false => "",
        }
    }

    /// Rows can be asked for by place, by this role.
    pub fn by_place(&self) -> bool {
        self.by_block && self.table_select
    }

    /// Quoted name with its schema.
    pub fn sql(&self) -> String {
        let schema = self.name.schema.as_deref().unwrap_or("public");
        format!("{}.{}", quote_identifier(schema), quote_identifier(&self.name.name))
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.facts.name == name)
    }
}

/// Finds a relation; `None` when there is none of that name.
pub(super) async fn find(session: &Session, table: &TableName) -> Result<Option<Relation>, SourceError> {
    let doing = format!("looking up {table}");
    let schema = table.schema.as_deref().unwrap_or_default();
    let rows = session.rows_with(include_str!("sql/relation.sql"), &[schema, &table.name], &doing).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let oid = text(&row, 0);
    let tree = session.rows_with(include_str!("sql/tree.sql"), &[&oid], &doing).await?;
    let columns = session.rows_with(include_str!("sql/columns.sql"), &[&oid], &doing).await?;
    let tree = tree.into_iter().next().unwrap_or_default();
    Ok(Some(Relation {
        name: TableName { schema: Some(text(&row, 1)), name: text(&row, 2) },
        relkind: text(&row, 3).chars().next().unwrap_or('r'),
        populated: flag(&row, 4),
        schema_usage: flag(&row, 5),
        table_select: flag(&row, 6),
        role: text(&row, 8),
        columns: columns.iter().map(column).collect(),
        by_block: flag(&tree, 0),
        largest_blocks: integer(&tree, 1).max(0),
        blocks: integer(&tree, 2).max(0),
        estimated_rows: integer(&tree, 3),
        oid,
    }))
}

fn column(row: &TextRow) -> Column {
    let labels: Option<String> = row[6].clone();
    let checks = row[13].as_deref().and_then(|json| serde_json::from_str(json).ok());
    let base = match (text(row, 9).as_str(), flag(row, 8)) {
        ("e", _) => BaseType::Enum,
        (_, true) => BaseType::BuiltIn(text(row, 7)),
        (_, false) => BaseType::Other(text(row, 7)),
    };
    Column {
        facts: ColumnFacts {
            name: text(row, 0),
            type_name: text(row, 1),
            base_type: text(row, 12),
            cast: text(row, 2),
            not_null: flag(row, 3),
            default: row[4].clone(),
            generated: flag(row, 5),
            enum_labels: labels.and_then(|json| serde_json::from_str(&json).ok()),
            domain_checks: checks.unwrap_or_default(),
        },
        base,
        select: flag(row, 10),
        never_null: flag(row, 11),
    }
}

/// All facts of a relation that was found.
pub(super) async fn facts(session: &Session, relation: &Relation) -> Result<TableFacts, SourceError> {
    let doing = format!("looking up {}", relation.name);
    let sql = include_str!("sql/constraints.sql");
    let rows = session.rows_with(sql, &[&relation.oid], &doing).await?;
    let mut facts = TableFacts {
        name: relation.name.clone(),
        relkind: relation.relkind,
        columns: relation.columns.iter().map(|column| column.facts.clone()).collect(),
        primary_key: Vec::new(),
        checks: Vec::new(),
        triggers: Vec::new(),
        referenced_by: Vec::new(),
        indexes: Vec::new(),
        limits: Vec::new(),
        unproven: Vec::new(),
        partition_key: None,
        heirs: Vec::new(),
        estimated_rows: relation.estimated_rows,
        blocks: relation.blocks,
    };
    for row in &rows {
        let (name, definition) = (text(row, 1), text(row, 2));
        match text(row, 0).as_str() {
            "primary_key" => facts.primary_key.push(name),
            "check" => facts.checks.push((name, definition)),
            "index" => facts.indexes.push((name, definition)),
            "limit" => facts.limits.push((name, definition)),
            "unproven" => {
                facts.unproven.push(UnprovenFacts { name, table: text(row, 3), definition });
            }
            "partition_key" => facts.partition_key = Some(definition),
            "heir" => facts.heirs.push(name),
            "trigger" => facts.triggers.push(trigger(name, definition, integer(row, 3))),
            _ => {
                let third = text(row, 3);
                let (acts, table) = third.split_once(' ').unwrap_or(("false", ""));
                let (table, delete_acts) = (table.to_owned(), acts == "true");
                facts.referenced_by.push(ForeignKeyFacts { name, table, definition, delete_acts });
            }
        }
    }
    Ok(facts)
}

/// `events`: the bits of `pg_trigger.tgtype`.
fn trigger(name: String, function: String, events: i64) -> TriggerFacts {
    const INSERT: i64 = 1 << 2;
    const DELETE: i64 = 1 << 3;
    const UPDATE: i64 = 1 << 4;
    TriggerFacts {
        name,
        function,
        on_insert: events & INSERT != 0,
        on_update: events & UPDATE != 0,
        on_delete: events & DELETE != 0,
    }
}

pub(super) fn text(row: &TextRow, at: usize) -> String {
    row.get(at).cloned().flatten().unwrap_or_default()
}

pub(super) fn flag(row: &TextRow, at: usize) -> bool {
    matches!(row.get(at), Some(Some(text)) if text == "true" || text == "t")
}

pub(super) fn integer(row: &TextRow, at: usize) -> i64 {
    text(row, at).parse().unwrap_or(-1)
}
