//! The rebuild of a SQLite table from one definition to the next.

use crate::create_table::{Definition, DefinitionSubject, definitions};
use crate::{DetachedDependents, TableDef, sql};
use sea_orm_migration::prelude::*;

impl TableDef {
    /// Rebuilds the SQLite table from the definition `before` to this one.
    ///
    /// Use it on SQLite to change a column, a constraint or a foreign key, which SQLite cannot
    /// alter. As Alembic's `batch_alter_table` does it, a new table is created, filled from the old
    /// one, and renamed.
    ///
    /// A column in `convert` is filled from its SQL expression, every other column of `before` is
    /// copied. The rebuild keeps the columns, constraints, indexes and triggers that neither
    /// definition has. Views and foreign keys of other tables go on naming the table.
    ///
    /// It copies the whole table and holds the write lock meanwhile.
    ///
    /// # Errors
    /// [`DbErr::Migration`] if the connection enforces foreign keys, or if a trigger does not fit
    /// the new table; errors of the database.
    pub async fn rebuild(
        &self,
        manager: &SchemaManager<'_>,
        before: &Self,
        convert: &[(&str, String)],
    ) -> Result<(), DbErr> {
        let table = self.table;
        let scratch = format!("{table}_rebuilt");
        refuse_foreign_keys(manager).await?;
        let unmanaged = UnmanagedParts::read(manager, self, before).await?;
        let dependents = DetachedDependents::detach(manager, &[table]).await?;

        // Without this pragma, SQLite refuses to rename the table if a view, or a trigger of
        // another table, uses the name.
        sql::execute(manager, "PRAGMA legacy_alter_table = ON").await?;
        let definitions = unmanaged.append_to(self.definitions());
        sql::execute(manager, &format!("CREATE TABLE \"{scratch}\" ({})", definitions.join(", "))).await?;
        if self.never_reuses_ids() && before.never_reuses_ids() {
            let copy_sequence = format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT '{scratch}', seq FROM sqlite_sequence WHERE name = '{table}'"
            );
            sql::execute(manager, &copy_sequence).await?;
        }
        let (targets, sources) = self.copied_columns(before, convert, &unmanaged);
        sql::execute(manager, &format!("INSERT INTO \"{scratch}\" ({targets}) SELECT {sources} FROM \"{table}\""))
            .await?;
        manager.drop_table(Table::drop().table(table).take()).await?;
        manager.rename_table(Table::rename().table(scratch, table).take()).await?;
        sql::execute(manager, "PRAGMA legacy_alter_table = OFF").await?;

        self.create_indexes(manager).await?;
        for index in &unmanaged.indexes {
            sql::execute(manager, index).await?;
        }
        dependents.reattach(manager).await
    }

    /// The columns to fill, and the expressions that fill them, as two lists of SQL.
    fn copied_columns(
        &self,
        before: &Self,
        convert: &[(&str, String)],
        unmanaged: &UnmanagedParts,
    ) -> (String, String) {
        let table = self.table;
        let mut targets: Vec<String> = Vec::new();
        let mut sources: Vec<String> = Vec::new();
        for name in self.column_names() {
            let source = match convert.iter().find(|(column, _)| *column == name) {
                Some((_, expression)) => expression.clone(),
                None if before.has_column(&name) => format!("{table}.{name}"),
                None => continue,
            };
            targets.push(name);
            sources.push(source);
        }
        for name in &unmanaged.value_columns {
            let quoted = name.replace('"', "\"\"");
            targets.push(format!("\"{quoted}\""));
            // Without the table, SQLite would take a quoted name that is no column for a string.
            sources.push(format!("{table}.\"{quoted}\""));
        }
        (targets.join(", "), sources.join(", "))
    }
}

/// The parts of a live table that neither of two definitions has: users added them.
struct UnmanagedParts {
    definitions: Vec<Definition>,
    /// The columns that store values; a generated column stores none.
    value_columns: Vec<String>,
    indexes: Vec<String>,
}

impl UnmanagedParts {
    async fn read(manager: &SchemaManager<'_>, after: &TableDef, before: &TableDef) -> Result<Self, DbErr> {
        let table = after.table;
        let managed = after.definitions().into_iter().chain(before.definitions());
        // The same CHECK can be part of a column in the TableDef, and a constraint of the table
        // in the database.
        let managed: Vec<DefinitionSubject> =
            managed.flat_map(|definition| definition.checks().into_iter().chain([definition.subject])).collect();
        let mut parts = Self { definitions: vec![], value_columns: vec![], indexes: vec![] };
        for (_, create) in schema_objects(manager, "table", table).await? {
            parts.definitions = definitions(&create);
            parts.definitions.retain(|definition| {
                definition.subject != DefinitionSubject::PrimaryKey && !managed.contains(&definition.subject)
            });
        }
        let columns = format!("SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden = 0");
        for row in sql::query(manager, &columns).await? {
            let name: String = row.try_get_by_index(0)?;
            if !after.has_column(&name) && !before.has_column(&name) {
                parts.value_columns.push(name);
            }
        }
        for (name, create) in schema_objects(manager, "index", table).await? {
            if !after.indexes.iter().chain(&before.indexes).any(|(known, _)| *known == name) {
                parts.indexes.push(create);
            }
        }
        Ok(parts)
    }

    /// The SQL of these definitions and of the unmanaged ones. SQLite wants columns before
    /// constraints.
    fn append_to(&self, managed: Vec<Definition>) -> Vec<String> {
        let (mut columns, mut constraints) = (Vec::new(), Vec::new());
        for definition in managed.iter().chain(&self.definitions) {
            let list = if definition.is_column() { &mut columns } else { &mut constraints };
            list.push(definition.text.clone());
        }
        columns.append(&mut constraints);
        columns
    }
}

/// Name and SQL of the objects of this kind (`table`, `index`, `trigger`) that belong to the table.
pub(crate) async fn schema_objects(
    manager: &SchemaManager<'_>,
    kind: &str,
    table: &str,
) -> Result<Vec<(String, String)>, DbErr> {
    let select = format!(
        "SELECT name, sql FROM sqlite_master WHERE type = '{kind}' AND tbl_name = '{table}' COLLATE NOCASE AND sql IS NOT NULL"
    );
    sql::query(manager, &select)
        .await?
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect()
}

/// With foreign keys on, dropping the old table would delete the rows of every table that refers to
/// it.
async fn refuse_foreign_keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    match sql::count(manager, "pragma_foreign_keys WHERE foreign_keys = 1").await? {
        0 => Ok(()),
        _ => Err(DbErr::Migration(
            "this connection enforces foreign keys, so rebuilding a table would delete the rows that refer to it: \
             migrate with the command line, or turn them off first (PRAGMA foreign_keys = OFF)"
                .to_owned(),
        )),
    }
}
