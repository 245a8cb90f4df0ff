//! The SQL that creates the columns, indexes and constraints of the live database again, for the
//! downgrade.
//!
//! sea-query cannot express all of them: `USING gin`, INCLUDE, NULLS NOT DISTINCT, operator
//! classes, identities, deferrable keys, comments.

use super::{column_types, expressions};
use crate::check::is_created;
use crate::schema::{Check, Column, Difference, ForeignKey, Index, Schema, SchemaItem, Table, simplify_expr, words};
use operations::create_table::{DefinitionSubject, definitions};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use std::collections::BTreeMap;

/// The definitions of the live database, and which of them the migrations created.
pub(super) struct LiveDefinitions {
    pub(super) is_postgres: bool,
    columns: Statements,
    indexes_and_constraints: Statements,
    schema: Schema,
    created: Schema,
}

/// The databases on which a piece of code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backends {
    /// It runs on both.
    Both,
    /// It is in the branch of one of them: `if sql::is_postgres(manager) { … } else { … }`.
    One { postgres: bool },
}

impl LiveDefinitions {
    pub(super) async fn read(db: &impl ConnectionTrait, schema: &Schema, created: &Schema) -> Result<Self, DbErr> {
        let is_postgres = db.get_database_backend() == DbBackend::Postgres;
        let (columns, indexes_and_constraints) = if is_postgres {
            (statements(db, COLUMNS).await?, statements(db, INDEXES_AND_CONSTRAINTS).await?)
        } else {
            (sqlite_columns(db).await?, statements(db, SQLITE_INDEXES).await?)
        };
        Ok(Self { is_postgres, columns, indexes_and_constraints, schema: schema.clone(), created: created.clone() })
    }

    /// The whole live table.
    pub(super) fn table(&self, table: &str) -> Option<&Table> {
        self.schema.tables.get(table)
    }

    /// Whether a user added the item to the live database. It exists on this kind of database only.
    pub(super) fn is_extra(&self, table: &str, item: &SchemaItem) -> bool {
        let difference =
            Difference { table: table.to_owned(), expected: None, actual: Some(item.clone()), ignorable: false };
        self.is_live(table, item) && !is_created(&self.created, &difference)
    }

    /// Code that drops the item. If a user added the item, the code runs only on the kind of
    /// database that was read.
    pub(super) fn drop_code(
        &self,
        table: &str,
        item: &SchemaItem,
        code: Vec<String>,
        backends: Backends,
    ) -> Vec<String> {
        if !self.is_extra(table, item) {
            return code;
        }
        self.only_on_live_backend(code, backends)
    }

    /// Code that creates the item: `portable`, or the live definition if `portable` would create
    /// something else.
    pub(super) fn create_code(
        &self,
        table: &str,
        item: &SchemaItem,
        portable: Vec<String>,
        backends: Backends,
    ) -> Vec<String> {
        if !self.is_live(table, item) {
            return portable;
        }
        let is_extra = self.is_extra(table, item);
        let Some(statements) = self.statements(table, item).filter(|_| is_extra || !self.is_portable(table, item))
        else {
            return portable;
        };
        let live = statements.iter().map(|statement| format!("sql::execute(manager, {statement:?}).await?;")).collect();
        match backends {
            Backends::One { postgres } if postgres != self.is_postgres => {
                if is_extra {
                    Vec::new()
                } else {
                    portable
                }
            }
            Backends::One { .. } => live,
            Backends::Both if is_extra => self.only_on_live_backend(live, backends),
            Backends::Both => {
                let mut code = vec![self.branch_condition()];
                code.extend(live);
                code.push("} else {".to_owned());
                code.extend(portable);
                code.push("}".to_owned());
                code
            }
        }
    }

    /// The live definition of a column without its name, for a table that SQLite rebuilds.
    pub(super) fn sqlite_column_definition(&self, table: &str, column: &Column) -> Option<String> {
        let item = SchemaItem::Column(column.clone());
        if self.is_postgres || !self.is_live(table, &item) || self.is_portable(table, &item) {
            return None;
        }
        let text = self.statements(table, &item)?.first()?.split_once(" ADD COLUMN ")?.1.to_owned();
        let name = words(&text).next()?.len();
        Some(text[name..].trim().to_owned())
    }

    /// The table as it is on SQLite: without items that only the live PostgreSQL database has.
    pub(super) fn table_on_sqlite(&self, name: &str, table: &Table) -> Table {
        let mut table = table.clone();
        if self.is_postgres {
            let is_extra = |item: SchemaItem| self.is_extra(name, &item);
            table.columns.retain(|column| !is_extra(SchemaItem::Column(column.clone())));
            table.indexes.retain(|index| index.notes.is_empty() && !is_extra(SchemaItem::Index(index.clone())));
            table.foreign_keys.retain(|key| !is_extra(SchemaItem::ForeignKey(key.clone())));
            table.checks.retain(|check| !is_extra(SchemaItem::Check(check.clone())));
        }
        table
    }

    /// Puts the code into a branch, if it is in none.
    fn only_on_live_backend(&self, code: Vec<String>, backends: Backends) -> Vec<String> {
        match backends {
            _ if code.is_empty() => code,
            Backends::One { postgres } if postgres == self.is_postgres => code,
            Backends::One { .. } => Vec::new(),
            Backends::Both => [vec![self.branch_condition()], code, vec!["}".to_owned()]].concat(),
        }
    }

    fn branch_condition(&self) -> String {
        let not = if self.is_postgres { "" } else { "!" };
        format!("if {not}sql::is_postgres(manager) {{")
    }

    fn statements(&self, table: &str, item: &SchemaItem) -> Option<&Vec<String>> {
        let (list, name) = match item {
            SchemaItem::Column(column) => (&self.columns, &column.name),
            SchemaItem::Index(Index { name, .. })
            | SchemaItem::ForeignKey(ForeignKey { name, .. })
            | SchemaItem::Check(Check { name, .. }) => (&self.indexes_and_constraints, name),
            _ => return None,
        };
        list.get(&(table.to_owned(), name.clone()))
    }

    /// Whether the live table has the item. An item that only the entities have has no live
    /// definition.
    fn is_live(&self, table: &str, item: &SchemaItem) -> bool {
        let Some(table) = self.schema.tables.get(table) else { return false };
        match item {
            SchemaItem::Column(column) => table.column(&column.name).is_some(),
            SchemaItem::Index(index) => table.indexes.iter().any(|known| known.name == index.name),
            SchemaItem::ForeignKey(key) => table.foreign_keys.iter().any(|known| known.name == key.name),
            SchemaItem::Check(check) => table.checks.iter().any(|known| known.name == check.name),
            _ => false,
        }
    }

    /// Whether portable code creates exactly this item.
    fn is_portable(&self, table: &str, item: &SchemaItem) -> bool {
        // A second statement creates a comment or a sequence.
        let is_single = self.statements(table, item).is_none_or(|statements| statements.len() == 1);
        is_single
            && match item {
                SchemaItem::Column(column) => {
                    let live = self.schema.tables.get(table).and_then(|table| table.column(&column.name));
                    live.is_some_and(|live| self.is_portable_column(live, &column.data_type))
                }
                SchemaItem::Index(index) => index.notes.is_empty() && !expressions::has_expressions(index),
                SchemaItem::ForeignKey(ForeignKey { notes, .. }) | SchemaItem::Check(Check { notes, .. }) => {
                    notes.is_empty()
                }
                _ => true,
            }
    }

    fn is_portable_column(&self, live: &Column, call: &str) -> bool {
        let is_value = |default: &String| !expressions::value(&simplify_expr(default)).starts_with("Expr::");
        column_types::is_exact(call, &live.data_type, self.is_postgres)
            && live.default.as_ref().is_none_or(is_value)
            && (&live.auto_increment, &live.generated, &live.collation) == (&None, &None, &None)
    }
}

/// The statements that create an item, by table and name.
type Statements = BTreeMap<(String, String), Vec<String>>;

async fn statements(db: &impl ConnectionTrait, select: &str) -> Result<Statements, DbErr> {
    let mut actual = Statements::new();
    for row in rows(db, select).await? {
        let key: (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        for at in 2..5 {
            // Not every query has so many columns.
            if let Ok(Some(statement)) = row.try_get_by_index::<Option<String>>(at) {
                actual.entry(key.clone()).or_default().push(statement);
            }
        }
    }
    Ok(actual)
}

async fn sqlite_columns(db: &impl ConnectionTrait) -> Result<Statements, DbErr> {
    let mut actual = Statements::new();
    for row in
        rows(db, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'").await?
    {
        let (table, create): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let columns = format!("SELECT name FROM pragma_table_xinfo('{}')", table.replace('\'', "''"));
        for row in rows(db, &columns).await? {
            let name: String = row.try_get_by_index(0)?;
            let subject = DefinitionSubject::Column(name.to_lowercase());
            if let Some(definition) = definitions(&create).into_iter().find(|definition| definition.subject == subject)
            {
                let add = format!("ALTER TABLE \"{}\" ADD COLUMN {}", table.replace('"', "\"\""), definition.text);
                actual.insert((table.clone(), name), vec![add]);
            }
        }
    }
    Ok(actual)
}

async fn rows(db: &impl ConnectionTrait, select: &str) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await
}

const SQLITE_INDEXES: &str = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";

/// The statements for a column: its sequence, if it is no identity; the column; its comment.
const COLUMNS: &str = r"
SELECT relname::text, attname::text,
    CASE WHEN attidentity = '' AND owned.seqrelid IS NOT NULL AND pg_get_expr(adbin, adrelid) LIKE 'nextval(%'
        THEN format('CREATE SEQUENCE %s AS %s', owned.seqrelid::regclass, owned.seqtypid::regtype) END,
    format('ALTER TABLE %I ADD COLUMN %I %s', relname, attname, concat_ws(' ', format_type(atttypid, atttypmod),
        CASE WHEN attcollation <> typcollation THEN 'COLLATE ' || attcollation::regcollation::text END,
        CASE WHEN attgenerated <> '' THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(adbin, adrelid))
            WHEN attidentity = 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
            WHEN attidentity = 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY'
            ELSE 'DEFAULT ' || pg_get_expr(adbin, adrelid) END,
        CASE WHEN attnotnull THEN 'NOT NULL' END)),
    nullif(concat_ws('; ', CASE WHEN attidentity = '' AND owned.seqrelid IS NOT NULL AND pg_get_expr(adbin, adrelid) LIKE 'nextval(%'
            THEN format('ALTER SEQUENCE %s OWNED BY %I.%I', owned.seqrelid::regclass, relname, attname) END,
        'COMMENT ON COLUMN ' || format('%I.%I', relname, attname) || ' IS '
            || quote_literal(col_description(pg_class.oid, attnum))), '')
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
JOIN pg_type ON pg_type.oid = atttypid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
LEFT JOIN pg_sequence AS owned ON owned.seqrelid = pg_get_serial_sequence(pg_class.oid::regclass::text, attname::text)::regclass
WHERE relkind IN ('r', 'p') AND pg_table_is_visible(pg_class.oid) AND relnamespace = current_schema()::regnamespace";

/// The statements for an index or a constraint: itself; its comment.
const INDEXES_AND_CONSTRAINTS: &str = r"
SELECT owner.relname::text, index.relname::text,
    replace(pg_get_indexdef(indexrelid), format(' ON %I.', nspname), ' ON '),
    format('COMMENT ON INDEX %I IS ', index.relname) || quote_literal(obj_description(indexrelid, 'pg_class'))
FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_class AS owner ON owner.oid = indrelid
JOIN pg_namespace AS space ON space.oid = owner.relnamespace
WHERE pg_table_is_visible(indrelid) AND space.oid = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
UNION ALL
SELECT relname::text, conname::text,
    format('ALTER TABLE %I ADD CONSTRAINT %I %s', relname, conname, pg_get_constraintdef(pg_constraint.oid)),
    format('COMMENT ON CONSTRAINT %I ON %I IS ', conname, relname)
        || quote_literal(obj_description(pg_constraint.oid, 'pg_constraint'))
FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE pg_table_is_visible(conrelid) AND relnamespace = current_schema()::regnamespace";
