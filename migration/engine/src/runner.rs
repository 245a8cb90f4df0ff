//! Runs migrations: one runner at a time, all or nothing.
//!
//! All migrations of a run are one transaction, each in a savepoint: a run that fails or is killed
//! leaves the database as it was. The transaction holds the lock. Only a non-transactional
//! migration runs outside of it, on PostgreSQL, between two transactions.

use crate::backup::back_up;
use crate::connect::{behind_transaction_pooler, connect};
use crate::lock::{lock_until, settings};
use crate::plan::{Operation, Steps};
use crate::recorder::{drop_statements, drops};
use crate::step::{Direction, Step};
use crate::{Error, Project, RunOptions, Target, holders, records};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DatabaseTransaction, DbBackend, Statement, TransactionTrait};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};
use std::time::{Duration, Instant};

/// What a run did: names of migrations, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// The backup of the SQLite file that was made before.
    pub backup: Option<String>,
    /// The migrations whose tables were dropped.
    pub dropped: Vec<String>,
    /// The migrations that were reverted. Programs read them as `taken_back`.
    #[serde(rename = "taken_back")]
    pub reverted: Vec<String>,
    /// The migrations that were applied.
    pub applied: Vec<String>,
}

impl Display for RunReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if let Some(backup) = &self.backup {
            writeln!(f, "backed up to  {backup}")?;
        }
        if !self.dropped.is_empty() {
            writeln!(f, "dropped every table of {} migrations", self.dropped.len())?;
        }
        for name in &self.reverted {
            writeln!(f, "reverted      {name}")?;
        }
        for name in &self.applied {
            writeln!(f, "applied       {name}")?;
        }
        if self.dropped.is_empty() && self.reverted.is_empty() && self.applied.is_empty() {
            writeln!(f, "nothing to do")?;
        }
        Ok(())
    }
}

impl Project {
    /// Applies pending migrations. Creates a missing SQLite file.
    ///
    /// # Errors
    /// As [`Project::run`].
    pub async fn upgrade(&self, url: &str, target: &Target, options: &RunOptions) -> Result<RunReport, Error> {
        self.run(url, &Operation::Up(target.clone()), options).await
    }

    /// Reverts applied migrations, newest first.
    ///
    /// # Errors
    /// As [`Project::run`].
    pub async fn downgrade(&self, url: &str, target: &Target, options: &RunOptions) -> Result<RunReport, Error> {
        self.run(url, &Operation::Down(target.clone()), options).await
    }

    /// Runs the operation, as soon as no other runner does.
    ///
    /// # Errors
    /// The database cannot be opened, backed up or locked, the target is unknown or out of reach,
    /// data would be dropped without a confirmation, or a migration fails. Nothing has changed
    /// then, except by migrations that run outside of the transaction.
    pub async fn run(&self, url: &str, operation: &Operation, options: &RunOptions) -> Result<RunReport, Error> {
        let create = !matches!(operation, Operation::Down(_));
        let db = connect(self, url, create, Duration::ZERO).await?;
        let result = Run { project: self, url, db: &db, operation, options }.retry_until_done().await;
        db.close().await?;
        result
    }
}

struct Run<'a> {
    project: &'a Project,
    url: &'a str,
    db: &'a DatabaseConnection,
    operation: &'a Operation,
    options: &'a RunOptions,
}

impl Run<'_> {
    /// Attempts the run. If a table is locked for too long, releases everything and retries until
    /// the deadline.
    async fn retry_until_done(&self) -> Result<RunReport, Error> {
        let deadline = Instant::now() + self.options.lock_timeout;
        let mut report = RunReport::default();
        loop {
            match self.attempt(deadline, &mut report).await {
                Err(error) if error.is_blocked() => {
                    let by = holders::of_tables(self.db).await?;
                    if Instant::now() >= deadline {
                        return Err(Error::Locked { waited: self.options.lock_timeout, by });
                    }
                    log::info!("a table is in use, retrying: {}", by.join(", "));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                result => return result.map(|()| report),
            }
        }
    }

    async fn attempt(&self, deadline: Instant, report: &mut RunReport) -> Result<(), Error> {
        let txn = lock_until(self.project, self.db, deadline, self.options).await?;
        let plan = match self.prepare(&txn, report).await {
            Ok(plan) if !plan.is_empty() => plan,
            other => {
                txn.rollback().await?;
                return other.map(|_| ());
            }
        };
        let dialect = self.db.get_database_backend();
        if let Some(step) = plan.steps.iter().find(|step| step.is_non_transactional(dialect)) {
            if behind_transaction_pooler(self.url) {
                txn.rollback().await?;
                return Err(Error::TransactionPooler { name: step.name().to_owned() });
            }
            // The transaction with the lock stays open and does nothing, so it holds no snapshot
            // that CREATE INDEX CONCURRENTLY would wait for.
            let worker = connect(self.project, self.url, false, Duration::ZERO).await?;
            let done = self.run_segments(&worker, &plan, report).await;
            worker.close().await?;
            txn.rollback().await?;
            return done;
        }
        self.transact(txn, &plan.drop, plan.steps.iter().collect(), report).await
    }

    /// Plans the run under the lock, and makes the backup.
    async fn prepare(&self, txn: &DatabaseTransaction, report: &mut RunReport) -> Result<Steps, Error> {
        let plan = Steps::read(self.project, txn, self.operation).await?;
        let dialect = txn.get_database_backend();
        if self.options.backup && dialect == DbBackend::Sqlite && report.backup.is_none() {
            let risky = !plan.drop.is_empty() || drops(&plan.steps, dialect).await;
            report.backup = if risky { back_up(self.project, self.url, txn).await? } else { None };
        }
        Ok(plan)
    }

    /// Runs each non-transactional migration alone, and the migrations between them in one
    /// transaction.
    async fn run_segments(&self, db: &DatabaseConnection, plan: &Steps, report: &mut RunReport) -> Result<(), Error> {
        let dialect = db.get_database_backend();
        if !plan.drop.is_empty() {
            self.transact(db.begin().await?, &plan.drop, vec![], report).await?;
        }
        for segment in plan.steps.chunk_by(|a, b| !a.is_non_transactional(dialect) && !b.is_non_transactional(dialect))
        {
            if let [step] = segment
                && step.is_non_transactional(dialect)
            {
                db.execute_unprepared(&settings("SESSION")).await?;
                records::install(db).await?;
                step.run(&SchemaManager::new(db)).await.map_err(|source| step_error(step, source, report))?;
                report.add(step);
                continue;
            }
            let txn = db.begin().await?;
            txn.execute_unprepared(&settings("LOCAL")).await?;
            self.transact(txn, &[], segment.iter().collect(), report).await?;
        }
        Ok(())
    }

    /// Commits all steps, or none.
    async fn transact(
        &self,
        txn: DatabaseTransaction,
        drop: &[String],
        steps: Vec<&Step>,
        report: &mut RunReport,
    ) -> Result<(), Error> {
        match self.run_in(&txn, drop, &steps, report).await {
            Ok(()) => txn.commit().await?,
            Err(error) => {
                // The first error matters; a broken connection cannot roll back either.
                let _ = txn.rollback().await;
                return Err(error);
            }
        }
        report.dropped.extend_from_slice(drop);
        steps.into_iter().for_each(|step| report.add(step));
        Ok(())
    }

    async fn run_in(
        &self,
        txn: &DatabaseTransaction,
        drop: &[String],
        steps: &[&Step],
        report: &RunReport,
    ) -> Result<(), Error> {
        let orphans_before = orphans(txn).await?;
        if !drop.is_empty() {
            self.drop_tables(txn, drop).await?;
        }
        records::install(txn).await?;
        for step in steps {
            let savepoint = txn.begin().await?;
            step.run(&SchemaManager::new(&savepoint)).await.map_err(|source| step_error(step, source, report))?;
            savepoint.commit().await?;
        }
        let orphans = orphans(txn).await?;
        let mut new = orphans.difference(&orphans_before);
        match new.next() {
            Some(first) => Err(Error::Orphans { count: new.count() + 1, first: first.clone() }),
            None => Ok(()),
        }
    }
}

impl Run<'_> {
    /// Drops the tables and types that these migrations created, and the table of their records.
    async fn drop_tables(&self, txn: &DatabaseTransaction, applied: &[String]) -> Result<(), DbErr> {
        let mut steps: Vec<Step> = (self.project.chain)().into_iter().map(Step::up).collect();
        steps.retain(|step| applied.iter().any(|name| name == step.name()));
        for statement in drop_statements(&steps, txn.get_database_backend()).await {
            txn.execute_unprepared(&statement).await?;
        }
        txn.execute_unprepared("DROP TABLE \"seaql_migrations\"").await.map(|_| ())
    }
}

impl RunReport {
    fn add(&mut self, step: &Step) {
        let list = if step.direction == Direction::Up { &mut self.applied } else { &mut self.reverted };
        list.push(step.name().to_owned());
    }
}

/// The error of a step, with the migrations that stay.
fn step_error(step: &Step, source: DbErr, report: &RunReport) -> Error {
    let kept = report.reverted.iter().chain(&report.applied).cloned().collect();
    Error::Migration { name: step.name().to_owned(), kept, source }
}

/// Rows whose foreign key has no row. SQLite does not check while foreign keys are off.
async fn orphans(txn: &DatabaseTransaction) -> Result<BTreeSet<String>, Error> {
    if txn.get_database_backend() == DbBackend::Postgres {
        return Ok(BTreeSet::new());
    }
    let check = "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ', which refers to ' || parent \
                 FROM pragma_foreign_key_check";
    let rows = txn.query_all_raw(Statement::from_string(DbBackend::Sqlite, check)).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}
