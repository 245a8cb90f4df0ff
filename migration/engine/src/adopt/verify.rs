//! Verifies that a database has the tables of a release.
//!
//! The expected tables are those that the first migrations create in a temporary place. Both
//! schemas are read in the same way.

use crate::project::{LaterRevision, LegacyRules};
use crate::records::adoption::ALEMBIC;
use crate::schema::{self, Column, Difference, Index, Schema, SchemaItem, Table};
use crate::{Project, expected};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseTransaction, DbBackend, Statement, TransactionTrait};
use std::collections::{BTreeMap, BTreeSet};

/// The obstacles, and the extra objects that are left alone.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) findings: Vec<String>,
    pub(super) left_alone: Vec<String>,
}

/// The columns of enum types, each with the labels of its type.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// Compares a database at Alembic's `revision` with the release. Changes nothing.
pub(super) async fn verify(
    project: &Project,
    legacy: &LegacyRules,
    txn: &DatabaseTransaction,
    actual: &Schema,
    revision: &str,
) -> Result<Verdict, DbErr> {
    let (mut expected, expected_labels) = reference(project, legacy, txn).await?;
    let later = legacy.later.filter(|later| later.revision == revision);
    let missing = later.map(|later| add_later_indexes(&later, &mut expected, actual)).unwrap_or_default();
    let normalized = normalize(legacy, actual, &expected, txn.get_database_backend());
    let mut verdict = Verdict::default();
    for difference in schema::compare(&expected, &normalized) {
        match &difference.actual {
            Some(SchemaItem::Table(_)) if difference.table == ALEMBIC || project.is_bookkeeping(&difference.table) => {}
            Some(SchemaItem::Index(_)) if difference.expected.is_none() => {
                verdict.left_alone.push(without_place(legacy, &difference))
            }
            _ if difference.ignorable => verdict.left_alone.push(without_place(legacy, &difference)),
            _ => verdict.findings.push(difference.line(legacy.release)),
        }
    }
    verdict.findings.extend(missing);
    verdict.findings.extend(label_differences(legacy, &expected_labels, &labels(txn, &expected).await?));
    let head = expected::schema(txn, project.entities).await?;
    verdict.findings.extend(taken_names(project, &head, &expected, actual));
    if verdict.findings.is_empty() {
        verdict.findings = (legacy.obstacles)(&SchemaManager::new(txn)).await?;
    }
    Ok(verdict)
}

/// Tables and enum labels as the migrations up to the release create them.
async fn reference(
    project: &Project,
    legacy: &LegacyRules,
    txn: &DatabaseTransaction,
) -> Result<(Schema, Labels), DbErr> {
    if txn.get_database_backend() != DbBackend::Postgres {
        let memory = expected::in_memory_database().await?;
        make(project, legacy, &SchemaManager::new(&memory)).await?;
        let schema = schema::read(&memory).await?;
        memory.close().await?;
        return Ok((schema, Labels::new()));
    }
    let savepoint = txn.begin().await?;
    savepoint.execute_unprepared("SET LOCAL search_path = pg_temp").await?;
    make(project, legacy, &SchemaManager::new(&savepoint)).await?;
    let schema = schema::read(&savepoint).await?;
    let labels = labels(&savepoint, &schema).await?;
    savepoint.rollback().await?;
    Ok((schema, labels))
}

async fn make(project: &Project, legacy: &LegacyRules, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    for migration in (project.chain)().iter().filter(|migration| legacy.covers(migration.name())) {
        migration.up(manager).await?;
    }
    Ok(())
}

/// Adds the indexes of the later revision to the expected tables. Returns the missing indexes of
/// other tables.
fn add_later_indexes(later: &LaterRevision, expected: &mut Schema, actual: &Schema) -> Vec<String> {
    let mut missing = Vec::new();
    for (table, columns) in later.indexes {
        let names: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        if let Some(expected) = expected.tables.get_mut(*table) {
            expected.indexes.push(Index { columns: names, ..Index::default() });
            continue;
        }
        let is_it = |index: &Index| index.columns == names && index.predicate.is_none();
        if !actual.tables.get(*table).is_some_and(|table| table.indexes.iter().any(is_it)) {
            let (columns, revision) = (columns.join(", "), later.revision);
            missing.push(format!("{table}: index ({columns}) in {revision}, missing in the database"));
        }
    }
    missing
}

/// The actual tables without what may differ: database defaults, and synonyms of SQLite types.
fn normalize(legacy: &LegacyRules, actual: &Schema, expected: &Schema, backend: DbBackend) -> Schema {
    let mut normalized = actual.clone();
    for (name, reference) in &expected.tables {
        let Some(table) = normalized.tables.get_mut(name) else { continue };
        let keys = table.primary_key.clone();
        for column in &mut table.columns {
            let Some(reference) = reference.column(&column.name) else { continue };
            column.default = None;
            if backend != DbBackend::Postgres {
                normalize_column(legacy, column, reference, &keys);
            }
        }
    }
    normalized
}

fn normalize_column(legacy: &LegacyRules, column: &mut Column, reference: &Column, keys: &[String]) {
    let is_enum = reference.data_type.starts_with("varchar") && legacy.enums.contains(&column.name.as_str());
    let is_same = (column.data_type == "timestamp" && reference.data_type == "datetime")
        || (is_enum && (column.data_type.starts_with("varchar") || column.data_type == "text"));
    if is_same {
        column.data_type.clone_from(&reference.data_type);
    }
    // The row id is never NULL, even if the table does not say so.
    if column.data_type == "integer" && keys == [column.name.as_str()] {
        column.nullable = reference.nullable;
    }
}

/// The enums of the columns of these tables, which only PostgreSQL has.
async fn labels(db: &impl ConnectionTrait, tables: &Schema) -> Result<Labels, DbErr> {
    let mut labels = Labels::new();
    if db.get_database_backend() == DbBackend::Postgres && !tables.tables.is_empty() {
        let names: Vec<String> = tables.tables.keys().map(|name| format!("to_regclass('{name}')")).collect();
        let select = format!("{LABELS} WHERE pg_class.oid IN ({})", names.join(", "));
        for row in db.query_all_raw(Statement::from_string(DbBackend::Postgres, select)).await? {
            labels.entry(row.try_get_by_index(0)?).or_default().insert(row.try_get_by_index(1)?);
        }
    }
    Ok(labels)
}

const LABELS: &str = "
SELECT relname || '.' || attname, enumlabel::text
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid JOIN pg_enum ON enumtypid = atttypid";

fn label_differences(legacy: &LegacyRules, expected: &Labels, actual: &Labels) -> Vec<String> {
    let joined = |labels: &BTreeSet<String>| labels.iter().cloned().collect::<Vec<_>>().join(", ");
    let other = |(column, expected): (&String, &BTreeSet<String>)| {
        let actual = actual.get(column).filter(|actual| *actual != expected)?;
        Some(format!(
            "{column}: one of {} in {}, one of {} in the database",
            joined(expected),
            legacy.release,
            joined(actual)
        ))
    };
    expected.iter().filter_map(other).collect()
}

/// Extra tables and columns that have the name of a table or column of a later migration.
fn taken_names(project: &Project, head: &Schema, expected: &Schema, actual: &Schema) -> Vec<String> {
    let fix = format!("and a migration of {} creates another: rename the old one", project.name);
    let mut taken = Vec::new();
    for (name, table) in &head.tables {
        match (expected.tables.get(name), actual.tables.get(name)) {
            (None, Some(_)) => taken.push(format!("{name}: there is a table of this name, {fix}")),
            (Some(expected), Some(actual)) => {
                let new = |column: &&Column| expected.column(&column.name).is_none() && has(actual, &column.name);
                let columns = table.columns.iter().filter(new);
                taken.extend(columns.map(|column| format!("{name}.{}: there is such a column, {fix}", column.name)));
            }
            _ => {}
        }
    }
    taken
}

fn has(table: &Table, column: &str) -> bool {
    table.columns.iter().any(|known| known.name.eq_ignore_ascii_case(column))
}

/// Describes an extra object without the words "in the database, unknown to {release}".
fn without_place(legacy: &LegacyRules, difference: &Difference) -> String {
    let release = legacy.release;
    let line = difference.line(release);
    line.strip_suffix(&format!(" in the database, unknown to {release}")).unwrap_or(&line).to_owned()
}
