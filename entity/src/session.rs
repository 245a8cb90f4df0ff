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
    /// Who signed in.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
    /// Every token of the family, spent ones included, until it expires.
    #[sea_orm(has_many)]
    pub refresh_tokens: HasMany<super::refresh_token::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
