//! PostgreSQL through a connection that a lane keeps for itself.
//!
//! A pool asks the server about every connection that comes back to it, which costs a lane's small groups as much as a statement, and
//! waits for that answer without a limit, for minutes when the server's machine has vanished. A lane asks for one thing at a time: it
//! keeps its connection while all is well, drops it when anything is in doubt, and opens another one.

use crate::engine::Observer;
use sea_orm::sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sea_orm::sqlx::{AssertSqlSafe, Connection, Error, Executor, PgConnection, query_with};
use sea_orm::{DbErr, RuntimeErr};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a connection may take to be opened, or to answer after a rest.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// After how long a connection is replaced, so that nothing that is true of one, such as a server that became a standby, stays for ever.
pub(crate) const LIFETIME: Duration = Duration::from_secs(60);
/// After so long a rest the connection is asked whether it is alive: one that a restarted server left dead is noticed here, not by
/// a request.
const REST: Duration = Duration::from_secs(1);
/// A statement was prepared before a migration changed what it gives back (PostgreSQL's manual, appendix A).
const OUTDATED_PLAN: &str = "0A000";
/// The transaction has failed already.
const IN_FAILED_TRANSACTION: &str = "25P02";

/// What is needed to open a connection.
#[derive(Clone)]
pub(crate) struct Links {
    pub(crate) options: Arc<PgConnectOptions>,
    /// Whether a connection keeps what it has prepared.
    pub(crate) keeps_statements: bool,
    /// Statements for a new connection.
    pub(crate) settings: &'static [&'static str],
    pub(crate) observer: Option<Observer>,
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}

impl Links {
    async fn connect(&self) -> Result<PgConnection, Error> {
        let mut connection = PgConnection::connect_with(&*self.options).await?;
        for setting in self.settings {
            connection.execute(*setting).await?;
        }
        Ok(connection)
    }
}

/// A connection that is opened when it is first used.
pub(crate) struct Link {
    links: Links,
    kept: Option<Kept>,
}

struct Kept {
    connection: PgConnection,
    opened: Instant,
    used: Instant,
}

impl Link {
    pub(crate) fn new(links: &Links) -> Self {
        Self { links: links.clone(), kept: None }
    }

    /// Takes the connection. It is dropped with the session, which ends what was under way, unless [`Session::done`] gives it back.
    ///
    /// # Errors
    /// The server cannot be reached. That is tried once: whoever asks is told to come back instead of waiting.
    pub(crate) async fn session(&mut self) -> Result<Session<'_>, DbErr> {
        let kept = match self.kept.take() {
            Some(kept) if kept.opened.elapsed() > LIFETIME => None,
            Some(kept) if kept.used.elapsed() < REST => Some(kept),
            Some(mut kept) => {
                matches!(timeout(CONNECT_TIMEOUT, kept.connection.ping()).await, Ok(Ok(()))).then_some(kept)
            }
            None => None,
        };
        let (connection, opened) = match kept {
            Some(Kept { connection, opened, .. }) => (connection, opened),
            None => {
                let connecting = timeout(CONNECT_TIMEOUT, self.links.connect()).await;
                let late = |_| Err(io::Error::from(io::ErrorKind::TimedOut).into());
                (connecting.unwrap_or_else(late).map_err(failed)?, Instant::now())
            }
        };
        Ok(Session { link: self, connection, opened })
    }
}

/// A connection in use.
pub(crate) struct Session<'a> {
    link: &'a mut Link,
    connection: PgConnection,
    opened: Instant,
}

impl Session<'_> {
    /// Every row of the answer.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn ask(&mut self, sql: &Arc<str>, arguments: PgArguments) -> Result<Vec<PgRow>, DbErr> {
        if let Some(observer) = &self.link.links.observer {
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

    async fn execute(&mut self, sql: &Arc<str>, arguments: PgArguments) -> Result<Vec<PgRow>, Error> {
        let query = query_with(AssertSqlSafe(sql.clone()), arguments).persistent(self.link.links.keeps_statements);
        query.fetch_all(&mut self.connection).await
    }

    /// Runs a statement that has no values and gives nothing back.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn run(&mut self, sql: &'static str) -> Result<(), DbErr> {
        self.connection.execute(sql).await.map(drop).map_err(failed)
    }

    /// Gives the connection back.
    pub(crate) fn done(self) {
        self.link.kept = Some(Kept { connection: self.connection, opened: self.opened, used: Instant::now() });
    }
}

fn failed(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
