//! The tables in which a database remembers what was done to its schema.

pub(crate) mod adoption;
mod applied;

pub(crate) use applied::{install, read, record, remove};
