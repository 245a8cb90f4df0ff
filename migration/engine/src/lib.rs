//! The Alembic of SeaORM: runs the migrations of a project safely, compares its database with its entities, writes the next
//! migration from what differs, and takes over databases that Alembic built.
//!
//! A project makes one [`Project`]. Its commands are methods of it ([`Project::upgrade`], [`Project::downgrade`],
//! [`Project::check`] …); [`cli`] is the command line over them.

mod adopt;
mod backup;
pub mod check;
pub mod cli;
mod connect;
mod consent;
mod doctor;
pub mod entities;
pub mod environment;
pub mod error;
pub mod expected;
mod holders;
mod lock;
mod offline;
mod options;
mod plan;
mod project;
mod recorder;
mod records;
pub mod revision;
mod runner;
pub mod schema;
mod script_assertions;
mod show;
mod stamp;
mod state;
mod step;
mod target;

pub use adopt::{AdoptOptions, AdoptReport};
pub use doctor::{Diagnosis, Finding};
pub use error::Error;
pub use options::RunOptions;
pub use plan::{Operation, RunPlan};
pub use project::{Chain, LaterRevision, LegacyRules, Obstacles, Project};
pub use runner::RunReport;
pub use show::MigrationDetails;
pub use stamp::StampReport;
pub use state::{MigrationList, MigrationStatus, SchemaState};
pub use target::Target;
