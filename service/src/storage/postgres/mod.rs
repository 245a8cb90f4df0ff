//! Connections to PostgreSQL.

mod connection;
mod pool;

pub(crate) use connection::{PgConnectionGuard, PgConnector, PgSlot};
pub(super) use pool::{open_pools, transaction_setup};
