//! Widens ids to 64 bits and keeps them from being used twice. Drops the index on each primary key:
//! the key has its own.

use crate::m20250101_000001_create_users_v09 as v09_users;
use crate::m20250101_000002_create_videos_v09 as v09_videos;
use crate::m20250101_000003_create_watch_history_v09 as v09_watch_history;
use crate::v09::TABLES;
use operations::{
    DetachedDependents, TableDef, sql,
    type_change::{self, DerivedObjects},
};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend::Sqlite;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Every column that holds an id.
const IDS: [(&str, &[&str]); 3] =
    [("users", &["id"]), ("videos", &["id", "user_id"]), ("watch_history", &["id", "user_id", "video_id"])];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            manager
                .drop_index(Index::drop().if_exists().name(format!("ix_{table}_id")).table(table).to_owned())
                .await?;
        }
        if sql::is_postgres(manager) {
            return retype_ids(manager, "bigint").await;
        }
        users().rebuild(manager, &v09_users::users(Sqlite), &[]).await?;
        videos().rebuild(manager, &v09_videos::videos(Sqlite), &[]).await?;
        watch_history().rebuild(manager, &v09_watch_history::watch_history(Sqlite), &[]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !sql::is_postgres(manager) {
            v09_users::users(Sqlite).rebuild(manager, &users(), &[]).await?;
            v09_videos::videos(Sqlite).rebuild(manager, &videos(), &[]).await?;
            return v09_watch_history::watch_history(Sqlite).rebuild(manager, &watch_history(), &[]).await;
        }
        for (table, _) in IDS {
            // A foreign key to these holds no larger id.
            let fix =
                "the older schema stores ids up to 2147483647; give these rows smaller ids, or stay on this schema";
            sql::refuse_rows(manager, &format!("{table} WHERE id > 2147483647"), fix).await?;
        }
        retype_ids(manager, "integer").await?;
        for table in TABLES {
            manager.create_index(Index::create().name(format!("ix_{table}_id")).table(table).col("id").take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Changes the type of all id columns and of their sequences on PostgreSQL.
async fn retype_ids(manager: &SchemaManager<'_>, kind: &'static str) -> Result<(), DbErr> {
    type_change::refuse_blockers(manager, &IDS).await?;
    let derived = DerivedObjects::read(manager, &IDS).await?;
    let dependents = DetachedDependents::detach(manager, &TABLES).await?;
    for (table, columns) in IDS {
        let mut alter = Table::alter().table(table).take();
        for column in columns {
            alter.modify_column(ColumnDef::new(*column).custom(kind));
        }
        manager.alter_table(alter).await.map_err(|error| derived.explain(error))?;
        sql::execute(manager, &retype_sequence(table, kind)).await?;
    }
    dependents.reattach(manager).await
}

/// Looks the sequence up: if the table or the sequence was renamed, its name is not
/// `<table>_id_seq`.
fn retype_sequence(table: &str, kind: &str) -> String {
    format!(
        "DO $$ BEGIN EXECUTE format('ALTER SEQUENCE %s AS {kind}', pg_get_serial_sequence('{table}', 'id')); END $$"
    )
}

/// On SQLite every integer has 64 bits already. AUTOINCREMENT keeps the id of a deleted row from
/// coming back.
fn id() -> ColumnDef {
    ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key().take()
}

pub(crate) fn users() -> TableDef {
    v09_users::users(Sqlite).column(&mut id()).without_index("id")
}

pub(crate) fn videos() -> TableDef {
    v09_videos::videos(Sqlite)
        .column(&mut id())
        .column(ColumnDef::new("user_id").big_integer().not_null())
        .column(ColumnDef::new("file_size").big_integer())
        .column(ColumnDef::new("fps").double())
        .without_index("id")
}

pub(crate) fn watch_history() -> TableDef {
    v09_watch_history::watch_history(Sqlite)
        .column(&mut id())
        .column(ColumnDef::new("user_id").big_integer().not_null())
        .column(ColumnDef::new("video_id").big_integer().not_null())
        .without_index("id")
}
