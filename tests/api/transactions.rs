//! Use cases that are joined in one transaction.

use crate::app::{Person, TestApp};
use entity::{user, video};
use sea_orm::{EntityTrait, PaginatorTrait};
use service::Error;
use service::caller::{Caller, UserRole};
use service::progress::ProgressRules;
use service::storage::Transaction;
use service::video::{NewVideo, Video};
use service::watch_history::edit::{self, Edit, Mark, VideoList};

async fn create(tx: &Transaction, person: &Person, title: &str) -> Result<Video, Error> {
    let new = NewVideo { title: title.into(), description: None, duration: None, thumbnail_path: None };
    service::video::create(tx, caller(person), new, 0, chrono::DateTime::UNIX_EPOCH).await
}

fn caller(person: &Person) -> Caller {
    Caller { id: person.id, role: UserRole::User, history_since: None }
}

async fn titles(app: &TestApp) -> Vec<String> {
    video::Entity::find().all(app.db.reader()).await.unwrap().into_iter().map(|video| video.title).collect()
}

on_both! {
    async fn two_use_cases_are_joined_in_one_transaction(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let old = app.add_video(&ann, "old", None).await;
        let new = app.db.transaction(async |tx| {
            let new = create(tx, &ann, "new").await?;
            service::video::delete(tx, caller(&ann), old, app.now()).await?;
            Ok(new)
        });
        assert_eq!(new.await.unwrap().title, "new");
        assert_eq!(titles(&app).await, ["new"]);
    }

    async fn an_error_in_the_second_use_case_undoes_the_first(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "old", None).await;
        let joined = app.db.transaction(async |tx| {
            create(tx, &bob, "new").await?;
            service::video::delete(tx, caller(&bob), film, app.now()).await
        });
        assert!(matches!(joined.await, Err(Error::Forbidden)));
        assert_eq!(titles(&app).await, ["old"]);
        assert!(app.add_video(&bob, "after it", None).await > film, "the lock is free again");
    }

    async fn edits_of_the_history_are_joined_in_one_transaction(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let edit = Edit { user_id: ann.id, rules: ProgressRules::default(), history_max_days: None, now: app.now() };
        let joined = app.db.transaction(async |tx| {
            edit::mark(tx, &edit, film, Mark::default()).await?;
            edit::unmark(tx, &edit, film).await?;
            edit::undo(tx, &edit, film).await
        });
        assert_eq!(joined.await.unwrap().watch_position, 600);
        let failed = app.db.transaction(async |tx| {
            let videos = VideoList { video_ids: vec![film] };
            assert_eq!(edit::forget_many(tx, &edit, &videos).await?.deleted, 1);
            edit::undo(tx, &edit, film).await
        });
        assert!(matches!(failed.await, Err(Error::HistoryNotFound)));
        assert_eq!(app.entry(&ann, film).await["watch_position"], 600);
    }

    async fn a_transaction_can_lock_a_table_and_be_rolled_back_without_an_error(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let seen = app.db.transaction(async |tx| {
            tx.lock_table(user::Entity).await?;
            tx.after_commit(|| panic!("there is no commit"));
            tx.set_rollback();
            create(tx, &ann, "never").await?;
            Ok(video::Entity::find().count(tx).await?)
        });
        assert_eq!(seen.await.unwrap(), 1);
        assert!(titles(&app).await.is_empty());
    }

    async fn a_transaction_that_is_given_up_leaves_nothing_and_frees_the_lock(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let endless = app.db.transaction(async |tx| {
            create(tx, &ann, "never").await?;
            std::future::pending::<Result<(), Error>>().await
        });
        assert!(tokio::time::timeout(std::time::Duration::from_millis(300), endless).await.is_err());
        app.db.transaction(async |tx| create(tx, &ann, "next").await).await.unwrap();
        assert_eq!(titles(&app).await, ["next"]);
    }
}
