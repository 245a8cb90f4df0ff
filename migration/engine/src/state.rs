//! Where a database stands, read and nothing else.

use crate::connect::{Place, connect};
use crate::records::adoption::alembic_revisions;
use crate::{Error, Options, Project, records};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::prelude::DateTimeUtc;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

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
    pub fn ready(&self, project: &Project) -> Result<(), Error> {
        self.adopted(project)?;
        if self.unknown.is_empty() { Ok(()) } else { Err(Error::Ahead(self.unknown.clone())) }
    }

    /// Whether it is ours.
    pub fn adopted(&self, project: &Project) -> Result<(), Error> {
        match &self.alembic {
            Some(revisions) => Err(Error::Alembic { revisions: revisions.join(", "), command: project.command }),
            None => Ok(()),
        }
    }

    /// The newest migration that it has.
    pub fn current(&self) -> Option<&str> {
        self.unknown.last().or(self.applied.last()).map(String::as_str)
    }

    /// One line for each migration, and what to do about those that are pending.
    pub(crate) fn describe(&self, project: &Project) -> String {
        let mut text = String::new();
        for (word, names) in [("applied", &self.applied), ("pending", &self.pending), ("unknown", &self.unknown)] {
            text.extend(names.iter().map(|name| format!("{word}  {name}\n")));
        }
        text + &match (self.pending.len(), self.unknown.len()) {
            (0, 0) => "\nnothing is pending\n".to_owned(),
            (pending, 0) => format!("\n{pending} pending: `{} up` applies them\n", project.command),
            (_, unknown) => {
                format!("\n{unknown} unknown: a newer program was here, which this one cannot take back\n")
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

impl Project {
    /// Where a database stands. Changes nothing and makes no file.
    pub async fn status(&self, url: &str) -> Result<State, Error> {
        let (recorded, alembic) = look(self, url).await?;
        Ok(sort(self, &recorded, alembic))
    }

    /// Every migration, newest first, with the time at which it was applied. Changes nothing and makes no file.
    pub async fn history(&self, url: &str) -> Result<History, Error> {
        let (mut recorded, alembic) = look(self, url).await?;
        let state = sort(self, &recorded, alembic);
        state.adopted(self)?;
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
    pub async fn state(&self, db: &impl ConnectionTrait) -> Result<State, Error> {
        let (recorded, alembic) = read(db).await?;
        Ok(sort(self, &recorded, alembic))
    }
}

/// What is recorded, by name, with its time; and Alembic's revisions, if it is still Alembic's.
type Record = (BTreeMap<String, i64>, Option<Vec<String>>);

async fn look(project: &Project, url: &str) -> Result<Record, Error> {
    if Place::of(url)?.is_missing() {
        return Ok(Record::default());
    }
    let db = connect(project, url, false, Options::default().lock_timeout).await?;
    let record = read(&db).await;
    db.close().await?;
    record
}

async fn read(db: &impl ConnectionTrait) -> Result<Record, Error> {
    let recorded = records::read(db).await?;
    // An empty table of ours tells nothing: SeaORM's own command line makes one by looking.
    let alembic = if recorded.is_empty() { alembic_revisions(db).await? } else { None };
    Ok((recorded, alembic))
}

fn sort(project: &Project, recorded: &BTreeMap<String, i64>, alembic: Option<Vec<String>>) -> State {
    let known = project.names();
    let unknown = recorded.keys().filter(|name| !known.contains(name)).cloned().collect();
    let (applied, pending) = known.into_iter().partition(|name| recorded.contains_key(name));
    State { pending, unknown, applied, alembic }
}
