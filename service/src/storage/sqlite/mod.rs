//! Connections to SQLite.

mod checkpoint;
mod connection;

pub(super) use checkpoint::start_checkpoints;
pub(super) use connection::{BUSY_TIMEOUT, PRAGMAS};
pub(crate) use connection::{SqliteConnection, SqliteConnector, SqliteStatement, SqliteTransaction};
