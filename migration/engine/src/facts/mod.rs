//! What a database says of its own tables, as values that can be compared.
//!
//! A fact is told in the words of its database, so that facts of two databases of the same kind can be compared and facts of
//! SQLite and PostgreSQL cannot. Names of indexes and constraints are read and not compared: what they do counts.

mod compare;
mod plain;
mod postgres;
mod sqlite;
mod text;

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub use compare::{Difference, Part, compare, compare_tables};
pub(crate) use compare::{remove, same_check, same_index, same_key};
pub(crate) use plain::plain;
pub use text::squeezed;
pub(crate) use text::words;

/// Every table and view that a statement finds without naming a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The tables by their names.
    pub tables: BTreeMap<String, Table>,
    /// The names of the views.
    pub views: BTreeSet<String>,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Table {
    /// `table`, or what kind of table it is when it is no plain one.
    pub kind: String,
    /// In their order.
    pub columns: Vec<Column>,
    /// The columns of the primary key.
    pub primary_key: Vec<String>,
    /// What it refers to.
    pub foreign_keys: Vec<ForeignKey>,
    /// Indexes and UNIQUE constraints, without the primary key.
    pub indexes: Vec<Index>,
    /// The CHECKs of columns and table.
    pub checks: Vec<Check>,
    /// What runs when a row changes.
    pub triggers: Vec<Trigger>,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// One column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, in lower case: `varchar(255)`, `bigint`, `timestamp with time zone`.
    pub kind: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Its default, as SQL.
    pub default: Option<String>,
    /// How the database numbers it: `autoincrement` on SQLite, the type of the sequence on PostgreSQL.
    pub numbered: Option<String>,
    /// What a generated column is computed from.
    pub generated: Option<String>,
    /// A collation that is not the usual one.
    pub collation: Option<String>,
}

/// One foreign key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ForeignKey {
    /// The name of the constraint; empty where it has none.
    pub name: String,
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table referred to.
    pub parent: String,
    /// Its columns.
    pub parent_columns: Vec<String>,
    /// `cascade`, `restrict`, `set null`, `set default` or `no action`.
    pub on_delete: String,
    /// The same for a changed key.
    pub on_update: String,
    /// What is unusual about it: `deferrable`, `not valid`.
    pub notes: String,
}

/// One index, or one UNIQUE constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Index {
    /// Its name; empty for a nameless UNIQUE.
    pub name: String,
    /// Columns or expressions, with their direction when it is not the usual one.
    pub columns: Vec<String>,
    /// Whether it refuses equal rows.
    pub unique: bool,
    /// Whether it is a constraint of the table rather than an index beside it.
    pub constraint: bool,
    /// The rows that it holds when it does not hold all.
    pub predicate: Option<String>,
    /// What is unusual about it: `using gin`, `include (x)`, `invalid`.
    pub notes: String,
}

/// One CHECK.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The name of the constraint; empty where it has none.
    pub name: String,
    /// The columns of the table that it reads.
    pub columns: Vec<String>,
    /// What must hold.
    pub condition: String,
    /// What is unusual about it: `not valid`.
    pub notes: String,
}

/// One trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The statement that makes it.
    pub definition: String,
}

/// Reads the catalogue. Changes nothing.
pub async fn read(db: &impl ConnectionTrait) -> Result<Facts, DbErr> {
    match db.get_database_backend() {
        DbBackend::Postgres => postgres::read(db).await,
        _ => sqlite::read(db).await,
    }
}
