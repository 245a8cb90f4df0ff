//! Numbers what changes in the history on SQLite, and remembers deleted videos and cleared
//! histories, so that a device can ask what has changed.

use operations::TableDef;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables that get a revision.
const REVISED: [&str; 2] = ["watch_history", "forgotten_entries"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in REVISED {
            manager.alter_table(Table::alter().table(table).add_column(revision()).take()).await?;
        }
        for table in [revisions(), changed_videos(), history_resets()] {
            table.create(manager).await?;
        }
        Ok(())
    }

    /// Devices read the whole history again after the next upgrade.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["history_resets", "changed_videos", "revisions"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        for table in REVISED {
            manager.alter_table(Table::alter().table(table).drop_column("revision").take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn revisions() -> TableDef {
    TableDef::new("revisions")
        .column(ColumnDef::new("id").integer().not_null().primary_key())
        .column(ColumnDef::new("latest").big_integer().not_null())
        .column(ColumnDef::new("database_id").string_len(32).not_null())
}

fn changed_videos() -> TableDef {
    TableDef::new("changed_videos")
        .column(ColumnDef::new("id").big_integer().not_null().primary_key())
        .column(ColumnDef::new("changed_at").timestamp_with_time_zone().not_null())
        .column(&mut revision())
        .index("changed_at")
}

fn history_resets() -> TableDef {
    TableDef::new("history_resets")
        .column(ColumnDef::new("user_id").big_integer().not_null().primary_key())
        .column(&mut revision())
        .belongs_to("user_id", "users")
}

fn revision() -> ColumnDef {
    ColumnDef::new("revision").big_integer().take()
}
