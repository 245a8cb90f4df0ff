//! The database of the running program: its connections, and what use cases do with them.
//!
//! SQLite has one writer at a time: a writing transaction holds a [`WriteGuard`], and all other
//! connections are read-only. PostgreSQL gets pools. Batch workers open connections of their own.
//! Connections to PostgreSQL belong to the runtime that called [`Database::connect`], which must
//! outlive them (a socket dies with the runtime that opened it, sqlx #1396).

use super::connect::{self, ConnectError, explain};
use super::events::{EventListener, EventPublisher};
use super::postgres::{self, PgConnector};
use super::sqlite::{self, BUSY_TIMEOUT, SqliteConnector, start_checkpoints};
use crate::Error;
use crate::metrics::Metrics;
use sea_orm::{DatabaseBackend, DatabaseConnection, DbErr};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a request waits for a free connection before it is told to retry.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How many long reads may run at once on SQLite: the other reading connection is for short reads.
const SQLITE_LONG_READS: usize = 1;
/// How many long reads may run at once on PostgreSQL, which has ten connections in its pool.
const POSTGRES_LONG_READS: usize = 3;
/// How long a long read waits for a permit.
const LONG_READ_TIMEOUT: Duration = Duration::from_secs(5);
/// How long closing waits for running statements.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// What an acknowledged save survives on SQLite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power loss: every commit waits for the disk.
    #[default]
    Full,
    /// A crash of the process, but not of the machine.
    Normal,
}

impl Durability {
    /// The value of SQLite's setting `synchronous`.
    pub(super) fn synchronous(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
        }
    }
}

/// The database of the running program. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Database {
    reader: DatabaseConnection,
    pub(super) writer: DatabaseConnection,
    batch_connections: BatchConnections,
    long_reads: Arc<Semaphore>,
    events: EventPublisher,
    shared: SharedValues,
    metrics: Option<Arc<Metrics>>,
    /// Ends SQLite's checkpoint thread when it is dropped.
    checkpoints: Option<Arc<Sender<()>>>,
}

/// How batch workers connect.
#[derive(Clone, Debug)]
pub(crate) enum BatchConnections {
    Postgres(PgConnector),
    Sqlite(SqliteConnector),
}

/// The right to write, until it is dropped. PostgreSQL has many writers and needs none.
#[derive(Debug)]
pub struct WriteGuard(#[expect(dead_code, reason = "it is only kept")] Option<OwnedMutexGuard<()>>);

impl Database {
    /// Opens the database at `url` (`sqlite://…` or `postgres://…`) and checks that it can be
    /// written.
    ///
    /// # Errors
    /// The database is unreachable, locked, read-only, or not a database.
    pub async fn connect(url: &str, durability: Durability) -> Result<Self, ConnectError> {
        let database = match url.split(':').next() {
            Some("sqlite") => Self::connect_sqlite(url, durability).await,
            Some("postgres" | "postgresql") => Self::connect_postgres(url).await,
            _ => return Err(ConnectError::unknown_scheme()),
        }
        .map_err(|error| explain(&error))?;
        if database.backend() == DatabaseBackend::Sqlite {
            connect::check_sqlite(&database.writer).await?;
        }
        Ok(database)
    }

    async fn connect_sqlite(url: &str, durability: Durability) -> Result<Self, DbErr> {
        let [reader, writer] = sqlite::open_pools(url, durability, ACQUIRE_TIMEOUT + BUSY_TIMEOUT).await?;
        let connector = SqliteConnector::new(url, durability)?;
        let checkpoints = Some(Arc::new(start_checkpoints(&connector)));
        Ok(Self { checkpoints, ..Self::new([reader, writer], BatchConnections::Sqlite(connector), SQLITE_LONG_READS) })
    }

    async fn connect_postgres(url: &str) -> Result<Self, DbErr> {
        let pools = postgres::open_pools(url, ACQUIRE_TIMEOUT).await?;
        Ok(Self::new(pools, BatchConnections::Postgres(PgConnector::new(url)?), POSTGRES_LONG_READS))
    }

    fn new([reader, writer]: [DatabaseConnection; 2], batch_connections: BatchConnections, long_reads: usize) -> Self {
        Self {
            reader,
            writer,
            batch_connections,
            long_reads: Arc::new(Semaphore::new(long_reads)),
            events: EventPublisher::default(),
            shared: SharedValues::default(),
            metrics: None,
            checkpoints: None,
        }
    }

    /// The connection for statements that only read.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// The connection for single statements that write; use cases take a transaction instead.
    /// Behind a pooler a statement needs a transaction.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub async fn writer(&self) -> Result<(WriteGuard, &DatabaseConnection), Error> {
        let BatchConnections::Sqlite(connector) = &self.batch_connections else {
            return Ok((WriteGuard(None), &self.writer));
        };
        let guard = timeout(ACQUIRE_TIMEOUT + BUSY_TIMEOUT, connector.write_lock.clone().lock_owned()).await;
        Ok((WriteGuard(Some(guard.map_err(|_| Error::Busy)?)), &self.writer))
    }

    /// Waits until a read that takes long may begin. Fewer may run at once than there are
    /// connections, so that short reads always find one.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait.
    pub(crate) async fn long_read_permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        let permit = timeout(LONG_READ_TIMEOUT, self.long_reads.clone().acquire_owned()).await;
        permit.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)
    }

    /// The value of this type that belongs to the database, such as a cache of a use case. It is
    /// made by `Default` when it is first asked for.
    pub(crate) fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.shared.get()
    }

    pub(crate) fn batch_connections(&self) -> &BatchConnections {
        &self.batch_connections
    }

    /// Listens to what is saved and deleted through this value and its clones.
    pub fn subscribe(&self) -> EventListener {
        self.events.subscribe()
    }

    pub(crate) fn events(&self) -> &EventPublisher {
        &self.events
    }

    /// SQLite or PostgreSQL.
    pub fn backend(&self) -> DatabaseBackend {
        self.writer.get_database_backend()
    }

    /// Whether it is SQLite.
    pub fn is_sqlite(&self) -> bool {
        self.backend() == DatabaseBackend::Sqlite
    }

    /// Calls `observer` with the text of every statement that runs from now on through this value
    /// and the clones that are made later.
    pub fn observe(&mut self, observer: impl Fn(&str) + Send + Sync + Clone + 'static) {
        let batch_observer = match &mut self.batch_connections {
            BatchConnections::Postgres(connector) => &mut connector.observer,
            BatchConnections::Sqlite(connector) => &mut connector.observer,
        };
        *batch_observer = Some(Arc::new(observer.clone()));
        for connection in [&mut self.reader, &mut self.writer] {
            let observer = observer.clone();
            connection.set_metric_callback(move |info| observer(&info.statement.sql));
        }
    }

    /// Counts for `metrics` what runs from now on through this value and the clones that are made
    /// later.
    pub fn measure(&mut self, metrics: Arc<Metrics>) {
        if let BatchConnections::Sqlite(connector) = &mut self.batch_connections {
            connector.metrics.clone_from(&metrics.sqlite);
        }
        self.metrics = Some(metrics);
    }

    /// The metrics, if they are on.
    pub fn metrics(&self) -> Option<&Arc<Metrics>> {
        self.metrics.as_ref()
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// [`Error::DatabaseAway`] or [`Error::Busy`].
    pub async fn ping(&self) -> Result<(), Error> {
        self.reader.ping().await?;
        Ok(())
    }

    /// Closes the connections, after a short wait for running statements. The connections of batch
    /// workers on PostgreSQL end with their workers.
    pub async fn close(self) {
        let Self { reader, writer, batch_connections, checkpoints, long_reads: _, events: _, shared: _, metrics: _ } =
            self;
        drop(checkpoints);
        if let BatchConnections::Sqlite(connector) = batch_connections
            && timeout(CLOSE_TIMEOUT, connector.open.closed()).await.is_err()
        {
            log::warn!("closing the database: a statement of the watch history was still running");
        }
        let close = async |pool: DatabaseConnection| match timeout(CLOSE_TIMEOUT, pool.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("closing the database: {error}"),
            Err(_) => log::warn!("closing the database: a statement was still running"),
        };
        tokio::join!(close(reader), close(writer));
    }
}

/// Values of use cases, one for each type, so that this module needs to know none of them.
#[derive(Clone, Default)]
struct SharedValues(Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl SharedValues {
    fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = values.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        value.downcast().unwrap_or_default()
    }
}

impl fmt::Debug for SharedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedValues").finish_non_exhaustive()
    }
}
