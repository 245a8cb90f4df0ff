//! The way to a place: slow seeks, answers that hang, and whoever signs in while it lasts.

use crate::browser::Browser;
use crate::places::number;
use crate::program::Program;
use crate::video_page::{WAITING, ann_before_a_video, save_elsewhere};
use serde_json::json;

/// Ann before a video that she has watched elsewhere, to this second.
async fn ann_who_was_at(second: u32) -> (Program, Browser) {
    let (program, browser) = ann_before_a_video().await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": second, "session_id": "television"})).await);
    (program, browser)
}

/// Where the film stands, once it is there to within a second.
async fn stands_at(browser: &Browser, second: u32) {
    let player = "document.querySelector('#player')";
    browser.wait_until(&format!("!{player}.seeking && Math.abs({player}.currentTime - {second}) < 1")).await;
}

/// Has Ann open the video anew in the same page, so that what a script has put there holds.
async fn open_again(browser: &Browser) {
    browser.script("location.hash = '#/'").await;
    browser.see("[href='#/videos/1']").await;
    browser.script("location.hash = '#/videos/1'").await;
    browser.wait_until("document.querySelector('#player').readyState >= 2").await;
}

/// Plays some seconds from 34 on, which are saved although Ann was further on elsewhere.
async fn play_from_34(program: &Program, browser: &Browser) {
    browser.play_until(37.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    program.wait_for_position(|saved| (37..50).contains(&saved)).await;
}

/// As [`open_again`], while no question about history is answered or refused, until `answer` is called.
async fn open_without_an_answer(browser: &Browser) {
    browser
        .script(
            "const real = window.fetch; const answered = new Promise((done) => { window.answer = done }); \
             window.fetch = async (url, init) => { \
               if (url.endsWith('/watch-history') && init.method === 'GET') await answered; \
               return real(url, init) }",
        )
        .await;
    open_again(browser).await;
}

/// Attaches a second player to the video, of a host that signs nobody out: who is signed in is `token`, and while `isAway` is set nothing
/// reaches the server.
async fn attach_as_another_host(program: &Program, browser: &Browser) {
    let [ann, bob] = [program.token("ann").await, program.token("bob").await];
    browser
        .script(&format!(
            "window.ann = '{ann}'; window.bob = '{bob}'; window.token = ann; window.states = []; window.isAway = true; \
             import('/playhead.js').then(({{ createPlayhead }}) => {{ \
               window.video = document.querySelector('#player').cloneNode(); \
               const fetch = (...asked) => isAway ? Promise.reject(new TypeError('no network')) : window.fetch(...asked); \
               window.playhead = createPlayhead({{ getToken: () => token, fetch }}); \
               window.handle = playhead.attach(video, 1, {{ onState: ({{ state }}) => states.push(state) }}) }})"
        ))
        .await;
    browser.wait_until("states.includes('retrying')").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn who_seeks_while_they_are_being_taken_to_their_place_is_where_they_went() {
    let (program, browser) = ann_who_was_at(50).await;
    browser
        .script(
            "const seek = ({ target }) => { target.currentTime = 34 }; \
             document.addEventListener('seeking', seek, { capture: true, once: true })",
        )
        .await;
    open_again(&browser).await;
    stands_at(&browser, 34).await;
    play_from_34(&program, &browser).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_newer_place_that_is_heard_of_on_the_way_to_an_older_one_is_where_the_film_goes_on() {
    let (program, browser) = ann_who_was_at(50).await;
    browser
        .script(
            "localStorage.setItem('playhead:queue:1:earlier:1', JSON.stringify({ video: 1, position: 36, watched: 9, \
               session: 'earlier', sequence: 1, chosen: true, at: Date.now() - 3600000, page: 0, tick: 0 })); \
             const hold = (event) => { window.arriving = event.target; event.stopImmediatePropagation() }; \
             document.addEventListener('seeked', hold, { capture: true, once: true }); \
             const real = window.fetch; \
             window.fetch = async (url, init) => { \
               if (!url.includes('watch-history')) return real(url, init); \
               if (!window.arriving) throw new TypeError('no network'); \
               const answer = await real(url, init); \
               window.isRead ||= init.method === 'GET'; \
               return answer }",
        )
        .await;
    open_again(&browser).await;
    browser.wait_until("window.arriving").await;
    stands_at(&browser, 36).await;
    browser.wait_until("window.isRead").await;
    browser.script("window.arriving.dispatchEvent(new Event('seeked'))").await;
    stands_at(&browser, 50).await;
    browser.wait_until(&format!("{WAITING} === 0")).await;
    assert_eq!(number(&program, 1, "watch_position").await, 50);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_place_that_was_chosen_before_the_film_stood_anywhere_is_saved_when_the_viewer_leaves() {
    let (program, browser) = ann_who_was_at(50).await;
    // The film seeks for ever: the page does not hear that it has arrived.
    browser
        .script(
            "const seek = ({ target }) => { target.currentTime = 34 }; \
             document.addEventListener('seeking', seek, { capture: true, once: true }); \
             for (const arrival of ['seeked', 'timeupdate', 'canplay']) \
               document.addEventListener(arrival, (event) => event.stopImmediatePropagation(), { capture: true })",
        )
        .await;
    open_again(&browser).await;
    stands_at(&browser, 34).await;
    browser.script("dispatchEvent(new Event('pagehide'))").await;
    program.wait_for_position(|saved| saved == 34).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_start_that_was_chosen_while_the_history_hangs_is_saved_when_the_viewer_leaves() {
    let (program, browser) = ann_who_was_at(50).await;
    open_without_an_answer(&browser).await;
    browser
        .script(
            "const player = document.querySelector('#player'); \
             player.addEventListener('seeking', () => dispatchEvent(new Event('pagehide')), { once: true }); \
             player.currentTime = 3",
        )
        .await;
    program.wait_for_position(|saved| saved == 3).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn what_is_played_while_the_history_hangs_is_kept_as_if_there_was_no_answer() {
    let (_program, browser) = ann_before_a_video().await;
    open_without_an_answer(&browser).await;
    browser.play_until(14.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    browser.wait_until(&format!("{WAITING} === 1")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_place_that_was_chosen_while_the_history_hangs_outlives_a_film_that_is_loaded_anew() {
    let (program, browser) = ann_who_was_at(50).await;
    open_without_an_answer(&browser).await;
    browser.seek(34.0).await;
    browser.script("document.querySelector('#player').load(); window.answer()").await;
    stands_at(&browser, 34).await;
    play_from_34(&program, &browser).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_film_that_is_loaded_anew_while_the_viewer_seeks_goes_on_where_they_went() {
    let (program, browser) = ann_who_was_at(36).await;
    open_again(&browser).await;
    stands_at(&browser, 36).await;
    browser
        .script(
            "const player = document.querySelector('#player'); \
             player.addEventListener('seeking', () => player.load(), { once: true }); player.currentTime = 45",
        )
        .await;
    stands_at(&browser, 45).await;
    program.wait_for_position(|saved| saved == 45).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_film_that_ended_without_any_answer_begins_at_its_start_the_next_time() {
    let (_program, browser) = ann_before_a_video().await;
    browser.lose_the_history().await;
    // The end of a film is kept as a whole number of seconds, which may be up to half a one before that of its file.
    browser
        .script(
            "localStorage.setItem('playhead:queue:1:earlier:1', JSON.stringify({ video: 1, position: 59, watched: 59, \
               session: 'earlier', sequence: 1, at: Date.now(), page: 0, tick: 0 })); \
             window.seeks = 0; document.addEventListener('seeking', () => (window.seeks += 1), { capture: true })",
        )
        .await;
    open_again(&browser).await;
    browser.play_until(2.0).await;
    assert_eq!(browser.number("window.seeks").await, 0.0);
    assert!(browser.position().await < 30.0);
}

/// Has Ann, who is signed out, begin the film.
async fn begin_as_nobody(browser: &Browser) {
    browser
        .script(
            "import('/session.js').then((session) => { \
               window.ann = localStorage.getItem('playhead.session'); session.end(); window.isOut = true })",
        )
        .await;
    browser.wait_until("window.isOut").await;
    open_again(browser).await;
    browser.play_until(12.0).await;
}

/// Signs Ann in again, as a second tab does it.
async fn sign_in_elsewhere(browser: &Browser) {
    browser
        .script(
            "localStorage.setItem('playhead.session', ann); \
             dispatchEvent(new StorageEvent('storage', { key: 'playhead.session' }))",
        )
        .await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn who_watched_before_they_signed_in_is_taken_to_where_they_had_been() {
    let (program, browser) = ann_who_was_at(50).await;
    begin_as_nobody(&browser).await;
    sign_in_elsewhere(&browser).await;
    browser.wait_until("document.querySelector('#player').currentTime >= 50").await;
    browser.script("document.querySelector('#player').pause()").await;
    program.wait_for_position(|saved| saved >= 50).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn who_went_elsewhere_before_they_signed_in_stays_there() {
    let (program, browser) = ann_who_was_at(50).await;
    begin_as_nobody(&browser).await;
    browser.seek(34.0).await;
    sign_in_elsewhere(&browser).await;
    play_from_34(&program, &browser).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn forgetting_does_not_reach_the_history_of_whoever_signs_in_meanwhile() {
    let (program, browser) = ann_before_a_video().await;
    assert!(save_elsewhere(&program, "bob", json!({"watch_position": 50})).await);
    attach_as_another_host(&program, &browser).await;
    browser
        .script(
            "isAway = false; window.refused = []; const refuse = ({ status }) => refused.push(status); \
             playhead.forget(1).catch(refuse); window.token = bob; handle.forget().catch(refuse)",
        )
        .await;
    browser.wait_until("refused.join() === '401,401'").await;
    assert_eq!(number(&program, 2, "watch_position").await, 50);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_first_read_that_comes_late_takes_nobody_to_the_place_of_somebody_else() {
    let (program, browser) = ann_before_a_video().await;
    assert!(save_elsewhere(&program, "bob", json!({"watch_position": 50})).await);
    attach_as_another_host(&program, &browser).await;
    browser.script("window.token = bob; isAway = false").await;
    browser.wait_until("states.includes('signed-out')").await;
    assert!(browser.number("window.video.currentTime").await < 1.0);
}
