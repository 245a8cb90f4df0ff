//! SeaORM's connections to SQLite: one that writes, and a few that only read.

use super::connection::{BUSY_TIMEOUT, PRAGMAS};
use crate::storage::Durability;
use crate::storage::connect::{connection_error, probe};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use std::str::FromStr;
use std::time::Duration;

/// Connections that read, besides those of the batch workers.
const READERS: u32 = 2;

/// Opens the pool for reading and the connection for writing. `acquire_timeout` limits the wait for
/// a free connection.
///
/// # Errors
/// The file cannot be opened.
pub(in crate::storage) async fn open_pools(
    url: &str,
    durability: Durability,
    acquire_timeout: Duration,
) -> Result<[DatabaseConnection; 2], DbErr> {
    let pragmas = move |sqlite: SqliteConnectOptions| {
        let sqlite = sqlite.busy_timeout(BUSY_TIMEOUT).foreign_keys(true).journal_mode(SqliteJournalMode::Wal);
        let sqlite = sqlite.pragma("synchronous", durability.synchronous());
        PRAGMAS.into_iter().fold(sqlite, |sqlite, (name, value)| sqlite.pragma(name, value))
    };
    probe(&pragmas(SqliteConnectOptions::from_str(url).map_err(connection_error)?)).await?;
    let options = |connections: u32, query_only: &'static str| {
        let mut options = ConnectOptions::new(url);
        options.max_connections(connections).acquire_timeout(acquire_timeout).sqlx_logging(false);
        options.min_connections(1).idle_timeout(None).max_lifetime(None).test_before_acquire(false);
        options.map_sqlx_sqlite_opts(move |sqlite| pragmas(sqlite).pragma("query_only", query_only));
        options
    };
    let writer = Database::connect(options(1, "OFF")).await?;
    let reader = Database::connect(options(READERS, "ON")).await?;
    Ok([reader, writer])
}
