//! The statements of the watch history, built by sea-query once at the start.
//!
//! Each takes its parameters as the rows of a table named `input` ([`crate::storage`]), so that one
//! statement writes or reads a whole batch on PostgreSQL. Each checks by itself that the account is
//! active and the video is visible, so that neither can change between the check and the write.

mod forget;
mod read;
mod save;
#[cfg(test)]
mod tests;
mod update;

use crate::Error;
use crate::progress::ProgressRules;
use crate::storage::{InputRow, select_input};
use crate::video::visible_to_user;
use entity::{user, video, watch_history::Column};
use sea_orm::DatabaseBackend::{self, Postgres};
use sea_orm::prelude::*;
use sea_orm::sea_query::{
    BinOper, ExprTrait, PostgresQueryBuilder, Query, QueryStatementWriter, SelectStatement, SqliteQueryBuilder,
};
use std::sync::Arc;

/// The texts of the statements, for one database.
#[derive(Debug)]
pub(super) struct Statements {
    /// Writes saves, one per entry at most. On PostgreSQL it returns the entries that it wrote.
    pub(super) save: Arc<str>,
    /// A cheaper save for a recently saved entry. It is a no-op if an indexed column would change.
    pub(super) heartbeat: Arc<str>,
    /// Deletes entries. On PostgreSQL it returns their keys.
    pub(super) forget: Arc<str>,
    /// Finds entries, and why the caller gets none.
    pub(super) find: Arc<str>,
    /// Lists the videos that a user has started and not completed, the last watched first.
    pub(super) list: Arc<str>,
}

impl Statements {
    /// # Errors
    /// A statement has a defect.
    pub(super) fn new(backend: DatabaseBackend, rules: &ProgressRules) -> Result<Self, Error> {
        Ok(Self {
            save: save::save(backend, rules)?.into(),
            heartbeat: save::heartbeat(backend, rules)?.into(),
            forget: forget::forget(backend).into(),
            find: read::find(backend).into(),
            list: read::list(backend).into(),
        })
    }
}

/// The table of parameters.
const INPUT: &str = "input";

/// A parameter.
fn input(column: Column) -> Expr {
    Expr::col((INPUT, column))
}

/// `FROM input`, with the user and the video of each row, as far as they exist.
fn select_from_input<const N: usize, R: InputRow<N>>(backend: DatabaseBackend) -> SelectStatement {
    Query::select()
        .from_subquery(select_input::<N, R>(backend), INPUT)
        .left_join(user::Entity, user::Column::Id.into_expr().equals((INPUT, Column::UserId)))
        .left_join(video::Entity, video::Column::Id.into_expr().equals((INPUT, Column::VideoId)))
        .take()
}

/// Whether an entry is that of the input row.
fn is_entry_of_input() -> Expr {
    let same = |column: Column| column.into_expr().equals((INPUT, column));
    same(Column::UserId).and(same(Column::VideoId))
}

/// Whether the account is active and may see the video.
fn is_allowed() -> Expr {
    user::Column::IsActive.into_expr().and(is_visible())
}

/// Whether the user of the statement may see its video.
fn is_visible() -> Expr {
    visible_to_user(user::Column::Id.into_expr(), user::Column::Role.eq(user::Role::Admin)).into()
}

fn render(backend: DatabaseBackend, statement: &impl QueryStatementWriter) -> String {
    match backend {
        Postgres => statement.to_string(PostgresQueryBuilder),
        _ => statement.to_string(SqliteQueryBuilder),
    }
}

/// `left || right`
fn concat(left: impl Into<Expr>, right: impl Into<Expr>) -> Expr {
    left.into().binary(BinOper::Custom("||"), right)
}
