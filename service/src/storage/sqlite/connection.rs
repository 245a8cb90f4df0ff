//! The connection to SQLite that a batch worker keeps.
//!
//! SeaORM's driver runs each SQLite connection in a thread of its own and copies each value of a
//! row to the caller's thread. A batch worker is a thread already: SQLite runs in it, without a
//! hand-off.

use crate::error::{Error, from_sqlite_code};
use crate::metrics::SqliteMetrics;
use crate::storage::connect::connection_error;
use crate::storage::params::{Param, time_as_text};
use crate::storage::{Durability, Observer};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{CachedStatement, Connection, OpenFlags, Row, Transaction, TransactionBehavior, params_from_iter};
use sea_orm::DbErr;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};

/// How long a statement waits while another process holds the lock of the file.
pub(in crate::storage) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of the file may be mapped into memory: 64 GiB, the limit that SQLite was compiled with
/// (.cargo/config.toml). A cached page is then read without a system call and without a copy, which
/// was measured to give a third more saves per second.
const MMAP_SIZE: &str = "68719476736";
/// The settings of every connection, besides those that depend on its use. The WAL keeps at most
/// 128 MiB on disk when it is restarted.
pub(super) const PRAGMAS: [(&str, &str); 3] =
    [("journal_size_limit", "134217728"), ("wal_autocheckpoint", AUTOCHECKPOINT_PAGES), ("mmap_size", MMAP_SIZE)];
/// The length of the WAL at which a commit does a checkpoint itself, if the checkpoint thread does
/// not: 320 MiB.
const AUTOCHECKPOINT_PAGES: &str = "80000";

/// Opens connections for the batch workers.
#[derive(Clone)]
pub(crate) struct SqliteConnector {
    pub(in crate::storage) file: PathBuf,
    synchronous: &'static str,
    /// Held by the writer. SQLite's own lock has no queue: waiting connections poll for it, and one
    /// of them may never get it.
    pub(in crate::storage) write_lock: Arc<Mutex<()>>,
    pub(in crate::storage) observer: Option<Observer>,
    pub(in crate::storage) metrics: Option<SqliteMetrics>,
    /// Each connection holds a receiver, so that closing can wait for the last one.
    pub(in crate::storage) open: watch::Sender<()>,
}

impl fmt::Debug for SqliteConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteConnector").field("file", &self.file).finish_non_exhaustive()
    }
}

impl SqliteConnector {
    /// # Errors
    /// The URL is not valid.
    pub(in crate::storage) fn new(url: &str, durability: Durability) -> Result<Self, DbErr> {
        Ok(Self {
            file: SqliteConnectOptions::from_str(url).map_err(connection_error)?.get_filename().to_owned(),
            synchronous: durability.synchronous(),
            write_lock: Arc::default(),
            observer: None,
            metrics: None,
            open: watch::Sender::default(),
        })
    }

    /// A read-only connection, which is opened when it is first used.
    pub(crate) fn reader(&self) -> SqliteConnection {
        self.connection(true)
    }

    /// A connection whose transactions take the write lock.
    pub(crate) fn writer(&self) -> SqliteConnection {
        self.connection(false)
    }

    fn connection(&self, read_only: bool) -> SqliteConnection {
        SqliteConnection { connector: self.clone(), read_only, connection: None, _open: self.open.subscribe() }
    }

    /// # Errors
    /// The file cannot be opened.
    pub(super) fn connect(&self, read_only: bool) -> Result<Connection, Error> {
        // Without CREATE, so that no empty file takes the place of one that was deleted.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // QPSG keeps one plan for a statement. Without it, SQLite makes a new plan for some values
        // once the file has statistics.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        for (name, value) in PRAGMAS {
            connection.pragma_update(None, name, value)?;
        }
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "synchronous", self.synchronous)?;
        connection.pragma_update(None, "query_only", read_only)?;
        Ok(connection)
    }
}

/// A connection of one batch worker.
pub(crate) struct SqliteConnection {
    connector: SqliteConnector,
    read_only: bool,
    connection: Option<Connection>,
    _open: watch::Receiver<()>,
}

impl SqliteConnection {
    /// Runs `work` in a transaction, which a writer begins with the write lock held.
    ///
    /// # Errors
    /// Those of `work`, and those of the transaction.
    pub(crate) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&SqliteTransaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let write_lock = self.connector.write_lock.clone();
        let (_write_guard, behavior) = if self.read_only {
            (None, TransactionBehavior::Deferred)
        } else {
            (Some(write_lock.blocking_lock()), TransactionBehavior::Immediate)
        };
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connector.connect(self.read_only)?,
        };
        let result = (|| {
            let transaction = Transaction::new_unchecked(&connection, behavior)?;
            let value =
                work(&SqliteTransaction { connection: &transaction, observer: self.connector.observer.as_ref() })?;
            self.commit(transaction)?;
            Ok(value)
        })();
        // After an I/O error or a damaged file the next transaction opens the file anew.
        if !matches!(result, Err(Error::Internal(_))) {
            self.connection = Some(connection);
        }
        result
    }

    /// Commits, and measures how long a writer waits for the disk.
    fn commit(&self, transaction: Transaction<'_>) -> Result<(), Error> {
        let metrics = self.connector.metrics.as_ref().filter(|_| !self.read_only);
        let _timer = metrics.map(|metrics| metrics.commit_seconds.start_timer());
        Ok(transaction.commit()?)
    }
}

/// An open transaction.
pub(crate) struct SqliteTransaction<'a> {
    connection: &'a Connection,
    observer: Option<&'a Observer>,
}

impl<'a> SqliteTransaction<'a> {
    /// A prepared statement, out of the connection's cache if it was used before.
    pub(crate) fn prepare<'s>(&self, sql: &'s str) -> Result<SqliteStatement<'a, 's>, Error> {
        log::trace!("{sql}");
        Ok(SqliteStatement { statement: self.connection.prepare_cached(sql)?, sql, observer: self.observer })
    }

    /// Runs `work`, and reverts what it wrote if it fails. The transaction goes on.
    ///
    /// # Errors
    /// Those of `work`, and those of the savepoint.
    pub(crate) fn savepoint<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let execute = |sql: &str| self.connection.prepare_cached(sql)?.execute([]);
        execute("SAVEPOINT request")?;
        let result = work();
        // The error may have rolled back the transaction, and the savepoint with it.
        if result.is_err() && !self.connection.is_autocommit() {
            execute("ROLLBACK TO request")?;
        }
        if !self.connection.is_autocommit() {
            execute("RELEASE request")?;
        }
        result
    }

    /// Answers each request of a batch, whose errors do not concern the others. But an error such
    /// as a full disk may have rolled back the whole transaction
    /// (sqlite.org/lang_transaction.html).
    ///
    /// # Errors
    /// The error that rolled back the transaction.
    pub(crate) fn for_each<Q, A>(
        &self,
        requests: &[Q],
        mut answer: impl FnMut(&Q) -> Result<A, Error>,
    ) -> Result<Vec<Result<A, Error>>, Error> {
        let answers = requests.iter().map(|request| match answer(request) {
            Err(error) if self.connection.is_autocommit() => Err(error),
            result => Ok(result),
        });
        answers.collect()
    }
}

/// A prepared statement.
pub(crate) struct SqliteStatement<'a, 's> {
    statement: CachedStatement<'a>,
    sql: &'s str,
    observer: Option<&'a Observer>,
}

impl SqliteStatement<'_, '_> {
    /// Runs the statement and returns the number of rows that it changed.
    pub(crate) fn execute(&mut self, values: impl IntoIterator<Item: ToSql>) -> Result<usize, Error> {
        self.observe();
        Ok(self.statement.execute(params_from_iter(values))?)
    }

    /// Runs an INSERT of one row and returns the id of the row.
    pub(crate) fn insert(&mut self, values: impl IntoIterator<Item: ToSql>) -> Result<i64, Error> {
        self.observe();
        Ok(self.statement.insert(params_from_iter(values))?)
    }

    /// Runs the statement and returns what `read` makes of each row.
    pub(crate) fn query<T>(
        &mut self,
        values: impl IntoIterator<Item: ToSql>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.observe();
        let (mut rows, mut values_read) = (self.statement.query(params_from_iter(values))?, Vec::new());
        while let Some(row) = rows.next()? {
            values_read.push(read(row)?);
        }
        Ok(values_read)
    }

    /// Runs the statement and gives its rows to `read`, as long as that returns true.
    pub(crate) fn query_while(
        &mut self,
        values: impl IntoIterator<Item: ToSql>,
        mut read: impl FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        self.observe();
        let mut rows = self.statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if !read(row)? {
                break;
            }
        }
        Ok(())
    }

    fn observe(&self) {
        if let Some(observer) = self.observer {
            observer(self.sql);
        }
    }
}

impl ToSql for Param {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Number(number) => ToSqlOutput::Owned((*number).into()),
            Self::Text(text) => ToSqlOutput::Borrowed(text.as_deref().into()),
            Self::Time(time) => ToSqlOutput::Owned(time.as_ref().map(time_as_text).into()),
            Self::Flag(flag) => ToSqlOutput::Owned((*flag).into()),
        })
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code.cast_unsigned()).unwrap_or_default();
        from_sqlite_code(code, error.to_string())
    }
}
