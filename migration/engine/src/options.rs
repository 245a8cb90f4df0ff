//! The options of commands that change the database.

use std::time::Duration;

/// How to run a command that changes the database.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How long to wait for another runner, another writer, or a long reader. 60 s by default.
    pub lock_timeout: Duration,
    /// Whether a SQLite file that holds rows is backed up before a table is rebuilt or dropped.
    pub backup: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_secs(60), backup: true }
    }
}
