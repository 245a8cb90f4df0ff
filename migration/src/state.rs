//! Where a database stands, read and nothing else.

use crate::adopt::alembic_revisions;
use crate::connect::{Place, connect};
use crate::{Error, Options};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::prelude::DateTimeUtc;
use sea_orm_migration::sea_orm::{DbBackend, Statement};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};
use versions::Migrator;

/// The list of migrations that a run goes by.
pub type Chain = fn() -> Vec<Box<dyn MigrationTrait>>;

/// Where a database stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct State {
    /// Migrations that it lacks, in order.
    pub pending: Vec<String>,
    /// Migrations that it has and this program does not know: a newer program was here.
    pub unknown: Vec<String>,
    /// Migrations that it has, in order.
    pub applied: Vec<String>,
    /// Alembic's revisions, as long as nobody has adopted the database.
    pub alembic: Option<Vec<String>>,
}

impl State {
    /// Whether it may be migrated: neither Alembic's still, nor a newer program's already.
    pub fn ready(&self) -> Result<(), Error> {
        self.adopted()?;
        if self.unknown.is_empty() { Ok(()) } else { Err(Error::Ahead(self.unknown.clone())) }
    }

    /// Whether it is ours.
    pub fn adopted(&self) -> Result<(), Error> {
        match &self.alembic {
            Some(revisions) => Err(Error::Alembic(revisions.join(", "))),
            None => Ok(()),
        }
    }

    /// The newest migration that it has.
    pub fn current(&self) -> Option<&str> {
        self.unknown.last().or(self.applied.last()).map(String::as_str)
    }
}

impl Display for State {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (word, names) in [("applied", &self.applied), ("pending", &self.pending), ("unknown", &self.unknown)] {
            for name in names {
                writeln!(f, "{word}  {name}")?;
            }
        }
        match (self.pending.len(), self.unknown.len()) {
            (0, 0) => writeln!(f, "\nnothing is pending"),
            (pending, 0) => writeln!(f, "\n{pending} pending: `playhead migrate up` applies them"),
            (_, unknown) => {
                writeln!(f, "\n{unknown} unknown: a newer program was here, which this one cannot take back")
            }
        }
    }
}

/// One migration and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// `applied`, `pending` or `unknown`.
    pub state: &'static str,
    /// When it was applied, in UTC.
    pub applied_at: Option<String>,
}

/// Every migration, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    /// All of them.
    pub migrations: Vec<Entry>,
}

impl Display for History {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let width = self.migrations.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
        for Entry { name, state, applied_at } in &self.migrations {
            let line = format!("{name:width$}  {state}  {}", applied_at.as_deref().unwrap_or_default());
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Where a database stands. Changes nothing and makes no file.
pub async fn status(url: &str) -> Result<State, Error> {
    let (recorded, alembic) = look(url).await?;
    Ok(sort(&recorded, alembic, Migrator::migrations))
}

/// Every migration, newest first, with the time at which it was applied. Changes nothing and makes no file.
pub async fn history(url: &str) -> Result<History, Error> {
    let (mut recorded, alembic) = look(url).await?;
    let state = sort(&recorded, alembic, Migrator::migrations);
    state.adopted()?;
    let mut migrations = Vec::new();
    for (word, names) in [("applied", state.applied), ("pending", state.pending), ("unknown", state.unknown)] {
        for name in names {
            let at = recorded.remove(&name).and_then(|seconds| DateTimeUtc::from_timestamp(seconds, 0));
            let applied_at = at.map(|at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
            migrations.push(Entry { name, state: word, applied_at });
        }
    }
    migrations.sort_unstable_by(|a, b| b.name.cmp(&a.name));
    Ok(History { migrations })
}

/// Where the database of this connection stands, in a few short reads.
pub async fn state(db: &impl ConnectionTrait) -> Result<State, Error> {
    state_in(db, Migrator::migrations).await
}

pub(crate) async fn state_in(db: &impl ConnectionTrait, chain: Chain) -> Result<State, Error> {
    let (recorded, alembic) = read(db).await?;
    Ok(sort(&recorded, alembic, chain))
}

/// The names of all migrations, in order.
pub(crate) fn names(chain: Chain) -> Vec<String> {
    chain().iter().map(|migration| migration.name().to_owned()).collect()
}

/// What is recorded, by name, with its time; and Alembic's revisions, if it is still Alembic's.
type Record = (BTreeMap<String, i64>, Option<Vec<String>>);

async fn look(url: &str) -> Result<Record, Error> {
    if Place::of(url)?.is_missing() {
        return Ok(Record::default());
    }
    let db = connect(url, false, Options::default().lock_timeout).await?;
    let record = read(&db).await;
    db.close().await?;
    record
}

async fn read(db: &impl ConnectionTrait) -> Result<Record, Error> {
    let backend = db.get_database_backend();
    let is_there = match backend {
        DbBackend::Postgres => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    };
    let mut recorded = BTreeMap::new();
    if db.query_one_raw(Statement::from_string(backend, is_there)).await?.is_some() {
        let rows = Query::select().columns(["version", "applied_at"]).from("seaql_migrations").take();
        for row in db.query_all(&rows).await? {
            recorded.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    // An empty table of ours tells nothing: SeaORM's own command line makes one by looking.
    let alembic = if recorded.is_empty() { alembic_revisions(db).await? } else { None };
    Ok((recorded, alembic))
}

fn sort(recorded: &BTreeMap<String, i64>, alembic: Option<Vec<String>>, chain: Chain) -> State {
    let known = names(chain);
    let unknown = recorded.keys().filter(|name| !known.contains(name)).cloned().collect();
    let (applied, pending) = known.into_iter().partition(|name| recorded.contains_key(name));
    State { pending, unknown, applied, alembic }
}
