//! The two stores that are tested, and their answers in one form.

use crate::answer::{Answer, Item};
use crate::plain_store::PlainStore;
use chrono::{DateTime, Utc};
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

    pub async fn save(&self, viewer: i64, video: i64, save: Save, now: DateTime<Utc>) -> Answer {
        match self {
            Self::Fast(history) => history::save(history, viewer, video, save, now).await.into(),
            Self::Plain(store) => store.answer(store.save(viewer, video, save, now).await),
        }
    }

    pub async fn save_all(&self, viewer: i64, saves: Vec<(i64, Save)>, now: DateTime<Utc>) -> Vec<Answer> {
        match self {
            Self::Fast(history) => {
                let saved = history::save_all(history, viewer, saves, now).await.unwrap();
                saved.into_iter().map(Into::into).collect()
            }
            Self::Plain(store) => {
                let saved = store.save_all(viewer, saves, now).await;
                saved.into_iter().map(|saved| store.answer(saved)).collect()
            }
        }
    }

    pub async fn forget(&self, viewer: i64, video: i64, now: DateTime<Utc>) -> Answer {
        let forgotten = match self {
            Self::Fast(history) => history::forget(history, viewer, video, now).await,
            Self::Plain(store) => store.forget(viewer, video).await,
        };
        forgotten.map_or_else(|error| Answer::failure(&error), |()| Answer::Forgotten)
    }

    pub async fn find(&self, viewer: i64, video: i64, now: DateTime<Utc>) -> Answer {
        match self {
            Self::Fast(history) => history::find(history, viewer, video, now).await.map(Some).into(),
            Self::Plain(store) => store.answer(store.find(viewer, video).await),
        }
    }

    pub async fn list(&self, viewer: i64, limit: u32, now: DateTime<Utc>) -> Vec<Item> {
        match self {
            Self::Fast(history) => {
                let list = history::continue_watching(history, viewer, limit, None, now).await.unwrap();
                list.into_iter().map(Into::into).collect()
            }
            Self::Plain(store) => {
                let list = store.continue_watching(viewer, limit as usize).await.unwrap();
                list.into_iter().map(|entry| store.item(entry)).collect()
            }
        }
    }
}
