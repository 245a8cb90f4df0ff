//! Events after the commit: who hears what, and that listeners cost nothing.

use crate::app::{Person, TestApp};
use chrono::{DateTime, TimeDelta, Utc};
use entity::watch_history;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use service::Error;
use service::caller::{Caller, UserRole};
use service::progress::ProgressRules;
use service::storage::{Event, EventListener};
use service::watch_history::edit::{self, Clearing, Edit, Hiding, Marks, VideoList};
use service::watch_history::{self as history, History, Save};
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// The watch history on the test's own connections, whose events the test can hear.
fn open(app: &TestApp) -> History {
    History::open(&app.db, ProgressRules::default(), None).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_650_379, 0).unwrap()
}

fn save(watch_position: i32) -> Save {
    let session_id = Some("one".to_owned());
    Save {
        watch_position,
        watch_duration: 0,
        age_ms: None,
        session_id,
        sequence: None,
        played_seconds: None,
        device: None,
    }
}

fn saved(user_id: i64, video_id: i64) -> Event {
    Event::EntrySaved { user_id, video_id }
}

async fn next(listener: &mut EventListener) -> Event {
    tokio::time::timeout(Duration::from_secs(10), listener.next()).await.unwrap().unwrap()
}

async fn stored_position(app: &TestApp) -> i32 {
    let row = watch_history::Entity::find().one(app.db.reader()).await.unwrap();
    row.map_or(0, |row| row.watch_position)
}

async fn delete(app: &TestApp, person: &Person, video_id: i64) -> Result<i64, Error> {
    let caller = Caller { id: person.id, role: UserRole::User, history_since: None };
    app.db.transaction(async |tx| service::video::delete(tx, caller, video_id, app.now()).await).await
}

on_both! {
    async fn a_listener_hears_what_was_saved_and_deleted_in_order(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let (history, mut listener) = (open(&app), app.db.subscribe());
        for position in [60, 90] {
            history::save(&history, ann.id, film, save(position), now()).await.unwrap();
        }
        history::forget(&history, ann.id, film, now()).await.unwrap();
        delete(&app, &ann, film).await.unwrap();
        assert_eq!(next(&mut listener).await, saved(ann.id, film));
        assert_eq!(next(&mut listener).await, saved(ann.id, film));
        assert_eq!(next(&mut listener).await, Event::EntryForgotten { user_id: ann.id, video_id: film });
        assert_eq!(next(&mut listener).await, Event::VideoDeleted { user_id: ann.id, video_id: film });
        assert_eq!(listener.try_next(), Err(TryRecvError::Empty));
    }

    async fn what_changes_nothing_has_no_event(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let history = open(&app);
        history::save(&history, ann.id, film, save(90), now()).await.unwrap();
        let mut listener = app.db.subscribe();
        let older = Save { age_ms: Some(60_000), ..save(30) };
        assert_eq!(history::save(&history, ann.id, film, older, now()).await.unwrap().unwrap().applied, Some(false));
        assert!(history::save(&history, ann.id, film + 1, save(30), now()).await.is_err());
        assert!(history::forget(&history, ann.id, film + 1, now()).await.is_err());
        assert!(delete(&app, &ann, film + 1).await.is_err());
        assert_eq!(listener.try_next(), Err(TryRecvError::Empty));
    }

    async fn a_listener_hears_of_edits_once_and_of_none_that_changes_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 2).await;
        let edit = Edit { user_id: ann.id, rules: ProgressRules::default(), history_max_days: None, now: app.now() };
        let mut listener = app.db.subscribe();
        app.db.transaction(async |tx| {
            let marks = Marks { video_ids: films.clone(), watched: true };
            edit::mark_many(tx, &edit, &marks).await?;
            edit::mark_many(tx, &edit, &marks).await?;
            edit::unhide(tx, &edit, films[0]).await?;
            edit::hide(tx, &edit, films[0], Hiding::default()).await?;
            edit::forget_many(tx, &edit, &VideoList { video_ids: vec![films[1]] }).await
        }).await.unwrap();
        edit::clear(&app.db, &edit, Clearing::default()).await.unwrap();
        let changed = |video_id| Event::EntryChanged { user_id: ann.id, video_id };
        for event in [changed(films[0]), changed(films[1]), changed(films[0])] {
            assert_eq!(next(&mut listener).await, event);
        }
        assert_eq!(next(&mut listener).await, Event::EntryForgotten { user_id: ann.id, video_id: films[1] });
        let before = edit.now + TimeDelta::milliseconds(1);
        assert_eq!(next(&mut listener).await, Event::HistoryCleared { user_id: ann.id, before });
        assert_eq!(listener.try_next(), Err(TryRecvError::Empty));
    }

    async fn a_save_is_heard_only_after_its_commit(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let (history, mut listener) = (open(&app), app.db.subscribe());
        history::save(&history, ann.id, film, save(1), now()).await.unwrap();
        next(&mut listener).await;
        // Holds the row, or on SQLite the write lock, while the save waits for it.
        let waiting = app.db.transaction(async |tx| {
            let hold = watch_history::Entity::update_many().filter(watch_history::Column::VideoId.eq(film));
            hold.col_expr(watch_history::Column::WatchDuration, Expr::value(0)).exec(tx).await?;
            let mut waiting = Box::pin(history::save(&history, ann.id, film, save(60), now()));
            assert!(tokio::time::timeout(Duration::from_millis(200), &mut waiting).await.is_err());
            assert_eq!(listener.try_next(), Err(TryRecvError::Empty));
            Ok(waiting)
        });
        waiting.await.unwrap().await.unwrap();
        assert_eq!(next(&mut listener).await, saved(ann.id, film));
        for position in 61..81 {
            let (saving, _) = tokio::join!(history::save(&history, ann.id, film, save(position), now()), async {
                assert_eq!(next(&mut listener).await, saved(ann.id, film));
                assert_eq!(stored_position(&app).await, position, "another connection sees it");
            });
            saving.unwrap();
        }
    }

    async fn a_transaction_tells_after_its_commit_and_nothing_when_rolled_back(app: TestApp) {
        let mut listener = app.db.subscribe();
        let deleted = Event::UserDeleted { user_id: 7 };
        let failed: Result<(), Error> = app.db.transaction(async |tx| {
            tx.record(deleted);
            Err(Error::Busy)
        }).await;
        assert!(failed.is_err());
        app.db.transaction(async |tx| {
            tx.record(deleted);
            tx.set_rollback();
            Ok(())
        }).await.unwrap();
        app.db.transaction(async |tx| {
            tx.record(deleted);
            assert_eq!(listener.try_next(), Err(TryRecvError::Empty));
            Ok(())
        }).await.unwrap();
        assert_eq!(listener.try_next(), Ok(deleted));
        assert_eq!(listener.try_next(), Err(TryRecvError::Empty));
    }

    async fn a_listener_that_never_reads_costs_no_save_and_learns_what_it_missed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 100).await;
        let (history, mut slow) = (open(&app), app.db.subscribe());
        let mut saves = 0;
        for round in 0..2 {
            let all = (0..25).flat_map(|n| films.iter().map(move |film| (*film, save(10 + 25 * round + n))));
            let stored = history::save_all(&history, ann.id, all.collect(), now()).await.unwrap();
            saves += stored.iter().flatten().flatten().filter(|entry| entry.applied == Some(true)).count();
        }
        assert_eq!(saves, 5_000);
        let Err(RecvError::Lagged(missed)) = slow.next().await else { panic!("it missed none") };
        let mut heard = 0;
        while slow.try_next().is_ok() {
            heard += 1;
        }
        assert_eq!(missed + heard, 5_000);
    }

    async fn a_listener_that_panics_costs_no_save_and_no_other_listener(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let (history, mut listener, mut broken) = (open(&app), app.db.subscribe(), app.db.subscribe());
        let broken = tokio::spawn(async move {
            let heard = broken.next().await;
            panic!("a listener with a defect heard {heard:?}");
        });
        history::save(&history, ann.id, film, save(60), now()).await.unwrap();
        assert!(broken.await.unwrap_err().is_panic());
        history::save(&history, ann.id, film, save(90), now()).await.unwrap();
        assert_eq!(next(&mut listener).await, saved(ann.id, film));
        assert_eq!(next(&mut listener).await, saved(ann.id, film));
    }
}
