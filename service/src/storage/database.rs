//! Opening, checking and closing the database.
//!
//! SQLite has one writer at a time: a writing transaction holds a [`WriteGuard`], and all other
//! connections are read-only. PostgreSQL gets pools. Batch workers open connections of their own.
//! Connections to PostgreSQL belong to the runtime that called [`Database::connect`], which must
//! outlive them (a socket dies with the runtime that opened it, sqlx #1396).

use super::postgres::{self, PgConnector};
use super::sqlite::{BUSY_TIMEOUT, PRAGMAS, SqliteConnector, start_checkpoints};
use crate::Error;
use crate::search::SearchState;
use crate::statistics::SummaryCache;
use sea_orm::sqlx::Connection;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, sqlx,
};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::timeout;

/// How long a request waits for a free connection before it is told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the first connection may take at the start.
const PROBE_TIMEOUT: Duration = Duration::from_secs(15);
/// Reading connections on SQLite, beside those of the lanes.
const SQLITE_READERS: u32 = 2;
/// Searches at once on SQLite: the other reading connection is for who reads little.
const SQLITE_SEARCHES: usize = 1;
/// Searches at once on PostgreSQL, of the ten connections of the pool.
const POSTGRES_SEARCHES: usize = 3;
/// How long the statements under way may take at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// The oldest SQLite that cannot lose committed pages when a write meets a checkpoint (sqlite.org/wal.html).
const SQLITE_FLOOR: (u32, u32, u32) = (3, 51, 3);

/// What an acknowledged save survives on SQLite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Power loss: every commit waits for the disk.
    #[default]
    Full,
    /// The crash of the process, not of the machine.
    Normal,
}

impl Durability {
    /// The value of SQLite's setting.
    fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// The database of the running program.
#[derive(Clone, Debug)]
pub struct Database {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    batch_connections: BatchConnections,
    /// Keeps SQLite's checkpoints going.
    checkpoints: Option<Arc<Sender<()>>>,
    search_state: SearchState,
    /// How many videos there are, where counting takes long.
    summary_cache: Arc<SummaryCache>,
}

/// What the lanes of the watch history read and write by.
#[derive(Clone, Debug)]
pub(crate) enum BatchConnections {
    /// Connections that the lanes open themselves, and whose planner goes by keys.
    Postgres(PgConnector),
    /// Connections that the lanes open themselves.
    Sqlite(SqliteConnector),
}

/// The right to write, for as long as it is kept. PostgreSQL lets everybody write at once.
#[derive(Debug)]
pub struct WriteGuard(#[expect(dead_code, reason = "it is only kept")] Option<OwnedMutexGuard<()>>);

/// Why there is no database to work with; one line that says the mend.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(String);

impl Database {
    /// Opens the database at `url` (`sqlite://…` or `postgres://…`) and proves that it can be written.
    ///
    /// # Errors
    /// The database is unreachable, locked, read-only, or not a database.
    pub async fn connect(url: &str, durability: Durability) -> Result<Self, ConnectError> {
        let database = match url.split(':').next() {
            Some("sqlite") => Self::connect_sqlite(url, durability).await,
            Some("postgres" | "postgresql") => Self::connect_postgres(url).await,
            _ => return Err(ConnectError("the scheme is unknown; use sqlite://FILE or postgres://HOST/NAME".into())),
        }
        .map_err(|error| explain(&error))?;
        database.check().await?;
        Ok(database)
    }

    async fn connect_sqlite(url: &str, durability: Durability) -> Result<Self, DbErr> {
        let pragmas = move |sqlite: SqliteConnectOptions| {
            let sqlite = sqlite.busy_timeout(BUSY_TIMEOUT).foreign_keys(true).journal_mode(SqliteJournalMode::Wal);
            let sqlite = sqlite.pragma("synchronous", durability.pragma());
            PRAGMAS.into_iter().fold(sqlite, |sqlite, (name, value)| sqlite.pragma(name, value))
        };
        probe(&pragmas(SqliteConnectOptions::from_str(url).map_err(conn)?)).await?;
        let options = |connections: u32, read_only: bool| {
            let mut options = ConnectOptions::new(url);
            options.max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT + BUSY_TIMEOUT).sqlx_logging(false);
            options.min_connections(1).idle_timeout(None).max_lifetime(None).test_before_acquire(false);
            let query_only = if read_only { "ON" } else { "OFF" };
            options.map_sqlx_sqlite_opts(move |sqlite| pragmas(sqlite).pragma("query_only", query_only));
            options
        };
        let writer = sea_orm::Database::connect(options(1, false)).await?;
        let reader = sea_orm::Database::connect(options(SQLITE_READERS, true)).await?;
        let connector = SqliteConnector {
            file: SqliteConnectOptions::from_str(url).map_err(conn)?.get_filename().to_owned(),
            synchronous: durability.pragma(),
            write_lock: Arc::default(),
            observer: None,
            open: watch::Sender::default(),
        };
        let checkpoints = Some(Arc::new(start_checkpoints(&connector)));
        let search_state = SearchState::new(SQLITE_SEARCHES);
        Ok(Self {
            reader,
            writer,
            batch_connections: BatchConnections::Sqlite(connector),
            checkpoints,
            search_state,
            summary_cache: Arc::default(),
        })
    }

    async fn connect_postgres(url: &str) -> Result<Self, DbErr> {
        probe(&postgres::connect_options(url).map_err(conn)?).await?;
        let [reader, writer] = postgres::open_pools(url, ACQUIRE_TIMEOUT).await?;
        let batch_connections = BatchConnections::Postgres(PgConnector::new(url).map_err(conn)?);
        let search_state = SearchState::new(POSTGRES_SEARCHES);
        Ok(Self { reader, writer, batch_connections, checkpoints: None, search_state, summary_cache: Arc::default() })
    }

    async fn check(&self) -> Result<(), ConnectError> {
        if self.backend() == DatabaseBackend::Sqlite {
            let version = self.query_text("SELECT sqlite_version() AS text").await?;
            let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
            let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
            if found < SQLITE_FLOOR {
                return Err(ConnectError(format!(
                    "the engine is SQLite {version}, which can lose data; 3.51.3 is the floor"
                )));
            }
            self.prove_writable().await.map_err(|error| explain(&error))?;
        }
        Ok(())
    }

    /// Writes a value that was there already and takes it back: to begin a transaction alone proves nothing, because on
    /// a read-only file SQLite quietly begins a reading one.
    async fn prove_writable(&self) -> Result<(), DbErr> {
        let probe = begin_immediate(&self.writer).await?;
        let read = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA user_version");
        let version: i32 = match probe.query_one_raw(read).await? {
            Some(row) => row.try_get_by_index(0)?,
            None => 0,
        };
        probe.execute_unprepared(&format!("PRAGMA user_version = {version}")).await?;
        probe.rollback().await
    }

    async fn query_text(&self, sql: &str) -> Result<String, ConnectError> {
        let row = self.writer.query_one_raw(Statement::from_string(self.backend(), sql)).await;
        let row =
            row.map_err(|error| explain(&error))?.ok_or_else(|| ConnectError("the database answers nothing".into()))?;
        row.try_get("", "text").map_err(|error| explain(&error))
    }

    /// For statements that only read.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For statements that write, while the turn is kept. Through a pooler that lends connections they must be in a transaction.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub async fn writer(&self) -> Result<(WriteGuard, &DatabaseConnection), Error> {
        let BatchConnections::Sqlite(connector) = &self.batch_connections else {
            return Ok((WriteGuard(None), &self.writer));
        };
        let write_guard = timeout(ACQUIRE_TIMEOUT + BUSY_TIMEOUT, connector.write_lock.clone().lock_owned()).await;
        Ok((WriteGuard(Some(write_guard.map_err(|_| Error::Busy)?)), &self.writer))
    }

    /// What a search passes.
    pub(crate) fn search_state(&self) -> &SearchState {
        &self.search_state
    }

    /// The last count of a large library.
    pub(crate) fn summary_cache(&self) -> &SummaryCache {
        &self.summary_cache
    }

    /// What the lanes of the watch history read and write by.
    pub(crate) fn batch_connections(&self) -> &BatchConnections {
        &self.batch_connections
    }

    /// SQLite or PostgreSQL.
    pub fn backend(&self) -> DatabaseBackend {
        self.writer.get_database_backend()
    }

    /// Calls `observer` with every statement from now on, on connections that are cloned from this value.
    pub fn observe(&mut self, observer: impl Fn(&str) + Send + Sync + Clone + 'static) {
        let batch_connections = match &mut self.batch_connections {
            BatchConnections::Postgres(connector) => &mut connector.observer,
            BatchConnections::Sqlite(connector) => &mut connector.observer,
        };
        *batch_connections = Some(Arc::new(observer.clone()));
        for connection in [&mut self.reader, &mut self.writer] {
            let observer = observer.clone();
            connection.set_metric_callback(move |info| observer(&info.statement.sql));
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::DatabaseAway`] and its kin.
    pub async fn ping(&self) -> Result<(), Error> {
        self.reader.ping().await?;
        Ok(())
    }

    /// A transaction that writes. On SQLite it takes the write lock at its start: one that reads first and writes
    /// later would fail at once when another process wrote in between, whatever the busy timeout.
    pub(crate) async fn begin(&self) -> Result<(WriteGuard, DatabaseTransaction), Error> {
        let (write_guard, writer) = self.writer().await?;
        let transaction = begin_immediate(writer).await?;
        if let BatchConnections::Postgres(connector) = &self.batch_connections
            && connector.behind_transaction_pooler
        {
            transaction.execute_unprepared(&postgres::begin_statements()).await?;
        }
        Ok((write_guard, transaction))
    }

    /// Waits a moment for the statements under way, then closes the connections. Those of the lanes on PostgreSQL end with the lanes.
    pub async fn close(self) {
        let Self { reader, writer, batch_connections, checkpoints, search_state: _, summary_cache: _ } = self;
        drop(checkpoints);
        if let BatchConnections::Sqlite(connector) = batch_connections
            && timeout(CLOSE_TIMEOUT, connector.open.closed()).await.is_err()
        {
            log::warn!("closing the database: a statement of the watch history was still waiting");
        }
        let close = async |pool: DatabaseConnection| match timeout(CLOSE_TIMEOUT, pool.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("closing the database: {error}"),
            Err(_) => log::warn!("closing the database: a statement was still waiting"),
        };
        tokio::join!(close(reader), close(writer));
    }
}

/// A pool tries again and again and says at last that its time was up; one attempt says what is wrong.
async fn probe<O: sqlx::ConnectOptions<Connection: Sized>>(options: &O) -> Result<(), DbErr> {
    let attempt = async { options.connect().await?.close().await };
    timeout(PROBE_TIMEOUT, attempt).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(conn)
}

fn conn(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

pub(crate) async fn begin_immediate(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    connection.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..Default::default() }).await
}

/// The file behind a SQLite URL.
///
/// # Errors
/// The URL is none, or its database lives in memory only and would be gone with the process.
pub fn sqlite_file(url: &str) -> Result<PathBuf, ConnectError> {
    // The driver takes any URL for that of a file.
    if !url.starts_with("sqlite:") {
        return Err(ConnectError("it is not one of SQLite".into()));
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|error| ConnectError(error.to_string()))?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(ConnectError("the database lives in memory only and would be gone with the process".into()));
    }
    let file = options.get_filename();
    if file.as_os_str().is_empty() { Err(ConnectError("it names no file".into())) } else { Ok(file.to_owned()) }
}

/// What a failure to connect means, and how to mend it.
fn explain(error: &DbErr) -> ConnectError {
    let (DbErr::Conn(RuntimeErr::SqlxError(cause))
    | DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return ConnectError(error.to_string());
    };
    let message = match &**cause {
        sqlx::Error::Database(database) => match (database.code().as_deref().unwrap_or_default(), database.message()) {
            ("5" | "261" | "517", _) => "the file is locked by another process; stop that one, or wait for it".into(),
            ("8" | "264" | "520" | "776" | "1032" | "1288" | "1544", _) => {
                "the file is read-only; make it and its folder writable for this user".into()
            }
            ("14", _) => "the file cannot be opened; make its folder, and check who may write there".into(),
            ("26", _) => "the file is not a SQLite database; name another one, or move that one away".into(),
            ("3D000", message) => format!("{message}; create it with CREATE DATABASE"),
            ("28P01" | "28000", message) => format!("{message}; check the user and the password"),
            (_, message) => message.to_owned(),
        },
        sqlx::Error::Io(io) => {
            format!("the server cannot be reached ({io}); check the host and the port, and that it runs")
        }
        sqlx::Error::PoolTimedOut => {
            "the database does not answer in time; check that it runs and has connections left".into()
        }
        other => other.to_string(),
    };
    ConnectError(message)
}
