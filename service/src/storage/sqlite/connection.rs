//! SQLite in the thread that asks.
//!
//! The driver below SeaORM keeps every SQLite connection on a thread of its own, where each value of a row is copied and handed over to
//! whoever asked. A lane of the watch history is served by a thread of its own already, and asks the engine from there.

use crate::error::{Error, from_sqlite_code};
use crate::storage::Observer;
use crate::storage::params::{Param, time_as_text};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{CachedStatement, Connection, OpenFlags, Row, Transaction, TransactionBehavior, params_from_iter};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};

/// How long a statement waits for another process that holds the SQLite file.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of the file may be mapped, in bytes: 64 GiB, which is all that the engine was compiled for (.cargo/config.toml). A page
/// that is in the system's cache is then read without a call and without a copy; measured, a third more saves a second.
const MAPPED: &str = "68719476736";
/// What every connection to SQLite is told, besides what depends on its use. The log may keep 128 MiB when it begins anew.
pub(crate) const PRAGMAS: [(&str, &str); 3] =
    [("journal_size_limit", "134217728"), ("wal_autocheckpoint", LONGEST_LOG), ("mmap_size", MAPPED)];
/// After how many pages a commit brings them over itself, for when nobody else does: 320 MiB.
const LONGEST_LOG: &str = "80000";

/// What is needed to open the file once more.
#[derive(Clone)]
pub(crate) struct SqliteConnector {
    pub(crate) file: PathBuf,
    pub(crate) synchronous: &'static str,
    /// Whose turn it is to write. Two connections that both want SQLite's lock try for it now and then, and one of them may
    /// never be lucky.
    pub(crate) write_lock: Arc<Mutex<()>>,
    pub(crate) observer: Option<Observer>,
    /// Knows how many are still open.
    pub(crate) open: watch::Sender<()>,
}

impl fmt::Debug for SqliteConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteConnector").field("file", &self.file).finish_non_exhaustive()
    }
}

impl SqliteConnector {
    /// A connection that only reads; it is opened when it is first used.
    pub(crate) fn reader(&self) -> SqliteConnection {
        self.connection(true)
    }

    /// A connection that writes, when it is its turn.
    pub(crate) fn writer(&self) -> SqliteConnection {
        self.connection(false)
    }

    fn connection(&self, read_only: bool) -> SqliteConnection {
        SqliteConnection { connector: self.clone(), read_only, connection: None, _open: self.open.subscribe() }
    }

    /// A connection, which cannot write when it `read_only`.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn connect(&self, read_only: bool) -> Result<Connection, Error> {
        // Without the leave to make a new file in the place of one that is gone.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // Left alone, the engine plans a statement anew for each value that the statistics of an index say something about.
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

/// One connection.
pub(crate) struct SqliteConnection {
    connector: SqliteConnector,
    read_only: bool,
    connection: Option<Connection>,
    _open: watch::Receiver<()>,
}

impl SqliteConnection {
    /// Runs `work` in a transaction: what it reads is of one moment, and what it writes is there as a whole when this returns, or not at all.
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
        let done = (|| {
            let transaction = Transaction::new_unchecked(&connection, behavior)?;
            let done =
                work(&SqliteTransaction { connection: &transaction, observer: self.connector.observer.as_ref() })?;
            transaction.commit()?;
            Ok(done)
        })();
        // After a fault of the machine the file is opened anew.
        if !matches!(done, Err(Error::Internal(_))) {
            self.connection = Some(connection);
        }
        done
    }
}

/// A transaction under way.
pub(crate) struct SqliteTransaction<'a> {
    connection: &'a Connection,
    observer: Option<&'a Observer>,
}

impl<'a> SqliteTransaction<'a> {
    /// A statement, ready to be asked again and again.
    pub(crate) fn prepare<'s>(&self, sql: &'s str) -> Result<SqliteStatement<'a, 's>, Error> {
        log::trace!("{sql}");
        Ok(SqliteStatement { statement: self.connection.prepare_cached(sql)?, sql, observer: self.observer })
    }

    /// Answers each question. What one of them meets is its own affair, unless it has undone all that the transaction did, as
    /// a full disk may (sqlite.org/lang_transaction.html).
    ///
    /// # Errors
    /// The one that has undone it.
    pub(crate) fn for_each<Q, A>(
        &self,
        questions: &[Q],
        mut answer: impl FnMut(&Q) -> Result<A, Error>,
    ) -> Result<Vec<Result<A, Error>>, Error> {
        let answered = questions.iter().map(|question| match answer(question) {
            Err(error) if self.connection.is_autocommit() => Err(error),
            answered => Ok(answered),
        });
        answered.collect()
    }
}

/// A statement with its text.
pub(crate) struct SqliteStatement<'a, 's> {
    statement: CachedStatement<'a>,
    sql: &'s str,
    observer: Option<&'a Observer>,
}

impl SqliteStatement<'_, '_> {
    /// Returns how many rows were changed.
    pub(crate) fn execute(&mut self, values: impl IntoIterator<Item: ToSql>) -> Result<usize, Error> {
        self.observe();
        Ok(self.statement.execute(params_from_iter(values))?)
    }

    /// Every row of the answer, as `read` takes it.
    pub(crate) fn query<T>(
        &mut self,
        values: impl IntoIterator<Item: ToSql>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.observe();
        let (mut rows, mut taken) = (self.statement.query(params_from_iter(values))?, Vec::new());
        while let Some(row) = rows.next()? {
            taken.push(read(row)?);
        }
        Ok(taken)
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
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Time(time) => time_as_text(time).into(),
        })
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code.cast_unsigned()).unwrap_or_default();
        from_sqlite_code(code, error.to_string())
    }
}
