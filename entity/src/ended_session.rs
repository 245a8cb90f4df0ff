//! Sign-ins that ended lately, for the processes that did not end them.

use sea_orm::entity::prelude::*;

/// A session that is over. The row stays until its last access token has expired.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ended_sessions")]
pub struct Model {
    /// Never used twice: processes read on from the last one that they know.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The session, whose own row is gone.
    pub session_id: i64,
    /// When.
    pub ended_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
