//! The program itself: started, asked, stopped and looked at as operators, newcomers and viewers do it.

mod browser;
mod commands;
mod player;
mod program;
mod readme;
mod start;
mod stop;
