//! Made-up viewers with tastes, for the evaluation of recommendations.
//!
//! A viewer belongs to one of eight groups. They completed about 12 of the 30 videos of the group,
//! the first ones more often than the last ones, a few videos of other groups, and most of ten
//! videos that everybody watches. One video of the group was left out: a good list has it.

use crate::app::TestApp;
use entity::{user, video, watch_history};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseConnection, EntityTrait};
use std::collections::BTreeSet;

const GROUPS: usize = 8;
const VIDEOS_PER_GROUP: usize = 30;
const FOR_EVERYBODY: usize = 10;
const VIEWERS_PER_GROUP: usize = 25;

pub struct Tastes {
    pub viewers: Vec<TasteViewer>,
    /// The videos, the most viewed one first.
    by_views: Vec<i64>,
}

pub struct TasteViewer {
    pub id: i64,
    /// The completed videos that are in the history.
    pub completed: BTreeSet<i64>,
    /// The completed video that is not.
    pub left_out: i64,
    /// All videos of the group.
    pub of_group: BTreeSet<i64>,
}

/// SplitMix64, so that every run has the same viewers.
struct Dice(u64);

impl Dice {
    /// Whether something of this probability happens.
    fn happens(&mut self, probability: f64) -> bool {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64 <= probability
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Tastes {
    /// Writes videos, viewers and entries.
    pub async fn make(app: &TestApp) -> Self {
        let mut dice = Dice(7);
        let choices: Vec<_> =
            (0..GROUPS * VIEWERS_PER_GROUP).map(|viewer| choose(&mut dice, viewer % GROUPS)).collect();
        let mut views = vec![0; GROUPS * VIDEOS_PER_GROUP + FOR_EVERYBODY];
        choices.iter().flat_map(|(completed, _)| completed).for_each(|video| views[*video] += 1);
        let (_guard, db) = app.db.writer().await.unwrap();
        let uploader = add_viewer(db, 0, false).await;
        let mut videos = Vec::new();
        for views in &views {
            videos.push(add_video(db, uploader, *views).await);
        }
        let mut viewers = Vec::new();
        for (number, (completed, left_out)) in choices.into_iter().enumerate() {
            let id = add_viewer(db, number + 1, true).await;
            let completed: BTreeSet<i64> = completed.into_iter().map(|video| videos[video]).collect();
            add_entries(db, id, &completed).await;
            let first = number % GROUPS * VIDEOS_PER_GROUP;
            let of_group = videos[first..first + VIDEOS_PER_GROUP].iter().copied().collect();
            viewers.push(TasteViewer { id, completed, left_out: videos[left_out], of_group });
        }
        let mut by_views: Vec<_> = videos.iter().zip(&views).map(|(id, views)| (-views, -id)).collect();
        by_views.sort_unstable();
        Self { viewers, by_views: by_views.into_iter().map(|(_, id)| -id).collect() }
    }

    /// The most viewed videos that a viewer has not completed.
    pub fn popular_for(&self, viewer: &TasteViewer, limit: usize) -> Vec<i64> {
        self.by_views.iter().filter(|id| !viewer.completed.contains(id)).take(limit).copied().collect()
    }
}

/// The videos that a viewer of a group completed, and the one that is left out of them.
fn choose(dice: &mut Dice, group: usize) -> (BTreeSet<usize>, usize) {
    let first = group * VIDEOS_PER_GROUP;
    let of_group = |rank: usize| 0.1 + 0.6 * (1.0 - rank as f64 / VIDEOS_PER_GROUP as f64);
    let mut own: Vec<usize> =
        (0..VIDEOS_PER_GROUP).filter(|rank| dice.happens(of_group(*rank))).map(|rank| first + rank).collect();
    let left_out = if own.is_empty() { first } else { own.swap_remove(dice.below(own.len())) };
    let mut completed: BTreeSet<usize> = own.into_iter().collect();
    completed.extend((0..FOR_EVERYBODY).filter(|_| dice.happens(0.7)).map(|number| GROUPS * VIDEOS_PER_GROUP + number));
    completed.extend((0..4).map(|_| dice.below(GROUPS * VIDEOS_PER_GROUP)));
    completed.remove(&left_out);
    (completed, left_out)
}

async fn add_viewer(db: &DatabaseConnection, number: usize, recommendations: bool) -> i64 {
    let now = chrono::DateTime::UNIX_EPOCH;
    let viewer = user::ActiveModel {
        email: Set(format!("viewer{number}@example.org")),
        username: Set(format!("viewer{number}")),
        hashed_password: Set(String::new()),
        created_at: Set(now),
        updated_at: Set(now),
        recommendations: Set(recommendations),
        ..Default::default()
    };
    viewer.insert(db).await.unwrap().id
}

async fn add_video(db: &DatabaseConnection, user_id: i64, view_count: i32) -> i64 {
    let now = chrono::DateTime::UNIX_EPOCH;
    let video = video::ActiveModel {
        user_id: Set(user_id),
        title: Set("film".to_owned()),
        view_count: Set(view_count),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    video.insert(db).await.unwrap().id
}

async fn add_entries(db: &DatabaseConnection, user_id: i64, videos: &BTreeSet<i64>) {
    let now = chrono::DateTime::UNIX_EPOCH;
    let entries = videos.iter().map(|video_id| watch_history::ActiveModel {
        user_id: Set(user_id),
        video_id: Set(*video_id),
        completed: Set(true),
        play_count: Set(1),
        last_watched_at: Set(now),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    });
    watch_history::Entity::insert_many(entries).exec_without_returning(db).await.unwrap();
}
