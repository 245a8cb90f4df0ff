//! The tables of Playhead's entities.

use sea_orm::{DatabaseBackend, Schema};
use sea_orm_revisions::entities::EntityTables;

/// What `check` and `--autogenerate` compare a database with. A new entity is added here, and only
/// here.
pub fn entities(backend: DatabaseBackend) -> EntityTables {
    let tables = Schema::new(backend)
        .builder()
        .register(::entity::user::Entity)
        .register(::entity::video::Entity)
        .register(::entity::watch_history::Entity)
        .register(::entity::play::Entity)
        .register(::entity::forgotten_entry::Entity)
        .register(::entity::changed_video::Entity)
        .register(::entity::history_reset::Entity)
        .register(::entity::revision::Entity)
        .register(::entity::session::Entity)
        .register(::entity::ended_session::Entity)
        .register(::entity::refresh_token::Entity)
        .register(::entity::sign_in_limit::Entity)
        .register(::entity::deleted_file::Entity)
        .register(::entity::background_job::Entity)
        .register(::entity::related_video::Entity)
        .register(::entity::video_revision::Entity);
    let mut indexes = vec![
        ::entity::watch_history::list_index(),
        ::entity::watch_history::completed_index(),
        ::entity::play::start_index(),
    ];
    indexes.extend(::entity::video::list_indexes());
    EntityTables { tables, indexes, statements: ::entity::video_search::tables(backend).to_vec() }
}
