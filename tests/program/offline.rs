//! Saves without network: what the player queues, when it sends it, and for which user.

use crate::program::Program;
use crate::video_page::{
    WAITING, ann_with_a_video_of, ann_with_a_video_open, open_video, play_without_an_answer, row, save_elsewhere,
    status_says, watch_requests,
};
use sea_orm::prelude::DateTimeUtc;
use serde_json::json;
use std::time::{Duration, SystemTime};

const HOUR_MS: i64 = 3_600_000;
#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_save_has_its_age_and_its_sequence_in_the_player_session() {
    let (program, browser) = ann_with_a_video_open().await;
    watch_requests(&browser).await;
    for position in [40, 50] {
        browser.seek(f64::from(position)).await;
        program.wait_for_position(|saved| saved == position).await;
    }
    browser.wait_until("sent.length === 2").await;
    assert!(browser.number("sent[0].age_ms").await < 2_000.0 && browser.number("sent[1].age_ms").await < 2_000.0);
    let first = row(&program).await.unwrap();
    assert_eq!(first.sequence, Some(2));
    browser.wait_until(&format!("sent[1].session_id === '{}'", first.session.as_deref().unwrap())).await;

    open_video(&program, &browser).await;
    browser.wait_until("document.querySelector('#player').currentTime >= 50").await;
    browser.seek(45.0).await;
    program.wait_for_position(|saved| saved == 45).await;
    let second = row(&program).await.unwrap();
    assert!(second.sequence == Some(1) && second.session != first.session, "{first:?} {second:?}");
    browser.wait_until(&format!("{WAITING} === 0")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn offline_saves_survive_a_reload_and_are_sent_as_one_batch() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.lose_the_history().await;
    browser.seek(36.0).await;
    status_says(&browser, "Offline, kept here: 0:36").await;
    browser.screenshot("offline").await;

    // The block does not apply to requests that a page sends while it unloads.
    browser.script("window.fetch = () => Promise.reject(new TypeError('no network'))").await;

    // Without a response, the player resumes from its own queue.
    open_video(&program, &browser).await;
    assert_eq!(browser.number(WAITING).await, 1.0);
    browser.wait_until("Math.abs(document.querySelector('#player').currentTime - 36) < 1").await;
    let before = SystemTime::now();
    browser.seek(42.0).await;
    status_says(&browser, "Offline, kept here: 0:42").await;
    let after = SystemTime::now();
    assert_eq!(browser.number(WAITING).await, 2.0);
    assert!(row(&program).await.is_none(), "nothing has reached the server");

    tokio::time::sleep(Duration::from_secs(4)).await;
    watch_requests(&browser).await;
    browser.bring_the_history_back().await;
    program.wait_for_position(|saved| saved == 42).await;
    status_says(&browser, "Saved at 0:42").await;
    assert_eq!(browser.number(WAITING).await, 0.0);
    browser.wait_until("sent.length === 1 && sent[0].url.endsWith('/batch') && sent[0].saves.length === 2").await;
    let watched = row(&program).await.unwrap().last_watched_at;
    // For the request to reach the server; half of what was waited.
    let tolerance = Duration::from_secs(2);
    let (before, after) = (DateTimeUtc::from(before), DateTimeUtc::from(after + tolerance));
    assert!(before <= watched && watched <= after, "{before} {watched} {after}");
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn playback_without_any_response_is_queued_too() {
    let (program, browser) = ann_with_a_video_open().await;
    play_without_an_answer(&program, &browser).await;
    let played = browser.number("document.querySelector('#player').currentTime").await;
    browser.bring_the_history_back().await;
    program.wait_for_position(|saved| saved >= 12).await;
    browser.wait_until(&format!("{WAITING} === 0")).await;
    browser.seek(40.0).await;
    program.wait_for_position(|saved| saved == 40).await;
    let watched = row(&program).await.unwrap().watched;
    assert!(f64::from(watched) <= played / 8.0, "{watched} seconds of {played} at eight times the speed");
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_position_on_the_server_beats_playback_before_its_response() {
    let (program, browser) = ann_with_a_video_open().await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 50, "session_id": "television"})).await);
    for (is_opened_twice, is_reloaded) in [(false, false), (false, true), (true, false)] {
        play_without_an_answer(&program, &browser).await;
        if is_opened_twice {
            play_without_an_answer(&program, &browser).await;
        }
        browser.bring_the_history_back().await;
        if is_reloaded {
            open_video(&program, &browser).await;
        }
        browser.wait_until("document.querySelector('#player').currentTime >= 50").await;
        browser.wait_until(&format!("{WAITING} === 0")).await;
        assert_eq!(row(&program).await.unwrap().position, 50);
    }
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_proxy_that_has_lost_the_server_signs_nobody_out() {
    let (_program, browser) = ann_with_a_video_open().await;
    browser
        .script(
            "import('/session.js').then(async (session) => { \
               for (const status of [404, 401, 200]) { \
                 window.fetch = async () => new Response('<p>Not what you asked for', { status }); \
                 await session.token({ refused: session.current().access_token }).catch(() => {}); \
               } \
               window.left = session.user()?.username ?? 'nobody'; })",
        )
        .await;
    browser.wait_until("window.left === 'ann'").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_tab_that_was_paused_for_hours_does_not_win_when_it_is_closed() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.lose_the_history().await;
    browser.seek(36.0).await;
    status_says(&browser, "Offline, kept here: 0:36").await;
    browser.script("const now = Date.now; Date.now = () => now() + 3 * 3600000").await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 55, "age_ms": HOUR_MS})).await);
    watch_requests(&browser).await;
    browser.bring_the_history_back().await;
    status_says(&browser, "Newer place kept: 0:55").await;
    assert!((browser.number("sent[0].age_ms").await - 3.0 * 3_600_000.0).abs() < 60_000.0);

    // The server already has this position, so closing the tab sends nothing.
    browser.seek(37.0).await;
    program.wait_for_position(|saved| saved == 37).await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 52})).await);
    browser.close_tab().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(row(&program).await.unwrap().position, 52);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_save_queued_hours_ago_does_not_win_when_the_tab_is_closed() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.lose_the_history().await;
    // The clock is moved for the seek only, so that the next page sees the hours as past.
    browser.script("window.clock = Date.now; Date.now = () => clock() - 3 * 3600000").await;
    browser.seek(36.0).await;
    status_says(&browser, "Offline, kept here: 0:36").await;
    browser.script("Date.now = clock").await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 55, "age_ms": HOUR_MS})).await);
    browser.close_tab().await;
    browser.open(&program.url("/")).await;
    browser.wait_until(&format!("{WAITING} === 0")).await;
    assert_eq!(row(&program).await.unwrap().position, 55);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn start_over_and_rewind_beat_the_position_of_another_device() {
    let (program, browser) = ann_with_a_video_open().await;
    for rewind in ["document.querySelector('#start-over').click()", "document.querySelector('#player').currentTime = 3"]
    {
        assert!(save_elsewhere(&program, "ann", json!({"watch_position": 50, "session_id": "television"})).await);
        open_video(&program, &browser).await;
        browser.wait_until("document.querySelector('#player').currentTime >= 50").await;
        browser.script(rewind).await;
        program.wait_for_position(|saved| saved <= 4).await;
        browser.play_until(4.2).await;
        browser.script("document.querySelector('#player').pause()").await;
        program.wait_for_position(|saved| saved >= 4).await;
        browser.close_tab().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(row(&program).await.unwrap().position < 10, "{rewind}");
    }
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_save_of_a_newer_tab_is_not_as_old_as_the_tab_that_sends_it() {
    let (_program, browser) = ann_with_a_video_open().await;
    browser
        .script(
            "import('/playhead/queue.js').then(({ ageOf }) => { \
               performance.now = () => 3 * 3600000; \
               window.age = ageOf({ at: Date.now() - 1000, page: 1, tick: 5 }); })",
        )
        .await;
    browser.wait_until("window.age >= 1000 && window.age < 5000").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_rewind_below_the_resume_minimum_is_saved() {
    let (program, browser) = ann_with_a_video_of(Program::start_with(&[("RESUME_MIN_SECONDS", "45")])).await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": 52, "session_id": "television"})).await);
    open_video(&program, &browser).await;
    browser.wait_until("document.querySelector('#player').currentTime >= 52").await;
    browser.seek(40.0).await;
    program.wait_for_position(|saved| saved == 40).await;
    status_says(&browser, "Saved at 0:40").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_proxy_that_has_lost_the_server_loses_no_save() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.seek(30.0).await;
    program.wait_for_position(|saved| saved == 30).await;
    for (status, position) in [(404, 41), (408, 47)] {
        browser
            .script(&format!(
                "window.real ??= window.fetch; window.fetch = async (url, init) => String(url).includes('watch-history') \
                   ? (window.asked = true, new Response('no such page', {{ status: {status} }})) : real(url, init)"
            ))
            .await;
        browser.script("window.asked = false").await;
        browser.seek(f64::from(position)).await;
        browser.wait_until("window.asked").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(browser.number(WAITING).await, 1.0, "after {status}");
        browser.script("window.fetch = real").await;
        program.wait_for_position(|saved| saved == position).await;
    }
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_queued_save_for_a_deleted_video_is_dropped() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.lose_the_history().await;
    browser.seek(36.0).await;
    status_says(&browser, "Offline, kept here: 0:36").await;
    program.execute("DELETE FROM videos").await;
    browser.bring_the_history_back().await;
    status_says(&browser, "This video was deleted").await;
    assert_eq!(browser.number(WAITING).await, 0.0);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn queued_saves_are_sent_for_their_own_user_only() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.lose_the_history().await;
    browser.seek(36.0).await;
    status_says(&browser, "Offline, kept here: 0:36").await;
    browser.click("#sign-out").await;
    browser.see("[href='#/sign-up']").await;

    browser.bring_the_history_back().await;
    browser.sign_in(&program, "bob").await;
    open_video(&program, &browser).await;
    browser.seek(50.0).await;
    program.wait_for_position(|saved| saved == 50).await;
    status_says(&browser, "Saved at 0:50").await;
    assert_eq!(browser.number(WAITING).await, 1.0);
    assert_eq!(row(&program).await.unwrap().user, 2, "the only row is Bob's");
    program.execute("DELETE FROM watch_history").await;

    browser.click("#sign-out").await;
    browser.sign_in(&program, "ann").await;
    program.wait_for_position(|saved| saved == 36).await;
    assert_eq!(row(&program).await.unwrap().user, 1);
    browser.wait_until(&format!("{WAITING} === 0")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_full_or_broken_local_storage_does_not_stop_saves() {
    let (program, browser) = ann_with_a_video_open().await;
    browser
        .script(
            "for (const junk of ['', '{', 'null', '[]', '{\"video\":1}']) localStorage[`playhead:queue:1:${junk.length}:1`] = junk; \
             Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }",
        )
        .await;
    browser.lose_the_history().await;
    browser.seek(36.0).await;
    status_says(&browser, "Could not save, trying again…").await;
    browser.bring_the_history_back().await;
    program.wait_for_position(|saved| saved == 36).await;
    status_says(&browser, "Saved at 0:36").await;
    assert_eq!(browser.number(WAITING).await, 0.0);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_queue_holds_500_saves_and_drops_the_oldest() {
    let (_program, browser) = ann_with_a_video_open().await;
    browser
        .script(
            "import('/playhead/queue.js').then(({ createQueue, now }) => { \
               const queue = createQueue(); \
               const save = (video, age) => queue.put('eve', queue.keyOf('eve', 'opening', video), \
                 { video, position: 9, watched: 9, session: 'opening', sequence: 1, ...now(), at: Date.now() - age }); \
               for (let video = 1; video <= 500; video++) save(video, video === 123 ? 60000 : 50000); \
               save(500, 0); \
               window.before = queue.waiting('eve').map((item) => item.save.video); \
               save(501, 0); \
               window.after = queue.waiting('eve').map((item) => item.save.video); })",
        )
        .await;
    browser.wait_until("before.length === 500 && before[0] === 123").await;
    browser.wait_until("after.length === 500 && after.includes(501) && !after.includes(123)").await;
}
