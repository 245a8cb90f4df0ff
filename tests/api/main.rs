//! The API, asked over HTTP as a client asks it, on SQLite and on PostgreSQL.
//!
//! Every test has a server and a database of its own. Those on PostgreSQL need `TEST_POSTGRES_URL`, the address of a
//! server on which databases may be made, and run with `--include-ignored`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod app;
mod addresses;
mod auth;
mod bodies;
mod builders;
mod caching;
mod checkpoint;
mod contention;
mod cors;
mod databases;
mod document;
mod errors;
mod failures;
mod files;
mod heads;
mod library;
mod limits;
mod listing;
mod moves;
mod names;
mod openapi;
mod pages;
mod pictures;
mod public_path;
mod quotas;
mod renewal;
mod rescan;
mod saves;
mod schema;
mod search;
mod sessions;
mod shutdown;
mod signed_in;
mod signup;
mod site;
mod streams;
mod tokens;
mod transactions;
mod users;
mod videos;
mod watch_history;
mod wire;
