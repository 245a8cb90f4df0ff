//! The statement that reads changes. It is one statement, so that what it tells of the database and
//! the rows are of one moment.

use super::ChangeRequest;
use super::token::CommitPoint;
use chrono::{DateTime, TimeDelta, Utc};
use entity::watch_history::{Column, Entity, Model};
use entity::{changed_video, forgotten_entry, history_reset, revision, user, video};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement, UnionType};
use sea_orm::{Condition, DatabaseBackend, DatabaseBackend::Postgres, FromQueryResult, Iden, Iterable, QueryResult};

/// The prefix of the entry's columns in the result.
const ENTRY: &str = "entry_";
const SNAPSHOT: &str = "snapshot";
const CHANGED: &str = "changed";
const VIDEO_ID: &str = "video_id";
/// The clocks of two processes differ by less.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// A change, and the state of the database at the moment of the statement. If nothing has changed,
/// there is one row without a change.
pub(super) struct ChangeRow {
    /// Transactions that were not committed at the moment of the statement have this number or a
    /// higher one.
    pub(super) next_number: i64,
    /// Identifies the database.
    pub(super) identity: String,
    /// The number of the last reset of the history.
    pub(super) reset: Option<i64>,
    pub(super) retention_days: Option<i32>,
    pub(super) video_id: Option<i64>,
    pub(super) entry: Option<Model>,
    pub(super) duration: Option<i32>,
}

impl FromQueryResult for ChangeRow {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
        Ok(Self {
            next_number: row.try_get("", "next_number")?,
            identity: row.try_get("", "identity")?,
            reset: row.try_get("", "reset")?,
            retention_days: row.try_get("", "retention_days")?,
            video_id: row.try_get("", VIDEO_ID)?,
            entry: Model::from_query_result_optional(row, ENTRY)?,
            duration: row.try_get("", "duration")?,
        })
    }
}

/// Selects the [`ChangeRow`]s of a page, and one more, which tells that there is a next page. There
/// is no row if the account is gone.
pub(super) fn select(
    backend: DatabaseBackend,
    request: &ChangeRequest,
    since: Option<CommitPoint>,
    after: i64,
) -> SelectStatement {
    let changed = ChangeSelection { backend, request, since, after };
    let is_entry = Column::UserId.eq(request.user_id).and(Column::VideoId.into_expr().equals((CHANGED, VIDEO_ID)));
    let is_video = video::Column::Id.into_expr().equals((Entity, Column::VideoId));
    let mut select = Query::select();
    select
        .columns(["next_number", "identity", "reset", "retention_days"].map(|column| (SNAPSHOT, column)))
        .column((CHANGED, VIDEO_ID))
        .expr_as(video::Column::Duration.into_expr(), "duration");
    for column in Column::iter() {
        select.expr_as(column.into_expr(), format!("{ENTRY}{}", column.unquoted()));
    }
    select
        .from_subquery(select_snapshot(backend, request.user_id), SNAPSHOT)
        .join_subquery(JoinType::LeftJoin, changed.select(), CHANGED, Expr::val(true))
        .left_join(Entity, is_entry)
        .left_join(video::Entity, is_video)
        .order_by((CHANGED, VIDEO_ID), Order::Asc)
        .take()
}

/// Selects the state of the database and of the viewer.
fn select_snapshot(backend: DatabaseBackend, user_id: i64) -> SelectStatement {
    let (next, identity, reset) = if backend == Postgres {
        (
            "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
            POSTGRES_IDENTITY,
            "history_resets.xmin::text::bigint",
        )
    } else {
        ("coalesce(revisions.latest, 0) + 1", "coalesce(revisions.database_id, '')", "history_resets.revision")
    };
    Query::select()
        .expr_as(Expr::cust(next), "next_number")
        .expr_as(Expr::cust(identity), "identity")
        .expr_as(Expr::cust(reset), "reset")
        .column((user::Entity, user::Column::RetentionDays))
        .from(user::Entity)
        .left_join(
            history_reset::Entity,
            history_reset::Column::UserId.into_expr().equals((user::Entity, user::Column::Id)),
        )
        .left_join(revision::Entity, revision::Column::Id.eq(1))
        .and_where(user::Column::Id.eq(user_id))
        .and_where(user::Column::IsActive.eq(true))
        .take()
}

/// Names the cluster, its timeline and the database, because a restored backup and a promoted
/// standby count transactions anew. An operator may write a row of `revisions`, which makes all
/// earlier tokens invalid.
const POSTGRES_IDENTITY: &str = "concat_ws('.', revisions.database_id, \
    (SELECT system_identifier FROM pg_control_system()), (SELECT timeline_id FROM pg_control_checkpoint()), \
    (SELECT oid FROM pg_database WHERE datname = current_database()))";

/// Selects the ids of the videos with changes, in ascending order: `limit` and one more.
struct ChangeSelection<'a> {
    backend: DatabaseBackend,
    request: &'a ChangeRequest,
    since: Option<CommitPoint>,
    after: i64,
}

impl ChangeSelection<'_> {
    fn select(&self) -> SelectStatement {
        let mut changed = wrap(self.entries());
        if let Some(since) = self.since {
            changed.union(UnionType::Distinct, wrap(self.deletions(since)));
            changed.union(UnionType::Distinct, wrap(self.deleted_videos(since)));
        }
        changed.order_by(VIDEO_ID, Order::Asc).limit(self.request.limit + 1).take()
    }

    /// The entries; if there is a point, only those that changed since.
    fn entries(&self) -> SelectStatement {
        let mut entries = Query::select();
        entries
            .expr_as(Column::VideoId.into_expr(), VIDEO_ID)
            .from(Entity)
            .and_where(Column::UserId.eq(self.request.user_id));
        if let Some(since) = self.since {
            let is_changed = Condition::any()
                .add(self.is_new("watch_history", since.number))
                .add(Column::VideoId.into_expr().in_subquery(self.changed_videos(since)))
                .add(is_shown_again(since.time, self.request.now));
            entries.cond_where(is_changed);
        }
        self.page(entries, Column::VideoId.into_expr())
    }

    /// The deletions of entries.
    fn deletions(&self, since: CommitPoint) -> SelectStatement {
        use forgotten_entry::Column;
        let mut deletions = Query::select();
        deletions
            .expr_as(Column::VideoId.into_expr(), VIDEO_ID)
            .from(forgotten_entry::Entity)
            .and_where(Column::UserId.eq(self.request.user_id))
            .and_where(self.is_new("forgotten_entries", since.number));
        self.page(deletions, Column::VideoId.into_expr())
    }

    /// The videos that were deleted. The viewer may have had an entry of each.
    fn deleted_videos(&self, since: CommitPoint) -> SelectStatement {
        let id = changed_video::Column::Id.into_expr();
        let is_video = video::Column::Id.into_expr().eq(id.clone());
        let exists = Query::select().expr(Expr::val(1)).from(video::Entity).and_where(is_video).take();
        let mut deleted = self.changed_videos(since);
        deleted.and_where(Expr::not_exists(exists));
        self.page(deleted, id)
    }

    fn changed_videos(&self, since: CommitPoint) -> SelectStatement {
        Query::select()
            .expr_as(changed_video::Column::Id.into_expr(), VIDEO_ID)
            .from(changed_video::Entity)
            .and_where(self.is_new("changed_videos", since.number))
            .take()
    }

    /// Whether a row of a table was written by a transaction of this number or a higher one.
    ///
    /// On PostgreSQL a row has only the lower 32 bits of the number, so its age in transactions is
    /// computed modulo 2³². A row that is four billion transactions old looks new, and may be
    /// repeated.
    fn is_new(&self, table: &str, number: i64) -> Expr {
        if self.backend != Postgres {
            return Expr::col((table.to_owned(), "revision")).gte(number);
        }
        // As a subquery it is computed once, and not for each row.
        const LATEST: &str = "(SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint)";
        let age = Expr::cust(format!("(({LATEST} - {table}.xmin::text::bigint) & 4294967295)"));
        Expr::cust(LATEST).sub(number).gte(age)
    }

    /// The first rows after the last page.
    fn page(&self, mut select: SelectStatement, video_id: Expr) -> SelectStatement {
        select.and_where(video_id.gt(self.after)).order_by(VIDEO_ID, Order::Asc).limit(self.request.limit + 1).take()
    }
}

/// Whether an entry that was hidden until a time came back by itself.
fn is_shown_again(then: DateTime<Utc>, now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(Column::Hidden.eq(true))
        .add(Column::HiddenUntil.gt(then - CLOCK_TOLERANCE))
        .add(Column::HiddenUntil.lte(now))
}

/// SQLite has no LIMIT in the parts of a UNION.
fn wrap(part: SelectStatement) -> SelectStatement {
    Query::select().column(VIDEO_ID).from_subquery(part, "part").take()
}
