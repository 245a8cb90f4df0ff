//! How many videos one account may have.

use crate::Error;
use crate::storage::Transaction;
use crate::user::{Caller, UserRole};
use entity::{user, video};
use sea_orm::QuerySelect;
use sea_orm::prelude::*;
use sea_orm::sea_query::LockType;

/// Refuses when the account has `limit` videos. A limit of 0 is none, and an administrator has none.
pub(super) async fn refuse_more_than(limit: u32, transaction: &Transaction, caller: Caller) -> Result<(), Error> {
    if limit == 0 || caller.role == UserRole::Admin {
        return Ok(());
    }
    // Of several at once on PostgreSQL, each waits for the one before. Saves do not: they only ask that the row stays.
    let owner = user::Entity::find_by_id(caller.id).select_only().column(user::Column::Id);
    let _: Option<i64> = owner.lock(LockType::NoKeyUpdate).into_tuple().one(transaction).await?;
    let last: Option<i64> = video::Entity::find()
        .select_only()
        .column(video::Column::Id)
        .filter(video::Column::UserId.eq(caller.id))
        .filter(video::Column::Status.ne(video::Status::Deleted))
        .offset(u64::from(limit) - 1)
        .limit(1)
        .into_tuple()
        .one(transaction)
        .await?;
    if last.is_some() { Err(Error::TooManyVideos { limit }) } else { Ok(()) }
}
