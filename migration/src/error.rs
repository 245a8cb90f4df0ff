//! Why a migration did not run: one line that says what is wrong and how to mend it.

use sea_orm_migration::sea_orm::DbErr;
use std::time::Duration;

/// Why nothing was changed. Every command is all or nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not one that Playhead can use. It is not repeated, because it may hold a password.
    #[error("the database URL is not usable ({0}): write sqlite://playhead.db or postgres://user:password@host/name")]
    Url(String),
    /// The address leads nowhere.
    #[error("cannot open {database}: {reason}")]
    Connect {
        /// Where, without a password.
        database: String,
        /// What the driver says.
        reason: String,
    },
    /// Somebody else is migrating, or writing, for too long.
    #[error(
        "the database was still locked after {} s: another migration runs, or another program holds a write; try again when it is done",
        .0.as_secs()
    )]
    Locked(Duration),
    /// A newer Playhead was here.
    #[error("the database is ahead of this program, which does not know {}: run the newer program", .0.join(", "))]
    Ahead(Vec<String>),
    /// No migration has this name.
    #[error("there is no migration {0}: `status` lists them")]
    UnknownTarget(String),
    /// A migration could not run.
    #[error("{name} cannot run, nothing was changed: {}", one_line(source))]
    Migration {
        /// Its name.
        name: String,
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
    /// The database failed otherwise.
    #[error("the database failed: {}", one_line(.0))]
    Database(#[from] DbErr),
}

/// What a migration itself says stands alone; a driver's words lose their line breaks.
fn one_line(error: &DbErr) -> String {
    let text = match error {
        DbErr::Migration(text) => text.clone(),
        other => other.to_string(),
    };
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
