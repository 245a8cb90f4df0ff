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
/// After so long a rest the connection is asked whether it is alive: one that a restarted server left dead is noticed here, not by
/// a request.
const REST: Duration = Duration::from_secs(1);
/// A statement was prepared before a migration changed what it gives back (PostgreSQL's manual, appendix A).
const OUTDATED_PLAN: &str = "0A000";

/// What is needed to open a connection.
#[derive(Clone)]
pub(crate) struct Links {
    pub(crate) options: Arc<PgConnectOptions>,
    /// Statements for a new connection.
    pub(crate) settings: &'static [&'static str],
    pub(crate) observer: Option<Observer>,
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}

/// A connection that is opened when it is first used.
pub(crate) struct Link {
    links: Links,
    kept: Option<(PgConnection, Instant)>,
}

impl Link {
    pub(crate) fn new(links: &Links) -> Self {
        Self { links: links.clone(), kept: None }
    }

    /// Takes the connection. It is dropped with the session, which ends what was under way, unless [`Session::done`] gives it back.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub(crate) async fn session(&mut self) -> Result<Session<'_>, DbErr> {
        let connection = match self.kept.take() {
            Some((connection, since)) if since.elapsed() < REST => Some(connection),
            Some((mut connection, _)) => {
                matches!(timeout(CONNECT_TIMEOUT, connection.ping()).await, Ok(Ok(()))).then_some(connection)
            }
            None => None,
        };
        let connection = match connection {
            Some(connection) => connection,
            None => timeout(CONNECT_TIMEOUT, self.links.connect())
                .await
                .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
                .map_err(failed)?,
        };
        Ok(Session { link: self, connection })
    }
}

impl Links {
    async fn connect(&self) -> Result<PgConnection, Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        for setting in self.settings {
            connection.execute(*setting).await?;
        }
        Ok(connection)
    }
}

/// A connection in use.
pub(crate) struct Session<'a> {
    link: &'a mut Link,
    connection: PgConnection,
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
        match self.execute(sql, arguments.clone()).await {
            Err(Error::Database(error)) if error.code().as_deref() == Some(OUTDATED_PLAN) => {
                self.connection.clear_cached_statements().await.map_err(failed)?;
                // A transaction is lost by then, and begins anew when the request is sent again.
                self.execute(sql, arguments).await.map_err(|_| failed(Error::Database(error)))
            }
            answer => answer.map_err(failed),
        }
    }

    async fn execute(&mut self, sql: &Arc<str>, arguments: PgArguments) -> Result<Vec<PgRow>, Error> {
        query_with(AssertSqlSafe(sql.clone()), arguments).fetch_all(&mut self.connection).await
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
        self.link.kept = Some((self.connection, Instant::now()));
    }
}

fn failed(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
