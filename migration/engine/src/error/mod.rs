//! Why a migration did not run: one line that says what is wrong and how to mend it.

mod adoption;
mod revision;

use crate::environment::redacted;
use sea_orm_migration::sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm_migration::sea_orm::{DbErr, RuntimeErr};
use std::time::Duration;

pub use adoption::AdoptionRefusal;
pub use revision::RevisionRefusal;

/// Why nothing was changed. Every command is all or nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be used. It is not repeated, because it may hold a password.
    #[error("the database URL is not usable ({0}): write sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME")]
    Url(String),
    /// The address among the arguments cannot be used.
    #[error("--database-url {0}")]
    UrlArgument(String),
    /// The path is not one that can be used.
    #[error("--dir: {0}")]
    Path(String),
    /// The address leads nowhere.
    #[error("cannot open {database}: {reason}")]
    Connect {
        /// Where, without a password.
        database: String,
        /// What the driver says.
        reason: String,
    },
    /// Somebody else is migrating, writing or reading, for too long.
    #[error(
        "the database was still locked after {} s, {}: try again when that is done, or wait longer with --lock-timeout",
        waited.as_secs(), held(by)
    )]
    Locked {
        /// How long we waited.
        waited: Duration,
        /// Who holds the lock, where that can be known.
        by: Vec<String>,
    },
    /// Alembic was here, and nobody told us to take over.
    #[error("Alembic built this database ({revisions}); take it over first: `{command} adopt`")]
    Alembic {
        /// Alembic's revisions.
        revisions: String,
        /// How a person calls the command line.
        command: &'static str,
    },
    /// Below this point only Alembic could have gone.
    #[error("this database was adopted at {0}, and below that there is no way: nothing was changed")]
    Adopted(String),
    /// Data would be dropped, and nobody said that it may.
    #[error("this drops data, and {0}: nothing was changed; say --yes if you want it, --plan shows what it would do")]
    Consent(String),
    /// Without a copy nothing is changed.
    #[error("cannot back up to {file} ({reason}): nothing was changed; make room there, or say --no-backup")]
    Backup {
        /// Where to.
        file: String,
        /// Why not.
        reason: String,
    },
    /// A newer program was here.
    #[error("the database is ahead of this program, which does not know {}: run the newer program", .0.join(", "))]
    Ahead(Vec<String>),
    /// No migration has this name.
    #[error("there is no migration {}: `status` lists them", without_address(.0))]
    UnknownTarget(String),
    /// Several migrations begin so.
    #[error("{others} more migrations than {one} begin with {word}: write more of the name")]
    AmbiguousTarget {
        /// What was written.
        word: String,
        /// One of the migrations.
        one: String,
        /// How many others there are.
        others: usize,
    },
    /// The script would have to go the other way.
    #[error(
        "{} goes the wrong way: write it as FROM:TO, `up` from older to newer, `down` from newer to older",
        without_address(.0)
    )]
    Range(String),
    /// A migration could not be written down.
    #[error("{name} cannot be written as SQL: {}", one_line(source))]
    Offline {
        /// Its name.
        name: String,
        /// Why.
        source: DbErr,
    },
    /// It runs outside of any transaction, and a pooler lends connections for one.
    #[error(
        "{name} runs outside of a transaction, which a pooler has no connection for: nothing was changed; name the server itself, without \
         statement-cache-capacity=0"
    )]
    Lent {
        /// The migration.
        name: String,
    },
    /// A migration could not run.
    #[error("{name} cannot run, {}: {}", kept_to_text(kept), one_line(source))]
    Migration {
        /// Its name.
        name: String,
        /// What ran before it and stays, because one of them ran outside of a transaction.
        kept: Vec<String>,
        /// Why.
        source: DbErr,
    },
    /// Rows would have been left without the rows that they refer to.
    #[error(
        "nothing was changed, because {count} rows would refer to rows that are not there any more, first one in {first}"
    )]
    Orphans {
        /// How many.
        count: usize,
        /// Table, row and the table it refers to.
        first: String,
    },
    /// It is no database that could be taken over.
    #[error("nothing to adopt: {0}")]
    Adoption(#[from] AdoptionRefusal),
    /// No migration was written.
    #[error("nothing was written: {0}")]
    Revision(#[from] RevisionRefusal),
    /// The database failed otherwise.
    #[error("the database failed: {}", one_line(.0))]
    Database(#[from] DbErr),
}

impl Error {
    /// Whether somebody else was in the way, so that another attempt may succeed.
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

/// A word of the command line; an address that was written without --database-url may hold a password.
fn without_address(word: &str) -> String {
    if word.contains("://") { redacted(word) } else { word.to_owned() }
}

fn held(by: &[String]) -> String {
    match by {
        [] => "another migration runs or another program holds a write".to_owned(),
        by => format!("by {}", by.join(", ")),
    }
}

fn kept_to_text(kept: &[String]) -> String {
    match kept {
        [] => "nothing was changed".to_owned(),
        kept => format!("those before it stay ({})", kept.join(", ")),
    }
}

/// What a migration itself says stands alone; a driver's words lose their line breaks. PostgreSQL names the object that is in the
/// way in a part of its own.
pub(crate) fn one_line(error: &DbErr) -> String {
    let detail = postgres_error(error).and_then(PgDatabaseError::detail);
    let text = match error {
        DbErr::Migration(text) => text.clone(),
        other => format!("{other}{}", detail.map(|detail| format!(": {detail}")).unwrap_or_default()),
    };
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
