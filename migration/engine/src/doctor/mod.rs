//! `doctor`: looks for problems of a database, and says how to fix them.

mod disk;
mod postgres;
mod sqlite;

use crate::connect::{Place, connect};
use crate::environment::redacted;
use crate::state::SchemaState;
use crate::{Error, Project};
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use serde::Serialize;
use std::fmt::{Display, Formatter};
use std::time::Duration;

/// The result of one examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was found.
    pub found: String,
    /// How to fix it, if it is a problem. Programs read it as `mend`.
    #[serde(rename = "mend")]
    pub fix: Option<String>,
}

/// The results of all examinations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// In the order of the examinations.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// Whether no problem was found.
    pub fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.fix.is_none())
    }

    fn add_ok(&mut self, found: impl Into<String>) {
        self.findings.push(Finding { found: found.into(), fix: None });
    }

    fn add_problem(&mut self, found: impl Into<String>, fix: impl Into<String>) {
        self.findings.push(Finding { found: found.into(), fix: Some(fix.into()) });
    }
}

impl Display for Diagnosis {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for Finding { found, fix } in &self.findings {
            match fix {
                None => writeln!(f, "ok    {found}")?,
                Some(fix) => writeln!(f, "FIX   {found}: {fix}")?,
            }
        }
        match self.findings.iter().filter(|finding| finding.fix.is_some()).count() {
            0 => writeln!(f, "\nno problems found"),
            1 => writeln!(f, "\n1 problem to fix"),
            many => writeln!(f, "\n{many} problems to fix"),
        }
    }
}

impl Project {
    /// Examines the database. Changes nothing and creates no file.
    ///
    /// # Errors
    /// The address is not valid. A database that cannot be opened is a finding.
    pub async fn doctor(&self, url: &str) -> Result<Diagnosis, Error> {
        let mut diagnosis = Diagnosis::default();
        diagnosis.add_ok(format!("{} {}", self.name, self.version).trim_end());
        let place = Place::of(url)?;
        if let Place::SqliteFile(file) = &place
            && place.is_missing()
        {
            let fix = format!("name another one, or create it: `{} up`", self.command);
            diagnosis.add_problem(format!("there is no file {}", file.display()), fix);
            return Ok(diagnosis);
        }
        let db = match connect(self, url, false, Duration::from_secs(1)).await {
            Ok(db) => db,
            Err(error) => {
                diagnosis.add_problem(error.to_string(), "start the server, or correct DATABASE_URL");
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
    diagnosis.add_ok(format!("{} answers", redacted(url)));
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
    state: &SchemaState,
    diagnosis: &mut Diagnosis,
) -> Result<(), Error> {
    let command = project.command;
    if let Some(revisions) = &state.alembic {
        let found = format!("Alembic built this database ({}), and it was not adopted", revisions.join(", "));
        diagnosis.add_problem(found, format!("`{command} adopt --plan`, then `{command} adopt --upgrade`"));
        return Ok(());
    }
    if !state.unknown.is_empty() {
        diagnosis
            .add_problem(format!("the database is ahead by {}", state.unknown.join(", ")), "run the newer program");
        return Ok(());
    }
    match state.pending.as_slice() {
        [] => diagnosis.add_ok(format!("all {} migrations are applied", state.applied.len())),
        pending => {
            let found = format!("{} of {} migrations are pending", pending.len(), pending.len() + state.applied.len());
            diagnosis.add_problem(found, format!("`{command} up`"));
            return Ok(());
        }
    }
    let drift = project.check_on(db).await?;
    match drift.differences.as_slice() {
        [] => diagnosis.add_ok("the tables are those of the entities"),
        differences => {
            for difference in differences {
                diagnosis.add_problem(
                    format!("the tables are not those of the entities: {difference}"),
                    format!("undo it, or write a migration: `{command} revision --autogenerate -m \"…\"`"),
                );
            }
        }
    }
    match drift.extra.len() {
        0 => {}
        extra => diagnosis.add_ok(format!("{extra} extra objects, ignored: `{command} check` lists them")),
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
