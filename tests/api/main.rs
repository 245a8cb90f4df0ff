//! Tests of the API over HTTP, on SQLite and on PostgreSQL.
//!
//! Every test has its own server and database. Those on PostgreSQL need `TEST_POSTGRES_URL`, the
//! URL of a server on which they may create databases, and run with `--include-ignored`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod app;
#[macro_use]
mod with_redis;
mod addresses;
mod auth;
mod bodies;
mod builders;
mod caching;
mod changes;
mod checkpoint;
mod clearing;
mod contention;
mod cors;
mod dashboard;
mod databases;
mod document;
mod entry_edits;
mod errors;
mod events;
mod examples;
mod failures;
mod files;
mod heads;
mod history_list;
mod jobs;
mod library;
mod limits;
mod list_cache;
mod list_summaries;
mod listing;
mod live;
mod live_catch_up;
mod live_client;
mod live_closes;
mod live_order;
mod marks;
mod metrics;
mod metrics_text;
mod moves;
mod names;
mod openapi;
mod own_history;
mod pages;
mod play_edits;
mod play_list;
mod play_saves;
mod preferences;
mod public_path;
mod quotas;
mod random_requests;
mod recommendations;
mod redis_server;
mod relay;
mod renewal;
mod rescan;
mod retention;
mod saves;
mod schema;
mod search;
mod session_list;
mod sessions;
mod shutdown;
mod signup;
mod site;
mod streams;
mod tastes;
mod thumbnails;
mod tokens;
mod transactions;
mod two_processes;
mod unfit_values;
mod users;
mod videos;
mod viewing_model;
mod viewing_statistics;
mod watch_history;
mod wire;
