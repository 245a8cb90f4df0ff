//! A project: what the engine knows about the program whose database it migrates.

use crate::entities::Entities;
use sea_orm_migration::prelude::*;
use std::pin::Pin;

/// The ordered list of a project's migrations, as `Migrator::migrations` gives it.
pub type Chain = fn() -> Vec<Box<dyn MigrationTrait>>;

/// One project: its name, its migrations, its entities. Every command is a method of it.
///
/// Write it as a constant: call [`Project::new`], and set the fields that need another value.
#[derive(Debug, Clone, Copy)]
pub struct Project {
    /// The name that reports, questions and scripts use.
    pub name: &'static str,
    /// The version that `--version` and `doctor` print.
    pub version: &'static str,
    /// How a person calls the command line: `myproject migrate`.
    pub command: &'static str,
    /// The migrations, oldest first.
    pub chain: Chain,
    /// The tables that the migrated database must have.
    pub entities: Entities,
    /// The folder of the file that lists the migrations (`lib.rs`, `mod.rs` or `main.rs`). Without
    /// it, `revision` needs `--dir`.
    pub sources: Option<&'static str>,
    /// The key of the advisory lock on PostgreSQL. All programs that migrate one database share it.
    pub lock_number: i64,
    /// The database when neither `--database-url` nor `DATABASE_URL` names one.
    pub default_url: Option<&'static str>,
    /// The environment variable that is `production` on a production site, where data is dropped
    /// only with `--yes`.
    pub production_variable: Option<&'static str>,
    /// Which databases of Alembic `adopt` takes over.
    pub legacy: Option<LegacyRules>,
}

impl Project {
    /// A project that was never Alembic's. Its command line is called by its name.
    pub const fn new(name: &'static str, chain: Chain, entities: Entities) -> Self {
        Self {
            name,
            version: "",
            command: name,
            chain,
            entities,
            sources: None,
            lock_number: hash(name),
            default_url: None,
            production_variable: None,
            legacy: None,
        }
    }

    /// The names of all migrations, oldest first.
    pub(crate) fn names(&self) -> Vec<String> {
        (self.chain)().iter().map(|migration| migration.name().to_owned()).collect()
    }

    /// Whether the table holds the state of migrations rather than data of the project.
    pub(crate) fn is_bookkeeping(&self, table: &str) -> bool {
        table == "seaql_migrations" || self.legacy.is_some_and(|legacy| legacy.table == table)
    }
}

/// FNV-1a. Two projects in one PostgreSQL database should not wait for each other.
const fn hash(name: &str) -> i64 {
    let bytes = name.as_bytes();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash.cast_signed()
}

/// The future that [`LegacyRules::obstacles`] returns: one line for each problem that would stop a
/// migration.
pub type Obstacles<'a> = Pin<Box<dyn Future<Output = Result<Vec<String>, DbErr>> + Send + 'a>>;

/// The databases that `adopt` takes over: those of one release of an older program with Alembic.
#[derive(Debug, Clone, Copy)]
pub struct LegacyRules {
    /// The release, as messages name it: `v0.9`.
    pub release: &'static str,
    /// The last of the migrations that make the tables of that release. No downgrade goes below it.
    pub migration: &'static str,
    /// Alembic's revision of that release.
    pub revision: &'static str,
    /// Alembic's revisions before it, for a better message.
    pub earlier: &'static [&'static str],
    /// A revision after it that is taken over as well.
    pub later: Option<LaterRevision>,
    /// Columns that are enums on PostgreSQL and text of any length on SQLite.
    pub enums: &'static [&'static str],
    /// The table that records the adoption.
    pub table: &'static str,
    /// Finds rows, and objects that users added, that would stop the migrations after that release.
    pub obstacles: for<'a> fn(&'a SchemaManager<'a>) -> Obstacles<'a>,
}

/// A revision that differs from its release by indexes alone.
#[derive(Debug, Clone, Copy)]
pub struct LaterRevision {
    /// Alembic's name for it.
    pub revision: &'static str,
    /// Table and columns of each index that it adds.
    pub indexes: &'static [(&'static str, &'static [&'static str])],
}

impl LegacyRules {
    /// The revisions that are taken over.
    pub(crate) fn revisions(&self) -> Vec<&'static str> {
        [self.revision].into_iter().chain(self.later.map(|later| later.revision)).collect()
    }

    /// Whether the migration makes a part of the release's tables.
    pub(crate) fn covers(&self, migration: &str) -> bool {
        migration <= self.migration
    }
}
