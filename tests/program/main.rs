//! The program itself: started, asked, stopped and looked at as operators, newcomers and viewers do it.

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
