//! The statement that updates entries on PostgreSQL if nobody changed them since they were read.

use super::state::row_version;
use super::{INPUT, play_columns, render, updated_columns};
use crate::Error;
use crate::storage::{ParamType, columns_of, select_columns};
use entity::play;
use entity::watch_history::{Column, Entity};
use sea_orm::DatabaseBackend::Postgres;
use sea_orm::prelude::*;
use sea_orm::sea_query::{CommonTableExpression, ExprTrait, IntoIden, Query, TableRef, WithClause};

const VERSION: &str = "version";
const UPDATED: &str = "updated";

/// The columns of the input: those of the entry, its version as it was read, and those of the play
/// that ends, which are NULL if none does.
pub(in crate::watch_history) fn unchanged_columns() -> Vec<(String, ParamType)> {
    let entry = columns_of(&updated_columns()).into_iter().map(|(name, of)| (name.to_owned(), of));
    let version = [(VERSION.to_owned(), ParamType::Number)];
    let play = play_columns().into_iter().map(|column| (closed(column), ParamType::of_column(&column)));
    entry.chain(version).chain(play).collect()
}

/// The name of a column of the play that ends.
fn closed(column: play::Column) -> String {
    format!("closed_{}", column.as_str())
}

/// Updates the entries that still have the version, inserts the plays that end, and returns the
/// ids of the entries. It is one statement, so that nothing comes between.
pub(super) fn update_unchanged() -> Result<String, Error> {
    let input = select_columns(Postgres, &unchanged_columns());
    let columns = updated_columns().into_iter().filter(|column| !matches!(column, Column::Id));
    let mut update = Query::update();
    update
        .table(Entity)
        .from(TableRef::SubQuery(Box::new(input), INPUT.into_iden()))
        .values(columns.map(|column| (column, Expr::col((INPUT, column)))))
        .and_where(Column::Id.into_expr().equals((INPUT, Column::Id)))
        .and_where(row_version().equals((INPUT, VERSION)))
        .returning(
            Query::returning().exprs(
                [Column::Id.into_expr()]
                    .into_iter()
                    .chain(play_columns().into_iter().map(|column| Expr::col((INPUT, closed(column))))),
            ),
        );
    let updated = CommonTableExpression::new().table_name(UPDATED).query(update).to_owned();
    let plays = Query::select()
        .columns(play_columns().into_iter().map(closed))
        .from(UPDATED)
        .and_where(Expr::col(closed(play::Column::Number)).is_not_null())
        .take();
    let mut insert = Query::insert();
    let insert = insert.into_table(play::Entity).columns(play_columns()).select_from(plays);
    let insert = insert.map_err(|error| Error::Internal(error.to_string()))?.take();
    let inserted = CommonTableExpression::new().table_name("inserted").query(insert).to_owned();
    let mut ids = Query::select();
    ids.column(Column::Id).from(UPDATED).with_cte(WithClause::new().cte(updated).cte(inserted).to_owned());
    Ok(render(Postgres, &ids))
}
