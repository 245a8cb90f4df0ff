//! Somebody whom an outside identity provider knows.

use super::common::{keep_updated_at, now};
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(255))")]
    pub id: String,
    #[sea_orm(unique, column_type = "String(StringLen::N(255))")]
    pub email: String,
    #[sea_orm(default_value = "free", column_type = "String(StringLen::N(50))")]
    pub subscription_status: String,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub updated_at: DateTimeUtc,
    #[sea_orm(has_many)]
    pub projects: HasMany<super::project::Entity>,
}

keep_updated_at!(now);
