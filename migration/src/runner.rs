//! Runs migrations: one runner at a time, all or nothing.

use crate::connect::{Place, connect};
use crate::{Error, Migrator};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::ActiveValue::Set;
use sea_orm_migration::sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::seaql_migrations;
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to wait for another runner, or another writer, to be done.
    pub lock_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_secs(60) }
    }
}

/// How far to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To the end: up to the newest migration, or down to an empty database.
    End,
    /// So many migrations.
    Steps(usize),
    /// Until this migration is the last one applied.
    Name(String),
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The migrations that were applied or taken back, in the order in which that was done.
    pub done: Vec<String>,
}

/// Where a database stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Migrations that it lacks, in order.
    pub pending: Vec<String>,
    /// Migrations that it has and this program does not know: a newer program was here.
    pub unknown: Vec<String>,
    /// Migrations that it has, in order.
    pub applied: Vec<String>,
}

/// Applies what is pending. A missing SQLite file is made.
pub async fn upgrade(url: &str, target: &Target, options: &Options) -> Result<Report, Error> {
    migrate(url, Direction::Up, target, options).await
}

/// Takes back what was applied, newest first.
pub async fn downgrade(url: &str, target: &Target, options: &Options) -> Result<Report, Error> {
    migrate(url, Direction::Down, target, options).await
}

/// Where a database stands. Changes nothing and makes no file.
pub async fn status(url: &str) -> Result<State, Error> {
    if Place::of(url)?.is_missing() {
        return Ok(State { pending: names(), ..State::default() });
    }
    let db = connect(url, false, Options::default().lock_timeout).await?;
    let state = state(&db).await;
    db.close().await?;
    state
}

/// Where the database of this connection stands, in two short reads.
pub async fn state(db: &impl ConnectionTrait) -> Result<State, Error> {
    let backend = db.get_database_backend();
    let is_there = match backend {
        DbBackend::Postgres => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    };
    let mut recorded: Vec<String> = Vec::new();
    if db.query_one_raw(Statement::from_string(backend, is_there)).await?.is_some() {
        let versions =
            Query::select().column("version").from("seaql_migrations").order_by("version", Order::Asc).take();
        for row in db.query_all(&versions).await? {
            recorded.push(row.try_get_by_index(0)?);
        }
    }
    let (applied, pending) = names().into_iter().partition(|name| recorded.contains(name));
    recorded.retain(|name| !names().contains(name));
    Ok(State { pending, unknown: recorded, applied })
}

fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

async fn migrate(url: &str, direction: Direction, target: &Target, options: &Options) -> Result<Report, Error> {
    let db = connect(url, direction == Direction::Up, Duration::ZERO).await?;
    let result = migrate_on(&db, direction, target, options).await;
    db.close().await?;
    result
}

async fn migrate_on(
    db: &DatabaseConnection,
    direction: Direction,
    target: &Target,
    options: &Options,
) -> Result<Report, Error> {
    let txn = lock(db, options).await?;
    let state = state(&txn).await?;
    if !state.unknown.is_empty() {
        return Err(Error::Ahead(state.unknown));
    }
    let plan = plan(&state, direction, target)?;
    if plan.is_empty() {
        txn.rollback().await?;
        return Ok(Report::default());
    }
    let orphans_before = orphans(&txn).await?;
    Migrator::install(&txn).await?;
    let mut report = Report::default();
    for migration in plan {
        let name = migration.name().to_owned();
        log::debug!("{} {name}", if direction == Direction::Up { "applying" } else { "taking back" });
        run(&txn, migration.as_ref(), direction)
            .await
            .map_err(|source| Error::Migration { name: name.clone(), source })?;
        report.done.push(name);
    }
    let orphans = orphans(&txn).await?;
    let mut new = orphans.difference(&orphans_before);
    if let Some(first) = new.next() {
        return Err(Error::Orphans { count: new.count() + 1, first: first.clone() });
    }
    txn.commit().await?;
    Ok(report)
}

/// One migration and its record, in a savepoint.
async fn run(txn: &DatabaseTransaction, migration: &dyn MigrationTrait, direction: Direction) -> Result<(), DbErr> {
    let savepoint = txn.begin().await?;
    let manager = SchemaManager::new(&savepoint);
    let version = migration.name().to_owned();
    match direction {
        Direction::Up => {
            migration.up(&manager).await?;
            let applied_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().cast_signed();
            let record = seaql_migrations::ActiveModel { version: Set(version), applied_at: Set(applied_at) };
            seaql_migrations::Entity::insert(record).exec(&savepoint).await?;
        }
        Direction::Down => {
            migration.down(&manager).await?;
            seaql_migrations::Entity::delete_by_id(version).exec(&savepoint).await?;
        }
    }
    savepoint.commit().await
}

/// The migrations to run, in the order in which to run them.
fn plan(state: &State, direction: Direction, target: &Target) -> Result<Vec<Box<dyn MigrationTrait>>, Error> {
    let mut plan = Migrator::migrations();
    if let Target::Name(name) = target
        && !plan.iter().any(|migration| migration.name() == name)
    {
        return Err(Error::UnknownTarget(name.clone()));
    }
    let wanted = if direction == Direction::Up { &state.pending } else { &state.applied };
    plan.retain(|migration| wanted.iter().any(|name| name == migration.name()));
    if direction == Direction::Down {
        plan.reverse();
    }
    match (target, direction) {
        (Target::End, _) => {}
        (Target::Steps(steps), _) => plan.truncate(*steps),
        (Target::Name(last), Direction::Up) => plan.retain(|migration| migration.name() <= last.as_str()),
        (Target::Name(last), Direction::Down) => plan.retain(|migration| migration.name() > last.as_str()),
    }
    Ok(plan)
}

/// The number that all runners ask PostgreSQL for.
const LOCK: i64 = i64::from_be_bytes(*b"playhead");

/// Begins the one transaction of this run as soon as no other runner is in its own.
async fn lock(db: &DatabaseConnection, options: &Options) -> Result<DatabaseTransaction, Error> {
    let deadline = Instant::now() + options.lock_timeout;
    let mut waiting = false;
    loop {
        let locked = match db.get_database_backend() {
            DbBackend::Postgres => lock_postgres(db, options).await?,
            _ => lock_sqlite(db, options).await?,
        };
        match locked {
            Some(txn) => return Ok(txn),
            None if Instant::now() >= deadline => return Err(Error::Locked(options.lock_timeout)),
            None if !waiting => {
                waiting = true;
                log::info!(
                    "waiting for another migration or writer to finish, {} s at most",
                    options.lock_timeout.as_secs()
                );
            }
            None => {}
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// SQLite's own write lock, taken at the start of the transaction.
async fn lock_sqlite(db: &DatabaseConnection, options: &Options) -> Result<Option<DatabaseTransaction>, Error> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    match db.begin_with_options(immediate).await {
        Ok(txn) => {
            // To begin, we ask again and again and say so; readers that delay the commit are simply waited for.
            txn.execute_unprepared(&format!("PRAGMA busy_timeout = {}", options.lock_timeout.as_millis())).await?;
            Ok(Some(txn))
        }
        Err(error) if is_busy(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_busy(error: &DbErr) -> bool {
    error.to_string().contains("database is locked")
}

/// A lock that ends with the transaction. We ask again and again rather than wait inside the database: a waiting statement
/// holds a snapshot, for which a `CREATE INDEX CONCURRENTLY` of the other runner would wait forever.
async fn lock_postgres(db: &DatabaseConnection, options: &Options) -> Result<Option<DatabaseTransaction>, Error> {
    let txn = db.begin().await?;
    let ask = format!("SELECT pg_try_advisory_xact_lock({LOCK})");
    let row = txn.query_one_raw(Statement::from_string(DbBackend::Postgres, ask)).await?;
    if row.map(|row| row.try_get_by_index(0)).transpose()? != Some(true) {
        txn.rollback().await?;
        return Ok(None);
    }
    // Limits that a role may have for its everyday statements would cut a long rebuild short.
    let milliseconds = options.lock_timeout.as_millis();
    txn.execute_unprepared(&format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
         SET LOCAL lock_timeout = {milliseconds}; SET LOCAL client_min_messages = warning"
    ))
    .await?;
    Ok(Some(txn))
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
