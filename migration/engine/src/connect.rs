//! Connections for migrations: one at a time. On SQLite foreign keys are off, because a table is
//! rebuilt by dropping it.

use crate::environment::redacted;
use crate::{Error, Project};
use sea_orm_migration::sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm_migration::sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm_migration::sea_orm::sqlx::{ConnectOptions as _, Connection, Executor};
use sea_orm_migration::sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// How long a database may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the first read of a SQLite file waits for a commit of another program.
const OPEN_BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// The database that an address names.
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

    /// Whether it is a SQLite file that does not exist yet.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::SqliteFile(file) if !file.exists())
    }
}

/// Whether the address is that of a pooler in transaction mode: it allows no prepared statements.
pub(crate) fn behind_transaction_pooler(url: &str) -> bool {
    url.contains("statement-cache-capacity=0")
}

/// Opens one connection. A missing SQLite file is created only if `create` is set, and its folder
/// never.
pub(crate) async fn connect(
    project: &Project,
    url: &str,
    create: bool,
    busy_timeout: Duration,
) -> Result<DatabaseConnection, Error> {
    match Place::of(url)? {
        Place::Postgres => probe(url).await?,
        Place::SqliteFile(file) => check_file(project, url, &file, create)?,
    }
    let mut options = ConnectOptions::new(url);
    let (names_itself, command) = (url.contains("application_name"), project.command);
    options.map_sqlx_postgres_opts(move |postgres| {
        // Poolers refuse startup parameters that they do not track, such as the digits of floats.
        let postgres = postgres.extra_float_digits(None);
        // A session that waits for this one can see its name in pg_stat_activity.
        if names_itself { postgres } else { postgres.application_name(command) }
    });
    if behind_transaction_pooler(url) {
        options.map_sqlx_postgres_pool_opts(in_a_transaction);
    }
    options
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(CONNECT_TIMEOUT)
        .sqlx_logging(false)
        // The journal mode is the choice of the program that serves the database.
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite.foreign_keys(false).create_if_missing(create).busy_timeout(OPEN_BUSY_TIMEOUT)
        });
    let db = Database::connect(options).await.map_err(|error| unreachable(url, &error))?;
    if db.get_database_backend() == DbBackend::Sqlite {
        db.execute_unprepared(&format!("PRAGMA busy_timeout = {}", busy_timeout.as_millis())).await?;
    }
    Ok(db)
}

/// Says what is missing, which SQLite does not.
fn check_file(project: &Project, url: &str, file: &Path, create: bool) -> Result<(), Error> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    match folder {
        Some(folder) => Err(unreachable(url, &format!("there is no folder {}; make it first", folder.display()))),
        None if !create && !file.exists() => {
            let reason = format!("there is no file {}; run `{} up` to create it", file.display(), project.command);
            Err(unreachable(url, &reason))
        }
        None => Ok(()),
    }
}

/// Keeps the connection inside a transaction. SeaORM prepares a statement in one step and runs it
/// in another; between them a pooler would give the server connection to another client. Statements
/// that other clients prepared have the same names, so they are deallocated.
fn in_a_transaction(pool: PgPoolOptions) -> PgPoolOptions {
    // The server would warn about the transactions that the runner begins and ends itself.
    const BEGIN: &str = "SET LOCAL client_min_messages = error; BEGIN; DEALLOCATE ALL";
    const END: &str = "SET LOCAL client_min_messages = error; COMMIT";
    let pool = pool.after_connect(|connection, _| Box::pin(async { connection.execute(BEGIN).await.map(drop) }));
    let pool = pool.before_acquire(|connection, _| Box::pin(async { connection.execute(BEGIN).await.map(|_| true) }));
    pool.after_release(|connection, _| Box::pin(async { connection.execute(END).await.map(|_| true) }))
}

/// Connects once, without a pool, which would retry and report only a timeout.
async fn probe(url: &str) -> Result<(), Error> {
    let options = PgConnectOptions::from_str(url).map_err(|error| Error::Url(error.to_string()))?;
    let options = options.extra_float_digits(None);
    match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(Ok(connection)) => connection.close().await.map_err(|error| unreachable(url, &error)),
        Ok(Err(error)) => Err(unreachable(url, &error)),
        Err(_) => Err(unreachable(url, &"no answer")),
    }
}

fn unreachable(url: &str, reason: &impl ToString) -> Error {
    Error::Connect { database: redacted(url), reason: reason.to_string() }
}
