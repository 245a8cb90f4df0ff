//! One runner at a time: the others wait, say so, and then find nothing to do.

use crate::holders;
use crate::{Error, Options, Project};
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use std::time::{Duration, Instant};

/// How long a migration queues for a table before it steps aside: as long as it queues, everybody else queues behind it.
pub(crate) const QUEUE: Duration = Duration::from_secs(3);

/// How often those who wait are reminded that they do.
const REMINDER: Duration = Duration::from_secs(15);

/// Begins the one transaction of this run as soon as no other runner is in its own.
pub(crate) async fn lock(
    project: &Project,
    db: &DatabaseConnection,
    options: &Options,
) -> Result<DatabaseTransaction, Error> {
    lock_until(project, db, Instant::now() + options.lock_timeout, options).await
}

/// As [`lock`], for one of several attempts that end together.
pub(crate) async fn lock_until(
    project: &Project,
    db: &DatabaseConnection,
    deadline: Instant,
    options: &Options,
) -> Result<DatabaseTransaction, Error> {
    let mut said: Option<Instant> = None;
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
        if said.is_none_or(|at| at.elapsed() > REMINDER) {
            said = Some(Instant::now());
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
async fn lock_sqlite(db: &DatabaseConnection, options: &Options) -> Result<Option<DatabaseTransaction>, Error> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    match db.begin_with_options(immediate).await {
        Ok(txn) => {
            // To begin, we ask again and again and say so; readers that delay the commit are simply waited for.
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

/// A lock that ends with the transaction. We ask again and again rather than wait inside the database: a waiting statement
/// holds a snapshot, for which a `CREATE INDEX CONCURRENTLY` of the other runner would wait forever.
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

/// What holds for the transaction (`LOCAL`) or the connection (`SESSION`) of a migration on PostgreSQL. Limits that a role may
/// have for its everyday statements would cut a long rebuild short; a server that looks after its client lets go of the locks
/// of a runner that was killed.
pub(crate) fn settings(scope: &str) -> String {
    let queue = if scope == "LOCAL" { QUEUE.as_millis() } else { 0 };
    format!(
        "SET {scope} statement_timeout = 0; SET {scope} idle_in_transaction_session_timeout = 0; \
         SET {scope} lock_timeout = {queue}; SET {scope} client_min_messages = warning; \
         DO $$ BEGIN PERFORM set_config(name, '1000', {}) FROM pg_settings \
         WHERE name = 'client_connection_check_interval' AND setting = '0'; \
         EXCEPTION WHEN OTHERS THEN NULL; END $$",
        scope == "LOCAL"
    )
}
