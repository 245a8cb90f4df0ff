//! Give users a phone number.
//!
//! Written from what differed between the entities and a database:
//! - users.phone: varchar(20) in the entities, missing in the database
//! - users: check (subscription_status IN ('free', 'pro')) in the entities, missing in the database

use operations::{TableDef, sql};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if sql::is_postgres(manager) {
            manager
                .alter_table(Table::alter().table("users").add_column(ColumnDef::new("phone").string_len(20)).take())
                .await?;
            sql::execute(
                manager,
                "ALTER TABLE users ADD CONSTRAINT users_subscription_status_check \
                 CHECK (subscription_status IN ('free', 'pro'))",
            )
            .await?;
        } else {
            users().rebuild(manager, &users_before(), &[]).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if sql::is_postgres(manager) {
            sql::execute(manager, "ALTER TABLE users DROP CONSTRAINT users_subscription_status_check").await?;
            manager.alter_table(Table::alter().table("users").drop_column("phone").take()).await?;
        } else {
            users_before().rebuild(manager, &users(), &[]).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// The table users before this migration, for the rebuild on SQLite.
fn users_before() -> TableDef {
    TableDef::new("users")
        .column(ColumnDef::new("id").string_len(255).not_null().primary_key())
        .column(ColumnDef::new("email").string_len(255).not_null())
        .column(ColumnDef::new("subscription_status").string_len(50).not_null().default("free"))
        .column(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .column(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .unique_index("email")
}

fn users() -> TableDef {
    users_before()
        .column(
            ColumnDef::new("subscription_status")
                .string_len(50)
                .not_null()
                .default("free")
                .check(Expr::cust("subscription_status IN ('free', 'pro')")),
        )
        .column(ColumnDef::new("phone").string_len(20))
}
