//! Conflicting positions: those of the server, those queued in the browser, and those that the
//! player made up.

use crate::browser::Browser;
use crate::program::{PASSWORD, Program};
use crate::video_page::{WAITING, ann_with_a_video_of, ann_with_a_video_open, open_video, save_elsewhere, status_says};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// A numeric column of a user's entry. User 1 is Ann, user 2 is Bob.
pub async fn number(program: &Program, user: i64, column: &str) -> i32 {
    let db = program.database().await;
    let sql = format!("SELECT {column} FROM watch_history WHERE user_id = {user}");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    db.close().await.unwrap();
    row.map_or(-1, |row| row.try_get_by_index(0).unwrap())
}

pub async fn wait_for(program: &Program, user: i64, column: &str, expected: i32) {
    let begun = Instant::now();
    while number(program, user, column).await != expected {
        assert!(begun.elapsed() < Duration::from_secs(15), "{column} is {}", number(program, user, column).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Leaves a position in the browser's queue that the server does not get.
async fn queue_a_position(browser: &Browser) {
    browser.lose_the_history().await;
    browser.seek(36.0).await;
    status_says(browser, "Offline, kept here: 0:36").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn resuming_an_older_queued_position_does_not_beat_another_device() {
    let (program, browser) = ann_with_a_video_open().await;
    queue_a_position(&browser).await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 50, "session_id": "television"})).await);
    browser.script("window.fetch = () => Promise.reject(new TypeError('no network'))").await;
    open_video(&program, &browser).await;
    browser.wait_until("document.querySelector('#player').currentTime >= 36").await;
    browser.play_until(39.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    browser.wait_until(&format!("{WAITING} === 2")).await;

    browser.bring_the_history_back().await;
    browser.wait_until(&format!("{WAITING} === 0")).await;
    browser.wait_until("document.querySelector('#player').currentTime >= 50").await;
    assert_eq!(number(&program, 1, "watch_position").await, 50);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_save_that_cannot_be_checked_does_not_block_others() {
    let (program, browser) = ann_with_a_video_open().await;
    browser
        .script(
            "const real = window.fetch; \
             window.fetch = (url, init) => (url.endsWith('/watch-history') && init.method === 'GET' \
               ? Promise.resolve(new Response('', { status: 500 })) : real(url, init)); \
             const save = (session, more) => localStorage.setItem(`playhead:queue:1:${session}:1`, JSON.stringify({ \
               video: 1, position: 42, watched: 9, session, sequence: 1, at: Date.now(), page: 0, tick: 0, ...more })); \
             save('asked', { unsure: true, at: Date.now() - 60000 }); \
             save('sure', {}); \
             import('/api.js').then(({ playhead }) => playhead.deliver())",
        )
        .await;
    program.wait_for_position(|saved| saved == 42).await;
    browser.wait_until(&format!("{WAITING} === 1")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn without_a_network_one_request_is_enough() {
    let (_program, browser) = ann_with_a_video_open().await;
    // The page has requests of its own, which are not counted.
    browser
        .script(
            "window.asked = 0; \
             window.fetch = () => Promise.reject(new TypeError('no network')); \
             const fetch = () => (window.asked++, window.fetch()); \
             for (const session of 'abcdef') localStorage.setItem(`playhead:queue:1:${session}:1`, JSON.stringify({ video: 1, \
               position: 42, watched: 9, session, sequence: 1, at: Date.now(), page: 0, tick: 0, unsure: true })); \
             Promise.all([import('/playhead.js'), import('/session.js')]) \
               .then(([{ createPlayhead }, session]) => createPlayhead({ getToken: session.token, fetch }).deliver()) \
               .then(() => (window.after = window.asked))",
        )
        .await;
    browser.wait_until("window.after === 1").await;
    assert_eq!(browser.number(WAITING).await, 6.0);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_player_resumes_from_a_queued_position() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.seek(20.0).await;
    program.wait_for_position(|saved| saved == 20).await;
    browser
        .script(
            "localStorage.setItem('playhead:queue:1:earlier:1', JSON.stringify({ video: 1, \
               position: 45, watched: 9, session: 'earlier', sequence: 1, at: Date.now(), page: 0, tick: 0 })); \
             const real = window.fetch; window.asked = false; \
             window.fetch = async (url, init) => { \
               const method = url.endsWith('/watch-history') ? init.method : ''; \
               if (method === 'POST' && !window.asked) return new Response('', { status: 503 }); \
               const answer = await real(url, init); \
               window.asked ||= method === 'GET'; \
               return answer; }; \
             location.hash = '#/'",
        )
        .await;
    browser.see("[href='#/videos/1']").await;
    browser.script("location.hash = '#/videos/1'").await;
    browser.wait_until("document.querySelector('#player').currentTime >= 45").await;
    program.wait_for_position(|saved| saved == 45).await;
    browser.wait_until(&format!("{WAITING} === 0")).await;
    assert!(browser.position().await >= 45.0);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn playback_after_a_start_over_beats_a_late_save_of_an_older_session() {
    let (program, browser) = ann_with_a_video_open().await;
    let telephone = |position: i32, sequence: i32, age: i32| json!({"watch_position": position, "session_id": "telephone", "sequence": sequence, "age_ms": age});
    assert!(save_elsewhere(&program, "ann", telephone(50, 1, 0)).await);
    browser.click("#start-over").await;
    program.wait_for_position(|saved| saved == 0).await;
    browser.play_until(2.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    program.wait_for_position(|saved| saved >= 2).await;
    assert!(!save_elsewhere(&program, "ann", telephone(55, 2, 600_000)).await);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_late_start_over_does_not_beat_a_newer_position() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.lose_the_history().await;
    browser.click("#start-over").await;
    status_says(&browser, "Offline, kept here: 0:00").await;
    browser.script("document.querySelector('#player').pause(); window.fetch = () => Promise.reject(new TypeError('no network'))").await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 50, "session_id": "telephone"})).await);
    browser.bring_the_history_back().await;
    open_video(&program, &browser).await;
    browser.wait_until(&format!("{WAITING} === 0")).await;
    browser.wait_until("document.querySelector('#player').currentTime >= 50").await;
    assert_eq!(number(&program, 1, "watch_position").await, 50);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_user_who_signs_in_meanwhile_resumes_their_own_position() {
    let (program, browser) = ann_with_a_video_open().await;
    assert!(save_elsewhere(&program, "bob", json!({"watch_position": 50, "session_id": "television"})).await);
    browser.seek(32.0).await;
    browser.play_until(33.0).await;
    // As a second tab would.
    browser
        .script(&format!(
            "const ask = async (path, init) => (await fetch('/api/v1/' + path, init)).json(); \
             const login = new URLSearchParams({{ username: 'bob', password: '{PASSWORD}' }}); \
             Promise.all([import('/session.js'), ask('auth/login', {{ method: 'POST', body: login }})]) \
               .then(async ([session, tokens]) => {{ \
                 const who = await ask('auth/me', {{ headers: {{ authorization: `Bearer ${{tokens.access_token}}` }} }}); \
                 session.end(); session.start(tokens, who) }})"
        ))
        .await;
    browser.wait_until("document.querySelector('#signed-in-user').textContent.includes('bob')").await;
    browser.wait_until("document.querySelector('#player').currentTime >= 50").await;
    browser.wait_until("document.querySelector('#player').paused").await;
    browser.play_until(52.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    #[expect(clippy::cast_possible_truncation, reason = "the clip is short")]
    let here = browser.position().await as i32;
    status_says(&browser, &format!("Saved at 0:{here}")).await;
    wait_for(&program, 2, "watch_position", here).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_short_clip_played_repeatedly_counts_once_per_player_session() {
    let program = Program::start();
    let media = program.folder.path().join("media");
    std::fs::remove_dir_all(&media).unwrap();
    std::fs::create_dir(&media).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/two-seconds.webm");
    std::fs::copy(fixture, media.join("Two seconds.webm")).unwrap();
    let (program, browser) = ann_with_a_video_of(program).await;
    for _ in 0..3 {
        browser.seek(0.6).await;
        browser.play_until(2.0).await;
        wait_for(&program, 1, "completed", 1).await;
        browser.seek(1.0).await;
        wait_for(&program, 1, "watch_position", 1).await;
    }
    assert_eq!(number(&program, 1, "play_count").await, 1);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_video_stored_at_its_end_is_saved_when_it_is_watched_again() {
    let (program, browser) = ann_with_a_video_open().await;
    // Without a duration the server cannot know that it is the end.
    program.execute("UPDATE videos SET duration = NULL").await;
    // The end is kept as a whole number of seconds, which may be up to half a one before that of
    // the file.
    for end in [60, 59] {
        assert!(save_elsewhere(&program, "ann", json!({"watch_position": end})).await);
        open_video(&program, &browser).await;
        browser.play_until(7.0).await;
        browser.script("document.querySelector('#player').pause()").await;
        program.wait_for_position(|saved| (7..20).contains(&saved)).await;
    }
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_seek_stays_when_the_page_reloads_the_media() {
    let (program, browser) = ann_with_a_video_open().await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 50, "session_id": "television"})).await);
    open_video(&program, &browser).await;
    browser.wait_until("document.querySelector('#player').currentTime >= 50").await;
    browser.seek(34.0).await;
    program.wait_for_position(|saved| saved == 34).await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 52, "session_id": "television"})).await);
    browser.script("document.querySelector('#player').load()").await;
    browser.wait_until("document.querySelector('#player').currentTime >= 34").await;
    browser.play_until(37.0).await;
    browser.close_tab().await;
    program.wait_for_position(|saved| (37..50).contains(&saved)).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_position_that_could_not_be_forgotten_is_kept() {
    let (program, browser) = ann_with_a_video_open().await;
    queue_a_position(&browser).await;
    browser.click("#forget").await;
    status_says(&browser, "Your place could not be forgotten. Please try again.").await;
    assert_eq!(browser.number(WAITING).await, 1.0);
    browser.bring_the_history_back().await;
    program.wait_for_position(|saved| saved == 36).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_start_over_after_a_sign_out_keeps_the_former_user_s_position() {
    let (program, browser) = ann_with_a_video_open().await;
    browser
        .script(
            "Promise.all([import('/playhead.js'), import('/session.js')]).then(([{ createPlayhead }, session]) => { \
               window.token = session.token(); window.states = []; \
               window.video = document.querySelector('#player').cloneNode(); \
               const playhead = createPlayhead({ getToken: () => window.token }); \
               const onState = ({ state }) => window.states.push(state); \
               window.handle = playhead.attach(window.video, 1, { onState }) })",
        )
        .await;
    browser.wait_until("states.includes('ready')").await;
    browser.script("window.video.currentTime = 36").await;
    program.wait_for_position(|saved| saved == 36).await;
    browser.wait_until(&format!("{WAITING} === 0")).await;
    browser.script("window.token = null; window.video.currentTime = 40").await;
    browser.wait_until("states.includes('signed-out')").await;
    browser.script("window.handle.startOver()").await;
    browser.wait_until("window.video.currentTime < 30").await;
    let kept = "Object.keys(localStorage).filter((key) => key.startsWith('playhead:queue:')).map((key) => JSON.parse(localStorage[key]).position)";
    browser.wait_until(&format!("{kept}.join() === '40'")).await;
}
