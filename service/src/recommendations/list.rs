//! The recommendations of one viewer.

use super::{ReasonKind, Recommendation, RecommendationReason};
use crate::caller::Caller;
use crate::retention::retention_cutoff;
use crate::video::{self as videos, visible_to};
use crate::{Database, Error};
use chrono::{DateTime, Utc};
use entity::{related_video, user, video, watch_history};
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use sea_orm::{Condition, FromQueryResult, JoinType, QueryOrder, QuerySelect, QueryTrait};
use std::collections::HashMap;

/// The videos of the caller, the last watched ones, whose related videos are recommended.
const MAX_SEEDS: u64 = 200;

/// The preferences that decide what is recommended.
#[derive(Debug, FromQueryResult)]
struct RecommendationPreferences {
    recommendations: bool,
    history_mode: user::HistoryMode,
    retention_days: Option<i32>,
}

/// Recommends up to `limit` videos, the best one first: ready ones that the caller has neither
/// completed nor hidden. `max_days` is the setting `HISTORY_MAX_DAYS`.
///
/// A viewer whose history mode is not `on` gets popular videos only.
///
/// # Errors
/// [`Error::RecommendationsOff`] until the caller's preference is on; database errors.
pub async fn list(
    db: &Database,
    caller: Caller,
    limit: u64,
    max_days: Option<i32>,
    now: DateTime<Utc>,
) -> Result<Vec<Recommendation>, Error> {
    let preferences = user::Entity::find_by_id(caller.id).into_model::<RecommendationPreferences>().one(db.reader());
    let preferences = preferences.await?.ok_or(Error::Unauthenticated)?;
    if !preferences.recommendations {
        return Err(Error::RecommendationsOff);
    }
    let entries =
        OwnEntries { user_id: caller.id, kept_since: retention_cutoff(preferences.retention_days, max_days, now), now };
    let seeds = match preferences.history_mode {
        user::HistoryMode::On => find_seeds(db, caller, &entries).await?,
        user::HistoryMode::Positions | user::HistoryMode::Off => Vec::new(),
    };
    let mut reasons = find_related(db, &entries, seeds, limit).await?;
    let missing = limit.saturating_sub(reasons.len() as u64);
    let known: Vec<i64> = reasons.iter().map(|(id, _)| *id).collect();
    reasons.extend(find_popular(db, &entries, &known, missing).await?);
    let ids: Vec<i64> = reasons.iter().map(|(id, _)| *id).collect();
    let mut reasons: HashMap<i64, RecommendationReason> = reasons.into_iter().collect();
    let videos = videos::find_many(db, caller, &ids).await?;
    let recommend = |video: videos::Video| reasons.remove(&video.id).map(|reason| Recommendation { video, reason });
    Ok(videos.into_iter().filter_map(recommend).collect())
}

/// The entries of the caller that have not expired.
struct OwnEntries {
    user_id: i64,
    kept_since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
}

impl OwnEntries {
    fn are_these(&self) -> Condition {
        let kept = self.kept_since.map(|since| watch_history::Column::LastWatchedAt.gte(since));
        Condition::all().add(watch_history::Column::UserId.eq(self.user_id)).add_option(kept)
    }

    /// Whether the caller has completed or hidden the video with the id `video_id`.
    fn exclude(&self, video_id: Expr) -> Expr {
        use watch_history::Column::{Completed, HiddenUntil, Id, PlayCount, VideoId};
        let until = Condition::any().add(HiddenUntil.is_null()).add(HiddenUntil.gt(self.now));
        let is_hidden = Condition::all().add(watch_history::Column::Hidden.eq(true)).add(until);
        let watched = Condition::any().add(Completed.eq(true)).add(PlayCount.gte(1)).add(is_hidden);
        let entries = watch_history::Entity::find().select_only().column(Id).filter(VideoId.into_expr().eq(video_id));
        Expr::exists(entries.filter(self.are_these()).filter(watched).into_query())
    }
}

/// A video of the caller, by which others are recommended.
struct SeedVideo {
    id: i64,
    title: String,
}

/// The videos that the caller watched last and may still see.
async fn find_seeds(db: &Database, caller: Caller, entries: &OwnEntries) -> Result<Vec<SeedVideo>, Error> {
    let seeds = watch_history::Entity::find()
        .select_only()
        .columns([video::Column::Id, video::Column::Title])
        .join(JoinType::InnerJoin, watch_history::Relation::Video.def())
        .filter(entries.are_these())
        .filter(visible_to(Some(caller)))
        .order_by_desc(watch_history::Column::LastWatchedAt)
        .order_by_desc(watch_history::Column::Id)
        .limit(MAX_SEEDS);
    let seeds: Vec<(i64, String)> = seeds.into_tuple().all(db.reader()).await?;
    Ok(seeds.into_iter().map(|(id, title)| SeedVideo { id, title }).collect())
}

/// The videos that are most related to all seeds together, each with the seed that contributes
/// most.
async fn find_related(
    db: &Database,
    entries: &OwnEntries,
    seeds: Vec<SeedVideo>,
    limit: u64,
) -> Result<Vec<(i64, RecommendationReason)>, Error> {
    use related_video::Column::{RelatedId, Score, VideoId};
    if seeds.is_empty() {
        return Ok(Vec::new());
    }
    let from_seeds = VideoId.is_in(seeds.iter().map(|seed| seed.id));
    let best = related_video::Entity::find()
        .select_only()
        .column(RelatedId)
        .join(JoinType::InnerJoin, related_video::Relation::Related.def())
        .filter(from_seeds.clone())
        .filter(video::Column::Status.eq(video::Status::Ready))
        .filter(entries.exclude(RelatedId.into_expr()).not())
        .group_by(RelatedId)
        .order_by_desc(Score.sum())
        .order_by_asc(RelatedId)
        .limit(limit);
    let best: Vec<i64> = best.into_tuple().all(db.reader()).await?;
    let pairs = related_video::Entity::find()
        .filter(RelatedId.is_in(best.iter().copied()))
        .filter(from_seeds)
        .order_by_asc(Score)
        .order_by_desc(VideoId);
    // Of several pairs of a video, the last one with the highest score stays.
    let strongest: HashMap<i64, i64> =
        pairs.all(db.reader()).await?.into_iter().map(|pair| (pair.related_id, pair.video_id)).collect();
    let reason = |id: i64| {
        let seed = seeds.iter().find(|seed| strongest.get(&id) == Some(&seed.id))?;
        let (video_id, video_title) = (Some(seed.id), Some(seed.title.clone()));
        Some((id, RecommendationReason { kind: ReasonKind::WatchedTogether, video_id, video_title }))
    };
    Ok(best.into_iter().filter_map(reason).collect())
}

/// The most viewed videos besides those in `known`.
async fn find_popular(
    db: &Database,
    entries: &OwnEntries,
    known: &[i64],
    limit: u64,
) -> Result<Vec<(i64, RecommendationReason)>, Error> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let ids: SelectStatement = videos::select_popular_ids()
        .and_where(video::Column::Id.is_not_in(known.iter().copied()))
        .and_where(entries.exclude(video::Column::Id.into_expr()).not())
        .limit(limit)
        .take();
    let rows = db.reader().query_all(&ids).await?;
    let reason = RecommendationReason { kind: ReasonKind::Popular, video_id: None, video_title: None };
    let ids: Result<Vec<i64>, DbErr> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(ids?.into_iter().map(|id| (id, reason.clone())).collect())
}
