//! Adds database defaults, checks, and indexes for look-ups. Allows videos without a file:
//! `file_path` becomes nullable. Adds `thumbnail_file`.

use crate::m20261101_000003_give_times_a_zone as times;
use crate::m20261101_000004_roles_and_states_as_text as texts;
use operations::{TableDef, sql};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns that must not be negative.
const COUNTS: [(&str, &str); 3] =
    [("videos", "duration"), ("watch_history", "watch_position"), ("watch_history", "watch_duration")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        sql::refuse(negative_counts(manager).await?)?;
        if !sql::is_postgres(manager) {
            users().rebuild(manager, &texts::users(), &[]).await?;
            videos().rebuild(manager, &texts::videos(), &[]).await?;
            return watch_history().rebuild(manager, &times::watch_history(), &[]).await;
        }
        for (table, columns) in defaults() {
            let mut alter = Table::alter().table(table).take();
            for (column, default) in columns {
                alter.modify_column(ColumnDef::new(column).default(default));
            }
            manager.alter_table(alter).await?;
        }
        for (table, column) in COUNTS {
            let check = format!("ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_check CHECK ({column} >= 0)");
            sql::execute(manager, &check).await?;
        }
        let file_path = ColumnDef::new("file_path").null().take();
        let alter = Table::alter().table("videos").modify_column(file_path).add_column(thumbnail_file()).take();
        manager.alter_table(alter).await?;
        videos().create_indexes(manager).await?;
        watch_history().create_indexes(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let fix = "the older schema requires a file for every video; delete these videos or give them a path";
        sql::refuse_rows(manager, "videos WHERE file_path IS NULL", fix).await?;
        if !sql::is_postgres(manager) {
            texts::users().rebuild(manager, &users(), &[]).await?;
            texts::videos().rebuild(manager, &videos(), &[]).await?;
            return times::watch_history().rebuild(manager, &watch_history(), &[]).await;
        }
        for index in ["ix_videos_user_id", "ix_videos_file_path", "ix_watch_history_video_id"] {
            manager.drop_index(Index::drop().name(index).to_owned()).await?;
        }
        let file_path = ColumnDef::new("file_path").not_null().take();
        let drop = Table::alter().table("videos").modify_column(file_path).drop_column("thumbnail_file").take();
        manager.alter_table(drop).await?;
        for (table, column) in COUNTS {
            sql::execute(manager, &format!("ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_check")).await?;
        }
        for (table, columns) in defaults() {
            for (column, _) in columns {
                sql::execute(manager, &format!("ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")).await?;
            }
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Rows that violate the new checks.
pub(crate) async fn negative_counts(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    let mut lines = Vec::new();
    for (table, column) in COUNTS {
        let rows = format!("{table} WHERE {column} < 0");
        lines.extend(sql::row_obstacle(manager, &rows, "set them to 0 and migrate again").await?);
    }
    Ok(lines)
}

/// The new default of each column.
fn defaults() -> [(&'static str, Vec<(&'static str, Expr)>); 3] {
    [
        ("users", vec![("role", "user".into()), ("is_active", true.into()), ("is_verified", false.into())]),
        ("videos", vec![("status", "ready".into()), ("view_count", 0.into())]),
        (
            "watch_history",
            vec![("watch_position", 0.into()), ("watch_duration", 0.into()), ("completed", false.into())],
        ),
    ]
}

fn users() -> TableDef {
    texts::users()
        .column(texts::role().default("user"))
        .column(ColumnDef::new("is_active").boolean().not_null().default(true))
        .column(ColumnDef::new("is_verified").boolean().not_null().default(false))
}

fn videos() -> TableDef {
    texts::videos()
        .column(ColumnDef::new("file_path").string_len(500))
        .column(ColumnDef::new("duration").integer().check(Expr::cust("duration >= 0")))
        .column(texts::status().default("ready"))
        .column(ColumnDef::new("view_count").integer().not_null().default(0))
        .column(&mut thumbnail_file())
        .index("user_id")
        .index("file_path")
}

fn watch_history() -> TableDef {
    times::watch_history()
        .column(&mut seconds("watch_position"))
        .column(&mut seconds("watch_duration"))
        .column(ColumnDef::new("completed").boolean().not_null().default(false))
        .index("video_id")
}

fn seconds(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().default(0).check(Expr::cust(format!("{name} >= 0"))).take()
}

fn thumbnail_file() -> ColumnDef {
    ColumnDef::new("thumbnail_file").string_len(500).take()
}
