//! The plan's proof: the migrations themselves, run where nothing of it stays. What stops them stops `up` too, in the same words.
//!
//! On PostgreSQL that is the transaction of the plan, which is rolled back; meanwhile the tables are locked. On SQLite it is a copy.

use super::Wish;
use crate::connect::Place;
use crate::lock::settings;
use crate::step::Step;
use crate::{Error, Options, Project, backup, records};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseTransaction, TransactionTrait};
use std::time::{Duration, Instant};

/// What a rehearsal showed.
#[derive(Debug, Default)]
pub(super) struct Rehearsal {
    /// What would stop the migrations.
    pub(super) findings: Vec<String>,
    /// How it went, for people.
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
                let note = "not rehearsed, because a table is in use: try again in a quiet hour".to_owned();
                Ok(Self { findings: Vec::new(), note })
            }
            Err(error @ Error::Migration { .. }) => Ok(Self { findings: vec![error.to_string()], note: String::new() }),
            Err(error) => Err(error),
        }
    }
}

/// Runs the pending migrations in a savepoint and rolls back to it.
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
    // A name that somebody else has taken may keep an index of ours from being made without an error.
    let drift = project.check_on(txn).await?;
    let lacking = drift.differences.iter().filter(|difference| difference.expected.is_some());
    Ok(lacking.map(|difference| format!("after the migrations, {difference}")).collect())
}

/// Takes over a copy of the file, which is removed again.
pub(super) async fn on_sqlite(project: &Project, url: &str, options: &Options) -> Result<Rehearsal, Error> {
    let begun = Instant::now();
    let Place::SqliteFile(file) = Place::of(url)? else { return Ok(Rehearsal::default()) };
    let copy = backup::Copy::of(project, url, &file).await?;
    let options = Options { backup: false, ..options.clone() };
    let wish = Wish { plan: false, upgrade: true };
    let result = Box::pin(project.adopt(&copy.url(), &wish, &options)).await;
    Rehearsal::of(result.map(|adoption| adoption.findings), "on a copy, which was removed", begun.elapsed())
}
