//! The schema, one change per file, from the tables of the reference's v0.9 to those of the entities.
//!
//! For people who know Alembic: this is the folder `versions/`, a file is a revision, [`Migrator`] is the chain, and
//! `seaql_migrations` is `alembic_version`. What runs them is the package `migration`.
//!
//! A migration never names an entity: what it did last year must not change when an entity does today. This package does not
//! depend on theirs, so that Cargo guards it.

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

use operations::{sql, type_change};
use sea_orm_migration::prelude::*;

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
            Box::new(m20261120_000001_order_saves::Migration),
            Box::new(m20261130_000001_name_skeletons::Migration),
            Box::new(m20261130_000002_ended_sessions::Migration),
            Box::new(m20261130_000003_search_videos::Migration),
            Box::new(m20261130_000005_know_files_again::Migration),
            Box::new(m20261130_000006_remember_deleted_files::Migration),
            Box::new(m20261130_000007_create_sign_in_limits::Migration),
        ]
    }
}

/// What a database at v0.9 holds that would stop one of the later migrations, rows and things of somebody else, all of it at once.
///
/// # Errors
/// Those of the database.
pub async fn obstacles(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    let mut found = m20261101_000003_give_times_a_zone::unreadable_times(manager).await?;
    found.extend(m20261101_000005_defaults_and_checks::negative_counts(manager).await?);
    if sql::is_postgres(manager) {
        found.extend(type_change::blockers(manager, &v09::RETYPED, &v09::TYPES).await?);
    } else {
        found.extend(m20261101_000004_roles_and_states_as_text::unknown_words(manager).await?);
    }
    Ok(found)
}
