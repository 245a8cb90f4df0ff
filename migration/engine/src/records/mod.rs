//! The tables that record applied migrations and an adoption.

pub(crate) mod adoption;
mod applied;

pub(crate) use applied::{install, read, record, remove};
