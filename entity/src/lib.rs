//! The tables of Playhead as SeaORM entities, with their relations declared on both sides.
//!
//! An entity declares columns, keys, defaults and checks. Behaviour of a row, such as
//! `watch_history::Model::progress_percentage`, is a method of its `Model`. JSON and HTTP are not
//! its concern. `migration/tests/entities.rs` tests that the entities match the migrated database.

pub mod background_job;
pub mod changed_video;
pub mod deleted_file;

pub mod ended_session;
pub mod forgotten_entry;
pub mod history_reset;
pub mod play;
pub mod refresh_token;
pub mod related_video;
pub mod revision;
pub mod session;
pub mod sign_in_limit;
pub mod user;
pub mod video;
pub mod video_revision;
pub mod video_search;
pub mod watch_history;
