//! Failed sign-ins, counted by all processes together.

use sea_orm::entity::prelude::*;

/// One count: a leaky bucket that failures fill and time empties.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_limits")]
pub struct Model {
    /// SHA-256 in lower-case hex of an account, an address, or both. The text that was typed is not
    /// stored.
    #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(64))")]
    pub key_hash: String,
    /// The time when the bucket is empty; from then on the row has no meaning.
    pub empty_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
