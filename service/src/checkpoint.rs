//! Brings what was committed from SQLite's log into its file, beside the writer instead of in it.
//!
//! Left to SQLite, the commit that makes the log long enough does so itself, and all who wait for that commit wait for two
//! more turns of the disk. A passive checkpoint waits for nobody and lets writers go on (sqlite.org/wal.html), so that little is left
//! for them to do.

use sea_orm::{ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbErr, Statement};
use std::time::Duration;
use tokio::time::sleep;

/// After how many pages a commit brings the rest over, which is also when the log begins anew. With SQLite's own 1,000 it does so ten
/// times a second under full load.
pub(crate) const LONGEST_LOG: &str = "4000";
/// Between two checkpoints while there are commits.
const UNDER_LOAD: Duration = Duration::from_millis(5);
/// Between two looks when there are none.
const AT_REST: Duration = Duration::from_millis(250);

/// Goes on until the connections are closed. A connection that only reads will do: what it brings over is committed already.
pub(crate) async fn keep_up(database: DatabaseConnection) {
    let mut known = 0;
    loop {
        let at_rest = match checkpoint(&database).await {
            Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)) => return,
            // Whatever is wrong, the next commit meets it too, and somebody hears of it there.
            Err(_) => true,
            // A commit is at it itself.
            Ok(-1) => false,
            Ok(length) => std::mem::replace(&mut known, length) == length,
        };
        sleep(if at_rest { AT_REST } else { UNDER_LOAD }).await;
    }
}

/// Returns how many pages the log holds, or -1 when another checkpoint runs.
async fn checkpoint(database: &DatabaseConnection) -> Result<i64, DbErr> {
    let passive = Statement::from_string(database.get_database_backend(), "PRAGMA wal_checkpoint(PASSIVE)");
    let row = database.query_one_raw(passive).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(1))
}
