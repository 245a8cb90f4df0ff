//! Playhead's schema, as the migration engine (`sea-orm-revisions`) is told of it: the migrations, which stand in the package
//! `versions`, one per file; the entities that they must agree with; the databases of Alembic that are taken over.
//!
//! Every command is a method of [`PROJECT`].

mod entities;
mod legacy;

use sea_orm_migration::MigratorTrait;
use sea_orm_revisions::Project;

pub use entities::entities;
pub use legacy::V09;
pub use sea_orm_revisions::{RunOptions, Target, cli, environment};
pub use versions::Migrator;

/// The database when nobody names another one.
pub const DEFAULT_URL: &str = "sqlite://playhead.db?mode=rwc";

/// Playhead, whose database is migrated.
pub const PROJECT: Project = Project {
    version: env!("CARGO_PKG_VERSION"),
    command: "playhead migrate",
    sources: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/versions/src")),
    // Earlier releases lock by this number, and may run beside this one.
    lock_number: i64::from_be_bytes(*b"playhead"),
    default_url: Some(DEFAULT_URL),
    production_variable: Some("PLAYHEAD_ENV"),
    legacy: Some(V09),
    ..Project::new("Playhead", Migrator::migrations, entities)
};
