//! The statements of the watch history, built by sea-query once at the start.
//!
//! Most take their parameters as the rows of a table named `input` ([`crate::storage`]), so that
//! one statement writes or reads a whole batch on PostgreSQL. Those of saves and deletions check by
//! themselves that the account is active and the video is visible, so that neither can change
//! between the check and the write.

mod forget;
mod heartbeat;
mod read;
mod rows;
mod save;
mod state;
#[cfg(test)]
mod tests;
mod unchanged;
mod update;

use crate::Error;
use crate::progress::ProgressRules;
use crate::storage::{InputRow, raise_revision, select_input};
use crate::video::visible_to_user;
use entity::{play, user, video, watch_history, watch_history::Column};
pub(super) use forget::{REVIVED, keep_latest_deletion};
pub(super) use rows::{HEARTBEAT, PLAY_KEY, entry_columns, play_columns, updated_columns};
use sea_orm::DatabaseBackend::{self, Postgres, Sqlite};
use sea_orm::prelude::*;
use sea_orm::sea_query::{
    BinOper, ExprTrait, Func, PostgresQueryBuilder, Query, QueryStatementWriter, SelectStatement, SqliteQueryBuilder,
};
use std::sync::Arc;
pub(super) use unchanged::unchanged_columns;

/// The texts of the statements that read, for one database.
#[derive(Debug)]
pub(super) struct ReadStatements {
    /// Finds entries, and why the caller gets none.
    pub(super) find: Arc<str>,
    /// Lists the videos that a user has started, not completed and not hidden, the last watched
    /// first.
    pub(super) list: Arc<str>,
    /// Reads what a list shows of videos.
    pub(super) summaries: Arc<str>,
}

impl ReadStatements {
    pub(super) fn new(backend: DatabaseBackend) -> Self {
        Self {
            find: read::find(backend).into(),
            list: read::list(backend).into(),
            summaries: read::summaries(backend).into(),
        }
    }
}

/// The texts of the statements that write on PostgreSQL, each for a whole batch.
#[derive(Debug)]
pub(super) struct PgStatements {
    /// Writes saves, one per entry at most, that go on with the running play. It returns the
    /// entries that it wrote.
    pub(super) heartbeat: Arc<str>,
    /// Takes ids for new entries. The default of the column would take one for every save, also for
    /// one that updates.
    pub(super) new_ids: Arc<str>,
    /// Writes saves, one per entry at most, that close and reopen no play. It returns the entries
    /// that it wrote.
    pub(super) save: Arc<str>,
    /// Deletes entries that a late save made again while their deletion was being committed.
    pub(super) delete_revived: Arc<str>,
    /// Deletes entries, remembers the deletions, and returns their keys.
    pub(super) forget: Arc<str>,
    /// Locks accounts. A transaction that locks entries by several statements runs it first.
    pub(super) lock_accounts: Arc<str>,
    /// Locks entries.
    pub(super) lock_entries: Arc<str>,
    /// Reads what a save finds.
    pub(super) state: Arc<str>,
    /// Updates the entries that are as they were read, inserts the plays that end with it, and
    /// returns the ids of the entries.
    pub(super) update_unchanged: Arc<str>,
    /// Deletes entries by their ids.
    pub(super) delete_entries: Arc<str>,
    /// Deletes plays that go on.
    pub(super) delete_plays: Arc<str>,
    /// Inserts plays that have ended.
    pub(super) insert_plays: Arc<str>,
    /// Inserts entries that are not there, and returns their ids and keys.
    pub(super) insert_entries: Arc<str>,
    /// Updates entries.
    pub(super) update_entries: Arc<str>,
}

impl PgStatements {
    /// # Errors
    /// A statement cannot be built.
    pub(super) fn new(rules: &ProgressRules, max_days: Option<i32>) -> Result<Self, Error> {
        Ok(Self {
            heartbeat: heartbeat::heartbeat(rules, max_days).into(),
            new_ids: rows::new_ids().into(),
            save: save::save(rules, max_days)?.into(),
            delete_revived: forget::delete_revived()?.into(),
            forget: forget::forget(max_days)?.into(),
            lock_accounts: state::lock_accounts().into(),
            lock_entries: state::lock_entries().into(),
            state: state::state(Postgres).into(),
            update_unchanged: unchanged::update_unchanged()?.into(),
            delete_entries: rows::delete_entries().into(),
            delete_plays: rows::delete_plays().into(),
            insert_plays: rows::insert::<play::Entity>(Postgres, &play_columns())?.into(),
            insert_entries: rows::insert_entries()?.into(),
            update_entries: rows::update(Postgres, &updated_columns()).into(),
        })
    }
}

/// The texts of the statements that write on SQLite, each for one request.
#[derive(Debug)]
pub(super) struct SqliteStatements {
    /// Raises the revision of the transaction, and returns it.
    pub(super) raise_revision: String,
    /// Reads what a save finds, except the tombstone and the ended plays.
    pub(super) state: String,
    /// Reads when an entry was deleted.
    pub(super) tombstone: String,
    /// Reads the last ended play of a session, or without one, and the greatest number of a play.
    pub(super) ended_plays: String,
    /// Inserts a tombstone, or updates it.
    pub(super) write_tombstone: String,
    /// Deletes an entry by its id.
    pub(super) delete_entry: String,
    /// Deletes a play that goes on.
    pub(super) delete_play: String,
    /// Inserts a play that has ended.
    pub(super) insert_play: String,
    /// Inserts an entry.
    pub(super) insert_entry: String,
    /// Updates an entry.
    pub(super) update_entry: String,
    /// Updates the columns of an entry that a heartbeat changes. None of them is indexed: SQLite
    /// rewrites the index of every assigned column.
    pub(super) heartbeat: String,
}

impl SqliteStatements {
    /// # Errors
    /// A statement cannot be built.
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self {
            raise_revision: render(Sqlite, &raise_revision()?),
            state: state::state(Sqlite),
            tombstone: state::tombstone(),
            ended_plays: state::ended_plays(),
            write_tombstone: forget::write_tombstone()?,
            delete_entry: rows::delete_entry(),
            delete_play: rows::delete_play(),
            insert_play: rows::insert::<play::Entity>(Sqlite, &play_columns())?,
            insert_entry: rows::insert::<watch_history::Entity>(Sqlite, &entry_columns())?,
            update_entry: rows::update(Sqlite, &updated_columns()),
            heartbeat: rows::update(Sqlite, &HEARTBEAT),
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

/// After how many days entries of the user expire; NULL if they never do. PostgreSQL's `least`
/// leaves NULL out.
fn expiry_days(max_days: Option<i32>) -> Expr {
    let days = user::Column::RetentionDays.into_expr();
    max_days.map_or(days.clone(), |max_days| Func::least([days, Expr::value(max_days)]).into())
}

/// The time before which entries of the user have expired at the time `now`, on PostgreSQL. A day
/// is 24 hours, whatever the time zone of the server.
fn cutoff(max_days: Option<i32>, now: Expr) -> Expr {
    now.sub(expiry_days(max_days).mul(Expr::cust("interval '24 hours'")))
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
