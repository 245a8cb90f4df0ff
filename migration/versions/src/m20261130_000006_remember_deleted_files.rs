//! The files of videos that were deleted, so that the next scan does not bring them back.

use operations::TableDef;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLE: &str = "deleted_files";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TableDef::new(TABLE)
            .column(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
            .column(ColumnDef::new("file_path").string_len(500).not_null())
            .column(ColumnDef::new("file_hash").string_len(64))
            .create(manager)
            .await
    }

    /// Scans of the older program bring such videos back.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
