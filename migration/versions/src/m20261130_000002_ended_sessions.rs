//! Adds what the list of sessions shows, and the table of sessions that ended recently: their
//! access tokens have not expired yet.

use operations::{TableDef, sql};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            manager.alter_table(Table::alter().table("sessions").add_column(column).take()).await?;
        }
        let last_token = "SELECT max(created_at) FROM refresh_tokens WHERE session_id = sessions.id";
        sql::execute(manager, &format!("UPDATE sessions SET last_used_at = ({last_token})")).await?;
        TableDef::new("ended_sessions")
            .column(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
            .column(ColumnDef::new("session_id").big_integer().not_null())
            .column(ColumnDef::new("ended_at").timestamp_with_time_zone().not_null())
            .create(manager)
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("ended_sessions").take()).await?;
        for column in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table("sessions").drop_column(name).take()).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn columns() -> [ColumnDef; 3] {
    [
        ColumnDef::new("last_used_at").timestamp_with_time_zone().take(),
        ColumnDef::new("user_agent").string_len(255).take(),
        ColumnDef::new("address").string_len(45).take(),
    ]
}
