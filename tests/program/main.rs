//! Tests of the program: its start, commands, logs, pages and player, partly in a real browser.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod adopted;
mod arrival;
mod below;
mod browser;
mod commands;
mod docs;
mod limits;
mod logs;
mod offline;
mod places;
mod playback;
mod player;
mod program;
mod readme;
mod settings;
mod sign_up;
mod start;
mod video_page;
