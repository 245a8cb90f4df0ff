//! Sessions that ended recently, for the processes that did not end them.

use sea_orm::entity::prelude::*;

/// A session that has ended. The row is kept until its last access token has expired.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ended_sessions")]
pub struct Model {
    /// Never used twice: each process continues to read after the last id that it knows.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The id of the session, whose own row is deleted.
    pub session_id: i64,
    /// The time when it ended.
    pub ended_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
