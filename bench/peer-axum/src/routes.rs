//! The three operations, for each database: its driver reads numbers and times as types of its own.

use crate::request::{Limit, Position, TokenCheck, UserId};
use crate::response::{EntryBody, Failure, ItemBody, progress};
use axum::extract::{FromRef, Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, NaiveDateTime, Utc};
use sqlx::{FromRow, PgPool, SqlitePool};
use std::sync::Arc;

/// One statement: the rule of completion, the insert, and the update of a row that is there.
const SAVE: &str = "INSERT INTO watch_history (user_id, video_id, watch_position, watch_duration, completed, \
    last_watched_at, created_at, updated_at) SELECT $1, v.id, $3, $4, \
    COALESCE($3 * 10.0 >= v.duration * 9.0 AND v.duration > 0, false), $5, $5, $5 FROM videos v WHERE v.id = $2 \
    ON CONFLICT (user_id, video_id) DO UPDATE SET watch_position = excluded.watch_position, \
    watch_duration = excluded.watch_duration, completed = excluded.completed, \
    last_watched_at = excluded.last_watched_at, updated_at = excluded.updated_at RETURNING id, completed, created_at, \
    (SELECT duration FROM videos WHERE id = watch_history.video_id) AS duration";
const FIND: &str = "SELECT h.id, h.watch_position, h.watch_duration, h.completed, h.last_watched_at, h.created_at, \
    h.updated_at, v.duration FROM watch_history h JOIN videos v ON v.id = h.video_id \
    WHERE h.user_id = $1 AND h.video_id = $2";
const LIST: &str = "SELECT v.id, v.title, v.description, v.duration, v.thumbnail_path, u.username, h.watch_position, \
    h.last_watched_at FROM watch_history h JOIN videos v ON v.id = h.video_id JOIN users u ON u.id = v.uploader_id \
    WHERE h.user_id = $1 AND h.completed = false AND h.watch_position > 0 ORDER BY h.last_watched_at DESC LIMIT $2";

macro_rules! routes {
    ($name:ident, $pool:ty, $int:ty, $time:ty, $now:expr, $utc:expr) => {
        pub mod $name {
            use super::*;

            #[derive(Clone)]
            pub struct App {
                pub reads: $pool,
                pub writes: $pool,
                pub tokens: Arc<TokenCheck>,
            }

            impl FromRef<App> for Arc<TokenCheck> {
                fn from_ref(app: &App) -> Self {
                    app.tokens.clone()
                }
            }

            #[derive(FromRow)]
            struct SavedRow {
                id: $int,
                completed: bool,
                created_at: $time,
                duration: Option<$int>,
            }

            #[derive(FromRow)]
            struct EntryRow {
                id: $int,
                watch_position: $int,
                watch_duration: $int,
                completed: bool,
                last_watched_at: $time,
                created_at: $time,
                updated_at: $time,
                duration: Option<$int>,
            }

            #[derive(FromRow)]
            struct ItemRow {
                id: $int,
                title: String,
                description: Option<String>,
                duration: Option<$int>,
                thumbnail_path: Option<String>,
                username: String,
                watch_position: $int,
                last_watched_at: $time,
            }

            async fn save(
                State(app): State<App>,
                UserId(user): UserId,
                Path(video): Path<i32>,
                Json(position): Json<Position>,
            ) -> Result<Json<EntryBody>, Failure> {
                position.check()?;
                let Position { watch_position, watch_duration } = position;
                let now = $now;
                let save = sqlx::query_as(SAVE).bind(user as $int).bind(video as $int);
                let save = save.bind(watch_position as $int).bind(watch_duration as $int).bind(now);
                let saved: SavedRow = save.fetch_optional(&app.writes).await?.ok_or(Failure::NotFound)?;
                Ok(Json(EntryBody {
                    id: saved.id.into(),
                    user_id: user,
                    video_id: video.into(),
                    watch_position,
                    watch_duration,
                    completed: saved.completed,
                    progress_percentage: progress(watch_position, saved.duration.map(i64::from)),
                    last_watched_at: $utc(now),
                    created_at: $utc(saved.created_at),
                    updated_at: $utc(now),
                }))
            }

            async fn find(
                State(app): State<App>,
                UserId(user): UserId,
                Path(video): Path<i32>,
            ) -> Result<Json<EntryBody>, Failure> {
                let find = sqlx::query_as(FIND).bind(user as $int).bind(video as $int);
                let row: EntryRow = find.fetch_optional(&app.reads).await?.ok_or(Failure::NotFound)?;
                Ok(Json(EntryBody {
                    id: row.id.into(),
                    user_id: user,
                    video_id: video.into(),
                    watch_position: row.watch_position.into(),
                    watch_duration: row.watch_duration.into(),
                    completed: row.completed,
                    progress_percentage: progress(row.watch_position.into(), row.duration.map(i64::from)),
                    last_watched_at: $utc(row.last_watched_at),
                    created_at: $utc(row.created_at),
                    updated_at: $utc(row.updated_at),
                }))
            }

            async fn list(
                State(app): State<App>,
                UserId(user): UserId,
                Query(Limit { limit }): Query<Limit>,
            ) -> Result<Json<Vec<ItemBody>>, Failure> {
                let list = sqlx::query_as(LIST).bind(user as $int).bind(limit.clamp(1, 100));
                let rows: Vec<ItemRow> = list.fetch_all(&app.reads).await?;
                let item = |row: ItemRow| ItemBody {
                    video_id: row.id.into(),
                    video_title: row.title,
                    video_description: row.description,
                    video_duration: row.duration.map(i64::from),
                    video_thumbnail_path: row.thumbnail_path,
                    uploader_username: row.username,
                    watch_position: row.watch_position.into(),
                    progress_percentage: progress(row.watch_position.into(), row.duration.map(i64::from)),
                    last_watched_at: $utc(row.last_watched_at),
                };
                Ok(Json(rows.into_iter().map(item).collect()))
            }

            pub fn router(app: App) -> Router {
                Router::new()
                    .route("/health", get(|| async { "ok" }))
                    .route("/api/v1/videos/{video}/watch-history", get(find).post(save))
                    .route("/api/v1/videos/continue-watching", get(list))
                    .with_state(app)
            }
        }
    };
}

routes!(on_sqlite, SqlitePool, i64, NaiveDateTime, Utc::now().naive_utc(), |time: NaiveDateTime| time.and_utc());
routes!(on_postgres, PgPool, i32, DateTime<Utc>, Utc::now(), |time: DateTime<Utc>| time);
