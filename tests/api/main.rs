//! The API, asked over HTTP as a client asks it, on SQLite and on PostgreSQL.
//!
//! Every test has a server and a database of its own. Those on PostgreSQL need `TEST_POSTGRES_URL`, the address of a
//! server on which databases may be made, and run with `--include-ignored`.

#[macro_use]
mod app;
mod databases;
mod renewal;
mod watch_history;
