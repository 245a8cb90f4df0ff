//! Keeps each play with its dates, what was given up last, what is hidden, what was deleted, and
//! the preferences of each account.

use operations::TableDef;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        for table in [plays(), forgotten_entries(), background_jobs()] {
            table.create(manager).await?;
        }
        Ok(())
    }

    /// The older schema has nothing for plays, marks and preferences: they are lost.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["background_jobs", "forgotten_entries", "plays"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        for (table, column) in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table(table).drop_column(name).take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn plays() -> TableDef {
    TableDef::new("plays")
        .column(ColumnDef::new("entry_id").big_integer().not_null())
        .column(ColumnDef::new("number").integer().not_null())
        .column(ColumnDef::new("user_id").big_integer().not_null())
        .column(ColumnDef::new("player_session").string_len(64))
        .column(ColumnDef::new("device").string_len(100))
        .column(ColumnDef::new("started_at").timestamp_with_time_zone().not_null())
        .column(ColumnDef::new("ended_at").timestamp_with_time_zone().not_null())
        .column(ColumnDef::new("start_position").integer().not_null())
        .column(ColumnDef::new("end_position").integer().not_null())
        .column(ColumnDef::new("watched_ms").big_integer().not_null().default(0))
        .column(ColumnDef::new("completed").boolean().not_null().default(false))
        .primary_key(["entry_id", "number"])
        .belongs_to("entry_id", "watch_history")
        .belongs_to("user_id", "users")
        .custom_index(
            Index::create().name("ix_plays_user_id_started_at").table("plays").col("user_id").col("started_at"),
        )
}

fn forgotten_entries() -> TableDef {
    TableDef::new("forgotten_entries")
        .column(ColumnDef::new("user_id").big_integer().not_null())
        .column(ColumnDef::new("video_id").big_integer().not_null())
        .column(ColumnDef::new("forgotten_at").timestamp_with_time_zone().not_null())
        .primary_key(["user_id", "video_id"])
        .belongs_to("user_id", "users")
        .belongs_to("video_id", "videos")
        .index("video_id")
        .index("forgotten_at")
}

fn background_jobs() -> TableDef {
    TableDef::new("background_jobs")
        .column(ColumnDef::new("name").string_len(50).not_null().primary_key())
        .column(ColumnDef::new("begun_at").timestamp_with_time_zone().not_null())
}

/// The numbers of plays have no CHECK: PostgreSQL prepares those of a table anew for every
/// statement that writes it, which costs a save more than the columns do.
fn columns() -> [(&'static str, ColumnDef); 16] {
    let history = "watch_history";
    let modes = "history_mode IN ('on', 'positions', 'off')";
    [
        (history, no("hidden")),
        (history, time("hidden_until")),
        (history, ColumnDef::new("previous_position").integer().take()),
        (history, ColumnDef::new("previous_device").string_len(100).take()),
        (history, time("previous_at")),
        (history, ColumnDef::new("play_number").integer().not_null().default(0).take()),
        (history, no("play_is_kept")),
        (history, no("play_has_session")),
        (history, time("play_started_at")),
        (history, ColumnDef::new("play_start_position").integer().not_null().default(0).take()),
        (history, ColumnDef::new("play_watched_ms").big_integer().not_null().default(0).take()),
        (history, no("play_completed")),
        (
            "users",
            ColumnDef::new("history_mode").string_len(20).not_null().default("on").check(Expr::cust(modes)).take(),
        ),
        (
            "users",
            ColumnDef::new("retention_days").integer().check(Expr::cust("retention_days BETWEEN 1 AND 3650")).take(),
        ),
        ("users", no("recommendations")),
        ("users", time("history_cleared_before")),
    ]
}

fn no(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().default(false).take()
}

fn time(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).timestamp_with_time_zone().take()
}
