//! Problems of a SQLite file.

use super::{Diagnosis, text, texts};
use crate::lock::is_busy;
use crate::{Error, Project};
use sea_orm_migration::sea_orm::{DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait};

/// The oldest safe version of SQLite. An older version can lose committed pages if a write and a
/// checkpoint run at the same time (sqlite.org/wal.html, "WAL-reset bug").
const FLOOR: [u32; 3] = [3, 51, 3];

/// Examines the file. Returns whether it can be read at all.
pub(super) async fn examine(
    project: &Project,
    db: &DatabaseConnection,
    diagnosis: &mut Diagnosis,
) -> Result<bool, Error> {
    let version = text(db, "SELECT sqlite_version()").await?;
    if is_recent(&version) {
        diagnosis.add_ok(format!("SQLite {version}"));
    } else {
        diagnosis.add_problem(
            format!("SQLite {version} can lose what was committed"),
            format!("build {} with its bundled SQLite, 3.51.3 or newer", project.name),
        );
    }
    match texts(db, "PRAGMA quick_check(5)").await {
        Ok(words) if words == ["ok"] => diagnosis.add_ok("the file is sound"),
        Ok(words) => {
            diagnosis.add_problem(
                format!("the file is damaged: {}", words.join("; ")),
                "restore a backup, or `sqlite3 FILE .recover`",
            );
        }
        Err(error) => {
            diagnosis
                .add_problem(format!("the file cannot be read: {error}"), "name a SQLite file, or restore a backup");
            return Ok(false);
        }
    }
    match text(db, "SELECT journal_mode FROM pragma_journal_mode").await?.as_str() {
        "wal" => diagnosis.add_ok("journal_mode is wal: readers and the writer do not wait for each other"),
        mode => diagnosis.add_ok(format!("journal_mode is {mode}, until the server starts and makes it wal")),
    }
    let pragmas = "SELECT 'page_size ' || page_size || ', auto_vacuum ' || auto_vacuum || ', encoding ' || encoding \
                   FROM pragma_page_size, pragma_auto_vacuum, pragma_encoding";
    diagnosis.add_ok(text(db, pragmas).await?);
    match texts(db, "SELECT DISTINCT \"table\" || ' refers to ' || parent FROM pragma_foreign_key_check")
        .await?
        .as_slice()
    {
        [] => diagnosis.add_ok("every foreign key has its row"),
        orphans => diagnosis.add_problem(
            format!("rows refer to rows that do not exist: {}", orphans.join(", ")),
            "`PRAGMA foreign_key_check` lists them; delete them or give them a parent",
        ),
    }
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    match db.begin_with_options(immediate).await {
        Ok(txn) => {
            txn.rollback().await?;
            diagnosis.add_ok("no other program holds the write lock");
        }
        Err(error) if is_busy(&error) => diagnosis.add_problem(
            "another program has been holding the write lock for a second",
            "if it keeps the lock, `fuser -v FILE` shows it: end it",
        ),
        Err(error) => {
            diagnosis.add_problem(format!("the file cannot be written: {error}"), "let this user write to it")
        }
    }
    Ok(true)
}

fn is_recent(version: &str) -> bool {
    version.split('.').map_while(|part| part.parse().ok()).collect::<Vec<u32>>().as_slice() >= FLOOR.as_slice()
}

#[cfg(test)]
mod tests {
    use super::is_recent;

    #[test]
    fn an_engine_that_loses_pages_is_not_recent() {
        assert!(["3.51.3", "3.51.10", "3.52.0", "4.0.0"].into_iter().all(is_recent));
        assert!(!["3.51.2", "3.40.1", "3.9.9", ""].into_iter().any(is_recent));
    }
}
