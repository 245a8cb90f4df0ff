//! Undo, hide and show: what a viewer changes of one entry without a player.

use crate::app::{Person, TestApp, TestOptions, history, problem, send};
use chrono::{DateTime, TimeDelta, Utc};
use entity::video;
use reqwest::{Method, Response, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use service::plays::PlayId;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

async fn undo(app: &TestApp, person: &Person, video: i64) -> Response {
    app.ask(person, Method::POST, &format!("{}/undo", history(video)), None).await
}

async fn hide(app: &TestApp, person: &Person, video: i64, body: Option<Value>) -> Response {
    app.ask(person, Method::PUT, &format!("{}/hidden", history(video)), body).await
}

async fn show(app: &TestApp, person: &Person, video: i64) -> Response {
    app.ask(person, Method::DELETE, &format!("{}/hidden", history(video)), None).await
}

/// The entry of an answer with status 200.
async fn entry(answer: Response) -> Value {
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

/// A server on which entries expire after a day.
fn one_day() -> TestOptions {
    TestOptions { history_max_days: Some(1), ..TestOptions::default() }
}

fn time(entry: &Value, field: &str) -> DateTime<Utc> {
    entry[field].as_str().unwrap().parse().unwrap()
}

/// A film of ten minutes that was watched in the living room to second 300, and a minute later on a
/// telephone to second 20.
async fn watched_twice(app: &TestApp, person: &Person) -> i64 {
    let film = app.add_video(person, "film", Some(600)).await;
    let first = json!({"watch_position": 300, "session_id": "a", "sequence": 1, "device": "Living room"});
    app.send_save(person, film, first).await;
    app.pass(MINUTE);
    let second = json!({"watch_position": 20, "session_id": "b", "sequence": 1, "device": "Telephone"});
    app.send_save(person, film, second).await;
    app.pass(MINUTE);
    film
}

on_both! {
    async fn undo_swaps_the_position_and_the_previous_one(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = watched_twice(&app, &ann).await;
        let before = app.entry(&ann, film).await;
        assert_eq!((&before["previous"]["position"], &before["previous"]["device"]), (&json!(300), &json!("Living room")));
        let undone = entry(undo(&app, &ann, film).await).await;
        assert_eq!((&undone["watch_position"], &undone["device"]), (&json!(300), &json!("Living room")));
        let given_up = json!({"position": 20, "device": "Telephone", "at": before["last_watched_at"]});
        assert_eq!(undone["previous"], given_up);
        assert!(time(&undone, "last_watched_at") >= time(&before, "last_watched_at") + TimeDelta::seconds(60));
        assert_eq!(app.entry(&ann, film).await, undone);
    }

    async fn a_second_undo_takes_the_first_one_back(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = watched_twice(&app, &ann).await;
        let once = entry(undo(&app, &ann, film).await).await;
        app.pass(MINUTE);
        let twice = entry(undo(&app, &ann, film).await).await;
        assert_eq!((&twice["watch_position"], &twice["device"]), (&json!(20), &json!("Telephone")));
        assert_eq!(twice["previous"], json!({"position": 300, "device": "Living room", "at": once["last_watched_at"]}));
    }

    async fn undo_after_start_over_goes_back_and_computes_completed(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 590).await;
        assert_eq!(app.save(&ann, film, 0).await["completed"], false);
        let undone = entry(undo(&app, &ann, film).await).await;
        assert_eq!((&undone["watch_position"], &undone["completed"]), (&json!(590), &json!(true)));
        assert_eq!((&undone["play_count"], &undone["previous"]["position"]), (&json!(1), &json!(0)));
    }

    async fn a_save_after_an_undo_goes_on_from_there(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = watched_twice(&app, &ann).await;
        undo(&app, &ann, film).await;
        let older = json!({"watch_position": 25, "session_id": "c", "sequence": 1, "age_ms": 60_000});
        assert_eq!(app.send_save(&ann, film, older).await["applied"], false, "it is older than the undo");
        let next = json!({"watch_position": 310, "session_id": "b", "sequence": 2});
        let next = app.send_save(&ann, film, next).await;
        assert_eq!((&next["watch_position"], &next["applied"]), (&json!(310), &json!(true)));
    }

    async fn undo_without_a_previous_position_is_refused(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        problem(undo(&app, &ann, film).await, 404, "watch_history_not_found").await;
        problem(undo(&app, &ann, film + 1).await, 404, "video_not_found").await;
        app.save(&ann, film, 100).await;
        let before = app.entry(&ann, film).await;
        problem(undo(&app, &ann, film).await, 409, "nothing_to_undo").await;
        assert_eq!(app.entry(&ann, film).await, before);
    }

    async fn a_hidden_video_leaves_the_list_until_a_save_moves_it(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        for body in [None, Some(json!({})), Some(json!({"until": null}))] {
            let hidden = entry(hide(&app, &ann, film, body).await).await;
            assert_eq!((&hidden["hidden"], &hidden["watch_position"]), (&json!(true), &json!(100)));
        }
        let announced = app.request(Method::PUT, &format!("{}/hidden", history(film))).bearer_auth(&ann.token);
        let announced = send(announced.header("content-type", "application/json")).await;
        assert_eq!(entry(announced).await["hidden"], true, "no body, announced as JSON as some clients do");
        assert!(app.continue_watching(&ann).await.is_empty());
        assert_eq!(app.save(&ann, film, 100).await["hidden"], true, "the position did not move");
        assert_eq!(app.save(&ann, film, 101).await["hidden"], false);
        assert_eq!(app.continue_watching(&ann).await, ["film"]);
    }

    async fn a_hidden_video_can_be_shown_again(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        hide(&app, &ann, film, None).await;
        for _ in 0..2 {
            assert_eq!(entry(show(&app, &ann, film).await).await["hidden"], false);
            assert_eq!(app.continue_watching(&ann).await, ["film"]);
        }
    }

    async fn a_hidden_video_comes_back_at_its_time(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        let until = app.now() + TimeDelta::minutes(10);
        let hidden = hide(&app, &ann, film, Some(json!({"until": until}))).await;
        assert_eq!(entry(hidden).await["hidden"], true);
        app.pass(Duration::from_secs(590));
        assert!(app.continue_watching(&ann).await.is_empty());
        app.pass(Duration::from_secs(10));
        assert_eq!(app.entry(&ann, film).await["hidden"], false);
        assert_eq!(app.continue_watching(&ann).await, ["film"]);
    }

    async fn a_video_that_is_hidden_again_has_another_time(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        hide(&app, &ann, film, Some(json!({"until": app.now() + TimeDelta::minutes(10)}))).await;
        hide(&app, &ann, film, None).await;
        app.pass(Duration::from_secs(1200));
        assert_eq!(app.entry(&ann, film).await["hidden"], true);
    }

    async fn a_time_that_is_past_or_none_hides_nothing(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&ann, film, 100).await;
        let before = app.entry(&ann, film).await;
        let times = [json!(app.now()), json!("2020-01-01T00:00:00Z"), json!("tomorrow"), json!(5), json!("10000-01-01T00:00:00Z")];
        for until in times {
            let refused = hide(&app, &ann, film, Some(json!({"until": until}))).await;
            let refusal = problem(refused, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], "until", "{refusal}");
        }
        let refused = hide(&app, &ann, film, Some(json!({"colour": "red"}))).await;
        assert_eq!(problem(refused, 422, "validation_failed").await["errors"][0]["field"], "colour");
        assert_eq!(app.entry(&ann, film).await, before);
    }

    async fn undo_and_unmark_leave_a_hidden_video_hidden(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let film = watched_twice(&app, &ann).await;
        hide(&app, &ann, film, None).await;
        assert_eq!(entry(undo(&app, &ann, film).await).await["hidden"], true);
        let unmarked = app.ask(&ann, Method::DELETE, &format!("/api/v1/videos/{film}/watched"), None).await;
        assert_eq!(entry(unmarked).await["hidden"], true);
    }

    async fn an_edit_of_a_video_that_the_caller_may_not_see_is_404(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = app.add_video(&ann, "film", Some(600)).await;
        app.save(&bob, film, 100).await;
        let retract = video::Entity::update_many().filter(video::Column::Id.eq(film));
        let retract = retract.col_expr(video::Column::Status, Expr::value("processing"));
        retract.exec(app.db.writer().await.unwrap().1).await.unwrap();
        let watched = format!("/api/v1/videos/{film}/watched");
        problem(undo(&app, &bob, film).await, 404, "video_not_found").await;
        problem(hide(&app, &bob, film, None).await, 404, "video_not_found").await;
        problem(show(&app, &bob, film).await, 404, "video_not_found").await;
        problem(app.ask(&bob, Method::PUT, &watched, None).await, 404, "video_not_found").await;
        problem(app.ask(&bob, Method::DELETE, &watched, None).await, 404, "video_not_found").await;
    }

    async fn an_expired_entry_is_gone_for_every_edit(app: TestApp = one_day()) {
        let ann = app.sign_up("ann").await;
        let film = app.add_video(&ann, "film", Some(600)).await;
        let old = app.save(&ann, film, 100).await;
        app.pass(Duration::from_secs(25 * 3600));
        let ann = app.sign_in_again(&ann).await;
        problem(undo(&app, &ann, film).await, 404, "watch_history_not_found").await;
        problem(hide(&app, &ann, film, None).await, 404, "watch_history_not_found").await;
        problem(show(&app, &ann, film).await, 404, "watch_history_not_found").await;
        let watched = format!("/api/v1/videos/{film}/watched");
        problem(app.ask(&ann, Method::DELETE, &watched, None).await, 404, "watch_history_not_found").await;
        let play = PlayId { entry_id: old["id"].as_i64().unwrap(), number: 1 }.encode();
        problem(app.ask(&ann, Method::DELETE, &format!("/api/v1/plays/{play}"), None).await, 404, "play_not_found").await;
        let marked = app.ask_json(&ann, Method::PUT, &watched, None).await;
        assert_ne!(marked["id"], old["id"], "a mark makes a new entry");
        assert_eq!((&marked["previous"], &marked["watch_position"]), (&Value::Null, &json!(600)));
    }

    async fn forgetting_counts_no_expired_entries(app: TestApp = one_day()) {
        let ann = app.sign_up("ann").await;
        let films = app.add_videos(&ann, 2).await;
        app.save(&ann, films[0], 100).await;
        app.pass(Duration::from_secs(25 * 3600));
        let ann = app.sign_in_again(&ann).await;
        app.save(&ann, films[1], 100).await;
        let forget = app.ask_json(&ann, Method::POST, "/api/v1/watch-history/forget", Some(json!({"video_ids": films})));
        assert_eq!(forget.await["deleted"], 1);
    }

    async fn the_edits_of_one_viewer_leave_the_entries_of_others(app: TestApp) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let film = watched_twice(&app, &ann).await;
        app.save(&bob, film, 50).await;
        let before = app.entry(&bob, film).await;
        undo(&app, &ann, film).await;
        hide(&app, &ann, film, None).await;
        assert_eq!(app.entry(&bob, film).await, before);
        problem(undo(&app, &bob, film).await, 409, "nothing_to_undo").await;
    }
}
