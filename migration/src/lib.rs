//! The schema, one change per file, from the tables of the reference's v0.9 to those of the entities.
//!
//! For people who know Alembic: a file is a revision, [`Migrator`] is the chain, `seaql_migrations` is `alembic_version`,
//! [`upgrade`] and [`downgrade`] are the commands of those names, and [`cli`] is the command line.
//!
//! A migration never names an entity: what it did last year must not change when an entity does today. That the last one
//! ends where the entities stand is proved by `tests/entities.rs`.

mod aside;
pub mod cli;
mod connect;
mod definitions;
mod error;
mod runner;
mod shape;
mod sql;
mod v09;

mod m20250101_000001_create_users_v09;
mod m20250101_000002_create_videos_v09;
mod m20250101_000003_create_watch_history_v09;
mod m20261101_000001_drop_older_defaults;
mod m20261101_000002_widen_ids;
mod m20261101_000003_give_times_a_zone;
mod m20261101_000004_roles_and_states_as_text;
mod m20261101_000005_defaults_and_checks;
mod m20261101_000006_lower_case_keys;
mod m20261101_000007_create_sessions;
mod m20261101_000008_drop_status_index;

use sea_orm_migration::prelude::*;

pub use connect::{DEFAULT_URL, redacted};
pub use error::Error;
pub use runner::{Options, Report, State, Target, downgrade, state, status, upgrade};

/// The ordered list of all changes.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20250101_000001_create_users_v09::Migration),
            Box::new(m20250101_000002_create_videos_v09::Migration),
            Box::new(m20250101_000003_create_watch_history_v09::Migration),
            Box::new(m20261101_000001_drop_older_defaults::Migration),
            Box::new(m20261101_000002_widen_ids::Migration),
            Box::new(m20261101_000003_give_times_a_zone::Migration),
            Box::new(m20261101_000004_roles_and_states_as_text::Migration),
            Box::new(m20261101_000005_defaults_and_checks::Migration),
            Box::new(m20261101_000006_lower_case_keys::Migration),
            Box::new(m20261101_000007_create_sessions::Migration),
            Box::new(m20261101_000008_drop_status_index::Migration),
        ]
    }
}
