//! The transaction that use cases write in, and who opens, commits and rolls it back.

use super::connect::begin_immediate;
use super::database::{BatchConnections, Database, WriteGuard};
use super::events::{Event, EventPublisher};
use super::postgres;
use super::revision::raise_revision;
use crate::Error;
use entity::video_revision;
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, EntityName, EntityTrait, ExecResult, QueryResult,
    Statement,
};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::OnceCell;

/// A transaction that may write. Use cases take it and open none, so that several of them can be
/// joined in one. It is a [`ConnectionTrait`], so that SeaORM runs its statements in it.
pub struct Transaction {
    // Dropped first: the rollback begins before the next writer may begin.
    inner: DatabaseTransaction,
    _write_guard: WriteGuard,
    rollback: AtomicBool,
    revision: OnceCell<i64>,
    changes_summaries: AtomicBool,
    after_commit: Mutex<Vec<AfterCommit>>,
    /// The viewers whose lists it changes.
    outdated_lists: Mutex<Vec<i64>>,
    events: EventPublisher,
}

type AfterCommit = Box<dyn FnOnce() + Send>;

impl Database {
    /// Runs `work` in a transaction: commits it when `work` succeeds, and rolls it back when `work`
    /// fails or its future is dropped.
    ///
    /// On SQLite the write lock is taken before the transaction begins and kept until it has ended.
    ///
    /// # Errors
    /// Those of `work`; [`Error::Busy`] when the lock or a connection is not free in time.
    pub async fn transaction<T>(&self, work: impl AsyncFnOnce(&Transaction) -> Result<T, Error>) -> Result<T, Error> {
        let (write_guard, inner) = self.begin().await?;
        let transaction = Transaction {
            inner,
            _write_guard: write_guard,
            rollback: AtomicBool::new(false),
            revision: OnceCell::new(),
            changes_summaries: AtomicBool::new(false),
            after_commit: Mutex::default(),
            outdated_lists: Mutex::default(),
            events: self.events().clone(),
        };
        let result = work(&transaction).await;
        transaction.end(result).await
    }

    /// Begins a transaction that writes. On SQLite it takes the lock of the file at once: a
    /// transaction that reads first and writes later fails when another process wrote in between,
    /// whatever the busy timeout.
    async fn begin(&self) -> Result<(WriteGuard, DatabaseTransaction), Error> {
        let (write_guard, writer) = self.writer().await?;
        let transaction = begin_immediate(writer).await?;
        if let BatchConnections::Postgres(connector) = self.batch_connections()
            && connector.behind_transaction_pooler
        {
            transaction.execute_unprepared(&postgres::transaction_setup()).await?;
        }
        Ok((write_guard, transaction))
    }
}

impl Transaction {
    /// Blocks other writers of this table until the transaction ends. Use it for a rule that reads
    /// several rows before it writes. Call it before other statements, so that no two transactions
    /// wait for each other. It does nothing on SQLite, which has one writer anyway.
    ///
    /// # Errors
    /// [`Error::DatabaseAway`] when another transaction holds the table for too long.
    pub async fn lock_table(&self, table: impl EntityName) -> Result<(), Error> {
        if self.inner.get_database_backend() == DatabaseBackend::Postgres {
            let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table.table_name());
            self.inner.execute_unprepared(&lock).await?;
        }
        Ok(())
    }

    /// The value of the column `revision` of every row of the history that the transaction writes.
    /// It is raised when it is first asked for. `None` on PostgreSQL, which stamps rows itself.
    ///
    /// # Errors
    /// Database errors.
    pub(crate) async fn revision(&self) -> Result<Option<i64>, Error> {
        if self.inner.get_database_backend() == DatabaseBackend::Postgres {
            return Ok(None);
        }
        let raise = async || {
            let row = self.inner.query_one(&raise_revision()?).await?;
            let row = row.ok_or_else(|| Error::Internal("the revision was not raised".into()))?;
            Ok::<_, Error>(row.try_get_by_index(0)?)
        };
        Ok(Some(*self.revision.get_or_try_init(raise).await?))
    }

    /// Publishes an event after the commit; never if the transaction is rolled back.
    pub fn record(&self, event: Event) {
        if matches!(event, Event::VideoChanged { .. } | Event::VideoDeleted { .. } | Event::UserDeleted { .. }) {
            self.outdate_summaries();
        }
        if self.events.lists().is_on()
            && let Some(user_id) = event.listing_user()
        {
            self.outdated_lists.lock().unwrap_or_else(PoisonError::into_inner).push(user_id);
        }
        if self.events.has_listeners() {
            let events = self.events.clone();
            self.after_commit(move || events.publish(event));
        }
    }

    /// Makes every process read again what lists show of videos, from the commit on. A recorded
    /// [`Event::VideoChanged`] does that by itself.
    pub(crate) fn outdate_summaries(&self) {
        self.changes_summaries.store(true, Ordering::Relaxed);
    }

    /// Runs `action` after the commit; never if the transaction is rolled back.
    pub fn after_commit(&self, action: impl FnOnce() + Send + 'static) {
        self.after_commit.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(action));
    }

    /// Rolls back at the end, even if the work succeeds. For the outermost use case only.
    pub fn set_rollback(&self) {
        self.rollback.store(true, Ordering::Relaxed);
    }

    async fn end<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        let Self { inner, _write_guard: write_guard, rollback, changes_summaries, after_commit, .. } = self;
        if result.is_err() || rollback.into_inner() {
            // If the rollback fails, the connection is closed, which ends the transaction.
            let _ = inner.rollback().await;
            return result;
        }
        if changes_summaries.into_inner() {
            // It is the last statement, so that its row is locked for the commit only, and no
            // transaction that holds it waits for another one.
            raise_counter(&inner, video_revision::ID).await?;
        }
        inner.commit().await?;
        // Before the next writer may begin, so that events come in the order of the commits.
        for action in after_commit.into_inner().unwrap_or_else(PoisonError::into_inner) {
            action();
        }
        drop(write_guard);
        self.events.lists().outdate(self.outdated_lists.into_inner().unwrap_or_else(PoisonError::into_inner)).await;
        result
    }
}

/// Adds one to the counter with this id in `video_revision`.
///
/// # Errors
/// Database errors.
pub(crate) async fn raise_counter(transaction: &impl ConnectionTrait, id: i64) -> Result<(), DbErr> {
    let first = video_revision::ActiveModel { id: Set(id), latest: Set(1) };
    let latest = Expr::col((video_revision::Entity, video_revision::Column::Latest));
    let raise =
        OnConflict::column(video_revision::Column::Id).value(video_revision::Column::Latest, latest.add(1)).to_owned();
    video_revision::Entity::insert(first).on_conflict(raise).exec_without_returning(transaction).await?;
    Ok(())
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}
