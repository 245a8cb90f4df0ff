//! Refresh tokens, spent and unspent.

use sea_orm::entity::prelude::*;

/// One refresh token. Spent ones stay until they expire, because a spent one that comes back tells of a theft.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    /// Never used twice.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The sign-in that it goes back to.
    #[sea_orm(indexed)]
    pub session_id: i64,
    /// SHA-256 of the token in lower-case hex; the token itself is kept nowhere.
    #[sea_orm(unique, column_type = "String(StringLen::N(64))")]
    pub token_hash: String,
    /// When it was handed out.
    pub created_at: DateTimeUtc,
    /// From when on it is worth nothing.
    pub expires_at: DateTimeUtc,
    /// When it was first exchanged for a new pair.
    pub spent_at: Option<DateTimeUtc>,
    /// The sign-in that it goes back to.
    #[sea_orm(belongs_to, from = "session_id", to = "id", on_delete = "Cascade")]
    pub session: BelongsTo<super::session::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
