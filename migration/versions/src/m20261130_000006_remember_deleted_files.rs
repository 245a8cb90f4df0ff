//! Creates the table of files whose videos were deleted, so that a scan does not add them again.

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

    /// A scan of the older program adds such videos again.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
