//! A user, who has a telephone number since the second migration, and one of two subscriptions.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(255))")]
    pub id: String,
    #[sea_orm(unique, column_type = "String(StringLen::N(255))")]
    pub email: String,
    #[sea_orm(
        default_value = "free",
        column_type = "String(StringLen::N(50))",
        extra = "CHECK (subscription_status IN ('free', 'pro'))"
    )]
    pub subscription_status: String,
    #[sea_orm(nullable, column_type = "String(StringLen::N(20))")]
    pub phone: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    #[sea_orm(has_many)]
    pub projects: HasMany<super::project::Entity>,
}

super::common::before_save!(default: [created_at, updated_at], onupdate: [updated_at]);
