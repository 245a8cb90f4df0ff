//! Adds the columns that order saves, counts how often a video was watched to its end, and adds an
//! index for "continue watching" that changes at most once an hour per entry.

use operations::sql;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "watch_history";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            manager.alter_table(Table::alter().table(TABLE).add_column(column).take()).await?;
        }
        if sql::is_postgres(manager) {
            // With free space on its page, PostgreSQL updates a row without touching an index
            // (HOT).
            sql::execute(manager, &format!("ALTER TABLE {TABLE} SET (fillfactor = 90)")).await?;
        }
        // How often a completed video was watched is unknown. Once is certain, at the latest when
        // it was last watched.
        let played = "play_count = CASE WHEN completed THEN 1 ELSE 0 END, \
             completed_at = CASE WHEN completed THEN last_watched_at END";
        let hour = if sql::is_postgres(manager) {
            "floor(extract(epoch FROM last_watched_at) / 3600)"
        } else {
            "unixepoch(last_watched_at) / 3600"
        };
        sql::execute(manager, &format!("UPDATE {TABLE} SET {played}, watched_hour = {hour}")).await?;
        let continue_watching = Index::create()
            .name("ix_watch_history_continue_watching")
            .table(TABLE)
            .col("user_id")
            .col(("watched_hour", IndexOrder::Desc))
            .and_where(Expr::cust("completed = false"))
            .take();
        manager.create_index(continue_watching).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("ix_watch_history_continue_watching").to_owned()).await?;
        if sql::is_postgres(manager) {
            sql::execute(manager, &format!("ALTER TABLE {TABLE} RESET (fillfactor)")).await?;
        }
        for column in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table(TABLE).drop_column(name).take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn columns() -> [ColumnDef; 7] {
    [
        ColumnDef::new("player_session").string_len(64).take(),
        ColumnDef::new("sequence").integer().take(),
        ColumnDef::new("device").string_len(100).take(),
        ColumnDef::new("play_count").integer().not_null().default(0).check(Expr::cust("play_count >= 0")).take(),
        ColumnDef::new("completed_at").timestamp_with_time_zone().take(),
        ColumnDef::new("counted_sessions").string_len(1040).take(),
        ColumnDef::new("watched_hour").integer().not_null().default(0).take(),
    ]
}
