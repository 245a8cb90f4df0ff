//! The state of a database's schema: applied, pending and unknown migrations. Only reads.

use crate::connect::{Place, connect};
use crate::records::adoption::alembic_revisions;
use crate::{Error, Project, RunOptions, records};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::prelude::DateTimeUtc;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

/// Which migrations a database has and lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SchemaState {
    /// Migrations that it lacks, oldest first.
    pub pending: Vec<String>,
    /// Migrations that it has and this program does not know, because a newer program applied them.
    pub unknown: Vec<String>,
    /// Migrations that it has, oldest first.
    pub applied: Vec<String>,
    /// Alembic's revisions, until the database is adopted.
    pub alembic: Option<Vec<String>>,
}

impl SchemaState {
    /// Checks that the database can be migrated.
    ///
    /// # Errors
    /// The database is still Alembic's, or ahead of this program.
    pub fn require_migratable(&self, project: &Project) -> Result<(), Error> {
        self.require_adopted(project)?;
        if self.unknown.is_empty() { Ok(()) } else { Err(Error::Ahead(self.unknown.clone())) }
    }

    /// Checks that the database is not Alembic's any more.
    ///
    /// # Errors
    /// It has Alembic's table and no applied migration.
    pub fn require_adopted(&self, project: &Project) -> Result<(), Error> {
        match &self.alembic {
            Some(revisions) => Err(Error::Alembic { revisions: revisions.join(", "), command: project.command }),
            None => Ok(()),
        }
    }

    /// The newest migration of the database.
    pub fn current(&self) -> Option<&str> {
        self.unknown.last().or(self.applied.last()).map(String::as_str)
    }

    /// One line for each migration, and the command that applies the pending ones.
    pub(crate) fn describe(&self, project: &Project) -> String {
        let mut text = String::new();
        for (word, names) in [("applied", &self.applied), ("pending", &self.pending), ("unknown", &self.unknown)] {
            text.extend(names.iter().map(|name| format!("{word}  {name}\n")));
        }
        text + &match (self.pending.len(), self.unknown.len()) {
            (0, 0) => "\nnothing is pending\n".to_owned(),
            (pending, 0) => format!("\n{pending} pending: `{} up` applies them\n", project.command),
            (_, unknown) => {
                format!("\n{unknown} unknown: a newer program applied them, and this one cannot revert them\n")
            }
        }
    }
}

/// One migration, and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationStatus {
    /// Its name.
    pub name: String,
    /// `applied`, `pending` or `unknown`.
    pub state: &'static str,
    /// When it was applied, in UTC.
    pub applied_at: Option<String>,
}

/// All migrations, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationList {
    /// Known and unknown ones.
    pub migrations: Vec<MigrationStatus>,
}

impl Display for MigrationList {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let width = self.migrations.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
        for MigrationStatus { name, state, applied_at } in &self.migrations {
            let line = format!("{name:width$}  {state}  {}", applied_at.as_deref().unwrap_or_default());
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl Project {
    /// Reads the state of a database. Changes nothing and creates no file.
    ///
    /// # Errors
    /// The database cannot be opened or read.
    pub async fn status(&self, url: &str) -> Result<SchemaState, Error> {
        let (recorded, alembic) = read_from(self, url).await?;
        Ok(compare(self, &recorded, alembic))
    }

    /// Lists all migrations, newest first, with the time at which each was applied. Changes nothing
    /// and creates no file.
    ///
    /// # Errors
    /// The database cannot be opened or read.
    pub async fn history(&self, url: &str) -> Result<MigrationList, Error> {
        let (mut recorded, alembic) = read_from(self, url).await?;
        let state = compare(self, &recorded, alembic);
        state.require_adopted(self)?;
        let mut migrations = Vec::new();
        for (word, names) in [("applied", state.applied), ("pending", state.pending), ("unknown", state.unknown)] {
            for name in names {
                let at = recorded.remove(&name).and_then(|seconds| DateTimeUtc::from_timestamp(seconds, 0));
                let applied_at = at.map(|at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
                migrations.push(MigrationStatus { name, state: word, applied_at });
            }
        }
        migrations.sort_unstable_by(|a, b| b.name.cmp(&a.name));
        Ok(MigrationList { migrations })
    }

    /// Reads the state of the database of this connection, in a few short queries.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn state(&self, db: &impl ConnectionTrait) -> Result<SchemaState, Error> {
        let (recorded, alembic) = read(db).await?;
        Ok(compare(self, &recorded, alembic))
    }
}

/// The applied migrations with their times, and Alembic's revisions if there are none.
type MigrationRecords = (BTreeMap<String, i64>, Option<Vec<String>>);

async fn read_from(project: &Project, url: &str) -> Result<MigrationRecords, Error> {
    if Place::of(url)?.is_missing() {
        return Ok(MigrationRecords::default());
    }
    let db = connect(project, url, false, RunOptions::default().lock_timeout).await?;
    let record = read(&db).await;
    db.close().await?;
    record
}

async fn read(db: &impl ConnectionTrait) -> Result<MigrationRecords, Error> {
    let recorded = records::read(db).await?;
    // SeaORM's own command line creates an empty table when it only reads.
    let alembic = if recorded.is_empty() { alembic_revisions(db).await? } else { None };
    Ok((recorded, alembic))
}

fn compare(project: &Project, recorded: &BTreeMap<String, i64>, alembic: Option<Vec<String>>) -> SchemaState {
    let known = project.names();
    let unknown = recorded.keys().filter(|name| !known.contains(name)).cloned().collect();
    let (applied, pending) = known.into_iter().partition(|name| recorded.contains_key(name));
    SchemaState { pending, unknown, applied, alembic }
}
