//! The migrations, oldest first.

mod m20261130_000001_create_users_projects_and_cams;
mod m20261130_000002_give_users_a_phone_number;

use sea_orm_migration::MigrationTrait;

/// The chain that the engine runs.
pub(crate) fn chain() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m20261130_000001_create_users_projects_and_cams::Migration),
        Box::new(m20261130_000002_give_users_a_phone_number::Migration),
    ]
}
