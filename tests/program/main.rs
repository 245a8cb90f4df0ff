//! Tests of the program: its start, commands, logs, pages and player, partly in a real browser.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod accessibility;
mod adopted;
mod also_watched;
mod browser;
mod cards;
mod commands;
mod conflicts;
mod docs;
mod following;
mod history_page;
mod limits;
mod live;
mod logs;
mod metrics;
mod offline;
mod places;
mod playback;
mod player;
mod program;
mod public_path;
mod readme;
mod resuming;
mod settings;
mod settings_page;
mod sign_up;
mod start;
mod statistics_page;
mod sweep;
mod video_page;
mod viewer;
