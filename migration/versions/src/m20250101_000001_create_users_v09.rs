//! Creates the table of users as v0.9 has it.

use crate::v09::{id, time, typed};
use operations::{TableDef, sql};
use sea_orm_migration::prelude::extension::postgres::Type;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_role_type(manager).await?;
        users(manager.get_database_backend()).create(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("users").take()).await?;
        drop_role_type(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

pub(crate) fn users(db: DbBackend) -> TableDef {
    TableDef::new("users")
        .column(&mut id(db))
        .column(ColumnDef::new("email").string_len(255).not_null())
        .column(ColumnDef::new("username").string_len(100).not_null())
        .column(ColumnDef::new("hashed_password").string_len(255).not_null())
        .column(ColumnDef::new("full_name").string_len(255))
        .column(typed("role", db, "userrole", "VARCHAR(7)").not_null())
        .column(ColumnDef::new("is_active").boolean().not_null())
        .column(ColumnDef::new("is_verified").boolean().not_null())
        .column(time("created_at", db).not_null())
        .column(time("updated_at", db).not_null())
        .column(&mut time("last_login", db))
        .index("id")
        .unique_index("email")
        .unique_index("username")
}

/// Creates the enum type of roles on PostgreSQL; SQLite has no such types.
pub(crate) async fn create_role_type(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if sql::is_postgres(manager) {
        manager.create_type(Type::create().as_enum("userrole").values(["USER", "ADMIN", "PREMIUM"]).to_owned()).await?;
    }
    Ok(())
}

pub(crate) async fn drop_role_type(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if sql::is_postgres(manager) {
        manager.drop_type(Type::drop().name("userrole").to_owned()).await?;
    }
    Ok(())
}
