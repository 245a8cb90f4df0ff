//! Revisions: the order of the transactions that change the history, on SQLite.
//!
//! SQLite has one writer at a time, so a counter that each of these transactions raises once is the
//! order of their commits. PostgreSQL has many writers, and what began early may be committed late;
//! its rows carry the numbers of their transactions anyway ([`crate::changes`]).

use crate::Error;
use entity::revision::{Column, Entity};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, InsertStatement, OnConflict, Query};

/// The statement that raises the revision and returns it. Its first run gives the database its
/// identity.
///
/// # Errors
/// The statement cannot be built.
pub(crate) fn raise_revision() -> Result<InsertStatement, Error> {
    let first = [Expr::value(1), Expr::value(1), Expr::cust("lower(hex(randomblob(16)))")];
    // Without a condition SQLite takes ON for that of a join.
    let first = Query::select().exprs(first).and_where(Expr::val(true)).take();
    let latest = Column::Latest.into_expr().add(1);
    let mut insert = Query::insert();
    insert.into_table(Entity).columns([Column::Id, Column::Latest, Column::DatabaseId]);
    insert.select_from(first).map_err(|error| Error::Internal(error.to_string()))?;
    insert.on_conflict(OnConflict::column(Column::Id).value(Column::Latest, latest).to_owned());
    Ok(insert.returning_col(Column::Latest).take())
}
