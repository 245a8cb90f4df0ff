//! Parts of the live tables word by word, so that what is dropped can be made again exactly: sea-query has no words for `USING gin`,
//! INCLUDE, NULLS NOT DISTINCT, operator classes, identities, deferrable keys, comments.

use super::{code, kinds};
use crate::check::is_made;
use crate::facts::{Check, Column, Difference, Facts, ForeignKey, Index, Part, Table, plain, words};
use operations::create_table::{DefinitionSubject, definitions};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use std::collections::BTreeMap;

/// How the live database itself would make its parts again.
pub(super) struct Exact {
    pub(super) on_postgres: bool,
    /// By table and name, columns apart from indexes and constraints.
    columns: BTreeMap<(String, String), Vec<String>>,
    others: BTreeMap<(String, String), Vec<String>>,
    facts: Facts,
    made: Facts,
}

/// Where a piece of code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    /// It runs on both databases.
    Both,
    /// In the branch of PostgreSQL, or in that of SQLite.
    Branch { postgres: bool },
}

impl Exact {
    pub(super) async fn read(db: &impl ConnectionTrait, facts: &Facts, made: &Facts) -> Result<Self, DbErr> {
        let on_postgres = db.get_database_backend() == DbBackend::Postgres;
        let (columns, others) = if on_postgres {
            (statements(db, COLUMNS).await?, statements(db, OTHERS).await?)
        } else {
            (sqlite_columns(db).await?, statements(db, SQLITE_INDEXES).await?)
        };
        Ok(Self { on_postgres, columns, others, facts: facts.clone(), made: made.clone() })
    }

    /// The table with all that it has.
    pub(super) fn live(&self, table: &str) -> Option<&Table> {
        self.facts.tables.get(table)
    }

    /// Whether it is somebody else's, and so in this kind of database only.
    pub(super) fn is_strange(&self, table: &str, part: &Part) -> bool {
        let difference =
            Difference { table: table.to_owned(), wanted: None, found: Some(part.clone()), tolerated: false };
        self.is_live(table, part) && !is_made(&self.made, &difference)
    }

    /// Code that drops the part, kept to the database that has it.
    pub(super) fn dropped(&self, table: &str, part: &Part, code: Vec<String>, within: Within) -> Vec<String> {
        if !self.is_strange(table, part) {
            return code;
        }
        self.kept_to_live(code, within)
    }

    /// Code that makes the part: its own statements where `neutral` would make something else of it.
    pub(super) fn made(&self, table: &str, part: &Part, neutral: Vec<String>, within: Within) -> Vec<String> {
        if !self.is_live(table, part) {
            return neutral;
        }
        let strange = self.is_strange(table, part);
        let Some(statements) = self.statements(table, part).filter(|_| strange || !self.is_plain(table, part)) else {
            return neutral;
        };
        let own = statements.iter().map(|statement| format!("sql::execute(manager, {statement:?}).await?;")).collect();
        match within {
            Within::Branch { postgres } if postgres != self.on_postgres => {
                if strange {
                    Vec::new()
                } else {
                    neutral
                }
            }
            Within::Branch { .. } => own,
            Within::Both if strange => self.kept_to_live(own, within),
            Within::Both => {
                let mut code = vec![self.condition()];
                code.extend(own);
                code.push("} else {".to_owned());
                code.extend(neutral);
                code.push("}".to_owned());
                code
            }
        }
    }

    /// The column's own words behind its name, for a table that SQLite makes anew.
    pub(super) fn sqlite_column(&self, table: &str, column: &Column) -> Option<String> {
        let part = Part::Column(column.clone());
        if self.on_postgres || !self.is_live(table, &part) || self.is_plain(table, &part) {
            return None;
        }
        let text = self.statements(table, &part)?.first()?.split_once(" ADD COLUMN ")?.1.to_owned();
        let name = words(&text).next()?.len();
        Some(text[name..].trim().to_owned())
    }

    /// A form of a table as SQLite has it: without what only a live PostgreSQL has.
    pub(super) fn on_sqlite(&self, name: &str, table: &Table) -> Table {
        let mut table = table.clone();
        if self.on_postgres {
            let strange = |part: Part| self.is_strange(name, &part);
            table.columns.retain(|column| !strange(Part::Column(column.clone())));
            table.indexes.retain(|index| index.notes.is_empty() && !strange(Part::Index(index.clone())));
            table.foreign_keys.retain(|key| !strange(Part::ForeignKey(key.clone())));
            table.checks.retain(|check| !strange(Part::Check(check.clone())));
        }
        table
    }

    fn kept_to_live(&self, code: Vec<String>, within: Within) -> Vec<String> {
        match within {
            _ if code.is_empty() => code,
            Within::Branch { postgres } if postgres == self.on_postgres => code,
            Within::Branch { .. } => Vec::new(),
            Within::Both => [vec![self.condition()], code, vec!["}".to_owned()]].concat(),
        }
    }

    fn condition(&self) -> String {
        let not = if self.on_postgres { "" } else { "!" };
        format!("if {not}sql::is_postgres(manager) {{")
    }

    fn statements(&self, table: &str, part: &Part) -> Option<&Vec<String>> {
        let (list, name) = match part {
            Part::Column(column) => (&self.columns, &column.name),
            Part::Index(Index { name, .. })
            | Part::ForeignKey(ForeignKey { name, .. })
            | Part::Check(Check { name, .. }) => (&self.others, name),
            _ => return None,
        };
        list.get(&(table.to_owned(), name.clone()))
    }

    /// Whether the live table has it; what only the entities want has neutral words alone.
    fn is_live(&self, table: &str, part: &Part) -> bool {
        let Some(table) = self.facts.tables.get(table) else { return false };
        match part {
            Part::Column(column) => table.column(&column.name).is_some(),
            Part::Index(index) => table.indexes.iter().any(|known| known.name == index.name),
            Part::ForeignKey(key) => table.foreign_keys.iter().any(|known| known.name == key.name),
            Part::Check(check) => table.checks.iter().any(|known| known.name == check.name),
            _ => false,
        }
    }

    /// Whether the builder's words make the same again.
    fn is_plain(&self, table: &str, part: &Part) -> bool {
        // A further statement is that of a comment or of a sequence.
        let alone = self.statements(table, part).is_none_or(|statements| statements.len() == 1);
        alone
            && match part {
                Part::Column(column) => {
                    let live = self.facts.tables.get(table).and_then(|table| table.column(&column.name));
                    live.is_some_and(|live| self.is_plain_column(live, &column.kind))
                }
                Part::Index(index) => index.notes.is_empty() && !code::is_odd(index),
                Part::ForeignKey(ForeignKey { notes, .. }) | Part::Check(Check { notes, .. }) => notes.is_empty(),
                _ => true,
            }
    }

    fn is_plain_column(&self, live: &Column, call: &str) -> bool {
        let is_value = |default: &String| !code::value(&plain(default)).starts_with("Expr::");
        kinds::is_exact(call, &live.kind, self.on_postgres)
            && live.default.as_ref().is_none_or(is_value)
            && (&live.numbered, &live.generated, &live.collation) == (&None, &None, &None)
    }
}

type Statements = BTreeMap<(String, String), Vec<String>>;

async fn statements(db: &impl ConnectionTrait, select: &str) -> Result<Statements, DbErr> {
    let mut found = Statements::new();
    for row in rows(db, select).await? {
        let key: (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        for at in 2..5 {
            // Not every list has as many.
            if let Ok(Some(statement)) = row.try_get_by_index::<Option<String>>(at) {
                found.entry(key.clone()).or_default().push(statement);
            }
        }
    }
    Ok(found)
}

async fn sqlite_columns(db: &impl ConnectionTrait) -> Result<Statements, DbErr> {
    let mut found = Statements::new();
    for row in
        rows(db, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'").await?
    {
        let (table, create): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let columns = format!("SELECT name FROM pragma_table_xinfo('{}')", table.replace('\'', "''"));
        for row in rows(db, &columns).await? {
            let name: String = row.try_get_by_index(0)?;
            let key = DefinitionSubject::Column(name.to_lowercase());
            if let Some(part) = definitions(&create).into_iter().find(|part| part.subject == key) {
                let add = format!("ALTER TABLE \"{}\" ADD COLUMN {}", table.replace('"', "\"\""), part.text);
                found.insert((table.clone(), name), vec![add]);
            }
        }
    }
    Ok(found)
}

async fn rows(db: &impl ConnectionTrait, select: &str) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await
}

const SQLITE_INDEXES: &str = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";

/// The sequence of a column that is no identity, the column, its comment.
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

/// An index or a constraint, its comment.
const OTHERS: &str = r"
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
