//! Roles and states as lower-case text under a CHECK: a new one is then a new CHECK, without a type that PostgreSQL alone knows.

use crate::aside::Aside;
use crate::dependents::{self, Suspects};
use crate::m20250101_000001_create_users_v09::{create_role_type, drop_role_type};
use crate::m20250101_000002_create_videos_v09::{create_status_type, drop_status_type};
use crate::m20261101_000003_give_times_a_zone as times;
use crate::shape::Shape;
use crate::sql;
use crate::v09::{TABLES, TYPES};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The columns that hold them.
const WORDS: [(&str, &[&str]); 2] = [("users", &["role"]), ("videos", &["status"])];
const ROLES: &str = "role IN ('user', 'premium', 'admin')";
const STATES: &str = "status IN ('processing', 'ready', 'failed', 'deleted')";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !sql::on_postgres(manager) {
            sql::refuse(unknown_words(manager).await?)?;
            users().rebuild(manager, &times::users(), &[("role", "lower(role)".to_owned())]).await?;
            return videos().rebuild(manager, &times::videos(), &[("status", "lower(status)".to_owned())]).await;
        }
        sql::refuse(dependents::in_the_way(manager, &WORDS, &TYPES).await?)?;
        let aside = Aside::take(manager, &TABLES).await?;
        retype(manager, "users", "role", "varchar(20)", r#"lower(role::text COLLATE "C")"#).await?;
        retype(manager, "videos", "status", "varchar(20)", r#"lower(status::text COLLATE "C")"#).await?;
        sql::run(manager, &format!("ALTER TABLE users ADD CONSTRAINT users_role_check CHECK ({ROLES})")).await?;
        sql::run(manager, &format!("ALTER TABLE videos ADD CONSTRAINT videos_status_check CHECK ({STATES})")).await?;
        drop_role_type(manager).await?;
        drop_status_type(manager).await?;
        aside.give_back(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !sql::on_postgres(manager) {
            times::users().rebuild(manager, &users(), &[("role", "upper(role)".to_owned())]).await?;
            return times::videos().rebuild(manager, &videos(), &[("status", "upper(status)".to_owned())]).await;
        }
        dependents::refuse(manager, &WORDS).await?;
        let aside = Aside::take(manager, &TABLES).await?;
        create_role_type(manager).await?;
        create_status_type(manager).await?;
        sql::run(manager, "ALTER TABLE users DROP CONSTRAINT users_role_check").await?;
        sql::run(manager, "ALTER TABLE videos DROP CONSTRAINT videos_status_check").await?;
        retype(manager, "users", "role", "userrole", r#"upper(role COLLATE "C")::userrole"#).await?;
        retype(manager, "videos", "status", "videostatus", r#"upper(status COLLATE "C")::videostatus"#).await?;
        aside.give_back(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Rows with other roles and states than ours. The types of PostgreSQL let none in.
pub(crate) async fn unknown_words(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    let mend = "no such value is known; correct them and migrate again";
    let (roles, states) = (ROLES.replace("role", "lower(role)"), STATES.replace("status", "lower(status)"));
    let roles = sql::obstacle(manager, &format!("users WHERE NOT ({roles})"), mend).await?;
    let states = sql::obstacle(manager, &format!("videos WHERE NOT ({states})"), mend).await?;
    Ok(roles.into_iter().chain(states).collect())
}

/// The collation "C" in `using`, because to a Turkish one the lower case of FAILED is not `failed`.
async fn retype(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: &'static str,
    kind: &'static str,
    using: &'static str,
) -> Result<(), DbErr> {
    let suspects = Suspects::of(manager, &WORDS).await?;
    let column = ColumnDef::new(column).custom(kind).using(Expr::cust(using)).take();
    let alter = Table::alter().table(table).modify_column(column).take();
    manager.alter_table(alter).await.map_err(|error| suspects.name(error))
}

pub(crate) fn users() -> Shape {
    times::users().column(&mut role())
}

pub(crate) fn videos() -> Shape {
    times::videos().column(&mut status())
}

pub(crate) fn role() -> ColumnDef {
    ColumnDef::new("role").string_len(20).not_null().check(Expr::cust(ROLES)).take()
}

pub(crate) fn status() -> ColumnDef {
    ColumnDef::new("status").string_len(20).not_null().check(Expr::cust(STATES)).take()
}
