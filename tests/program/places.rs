//! Places that were given up in a video: by another device, or by starting over.

use crate::browser::Browser;
use crate::conflicts::{number, wait_for};
use crate::program::Program;
use crate::video_page::{ann_with_a_video_open, open_video, row, save_elsewhere, status_says};
use serde_json::json;

const PLAYER: &str = "document.querySelector('#player')";

/// Another device of Ann begins to play.
async fn living_room_at(program: &Program, second: u32) {
    let save = json!({"watch_position": second, "session_id": "living-room", "device": "Living room"});
    assert!(save_elsewhere(program, "ann", save).await);
}

async fn offer_says(browser: &Browser, words: &str) {
    browser
        .wait_until(&format!("document.querySelector('#offer').checkVisibility() && document.querySelector('#offer [role=status]').textContent === '{words}'"))
        .await;
}

async fn no_offer(browser: &Browser) {
    browser.wait_until("document.querySelector('#offer').hidden").await;
}

async fn wait_for_second(browser: &Browser, second: f64) {
    browser.wait_until(&format!("!{PLAYER}.seeking && Math.abs({PLAYER}.currentTime - {second}) < 1.5")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_place_of_another_device_is_offered_and_taken() {
    let (program, browser) = ann_with_a_video_open().await;
    living_room_at(&program, 45).await;
    // The viewer goes on here from another place, which gives up the one of the other device.
    browser.seek(5.0).await;
    wait_for(&program, 1, "watch_position", 5).await;
    offer_says(&browser, "Living room was at 0:45").await;
    browser.screenshot("offer").await;
    browser.click("#take-offer").await;
    wait_for_second(&browser, 45.0).await;
    wait_for(&program, 1, "watch_position", 45).await;
    wait_for(&program, 1, "previous_position", 5).await;
    offer_says(&browser, "You were at 0:05").await;
    browser.click("#take-offer").await;
    wait_for_second(&browser, 5.0).await;
    wait_for(&program, 1, "previous_position", 45).await;
    wait_for(&program, 1, "watch_position", 5).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_place_of_another_browser_is_offered_when_the_video_is_opened() {
    let (program, first) = ann_with_a_video_open().await;
    first.seek(50.0).await;
    wait_for(&program, 1, "watch_position", 50).await;
    let second = Browser::start().await;
    second.sign_in(&program, "ann").await;
    open_video(&program, &second).await;
    wait_for_second(&second, 50.0).await;
    second.seek(3.0).await;
    second.play_until(5.0).await;
    second.script(&format!("{PLAYER}.pause()")).await;
    program.wait_for_position(|saved| (5..8).contains(&saved)).await;

    open_video(&program, &first).await;
    // Both browsers call themselves the same.
    offer_says(&first, "You were at 0:50").await;
    first.click("#dismiss-offer").await;
    no_offer(&first).await;
    open_video(&program, &first).await;
    offer_says(&first, "You were at 0:50").await;
    first.click("#take-offer").await;
    wait_for_second(&first, 50.0).await;
    wait_for(&program, 1, "watch_position", 50).await;
    assert!((5..8).contains(&number(&program, 1, "previous_position").await));
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn an_offer_goes_away_when_the_viewer_moves_on() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.seek(10.0).await;
    wait_for(&program, 1, "watch_position", 10).await;
    living_room_at(&program, 48).await;
    open_video(&program, &browser).await;
    wait_for_second(&browser, 48.0).await;
    offer_says(&browser, "You were at 0:10").await;
    browser.seek(50.0).await;
    offer_says(&browser, "You were at 0:10").await;
    browser.seek(30.0).await;
    no_offer(&browser).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn starting_over_can_be_undone() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.seek(50.0).await;
    wait_for(&program, 1, "watch_position", 50).await;
    browser.click("#start-over").await;
    wait_for(&program, 1, "watch_position", 0).await;
    offer_says(&browser, "Started over").await;
    browser.play_until(2.0).await;
    browser.screenshot("started-over").await;
    browser.script(&format!("{PLAYER}.pause()")).await;
    browser.click("#take-offer").await;
    wait_for_second(&browser, 50.0).await;
    wait_for(&program, 1, "watch_position", 50).await;
    no_offer(&browser).await;
    // The place that was undone is not offered again.
    open_video(&program, &browser).await;
    wait_for_second(&browser, 50.0).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_paused_page_that_is_seen_again_offers_the_place_of_another_device() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.seek(5.0).await;
    browser.play_until(7.0).await;
    browser.script(&format!("{PLAYER}.pause()")).await;
    program.wait_for_position(|saved| (7..10).contains(&saved)).await;
    let tab = browser.new_tab().await;
    living_room_at(&program, 48).await;
    browser.back_to(tab).await;
    offer_says(&browser, "Living room was at 0:48").await;
    browser.click("#take-offer").await;
    wait_for_second(&browser, 48.0).await;
    browser.play_until(50.0).await;
    browser.script(&format!("{PLAYER}.pause()")).await;
    program.wait_for_position(|saved| (50..54).contains(&saved)).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_played_seconds_are_those_of_the_clock() {
    let (program, browser) = ann_with_a_video_open().await;
    let here = format!("{PLAYER}.currentTime");
    // Double speed counts time, and neither pauses nor seeks count.
    browser
        .script(&format!(
            "{PLAYER}.playbackRate = 2; window.played = 0; window.begun = 0; \
        {PLAYER}.addEventListener('playing', () => (begun = performance.now())); \
        {PLAYER}.addEventListener('pause', () => (played += (performance.now() - begun) / 1000))"
        ))
        .await;
    browser.play_until(8.0).await;
    browser.script(&format!("{PLAYER}.pause()")).await;
    browser.seek(30.0).await;
    browser.script(&format!("{PLAYER}.playbackRate = 1; window.paused = performance.now()")).await;
    browser.wait_until("performance.now() - paused > 3000").await;
    browser.play_until(33.0).await;
    browser.script(&format!("{PLAYER}.pause()")).await;
    let last = browser.number(&format!("Math.floor({here})")).await;
    status_says(&browser, &format!("Saved at 0:{last}")).await;
    let real = browser.number("played").await;
    let counted = f64::from(number(&program, 1, "play_watched_ms").await) / 1000.0;
    assert!((real - counted).abs() < 2.0, "{real} s were played, {counted} s were counted");
    assert!(row(&program).await.is_some_and(|row| row.session.is_some()));
}
