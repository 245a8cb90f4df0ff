//! Resuming: slow seeks, history requests that hang, and users who sign in meanwhile.

use crate::browser::Browser;
use crate::conflicts::number;
use crate::program::Program;
use crate::video_page::{WAITING, ann_with_a_video_open, save_elsewhere};
use serde_json::json;

/// Ann with a video open that she has watched on another device up to this second.
async fn ann_who_stopped_at(second: u32) -> (Program, Browser) {
    let (program, browser) = ann_with_a_video_open().await;
    assert!(save_elsewhere(&program, "ann", json!({"watch_position": second, "session_id": "television"})).await);
    (program, browser)
}

/// Waits until the player is within a second of this position.
async fn wait_for_second(browser: &Browser, second: u32) {
    let player = "document.querySelector('#player')";
    browser.wait_until(&format!("!{player}.seeking && Math.abs({player}.currentTime - {second}) < 1")).await;
}

/// Opens the video again in the same page, so that injected scripts stay.
async fn open_again(browser: &Browser) {
    browser.script("location.hash = '#/'").await;
    browser.see("[href='#/videos/1']").await;
    browser.script("location.hash = '#/videos/1'").await;
    browser.wait_until("document.querySelector('#player').readyState >= 2").await;
}

/// Plays some seconds from 34 on. They are saved although Ann was further on another device.
async fn play_from_34(program: &Program, browser: &Browser) {
    browser.play_until(37.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    program.wait_for_position(|saved| (37..50).contains(&saved)).await;
}

/// As [`open_again`], while reads of the history hang until `answer` is called.
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

/// Attaches a second player to the video, with its own token function: `token` is the user's token,
/// and while `isAway` is set no request reaches the server.
async fn attach_as_another_host(program: &Program, browser: &Browser) {
    let [ann, bob] = [program.token("ann").await, program.token("bob").await];
    browser
        .script(&format!(
            "window.ann = '{ann}'; window.bob = '{bob}'; window.token = ann; window.states = []; window.isAway = true; \
             const modules = [import('/playhead.js'), import('/playhead/history.js')]; \
             Promise.all(modules).then(([{{ createPlayhead }}, {{ createHistory }}]) => {{ \
               window.video = document.querySelector('#player').cloneNode(); \
               const fetch = (...asked) => isAway ? Promise.reject(new TypeError('no network')) : window.fetch(...asked); \
               const playhead = createPlayhead({{ getToken: () => token, fetch }}); \
               window.playhead = {{ ...playhead, ...createHistory(playhead) }}; \
               window.handle = playhead.attach(video, 1, {{ onState: ({{ state }}) => states.push(state) }}) }})"
        ))
        .await;
    browser.wait_until("states.includes('retrying')").await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_seek_during_the_resume_wins() {
    let (program, browser) = ann_who_stopped_at(50).await;
    browser
        .script(
            "const seek = ({ target }) => { target.currentTime = 34 }; \
             document.addEventListener('seeking', seek, { capture: true, once: true })",
        )
        .await;
    open_again(&browser).await;
    wait_for_second(&browser, 34).await;
    play_from_34(&program, &browser).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_newer_position_that_arrives_during_a_resume_wins() {
    let (program, browser) = ann_who_stopped_at(50).await;
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
    wait_for_second(&browser, 36).await;
    browser.wait_until("window.isRead").await;
    browser.script("window.arriving.dispatchEvent(new Event('seeked'))").await;
    wait_for_second(&browser, 50).await;
    browser.wait_until(&format!("{WAITING} === 0")).await;
    assert_eq!(number(&program, 1, "watch_position").await, 50);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_seek_that_never_ended_is_saved_when_the_viewer_leaves() {
    let (program, browser) = ann_who_stopped_at(50).await;
    // The seek never ends: the page gets no `seeked` event.
    browser
        .script(
            "const seek = ({ target }) => { target.currentTime = 34 }; \
             document.addEventListener('seeking', seek, { capture: true, once: true }); \
             for (const arrival of ['seeked', 'timeupdate', 'canplay']) \
               document.addEventListener(arrival, (event) => event.stopImmediatePropagation(), { capture: true })",
        )
        .await;
    open_again(&browser).await;
    wait_for_second(&browser, 34).await;
    browser.script("dispatchEvent(new Event('pagehide'))").await;
    program.wait_for_position(|saved| saved == 34).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_start_over_while_the_history_hangs_is_saved_on_leaving() {
    let (program, browser) = ann_who_stopped_at(50).await;
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
async fn playback_while_the_history_hangs_is_queued_as_when_offline() {
    let (_program, browser) = ann_with_a_video_open().await;
    open_without_an_answer(&browser).await;
    browser.play_until(14.0).await;
    browser.script("document.querySelector('#player').pause()").await;
    browser.wait_until(&format!("{WAITING} === 1")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_seek_while_the_history_hangs_survives_a_reload_of_the_media() {
    let (program, browser) = ann_who_stopped_at(50).await;
    open_without_an_answer(&browser).await;
    browser.seek(34.0).await;
    browser.script("document.querySelector('#player').load(); window.answer()").await;
    wait_for_second(&browser, 34).await;
    play_from_34(&program, &browser).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_reload_of_the_media_during_a_seek_keeps_the_target() {
    let (program, browser) = ann_who_stopped_at(36).await;
    open_again(&browser).await;
    wait_for_second(&browser, 36).await;
    browser
        .script(
            "const player = document.querySelector('#player'); \
             player.addEventListener('seeking', () => player.load(), { once: true }); player.currentTime = 45",
        )
        .await;
    wait_for_second(&browser, 45).await;
    program.wait_for_position(|saved| saved == 45).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_video_that_ended_offline_starts_at_zero_the_next_time() {
    let (_program, browser) = ann_with_a_video_open().await;
    browser.lose_the_history().await;
    // The stored duration is in whole seconds and may be up to half a second below that of the
    // file.
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

/// Starts the video while Ann is signed out.
async fn play_signed_out(browser: &Browser) {
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

/// Signs Ann in again, as a second tab would.
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
async fn a_viewer_who_signs_in_during_playback_resumes_their_position() {
    let (program, browser) = ann_who_stopped_at(50).await;
    play_signed_out(&browser).await;
    sign_in_elsewhere(&browser).await;
    browser.wait_until("document.querySelector('#player').currentTime >= 50").await;
    browser.script("document.querySelector('#player').pause()").await;
    program.wait_for_position(|saved| saved >= 50).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_viewer_who_seeked_before_signing_in_stays_there() {
    let (program, browser) = ann_who_stopped_at(50).await;
    play_signed_out(&browser).await;
    browser.seek(34.0).await;
    sign_in_elsewhere(&browser).await;
    play_from_34(&program, &browser).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn forgetting_does_not_delete_the_entry_of_the_next_user() {
    let (program, browser) = ann_with_a_video_open().await;
    assert!(save_elsewhere(&program, "bob", json!({"watch_position": 50})).await);
    attach_as_another_host(&program, &browser).await;
    browser
        .script(
            "isAway = false; window.refused = []; const refuse = ({ status }) => refused.push(status); \
             playhead.forget(1).catch(refuse); window.token = bob; playhead.forget(1).catch(refuse)",
        )
        .await;
    browser.wait_until("refused.join() === '401,401'").await;
    assert_eq!(number(&program, 2, "watch_position").await, 50);
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_late_first_read_does_not_seek_to_the_position_of_another_user() {
    let (program, browser) = ann_with_a_video_open().await;
    assert!(save_elsewhere(&program, "bob", json!({"watch_position": 50})).await);
    attach_as_another_host(&program, &browser).await;
    browser.script("window.token = bob; isAway = false").await;
    browser.wait_until("states.includes('signed-out')").await;
    assert!(browser.number("window.video.currentTime").await < 1.0);
}
