//! Connections for migrations: one at a time, and on SQLite with foreign keys off, because a table is rebuilt by dropping it.

use crate::environment::redacted;
use crate::{Error, Project};
use sea_orm_migration::sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm_migration::sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm_migration::sea_orm::sqlx::{ConnectOptions as _, Connection, Executor};
use sea_orm_migration::sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How long a database may take to answer the door.
const PATIENCE: Duration = Duration::from_secs(10);

/// What an address leads to.
pub(crate) enum Place {
    Postgres,
    SqliteFile(PathBuf),
}

impl Place {
    pub(crate) fn of(url: &str) -> Result<Self, Error> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            PgConnectOptions::from_str(url).map_err(|error| Error::Url(error.to_string()))?;
            return Ok(Self::Postgres);
        }
        if url.is_empty() {
            return Err(Error::Url("DATABASE_URL is not set".to_owned()));
        }
        if !url.starts_with("sqlite:") {
            return Err(Error::Url("it begins neither with sqlite: nor with postgres:".to_owned()));
        }
        let options = SqliteConnectOptions::from_str(url).map_err(|error| Error::Url(error.to_string()))?;
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Err(Error::Url("a database in memory cannot be migrated from outside".to_owned()));
        }
        Ok(Self::SqliteFile(options.get_filename().to_owned()))
    }

    pub(crate) fn dialect(&self) -> DbBackend {
        if matches!(self, Self::Postgres) { DbBackend::Postgres } else { DbBackend::Sqlite }
    }

    /// Whether it is a file that is not there yet.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::SqliteFile(file) if !file.exists())
    }
}

/// Whether the address leads to a pooler that lends a connection for one transaction: that nothing is to stay prepared.
pub(crate) fn is_lent(url: &str) -> bool {
    url.contains("statement-cache-capacity=0")
}

/// Opens one connection; a missing SQLite file is made only when `create` says so.
pub(crate) async fn connect(
    project: &Project,
    url: &str,
    create: bool,
    busy_timeout: Duration,
) -> Result<DatabaseConnection, Error> {
    if matches!(Place::of(url)?, Place::Postgres) {
        knock(url).await?;
    }
    let mut options = ConnectOptions::new(url);
    let (names_itself, command) = (url.contains("application_name"), project.command);
    options.map_sqlx_postgres_opts(move |postgres| {
        // Poolers refuse to start with settings that they cannot keep apart, such as the digits of floats, of which we store none.
        let postgres = postgres.extra_float_digits(None);
        // Whoever waits for us shall read who we are.
        if names_itself { postgres } else { postgres.application_name(command) }
    });
    if is_lent(url) {
        options.map_sqlx_postgres_pool_opts(in_a_transaction);
    }
    options
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(PATIENCE)
        .sqlx_logging(false)
        // The journal mode is the business of the program that serves the database.
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite.foreign_keys(false).create_if_missing(create).busy_timeout(busy_timeout)
        });
    Database::connect(options).await.map_err(|error| unreachable(url, &error))
}

/// What SeaORM prepares in one step and runs in another must be in one transaction, or a pooler lends the connection to somebody else in
/// between; and what others have prepared there goes by the same names.
fn in_a_transaction(pool: PgPoolOptions) -> PgPoolOptions {
    // The server warns of a transaction that has begun, or ended, already, as those of the runner do.
    const BEGIN: &str = "SET LOCAL client_min_messages = error; BEGIN; DEALLOCATE ALL";
    const END: &str = "SET LOCAL client_min_messages = error; COMMIT";
    let pool = pool.after_connect(|link, _| Box::pin(async { link.execute(BEGIN).await.map(drop) }));
    let pool = pool.before_acquire(|link, _| Box::pin(async { link.execute(BEGIN).await.map(|_| true) }));
    pool.after_release(|link, _| Box::pin(async { link.execute(END).await.map(|_| true) }))
}

/// A pool tries again and again and says at last that its time was up; one attempt says at once what is wrong.
async fn knock(url: &str) -> Result<(), Error> {
    let options = PgConnectOptions::from_str(url).map_err(|error| Error::Url(error.to_string()))?;
    let options = options.extra_float_digits(None);
    match tokio::time::timeout(PATIENCE, options.connect()).await {
        Ok(Ok(connection)) => connection.close().await.map_err(|error| unreachable(url, &error)),
        Ok(Err(error)) => Err(unreachable(url, &error)),
        Err(_) => Err(unreachable(url, &"no answer")),
    }
}

fn unreachable(url: &str, reason: &impl ToString) -> Error {
    Error::Connect { database: redacted(url), reason: reason.to_string() }
}
