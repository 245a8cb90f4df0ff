//! Recommendations: who is learned from, what is listed and why, and how good the list is.

use crate::app::{Person, TestApp, problem};
use crate::tastes::Tastes;
use entity::{related_video, user, video, watch_history};
use reqwest::{Method, StatusCode};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Value as ColumnValue};
use serde_json::{Value, json};
use service::caller::{Caller, UserRole};
use service::recommendations;
use std::time::Duration;

const RECOMMENDATIONS: &str = "/api/v1/videos/recommendations";
const DAY: Duration = Duration::from_secs(86_400);

/// Sets a column of an account, as the preferences do.
async fn set(app: &TestApp, person: &Person, column: user::Column, value: impl Into<ColumnValue>) {
    let (_guard, writer) = app.db.writer().await.unwrap();
    let update = user::Entity::update_many().col_expr(column, Expr::value(value));
    update.filter(user::Column::Id.eq(person.id)).exec(writer).await.unwrap();
}

async fn switch(app: &TestApp, person: &Person, on: bool) {
    let body = json!({"recommendations": on});
    let changed = app.ask(person, Method::PATCH, "/api/v1/users/me/preferences", Some(body)).await;
    assert_eq!(changed.status(), StatusCode::OK);
}

/// Accounts that switched recommendations on.
async fn fans<const COUNT: usize>(app: &TestApp) -> [Person; COUNT] {
    let mut fans = Vec::new();
    for number in 0..COUNT {
        let fan = app.sign_up(&format!("fan{number}")).await;
        switch(app, &fan, true).await;
        fans.push(fan);
    }
    fans.try_into().unwrap()
}

/// Adds ready videos with these titles and as many views as the title is long.
async fn films<const COUNT: usize>(app: &TestApp, uploader: &Person, titles: [&str; COUNT]) -> [i64; COUNT] {
    let mut ids = [0; COUNT];
    for (id, title) in ids.iter_mut().zip(titles) {
        *id = app.add_video(uploader, title, Some(600)).await;
        set_video(app, *id, video::Column::ViewCount, title.len() as i32).await;
    }
    ids
}

async fn set_video(app: &TestApp, id: i64, column: video::Column, value: impl Into<ColumnValue>) {
    let (_guard, writer) = app.db.writer().await.unwrap();
    let update = video::Entity::update_many().col_expr(column, Expr::value(value));
    update.filter(video::Column::Id.eq(id)).exec(writer).await.unwrap();
}

/// Writes the entry of a video that the person completed now.
async fn complete(app: &TestApp, person: &Person, video_id: i64) -> i64 {
    let (_guard, writer) = app.db.writer().await.unwrap();
    let now = app.now();
    let entry = watch_history::ActiveModel {
        user_id: Set(person.id),
        video_id: Set(video_id),
        watch_position: Set(600),
        completed: Set(true),
        play_count: Set(1),
        completed_at: Set(Some(now)),
        last_watched_at: Set(now),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    watch_history::Entity::insert(entry).exec(writer).await.unwrap().last_insert_id
}

async fn compute(app: &TestApp) {
    recommendations::compute(&app.db, None, app.now()).await.unwrap();
}

async fn list(app: &TestApp, person: &Person, query: &str) -> Vec<Value> {
    let answer = app.ask(person, Method::GET, &format!("{RECOMMENDATIONS}{query}"), None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

/// The titles of the list, a popular one in parentheses.
async fn titles(app: &TestApp, person: &Person) -> Vec<String> {
    let name = |video: &Value| match video["reason"]["kind"].as_str().unwrap() {
        "popular" => format!("({})", video["title"].as_str().unwrap()),
        _ => video["title"].as_str().unwrap().to_owned(),
    };
    list(app, person, "").await.iter().map(name).collect()
}

async fn pairs(app: &TestApp) -> u64 {
    related_video::Entity::find().count(app.db.reader()).await.unwrap()
}

on_both! {
    async fn recommendations_are_refused_until_they_are_switched_on(app: TestApp) {
        let ann = app.sign_up("ann").await;
        let refused = async || problem(app.ask(&ann, Method::GET, RECOMMENDATIONS, None).await, 403, "recommendations_off").await;
        refused().await;
        switch(&app, &ann, true).await;
        assert_eq!(list(&app, &ann, "").await, Vec::<Value>::new());
        switch(&app, &ann, false).await;
        refused().await;
        problem(app.get(RECOMMENDATIONS).await, 401, "unauthenticated").await;
        for limit in ["0", "101", "-1", "x", ""] {
            let refusal = app.ask(&ann, Method::GET, &format!("{RECOMMENDATIONS}?limit={limit}"), None).await;
            let refusal = problem(refusal, 422, "validation_failed").await;
            assert_eq!(refusal["errors"][0]["field"], "limit", "{refusal}");
        }
    }

    async fn what_three_viewers_share_is_recommended_with_its_reason(app: TestApp) {
        let [ann, bob, cid, dan] = fans(&app).await;
        let [seen, next, other, seldom] = films(&app, &ann, ["seen it", "next", "other one", "rare"]).await;
        for fan in [&ann, &bob, &cid] {
            complete(&app, fan, seen).await;
            complete(&app, fan, next).await;
        }
        for fan in [&ann, &bob] {
            complete(&app, fan, seldom).await;
        }
        complete(&app, &dan, seen).await;
        compute(&app).await;
        let listed = list(&app, &dan, "").await;
        let reasons: Vec<_> = listed.iter().map(|video| (video["id"].as_i64().unwrap(), video["reason"].clone())).collect();
        let together = json!({"kind": "watched_together", "video_id": seen, "video_title": "seen it"});
        let popular = json!({"kind": "popular"});
        assert_eq!(reasons, [(next, together), (other, popular.clone()), (seldom, popular)]);
        let single = app.ask(&dan, Method::GET, &format!("/api/v1/videos/{next}"), None).await;
        let mut first = listed[0].clone();
        first.as_object_mut().unwrap().remove("reason");
        assert_eq!(first, single.json::<Value>().await.unwrap(), "it has the fields of a video");
        assert_eq!(list(&app, &dan, "?limit=1").await, listed[..1]);
        let rows = related_video::Entity::find().all(app.db.reader()).await.unwrap();
        assert_eq!(rows.iter().map(|row| (row.video_id, row.related_id, row.viewers)).collect::<Vec<_>>(), [(seen, next, 3), (next, seen, 3)]);
    }

    async fn the_reason_is_the_video_that_contributes_most(app: TestApp) {
        let [ann, bob, cid, dan, eve] = fans(&app).await;
        let [weak, strong, target] = films(&app, &ann, ["weak", "strong", "target"]).await;
        for fan in [&ann, &bob, &cid, &dan] {
            complete(&app, fan, strong).await;
            complete(&app, fan, target).await;
        }
        for fan in [&ann, &bob, &cid] {
            complete(&app, fan, weak).await;
        }
        complete(&app, &eve, weak).await;
        compute(&app).await;
        assert_eq!(list(&app, &eve, "").await[0]["reason"]["video_title"], "weak");
        app.save(&eve, strong, 60).await;
        let listed = list(&app, &eve, "").await;
        assert_eq!((&listed[0]["title"], &listed[0]["reason"]["video_title"]), (&json!("target"), &json!("strong")), "a started video counts too");
    }

    async fn only_viewers_who_agreed_are_learned_from(app: TestApp) {
        let [ann, bob, cid] = fans(&app).await;
        let dan = app.sign_up("dan").await;
        let [one, two] = films(&app, &ann, ["one", "two"]).await;
        for fan in [&ann, &bob, &cid, &dan] {
            complete(&app, fan, one).await;
            complete(&app, fan, two).await;
        }
        for (column, without, with) in [
            (user::Column::Recommendations, ColumnValue::from(false), ColumnValue::from(true)),
            (user::Column::HistoryMode, "positions".into(), "on".into()),
            (user::Column::HistoryMode, "off".into(), "on".into()),
            (user::Column::IsActive, false.into(), true.into()),
        ] {
            set(&app, &cid, column, without).await;
            compute(&app).await;
            assert_eq!(pairs(&app).await, 0, "{column:?}");
            set(&app, &cid, column, with).await;
            compute(&app).await;
            assert_eq!(pairs(&app).await, 2, "{column:?}");
        }
        set(&app, &cid, user::Column::RetentionDays, 10).await;
        app.pass(9 * DAY);
        compute(&app).await;
        assert_eq!(pairs(&app).await, 2);
        app.pass(2 * DAY);
        compute(&app).await;
        assert_eq!(pairs(&app).await, 0, "the entries have expired");
    }

    async fn positions_only_gives_popular_videos_only(app: TestApp) {
        let [ann, bob, cid, dan] = fans(&app).await;
        let [one, two] = films(&app, &ann, ["one", "two"]).await;
        for fan in [&ann, &bob, &cid] {
            complete(&app, fan, one).await;
            complete(&app, fan, two).await;
        }
        complete(&app, &dan, one).await;
        compute(&app).await;
        assert_eq!(titles(&app, &dan).await, ["two"]);
        set(&app, &dan, user::Column::HistoryMode, "positions").await;
        assert_eq!(titles(&app, &dan).await, ["(two)"]);
    }

    async fn completed_hidden_and_invisible_videos_are_never_recommended(app: TestApp) {
        let [ann, bob, cid, dan] = fans(&app).await;
        let all = films(&app, &ann, ["seed", "completed", "again", "hidden", "for a day", "deleted", "failed", "free"]).await;
        for fan in [&ann, &bob, &cid] {
            for film in all {
                complete(&app, fan, film).await;
            }
        }
        let [seed, completed, again, hidden, for_a_day, deleted, failed, _] = all;
        app.save(&dan, seed, 60).await;
        complete(&app, &dan, completed).await;
        let change = async |entry: watch_history::ActiveModel| {
            let (_guard, writer) = app.db.writer().await.unwrap();
            watch_history::Entity::update(entry).exec(writer).await.unwrap();
        };
        let entry = async |film| watch_history::ActiveModel { id: Set(complete(&app, &dan, film).await), completed: Set(false), ..Default::default() };
        change(entry(again).await).await;
        let not_watched = async |film| watch_history::ActiveModel { play_count: Set(0), watch_position: Set(60), hidden: Set(true), ..entry(film).await };
        change(not_watched(hidden).await).await;
        change(watch_history::ActiveModel { hidden_until: Set(Some(app.now() + DAY)), ..not_watched(for_a_day).await }).await;
        compute(&app).await;
        for (film, status) in [(deleted, "deleted"), (failed, "failed")] {
            set_video(&app, film, video::Column::Status, status).await;
        }
        let mut listed = titles(&app, &dan).await;
        listed.sort();
        assert_eq!(listed, ["free", "seed"]);
        app.pass(DAY);
        let dan = app.sign_in_again(&dan).await;
        let mut listed = titles(&app, &dan).await;
        listed.sort();
        assert_eq!(listed, ["for a day", "free", "seed"]);
        let ann = app.sign_in_again(&ann).await;
        assert_eq!(titles(&app, &ann).await, [""; 0], "not even the uploader gets a video that is not ready");
        compute(&app).await;
        let rows = related_video::Entity::find().all(app.db.reader()).await.unwrap();
        assert!(rows.iter().all(|row| ![deleted, failed].contains(&row.related_id)), "{rows:?}");
    }

    async fn a_new_computation_replaces_what_was_before(app: TestApp) {
        let [ann, bob, cid] = fans(&app).await;
        let [one, two, three] = films(&app, &ann, ["one", "two", "three"]).await;
        for fan in [&ann, &bob, &cid] {
            for film in [one, two, three] {
                complete(&app, fan, film).await;
            }
        }
        compute(&app).await;
        assert_eq!(pairs(&app).await, 6);
        let gone = app.ask(&ann, Method::DELETE, &format!("/api/v1/videos/{three}"), None).await;
        assert_eq!(gone.status(), StatusCode::NO_CONTENT);
        assert_eq!(pairs(&app).await, 2, "the rows of a video go with it");
        app.take_statements();
        compute(&app).await;
        assert_eq!(pairs(&app).await, 2);
        assert_eq!(app.leave(&cid).await.status(), StatusCode::NO_CONTENT);
        compute(&app).await;
        assert_eq!(pairs(&app).await, 0, "two viewers are too few");
    }

    async fn recommendations_find_the_videos_of_a_taste(app: TestApp) {
        let tastes = Tastes::make(&app).await;
        compute(&app).await;
        let (mut hits, mut popular_hits, mut of_group) = (0, 0, 0);
        for viewer in &tastes.viewers {
            let caller = Caller { id: viewer.id, role: UserRole::User, history_since: None };
            let listed = recommendations::list(&app.db, caller, 10, None, app.now()).await.unwrap();
            assert_eq!(listed.len(), 10);
            hits += usize::from(listed.iter().any(|recommended| recommended.video.id == viewer.left_out));
            of_group += listed.iter().filter(|recommended| viewer.of_group.contains(&recommended.video.id)).count();
            popular_hits += usize::from(tastes.popular_for(viewer, 10).contains(&viewer.left_out));
        }
        let percent = |hits: usize| 100 * hits / tastes.viewers.len();
        let (rate, popular, of_group) = (percent(hits), percent(popular_hits), percent(of_group) / 10);
        let figures = format!("hit rate at 10: {rate} %, of popular videos {popular} %; {of_group} % are of the group");
        println!("{figures}");
        assert!(rate >= 50 && rate >= 5 * popular && of_group >= 60, "{figures}");
    }
}
