//! `doctor`: looks the database over, and says what is to be mended and how.

mod disk;
mod postgres;
mod sqlite;

use crate::connect::{Place, connect};
use crate::environment::redacted;
use crate::state::State;
use crate::{Error, Project};
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use serde::Serialize;
use std::fmt::{Display, Formatter};
use std::time::Duration;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was found.
    pub found: String,
    /// What to do about it, if anything is to be done.
    pub mend: Option<String>,
}

/// Everything that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// In the order of looking.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// Whether nothing is to be mended.
    pub fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.mend.is_none())
    }

    fn fine(&mut self, found: impl Into<String>) {
        self.findings.push(Finding { found: found.into(), mend: None });
    }

    fn mend(&mut self, found: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding { found: found.into(), mend: Some(mend.into()) });
    }
}

impl Display for Diagnosis {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for Finding { found, mend } in &self.findings {
            match mend {
                None => writeln!(f, "ok    {found}")?,
                Some(mend) => writeln!(f, "MEND  {found}: {mend}")?,
            }
        }
        match self.findings.iter().filter(|finding| finding.mend.is_some()).count() {
            0 => writeln!(f, "\nnothing to mend"),
            1 => writeln!(f, "\n1 thing to mend"),
            many => writeln!(f, "\n{many} things to mend"),
        }
    }
}

impl Project {
    /// Looks the database over. Changes nothing and makes no file.
    pub async fn doctor(&self, url: &str) -> Result<Diagnosis, Error> {
        let mut diagnosis = Diagnosis::default();
        diagnosis.fine(format!("{} {}", self.name, self.version).trim_end());
        let place = Place::of(url)?;
        if let Place::SqliteFile(file) = &place
            && place.is_missing()
        {
            let mend = format!("name another one, or make it: `{} up`", self.command);
            diagnosis.mend(format!("there is no file {}", file.display()), mend);
            return Ok(diagnosis);
        }
        let db = match connect(self, url, false, Duration::from_secs(1)).await {
            Ok(db) => db,
            Err(error) => {
                diagnosis.mend(error.to_string(), "start the server, or correct DATABASE_URL");
                return Ok(diagnosis);
            }
        };
        let examined = examine(self, &db, url, &mut diagnosis).await;
        db.close().await?;
        examined.map(|()| diagnosis)
    }
}

async fn examine(
    project: &Project,
    db: &DatabaseConnection,
    url: &str,
    diagnosis: &mut Diagnosis,
) -> Result<(), Error> {
    diagnosis.fine(format!("{} answers", redacted(url)));
    match Place::of(url)? {
        Place::Postgres => postgres::examine(project, db, diagnosis).await?,
        Place::SqliteFile(file) => {
            if !sqlite::examine(project, db, diagnosis).await? {
                return Ok(());
            }
            disk::examine(db, &file, diagnosis).await?;
        }
    }
    schema(project, db, &project.state(db).await?, diagnosis).await
}

async fn schema(
    project: &Project,
    db: &DatabaseConnection,
    state: &State,
    diagnosis: &mut Diagnosis,
) -> Result<(), Error> {
    let command = project.command;
    if let Some(revisions) = &state.alembic {
        let found = format!("Alembic built this database ({}), and it was not adopted", revisions.join(", "));
        diagnosis.mend(found, format!("`{command} adopt --plan`, then `{command} adopt --upgrade`"));
        return Ok(());
    }
    if !state.unknown.is_empty() {
        diagnosis.mend(format!("the database is ahead by {}", state.unknown.join(", ")), "run the newer program");
        return Ok(());
    }
    match state.pending.as_slice() {
        [] => diagnosis.fine(format!("all {} migrations are applied", state.applied.len())),
        pending => {
            let found = format!("{} of {} migrations are pending", pending.len(), pending.len() + state.applied.len());
            diagnosis.mend(found, format!("`{command} up`"));
            return Ok(());
        }
    }
    let drift = project.check_on(db).await?;
    match drift.differences.as_slice() {
        [] => diagnosis.fine("the tables are those of the entities"),
        differences => {
            for difference in differences {
                diagnosis.mend(
                    format!("the tables are not those of the entities: {difference}"),
                    format!("undo it, or write a migration: `{command} revision --autogenerate -m \"…\"`"),
                );
            }
        }
    }
    match drift.extra.len() {
        0 => {}
        strange => {
            diagnosis.fine(format!("{strange} things are not ours and no hindrance: `{command} check` lists them"))
        }
    }
    Ok(())
}

/// The first column of all rows, as text.
async fn texts(db: &impl ConnectionTrait, select: &str) -> Result<Vec<String>, DbErr> {
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), select)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

async fn text(db: &impl ConnectionTrait, select: &str) -> Result<String, DbErr> {
    Ok(texts(db, select).await?.into_iter().next().unwrap_or_default())
}
