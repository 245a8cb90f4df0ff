//! Pages that follow what other devices of the viewer do.

use crate::accessibility::{axe, is_accessible};
use crate::browser::Browser;
use crate::conflicts::wait_for;
use crate::program::Program;
use crate::video_page::{ann_with_a_video_open, open_video, save_elsewhere, status_says};
use crate::viewer::Viewer;
use reqwest::Method;
use serde_json::json;

const PLAYER: &str = "document.querySelector('#player')";
const OFFER: &str = "document.querySelector('#offer')";
const SHELF: &str = "document.querySelector('#continue-watching')";

/// Counts the sockets of a page, and lets its long delays pass 50 times as fast, but not the time
/// that it gives the server to answer, and the next view to take over the socket.
const HASTE: &str = "window.sockets = []; const Real = window.WebSocket; \
    window.WebSocket = class extends Real { constructor(...where) { super(...where); sockets.push(this); } }; \
    const later = window.setTimeout; \
    const kept = [5000, 15000, 20000]; \
    window.setTimeout = (task, ms, ...rest) => later(task, ms >= 2000 && !kept.includes(ms) ? ms / 50 : ms, ...rest);";

/// The living room saves this second of the video.
async fn living_room_at(program: &Program, second: u32) {
    let save = json!({"watch_position": second, "session_id": "living-room", "device": "Living room"});
    assert!(save_elsewhere(program, "ann", save).await);
}

/// Another browser of Ann, at this page.
async fn second_browser(program: &Program, page: &str) -> Browser {
    let browser = Browser::start().await;
    browser.sign_in(program, "ann").await;
    browser.open(&program.url(page)).await;
    browser.see("main h1").await;
    browser
}

async fn offer_says(browser: &Browser, words: &str) {
    browser.wait_until(&format!("!{OFFER}.hidden && {OFFER}.querySelector('span').textContent === '{words}'")).await;
}

/// Waits until the page has a connection to the server.
pub async fn is_live(browser: &Browser) {
    browser
        .script(
            "window.isLive = false; import('/follow.js').then(async ({ connect }) => { \
               const live = await connect(); \
               const look = () => live.phase() === 'live' ? (window.isLive = true) : setTimeout(look, 20); look(); })",
        )
        .await;
    browser.wait_until("isLive").await;
}

/// Makes the page remember as `seenAt` when a condition is first true.
async fn watch_for(browser: &Browser, condition: &str) {
    browser
        .script(&format!(
            "window.seenAt = 0; const timer = setInterval(() => {{ try {{ \
               if ({condition}) {{ window.seenAt = Date.now(); clearInterval(timer); }} }} catch {{}} }}, 5)"
        ))
        .await;
}

/// Plays to this second, and pauses; `pausedAt` is when.
async fn play_and_pause(browser: &Browser, second: f64) {
    browser.seek(second - 0.5).await;
    browser.script(&format!("{PLAYER}.addEventListener('pause', () => (window.pausedAt = Date.now()))")).await;
    browser.play_until(second).await;
    browser.script(&format!("{PLAYER}.pause()")).await;
}

/// The milliseconds from a pause in one browser to what the other shows of it.
async fn delay(first: &Browser, second: &Browser) -> f64 {
    second.wait_until("seenAt > 0").await;
    second.number("seenAt").await - first.number("pausedAt").await
}

/// The middle of some measured values.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_card_follows_a_pause_in_another_browser_within_a_second() {
    let (program, first) = ann_with_a_video_open().await;
    let second = second_browser(&program, "/#/").await;
    second.see("#library .card").await;
    is_live(&second).await;
    let mut delays = Vec::new();
    for (position, left) in [(20, "0:40"), (30, "0:30"), (40, "0:20")] {
        let shown = format!("{SHELF}.checkVisibility() && {SHELF}.textContent.includes('{left} left')");
        watch_for(&second, &shown).await;
        play_and_pause(&first, f64::from(position)).await;
        delays.push(delay(&first, &second).await);
        second.wait_until("document.querySelector('#library [role=progressbar]').ariaValueNow >= 33").await;
    }
    println!("the card followed after {delays:?} ms");
    assert!(median(delays.clone()) < 1_000.0, "{delays:?}");
    second.screenshot("followed-card").await;
    assert_eq!(second.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_player_offers_the_place_of_a_pause_elsewhere_and_does_not_move() {
    let (program, first) = ann_with_a_video_open().await;
    let second = second_browser(&program, "/#/videos/1").await;
    second.wait_until(&format!("{PLAYER}.readyState >= 2")).await;
    is_live(&second).await;
    let mut delays = Vec::new();
    for position in [20, 30, 40] {
        watch_for(&second, &format!("!{OFFER}.hidden && {OFFER}.textContent.includes('0:{position}')")).await;
        play_and_pause(&first, f64::from(position)).await;
        delays.push(delay(&first, &second).await);
        assert!(second.position().await < 1.0, "nobody is moved");
    }
    println!("the player followed after {delays:?} ms");
    assert!(median(delays.clone()) < 1_000.0, "{delays:?}");
    assert!(first.number(&format!("Number({OFFER}.hidden)")).await > 0.0, "own saves are no offer");
    second.click("#take-offer").await;
    second.wait_until(&format!("!{PLAYER}.seeking && Math.abs({PLAYER}.currentTime - 40) < 2")).await;
}

#[tokio::test]
#[ignore = "needs Chromium and npm"]
async fn a_device_that_plays_on_is_named_with_its_place() {
    let (program, browser) = ann_with_a_video_open().await;
    is_live(&browser).await;
    living_room_at(&program, 20).await;
    offer_says(&browser, "Living room was at 0:20").await;
    browser.script("window.saidAt = Date.now()").await;
    browser.wait_until("Date.now() - saidAt > 1000").await;
    living_room_at(&program, 22).await;
    offer_says(&browser, "Playing on Living room at 0:22").await;
    is_accessible(&browser, &axe(), "playing-elsewhere").await;
    assert!(browser.position().await < 1.0, "nobody is moved");

    // A viewer who plays here is not disturbed.
    browser.script(&format!("{PLAYER}.play()")).await;
    browser.wait_until(&format!("{OFFER}.hidden")).await;
    living_room_at(&program, 24).await;
    browser.script(&format!("{PLAYER}.pause()")).await;
    assert!(browser.position().await < 15.0, "nobody is moved");
    living_room_at(&program, 50).await;
    offer_says(&browser, "Living room was at 0:50").await;

    // A closed line stays closed.
    browser.click("#dismiss-offer").await;
    living_room_at(&program, 51).await;
    living_room_at(&program, 53).await;
    browser.seek(2.0).await;
    wait_for(&program, 1, "watch_position", 2).await;
    status_says(&browser, "Saved at 0:02").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_player_hears_of_an_edit_elsewhere_of_what_it_saved_itself() {
    let ann = Viewer::start().await;
    ann.program.scan();
    open_video(&ann.program, &ann.browser).await;
    is_live(&ann.browser).await;
    play_and_pause(&ann.browser, 10.0).await;
    wait_for(&ann.program, 1, "watch_position", 10).await;
    status_says(&ann.browser, "Saved at 0:10").await;
    let edit = async |method, path: &str, body| {
        let (status, entry) = ann.ask(method, &format!("/videos/1/{path}"), body).await;
        assert_eq!(status, 200, "{entry}");
    };
    // None of these changes the player session of the entry, which is that of the open player.
    edit(Method::POST, "watch-history", Some(json!({"watch_position": 50, "device": "Living room"}))).await;
    offer_says(&ann.browser, "Living room was at 0:50").await;
    edit(Method::POST, "watch-history/undo", None).await;
    ann.browser.wait_until(&format!("{OFFER}.hidden")).await;
    edit(Method::POST, "watch-history/undo", None).await;
    offer_says(&ann.browser, "Living room was at 0:50").await;
    edit(Method::PUT, "watched", Some(json!({}))).await;
    ann.browser.wait_until(&format!("{OFFER}.hidden")).await;
    assert!((9.0..12.0).contains(&ann.browser.position().await), "nobody is moved");
    assert_eq!(ann.browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn pages_are_equal_again_after_a_time_offline() {
    let ann = Viewer::start().await;
    ann.program.scan();
    let (first, second) = (&ann.browser, second_browser(&ann.program, "/#/").await);
    second.prepare(HASTE).await;
    for browser in [first, &second] {
        browser.open(&ann.program.url("/#/")).await;
        is_live(browser).await;
    }
    second.set_offline(true).await;
    second.wait_until("!navigator.onLine").await;
    let lighthouse = ann.watch("Lighthouse", 60, 0).await;
    let harbour = ann.watch("Harbour", 120, 0).await;
    let (status, _) = ann.ask(Method::DELETE, &format!("/videos/{lighthouse}/watch-history"), None).await;
    assert_eq!(status, 204);
    let ids = format!("String([...{SHELF}.querySelectorAll('a.card')].map((card) => card.dataset.videoId))");
    first.wait_until(&format!("{ids} === '{harbour}'")).await;
    second.wait_until("sockets.length >= 5").await; // a minute of tries, in haste
    assert_eq!(second.text(&ids).await, "");
    second.set_offline(false).await;
    second.wait_until(&format!("{ids} === '{harbour}'")).await;
    let shelf = format!("{SHELF}.textContent");
    assert_eq!(first.text(&shelf).await, second.text(&shelf).await);
    is_live(&second).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_history_follows_other_devices_and_keeps_the_focus() {
    let ann = Viewer::start().await;
    let older = ann.watch("Lighthouse", 60, 3).await;
    let newer = ann.watch("Harbour", 120, 1).await;
    ann.open("history").await;
    ann.sees_rows(vec![older, newer]).await;
    is_live(&ann.browser).await;
    let link = format!("document.querySelector('.row[data-video-id=\"{older}\"] .row-link')");
    ann.browser.script(&format!("{link}.focus()")).await;

    // A save moves its row to today, a new video gets a row, and a forgotten one loses it.
    let path = format!("/videos/{older}/watch-history");
    let (status, _) = ann.ask(Method::POST, &path, Some(json!({"watch_position": 90}))).await;
    assert_eq!(status, 200);
    let first = "document.querySelector('#history-days section .row')";
    ann.browser.wait_until(&format!("{first}.dataset.videoId === '{older}'")).await;
    ann.browser.wait_until(&format!("{first}.textContent.includes('Stopped at 1:30')")).await;
    ann.browser.wait_until(&format!("document.activeElement === {link}")).await;
    let third = ann.watch("부산의 아침", 30, 0).await;
    ann.sees_rows(vec![older, newer, third]).await;
    let (status, _) = ann.ask(Method::DELETE, &format!("/videos/{newer}/watch-history"), None).await;
    assert_eq!(status, 204);
    ann.sees_rows(vec![older, third]).await;
    ann.browser.screenshot("followed-history").await;
    let (status, _) = ann.ask(Method::DELETE, "/watch-history", None).await;
    assert_eq!(status, 200);
    ann.sees_rows(vec![]).await;
    assert_eq!(ann.browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_page_has_one_socket_and_none_after_five_minutes_out_of_sight() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.prepare(HASTE).await;
    open_video(&program, &browser).await;
    browser.wait_until("sockets.length === 1 && sockets[0].readyState === 1").await;
    for page in ["", "history", "settings", "videos/1"] {
        browser.script(&format!("location.hash = '#/{page}'")).await;
        browser.see("main h1").await;
    }
    browser.wait_until("document.querySelector('#player').readyState >= 2").await;
    is_live(&browser).await;
    assert_eq!(browser.number("sockets.filter(({ readyState }) => readyState < 2).length").await, 1.0);
    browser.script("sockets[0].addEventListener('close', () => (window.closedWhile = document.visibilityState))").await;
    let tab = browser.new_tab().await;
    living_room_at(&program, 40).await;
    // Five minutes are six seconds in haste, and a page out of sight has its timers once a second.
    browser.wait_until("performance.now() > 9000").await;
    browser.back_to(tab).await;
    browser.wait_until("closedWhile === 'hidden'").await;
    offer_says(&browser, "Living room was at 0:40").await;
    browser.wait_until("sockets.filter(({ readyState }) => readyState < 2).length === 1").await;
    browser.wait_until("sockets.at(-1).readyState === 1").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_page_without_sockets_polls() {
    let (program, browser) = ann_with_a_video_open().await;
    browser.prepare(HASTE).await;
    browser.prepare("window.WebSocket = class { constructor() { throw new Error('none') } }").await;
    browser.open(&program.url("/#/")).await;
    browser.see("#library .card").await;
    browser.wait_until("performance.getEntriesByType('resource').some(({ name }) => name.includes('/changes'))").await;
    living_room_at(&program, 20).await;
    browser.wait_until(&format!("{SHELF}.textContent.includes('0:40 left')")).await;
    living_room_at(&program, 30).await;
    browser.wait_until(&format!("{SHELF}.textContent.includes('0:30 left')")).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
