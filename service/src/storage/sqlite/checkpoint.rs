//! Checkpoints: a thread copies committed pages from SQLite's WAL into the database file.
//!
//! By default SQLite does so in the commit that makes the WAL too long, and everybody who waits for
//! that commit waits for thousands of pages. A passive checkpoint blocks no writer
//! (sqlite.org/wal.html), but while writers go on, the WAL is never copied completely and cannot be
//! restarted. So the last few pages are copied with the write lock held.

use super::connection::SqliteConnector;
use crate::error::Error;
use rusqlite::Connection;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The WAL is restarted when it has this many pages (64 MiB).
const RESTART_PAGES: i64 = 16000;
/// How many pages may be left to copy with the write lock held.
const FEW_PAGES: i64 = 400;
/// After this many passive checkpoints the WAL is restarted even if more than [`FEW_PAGES`] are
/// left.
const ATTEMPTS: u32 = 4;
/// The pause between two checkpoints while there are commits. A page that was written many times
/// meanwhile is copied once, and writing many pages together costs less than half.
const PAUSE_UNDER_LOAD: Duration = Duration::from_millis(300);
/// The pause while there are no commits.
const PAUSE_IDLE: Duration = Duration::from_millis(250);
/// How long a restart, and so the writers, may wait for a reader of old pages in the WAL.
const READER_TIMEOUT: Duration = Duration::from_millis(20);

/// Starts the checkpoint thread, which ends when the returned value is dropped.
pub(in crate::storage) fn start_checkpoints(connector: &SqliteConnector) -> Sender<()> {
    let (stop, stopped) = channel();
    let (connector, open) = (connector.clone(), connector.open.subscribe());
    std::thread::spawn(move || {
        let mut file = None;
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(PAUSE_IDLE) {
            // An error is not reported here: the next commit meets it too, and its caller is told.
            let connection = connector.connect(true);
            let _ = connection.and_then(|connection| run_checkpoints(&connection, &connector, &stopped, &mut file));
        }
        drop(open);
    });
    stop
}

/// Runs checkpoints until it is stopped or one fails.
fn run_checkpoints(
    connection: &Connection,
    connector: &SqliteConnector,
    stopped: &Receiver<()>,
    file: &mut Option<&'static File>,
) -> Result<(), Error> {
    connection.busy_timeout(READER_TIMEOUT)?;
    let (mut known, mut attempts) = (0, 0);
    // The length at which the WAL was completely copied. The next commit restarts it.
    let mut copied_at = None;
    let mut pause = PAUSE_IDLE;
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
        let length = checkpoint(connection, "PASSIVE")?;
        // The pages since the last checkpoint; about as many will come until the next one.
        let new_pages = length - std::mem::replace(&mut known, length);
        pause = if new_pages == 0 { PAUSE_IDLE } else { PAUSE_UNDER_LOAD };
        if length < RESTART_PAGES || copied_at == Some(length) {
            attempts = 0;
        } else if new_pages > FEW_PAGES && attempts < ATTEMPTS {
            attempts += 1;
            pause = Duration::ZERO;
            // A restart waits until all pages are on the disk. This writes most of them beforehand.
            sync_file(file, &connector.file).map_err(|error| Error::Internal(error.to_string()))?;
        } else {
            let _write_guard = connector.write_lock.blocking_lock();
            copied_at = Some(checkpoint(connection, "RESTART")?);
            (known, attempts) = (0, 0);
        }
    }
    Ok(())
}

/// Returns the length of the WAL in pages.
fn checkpoint(connection: &Connection, mode: &str) -> Result<i64, Error> {
    Ok(connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |row| row.get(1))?)
}

/// Writes the file's cached pages to the disk.
///
/// The file stays open as long as the process lives. Closing it would drop the locks that SQLite
/// holds on it in this process (sqlite.org/howtocorrupt.html, 2.2), and another process could
/// believe that nobody uses the WAL.
fn sync_file(file: &mut Option<&'static File>, path: &Path) -> io::Result<()> {
    let file = match *file {
        Some(file) => file,
        None => file.insert(Box::leak(Box::new(File::open(path)?))),
    };
    file.sync_data()
}
