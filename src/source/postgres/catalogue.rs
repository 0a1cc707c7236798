//! What the database's catalogue says about a table. Plain types: `repair`, `config::infer` and the
//! commands read them, only this folder fills them.

use crate::config::TableName;

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
    /// Schema-qualified and quoted type for a cast in SQL: `public.token_action_type`.
    pub cast: String,
    /// NOT NULL.
    pub not_null: bool,
    /// Default expression.
    pub default: Option<String>,
    /// `GENERATED …` or identity: must not be given.
    pub generated: bool,
    /// Labels where the type is an enum.
    pub enum_labels: Option<Vec<String>>,
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
