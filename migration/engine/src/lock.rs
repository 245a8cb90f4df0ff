//! The migration lock: one runner at a time. The others wait, log it, and then find nothing to do.

use crate::holders;
use crate::{Error, Project, RunOptions};
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use std::time::{Duration, Instant};

/// How long a migration waits for a table lock before it releases everything and retries. While it
/// waits, all later queries of that table wait behind it.
pub(crate) const TABLE_LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// How often a waiting runner logs that it waits.
const REMINDER: Duration = Duration::from_secs(15);

/// Begins the transaction of this run as soon as no other runner has one.
pub(crate) async fn lock(
    project: &Project,
    db: &DatabaseConnection,
    options: &RunOptions,
) -> Result<DatabaseTransaction, Error> {
    lock_until(project, db, Instant::now() + options.lock_timeout, options).await
}

/// As [`lock`], for one of several attempts that share a deadline.
pub(crate) async fn lock_until(
    project: &Project,
    db: &DatabaseConnection,
    deadline: Instant,
    options: &RunOptions,
) -> Result<DatabaseTransaction, Error> {
    let mut logged: Option<Instant> = None;
    loop {
        let locked = match db.get_database_backend() {
            DbBackend::Postgres => lock_postgres(db, project.lock_number).await?,
            _ => lock_sqlite(db, options).await?,
        };
        if let Some(txn) = locked {
            return Ok(txn);
        }
        if Instant::now() >= deadline {
            return Err(Error::Locked {
                waited: options.lock_timeout,
                by: holders::of_the_lock(db, project.lock_number).await?,
            });
        }
        if logged.is_none_or(|at| at.elapsed() > REMINDER) {
            logged = Some(Instant::now());
            let by = match holders::of_the_lock(db, project.lock_number).await?.as_slice() {
                [] => String::new(),
                by => format!(": {}", by.join(", ")),
            };
            let seconds = deadline.saturating_duration_since(Instant::now()).as_secs();
            log::info!("waiting for another migration or writer to finish, {seconds} s at most{by}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// SQLite's own write lock, taken at the start of the transaction.
async fn lock_sqlite(db: &DatabaseConnection, options: &RunOptions) -> Result<Option<DatabaseTransaction>, Error> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    match db.begin_with_options(immediate).await {
        Ok(txn) => {
            // BEGIN is polled, so that waiting is logged; COMMIT waits for readers inside SQLite.
            txn.execute_unprepared(&format!("PRAGMA busy_timeout = {}", options.lock_timeout.as_millis())).await?;
            Ok(Some(txn))
        }
        Err(error) if is_busy(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn is_busy(error: &DbErr) -> bool {
    error.to_string().contains("database is locked")
}

/// An advisory lock that ends with the transaction. It is polled: a statement that waited in the
/// database would hold a snapshot, and the other runner's `CREATE INDEX CONCURRENTLY` would wait for it
/// forever.
async fn lock_postgres(db: &DatabaseConnection, lock_number: i64) -> Result<Option<DatabaseTransaction>, Error> {
    let txn = db.begin().await?;
    let ask = format!("SELECT pg_try_advisory_xact_lock({lock_number})");
    let row = txn.query_one_raw(Statement::from_string(DbBackend::Postgres, ask)).await?;
    if row.map(|row| row.try_get_by_index(0)).transpose()? != Some(true) {
        txn.rollback().await?;
        return Ok(None);
    }
    txn.execute_unprepared(&settings("LOCAL")).await?;
    Ok(Some(txn))
}

/// Settings of the transaction (`LOCAL`) or connection (`SESSION`) of a migration on PostgreSQL. The
/// timeouts of a role would interrupt a long rebuild, so they are off. The server checks every second
/// whether its client is alive, so that the locks of a killed runner are released.
pub(crate) fn settings(scope: &str) -> String {
    let queue = if scope == "LOCAL" { TABLE_LOCK_TIMEOUT.as_millis() } else { 0 };
    format!(
        "SET {scope} statement_timeout = 0; SET {scope} idle_in_transaction_session_timeout = 0; \
         SET {scope} lock_timeout = {queue}; SET {scope} client_min_messages = warning; \
         DO $$ BEGIN PERFORM set_config(name, '1000', {}) FROM pg_settings \
         WHERE name = 'client_connection_check_interval' AND setting = '0'; \
         EXCEPTION WHEN OTHERS THEN NULL; END $$",
        scope == "LOCAL"
    )
}
