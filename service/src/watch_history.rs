//! Where every viewer stopped: the save path, and what is made of it.
//!
//! A save is one statement. Whether the user stands and the video can be seen is part of it, so that nothing can
//! change between the question and the answer; only a save that wrote nothing asks a second time, to say why.

use crate::Error;
use crate::error::is_foreign_key_violation;
use crate::progress::{Rules, completed};
use crate::time::Timestamp;
use crate::video::{thumbnail_path, visible_to_user};
use chrono::{DateTime, Utc};
use entity::{user, video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait, OnConflict, Query, SelectStatement};
use sea_orm::{Condition, FromQueryResult, Iterable, JoinType, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// A position on its way in.
#[derive(Clone, Copy, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Save {
    /// Where the player stands, in whole seconds from the start.
    #[validate(range(min = 0))]
    #[schema(minimum = 0, example = 150)]
    pub watch_position: i32,
    /// Time watched in all, in whole seconds; the larger one of this and the stored one stays.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[schema(minimum = 0, default = 0, example = 150)]
    pub watch_duration: i32,
}

/// How far the caller came in one video.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entry {
    /// Never used twice.
    #[schema(minimum = 1, example = 1)]
    pub id: i64,
    /// The caller.
    #[schema(minimum = 1, example = 1)]
    pub user_id: i64,
    /// The video.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Where the player stood, in whole seconds from the start.
    #[schema(minimum = 0, example = 150)]
    pub watch_position: i32,
    /// Time watched in all, in whole seconds.
    #[schema(minimum = 0, example = 150)]
    pub watch_duration: i32,
    /// Whether enough of it was watched to count.
    pub completed: bool,
    /// 0.0 to 100.0; 0.0 when the duration is unknown.
    #[schema(minimum = 0, maximum = 100, example = 25.0)]
    pub progress_percentage: f64,
    /// Where a player should begin, in whole seconds; 0 for the start.
    #[schema(minimum = 0, example = 150)]
    pub resume_at: i32,
    /// When the position was last saved.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub last_watched_at: Timestamp,
    /// When it was first saved.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub created_at: Timestamp,
    /// When the entry last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub updated_at: Timestamp,
}

impl Entry {
    fn new(row: watch_history::Model, duration: Option<i32>, rules: &Rules) -> Self {
        let progress_percentage = row.progress_percentage(duration);
        Self {
            id: row.id,
            user_id: row.user_id,
            video_id: row.video_id,
            watch_position: row.watch_position,
            watch_duration: row.watch_duration,
            completed: row.completed,
            progress_percentage,
            resume_at: rules.resume_at(row.watch_position, progress_percentage),
            last_watched_at: row.last_watched_at.into(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// A video that the caller has begun and not finished.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContinueWatching {
    /// The video.
    #[schema(minimum = 1, example = 1)]
    pub video_id: i64,
    /// Its title.
    #[schema(example = "Harbour at dawn")]
    pub video_title: String,
    /// Its description.
    #[schema(required = true, example = "Filmed from the lighthouse.")]
    pub video_description: Option<String>,
    /// Its duration in whole seconds.
    #[schema(required = true, minimum = 0, example = 600)]
    pub video_duration: Option<i32>,
    /// The address of its picture.
    #[schema(required = true, example = "/api/v1/videos/1/thumbnail")]
    pub video_thumbnail_path: Option<String>,
    /// Who uploaded it.
    #[schema(example = "ann")]
    pub uploader_username: String,
    /// Where the player stood, in whole seconds from the start.
    #[schema(minimum = 1, example = 150)]
    pub watch_position: i32,
    /// 0.0 to 100.0; 0.0 when the duration is unknown.
    #[schema(minimum = 0, maximum = 100, example = 25.0)]
    pub progress_percentage: f64,
    /// Where a player should begin, in whole seconds; 0 for the start.
    #[schema(minimum = 0, example = 150)]
    pub resume_at: i32,
    /// When the position was last saved.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T13:32:59.391Z")]
    pub last_watched_at: Timestamp,
}

/// A row of history and the duration of its video.
#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    history: watch_history::Model,
    duration: Option<i32>,
}

/// Stores where the caller stands in a video, in place of what was stored before.
///
/// # Errors
/// [`Error::VideoNotFound`]; [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn save(
    db: &impl ConnectionTrait,
    user_id: i64,
    video_id: i64,
    save: Save,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Result<Entry, Error> {
    use watch_history::Column;
    let Save { watch_position, watch_duration } = save;

    let completed = completed(Expr::value(i64::from(watch_position)), video::Column::Duration.into_expr(), rules);
    let values = Query::select()
        .expr(user::Column::Id.into_expr())
        .expr(video::Column::Id.into_expr())
        .expr(Expr::value(watch_position))
        .expr(Expr::value(watch_duration))
        .expr(completed)
        .exprs([Expr::value(now), Expr::value(now), Expr::value(now)])
        .from(user::Entity)
        .join(JoinType::InnerJoin, video::Entity, visible_to_caller())
        .cond_where(standing(user_id))
        .and_where(video::Column::Id.eq(video_id))
        .take();
    let sent = |column: Column| Expr::col((Alias::new("excluded"), column));
    let larger = CaseStatement::new()
        .case(sent(Column::WatchDuration).gt(Column::WatchDuration.into_expr()), sent(Column::WatchDuration))
        .finally(Column::WatchDuration.into_expr());
    let replace = OnConflict::columns([Column::UserId, Column::VideoId])
        .update_columns([Column::WatchPosition, Column::Completed, Column::LastWatchedAt, Column::UpdatedAt])
        .value(Column::WatchDuration, larger)
        .to_owned();
    let duration = "(SELECT duration FROM videos WHERE videos.id = watch_history.video_id) AS duration";
    let returned = Column::iter().map(|column| column.into_expr()).chain([Expr::cust(duration)]);
    let mut upsert = Query::insert();
    upsert
        .into_table(watch_history::Entity)
        .columns([
            Column::UserId,
            Column::VideoId,
            Column::WatchPosition,
            Column::WatchDuration,
            Column::Completed,
            Column::LastWatchedAt,
            Column::CreatedAt,
            Column::UpdatedAt,
        ])
        .select_from(values)
        .map_err(|error| Error::Internal(error.to_string()))?
        .on_conflict(replace)
        .returning(Query::returning().exprs(returned));

    match db.query_one(&upsert).await {
        Ok(Some(row)) => {
            let Row { history, duration } = Row::from_query_result(&row, "")?;
            Ok(Entry::new(history, duration, rules))
        }
        Ok(None) => Err(why_nothing(db, user_id, video_id).await),
        // The user or the video was deleted by a transaction that ended while this statement ran.
        Err(error) if is_foreign_key_violation(&error) => Err(why_nothing(db, user_id, video_id).await),
        Err(error) => Err(error.into()),
    }
}

/// Where the caller stands in a video.
///
/// # Errors
/// [`Error::VideoNotFound`], [`Error::HistoryNotFound`]; [`Error::Unauthenticated`] when the account is gone or
/// deactivated.
pub async fn find(db: &impl ConnectionTrait, user_id: i64, video_id: i64, rules: &Rules) -> Result<Entry, Error> {
    let mut select = watch_history::Entity::find()
        .column(video::Column::Duration)
        .filter(watch_history::Column::UserId.eq(user_id))
        .filter(watch_history::Column::VideoId.eq(video_id));
    join_what_the_caller_may_see(QuerySelect::query(&mut select));
    match select.into_model::<Row>().one(db).await? {
        Some(Row { history, duration }) => Ok(Entry::new(history, duration, rules)),
        None => Err(why_nothing(db, user_id, video_id).await),
    }
}

/// Forgets where the caller stands in a video.
///
/// # Errors
/// As [`find`].
pub async fn forget(db: &impl ConnectionTrait, user_id: i64, video_id: i64) -> Result<(), Error> {
    let visible = Query::select()
        .expr(Expr::value(1))
        .from(user::Entity)
        .join(JoinType::InnerJoin, video::Entity, visible_to_caller())
        .cond_where(standing(user_id))
        .and_where(video::Column::Id.eq(video_id))
        .take();
    let deleted = watch_history::Entity::delete_many()
        .filter(watch_history::Column::UserId.eq(user_id))
        .filter(watch_history::Column::VideoId.eq(video_id))
        .filter(Expr::exists(visible))
        .exec(db)
        .await?;
    if deleted.rows_affected == 0 { Err(why_nothing(db, user_id, video_id).await) } else { Ok(()) }
}

/// What the caller has begun and not finished, the last watched first.
///
/// # Errors
/// [`Error::Unauthenticated`] when the account is gone or deactivated.
pub async fn continue_watching(
    db: &impl ConnectionTrait,
    user_id: i64,
    limit: u64,
    rules: &Rules,
) -> Result<Vec<ContinueWatching>, Error> {
    #[derive(FromQueryResult)]
    struct Begun {
        #[sea_orm(nested)]
        history: watch_history::Model,
        title: String,
        description: Option<String>,
        duration: Option<i32>,
        thumbnail_path: Option<String>,
        thumbnail_file: Option<String>,
        uploader_username: String,
    }
    use video::Column;
    let uploader = Alias::new("uploader");
    let mut select = watch_history::Entity::find()
        .columns([Column::Title, Column::Description, Column::Duration, Column::ThumbnailPath, Column::ThumbnailFile])
        .expr_as(Expr::col((uploader.clone(), user::Column::Username)), "uploader_username")
        .filter(watch_history::Column::UserId.eq(user_id))
        .filter(watch_history::Column::Completed.eq(false))
        .filter(watch_history::Column::WatchPosition.gt(0))
        .order_by_desc(watch_history::Column::LastWatchedAt)
        .order_by_desc(watch_history::Column::Id)
        .limit(limit);
    join_what_the_caller_may_see(QuerySelect::query(&mut select));
    QuerySelect::query(&mut select).join_as(
        JoinType::InnerJoin,
        user::Entity,
        uploader.clone(),
        Expr::col((uploader, user::Column::Id)).equals((video::Entity, Column::UserId)),
    );
    let begun: Vec<Begun> = select.into_model().all(db).await?;
    if begun.is_empty() {
        crate::user::authenticate(db, user_id).await?;
    }
    Ok(begun
        .into_iter()
        .map(|row| {
            let Begun {
                history,
                title,
                description,
                duration,
                thumbnail_path: given,
                thumbnail_file,
                uploader_username,
            } = row;
            let progress_percentage = history.progress_percentage(duration);
            ContinueWatching {
                video_id: history.video_id,
                video_title: title,
                video_description: description,
                video_duration: duration,
                video_thumbnail_path: thumbnail_path(history.video_id, given, thumbnail_file.as_deref()),
                uploader_username,
                watch_position: history.watch_position,
                progress_percentage,
                resume_at: rules.resume_at(history.watch_position, progress_percentage),
                last_watched_at: history.last_watched_at.into(),
            }
        })
        .collect())
}

/// The account of the caller, as long as it stands.
fn standing(user_id: i64) -> Condition {
    Condition::all().add(user::Column::Id.eq(user_id)).add(user::Column::IsActive.eq(true))
}

/// Videos that the user of the same statement may see.
fn visible_to_caller() -> Condition {
    visible_to_user(user::Column::Id.into_expr(), user::Column::Role.eq(user::Role::Admin))
}

/// Narrows a statement on history to callers who stand and videos that they may see.
fn join_what_the_caller_may_see(select: &mut SelectStatement) {
    let caller =
        Expr::col((watch_history::Entity, watch_history::Column::UserId)).equals((user::Entity, user::Column::Id));
    let same =
        Expr::col((watch_history::Entity, watch_history::Column::VideoId)).equals((video::Entity, video::Column::Id));
    select.join(JoinType::InnerJoin, user::Entity, caller.and(user::Column::IsActive.eq(true))).join(
        JoinType::InnerJoin,
        video::Entity,
        Condition::all().add(same).add(visible_to_caller()),
    );
}

/// Why a statement found nothing to read or write.
async fn why_nothing(db: &impl ConnectionTrait, user_id: i64, video_id: i64) -> Error {
    let reason = async {
        let caller = crate::user::authenticate(db, user_id).await?;
        crate::video::find(db, Some(caller), video_id).await?;
        Ok(())
    };
    reason.await.err().unwrap_or(Error::HistoryNotFound)
}
