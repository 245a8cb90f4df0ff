//! Connections to SQLite.

mod checkpoint;
mod connection;
mod pool;

pub(super) use checkpoint::start_checkpoints;
pub(super) use connection::BUSY_TIMEOUT;
pub(crate) use connection::{SqliteConnection, SqliteConnector, SqliteStatement, SqliteTransaction};
pub(super) use pool::open_pools;
