//! Ann's browser with a video open, and the stored entry.

use crate::browser::Browser;
use crate::program::Program;
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::Value;

/// The number of queued saves in the browser.
pub const WAITING: &str = "Object.keys(localStorage).filter((key) => key.startsWith('playhead:queue:')).length";

/// The stored entry.
#[derive(Debug)]
pub struct Row {
    pub user: i64,
    pub position: i32,
    pub watched: i32,
    pub session: Option<String>,
    pub sequence: Option<i32>,
    pub last_watched_at: DateTimeUtc,
}

pub async fn row(program: &Program) -> Option<Row> {
    let db = program.database().await;
    let sql =
        "SELECT user_id, watch_position, watch_duration, player_session, sequence, last_watched_at FROM watch_history";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().map(|row| Row {
        user: row.try_get("", "user_id").unwrap(),
        position: row.try_get("", "watch_position").unwrap(),
        watched: row.try_get("", "watch_duration").unwrap(),
        session: row.try_get("", "player_session").unwrap(),
        sequence: row.try_get("", "sequence").unwrap(),
        last_watched_at: row.try_get("", "last_watched_at").unwrap(),
    });
    db.close().await.unwrap();
    row
}

/// Saves as another device of a user, and returns whether the save was applied.
pub async fn save_elsewhere(program: &Program, name: &str, save: Value) -> bool {
    let request = reqwest::Client::new().post(program.url("/api/v1/videos/1/watch-history")).json(&save);
    let entry = request.bearer_auth(program.token(name).await).send().await.unwrap();
    entry.json::<Value>().await.unwrap()["applied"].as_bool().unwrap()
}

/// A server with one video, and Ann's browser with it open.
pub async fn ann_with_a_video_open() -> (Program, Browser) {
    ann_with_a_video_of(Program::start()).await
}

pub async fn ann_with_a_video_of(program: Program) -> (Program, Browser) {
    program.create_user("ann");
    program.create_user("bob");
    program.scan();
    let browser = Browser::start().await;
    browser.sign_in(&program, "ann").await;
    open_video(&program, &browser).await;
    (program, browser)
}

pub async fn open_video(program: &Program, browser: &Browser) {
    browser.open(&program.url("/#/videos/1")).await;
    browser.wait_until("document.querySelector('#player').readyState >= 2").await;
}

/// Records the saves that the page sends from now on in `sent`.
pub async fn watch_requests(browser: &Browser) {
    browser
        .script(
            "window.sent = []; const real = window.fetch; window.fetch = async (url, init) => { \
               const answer = await real(url, init); \
               if (init?.body && url.includes('watch-history')) sent.push({ url, ...JSON.parse(init.body) }); \
               return answer; }",
        )
        .await;
}

/// Opens the video while the history is blocked, and plays it for longer than the player waits for
/// a response.
pub async fn play_without_an_answer(program: &Program, browser: &Browser) {
    browser.lose_the_history().await;
    open_video(program, browser).await;
    browser.script("document.querySelector('#player').playbackRate = 8").await;
    browser.play_until(12.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    browser.wait_until(&format!("{WAITING} >= 1")).await;
}

pub async fn status_says(browser: &Browser, words: &str) {
    browser.wait_until(&format!("document.querySelector('#save-status').textContent === '{words}'")).await;
}
