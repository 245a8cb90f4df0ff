//! The two stores that are tested, and their answers in one form.

use crate::answer::{Answer, Item};
use crate::plain_store::PlainStore;
use crate::rules::Time;
use service::Database;
use service::progress::ProgressRules;
use service::watch_history::{self as history, History, Save};
use tokio::sync::Mutex;

#[derive(Clone, Copy)]
pub enum StoreKind {
    Fast,
    Plain,
}

pub enum Store {
    Fast(History),
    Plain(PlainStore),
}

impl Store {
    pub fn open(kind: StoreKind, db: &Database, rules: ProgressRules) -> Self {
        match kind {
            StoreKind::Fast => Self::Fast(History::open(db, rules, None).unwrap()),
            StoreKind::Plain => Self::Plain(PlainStore { db: db.clone(), rules, one_at_a_time: Mutex::default() }),
        }
    }

    pub async fn save(&self, viewer: i64, video: i64, save: Save, now: Time) -> Answer {
        match self {
            Self::Fast(history) => Answer::to_save(history::save(history, viewer, video, save, now).await),
            Self::Plain(store) => store.answer_to_save(store.save(viewer, video, save, now).await, now),
        }
    }

    pub async fn save_all(&self, viewer: i64, saves: Vec<(i64, Save)>, now: Time) -> Vec<Answer> {
        match self {
            Self::Fast(history) => {
                let saved = history::save_all(history, viewer, saves, now).await.unwrap();
                saved.into_iter().map(Answer::to_save).collect()
            }
            Self::Plain(store) => {
                let saved = store.save_all(viewer, saves, now).await;
                saved.into_iter().map(|saved| store.answer_to_save(saved, now)).collect()
            }
        }
    }

    pub async fn forget(&self, viewer: i64, video: i64, now: Time) -> Answer {
        Answer::to_deletion(match self {
            Self::Fast(history) => history::forget(history, viewer, video, now).await,
            Self::Plain(store) => store.forget(viewer, video, now).await,
        })
    }

    pub async fn find(&self, viewer: i64, video: i64, now: Time) -> Answer {
        match self {
            Self::Fast(history) => Answer::to_edit(history::find(history, viewer, video, now).await),
            Self::Plain(store) => store.answer_to_save(store.find(viewer, video, now).await.map(Some), now),
        }
    }

    pub async fn continue_watching(&self, viewer: i64, limit: u32, max_age_days: Option<i32>, now: Time) -> Vec<Item> {
        match self {
            Self::Fast(history) => {
                let list = history::continue_watching(history, viewer, limit, max_age_days, now).await;
                list.unwrap().into_iter().map(Into::into).collect()
            }
            Self::Plain(store) => {
                let list = store.continue_watching(viewer, limit as usize, max_age_days, now).await;
                list.unwrap().into_iter().map(|entry| entry.item(&store.rules)).collect()
            }
        }
    }
}
