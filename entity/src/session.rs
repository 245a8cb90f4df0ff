//! Sign-ins: the family of refresh tokens that one of them begot.

use sea_orm::entity::prelude::*;

/// One sign-in. Deleting it ends all its refresh tokens, through the database's own cascade.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Never used twice.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Who signed in.
    #[sea_orm(indexed)]
    pub user_id: i64,
    /// When.
    pub created_at: DateTimeUtc,
    /// When its tokens were last renewed; missing where an older version wrote the row.
    pub last_used_at: Option<DateTimeUtc>,
    /// What the browser or program called itself then.
    #[sea_orm(nullable, column_type = "String(StringLen::N(255))")]
    pub user_agent: Option<String>,
    /// The address that it came from then.
    #[sea_orm(nullable, column_type = "String(StringLen::N(45))")]
    pub address: Option<String>,
    /// Who signed in.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
    /// Every token of the family, spent ones included, until it expires.
    #[sea_orm(has_many)]
    pub refresh_tokens: HasMany<super::refresh_token::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
