//! Runs migrations: one runner at a time, all or nothing.
//!
//! All migrations of a run are one transaction, each in a savepoint: what is killed or fails leaves the database as it was, and
//! the lock is the transaction itself. Only a migration that asks for it runs outside, on PostgreSQL, between two transactions.

use crate::backup::back_up;
use crate::connect::{connect, is_lent};
use crate::lock::{lock_until, settings};
use crate::offline::{drop_tables_of, drops};
use crate::plan::{Direction, Step, Steps, Work};
use crate::state::Chain;
use crate::{Error, Target, holders};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ActiveValue::Set;
use sea_orm_migration::sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, QueryFilter, Statement, TransactionTrait,
};
use sea_orm_migration::seaql_migrations;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use versions::Migrator;

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to wait for another runner, another writer, or a long reader, to be done.
    pub lock_timeout: Duration,
    /// Whether a SQLite file that holds rows is backed up before a table is rebuilt or dropped.
    pub backup: bool,
    /// The migrations.
    pub chain: Chain,
}

impl Default for Options {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_secs(60), backup: true, chain: Migrator::migrations }
    }
}

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

/// Applies what is pending. A missing SQLite file is made.
pub async fn upgrade(url: &str, target: &Target, options: &Options) -> Result<Report, Error> {
    change(url, &Work::Up(target.clone()), options).await
}

/// Takes back what was applied, newest first.
pub async fn downgrade(url: &str, target: &Target, options: &Options) -> Result<Report, Error> {
    change(url, &Work::Down(target.clone()), options).await
}

/// Does the work, as soon as nobody else is at it.
pub async fn change(url: &str, work: &Work, options: &Options) -> Result<Report, Error> {
    let create = !matches!(work, Work::Down(_));
    let db = connect(url, create, Duration::ZERO).await?;
    let result = Run { url, db: &db, work, options }.until_done().await;
    db.close().await?;
    result
}

struct Run<'a> {
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
        let txn = lock_until(self.db, deadline, self.options).await?;
        let plan = match self.prepare(&txn, report).await {
            Ok(plan) if !plan.is_empty() => plan,
            other => {
                txn.rollback().await?;
                return other.map(|_| ());
            }
        };
        let dialect = self.db.get_database_backend();
        if let Some(step) = plan.steps.iter().find(|step| step.is_apart(dialect)) {
            if is_lent(self.url) {
                txn.rollback().await?;
                return Err(Error::Lent { name: step.migration.name().to_owned() });
            }
            // The lock stays with its transaction, which does nothing else: it holds no snapshot that a `CREATE INDEX
            // CONCURRENTLY` would have to wait for.
            let worker = connect(self.url, false, Duration::ZERO).await?;
            let done = self.stretches(&worker, &plan, report).await;
            worker.close().await?;
            txn.rollback().await?;
            return done;
        }
        self.transact(txn, &plan.drop, plan.steps.iter().collect(), report).await
    }

    /// What is to be done, once nobody else can change it any more.
    async fn prepare(&self, txn: &DatabaseTransaction, report: &mut Report) -> Result<Steps, Error> {
        let plan = Steps::read(txn, self.work, self.options).await?;
        let dialect = txn.get_database_backend();
        if self.options.backup && dialect == DbBackend::Sqlite && report.backup.is_none() {
            let risky = !plan.drop.is_empty() || drops(&plan.steps, dialect).await;
            report.backup = if risky { back_up(self.url, txn).await? } else { None };
        }
        Ok(plan)
    }

    /// Between the migrations that run outside of any transaction, the others run in one.
    async fn stretches(&self, db: &DatabaseConnection, plan: &Steps, report: &mut Report) -> Result<(), Error> {
        let dialect = db.get_database_backend();
        if !plan.drop.is_empty() {
            self.transact(db.begin().await?, &plan.drop, vec![], report).await?;
        }
        for stretch in plan.steps.chunk_by(|a, b| !a.is_apart(dialect) && !b.is_apart(dialect)) {
            if let [step] = stretch
                && step.is_apart(dialect)
            {
                db.execute_unprepared(&settings("SESSION")).await?;
                Migrator::install(db).await?;
                step.run(&SchemaManager::new(db)).await.map_err(|source| step.failed(source, report))?;
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
            drop_tables_of(txn, drop, self.options.chain).await?;
        }
        Migrator::install(txn).await?;
        for step in steps {
            let savepoint = txn.begin().await?;
            step.run(&SchemaManager::new(&savepoint)).await.map_err(|source| step.failed(source, report))?;
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

impl Report {
    fn add(&mut self, step: &Step) {
        let list = if step.direction == Direction::Up { &mut self.applied } else { &mut self.taken_back };
        list.push(step.migration.name().to_owned());
    }
}

impl Step {
    /// Whether it asks to run outside of any transaction. SQLite has nothing that would have to.
    pub(crate) fn is_apart(&self, dialect: DbBackend) -> bool {
        dialect == DbBackend::Postgres && self.migration.use_transaction() == Some(false)
    }

    /// The migration and its record.
    pub(crate) async fn run(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let name = self.migration.name();
        match self.direction {
            Direction::Up => {
                log::debug!("applying {name}");
                self.migration.up(manager).await?;
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                record(manager.get_connection(), name, since.as_secs().cast_signed()).await
            }
            Direction::Down => {
                log::debug!("taking back {name}");
                self.migration.down(manager).await?;
                forget(manager.get_connection(), name).await
            }
        }
    }

    fn failed(&self, source: DbErr, report: &Report) -> Error {
        let kept = report.taken_back.iter().chain(&report.applied).cloned().collect();
        Error::Migration { name: self.migration.name().to_owned(), kept, source }
    }
}

/// Writes down that a migration was applied.
pub(crate) async fn record(db: &impl ConnectionTrait, name: &str, applied_at: i64) -> Result<(), DbErr> {
    let record = seaql_migrations::ActiveModel { version: Set(name.to_owned()), applied_at: Set(applied_at) };
    seaql_migrations::Entity::insert(record).exec_without_returning(db).await.map(|_| ())
}

/// Strikes a migration off.
pub(crate) async fn forget(db: &impl ConnectionTrait, name: &str) -> Result<(), DbErr> {
    seaql_migrations::Entity::delete_many().filter(Expr::col("version").eq(name)).exec(db).await.map(|_| ())
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
