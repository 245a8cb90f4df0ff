//! Brings what was committed from SQLite's log into its file, beside the writer instead of in it.
//!
//! Left to SQLite, the commit that makes the log long enough does so itself, and all who wait for that commit wait for thousands of
//! pages. A passive checkpoint waits for nobody and lets writers go on (sqlite.org/wal.html), but while they do, the log never
//! comes to an end and cannot begin anew. So the last few pages are brought over while it is nobody's turn to write.

use super::connection::SqliteConnector;
use crate::error::Error;
use rusqlite::Connection;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// From how many pages on the log is to begin anew: 64 MiB.
const LONG_LOG: i64 = 16000;
/// How many pages may be left for the moment when nobody writes.
const FEW: i64 = 400;
/// How often to try for so few, before more of them must do.
const ATTEMPTS: u32 = 4;
/// Between two checkpoints while there are commits. A page that was written often in the meantime is brought over once, and the disk
/// takes many pages together at less than half the price.
const UNDER_LOAD: Duration = Duration::from_millis(300);
/// Between two looks when there are no commits.
const AT_REST: Duration = Duration::from_millis(250);
/// How long those who write may wait for somebody who still reads an old page of the log.
const READERS: Duration = Duration::from_millis(20);

/// Starts to do so on a thread of its own, until what this returns is dropped.
pub(crate) fn start_checkpoints(connector: &SqliteConnector) -> Sender<()> {
    let (stop, stopped) = channel();
    let (connector, open) = (connector.clone(), connector.open.subscribe());
    std::thread::spawn(move || {
        let mut file = None;
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(AT_REST) {
            // Whatever is wrong, the next commit meets it too, and somebody hears of it there.
            let connection = connector.connect(true);
            let _ = connection.and_then(|connection| watch(&connection, &connector, &stopped, &mut file));
        }
        drop(open);
    });
    stop
}

fn watch(
    connection: &Connection,
    connector: &SqliteConnector,
    stopped: &Receiver<()>,
    file: &mut Option<&'static File>,
) -> Result<(), Error> {
    connection.busy_timeout(READERS)?;
    let (mut known, mut attempts) = (0, 0);
    // The length at which the log was told to begin anew, which it does with the next commit.
    let mut at_its_end = None;
    let mut pause = AT_REST;
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause) {
        let length = checkpoint(connection, "PASSIVE")?;
        // What came since the last time, which is about what comes until the next time.
        let news = length - std::mem::replace(&mut known, length);
        pause = if news == 0 { AT_REST } else { UNDER_LOAD };
        if length < LONG_LOG || at_its_end == Some(length) {
            attempts = 0;
        } else if news > FEW && attempts < ATTEMPTS {
            attempts += 1;
            pause = Duration::ZERO;
            // SQLite waits for the disk once all pages are there. Most of them can be on their way.
            sync_file(file, &connector.file).map_err(|error| Error::Internal(error.to_string()))?;
        } else {
            let _write_guard = connector.write_lock.blocking_lock();
            at_its_end = Some(checkpoint(connection, "RESTART")?);
            (known, attempts) = (0, 0);
        }
    }
    Ok(())
}

/// Returns how many pages the log held.
fn checkpoint(connection: &Connection, mode: &str) -> Result<i64, Error> {
    Ok(connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |row| row.get(1))?)
}

/// Waits until what was written to the file is on the disk.
///
/// The file stays open as long as the process lives: to close it would drop the locks that SQLite holds on it in this process
/// (sqlite.org/howtocorrupt.html, 2.2), and another process could take the log for one that nobody uses.
fn sync_file(file: &mut Option<&'static File>, path: &Path) -> io::Result<()> {
    let file = match *file {
        Some(file) => file,
        None => file.insert(Box::leak(Box::new(File::open(path)?))),
    };
    file.sync_data()
}
