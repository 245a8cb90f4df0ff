//! The definition of a table at one point of a chain of migrations.

use crate::create_table::{Definition, definitions};
use sea_orm_migration::prelude::*;

/// The columns, constraints and indexes of one table.
///
/// A migration takes the definition of an earlier migration and writes only what differs:
/// `m20250101_000001_create_users::users().column(ColumnDef::new("nick").string())`.
#[derive(Debug, Clone)]
pub struct TableDef {
    pub(crate) table: &'static str,
    pub(crate) columns: Vec<ColumnDef>,
    primary_key: Option<IndexCreateStatement>,
    uniques: Vec<IndexCreateStatement>,
    foreign_keys: Vec<ForeignKeyCreateStatement>,
    pub(crate) indexes: Vec<(String, IndexCreateStatement)>,
}

impl TableDef {
    /// A table without columns.
    pub fn new(table: &'static str) -> Self {
        Self { table, columns: vec![], primary_key: None, uniques: vec![], foreign_keys: vec![], indexes: vec![] }
    }

    /// Adds a column, or replaces the definition of the column of that name.
    pub fn column(mut self, column: &mut ColumnDef) -> Self {
        let column = column.take();
        match self.columns.iter_mut().find(|known| known.get_column_name() == column.get_column_name()) {
            Some(known) => *known = column,
            None => self.columns.push(column),
        }
        self
    }

    /// Sets a primary key of several columns. A key of one column is part of that column's
    /// definition.
    pub fn primary_key<const N: usize>(mut self, columns: [&'static str; N]) -> Self {
        self.primary_key = Some(over(&columns).primary().take());
        self
    }

    /// Adds a foreign key to `parent(id)` with ON DELETE CASCADE, named as PostgreSQL names one:
    /// `<table>_<column>_fkey`.
    pub fn belongs_to(self, column: &'static str, parent: &'static str) -> Self {
        let name = format!("{}_{column}_fkey", self.table);
        let mut key = ForeignKey::create().name(name).from(self.table, column).to(parent, "id").take();
        self.foreign_key(key.on_delete(ForeignKeyAction::Cascade))
    }

    /// Adds any other foreign key.
    pub fn foreign_key(mut self, key: &mut ForeignKeyCreateStatement) -> Self {
        self.foreign_keys.push(key.take());
        self
    }

    /// Adds a named UNIQUE constraint.
    pub fn unique<const N: usize>(mut self, name: &'static str, columns: [&'static str; N]) -> Self {
        self.uniques.push(over(&columns).name(name).unique().take());
        self
    }

    /// Adds an index of one column, named as SQLAlchemy names one: `ix_<table>_<column>`.
    pub fn index(self, column: &'static str) -> Self {
        let (table, name) = (self.table, format!("ix_{}_{column}", self.table));
        self.custom_index(Index::create().name(name).table(table).col(column))
    }

    /// Adds any other index.
    pub fn custom_index(mut self, index: &mut IndexCreateStatement) -> Self {
        let name = index.get_index_spec().get_name().unwrap_or_default().to_owned();
        self.indexes.push((name, index.if_not_exists().take()));
        self
    }

    /// As [`TableDef::index`], for a unique index.
    pub fn unique_index(self, column: &'static str) -> Self {
        let mut table = self.index(column);
        if let Some((_, index)) = table.indexes.last_mut() {
            index.unique();
        }
        table
    }

    /// Removes the column, index or constraint of this name.
    pub fn without(mut self, name: &str) -> Self {
        let is_other = |known: Option<&str>| known != Some(name);
        self.columns.retain(|column| column.get_column_name() != name);
        self.uniques.retain(|unique| is_other(unique.get_index_spec().get_name()));
        self.foreign_keys.retain(|key| is_other(key.get_foreign_key().get_name()));
        self.indexes.retain(|(known, _)| known != name);
        self
    }

    /// Removes the index that [`TableDef::index`] added for this column.
    pub fn without_index(mut self, column: &'static str) -> Self {
        let name = format!("ix_{}_{column}", self.table);
        self.indexes.retain(|(known, _)| *known != name);
        self
    }

    /// The names of all columns, in their order.
    pub fn column_names(&self) -> Vec<String> {
        self.columns.iter().map(ColumnDef::get_column_name).collect()
    }

    /// Creates the table and its indexes.
    ///
    /// # Errors
    /// An error of the database.
    pub async fn create(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.create_table(self.statement()).await?;
        self.create_indexes(manager).await
    }

    /// Creates those of its indexes that do not exist.
    ///
    /// # Errors
    /// An error of the database.
    pub async fn create_indexes(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for (_, index) in &self.indexes {
            manager.create_index(index.clone()).await?;
        }
        Ok(())
    }

    fn statement(&self) -> TableCreateStatement {
        let mut create = Table::create();
        create.table(self.table);
        for column in &self.columns {
            create.col(column.clone());
        }
        for constraint in self.primary_key.iter().chain(&self.uniques) {
            create.index(&mut constraint.clone());
        }
        for key in &self.foreign_keys {
            create.foreign_key(&mut key.clone());
        }
        create
    }

    pub(crate) fn definitions(&self) -> Vec<Definition> {
        definitions(&self.statement().to_string(SqliteQueryBuilder))
    }

    pub(crate) fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.get_column_name().eq_ignore_ascii_case(name))
    }

    /// Whether the table has an AUTOINCREMENT key: SQLite never uses the id of a deleted row again.
    pub(crate) fn never_reuses_ids(&self) -> bool {
        self.columns.iter().any(|column| column.get_column_spec().auto_increment)
    }
}

/// An index or a constraint over these columns.
fn over(columns: &[&'static str]) -> IndexCreateStatement {
    let mut constraint = Index::create();
    for column in columns {
        constraint.col(*column);
    }
    constraint
}
