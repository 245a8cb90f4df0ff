//! The tables of Playhead as SeaORM entities, with their relations declared on both sides.
//!
//! An entity states what the database states: columns, keys, defaults, checks. What a row can say of itself
//! (`watch_history::Model::progress_percentage`) stands on its `Model`. Nothing here knows of JSON or HTTP.
//! That these entities and the migrated database agree is proved by `migration/tests/entities.rs`.

pub mod deleted_file;
pub mod ended_session;
pub mod refresh_token;
pub mod session;
pub mod sign_in_limit;
pub mod user;
pub mod video;
pub mod video_search;
pub mod watch_history;
