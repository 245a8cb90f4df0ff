//! The statements that write rows as the rules made them.

use super::{INPUT, render};
use crate::Error;
use crate::storage::{columns_of, select_columns};
use entity::{play, watch_history, watch_history::Column};
use sea_orm::DatabaseBackend::{self, Postgres};
use sea_orm::Iterable;
use sea_orm::prelude::*;
use sea_orm::sea_query::{ExprTrait, InsertStatement, IntoIden, OnConflict, Query, SelectStatement, TableRef};

/// The columns that a heartbeat changes, and at the end the id.
pub(in crate::watch_history) const HEARTBEAT: [Column; 9] = [
    Column::WatchPosition,
    Column::WatchDuration,
    Column::Sequence,
    Column::Device,
    Column::LastWatchedAt,
    Column::PlayWatchedMs,
    Column::UpdatedAt,
    Column::Revision,
    Column::Id,
];

/// The columns that an update writes, and at the end the id.
pub(in crate::watch_history) fn updated_columns() -> Vec<Column> {
    let is_fixed =
        |column: &Column| matches!(column, Column::Id | Column::UserId | Column::VideoId | Column::CreatedAt);
    Column::iter().filter(|column| !is_fixed(column)).chain([Column::Id]).collect()
}

/// The columns of a new entry, whose id the database generates.
pub(in crate::watch_history) fn entry_columns() -> Vec<Column> {
    Column::iter().filter(|column| !matches!(column, Column::Id)).collect()
}

/// The columns of a play.
pub(in crate::watch_history) fn play_columns() -> Vec<play::Column> {
    play::Column::iter().collect()
}

/// `SELECT … FROM input` with these columns.
fn select_rows<C: ColumnTrait>(backend: DatabaseBackend, columns: &[C]) -> SelectStatement {
    let input = select_columns(backend, &columns_of(columns));
    Query::select().columns(columns.iter().map(|column| (INPUT, *column))).from_subquery(input, INPUT).take()
}

/// Inserts rows of these columns.
pub(super) fn insert<E: EntityTrait>(backend: DatabaseBackend, columns: &[E::Column]) -> Result<String, Error> {
    Ok(render(backend, &insert_rows::<E>(backend, columns)?))
}

fn insert_rows<E: EntityTrait>(backend: DatabaseBackend, columns: &[E::Column]) -> Result<InsertStatement, Error> {
    let mut insert = Query::insert();
    let insert = insert.into_table(E::default()).columns(columns.iter().copied());
    let inserted = insert.select_from(select_rows(backend, columns));
    inserted.map(InsertStatement::take).map_err(|error| Error::Internal(error.to_string()))
}

/// Inserts the entries that are not there. All statements lock rows in one order, so that two of
/// them cannot deadlock: the caller sorts the rows by user and video.
pub(super) fn insert_entries() -> Result<String, Error> {
    let mut insert = insert_rows::<watch_history::Entity>(Postgres, &entry_columns())?;
    insert
        .on_conflict(OnConflict::columns([Column::UserId, Column::VideoId]).do_nothing().to_owned())
        .returning(Query::returning().columns([Column::Id, Column::UserId, Column::VideoId]));
    Ok(render(Postgres, &insert))
}

/// Takes the next `$1` ids of the table's sequence.
pub(super) fn new_ids() -> String {
    let next = Expr::cust("nextval(pg_get_serial_sequence('watch_history', 'id')) FROM generate_series(1, $1)");
    render(Postgres, Query::select().expr(next))
}

/// Updates these columns of entries; the last one is the id.
pub(super) fn update(backend: DatabaseBackend, columns: &[Column]) -> String {
    let mut update = Query::update();
    update.table(watch_history::Entity);
    let id = Column::Id.into_expr();
    if backend == Postgres {
        let input = select_columns(backend, &columns_of(columns));
        update.from(TableRef::SubQuery(Box::new(input), INPUT.into_iden()));
        let changed = columns.iter().filter(|column| !matches!(column, Column::Id));
        update.values(changed.map(|column| (*column, Expr::col((INPUT, *column)))));
        update.and_where(id.equals((INPUT, Column::Id)));
    } else {
        // UPDATE … FROM would copy the parameters into a temporary table.
        for (number, column) in (1..).zip(columns) {
            let param = Expr::cust(format!("?{number}"));
            match column {
                Column::Id => update.and_where(id.clone().eq(param)),
                column => update.value(*column, param),
            };
        }
    }
    render(backend, &update)
}

/// Deletes entries by an array of their ids.
pub(super) fn delete_entries() -> String {
    let ids = select_rows(Postgres, &[Column::Id]);
    render(Postgres, Query::delete().from_table(watch_history::Entity).and_where(Column::Id.in_subquery(ids)))
}

/// Deletes an entry.
pub(super) fn delete_entry() -> String {
    let id = Column::Id.into_expr().eq(Expr::cust("?1"));
    render(DatabaseBackend::Sqlite, Query::delete().from_table(watch_history::Entity).and_where(id))
}

/// The key of a play.
pub(in crate::watch_history) const PLAY_KEY: [play::Column; 2] = [play::Column::EntryId, play::Column::Number];

/// Deletes plays by arrays of their keys.
pub(super) fn delete_plays() -> String {
    let keys = select_rows(Postgres, &PLAY_KEY);
    let key = Expr::tuple(PLAY_KEY.map(|column| column.into_expr()));
    render(Postgres, Query::delete().from_table(play::Entity).and_where(key.in_subquery(keys)))
}

/// Deletes a play.
pub(super) fn delete_play() -> String {
    let [entry_id, number] = PLAY_KEY.map(|column| column.into_expr());
    let mut delete = Query::delete();
    delete.from_table(play::Entity).and_where(entry_id.eq(Expr::cust("?1"))).and_where(number.eq(Expr::cust("?2")));
    render(DatabaseBackend::Sqlite, &delete)
}
