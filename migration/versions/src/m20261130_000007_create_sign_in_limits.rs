//! Creates the table of failed sign-ins, which all processes share.

use operations::TableDef;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TableDef::new("sign_in_limits")
            .column(ColumnDef::new("key_hash").string_len(64).not_null().primary_key())
            .column(ColumnDef::new("empty_at").timestamp_with_time_zone().not_null())
            .create(manager)
            .await
    }

    /// A count is kept for an hour at most, so none is worth keeping.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("sign_in_limits").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
