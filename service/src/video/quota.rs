//! The limit on the videos of one account.

use crate::Error;
use crate::caller::{Caller, UserRole};
use crate::storage::Transaction;
use entity::{user, video};
use sea_orm::QuerySelect;
use sea_orm::prelude::*;
use sea_orm::sea_query::LockType;

/// Refuses when the account has `limit` videos. A limit of 0 means no limit, and administrators
/// have none.
pub(super) async fn refuse_more_than(limit: u32, tx: &Transaction, caller: Caller) -> Result<(), Error> {
    if limit == 0 || caller.role == UserRole::Admin {
        return Ok(());
    }
    // On PostgreSQL, concurrent transactions wait here. Saves do not: they only need the row to
    // exist.
    let owner = user::Entity::find_by_id(caller.id).select_only().column(user::Column::Id);
    let _: Option<i64> = owner.lock(LockType::NoKeyUpdate).into_tuple().one(tx).await?;
    let last: Option<i64> = video::Entity::find()
        .select_only()
        .column(video::Column::Id)
        .filter(video::Column::UserId.eq(caller.id))
        .filter(video::Column::Status.ne(video::Status::Deleted))
        .offset(u64::from(limit) - 1)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    if last.is_some() { Err(Error::TooManyVideos { limit }) } else { Ok(()) }
}
