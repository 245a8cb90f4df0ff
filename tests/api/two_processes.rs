//! Saves of one entry by two processes on one database.

use crate::app::TestApp;
use chrono::TimeDelta;
use entity::{play, watch_history};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};
use service::progress::ProgressRules;
use service::storage::{Database, Durability};
use service::watch_history::{self as use_case, History};

on_both! {
    async fn two_processes_that_begin_plays_of_one_entry_lose_none(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let other = Database::connect(&app.database.url, Durability::Normal).await.unwrap();
        let [here, there] = [&app.db, &other].map(|db| History::open(db, ProgressRules::default(), None).unwrap());
        let save = async |history: &History, session: String| {
            let save = serde_json::from_value(json!({"watch_position": 10, "session_id": session})).unwrap();
            use_case::save(history, ann.id, film, save, app.now()).await
        };
        for round in 0..20 {
            let (tv, phone) = tokio::join!(save(&here, format!("tv{round}")), save(&there, format!("phone{round}")));
            assert!([tv, phone].into_iter().all(|saved| saved.unwrap().unwrap().applied.unwrap()));
        }
        let ended = play::Entity::find().order_by_asc(play::Column::Number).all(app.db.reader()).await.unwrap();
        assert_eq!(ended.iter().map(|play| play.number).collect::<Vec<_>>(), Vec::from_iter(1..40));
        let entry = watch_history::Entity::find().one(app.db.reader()).await.unwrap().unwrap();
        assert_eq!(entry.play_number, 40);
    }

    async fn a_late_heartbeat_from_before_a_deletion_is_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let history = History::open(&app.db, ProgressRules::default(), None).unwrap();
        let now = app.now();
        let save = async |save: Value, now| {
            let saved = use_case::save(&history, ann.id, film, serde_json::from_value(save).unwrap(), now).await;
            saved.unwrap().map(|entry| entry.applied.unwrap())
        };
        assert_eq!(save(json!({"watch_position": 10}), now).await, Some(true));
        // By the clock of another process.
        use_case::forget(&history, ann.id, film, now + TimeDelta::seconds(2)).await.unwrap();
        assert_eq!(save(json!({"watch_position": 10}), now).await, Some(true));
        let late = json!({"watch_position": 11, "age_ms": 1});
        assert_eq!(save(late, now + TimeDelta::seconds(1)).await, None);
    }
}
