//! A table as it stands after one migration, and the rebuild that brings a SQLite table from one shape to the next.
//!
//! SQLite cannot alter a column: the table is made anew beside the old one, filled from it, and takes its name, as Alembic's
//! `batch_alter_table` does it. A migration writes only what differs: `ids::users().column(…)`.

use crate::aside::Aside;
use crate::definitions::{Definition, Key, definitions};
use crate::sql;
use sea_orm_migration::prelude::*;

/// Columns, keys and indexes of one table.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    table: &'static str,
    columns: Vec<ColumnDef>,
    primary_key: Option<IndexCreateStatement>,
    uniques: Vec<IndexCreateStatement>,
    foreign_keys: Vec<ForeignKeyCreateStatement>,
    indexes: Vec<(String, IndexCreateStatement)>,
}

impl Shape {
    pub(crate) fn new(table: &'static str) -> Self {
        Self { table, columns: vec![], primary_key: None, uniques: vec![], foreign_keys: vec![], indexes: vec![] }
    }

    /// Adds a column, or puts this definition in the place of the one it had.
    pub(crate) fn column(mut self, column: &mut ColumnDef) -> Self {
        let column = column.take();
        match self.columns.iter_mut().find(|known| known.get_column_name() == column.get_column_name()) {
            Some(known) => *known = column,
            None => self.columns.push(column),
        }
        self
    }

    /// A primary key of several columns; one of a single column is said with the column.
    #[allow(dead_code, reason = "for migrations to come")]
    pub(crate) fn primary_key<const N: usize>(mut self, columns: [&'static str; N]) -> Self {
        self.primary_key = Some(over(&columns).primary().take());
        self
    }

    /// A reference to `parent(id)` that goes when the parent goes, under PostgreSQL's own name for it.
    pub(crate) fn belongs_to(self, column: &'static str, parent: &'static str) -> Self {
        let name = format!("{}_{column}_fkey", self.table);
        let mut key = ForeignKey::create().name(name).from(self.table, column).to(parent, "id").take();
        self.foreign_key(key.on_delete(ForeignKeyAction::Cascade))
    }

    /// Any other reference.
    pub(crate) fn foreign_key(mut self, key: &mut ForeignKeyCreateStatement) -> Self {
        self.foreign_keys.push(key.take());
        self
    }

    /// A named UNIQUE constraint.
    pub(crate) fn unique<const N: usize>(mut self, name: &'static str, columns: [&'static str; N]) -> Self {
        self.uniques.push(over(&columns).name(name).unique().take());
        self
    }

    /// An index under the name that SQLAlchemy gives it, `ix_<table>_<column>`.
    pub(crate) fn index(self, column: &'static str) -> Self {
        let (table, name) = (self.table, format!("ix_{}_{column}", self.table));
        self.index_as(Index::create().name(name).table(table).col(column))
    }

    /// Any other index.
    pub(crate) fn index_as(mut self, index: &mut IndexCreateStatement) -> Self {
        let name = index.get_index_spec().get_name().unwrap_or_default().to_owned();
        self.indexes.push((name, index.if_not_exists().take()));
        self
    }

    /// As [`Shape::index`], and unique.
    pub(crate) fn unique_index(self, column: &'static str) -> Self {
        let mut shape = self.index(column);
        if let Some((_, index)) = shape.indexes.last_mut() {
            index.unique();
        }
        shape
    }

    /// Without the column, index or constraint of this name.
    #[allow(dead_code, reason = "for migrations to come")]
    pub(crate) fn without(mut self, name: &str) -> Self {
        let is_other = |known: Option<&str>| known != Some(name);
        self.columns.retain(|column| column.get_column_name() != name);
        self.uniques.retain(|unique| is_other(unique.get_index_spec().get_name()));
        self.foreign_keys.retain(|key| is_other(key.get_foreign_key().get_name()));
        self.indexes.retain(|(known, _)| known != name);
        self
    }

    /// Without the index of that column.
    pub(crate) fn without_index(mut self, column: &'static str) -> Self {
        let name = format!("ix_{}_{column}", self.table);
        self.indexes.retain(|(known, _)| *known != name);
        self
    }

    /// Every column but the key.
    pub(crate) fn fields(&self) -> Vec<String> {
        self.columns.iter().map(ColumnDef::get_column_name).filter(|name| name != "id").collect()
    }

    /// Makes the table and its indexes.
    pub(crate) async fn create(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        manager.create_table(self.statement()).await?;
        self.create_indexes(manager).await
    }

    /// Makes those of its indexes that are not there.
    pub(crate) async fn create_indexes(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        for (_, index) in &self.indexes {
            manager.create_index(index.clone()).await?;
        }
        Ok(())
    }

    /// Brings the SQLite table from the shape `before` to this one. A column that `convert` names takes its expression,
    /// every other known one is copied, and whatever the table has beside `before` (columns, constraints, indexes,
    /// triggers) stays as it is. Views and other tables go on naming it.
    pub(crate) async fn rebuild(
        &self,
        manager: &SchemaManager<'_>,
        before: &Self,
        convert: &[(&str, String)],
    ) -> Result<(), DbErr> {
        let table = self.table;
        let scratch = format!("{table}_rebuilt");
        refuse_foreign_keys(manager).await?;
        let strange = Strange::read(manager, self, before).await?;
        let aside = Aside::take(manager, &[table]).await?;

        let mut targets: Vec<String> = Vec::new();
        let mut sources: Vec<String> = Vec::new();
        for name in self.columns.iter().map(ColumnDef::get_column_name) {
            let source = match convert.iter().find(|(column, _)| *column == name) {
                Some((_, expression)) => expression.clone(),
                None if before.has_column(&name) => format!("{table}.{name}"),
                None => continue,
            };
            targets.push(name);
            sources.push(source);
        }
        for name in &strange.copied {
            let quoted = name.replace('"', "\"\"");
            targets.push(format!("\"{quoted}\""));
            // Alone, a quoted name that is no column would be taken for a string.
            sources.push(format!("{table}.\"{quoted}\""));
        }

        // Without it, the new name would be refused for the sake of every view and trigger elsewhere that names the table.
        sql::run(manager, "PRAGMA legacy_alter_table = ON").await?;
        let parts = strange.merged_into(self.definitions());
        sql::run(manager, &format!("CREATE TABLE \"{scratch}\" ({})", parts.join(", "))).await?;
        if self.never_reuses_ids() && before.never_reuses_ids() {
            let carry = format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT '{scratch}', seq FROM sqlite_sequence WHERE name = '{table}'"
            );
            sql::run(manager, &carry).await?;
        }
        let (targets, sources) = (targets.join(", "), sources.join(", "));
        sql::run(manager, &format!("INSERT INTO \"{scratch}\" ({targets}) SELECT {sources} FROM \"{table}\"")).await?;
        manager.drop_table(Table::drop().table(table).take()).await?;
        manager.rename_table(Table::rename().table(scratch, table).take()).await?;
        sql::run(manager, "PRAGMA legacy_alter_table = OFF").await?;

        self.create_indexes(manager).await?;
        for index in &strange.indexes {
            sql::run(manager, index).await?;
        }
        aside.give_back(manager).await
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

    fn definitions(&self) -> Vec<Definition> {
        definitions(&self.statement().to_string(SqliteQueryBuilder))
    }

    fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.get_column_name().eq_ignore_ascii_case(name))
    }

    fn never_reuses_ids(&self) -> bool {
        self.columns.iter().any(|column| column.get_column_spec().auto_increment)
    }
}

/// A constraint over these columns.
fn over(columns: &[&'static str]) -> IndexCreateStatement {
    let mut constraint = Index::create();
    for column in columns {
        constraint.col(*column);
    }
    constraint
}

/// What a table has that neither of two shapes knows.
struct Strange {
    definitions: Vec<Definition>,
    /// Its columns that hold values of their own; a generated one does not.
    copied: Vec<String>,
    indexes: Vec<String>,
}

impl Strange {
    async fn read(manager: &SchemaManager<'_>, after: &Shape, before: &Shape) -> Result<Self, DbErr> {
        let table = after.table;
        let ours = after.definitions().into_iter().chain(before.definitions());
        // A CHECK that we say with its column may stand apart from it.
        let known: Vec<Key> = ours.flat_map(|part| part.checks().into_iter().chain([part.key])).collect();
        let mut strange = Self { definitions: vec![], copied: vec![], indexes: vec![] };
        for row in master(manager, "table", table).await? {
            strange.definitions = definitions(&row.1);
            strange.definitions.retain(|part| part.key != Key::Primary && !known.contains(&part.key));
        }
        let columns = format!("SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden = 0");
        for row in sql::rows(manager, &columns).await? {
            let name: String = row.try_get_by_index(0)?;
            if !after.has_column(&name) && !before.has_column(&name) {
                strange.copied.push(name);
            }
        }
        for (name, create) in master(manager, "index", table).await? {
            if !after.indexes.iter().chain(&before.indexes).any(|(known, _)| *known == name) {
                strange.indexes.push(create);
            }
        }
        Ok(strange)
    }

    /// The texts of all parts, columns first, as SQLite wants them.
    fn merged_into(&self, ours: Vec<Definition>) -> Vec<String> {
        let (mut columns, mut constraints) = (Vec::new(), Vec::new());
        for part in ours.iter().chain(&self.definitions) {
            let list = if part.is_column() { &mut columns } else { &mut constraints };
            list.push(part.text.clone());
        }
        columns.append(&mut constraints);
        columns
    }
}

/// Name and text of every `kind` of thing that hangs on the table.
pub(crate) async fn master(
    manager: &SchemaManager<'_>,
    kind: &str,
    table: &str,
) -> Result<Vec<(String, String)>, DbErr> {
    let select = format!(
        "SELECT name, sql FROM sqlite_master WHERE type = '{kind}' AND tbl_name = '{table}' COLLATE NOCASE AND sql IS NOT NULL"
    );
    sql::rows(manager, &select)
        .await?
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect()
}

/// With foreign keys on, dropping the old table would delete the rows of every table that refers to it.
async fn refuse_foreign_keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    match sql::count(manager, "pragma_foreign_keys WHERE foreign_keys = 1").await? {
        0 => Ok(()),
        _ => Err(DbErr::Migration(
            "this connection enforces foreign keys, so that rebuilding a table would delete what refers to it: \
             migrate with `migration::upgrade` or the command line"
                .to_owned(),
        )),
    }
}
