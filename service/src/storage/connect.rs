//! Opens the first connection, checks it, and explains what is wrong and how to fix it.

use sea_orm::sqlx::Connection;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sqlx,
};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tokio::time::timeout;

/// How long the first connection may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(15);
/// The oldest SQLite that cannot lose committed pages when a write meets a checkpoint
/// (sqlite.org/wal.html).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// Why the database could not be opened: one line that says how to fix it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(String);

impl ConnectError {
    pub(super) fn unknown_scheme() -> Self {
        Self("the scheme is unknown; use sqlite://FILE or postgres://HOST/NAME".into())
    }
}

/// Connects once without a pool, because a pool retries and reports only that its time was up.
pub(super) async fn probe<O: sqlx::ConnectOptions<Connection: Sized>>(options: &O) -> Result<(), DbErr> {
    let attempt = async { options.connect().await?.close().await };
    timeout(PROBE_TIMEOUT, attempt).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(connection_error)
}

pub(super) fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

/// Checks the version of SQLite, and that the file can be written.
///
/// # Errors
/// It is too old, or the file is read-only or locked.
pub(super) async fn check_sqlite(writer: &DatabaseConnection) -> Result<(), ConnectError> {
    let version = sqlite_version(writer).await.map_err(|error| explain(&error))?;
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let actual = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if actual < OLDEST_SQLITE {
        return Err(ConnectError(format!("the program contains SQLite {version}, which can lose data; use 3.51.3")));
    }
    check_writable(writer).await.map_err(|error| explain(&error))
}

async fn sqlite_version(db: &DatabaseConnection) -> Result<String, DbErr> {
    let select = Statement::from_string(DatabaseBackend::Sqlite, "SELECT sqlite_version()");
    db.query_one_raw(select).await?.map_or_else(|| Ok(String::new()), |row| row.try_get_by_index(0))
}

/// Writes the value that is there already, and rolls back. To begin a transaction is not enough: on
/// a read-only file SQLite begins a reading one without an error.
async fn check_writable(writer: &DatabaseConnection) -> Result<(), DbErr> {
    let transaction = begin_immediate(writer).await?;
    let read = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA user_version");
    let version: i32 = match transaction.query_one_raw(read).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => 0,
    };
    transaction.execute_unprepared(&format!("PRAGMA user_version = {version}")).await?;
    transaction.rollback().await
}

/// The file that a SQLite URL names.
///
/// # Errors
/// The URL is not valid, or names a database in memory, which is gone with the process.
pub fn sqlite_file(url: &str) -> Result<PathBuf, ConnectError> {
    // The driver treats every URL as a file URL, so the scheme is checked here.
    if !url.starts_with("sqlite:") {
        return Err(ConnectError("the URL is not a SQLite URL; use sqlite://FILE".into()));
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|error| ConnectError(error.to_string()))?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(ConnectError("the database lives in memory only and is lost when the process ends".into()));
    }
    let file = options.get_filename();
    if file.as_os_str().is_empty() {
        Err(ConnectError("the URL names no file; use sqlite://FILE".into()))
    } else {
        Ok(file.to_owned())
    }
}

/// What a failure to connect means, and how to fix it.
pub(super) fn explain(error: &DbErr) -> ConnectError {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return ConnectError(error.to_string());
    };
    ConnectError(match &**cause {
        sqlx::Error::Database(error) => explain_code(error.code().as_deref().unwrap_or_default(), error.message()),
        sqlx::Error::Io(io) => {
            format!("the server cannot be reached ({io}); check the host and the port, and that it runs")
        }
        sqlx::Error::PoolTimedOut => {
            "the database does not answer in time; check that it runs and has connections left".into()
        }
        other => other.to_string(),
    })
}

/// The codes of SQLite are numbers (sqlite.org/rescode.html), those of PostgreSQL have five
/// characters (its manual, appendix A).
fn explain_code(code: &str, message: &str) -> String {
    match code {
        "5" | "261" | "517" => "the file is locked by another process; stop that one, or wait for it".into(),
        "8" | "264" | "520" | "776" | "1032" | "1288" | "1544" => {
            "the file is read-only; make it and its folder writable for this user".into()
        }
        "14" => "the file cannot be opened; make its folder, and check who may write there".into(),
        "26" => "the file is not a SQLite database; name another one, or move that one away".into(),
        "3D000" => format!("{message}; create it with CREATE DATABASE"),
        "28P01" | "28000" => format!("{message}; check the user and the password"),
        _ => message.to_owned(),
    }
}

/// Begins a transaction that writes. SQLite locks the file at once.
pub(super) async fn begin_immediate(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    connection.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..Default::default() }).await
}
