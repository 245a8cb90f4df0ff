//! Stores roles and states as lower-case text with a CHECK. A new role is then a new CHECK on both
//! databases; only PostgreSQL has enum types.

use crate::m20250101_000001_create_users_v09::{create_role_type, drop_role_type};
use crate::m20250101_000002_create_videos_v09::{create_status_type, drop_status_type};
use crate::m20261101_000003_give_times_a_zone as times;
use crate::v09::{DROPPED_TYPES, TABLES};
use operations::{
    DetachedDependents, TableDef, sql,
    type_change::{self, DerivedObjects},
};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns that hold roles and states.
const COLUMNS: [(&str, &[&str]); 2] = [("users", &["role"]), ("videos", &["status"])];
const ROLES: &str = "role IN ('user', 'premium', 'admin')";
const STATES: &str = "status IN ('processing', 'ready', 'failed', 'deleted')";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !sql::is_postgres(manager) {
            sql::refuse(unknown_roles_and_states(manager).await?)?;
            users().rebuild(manager, &times::users(), &[("role", "lower(role)".to_owned())]).await?;
            return videos().rebuild(manager, &times::videos(), &[("status", "lower(status)".to_owned())]).await;
        }
        sql::refuse(type_change::blockers(manager, &COLUMNS, &DROPPED_TYPES).await?)?;
        let dependents = DetachedDependents::detach(manager, &TABLES).await?;
        retype(manager, "users", "role", "varchar(20)", r#"lower(role::text COLLATE "C")"#).await?;
        retype(manager, "videos", "status", "varchar(20)", r#"lower(status::text COLLATE "C")"#).await?;
        sql::execute(manager, &format!("ALTER TABLE users ADD CONSTRAINT users_role_check CHECK ({ROLES})")).await?;
        sql::execute(manager, &format!("ALTER TABLE videos ADD CONSTRAINT videos_status_check CHECK ({STATES})"))
            .await?;
        drop_role_type(manager).await?;
        drop_status_type(manager).await?;
        dependents.reattach(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !sql::is_postgres(manager) {
            times::users().rebuild(manager, &users(), &[("role", "upper(role)".to_owned())]).await?;
            return times::videos().rebuild(manager, &videos(), &[("status", "upper(status)".to_owned())]).await;
        }
        type_change::refuse_blockers(manager, &COLUMNS).await?;
        let dependents = DetachedDependents::detach(manager, &TABLES).await?;
        create_role_type(manager).await?;
        create_status_type(manager).await?;
        sql::execute(manager, "ALTER TABLE users DROP CONSTRAINT users_role_check").await?;
        sql::execute(manager, "ALTER TABLE videos DROP CONSTRAINT videos_status_check").await?;
        retype(manager, "users", "role", "userrole", r#"upper(role COLLATE "C")::userrole"#).await?;
        retype(manager, "videos", "status", "videostatus", r#"upper(status COLLATE "C")::videostatus"#).await?;
        dependents.reattach(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Rows with a role or a state that Playhead does not have. On PostgreSQL the enum types allow
/// none.
pub(crate) async fn unknown_roles_and_states(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    let fix = "Playhead does not know the value; correct it and migrate again";
    let (roles, states) = (ROLES.replace("role", "lower(role)"), STATES.replace("status", "lower(status)"));
    let roles = sql::row_obstacle(manager, &format!("users WHERE NOT ({roles})"), fix).await?;
    let states = sql::row_obstacle(manager, &format!("videos WHERE NOT ({states})"), fix).await?;
    Ok(roles.into_iter().chain(states).collect())
}

/// `using` needs the collation "C": in a Turkish one the lower case of FAILED is not `failed`.
async fn retype(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: &'static str,
    kind: &'static str,
    using: &'static str,
) -> Result<(), DbErr> {
    let derived = DerivedObjects::read(manager, &COLUMNS).await?;
    let column = ColumnDef::new(column).custom(kind).using(Expr::cust(using)).take();
    let alter = Table::alter().table(table).modify_column(column).take();
    manager.alter_table(alter).await.map_err(|error| derived.explain(error))
}

pub(crate) fn users() -> TableDef {
    times::users().column(&mut role())
}

pub(crate) fn videos() -> TableDef {
    times::videos().column(&mut status())
}

pub(crate) fn role() -> ColumnDef {
    ColumnDef::new("role").string_len(20).not_null().check(Expr::cust(ROLES)).take()
}

pub(crate) fn status() -> ColumnDef {
    ColumnDef::new("status").string_len(20).not_null().check(Expr::cust(STATES)).take()
}
