//! What has changed since a device asked last: nothing is skipped, however late it is committed.

use crate::app::{Person, TestApp, TestOptions, history, problem};
use crate::databases::Engine;
use chrono::{DateTime, Utc};
use entity::{changed_video, watch_history};
use reqwest::Method;
use sea_orm::{ColumnTrait, DatabaseBackend, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use service::progress::ProgressRules;
use service::retention::sweep;
use service::watch_history::edit::{self, Edit, Mark};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;

const CHANGES: &str = "/api/v1/watch-history/changes";
const DAY: Duration = Duration::from_secs(86_400);

/// A device that keeps a copy of the history, made of what it is told only.
#[derive(Default)]
struct Device {
    token: Option<String>,
    copy: BTreeMap<i64, Value>,
}

impl Device {
    /// Reads all changes, and returns the videos that were reported, and their positions.
    async fn read(&mut self, app: &TestApp, person: &Person) -> Vec<(i64, Value)> {
        let (mut told, mut more) = (Vec::new(), true);
        while more {
            let page = self.read_page(app, person, 500).await;
            told.extend(page.0);
            more = page.1;
        }
        told
    }

    async fn read_page(&mut self, app: &TestApp, person: &Person, limit: u32) -> (Vec<(i64, Value)>, bool) {
        let since = self.token.iter().map(|token| format!("&since={token}")).collect::<String>();
        let page = app.ask_json(person, Method::GET, &format!("{CHANGES}?limit={limit}{since}"), None).await;
        self.token = Some(page["token"].as_str().unwrap().to_owned());
        let mut told = Vec::new();
        for change in page["changes"].as_array().unwrap() {
            let video = change["video_id"].as_i64().unwrap();
            told.push((video, change["entry"]["watch_position"].clone()));
            match &change["entry"] {
                Value::Null => drop(self.copy.remove(&video)),
                entry => drop(self.copy.insert(video, entry.clone())),
            }
        }
        (told, page["more"].as_bool().unwrap())
    }

    /// It must hear of these positions, null for an entry that is gone, and of nothing else that it
    /// does not know. Other tests have open transactions on the same PostgreSQL, so that changes of
    /// before may be repeated there.
    async fn is_told(&mut self, app: &TestApp, person: &Person, expected: &[(i64, Value)]) {
        let known = self.copy.clone();
        let mut told = self.read(app, person).await;
        if app.db.backend() == DatabaseBackend::Postgres {
            told.retain(|(video, position)| {
                let is_repeated = known.get(video).map_or(&Value::Null, |entry| &entry["watch_position"]) == position;
                !is_repeated || expected.contains(&(*video, position.clone()))
            });
        }
        assert_eq!(told, expected);
    }

    async fn is_refused(&self, app: &TestApp, person: &Person) {
        let path = format!("{CHANGES}?since={}", self.token.as_ref().unwrap());
        problem(app.ask(person, Method::GET, &path, None).await, 410, "changes_expired").await;
    }
}

async fn change(app: &TestApp, person: &Person, method: Method, path: &str, body: Option<Value>) {
    let answer = app.ask(person, method, path, body).await;
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

/// A device that has all of the viewer's entries.
async fn device(app: &TestApp, person: &Person) -> Device {
    let mut device = Device::default();
    device.read(app, person).await;
    device
}

on_both! {
    async fn every_change_of_an_entry_is_told_once(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 3).await;
        app.save(&ann, films[0], 100).await;
        let mut phone = Device::default();
        phone.is_told(&app, &ann, &[(films[0], json!(100))]).await;
        assert_eq!(phone.copy[&films[0]], app.entry(&ann, films[0]).await);
        app.save(&ann, films[1], 200).await;
        phone.is_told(&app, &ann, &[(films[1], json!(200))]).await;
        app.save(&ann, films[0], 110).await;
        app.save(&ann, films[0], 120).await;
        phone.is_told(&app, &ann, &[(films[0], json!(120))]).await;
        change(&app, &ann, Method::PUT, &format!("/api/v1/videos/{}/watched", films[0]), None).await;
        phone.is_told(&app, &ann, &[(films[0], json!(600))]).await;
        change(&app, &ann, Method::POST, &format!("{}/undo", history(films[0])), None).await;
        phone.is_told(&app, &ann, &[(films[0], json!(120))]).await;
        let marks = json!({"video_ids": films, "watched": true});
        change(&app, &ann, Method::POST, "/api/v1/watch-history/mark", Some(marks)).await;
        let ends = Vec::from_iter(films.iter().map(|film| (*film, json!(600))));
        phone.is_told(&app, &ann, &ends).await;
        change(&app, &ann, Method::DELETE, &format!("/api/v1/videos/{}/watched", films[2]), None).await;
        phone.is_told(&app, &ann, &[(films[2], json!(0))]).await;
    }

    async fn an_entry_that_is_deleted_and_made_again_is_told(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 3).await;
        for film in &films {
            app.save(&ann, *film, 100).await;
        }
        let mut phone = device(&app, &ann).await;
        change(&app, &ann, Method::DELETE, &history(films[1]), None).await;
        phone.is_told(&app, &ann, &[(films[1], Value::Null)]).await;
        app.save(&ann, films[1], 7).await;
        phone.is_told(&app, &ann, &[(films[1], json!(7))]).await;
        let forgotten = json!({"video_ids": [films[0], films[1]]});
        change(&app, &ann, Method::POST, "/api/v1/watch-history/forget", Some(forgotten)).await;
        app.save(&ann, films[0], 9).await;
        phone.is_told(&app, &ann, &[(films[0], json!(9)), (films[1], Value::Null)]).await;
        // A device that reads the whole history has nothing to delete.
        assert_eq!(Device::default().read(&app, &ann).await, [(films[0], json!(9)), (films[2], json!(100))]);
    }

    async fn a_page_and_a_write_between_two_pages_skip_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 5).await;
        for film in &films {
            app.save(&ann, *film, 100).await;
        }
        for token in [None, device(&app, &ann).await.token] {
            let is_whole = token.is_none();
            let mut phone = Device { token, copy: BTreeMap::new() };
            for film in &films {
                app.save(&ann, *film, 120).await;
            }
            assert_eq!(phone.read_page(&app, &ann, 2).await.0, [(films[0], json!(120)), (films[1], json!(120))]);
            app.save(&ann, films[0], 140).await;
            change(&app, &ann, Method::DELETE, &history(films[1]), None).await;
            change(&app, &ann, Method::DELETE, &history(films[3]), None).await;
            let gone = [(films[3], Value::Null)].into_iter().filter(|_| !is_whole);
            let second = [(films[2], json!(120))].into_iter().chain(gone).chain([(films[4], json!(120))]);
            let second = Vec::from_iter(second);
            let page = phone.read_page(&app, &ann, 2).await;
            assert_eq!((&page.0[..], page.1), (&second[..2], !is_whole));
            let mut told = phone.read(&app, &ann).await;
            told.extend(phone.read(&app, &ann).await);
            assert!(told.contains(&(films[0], json!(140))) && told.contains(&(films[1], Value::Null)), "{told:?}");
            assert_eq!(phone.copy.keys().copied().collect::<Vec<_>>(), [films[0], films[2], films[4]]);
            app.save(&ann, films[1], 100).await;
            app.save(&ann, films[3], 100).await;
        }
    }

    async fn a_change_that_is_committed_late_is_told(app: TestApp) {
        if app.db.backend() == DatabaseBackend::Sqlite {
            // It has one writer: nothing can be committed beside an open transaction.
            return;
        }
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 2).await;
        for film in &films {
            app.save(&ann, *film, 100).await;
        }
        let (mut phone, mut by_time) = (device(&app, &ann).await, TimeCursor::default());
        by_time.read(&app, &ann).await;
        let (commit, may_commit) = oneshot::channel();
        let (write, written) = oneshot::channel();
        let edit = Edit { user_id: ann.id, rules: ProgressRules::default(), history_max_days: None, now: app.now() };
        let late = app.db.transaction(async |tx| {
            let entry = edit::mark(tx, &edit, films[0], Mark::default()).await;
            write.send(()).unwrap();
            may_commit.await.unwrap();
            entry
        });
        let others = async {
            written.await.unwrap();
            // An event before the commit would make a device read the old entry, and keep it.
            assert_eq!(app.entry(&ann, films[0]).await["watch_position"], 100);
            app.pass(Duration::from_secs(1));
            app.save(&ann, films[1], 200).await;
            // It was committed, so it is told, and repeated until the open transaction ends.
            phone.is_told(&app, &ann, &[(films[1], json!(200))]).await;
            phone.is_told(&app, &ann, &[(films[1], json!(200))]).await;
            assert_eq!(by_time.read(&app, &ann).await, [films[1]]);
            commit.send(()).unwrap();
        };
        tokio::join!(async { late.await.unwrap() }, others);
        phone.is_told(&app, &ann, &[(films[0], json!(600))]).await;
        // The counter-proof: a cursor by time has read past the change.
        assert_eq!(by_time.read(&app, &ann).await, [0; 0]);
    }

    async fn a_deleted_video_is_told_to_its_viewers(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let films = app.add_videos(&ann, 2).await;
        let of_bob = app.add_video(&bob, "of bob", Some(600)).await;
        for film in [films[0], films[1], of_bob] {
            app.save(&ann, film, 100).await;
        }
        let mut phone = device(&app, &ann).await;
        change(&app, &ann, Method::DELETE, &format!("/api/v1/videos/{}", films[0]), None).await;
        phone.is_told(&app, &ann, &[(films[0], Value::Null)]).await;
        app.leave(&bob).await;
        phone.is_told(&app, &ann, &[(of_bob, Value::Null)]).await;
        assert_eq!(phone.copy.keys().copied().collect::<Vec<_>>(), [films[1]]);
        app.pass(31 * DAY);
        sweep(&app.db, None, app.now()).await.unwrap();
        assert_eq!(changed_video::Entity::find().count(app.db.reader()).await.unwrap(), 0);
    }

    async fn a_new_duration_of_a_video_is_told_with_the_progress(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let films = app.add_videos(&ann, 2).await;
        for film in &films {
            app.save(&ann, *film, 100).await;
        }
        let (mut phone, mut of_bob) = (device(&app, &ann).await, device(&app, &bob).await);
        let path = format!("/api/v1/videos/{}", films[0]);
        change(&app, &ann, Method::PATCH, &path, Some(json!({"duration": 1000}))).await;
        phone.is_told(&app, &ann, &[(films[0], json!(100))]).await;
        assert_eq!(phone.copy[&films[0]]["progress_percentage"], 10.0);
        // Who has no entry hears nothing.
        of_bob.is_told(&app, &bob, &[]).await;
    }

    async fn an_entry_that_was_hidden_for_a_day_is_told_then(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        let until = (app.now() + DAY).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        change(&app, &ann, Method::PUT, &format!("{}/hidden", history(film)), Some(json!({"until": until}))).await;
        let mut phone = device(&app, &ann).await;
        assert_eq!(phone.copy[&film]["hidden"], true);
        app.pass(DAY + Duration::from_secs(1));
        let ann = app.sign_in_again(&ann).await;
        phone.read(&app, &ann).await;
        assert_eq!(phone.copy[&film]["hidden"], false);
    }

    async fn after_a_clearing_all_is_read_anew(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let films = app.add_videos(&ann, 2).await;
        app.save(&ann, films[0], 100).await;
        app.save(&bob, films[0], 100).await;
        let (phone, mut of_bob) = (device(&app, &ann).await, device(&app, &bob).await);
        change(&app, &ann, Method::DELETE, "/api/v1/watch-history", None).await;
        phone.is_refused(&app, &ann).await;
        of_bob.is_told(&app, &bob, &[]).await;
        app.save(&ann, films[1], 100).await;
        let mut phone = Device::default();
        phone.is_told(&app, &ann, &[(films[1], json!(100))]).await;
        // Nothing was deleted, so devices go on.
        change(&app, &bob, Method::DELETE, "/api/v1/watch-history?before=2020-01-01T00:00:00Z", None).await;
        of_bob.is_told(&app, &bob, &[]).await;
    }

    async fn after_a_change_of_retention_all_is_read_anew(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 2).await;
        app.save(&ann, films[0], 100).await;
        app.pass(10 * DAY);
        let ann = app.sign_in_again(&ann).await;
        app.save(&ann, films[1], 100).await;
        let mut phone = device(&app, &ann).await;
        let preferences = "/api/v1/users/me/preferences";
        change(&app, &ann, Method::PATCH, preferences, Some(json!({"history": "positions"}))).await;
        phone.is_told(&app, &ann, &[]).await;
        change(&app, &ann, Method::PATCH, preferences, Some(json!({"retention_days": 5}))).await;
        phone.is_refused(&app, &ann).await;
        // The expired entry is gone for the viewer already.
        let phone = device(&app, &ann).await;
        let gone = [(films[0], Value::Null), (films[1], json!(100))];
        assert_eq!(Device::default().read(&app, &ann).await, gone);
        sweep(&app.db, None, app.now()).await.unwrap();
        phone.is_refused(&app, &ann).await;
        assert_eq!(Device::default().read(&app, &ann).await, gone[1..]);
    }

    async fn a_token_is_refused_that_is_damaged_or_of_another(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        let phone = device(&app, &ann).await;
        let token = phone.token.clone().unwrap();
        phone.is_refused(&app, &bob).await;
        for token in ["x", "%F0%9F%A6%80", &token[1..], &format!("B{}", &token[1..]), &token[..token.len() - 4]] {
            let path = format!("{CHANGES}?since={token}");
            problem(app.ask(&ann, Method::GET, &path, None).await, 410, "changes_expired").await;
        }
        let engine = if app.db.backend() == DatabaseBackend::Sqlite { Engine::Sqlite } else { Engine::Postgres };
        let other = TestApp::start(engine).await;
        let ann_there = other.sign_up("ann").await;
        other.save(&ann_there, other.add_video(&ann_there, "film", Some(600)).await, 100).await;
        assert_eq!(ann_there.id, ann.id);
        phone.is_refused(&other, &ann_there).await;
    }

    async fn a_token_is_valid_for_30_days(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        let (mut phone, tablet) = (device(&app, &ann).await, device(&app, &ann).await);
        change(&app, &ann, Method::DELETE, &history(film), None).await;
        app.pass(30 * DAY - Duration::from_secs(3660));
        sweep(&app.db, None, app.now()).await.unwrap();
        let ann = app.sign_in_again(&ann).await;
        phone.is_told(&app, &ann, &[(film, Value::Null)]).await;
        app.pass(Duration::from_secs(120));
        tablet.is_refused(&app, &ann).await;
        phone.is_told(&app, &ann, &[]).await;
    }

    async fn an_entry_that_has_expired_is_not_forgotten_twice(app: TestApp = TestOptions { history_max_days: Some(5), ..TestOptions::default() }) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        let phone = device(&app, &ann).await;
        app.pass(6 * DAY);
        let ann = app.sign_in_again(&ann).await;
        let refused = app.ask(&ann, Method::DELETE, &history(film), None).await;
        problem(refused, 404, "watch_history_not_found").await;
        sweep(&app.db, Some(5), app.now()).await.unwrap();
        // The device had the entry, and is told to drop it.
        phone.is_refused(&app, &ann).await;
    }
}

/// A cursor by the time of the last change, as many programs have it.
#[derive(Default)]
struct TimeCursor(DateTime<Utc>);

impl TimeCursor {
    /// The videos whose entries were changed later than the last one that was read.
    async fn read(&mut self, app: &TestApp, person: &Person) -> Vec<i64> {
        let changed = watch_history::Entity::find()
            .filter(watch_history::Column::UserId.eq(person.id))
            .filter(watch_history::Column::UpdatedAt.gt(self.0));
        let changed = changed.all(app.db.reader()).await.unwrap();
        self.0 = changed.iter().map(|entry| entry.updated_at).max().unwrap_or(self.0);
        changed.into_iter().map(|entry| entry.video_id).collect()
    }
}
