//! Adds what identifies the file of a video after a move, and since when a file is missing.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "videos";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            manager.alter_table(Table::alter().table(TABLE).add_column(column).take()).await?;
        }
        Ok(())
    }

    /// After the next upgrade, the next scan fills the columns again.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
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

fn columns() -> [ColumnDef; 3] {
    [
        ColumnDef::new("file_hash").string_len(64).take(),
        ColumnDef::new("file_modified_at").timestamp_with_time_zone().take(),
        ColumnDef::new("missing_since").timestamp_with_time_zone().take(),
    ]
}
