//! Refresh tokens, spent and unspent.

use sea_orm::entity::prelude::*;

/// One refresh token. Spent tokens are kept until they expire: if one is used again, it was stolen.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    /// Never used twice.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The id of its session.
    #[sea_orm(indexed)]
    pub session_id: i64,
    /// SHA-256 of the token in lower-case hex; the token itself is not stored.
    #[sea_orm(unique, column_type = "String(StringLen::N(64))")]
    pub token_hash: String,
    /// The time when it was issued.
    pub created_at: DateTimeUtc,
    /// The time when it expires.
    pub expires_at: DateTimeUtc,
    /// The time of its first exchange for a new pair.
    pub spent_at: Option<DateTimeUtc>,
    /// Its session.
    #[sea_orm(belongs_to, from = "session_id", to = "id", on_delete = "Cascade")]
    pub session: BelongsTo<super::session::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
