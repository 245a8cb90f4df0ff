//! The use cases of Playhead: what can be asked, and the rules that the answers keep.
//!
//! One use case is one function, under the name that its route and its query bear too: `watch_history::save`,
//! `video::list`, `auth::login`. Input and output types stand beside it. Nothing here knows of HTTP: a failure is a
//! word of [`Error`], and the api crate picks its status.

pub mod auth;
pub mod caller;
mod common_passwords;
mod error;
pub mod library;
pub mod limit;
mod names;
pub mod number;
pub mod page;
mod picture;
pub mod progress;
pub mod search;
pub mod statistics;
pub mod storage;
pub mod text;
pub mod time;
pub mod user;
pub mod video;
pub mod views;
pub mod watch_history;

pub use error::Error;
pub use storage::Database;
