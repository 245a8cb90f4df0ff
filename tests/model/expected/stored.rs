//! The rows of a story as they are stored.

use super::Expected;
use crate::rules::{Row, Time};
use entity::{forgotten_entry, play, user, watch_history};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder};

/// All rows of the viewers of a story.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub entries: Vec<watch_history::Model>,
    pub plays: Vec<play::Model>,
    pub forgotten: Vec<forgotten_entry::Model>,
    pub cleared_before: Vec<Option<Time>>,
}

impl Stored {
    pub async fn read(db: &DatabaseConnection, viewers: &[i64]) -> Self {
        let ids = || viewers.iter().copied();
        let entries = watch_history::Entity::find()
            .filter(watch_history::Column::UserId.is_in(ids()))
            .order_by_asc(watch_history::Column::UserId)
            .order_by_asc(watch_history::Column::VideoId);
        let plays = play::Entity::find()
            .filter(play::Column::UserId.is_in(ids()))
            .order_by_asc(play::Column::EntryId)
            .order_by_asc(play::Column::Number);
        let forgotten = forgotten_entry::Entity::find()
            .filter(forgotten_entry::Column::UserId.is_in(ids()))
            .order_by_asc(forgotten_entry::Column::UserId)
            .order_by_asc(forgotten_entry::Column::VideoId);
        let users = user::Entity::find().filter(user::Column::Id.is_in(ids())).order_by_asc(user::Column::Id);
        let entries = entries.all(db).await.unwrap().into_iter().map(normalize);
        Self {
            entries: entries.collect(),
            plays: plays.all(db).await.unwrap(),
            forgotten: forgotten.all(db).await.unwrap().into_iter().map(without_revision).collect(),
            cleared_before: users.all(db).await.unwrap().into_iter().map(|user| user.history_cleared_before).collect(),
        }
    }
}

impl Stored {
    /// All but the places that were given up. A batch that is sent again may offer another of its
    /// own positions: to a late save it matters what the last play is, and the batch changed that.
    pub fn without_previous(mut self) -> Self {
        for entry in &mut self.entries {
            (entry.previous_position, entry.previous_device, entry.previous_at) = (None, None, None);
            entry.updated_at = entry.created_at;
        }
        self
    }
}

/// The columns that have a meaning: the numbers of a play that does not run or is not kept have
/// none.
fn normalize(entry: watch_history::Model) -> watch_history::Model {
    let is_running = entry.play_started_at.is_some() && entry.play_is_kept;
    watch_history::Model {
        counted_sessions: entry.counted_sessions.filter(|counted| !counted.is_empty()),
        play_start_position: if is_running { entry.play_start_position } else { 0 },
        play_watched_ms: if is_running { entry.play_watched_ms } else { 0 },
        play_completed: is_running && entry.play_completed,
        revision: None,
        ..entry
    }
}

fn without_revision(deletion: forgotten_entry::Model) -> forgotten_entry::Model {
    forgotten_entry::Model { revision: None, ..deletion }
}

impl Expected {
    /// The ids of new rows.
    pub fn learn_ids(&mut self, stored: &Stored) {
        for entry in &stored.entries {
            let viewer = self.viewer_ids.iter().position(|id| *id == entry.user_id);
            let video = self.video_ids.iter().position(|id| *id == entry.video_id);
            self.learn_id((viewer.unwrap(), video.unwrap()), entry.id);
        }
    }

    pub fn stored(&self) -> Stored {
        let (mut entries, mut plays, mut forgotten, mut cleared_before) = (vec![], vec![], vec![], vec![]);
        for (index, viewer) in self.viewers.iter().enumerate() {
            let user_id = self.viewer_ids[index];
            for (video, row) in &viewer.rows {
                entries.push(entry(user_id, self.video_ids[*video], row));
                plays.extend(ended_plays(user_id, row));
            }
            forgotten.extend(viewer.forgotten.iter().map(|(video, time)| forgotten_entry::Model {
                user_id,
                video_id: self.video_ids[*video],
                forgotten_at: *time,
                revision: None,
            }));
            cleared_before.push(viewer.cleared_before);
        }
        plays.sort_by_key(|play| (play.entry_id, play.number));
        Stored { entries, plays, forgotten, cleared_before }
    }
}

fn entry(user_id: i64, video_id: i64, row: &Row) -> watch_history::Model {
    let Row { running, previous, .. } = row.clone();
    let counted = row.counted.iter().map(|session| format!("{session} ")).collect::<String>();
    let entry = watch_history::Model {
        id: row.id,
        user_id,
        video_id,
        watch_position: row.position,
        watch_duration: row.watched,
        completed: row.completed,
        player_session: row.session.clone(),
        sequence: row.sequence,
        device: row.device.clone(),
        play_count: row.play_count,
        completed_at: row.completed_at,
        counted_sessions: Some(counted),
        last_watched_at: row.last_watched_at,
        watched_hour: i32::try_from(row.last_watched_at.timestamp().div_euclid(3600)).unwrap(),
        hidden: row.hidden,
        hidden_until: row.hidden_until,
        previous_position: previous.as_ref().map(|previous| previous.position),
        previous_at: previous.as_ref().map(|previous| previous.at),
        previous_device: previous.and_then(|previous| previous.device),
        play_number: row.play_number,
        play_is_kept: running.as_ref().is_some_and(|play| play.is_kept),
        play_has_session: row.play_has_session,
        play_started_at: running.as_ref().map(|play| play.started_at),
        play_start_position: running.as_ref().map_or(0, |play| play.start_position),
        play_watched_ms: running.as_ref().map_or(0, |play| play.watched_ms),
        play_completed: running.is_some_and(|play| play.completed),
        created_at: row.created_at,
        updated_at: row.updated_at,
        revision: None,
    };
    normalize(entry)
}

fn ended_plays(user_id: i64, row: &Row) -> impl Iterator<Item = play::Model> {
    row.ended.iter().map(move |(number, play)| play::Model {
        entry_id: row.id,
        number: *number,
        user_id,
        player_session: play.session.clone(),
        device: play.device.clone(),
        started_at: play.started_at,
        ended_at: play.ended_at,
        start_position: play.start_position,
        end_position: play.end_position,
        watched_ms: play.watched_ms,
        completed: play.completed,
    })
}
