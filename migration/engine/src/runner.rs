//! Runs migrations: one runner at a time, all or nothing.
//!
//! All migrations of a run are one transaction, each in a savepoint: what is killed or fails leaves the database as it was, and
//! the lock is the transaction itself. Only a migration that asks for it runs outside, on PostgreSQL, between two transactions.

use crate::backup::back_up;
use crate::connect::{connect, is_lent};
use crate::lock::{lock_until, settings};
use crate::plan::{Steps, Work};
use crate::recorder::{drop_statements, drops};
use crate::step::{Direction, Step};
use crate::{Error, Options, Project, Target, holders, records};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DatabaseConnection, DatabaseTransaction, DbBackend, Statement, TransactionTrait};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};
use std::time::{Duration, Instant};

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Where the SQLite file was backed up before.
    pub backup: Option<String>,
    /// The migrations whose tables were dropped.
    pub dropped: Vec<String>,
    /// The migrations that were taken back, in the order in which that was done.
    pub taken_back: Vec<String>,
    /// The migrations that were applied, in the order in which that was done.
    pub applied: Vec<String>,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if let Some(backup) = &self.backup {
            writeln!(f, "backed up to  {backup}")?;
        }
        if !self.dropped.is_empty() {
            writeln!(f, "dropped every table of {} migrations", self.dropped.len())?;
        }
        for name in &self.taken_back {
            writeln!(f, "took back     {name}")?;
        }
        for name in &self.applied {
            writeln!(f, "applied       {name}")?;
        }
        if self.dropped.is_empty() && self.taken_back.is_empty() && self.applied.is_empty() {
            writeln!(f, "nothing to do")?;
        }
        Ok(())
    }
}

impl Project {
    /// Applies what is pending. A missing SQLite file is made.
    pub async fn upgrade(&self, url: &str, target: &Target, options: &Options) -> Result<Report, Error> {
        self.change(url, &Work::Up(target.clone()), options).await
    }

    /// Takes back what was applied, newest first.
    pub async fn downgrade(&self, url: &str, target: &Target, options: &Options) -> Result<Report, Error> {
        self.change(url, &Work::Down(target.clone()), options).await
    }

    /// Does the work, as soon as nobody else is at it.
    pub async fn change(&self, url: &str, work: &Work, options: &Options) -> Result<Report, Error> {
        let create = !matches!(work, Work::Down(_));
        let db = connect(self, url, create, Duration::ZERO).await?;
        let result = Run { project: self, url, db: &db, work, options }.until_done().await;
        db.close().await?;
        result
    }
}

struct Run<'a> {
    project: &'a Project,
    url: &'a str,
    db: &'a DatabaseConnection,
    work: &'a Work,
    options: &'a Options,
}

impl Run<'_> {
    /// Tries, and when a table is in use for too long, lets everybody pass and tries again.
    async fn until_done(&self) -> Result<Report, Error> {
        let deadline = Instant::now() + self.options.lock_timeout;
        let mut report = Report::default();
        loop {
            match self.attempt(deadline, &mut report).await {
                Err(error) if error.is_blocked() => {
                    let by = holders::of_tables(self.db).await?;
                    if Instant::now() >= deadline {
                        return Err(Error::Locked { waited: self.options.lock_timeout, by });
                    }
                    log::info!("waiting for a table that is in use, and trying again: {}", by.join(", "));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                result => return result.map(|()| report),
            }
        }
    }

    async fn attempt(&self, deadline: Instant, report: &mut Report) -> Result<(), Error> {
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
            if is_lent(self.url) {
                txn.rollback().await?;
                return Err(Error::Lent { name: step.name().to_owned() });
            }
            // The lock stays with its transaction, which does nothing else: it holds no snapshot that a `CREATE INDEX
            // CONCURRENTLY` would have to wait for.
            let worker = connect(self.project, self.url, false, Duration::ZERO).await?;
            let done = self.stretches(&worker, &plan, report).await;
            worker.close().await?;
            txn.rollback().await?;
            return done;
        }
        self.transact(txn, &plan.drop, plan.steps.iter().collect(), report).await
    }

    /// What is to be done, once nobody else can change it any more.
    async fn prepare(&self, txn: &DatabaseTransaction, report: &mut Report) -> Result<Steps, Error> {
        let plan = Steps::read(self.project, txn, self.work).await?;
        let dialect = txn.get_database_backend();
        if self.options.backup && dialect == DbBackend::Sqlite && report.backup.is_none() {
            let risky = !plan.drop.is_empty() || drops(&plan.steps, dialect).await;
            report.backup = if risky { back_up(self.project, self.url, txn).await? } else { None };
        }
        Ok(plan)
    }

    /// Between the migrations that run outside of any transaction, the others run in one.
    async fn stretches(&self, db: &DatabaseConnection, plan: &Steps, report: &mut Report) -> Result<(), Error> {
        let dialect = db.get_database_backend();
        if !plan.drop.is_empty() {
            self.transact(db.begin().await?, &plan.drop, vec![], report).await?;
        }
        for stretch in plan.steps.chunk_by(|a, b| !a.is_non_transactional(dialect) && !b.is_non_transactional(dialect))
        {
            if let [step] = stretch
                && step.is_non_transactional(dialect)
            {
                db.execute_unprepared(&settings("SESSION")).await?;
                records::install(db).await?;
                step.run(&SchemaManager::new(db)).await.map_err(|source| failed(step, source, report))?;
                report.add(step);
                continue;
            }
            let txn = db.begin().await?;
            txn.execute_unprepared(&settings("LOCAL")).await?;
            self.transact(txn, &[], stretch.iter().collect(), report).await?;
        }
        Ok(())
    }

    /// All or nothing.
    async fn transact(
        &self,
        txn: DatabaseTransaction,
        drop: &[String],
        steps: Vec<&Step>,
        report: &mut Report,
    ) -> Result<(), Error> {
        match self.work_in(&txn, drop, &steps, report).await {
            Ok(()) => txn.commit().await?,
            Err(error) => {
                // The reason counts, not that a broken connection cannot even roll back.
                let _ = txn.rollback().await;
                return Err(error);
            }
        }
        report.dropped.extend_from_slice(drop);
        steps.into_iter().for_each(|step| report.add(step));
        Ok(())
    }

    async fn work_in(
        &self,
        txn: &DatabaseTransaction,
        drop: &[String],
        steps: &[&Step],
        report: &Report,
    ) -> Result<(), Error> {
        let orphans_before = orphans(txn).await?;
        if !drop.is_empty() {
            self.drop_tables(txn, drop).await?;
        }
        records::install(txn).await?;
        for step in steps {
            let savepoint = txn.begin().await?;
            step.run(&SchemaManager::new(&savepoint)).await.map_err(|source| failed(step, source, report))?;
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
    /// Drops what these migrations made, tables and types, newest first, and the record of it. Nothing else is touched.
    async fn drop_tables(&self, txn: &DatabaseTransaction, applied: &[String]) -> Result<(), DbErr> {
        let mut steps: Vec<Step> = (self.project.chain)().into_iter().map(Step::up).collect();
        steps.retain(|step| applied.iter().any(|name| name == step.name()));
        for statement in drop_statements(&steps, txn.get_database_backend()).await {
            txn.execute_unprepared(&statement).await?;
        }
        txn.execute_unprepared("DROP TABLE \"seaql_migrations\"").await.map(|_| ())
    }
}

impl Report {
    fn add(&mut self, step: &Step) {
        let list = if step.direction == Direction::Up { &mut self.applied } else { &mut self.taken_back };
        list.push(step.name().to_owned());
    }
}

/// Why the step stopped, and what stays of the run.
fn failed(step: &Step, source: DbErr, report: &Report) -> Error {
    let kept = report.taken_back.iter().chain(&report.applied).cloned().collect();
    Error::Migration { name: step.name().to_owned(), kept, source }
}

/// Rows that refer to rows that are not there. SQLite does not look while foreign keys are off; PostgreSQL always does.
async fn orphans(txn: &DatabaseTransaction) -> Result<BTreeSet<String>, Error> {
    if txn.get_database_backend() == DbBackend::Postgres {
        return Ok(BTreeSet::new());
    }
    let check = "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ', which refers to ' || parent \
                 FROM pragma_foreign_key_check";
    let rows = txn.query_all_raw(Statement::from_string(DbBackend::Sqlite, check)).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
}
