//! The connection to PostgreSQL that a batch worker keeps.
//!
//! A pool pings a connection that comes back to it, which costs as much as the statement of a small
//! batch, and waits for the answer without a limit: minutes if the server's machine has vanished. A
//! worker runs one statement at a time. It keeps its connection while all is well, drops it if
//! anything is in doubt, and opens another one.
//!
//! A pooler in transaction mode, such as PgBouncer, gives each transaction another connection of
//! the server. Prepared statements and settings of a session must not be used there, because they
//! stay on the server's connection and meet other clients.

use crate::storage::Observer;
use crate::storage::connect::connection_error;
use sea_orm::sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions, Connection, Error, Executor, PgConnection, query_with};
use sea_orm::{DbErr, RuntimeErr};
use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a connection may take to open, or to answer a ping.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The age at which a connection is replaced, so that a failover is noticed.
pub(super) const MAX_LIFETIME: Duration = Duration::from_secs(60);
/// A connection that was idle for this long is pinged before use, because the server may have
/// restarted.
pub(super) const PING_AFTER: Duration = Duration::from_secs(1);
/// SQLSTATE: the statement was prepared before a migration changed its result type (PostgreSQL's
/// manual, appendix A).
const OUTDATED_PLAN: &str = "0A000";
/// SQLSTATE: the transaction has failed already.
const IN_FAILED_TRANSACTION: &str = "25P02";

/// Planner settings. The statements of the batch workers look up few rows by their keys, but
/// PostgreSQL does not know how few: by default it may read whole tables, or plan a statement anew
/// each time, which costs more than to run it. Settings that a server does not have are left out.
const PLANNER: &str = "SELECT set_config(known.name, wanted.value, false) FROM pg_settings AS known \
    JOIN (VALUES ('plan_cache_mode', 'force_generic_plan'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), \
        ('enable_seqscan', 'off'), ('enable_bitmapscan', 'off'), ('enable_memoize', 'off'), ('jit', 'off')) AS wanted (name, value) \
    ON known.name = wanted.name";

/// Sets the timeouts of a `SESSION`, or of the transaction (`LOCAL`). A statement that waits for a
/// lock must not hold its connection for long, or a few of them hold all connections.
pub(super) fn set_timeouts(scope: &str) -> String {
    format!(
        "SET {scope} lock_timeout = '3s'; SET {scope} statement_timeout = '10s'; \
         SET {scope} idle_in_transaction_session_timeout = '10s'"
    )
}

/// # Errors
/// The URL is not valid.
pub(super) fn connect_options(url: &str) -> Result<PgConnectOptions, Error> {
    // Poolers refuse connections with settings that they do not track, such as extra_float_digits,
    // which is not needed here: no float is stored.
    Ok(PgConnectOptions::from_str(url)?.extra_float_digits(None).disable_statement_logging())
}

/// Whether the URL names a pooler in transaction mode: its parameter says that no statement may
/// stay prepared.
pub(super) fn behind_transaction_pooler(url: &str) -> bool {
    url.contains("statement-cache-capacity=0")
}

/// Opens connections for the batch workers.
#[derive(Clone)]
pub(crate) struct PgConnector {
    options: Arc<PgConnectOptions>,
    pub(in crate::storage) behind_transaction_pooler: bool,
    pub(in crate::storage) observer: Option<Observer>,
}

impl fmt::Debug for PgConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgConnector").finish_non_exhaustive()
    }
}

impl PgConnector {
    /// # Errors
    /// The URL is not valid.
    pub(in crate::storage) fn new(url: &str) -> Result<Self, DbErr> {
        Ok(Self {
            options: Arc::new(connect_options(url).map_err(connection_error)?),
            behind_transaction_pooler: behind_transaction_pooler(url),
            observer: None,
        })
    }

    async fn connect(&self) -> Result<PgConnection, Error> {
        let mut connection = PgConnection::connect_with(&*self.options).await?;
        if !self.behind_transaction_pooler {
            connection.execute(AssertSqlSafe(set_timeouts("SESSION"))).await?;
            connection.execute(PLANNER).await?;
        }
        Ok(connection)
    }

    async fn connect_in_time(&self) -> Result<PgConnection, Error> {
        let too_late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
        timeout(CONNECT_TIMEOUT, self.connect()).await.unwrap_or_else(too_late)
    }
}

/// Keeps the one connection of a worker while it is idle. The first use opens it.
pub(crate) struct PgSlot {
    connector: PgConnector,
    idle: Option<IdleConnection>,
}

struct IdleConnection {
    connection: PgConnection,
    opened: Instant,
    used: Instant,
}

impl PgSlot {
    pub(crate) fn new(connector: &PgConnector) -> Self {
        Self { connector: connector.clone(), idle: None }
    }

    /// Takes the connection out of the slot. [`PgConnectionGuard::release`] puts it back; otherwise
    /// it is closed, which rolls back its transaction.
    ///
    /// # Errors
    /// The server cannot be reached. There is no second attempt: the client is told to retry.
    pub(crate) async fn acquire(&mut self) -> Result<PgConnectionGuard<'_>, DbErr> {
        let usable = match self.idle.take() {
            Some(idle) if idle.opened.elapsed() > MAX_LIFETIME => None,
            Some(idle) if idle.used.elapsed() < PING_AFTER => Some(idle),
            Some(mut idle) => {
                matches!(timeout(CONNECT_TIMEOUT, idle.connection.ping()).await, Ok(Ok(()))).then_some(idle)
            }
            None => None,
        };
        let (connection, opened) = match usable {
            Some(IdleConnection { connection, opened, .. }) => (connection, opened),
            None => (self.connector.connect_in_time().await.map_err(query_error)?, Instant::now()),
        };
        Ok(PgConnectionGuard { slot: self, connection, opened, in_transaction: false })
    }
}

/// A connection in use.
pub(crate) struct PgConnectionGuard<'a> {
    slot: &'a mut PgSlot,
    connection: PgConnection,
    opened: Instant,
    in_transaction: bool,
}

impl PgConnectionGuard<'_> {
    /// Runs a statement and returns its rows.
    ///
    /// # Errors
    /// An error of the database.
    pub(crate) async fn query(&mut self, sql: &Arc<str>, arguments: PgArguments) -> Result<Vec<PgRow>, DbErr> {
        if let Some(observer) = &self.slot.connector.observer {
            observer(sql);
        }
        match self.execute(sql, arguments.clone()).await {
            Err(outdated) if has_code(&outdated, OUTDATED_PLAN) => {
                self.connection.clear_cached_statements().await.map_err(query_error)?;
                match self.execute(sql, arguments).await {
                    // The client retries, which begins a new transaction.
                    Err(error) if has_code(&error, IN_FAILED_TRANSACTION) => Err(query_error(outdated)),
                    result => result.map_err(query_error),
                }
            }
            result => result.map_err(query_error),
        }
    }

    /// Behind a pooler each statement needs a transaction, so that it is prepared and run on the
    /// same connection of the server.
    async fn execute(&mut self, sql: &Arc<str>, arguments: PgArguments) -> Result<Vec<PgRow>, Error> {
        let behind_transaction_pooler = self.slot.connector.behind_transaction_pooler;
        let own_transaction = behind_transaction_pooler && !self.in_transaction;
        if own_transaction {
            self.connection.execute(AssertSqlSafe(format!("BEGIN; {}", set_timeouts("LOCAL")))).await?;
        }
        let query = query_with(AssertSqlSafe(sql.clone()), arguments).persistent(!behind_transaction_pooler);
        let rows = query.fetch_all(&mut self.connection).await;
        if own_transaction {
            let ended = self.connection.execute(if rows.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
            return rows.and_then(|rows| ended.map(|_| rows));
        }
        rows
    }

    /// Begins a transaction, with another lock timeout than usual if one is given.
    ///
    /// # Errors
    /// An error of the database.
    pub(crate) async fn begin(&mut self, lock_timeout: Option<Duration>) -> Result<(), DbErr> {
        let mut begin = "BEGIN".to_owned();
        if self.slot.connector.behind_transaction_pooler {
            begin += &format!("; {}", set_timeouts("LOCAL"));
        }
        if let Some(lock_timeout) = lock_timeout {
            begin += &format!("; SET LOCAL lock_timeout = '{}ms'", lock_timeout.as_millis());
        }
        self.connection.execute(AssertSqlSafe(begin)).await.map_err(query_error)?;
        self.in_transaction = true;
        Ok(())
    }

    /// # Errors
    /// An error of the database.
    pub(crate) async fn commit(&mut self) -> Result<(), DbErr> {
        self.end("COMMIT").await
    }

    /// # Errors
    /// An error of the database.
    pub(crate) async fn rollback(&mut self) -> Result<(), DbErr> {
        self.end("ROLLBACK").await
    }

    /// Rolls back the transaction that a statement made fail, if there is one.
    ///
    /// # Errors
    /// An error of the database.
    pub(crate) async fn end_failed_transaction(&mut self) -> Result<(), DbErr> {
        if self.in_transaction { self.rollback().await } else { Ok(()) }
    }

    async fn end(&mut self, statement: &'static str) -> Result<(), DbErr> {
        self.connection.execute(statement).await.map_err(query_error)?;
        self.in_transaction = false;
        Ok(())
    }

    /// Puts the connection back into its slot.
    pub(crate) fn release(self) {
        let Self { slot, connection, opened, .. } = self;
        slot.idle = Some(IdleConnection { connection, opened, used: Instant::now() });
    }
}

fn has_code(error: &Error, code: &str) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(code))
}

fn query_error(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
