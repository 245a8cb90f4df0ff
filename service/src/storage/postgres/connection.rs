//! PostgreSQL through a connection that a lane keeps for itself.
//!
//! A pool asks the server about every connection that comes back to it, which costs a lane's small groups as much as a statement, and
//! waits for that answer without a limit, for minutes when the server's machine has vanished. A lane asks for one thing at a time: it
//! keeps its connection while all is well, drops it when anything is in doubt, and opens another one.
//!
//! Between the program and the server there may be a pooler that lends one connection of the server for a transaction, and another one
//! for the next. What is prepared outlives the transaction there, under a name that others use too, and so does what a session is told.

use crate::storage::Observer;
use sea_orm::sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions, Connection, Error, Executor, PgConnection, query_with};
use sea_orm::{DbErr, RuntimeErr};
use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a connection may take to be opened, or to answer after a rest.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// After how long a connection is replaced, so that nothing that is true of one, such as a server that became a standby, stays for ever.
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(60);
/// After so long a rest the connection is asked whether it is alive: one that a restarted server left dead is noticed here, not by
/// a request.
const IDLE_CHECK_AFTER: Duration = Duration::from_secs(1);
/// A statement was prepared before a migration changed what it gives back (PostgreSQL's manual, appendix A).
const OUTDATED_PLAN: &str = "0A000";
/// The transaction has failed already.
const IN_FAILED_TRANSACTION: &str = "25P02";

/// The statements of the lanes look few rows up by their keys, and PostgreSQL plans them without knowing how few: left alone,
/// it may read whole tables, or plan anew each time, which costs more than to run it. Servers differ in the settings they know.
const PLANNER: &str = "SELECT set_config(known.name, wanted.value, false) FROM pg_settings AS known \
    JOIN (VALUES ('plan_cache_mode', 'force_generic_plan'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), \
        ('enable_seqscan', 'off'), ('enable_memoize', 'off'), ('jit', 'off')) AS wanted (name, value) \
    ON known.name = wanted.name";
/// What a statement may wait for and how long it may run, for a `SESSION` or for the transaction (`LOCAL`). One that hangs on a lock must
/// not hold a connection for long, or a few of them hold them all.
pub(crate) fn timeouts(scope: &str) -> String {
    format!(
        "SET {scope} lock_timeout = '3s'; SET {scope} statement_timeout = '10s'; \
         SET {scope} idle_in_transaction_session_timeout = '10s'"
    )
}

/// How the server of this address is spoken to.
///
/// # Errors
/// The address is none.
pub(crate) fn connect_options(url: &str) -> Result<PgConnectOptions, Error> {
    // Poolers refuse to start with settings that they cannot keep apart, such as the digits of floats, of which we store none.
    Ok(PgConnectOptions::from_str(url)?.extra_float_digits(None).disable_statement_logging())
}

/// Whether the address says that a connection is lent for one transaction only: that nothing is to stay prepared.
pub(crate) fn behind_transaction_pooler(url: &str) -> bool {
    url.contains("statement-cache-capacity=0")
}

/// What is needed to open a connection.
#[derive(Clone)]
pub(crate) struct PgConnector {
    options: Arc<PgConnectOptions>,
    /// Whether a connection is that of a pooler, which lends it for one transaction.
    pub(crate) behind_transaction_pooler: bool,
    pub(crate) observer: Option<Observer>,
}

impl fmt::Debug for PgConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgConnector").finish_non_exhaustive()
    }
}

impl PgConnector {
    /// To the server of this address.
    ///
    /// # Errors
    /// The address is none.
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        Ok(Self {
            options: Arc::new(connect_options(url)?),
            behind_transaction_pooler: behind_transaction_pooler(url),
            observer: None,
        })
    }

    async fn connect(&self) -> Result<PgConnection, Error> {
        let mut connection = PgConnection::connect_with(&*self.options).await?;
        if !self.behind_transaction_pooler {
            connection.execute(AssertSqlSafe(timeouts("SESSION"))).await?;
            connection.execute(PLANNER).await?;
        }
        Ok(connection)
    }
}

/// A connection that is opened when it is first used.
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

    /// Takes the connection. It is dropped with the session, which ends what was under way, unless [`PgConnectionGuard::release`] gives it back.
    ///
    /// # Errors
    /// The server cannot be reached. That is tried once: whoever asks is told to come back instead of waiting.
    pub(crate) async fn acquire(&mut self) -> Result<PgConnectionGuard<'_>, DbErr> {
        let kept = match self.idle.take() {
            Some(kept) if kept.opened.elapsed() > MAX_LIFETIME => None,
            Some(kept) if kept.used.elapsed() < IDLE_CHECK_AFTER => Some(kept),
            Some(mut kept) => {
                matches!(timeout(CONNECT_TIMEOUT, kept.connection.ping()).await, Ok(Ok(()))).then_some(kept)
            }
            None => None,
        };
        let (connection, opened) = match kept {
            Some(IdleConnection { connection, opened, .. }) => (connection, opened),
            None => {
                let connecting = timeout(CONNECT_TIMEOUT, self.connector.connect()).await;
                let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
                (connecting.unwrap_or_else(late).map_err(failed)?, Instant::now())
            }
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
    /// Every row of the answer.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn query(&mut self, sql: &Arc<str>, arguments: PgArguments) -> Result<Vec<PgRow>, DbErr> {
        if let Some(observer) = &self.slot.connector.observer {
            observer(sql);
        }
        let is =
            |code, error: &Error| error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(code));
        match self.execute(sql, arguments.clone()).await {
            Err(outdated) if is(OUTDATED_PLAN, &outdated) => {
                self.connection.clear_cached_statements().await.map_err(failed)?;
                match self.execute(sql, arguments).await {
                    // It begins anew when the request is sent again.
                    Err(error) if is(IN_FAILED_TRANSACTION, &error) => Err(failed(outdated)),
                    answer => answer.map_err(failed),
                }
            }
            answer => answer.map_err(failed),
        }
    }

    /// To prepare and to run are two steps, between which a lent connection would be lent to somebody else but for a transaction.
    async fn execute(&mut self, sql: &Arc<str>, arguments: PgArguments) -> Result<Vec<PgRow>, Error> {
        let behind_transaction_pooler = self.slot.connector.behind_transaction_pooler;
        let of_its_own = behind_transaction_pooler && !self.in_transaction;
        if of_its_own {
            self.connection.execute(AssertSqlSafe(format!("BEGIN; {}", timeouts("LOCAL")))).await?;
        }
        let query = query_with(AssertSqlSafe(sql.clone()), arguments).persistent(!behind_transaction_pooler);
        let rows = query.fetch_all(&mut self.connection).await;
        if of_its_own {
            let ended = self.connection.execute(if rows.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
            return rows.and_then(|rows| ended.map(|_| rows));
        }
        rows
    }

    /// Begins a transaction, in which a statement waits `lock_timeout` for what others hold, or as long as elsewhere.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn begin(&mut self, lock_timeout: Option<Duration>) -> Result<(), DbErr> {
        let mut begin = "BEGIN".to_owned();
        if self.slot.connector.behind_transaction_pooler {
            begin += &format!("; {}", timeouts("LOCAL"));
        }
        if let Some(lock_timeout) = lock_timeout {
            begin += &format!("; SET LOCAL lock_timeout = '{}ms'", lock_timeout.as_millis());
        }
        self.connection.execute(AssertSqlSafe(begin)).await.map_err(failed)?;
        self.in_transaction = true;
        Ok(())
    }

    /// Ends the transaction; what it wrote is there as a whole when this returns.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn commit(&mut self) -> Result<(), DbErr> {
        self.end("COMMIT").await
    }

    /// Ends the transaction as if it had not been.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn rollback(&mut self) -> Result<(), DbErr> {
        self.end("ROLLBACK").await
    }

    async fn end(&mut self, how: &'static str) -> Result<(), DbErr> {
        self.connection.execute(how).await.map_err(failed)?;
        self.in_transaction = false;
        Ok(())
    }

    /// Gives the connection back.
    pub(crate) fn release(self) {
        self.slot.idle =
            Some(IdleConnection { connection: self.connection, opened: self.opened, used: Instant::now() });
    }
}

fn failed(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
