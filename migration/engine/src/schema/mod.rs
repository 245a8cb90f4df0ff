//! Reflection: the tables of a database as values that can be compared.
//!
//! Types and expressions are in the SQL of their database. So two schemas of the same kind of
//! database can be compared, and schemas of SQLite and PostgreSQL cannot. Names of indexes and
//! constraints are read but not compared: only their effect is.

mod compare;
mod difference;
mod expression;
mod postgres;
mod sql_text;
mod sqlite;

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub use compare::{compare, compare_tables};
pub(crate) use compare::{same_check, same_foreign_key, same_index};
pub use difference::{Difference, SchemaItem};
pub(crate) use expression::simplify_expr;
pub use sql_text::normalize_sql;
pub(crate) use sql_text::words;

/// The tables and views of a database that need no schema name in a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Schema {
    /// The tables by name.
    pub tables: BTreeMap<String, Table>,
    /// The names of the views.
    pub views: BTreeSet<String>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Table {
    /// `table`, or a special kind: `unlogged table`, `virtual table`, `table with row level
    /// security`.
    pub kind: String,
    /// The columns in their order.
    pub columns: Vec<Column>,
    /// The columns of the primary key.
    pub primary_key: Vec<String>,
    /// The foreign keys to other tables.
    pub foreign_keys: Vec<ForeignKey>,
    /// Indexes and UNIQUE constraints, without the primary key.
    pub indexes: Vec<Index>,
    /// The CHECK constraints of the columns and of the table.
    pub checks: Vec<Check>,
    /// The triggers.
    pub triggers: Vec<Trigger>,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type in lower case: `varchar(255)`, `bigint`, `timestamp with time zone`.
    pub data_type: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// The default as SQL.
    pub default: Option<String>,
    /// How the database numbers new rows: `autoincrement` on SQLite, the type of the sequence on
    /// PostgreSQL.
    pub auto_increment: Option<String>,
    /// The expression of a generated column.
    pub generated: Option<String>,
    /// The collation, if it is not the default.
    pub collation: Option<String>,
}

/// A foreign key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ForeignKey {
    /// The name of the constraint; empty if it has none.
    pub name: String,
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub parent: String,
    /// The columns referred to.
    pub parent_columns: Vec<String>,
    /// `cascade`, `restrict`, `set null`, `set default` or `no action`.
    pub on_delete: String,
    /// What an update of the parent's columns does, with the same values as `on_delete`.
    pub on_update: String,
    /// Further properties, if it has any: `deferrable`, `not valid`.
    pub notes: String,
}

/// An index or a UNIQUE constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Index {
    /// The name; empty for a UNIQUE constraint without one.
    pub name: String,
    /// Columns or expressions, followed by `DESC` where the order is descending.
    pub columns: Vec<String>,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether it is a UNIQUE constraint.
    pub constraint: bool,
    /// The condition of a partial index.
    pub predicate: Option<String>,
    /// Further properties, if it has any: `using gin`, `include (x)`, `invalid`.
    pub notes: String,
}

/// A CHECK constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The name of the constraint; empty if it has none.
    pub name: String,
    /// The columns that the condition reads.
    pub columns: Vec<String>,
    /// The condition as SQL.
    pub condition: String,
    /// Further properties, if it has any: `not valid`.
    pub notes: String,
}

/// A trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trigger {
    /// The name.
    pub name: String,
    /// The statement that creates it.
    pub definition: String,
}

/// Reads the schema from the catalogue of the database. Changes nothing.
///
/// # Errors
/// An error of the database.
pub async fn read(db: &impl ConnectionTrait) -> Result<Schema, DbErr> {
    match db.get_database_backend() {
        DbBackend::Postgres => postgres::read(db).await,
        _ => sqlite::read(db).await,
    }
}
