//! One migration to run, in one direction.

use crate::records;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Which way a migration is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// One migration to run.
pub(crate) struct Step {
    pub(crate) direction: Direction,
    pub(crate) migration: Box<dyn MigrationTrait>,
}

impl Step {
    pub(crate) fn up(migration: Box<dyn MigrationTrait>) -> Self {
        Self { direction: Direction::Up, migration }
    }

    pub(crate) fn name(&self) -> &str {
        self.migration.name()
    }

    /// Whether it asks to run outside of any transaction. On SQLite every migration runs in one.
    pub(crate) fn is_non_transactional(&self, dialect: DbBackend) -> bool {
        dialect == DbBackend::Postgres && self.migration.use_transaction() == Some(false)
    }

    /// Runs the migration alone.
    pub(crate) async fn execute(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        match self.direction {
            Direction::Up => self.migration.up(manager).await,
            Direction::Down => self.migration.down(manager).await,
        }
    }

    /// Runs the migration and records it.
    pub(crate) async fn run(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let (verb, name) = (if self.direction == Direction::Up { "applying" } else { "reverting" }, self.name());
        log::debug!("{verb} {name}");
        self.execute(manager).await?;
        match self.direction {
            Direction::Up => records::record(manager.get_connection(), name).await,
            Direction::Down => records::remove(manager.get_connection(), name).await,
        }
    }
}
