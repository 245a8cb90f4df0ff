//! The use cases of Playhead and their rules.
//!
//! One use case is one function, named like its route: `watch_history::save`, `video::list`,
//! `user::register`. Its input and output types are beside it. One that reads takes a connection;
//! one that writes takes a [`storage::Transaction`] and opens none, so that use cases can be
//! joined. ARCHITECTURE.md has the exceptions.
//! Nothing here knows HTTP: a failure is an [`Error`], and the api crate picks its status.

pub mod auth;
pub mod caller;
pub mod changes;
mod common_passwords;
mod error;
pub mod jobs;
pub mod library;
pub mod limit;
pub mod metrics;
mod names;
pub mod number;
pub mod page;
mod picture;
pub mod plays;
pub mod preferences;
pub mod progress;
pub mod recommendations;
pub mod relay;
pub mod retention;
pub mod search;
pub mod statistics;
pub mod storage;
pub mod text;
pub mod time;
pub mod user;
pub mod video;
pub mod viewing;
pub mod views;
pub mod watch_history;

pub use error::Error;
pub use storage::Database;
