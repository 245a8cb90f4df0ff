//! The chain of Playhead's migrations, one file each, from the tables of the reference's v0.9 to
//! those of the entities.
//!
//! For people who know Alembic: this is the folder `versions/`, a file is a revision, [`Migrator`]
//! is the chain, and the table `seaql_migrations` is `alembic_version`. The package `migration`
//! runs them.
//!
//! A migration never uses an entity: it must do next year what it does today, whatever the entity
//! becomes. This package does not depend on `entity`, so the compiler enforces it.

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
mod m20261120_000001_order_saves;
mod m20261130_000001_name_skeletons;
mod m20261130_000002_ended_sessions;
mod m20261130_000003_search_videos;
mod m20261130_000005_know_files_again;
mod m20261130_000006_remember_deleted_files;
mod m20261130_000007_create_sign_in_limits;
mod m20261130_000008_keep_plays;
mod m20261130_000009_index_history;
mod m20261130_000010_create_related_videos;
mod m20261130_000011_order_changes;
mod m20261130_000012_count_video_changes;

use operations::{sql, type_change};
use sea_orm_migration::prelude::*;

/// The ordered list of all migrations.
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
            Box::new(m20261120_000001_order_saves::Migration),
            Box::new(m20261130_000001_name_skeletons::Migration),
            Box::new(m20261130_000002_ended_sessions::Migration),
            Box::new(m20261130_000003_search_videos::Migration),
            Box::new(m20261130_000005_know_files_again::Migration),
            Box::new(m20261130_000006_remember_deleted_files::Migration),
            Box::new(m20261130_000007_create_sign_in_limits::Migration),
            Box::new(m20261130_000008_keep_plays::Migration),
            Box::new(m20261130_000009_index_history::Migration),
            Box::new(m20261130_000010_create_related_videos::Migration),
            Box::new(m20261130_000011_order_changes::Migration),
            Box::new(m20261130_000012_count_video_changes::Migration),
        ]
    }
}

/// Every row and every object of a v0.9 database that would stop a later migration, one line each.
///
/// # Errors
/// An error of the database.
pub async fn obstacles(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    let mut obstacles = m20261101_000003_give_times_a_zone::invalid_timestamps(manager).await?;
    obstacles.extend(m20261101_000005_defaults_and_checks::negative_counts(manager).await?);
    if sql::is_postgres(manager) {
        obstacles.extend(type_change::blockers(manager, &v09::RETYPED_COLUMNS, &v09::DROPPED_TYPES).await?);
    } else {
        obstacles.extend(m20261101_000004_roles_and_states_as_text::unknown_roles_and_states(manager).await?);
    }
    Ok(obstacles)
}
