//! The statements of the save path, written out: for many rows at once, prepared once, and the same for both databases but
//! for the few words in which they differ. The rules that they share with other use cases come from there, as text.

use super::change::Key;
use crate::progress::{ProgressRules, completed};
use crate::storage::{Param, ParamType, input_rows};
use crate::video::visible_to_user;
use chrono::{DateTime, Utc};
use entity::{user, video};
use sea_orm::prelude::*;
use sea_orm::sea_query::{PostgresQueryBuilder, Query, SelectStatement, SimpleExpr, SqliteQueryBuilder};
use sea_orm::{DatabaseBackend, DatabaseBackend::Postgres};
use std::sync::Arc;

/// The columns of a [`Key`].
pub(super) const KEY: [(&str, ParamType); 2] = [("user_id", ParamType::Number), ("video_id", ParamType::Number)];
/// The columns of [`Newest`].
pub(super) const NEWEST: [(&str, ParamType); 2] = [("user_id", ParamType::Number), ("most", ParamType::Number)];
/// The columns of [`Sent`].
pub(super) const SAVE: [(&str, ParamType); 10] = [
    ("user_id", ParamType::Number),
    ("video_id", ParamType::Number),
    ("position", ParamType::Number),
    ("watched", ParamType::Number),
    ("session", ParamType::Text),
    ("sequence", ParamType::Number),
    ("device", ParamType::Text),
    ("happened_at", ParamType::Time),
    ("hour", ParamType::Number),
    ("arrived_at", ParamType::Time),
];

/// Their texts, for one database and one set of rules.
#[derive(Debug)]
pub(super) struct Statements {
    /// Writes saves, one of a row at most. On PostgreSQL it gives back the rows that it wrote.
    pub(super) save: Arc<str>,
    /// As `save`, for a row that was saved not long ago; does nothing where `save` would do more than it can.
    pub(super) heartbeat: Arc<str>,
    /// Deletes rows. On PostgreSQL it gives back the keys of those that were there.
    pub(super) forget: Arc<str>,
    /// Looks rows up, and what the caller may know when they are not there.
    pub(super) find: Arc<str>,
    /// The newest so many unfinished rows of a user, each with its video if the user may see it.
    pub(super) list: Arc<str>,
}

/// A save on its way into its row.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) key: Key,
    pub(super) position: i32,
    pub(super) watched: i32,
    pub(super) session: Option<String>,
    pub(super) sequence: Option<i32>,
    pub(super) device: Option<String>,
    /// When the position was true.
    pub(super) happened_at: DateTime<Utc>,
    pub(super) arrived_at: DateTime<Utc>,
}

impl Sent {
    /// The hours from 1970 to when the position was true.
    pub(super) fn hour(&self) -> i64 {
        self.happened_at.timestamp().div_euclid(3600)
    }

    /// In the order of [`SAVE`].
    pub(super) fn cells(&self) -> [Param; SAVE.len()] {
        let Self { key, position, watched, session, sequence, device, happened_at, arrived_at } = self.clone();
        [
            key.user_id.into(),
            key.video_id.into(),
            i64::from(position).into(),
            i64::from(watched).into(),
            session.into(),
            sequence.map_or(0, i64::from).into(),
            device.into(),
            happened_at.into(),
            self.hour().into(),
            arrived_at.into(),
        ]
    }
}

impl Statements {
    pub(super) fn new(backend: DatabaseBackend, rules: &ProgressRules) -> Self {
        Self {
            save: save(backend, rules, false).into(),
            heartbeat: save(backend, rules, true).into(),
            forget: forget(backend).into(),
            find: find(backend).into(),
            list: list(backend).into(),
        }
    }
}

impl Key {
    /// In the order of [`KEY`].
    pub(super) fn cells(self) -> [Param; KEY.len()] {
        [self.user_id.into(), self.video_id.into()]
    }
}

/// The newest rows of a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newest {
    pub(super) user_id: i64,
    /// So many of them.
    pub(super) most: i64,
}

impl Newest {
    /// In the order of [`NEWEST`].
    pub(super) fn cells(self) -> [Param; NEWEST.len()] {
        [self.user_id.into(), self.most.into()]
    }
}

/// The caller and the video of each row of `sent`.
const CALLER_AND_VIDEO: &str =
    "LEFT JOIN users ON users.id = sent.user_id LEFT JOIN videos ON videos.id = sent.video_id";

/// Whether the caller stands and may see the video.
fn allowed(backend: DatabaseBackend) -> String {
    format!("users.is_active AND {}", visible(backend))
}

/// Whether the user of the statement may see its video.
fn visible(backend: DatabaseBackend) -> String {
    let rule = visible_to_user(user::Column::Id.into_expr(), user::Column::Role.eq(user::Role::Admin));
    text(backend, &Query::select().cond_where(rule).take(), "SELECT WHERE ")
}

fn text(backend: DatabaseBackend, part: &SelectStatement, lead: &str) -> String {
    let sql = match backend {
        Postgres => part.to_string(PostgresQueryBuilder),
        _ => part.to_string(SqliteQueryBuilder),
    };
    let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("({})", sql.strip_prefix(lead).unwrap_or(&sql))
}

/// What a statement that writes a row gives back of it.
const RETURNING: &str = " RETURNING id, user_id, video_id, watch_position, watch_duration, completed, device, play_count, completed_at, \
    last_watched_at, created_at, updated_at, (SELECT videos.duration FROM videos WHERE videos.id = video_id) AS duration";

/// Writes saves: a new row, or what the row `h` is with the save `excluded`, whose `last_watched_at` is when the position was true and whose
/// `updated_at` is when it arrived.
///
/// A heartbeat is the same but does nothing where a column behind the index of "continue watching" would change. It names none
/// of them, so that SQLite, which goes by the names, leaves the index alone.
fn save(backend: DatabaseBackend, rules: &ProgressRules, is_heartbeat: bool) -> String {
    let sent = input_rows(backend, &SAVE);
    let allowed = allowed(backend);
    let reached: SimpleExpr = completed(Expr::cust("sent.position"), video::Column::Duration.into_expr(), rules);
    let completed = text(backend, &Query::select().expr(reached).take(), "SELECT ");
    let failed_start = failed_start(rules);
    let [watch_duration, last_watched_at] = ["watch_duration", "last_watched_at"].map(larger);
    // SQLite stores what it gives back in a table of its own first; to look the row up costs no more, and a refused save needs it too.
    let (in_key_order, returning) =
        if backend == Postgres { (" ORDER BY sent.user_id, sent.video_id", RETURNING) } else { ("", "") };
    let (finished, if_it_goes_on) = if is_heartbeat { (String::new(), GOES_ON) } else { (finished(backend), "") };
    format!(
        "INSERT INTO watch_history AS h (user_id, video_id, watch_position, watch_duration, completed, player_session, \
             sequence, device, play_count, completed_at, counted_sessions, last_watched_at, watched_hour, created_at, \
             updated_at) \
         SELECT sent.user_id, sent.video_id, \
             CASE WHEN videos.duration > 0 AND videos.duration < sent.position THEN videos.duration \
             ELSE sent.position END, \
             sent.watched, {completed}, NULLIF(sent.session, ''), NULLIF(sent.sequence, 0), NULLIF(sent.device, ''), \
             CASE WHEN {completed} THEN 1 ELSE 0 END, CASE WHEN {completed} THEN sent.happened_at END, \
             CASE WHEN {completed} AND sent.session <> '' THEN sent.session || ' ' END, \
             sent.happened_at, sent.hour, sent.arrived_at, sent.arrived_at \
         FROM {sent} {CALLER_AND_VIDEO} WHERE {allowed}{in_key_order} \
         ON CONFLICT (user_id, video_id) DO UPDATE SET \
             watch_position = excluded.watch_position, {watch_duration}, {finished}\
             player_session = coalesce(excluded.player_session, h.player_session), \
             sequence = CASE WHEN excluded.player_session IS NULL \
                 OR excluded.sequence IS NULL AND excluded.player_session = h.player_session \
                 THEN h.sequence ELSE excluded.sequence END, \
             device = excluded.device, {last_watched_at}, \
             updated_at = CASE WHEN {TOLD_AGAIN} THEN h.updated_at ELSE excluded.updated_at END \
         WHERE ({IN_ORDER}) AND NOT ({failed_start}){if_it_goes_on}{returning}"
    )
}

/// Within one opening the sequence alone decides. Else what was true earlier is older; but a save without an age was true when it arrived,
/// so it is never older than a row, whose time counts as the arrival at most.
const IN_ORDER: &str = "CASE WHEN excluded.player_session = h.player_session AND excluded.sequence > 0 AND h.sequence > 0 \
    THEN excluded.sequence > h.sequence \
    ELSE NOT (excluded.last_watched_at < h.last_watched_at AND excluded.last_watched_at < excluded.updated_at) END";

/// Whether another opening may have failed to start, and would wipe where this one stopped.
fn failed_start(rules: &ProgressRules) -> String {
    let resume_min = rules.resume_min_seconds;
    format!(
        "excluded.player_session IS NOT NULL AND excluded.player_session IS DISTINCT FROM h.player_session \
         AND h.watch_position > {resume_min} AND excluded.watch_position <= {resume_min}"
    )
}

/// What the index of "continue watching" goes by, and what counts how often the video was watched to its end: at most once for each
/// opening of those that were counted last.
fn finished(backend: DatabaseBackend) -> String {
    let place = if backend == Postgres { "strpos" } else { "instr" };
    let counted = format!(
        "excluded.completed AND NOT h.completed AND (excluded.player_session IS NULL \
         OR {place}(' ' || coalesce(h.counted_sessions, ''), ' ' || excluded.player_session || ' ') = 0)"
    );
    let watched_hour = larger("watched_hour");
    format!(
        "completed = excluded.completed, {watched_hour}, \
         play_count = CASE WHEN {counted} THEN h.play_count + 1 ELSE h.play_count END, \
         completed_at = CASE WHEN {counted} THEN excluded.completed_at ELSE h.completed_at END, \
         counted_sessions = CASE WHEN {counted} \
             THEN substr(coalesce(excluded.counted_sessions, '') || coalesce(h.counted_sessions, ''), 1, 1040) \
             ELSE h.counted_sessions END, "
    )
}

/// Where nothing changes of what [`finished`] sets.
const GOES_ON: &str = " AND h.completed = excluded.completed AND h.watched_hour >= excluded.watched_hour";

/// A save that says nothing new, such as one that is sent again, does not change the row.
const TOLD_AGAIN: &str = "excluded.sequence IS NULL AND excluded.watch_duration <= h.watch_duration \
    AND (coalesce(excluded.player_session, h.player_session), excluded.device, excluded.watch_position, \
         excluded.completed, excluded.last_watched_at) \
    IS NOT DISTINCT FROM (h.player_session, h.device, h.watch_position, h.completed, h.last_watched_at)";

/// The larger one of the two stays.
fn larger(column: &str) -> String {
    format!("{column} = CASE WHEN excluded.{column} > h.{column} THEN excluded.{column} ELSE h.{column} END")
}

fn forget(backend: DatabaseBackend) -> String {
    let (sent, allowed) = (input_rows(backend, &KEY), allowed(backend));
    // PostgreSQL deletes in any order, so the rows are locked first, in the order in which saves lock them.
    let (in_key_order, returning) = if backend == Postgres {
        (" ORDER BY h.user_id, h.video_id FOR UPDATE OF h", " RETURNING user_id, video_id")
    } else {
        ("", "")
    };
    format!(
        "WITH there AS (SELECT h.id FROM {sent} {CALLER_AND_VIDEO} \
             JOIN watch_history AS h ON h.user_id = sent.user_id AND h.video_id = sent.video_id WHERE {allowed}{in_key_order}) \
         DELETE FROM watch_history WHERE id IN (SELECT id FROM there){returning}"
    )
}

fn find(backend: DatabaseBackend) -> String {
    let (sent, visible) = (input_rows(backend, &KEY), visible(backend));
    format!(
        "SELECT sent.n, coalesce(users.is_active, false) AS standing, coalesce({visible}, false) AS visible, \
             h.id, h.user_id, h.video_id, h.watch_position, h.watch_duration, h.completed, h.device, h.play_count, \
             h.completed_at, h.last_watched_at, h.created_at, h.updated_at, videos.duration \
         FROM {sent} {CALLER_AND_VIDEO} \
         LEFT JOIN watch_history AS h ON h.user_id = sent.user_id AND h.video_id = sent.video_id"
    )
}

/// The rows of a user are read in the order of the index, whose hours follow the moments; those of the last hours are sorted, and only
/// then meet their videos.
fn list(backend: DatabaseBackend) -> String {
    let visible = visible(backend);
    let (n, callers, user_id, most, this_caller) = if backend == Postgres {
        let sent = input_rows(backend, &NEWEST);
        ("sent.n, ", format!("{sent} LEFT JOIN users ON users.id = sent.user_id"), "users.id", "sent.most", "")
    } else {
        ("", "users".to_owned(), "?1", "?2", " WHERE users.id = ?1")
    };
    let lateral = if backend == Postgres { "LATERAL " } else { "" };
    format!(
        "SELECT {n}coalesce(users.is_active, false) AS standing, h.id, videos.id AS video_id, h.watch_position, h.device, h.play_count, \
             h.last_watched_at, videos.title, videos.description, videos.duration, videos.thumbnail_path, videos.thumbnail_file, \
             uploader.username, uploader.role = 'admin' AS is_of_administrator \
         FROM {callers} LEFT JOIN {lateral}(SELECT id, video_id, watch_position, device, play_count, last_watched_at FROM watch_history \
             WHERE user_id = {user_id} AND completed = false AND watch_position > 0 \
             ORDER BY watched_hour DESC, last_watched_at DESC, id DESC LIMIT {most}) AS h ON true \
         LEFT JOIN videos ON videos.id = h.video_id AND {visible} \
         LEFT JOIN users AS uploader ON uploader.id = videos.user_id{this_caller}"
    )
}
