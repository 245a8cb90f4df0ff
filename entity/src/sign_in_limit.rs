//! Sign-ins that failed lately, counted for all processes together.

use sea_orm::entity::prelude::*;

/// One count, as a bucket that failures fill and time empties.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_limits")]
pub struct Model {
    /// SHA-256 in lower-case hex of what is counted: an account, an address, or both. What was typed is kept nowhere.
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(64))")]
    pub key_hash: String,
    /// When the bucket will be empty; the row means nothing from then on.
    pub empty_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
