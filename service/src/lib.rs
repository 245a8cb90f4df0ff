//! The use cases of Playhead: what can be asked, and the rules that the answers keep.
//!
//! One use case is one function, under the name that its route and its query bear too: `watch_history::save`,
//! `video::list`, `auth::login`. Input and output types stand beside it. Nothing here knows of HTTP: a failure is a
//! word of [`Error`], and the api crate picks its status.

pub mod auth;
mod checkpoint;
mod columns;
pub mod database;
mod engine;
mod error;
mod lane;
pub mod library;
pub mod limit;
mod link;
mod names;
pub mod number;
pub mod page;
mod picture;
mod pool;
pub mod progress;
pub mod search;
mod sent;
pub mod statistics;
pub mod text;
pub mod time;
pub mod user;
pub mod video;
pub mod views;
pub mod watch_history;

pub use database::Database;
pub use error::Error;
