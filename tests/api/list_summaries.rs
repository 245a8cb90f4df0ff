//! What lists show of videos is kept in memory, and is right all the same.

use crate::app::{PASSWORD, Person, TestApp};
use crate::library::{put, scan};
use reqwest::Method;
use serde_json::{Value, json};
use service::progress::ProgressRules;
use service::user;
use service::watch_history::{self, ContinueWatching, History};

const LIST: &str = "/api/v1/videos/continue-watching";

/// The only item of a list.
async fn item(app: &TestApp, person: &Person) -> Value {
    let mut list = app.ask_json(person, Method::GET, LIST, None).await;
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    list[0].take()
}

async fn patch(app: &TestApp, owner: &Person, video: i64, change: Value) {
    app.ask_json(owner, Method::PATCH, &format!("/api/v1/videos/{video}"), Some(change)).await;
}

/// The history as another process opens it.
fn other_process(app: &TestApp) -> History {
    History::open(&app.db, ProgressRules::default(), None).unwrap()
}

async fn list(app: &TestApp, history: &History, person: &Person) -> Vec<ContinueWatching> {
    watch_history::continue_watching(history, person.id, 20, None, app.now()).await.unwrap()
}

on_both! {
    async fn a_change_of_a_video_is_in_the_next_list_of_every_process(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&bob, film, 60).await;
        let other = other_process(&app);
        for (field, listed, value) in [
            ("title", "video_title", json!("another film")),
            ("description", "video_description", json!("Filmed at night.")),
            ("description", "video_description", json!(null)),
            ("duration", "video_duration", json!(1200)),
            ("duration", "video_duration", json!(null)),
            ("thumbnail_path", "video_thumbnail_path", json!("/a.jpg")),
            ("thumbnail_path", "video_thumbnail_path", json!(null)),
        ] {
            item(&app, &bob).await;
            list(&app, &other, &bob).await;
            patch(&app, &ann, film, json!({field: value})).await;
            assert_eq!(item(&app, &bob).await[listed], value, "{field}");
            let [item] = &list(&app, &other, &bob).await[..] else { panic!("one item") };
            assert_eq!(serde_json::to_value(item).unwrap()[listed], value, "{field}, in another process");
        }
    }

    async fn a_new_name_of_the_uploader_is_in_the_next_list(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&bob, film, 60).await;
        assert_eq!(item(&app, &bob).await["uploader_username"], "ann");
        let rename = json!({"username": "hannah", "current_password": PASSWORD});
        app.ask_json(&ann, Method::PATCH, "/api/v1/users/me", Some(rename)).await;
        assert_eq!(item(&app, &bob).await["uploader_username"], "hannah");
    }

    async fn a_deleted_video_is_not_in_the_next_list(app: TestApp) {
        let (ann, bob, carol) = (app.sign_up("ann").await, app.sign_up("bob").await, app.sign_up("carol").await);
        let (film, other) = (app.add_video(&ann, "film", None).await, app.add_video(&carol, "other", None).await);
        app.save(&bob, film, 60).await;
        app.save(&bob, other, 60).await;
        assert_eq!(app.continue_watching(&bob).await, ["other", "film"]);
        app.ask(&ann, Method::DELETE, &format!("/api/v1/videos/{film}"), None).await;
        assert_eq!(app.continue_watching(&bob).await, ["other"]);
        app.leave(&carol).await;
        assert_eq!(app.continue_watching(&bob).await, [""; 0]);
    }

    async fn what_a_scan_by_command_changes_is_in_the_next_list(app: TestApp) {
        let ann = app.sign_up("ann").await;
        put(&app, "two-seconds.mp4", "a.mp4");
        scan(&app, &ann).await;
        let film = app.ask_json(&ann, Method::GET, "/api/v1/videos", None).await[0]["id"].as_i64().unwrap();
        patch(&app, &ann, film, json!({"duration": 600})).await;
        app.save(&ann, film, 60).await;
        assert_eq!(item(&app, &ann).await["video_thumbnail_path"], json!(null));
        std::fs::write(app.media.join("a.jpg"), b"a picture").unwrap();
        scan(&app, &ann).await;
        assert_eq!(item(&app, &ann).await["video_thumbnail_path"], format!("/api/v1/videos/{film}/thumbnail"));
    }

    async fn a_hidden_video_stays_in_the_lists_of_its_uploader_and_administrators(app: TestApp) {
        let (admin, ann, bob) = (app.sign_up("admin").await, app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        for person in [&admin, &ann, &bob] {
            app.save(person, film, 60).await;
            assert_eq!(app.continue_watching(person).await, ["film"]);
        }
        app.change_videos("UPDATE videos SET status = 'failed'").await;
        assert_eq!(app.continue_watching(&admin).await, ["film"]);
        assert_eq!(app.continue_watching(&ann).await, ["film"]);
        assert_eq!(app.continue_watching(&bob).await, [""; 0]);
        app.change_videos("UPDATE videos SET status = 'deleted'").await;
        for person in [&admin, &ann, &bob] {
            assert_eq!(app.continue_watching(person).await, [""; 0], "{}", person.name);
        }
    }

    async fn a_change_that_is_rolled_back_is_in_no_list(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 60).await;
        let change = json!({"title": "other", "thumbnail_path": "http://insecure.example/a.jpg"});
        let refused = app.ask(&ann, Method::PATCH, &format!("/api/v1/videos/{film}"), Some(change)).await;
        assert_eq!(refused.status(), 422);
        assert_eq!(item(&app, &ann).await["video_title"], "film");
    }

    async fn a_list_is_never_older_than_a_change_that_was_answered(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 6).await;
        for film in &films {
            app.save(&ann, *film, 60).await;
        }
        let other = other_process(&app);
        let changes = async |film: i64| {
            for n in 1..=40 {
                patch(&app, &ann, film, json!({"title": format!("{n}")})).await;
                let list = list(&app, &other, &ann).await;
                let listed = list.iter().find(|item| item.video_id == film).unwrap();
                assert_eq!(listed.video_title, n.to_string(), "in another process");
                let list = app.ask_json(&ann, Method::GET, LIST, None).await;
                let listed = list.as_array().unwrap().iter().find(|item| item["video_id"] == film).unwrap();
                assert_eq!(listed["video_title"], n.to_string());
            }
        };
        let [a, b, c, ..] = films[..] else { panic!("six films") };
        tokio::join!(changes(a), changes(b), changes(c), async {
            for n in 1..=20 {
                let name = json!({"username": format!("ann {n}"), "current_password": PASSWORD});
                app.ask_json(&ann, Method::PATCH, "/api/v1/users/me", Some(name)).await;
                let list = list(&app, &other, &ann).await;
                assert!(list.iter().all(|item| item.uploader_username == format!("ann {n}")));
            }
        });
        assert_eq!(user::find(app.db.reader(), ann.id).await.unwrap().username, "ann 20");
    }
}
