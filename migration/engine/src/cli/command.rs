//! The grammar of the command line. The names of Alembic and of SeaORM both work.

use clap::{Args, Subcommand, ValueEnum};
use sea_orm_migration::sea_orm::DbBackend;
use std::path::PathBuf;

/// What to do with the schema.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Command {
    /// Apply pending migrations
    #[command(visible_alias = "upgrade")]
    Up {
        /// `head`, `+N`, or the last migration to apply, of which a prefix is enough; with --sql
        /// also FROM:TO
        #[arg(default_value = "head", conflicts_with = "steps")]
        target: String,
        /// Apply only this number of migrations
        #[arg(short = 'n', value_name = "N")]
        steps: Option<usize>,
        #[command(flatten)]
        offline: OfflineArguments,
        #[command(flatten)]
        change: RunArguments,
    },
    /// Revert applied migrations, newest first
    #[command(visible_alias = "downgrade")]
    Down {
        /// `base`, `-N`, or the migration to go back to, of which a prefix is enough; with --sql
        /// also FROM:TO
        #[arg(default_value = "-1", allow_hyphen_values = true, conflicts_with = "steps")]
        target: String,
        /// Revert this number of migrations
        #[arg(short = 'n', value_name = "N")]
        steps: Option<usize>,
        #[command(flatten)]
        offline: OfflineArguments,
        #[command(flatten)]
        drop: ConfirmArguments,
        #[command(flatten)]
        change: RunArguments,
    },
    /// Print the newest migration of the database
    Current,
    /// List every migration, newest first, with the time at which it was applied
    History,
    /// Print the newest migration of this program
    #[command(visible_alias = "head")]
    Heads,
    /// List what is applied, pending, and unknown to this program
    Status {
        /// Exit with 2 when anything is pending
        #[arg(long)]
        check: bool,
    },
    /// Show one migration and its SQL
    Show {
        /// Its name or a prefix of it; `head` is the newest
        name: String,
    },
    /// Mark migrations as applied or pending, without running any
    Stamp {
        /// `head`, `base`, `+N`, `-N`, or a name
        #[arg(allow_hyphen_values = true)]
        target: String,
        /// Seconds to wait for another runner
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        lock_timeout: u64,
    },
    /// Compare the database with the entities, column by column
    Check {
        /// Report extra objects as differences
        #[arg(long)]
        strict: bool,
    },
    /// Write the next migration
    #[command(visible_alias = "generate")]
    Revision(RevisionArguments),
    /// Take over a database that Alembic built
    Adopt(AdoptArguments),
    /// Drop the tables of the migrations with all rows, and apply every migration
    Fresh {
        #[command(flatten)]
        drop: ConfirmArguments,
        #[command(flatten)]
        change: RunArguments,
    },
    /// Revert every migration
    Reset {
        #[command(flatten)]
        drop: ConfirmArguments,
        #[command(flatten)]
        change: RunArguments,
    },
    /// Revert every migration, and apply every migration
    Refresh {
        #[command(flatten)]
        drop: ConfirmArguments,
        #[command(flatten)]
        change: RunArguments,
    },
    /// Look for problems of the database, and say how to fix them
    Doctor,
}

/// How to run an operation.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArguments {
    /// Only list what would run
    #[arg(long)]
    pub(super) plan: bool,
    /// Seconds to wait for another runner, writer or long reader
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(super) lock_timeout: u64,
    /// Do not copy the SQLite file before its tables are rebuilt or dropped
    #[arg(long)]
    pub(super) no_backup: bool,
}

/// Confirmation before data is dropped.
#[derive(Debug, Clone, Args)]
pub(super) struct ConfirmArguments {
    /// Drop data without asking
    #[arg(long, short = 'y')]
    pub(super) yes: bool,
}

/// A script instead of a run.
#[derive(Debug, Clone, Args)]
pub(super) struct OfflineArguments {
    /// Print the SQL for psql or sqlite3 instead of running it; needs no database
    #[arg(long, conflicts_with = "plan")]
    pub(super) sql: bool,
    /// The dialect of the SQL; the default is the dialect of the database URL
    #[arg(long, value_enum, requires = "sql")]
    pub(super) dialect: Option<Dialect>,
}

/// A dialect of SQL.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Dialect {
    /// For sqlite3.
    Sqlite,
    /// For psql.
    #[value(alias = "postgresql")]
    Postgres,
}

impl From<Dialect> for DbBackend {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Sqlite => Self::Sqlite,
            Dialect::Postgres => Self::Postgres,
        }
    }
}

/// How to adopt a database.
#[derive(Debug, Clone, Args)]
pub(super) struct AdoptArguments {
    /// Only report what would be done
    #[arg(long)]
    pub(super) plan: bool,
    /// Apply the pending migrations afterwards
    #[arg(long)]
    pub(super) upgrade: bool,
    /// Seconds to wait for another runner, writer or long reader
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(super) lock_timeout: u64,
    /// Do not copy the SQLite file before its tables are rebuilt
    #[arg(long)]
    pub(super) no_backup: bool,
}

/// Which migration to write.
#[derive(Debug, Clone, Args)]
pub(super) struct RevisionArguments {
    /// What the migration does, in a few words; they become the name of the file
    #[arg(required_unless_present = "message", conflicts_with = "message", value_name = "MESSAGE")]
    words: Option<String>,
    /// What the migration does; Alembic's form of MESSAGE
    #[arg(short, long)]
    message: Option<String>,
    /// Write statements for the differences between the entities and the database
    #[arg(long)]
    pub(super) autogenerate: bool,
    /// The folder of the migrations, if this program was built from another one
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

impl RevisionArguments {
    pub(super) fn message(&self) -> &str {
        self.message.as_deref().or(self.words.as_deref()).unwrap_or_default()
    }
}
