//! The words of the command line. Alembic's and SeaORM's both work.

use clap::{Args, Subcommand, ValueEnum};
use sea_orm_migration::sea_orm::DbBackend;
use std::path::PathBuf;

/// What to do with the schema.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Command {
    /// Apply what is pending
    #[command(visible_alias = "upgrade")]
    Up {
        /// `head`, `+N`, or the name of the last migration to apply (its beginning is enough); with --sql also FROM:TO
        #[arg(default_value = "head", conflicts_with = "steps")]
        target: String,
        /// Only so many migrations
        #[arg(short = 'n', value_name = "N")]
        steps: Option<usize>,
        #[command(flatten)]
        offline: Offline,
        #[command(flatten)]
        change: Change,
    },
    /// Take back what was applied, newest first
    #[command(visible_alias = "downgrade")]
    Down {
        /// `base`, `-N`, or the name of the migration to go back to (its beginning is enough); with --sql also FROM:TO
        #[arg(default_value = "-1", allow_hyphen_values = true, conflicts_with = "steps")]
        target: String,
        /// So many migrations
        #[arg(short = 'n', value_name = "N")]
        steps: Option<usize>,
        #[command(flatten)]
        offline: Offline,
        #[command(flatten)]
        drop: Drop,
        #[command(flatten)]
        change: Change,
    },
    /// Name the newest migration that the database has
    Current,
    /// List every migration, newest first, with the time at which it was applied
    History,
    /// Name the newest migration of this program
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
        /// Its name, or the beginning of it; `head` is the newest
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
        /// Count what is not ours as well
        #[arg(long)]
        strict: bool,
    },
    /// Write the next migration
    #[command(visible_alias = "generate")]
    Revision(Revision),
    /// Take over a database that Alembic built
    Adopt(Adopt),
    /// Drop our tables, whatever is in them, and apply everything
    Fresh {
        #[command(flatten)]
        drop: Drop,
        #[command(flatten)]
        change: Change,
    },
    /// Take back everything
    Reset {
        #[command(flatten)]
        drop: Drop,
        #[command(flatten)]
        change: Change,
    },
    /// Take back everything, and apply everything
    Refresh {
        #[command(flatten)]
        drop: Drop,
        #[command(flatten)]
        change: Change,
    },
    /// Look the database over: what is to be mended, and how
    Doctor,
}

/// How to change a schema.
#[derive(Debug, Clone, Args)]
pub(super) struct Change {
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

/// Consent.
#[derive(Debug, Clone, Args)]
pub(super) struct Drop {
    /// Drop data without asking
    #[arg(long, short = 'y')]
    pub(super) yes: bool,
}

/// SQL instead of deeds.
#[derive(Debug, Clone, Args)]
pub(super) struct Offline {
    /// Print the SQL, for psql or sqlite3, instead of running it; no database is asked
    #[arg(long, conflicts_with = "plan")]
    pub(super) sql: bool,
    /// Whose SQL; without it that of the database URL
    #[arg(long, value_enum, requires = "sql")]
    pub(super) dialect: Option<Dialect>,
}

/// A kind of SQL.
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

/// How to take over a database.
#[derive(Debug, Clone, Args)]
pub(super) struct Adopt {
    /// Only say what would be done
    #[arg(long)]
    pub(super) plan: bool,
    /// Go on to the newest migration
    #[arg(long)]
    pub(super) upgrade: bool,
    /// Seconds to wait for another runner, writer or long reader
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(super) lock_timeout: u64,
    /// Do not copy the SQLite file before its tables are rebuilt
    #[arg(long)]
    pub(super) no_backup: bool,
}

/// What to write.
#[derive(Debug, Clone, Args)]
pub(super) struct Revision {
    /// What it does, in a few words that name the file
    #[arg(required_unless_present = "message", conflicts_with = "message", value_name = "MESSAGE")]
    words: Option<String>,
    /// The same, as Alembic has it
    #[arg(short, long)]
    message: Option<String>,
    /// Fill it with the statements for what differs between the entities and the database
    #[arg(long)]
    pub(super) autogenerate: bool,
    /// The sources of the migrations, where they are not those that this program was built from
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

impl Revision {
    pub(super) fn message(&self) -> &str {
        self.message.as_deref().or(self.words.as_deref()).unwrap_or_default()
    }
}
