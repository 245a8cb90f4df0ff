//! Errors: one line each, which says what is wrong and how to fix it.

mod adoption;
mod revision;

use crate::environment::redacted;
use sea_orm_migration::sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm_migration::sea_orm::{DbErr, RuntimeErr};
use std::time::Duration;

pub use adoption::AdoptionRefusal;
pub use revision::RevisionRefusal;

/// Why a command failed. Commands change everything or nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be used. It is not repeated, because it may hold a password.
    #[error("the database URL is not usable ({0}): write sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME")]
    Url(String),
    /// The address of `--database-url` cannot be used.
    #[error("--database-url {0}")]
    UrlArgument(String),
    /// The path of `--dir` cannot be used.
    #[error("--dir: {0}")]
    DirArgument(String),
    /// The database cannot be opened.
    #[error("cannot open {database}: {reason}")]
    Connect {
        /// Its address without the password.
        database: String,
        /// The driver's message.
        reason: String,
    },
    /// Another runner, writer or reader held a lock for too long.
    #[error(
        "the database was still locked after {} s, {}: retry when that is done, or wait longer with --lock-timeout",
        waited.as_secs(), describe_holders(by)
    )]
    Locked {
        /// How long the run waited.
        waited: Duration,
        /// The sessions that hold the lock; empty on SQLite.
        by: Vec<String>,
    },
    /// The database is Alembic's and not adopted.
    #[error("Alembic built this database ({revisions}); take it over first: `{command} adopt`")]
    Alembic {
        /// Alembic's revisions.
        revisions: String,
        /// How a person calls the command line.
        command: &'static str,
    },
    /// The downgrade would go below the adoption.
    #[error(
        "cannot downgrade below {0}: the database was adopted from Alembic there; nothing was changed; \
         name {0} or a later migration as the target"
    )]
    Adopted(String),
    /// Data would be dropped, and nobody confirmed it.
    #[error("this drops data, and {0}: nothing was changed; pass --yes to drop it, or --plan to see what would run")]
    NotConfirmed(String),
    /// The backup failed, so nothing was changed.
    #[error("cannot back up to {file} ({reason}): nothing was changed; free some space there, or pass --no-backup")]
    Backup {
        /// Where to.
        file: String,
        /// Why not.
        reason: String,
    },
    /// A newer program has migrated the database.
    #[error("the database is ahead of this program, which does not know {}: run the newer program", .0.join(", "))]
    Ahead(Vec<String>),
    /// No migration has this name.
    #[error("there is no migration {}: `status` lists them", without_address(.0))]
    UnknownTarget(String),
    /// Several migrations have this prefix.
    #[error("{one} and {others} more migrations begin with {word}: write more of the name")]
    AmbiguousTarget {
        /// What was written.
        word: String,
        /// One of the migrations.
        one: String,
        /// How many others there are.
        others: usize,
    },
    /// The range of a script is in the wrong direction.
    #[error(
        "{} goes the wrong way: write it as FROM:TO, from older to newer for `up`, from newer to older for `down`",
        without_address(.0)
    )]
    Range(String),
    /// A migration could not be written as SQL.
    #[error("{name} cannot be written as SQL: {}", one_line(source))]
    Offline {
        /// Its name.
        name: String,
        /// Why.
        source: DbErr,
    },
    /// A non-transactional migration cannot run through a pooler in transaction mode.
    #[error(
        "{name} cannot run through a transaction pooler: nothing was changed; connect to PostgreSQL directly, without \
         statement-cache-capacity=0"
    )]
    TransactionPooler {
        /// The migration.
        name: String,
    },
    /// A migration failed.
    #[error("{name} cannot run, {}: {}", describe_kept(kept), one_line(source))]
    Migration {
        /// Its name.
        name: String,
        /// Migrations that ran before it and stay, because one of them is non-transactional.
        kept: Vec<String>,
        /// Why.
        source: DbErr,
    },
    /// Rows would refer to rows that do not exist.
    #[error(
        "nothing was changed, because {count} rows would refer to rows that do not exist, first {first}: \
         correct the migration, or delete these rows"
    )]
    Orphans {
        /// How many.
        count: usize,
        /// Table, row, and the table that it refers to.
        first: String,
    },
    /// The database cannot be adopted.
    #[error("cannot adopt: {0}")]
    Adoption(#[from] AdoptionRefusal),
    /// No migration was written.
    #[error("nothing was written: {0}")]
    Revision(#[from] RevisionRefusal),
    /// Any other error of the database.
    #[error("the database failed: {}", one_line(.0))]
    Database(#[from] DbErr),
}

impl Error {
    /// Whether a lock or deadlock was the cause, so that a retry may succeed.
    pub(crate) fn is_blocked(&self) -> bool {
        match self {
            Self::Migration { source, .. } | Self::Database(source) => {
                sqlstate(source).is_some_and(|state| [LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED].contains(&state.as_str()))
            }
            _ => false,
        }
    }
}

const LOCK_NOT_AVAILABLE: &str = "55P03";
const DEADLOCK_DETECTED: &str = "40P01";

fn sqlstate(error: &DbErr) -> Option<String> {
    postgres_error(error).map(|error| error.code().to_owned())
}

fn postgres_error(error: &DbErr) -> Option<&PgDatabaseError> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            error.as_database_error()?.try_downcast_ref()
        }
        _ => None,
    }
}

/// A word of the command line without the password of an address, which may be there by mistake.
fn without_address(word: &str) -> String {
    if word.contains("://") { redacted(word) } else { word.to_owned() }
}

fn describe_holders(by: &[String]) -> String {
    match by {
        [] => "another migration runs or another program holds a write".to_owned(),
        by => format!("by {}", by.join(", ")),
    }
}

fn describe_kept(kept: &[String]) -> String {
    match kept {
        [] => "nothing was changed".to_owned(),
        kept => format!("the earlier migrations of this run are not undone ({})", kept.join(", ")),
    }
}

/// The message of a migration as it is, or that of a driver without its line breaks. PostgreSQL
/// names the object that blocks a statement in the detail of its error.
pub(crate) fn one_line(error: &DbErr) -> String {
    let detail = postgres_error(error).and_then(PgDatabaseError::detail);
    let text = match error {
        DbErr::Migration(text) => text.clone(),
        other => format!("{other}{}", detail.map(|detail| format!(": {detail}")).unwrap_or_default()),
    };
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
