//! The SQL of a migration, without a database.
//!
//! A mock database records the statements and answers every query with no rows. On a real database
//! that returns rows for these queries, the migration may run other statements.

use crate::step::Step;
use crate::{Error, records};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DbBackend, MockDatabase, MockExecResult, Value};
use std::collections::BTreeMap;

/// More answers than any migration needs.
const ANSWERS: usize = 10_000;

/// Whether a statement only reads.
pub(crate) fn is_read(statement: &str) -> bool {
    statement.starts_with("SELECT") || statement.starts_with("WITH")
}

/// Every statement of a migration, reads included.
pub(crate) async fn statements(step: &Step, dialect: DbBackend) -> Result<Vec<String>, Error> {
    let (statements, result) = try_statements(step, dialect).await;
    result.map_err(|source| Error::Offline { name: step.name().to_owned(), source })?;
    Ok(statements)
}

/// The statements up to the first one that fails because it needs rows.
async fn try_statements(step: &Step, dialect: DbBackend) -> (Vec<String>, Result<(), DbErr>) {
    let db = recorder(dialect);
    let manager = SchemaManager::new(&db);
    let result = step.execute(&manager).await;
    drop(manager);
    (recorded(db), result)
}

/// The statements that create the table of the applied migrations.
pub(crate) async fn install(dialect: DbBackend) -> Result<Vec<String>, DbErr> {
    let db = recorder(dialect);
    records::install(&db).await?;
    Ok(recorded(db))
}

/// The statement that removes the record of a migration.
pub(crate) async fn remove_record(name: &str, dialect: DbBackend) -> Result<String, DbErr> {
    let db = recorder(dialect);
    records::remove(&db, name).await?;
    Ok(recorded(db).concat())
}

fn recorder(dialect: DbBackend) -> DatabaseConnection {
    let no_rows: Vec<BTreeMap<String, Value>> = Vec::new();
    MockDatabase::new(dialect)
        .append_exec_results(std::iter::repeat_n(MockExecResult::default(), ANSWERS))
        .append_query_results(std::iter::repeat_n(no_rows, ANSWERS))
        .into_connection()
}

fn recorded(db: DatabaseConnection) -> Vec<String> {
    let log = db.into_transaction_log();
    log.iter().flat_map(|transaction| transaction.statements()).map(ToString::to_string).collect()
}

/// Whether any of the steps drops or rebuilds a table, or drops a column. `true` if that is
/// unknown.
pub(crate) async fn drops(steps: &[Step], dialect: DbBackend) -> bool {
    for step in steps {
        let (statements, result) = try_statements(step, dialect).await;
        if result.is_err() || statements.iter().any(|sql| sql.contains("DROP TABLE") || sql.contains("DROP COLUMN")) {
            return true;
        }
    }
    false
}

/// The statements that drop the tables and types that these migrations create, newest first.
pub(crate) async fn drop_statements(steps: &[Step], dialect: DbBackend) -> Vec<String> {
    let mut created_objects: Vec<(&str, String)> = Vec::new();
    for step in steps {
        created_objects.extend(try_statements(step, dialect).await.0.iter().filter_map(|statement| created(statement)));
    }
    created_objects.sort_by_key(|(kind, _)| *kind == "TABLE");
    created_objects.iter().rev().map(|(kind, name)| format!("DROP {kind} IF EXISTS \"{name}\"")).collect()
}

/// Kind and name of what a statement creates.
fn created(statement: &str) -> Option<(&'static str, String)> {
    [("TABLE", "TABLE"), ("VIRTUAL TABLE", "TABLE"), ("TYPE", "TYPE")].into_iter().find_map(|(words, kind)| {
        let rest = statement.strip_prefix(&format!("CREATE {words} "))?.replace("IF NOT EXISTS ", "");
        Some((kind, rest.split('"').nth(1)?.to_owned()))
    })
}
