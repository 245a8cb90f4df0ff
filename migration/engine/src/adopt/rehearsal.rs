//! The rehearsal of a plan: the pending migrations run in a place that is thrown away afterwards.
//! An error of the rehearsal would also be an error of `up`, with the same message.
//!
//! On PostgreSQL they run in a transaction that is rolled back; meanwhile the tables are locked. On
//! SQLite they run on a copy.

use super::AdoptOptions;
use crate::connect::Place;
use crate::lock::settings;
use crate::step::Step;
use crate::{Error, Project, RunOptions, backup, records};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseTransaction, TransactionTrait};
use std::time::{Duration, Instant};

/// The result of a rehearsal.
#[derive(Debug, Default)]
pub(super) struct Rehearsal {
    /// What would stop the migrations.
    pub(super) findings: Vec<String>,
    /// One line for people: where and how long.
    pub(super) note: String,
}

impl Rehearsal {
    fn of(result: Result<Vec<String>, Error>, place: &str, took: Duration) -> Result<Self, Error> {
        match result {
            Ok(findings) => {
                let note = format!("rehearsed in {:.1} s {place}", took.as_secs_f32());
                Ok(Self { findings, note })
            }
            Err(error) if error.is_blocked() => {
                let note = "not rehearsed, because a table is in use: retry at a quiet time".to_owned();
                Ok(Self { findings: Vec::new(), note })
            }
            Err(error @ Error::Migration { .. }) => Ok(Self { findings: vec![error.to_string()], note: String::new() }),
            Err(error) => Err(error),
        }
    }
}

/// Runs the pending migrations in a savepoint, which is rolled back.
pub(super) async fn on_postgres(
    project: &Project,
    txn: &DatabaseTransaction,
    pending: &[String],
) -> Result<Rehearsal, Error> {
    let begun = Instant::now();
    let savepoint = txn.begin().await?;
    let result = run(project, &savepoint, pending).await;
    savepoint.rollback().await?;
    Rehearsal::of(result, "in a transaction that was rolled back; the tables were locked meanwhile", begun.elapsed())
}

async fn run(project: &Project, txn: &DatabaseTransaction, pending: &[String]) -> Result<Vec<String>, Error> {
    txn.execute_unprepared(&settings("LOCAL")).await?;
    records::install(txn).await?;
    for step in (project.chain)().into_iter().map(Step::up) {
        // A migration that runs outside of a transaction cannot be tried inside one.
        if !pending.iter().any(|name| name == step.name()) || step.is_non_transactional(txn.get_database_backend()) {
            continue;
        }
        let savepoint = txn.begin().await?;
        let failed = |source| Error::Migration { name: step.name().to_owned(), kept: Vec::new(), source };
        step.run(&SchemaManager::new(&savepoint)).await.map_err(failed)?;
        savepoint.commit().await?;
    }
    // `CREATE INDEX IF NOT EXISTS` does nothing, and reports no error, if another index has the
    // name. So compare the tables with the entities: an expected index may be missing.
    let drift = project.check_on(txn).await?;
    let lacking = drift.differences.iter().filter(|difference| difference.expected.is_some());
    Ok(lacking.map(|difference| format!("after the migrations, {difference}")).collect())
}

/// Adopts a copy of the file, which is removed afterwards.
pub(super) async fn on_sqlite(project: &Project, url: &str, options: &RunOptions) -> Result<Rehearsal, Error> {
    let begun = Instant::now();
    let Place::SqliteFile(file) = Place::of(url)? else { return Ok(Rehearsal::default()) };
    let copy = backup::TemporaryCopy::of(project, url, &file).await?;
    let options = RunOptions { backup: false, ..options.clone() };
    let adopt_options = AdoptOptions { plan: false, upgrade: true };
    let result = Box::pin(project.adopt(&copy.url(), &adopt_options, &options)).await;
    Rehearsal::of(result.map(|report| report.findings), "on a copy, which was removed", begun.elapsed())
}
