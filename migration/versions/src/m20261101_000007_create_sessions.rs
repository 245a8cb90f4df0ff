//! Creates the tables of sessions (sign-ins) and of their refresh tokens.

use operations::TableDef;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        TableDef::new("sessions")
            .column(&mut id())
            .column(ColumnDef::new("user_id").big_integer().not_null())
            .column(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .belongs_to("user_id", "users")
            .index("user_id")
            .create(manager)
            .await?;
        TableDef::new("refresh_tokens")
            .column(&mut id())
            .column(ColumnDef::new("session_id").big_integer().not_null())
            .column(ColumnDef::new("token_hash").string_len(64).not_null())
            .column(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
            .column(ColumnDef::new("expires_at").timestamp_with_time_zone().not_null())
            .column(ColumnDef::new("spent_at").timestamp_with_time_zone())
            .belongs_to("session_id", "sessions")
            .index("session_id")
            .unique_index("token_hash")
            .create(manager)
            .await
    }

    /// The older schema has no sessions: everybody signs in again.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("refresh_tokens").take()).await?;
        manager.drop_table(Table::drop().table("sessions").take()).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn id() -> ColumnDef {
    ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key().take()
}
