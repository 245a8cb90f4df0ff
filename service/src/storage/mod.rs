//! The database: connections, pools, the write lock, batch workers, and how rows are bound and
//! read.
//!
//! Use cases use only what this module exports.

mod batcher;
mod connect;
mod database;
mod events;
mod outdated_lists;
mod params;
mod postgres;
mod revision;
mod row_reader;
mod sample;
mod sqlite;
mod transaction;

pub(crate) use batcher::{Batcher, MIN_BATCH_LIMIT};
pub use connect::{ConnectError, sqlite_file};
pub(crate) use database::BatchConnections;
pub use database::{Database, Durability, WriteGuard};
pub(crate) use events::EventPublisher;
pub use events::{Event, EventListener};
pub(crate) use outdated_lists::OutdatedLists;
pub(crate) use params::{
    InputRow, IntoParam, Param, ParamType, bind_arrays, bind_columns, columns_of, input_row, params_of, select_columns,
    select_input,
};
pub(crate) use postgres::{PgConnectionGuard, PgConnector, PgSlot};
pub(crate) use revision::raise_revision;
pub(crate) use row_reader::{RowReader, selected_row};
pub(crate) use sqlite::{SqliteConnection, SqliteConnector, SqliteStatement, SqliteTransaction};
pub use transaction::Transaction;
pub(crate) use transaction::raise_counter;

use std::sync::Arc;

/// Called with the text of every statement.
pub(crate) type Observer = Arc<dyn Fn(&str) + Send + Sync>;
