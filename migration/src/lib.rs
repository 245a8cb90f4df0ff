//! Runs the schema's changes, which stand in the package `versions`, one per file.
//!
//! For people who know Alembic: [`upgrade`] and [`downgrade`] are the commands of those names, and [`cli`] is the command
//! line.

pub mod adopt;
mod backup;
pub mod check;
pub mod cli;
mod connect;
mod consent;
mod doctor;
pub mod environment;
mod error;
pub mod facts;
mod guard;
mod holders;
mod lock;
mod offline;
mod plan;
pub mod revision;
mod runner;
mod show;
mod stamp;
mod state;
mod target;
pub mod wanted;

pub use check::check;
pub use connect::{DEFAULT_URL, redacted};
pub use doctor::{Diagnosis, Finding, doctor};
pub use error::Error;
pub use offline::script;
pub use plan::{Plan, Work, plan};
pub use runner::{Options, Report, change, downgrade, upgrade};
pub use show::{Shown, show};
pub use stamp::{Stamped, stamp};
pub use state::{Chain, Entry, History, State, history, state, status};
pub use target::Target;
pub use versions::Migrator;
