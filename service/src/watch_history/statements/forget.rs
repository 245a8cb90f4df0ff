//! The deletion of entries.

use super::{INPUT, is_allowed, is_entry_of_input, render, select_from_input};
use crate::watch_history::key::EntryKey;
use entity::watch_history::{Column, Entity};
use sea_orm::DatabaseBackend::{self, Postgres};
use sea_orm::prelude::*;
use sea_orm::sea_query::{CommonTableExpression, LockType, Order, Query};

/// Deletes the entries of the input, as far as the account is active and may see the video.
pub(super) fn forget(backend: DatabaseBackend) -> String {
    const FOUND: &str = "found";
    let mut select = select_from_input::<_, EntryKey>(backend);
    select.column((Entity, Column::Id)).inner_join(Entity, is_entry_of_input()).and_where(is_allowed());
    let mut delete = Query::delete();
    delete.from_table(Entity).and_where(Column::Id.in_subquery(Query::select().column(Column::Id).from(FOUND).take()));
    if backend == Postgres {
        // DELETE has no fixed order. Lock the rows first by user and video, as a save does.
        select.order_by((INPUT, Column::UserId), Order::Asc).order_by((INPUT, Column::VideoId), Order::Asc);
        select.lock_with_tables(LockType::Update, [Entity]);
        delete.returning(Query::returning().columns([Column::UserId, Column::VideoId]));
    }
    let found = CommonTableExpression::new().table_name(FOUND).query(select).to_owned();
    render(backend, delete.with_cte(found))
}
