//! Create users, projects and cams.
//!
//! Written from what differed between the entities and a database:
//! - cams: table in the entities, missing in the database
//! - projects: table in the entities, missing in the database
//! - users: table in the entities, missing in the database

use operations::TableDef;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        users().create(manager).await?;
        projects().create(manager).await?;
        cams().create(manager).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("cams").take()).await?;
        manager.drop_table(Table::drop().table("projects").take()).await?;
        manager.drop_table(Table::drop().table("users").take()).await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn users() -> TableDef {
    TableDef::new("users")
        .column(ColumnDef::new("id").string_len(255).not_null().primary_key())
        .column(ColumnDef::new("email").string_len(255).not_null())
        .column(ColumnDef::new("subscription_status").string_len(50).not_null().default("free"))
        .column(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .column(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .unique_index("email")
}

fn projects() -> TableDef {
    TableDef::new("projects")
        .column(ColumnDef::new("id").integer().not_null().auto_increment().primary_key())
        .column(ColumnDef::new("user_id").string_len(255).not_null())
        .column(ColumnDef::new("name").string_len(255).not_null())
        .column(ColumnDef::new("description").text())
        .column(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .column(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .belongs_to("user_id", "users")
        .index("user_id")
}

fn cams() -> TableDef {
    TableDef::new("cams")
        .column(ColumnDef::new("id").integer().not_null().auto_increment().primary_key())
        .column(ColumnDef::new("project_id").integer().not_null())
        .column(ColumnDef::new("name").string_len(255).not_null())
        .column(
            ColumnDef::new("cam_type").string_len(50).not_null().check(Expr::cust("cam_type IN ('intake', 'exhaust')")),
        )
        .column(
            ColumnDef::new("lift")
                .decimal_len(5, 2)
                .not_null()
                .check(Expr::cust("lift = round(lift, 2) AND abs(lift) < 1000")),
        )
        .column(ColumnDef::new("duration").integer().not_null())
        .column(ColumnDef::new("profile_points").json_binary().not_null())
        .column(ColumnDef::new("created_at").timestamp_with_time_zone().not_null())
        .column(ColumnDef::new("updated_at").timestamp_with_time_zone().not_null())
        .belongs_to("project_id", "projects")
        .index("project_id")
}
