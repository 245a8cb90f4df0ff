//! Sessions: a sign-in and its refresh tokens.

use sea_orm::entity::prelude::*;

/// One sign-in. Its refresh tokens are deleted with it, by the cascade of the database.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Never used twice.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The id of the account.
    #[sea_orm(indexed)]
    pub user_id: i64,
    /// The time of the sign-in.
    pub created_at: DateTimeUtc,
    /// The time of the last refresh; `None` in rows of an older version.
    pub last_used_at: Option<DateTimeUtc>,
    /// The name that the browser or program gave itself then.
    #[sea_orm(nullable, column_type = "String(StringLen::N(255))")]
    pub user_agent: Option<String>,
    /// The address that it came from then.
    #[sea_orm(nullable, column_type = "String(StringLen::N(45))")]
    pub address: Option<String>,
    /// The account.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
    /// Its tokens that have not expired, including spent ones.
    #[sea_orm(has_many)]
    pub refresh_tokens: HasMany<super::refresh_token::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
