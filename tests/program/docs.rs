//! Swagger UI in a real browser on a new site.

use crate::browser::Browser;
use crate::program::{PASSWORD, Program, run};
use serde_json::Value;
use std::process::Command;

const KEPT: &str = "JSON.stringify([{...localStorage}, {...sessionStorage}])";

/// Opens an operation, presses Execute, and waits for a response with this status.
async fn execute(browser: &Browser, operation: &str, status: u16) {
    let block = format!("[id^='operations-'][id$='-{operation}']");
    browser.see(&block).await;
    if browser.is_absent(&format!("{block}.is-open")).await {
        browser.script(&format!("document.querySelector(\"{block} .opblock-summary-control\").click()")).await;
    }
    browser.see(&format!("{block} .execute")).await;
    // An older response must not be taken for the new one.
    browser.script(&format!("document.querySelector(\"{block} .btn-clear\")?.click()")).await;
    browser.wait_until(&format!("!document.querySelector(\"{block} .live-responses-table\")")).await;
    browser.script(&format!("document.querySelector(\"{block} .execute\").click()")).await;
    let answered =
        format!("document.querySelector(\"{block} .live-responses-table tbody .response-col_status\").textContent");
    browser.wait_until(&format!("{answered}.includes('{status}')")).await;
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn swagger_ui_signs_in_shows_failures_and_keeps_no_secret() {
    let mut program = Program::new();
    program.serve();
    program.create_user("ann");
    let browser = Browser::start().await;
    browser.open(&program.url("/docs/")).await;
    // As an older version left it.
    browser.script(&format!("localStorage.setItem('authorized', '{PASSWORD}')")).await;
    browser.open(&program.url("/docs/")).await;
    browser.click(".btn.authorize").await;
    browser.see("#oauth_username").await;
    browser.screenshot("swagger-ui-authorize").await;
    let seen = "[...document.querySelectorAll('.dialog-ux input, .dialog-ux select')].filter(one => one.offsetParent)";
    assert_eq!(browser.number(&format!("{seen}.length")).await, 2.0, "name and password are all that it needs");
    assert_eq!(browser.number("document.querySelectorAll('.auth-container h4').length").await, 1.0);

    browser.fill("#oauth_username", "ann").await;
    browser.fill("#oauth_password", "wrong horse").await;
    let authorize = "document.querySelector('.auth-container button.authorize').click()";
    browser.script(authorize).await;
    let dialog = "document.querySelector('.dialog-ux').textContent";
    browser.wait_until(&format!("{dialog}.includes('name or password is wrong')")).await;
    browser.screenshot("swagger-ui-wrong-password").await;
    browser.script("document.querySelector('#oauth_password').select()").await;
    browser.fill("#oauth_password", PASSWORD).await;
    browser.script(authorize).await;
    browser.wait_until(&format!("/Logout/.test({dialog})")).await;
    browser.screenshot("swagger-ui-authorized").await;
    browser.script("document.querySelector('.dialog-ux .btn-done').click()").await;

    execute(&browser, "me", 200).await;
    browser.wait_until("/ann@example.org/.test(document.querySelector('#operations-auth-me').textContent)").await;
    // A pair of tokens is on the page, and disappears with it.
    execute(&browser, "login", 200).await;
    browser.screenshot("swagger-ui").await;
    browser.wait_until(&format!("{KEPT} === '[{{}},{{}}]'")).await;
    browser.open(&program.url("/docs/")).await;
    browser.see(".btn.authorize.unlocked").await;
    browser.wait_until(&format!("{KEPT} === '[{{}},{{}}]'")).await;
}

/// The text of the response to an operation.
fn response_of(operation: &str) -> String {
    format!("document.querySelector(\"[id$='-{operation}'] .live-responses-table\").textContent")
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn five_clicks_in_swagger_ui_save_a_position() {
    let mut program = Program::new();
    program.serve();
    let browser = Browser::start().await;
    browser.open(&program.url("/docs/")).await;
    browser.see("#operations-auth-register .execute").await;
    browser.screenshot("swagger-ui-first-visit").await;
    browser.click("#operations-auth-register .execute").await;
    browser.wait_until(&format!("{}.includes('201')", response_of("register"))).await;
    browser.click("#operations-auth-login .opblock-summary-control").await;
    browser.click("#operations-auth-login .execute").await;
    browser.see(".btn.authorize.locked").await;
    browser.click("[id$='-save_watch_history'] .opblock-summary-control").await;
    browser.click("[id$='-save_watch_history'] .execute").await;
    browser.wait_until(&format!("/\"applied\": *true/.test({})", response_of("save_watch_history"))).await;
    assert_eq!(program.wait_for_position(|position| position > 0).await, 15);
    browser.screenshot("swagger-ui-saved").await;
    // It is where the introduction says, and the last refresh token is sent for the example.
    execute(&browser, "continue_watching", 200).await;
    browser.wait_until(&format!("{}.includes('Sample clip')", response_of("continue_watching"))).await;
    execute(&browser, "refresh", 200).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn swagger_ui_shows_operations_in_the_order_of_use() {
    let mut program = Program::new();
    program.serve();
    let browser = Browser::start().await;
    browser.open(&program.url("/docs/")).await;
    browser.see("#operations-auth-register .code-samples").await;
    let shown = "[...document.querySelectorAll('.opblock-tag-section.is-open')].map((group) => \
         group.querySelector('.opblock-tag').dataset.tag).join()";
    assert_eq!(browser.text(shown).await, "auth,videos,watch history");
    let first = "[...document.querySelectorAll('.opblock')].slice(0, 3).map((block) => block.id).join()";
    assert_eq!(browser.text(first).await, "operations-auth-register,operations-auth-login,operations-auth-me");
    // A link to an operation opens that one.
    browser.open(&program.url("/docs/#/plays/resume_play")).await;
    browser.see("#operations-plays-resume_play.is-open").await;
    assert!(browser.is_absent("#operations-auth-register.is-open").await);
    // A link leads on, and a failure is one line that opens.
    browser.click("[id$='-resume_play'] .failure").await;
    browser.see("[id$='-resume_play'] [data-code='400'] .model-example").await;
    browser.open(&program.url("/docs/#/videos/read_video")).await;
    browser.click("[id$='-read_video'] a[href$='/save_watch_history']").await;
    browser.see("[id$='-save_watch_history'].is-open .execute").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Chromium"]
async fn the_examples_of_swagger_ui_work_on_a_new_site() {
    let mut program = Program::new();
    program.serve();
    program.create_user("ann");
    let browser = Browser::start().await;
    browser.open(&program.url("/docs/")).await;
    browser.click(".btn.authorize").await;
    browser.fill("#oauth_username", "ann").await;
    browser.fill("#oauth_password", PASSWORD).await;
    browser.script("document.querySelector('.auth-container button.authorize').click()").await;
    browser.wait_until("/Logout/.test(document.querySelector('.dialog-ux').textContent)").await;
    browser.script("document.querySelector('.dialog-ux .btn-done').click()").await;

    execute(&browser, "list_videos", 200).await;
    let listed = "document.querySelector(\"[id$='-list_videos'] .live-responses-table\").textContent";
    browser.wait_until(&format!("{listed}.includes('Sample clip')")).await;
    execute(&browser, "read_video", 200).await;
    for _ in 0..2 {
        execute(&browser, "save_watch_history", 200).await;
        let saved = "document.querySelector(\"[id$='-save_watch_history'] .live-responses-table\").textContent";
        browser.wait_until(&format!("/\"applied\": *true/.test({saved})")).await;
    }
    execute(&browser, "save_watch_history_batch", 200).await;
    execute(&browser, "continue_watching", 200).await;
    execute(&browser, "read_thumbnail", 200).await;
    let picture = "document.querySelector(\"[id$='-read_thumbnail'] .live-responses-table img\")";
    browser.wait_until(&format!("{picture}.naturalWidth > 0")).await;
    browser.script(&format!("{picture}.scrollIntoView()")).await;
    browser.screenshot("swagger-ui-thumbnail").await;
    execute(&browser, "stream_video", 206).await;
    let elsewhere = "performance.getEntriesByType('resource').filter(one => \
         !one.name.startsWith(location.origin) && !one.name.startsWith('blob:') && !one.name.startsWith('data:'))";
    assert_eq!(browser.number(&format!("{elsewhere}.length")).await, 0.0, "the page requests nothing from other hosts");
    assert!(browser.is_absent("a[href*='validator']").await);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

/// The samples for curl of the first three groups, in the order of the page, without those that
/// delete and the one whose example stands for another token.
fn curl_samples(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().unwrap().values();
    let operations: Vec<_> = paths.flat_map(|path| path.as_object().unwrap().values()).collect();
    let groups = &document["tags"].as_array().unwrap()[..3];
    let ids = groups.iter().flat_map(|group| group["x-operations"].as_array().unwrap());
    let samples = ids.map(|id| {
        let operation = operations.iter().find(|operation| operation["operationId"] == *id).unwrap();
        let source = operation["x-codeSamples"][0]["source"].as_str().unwrap();
        (id.as_str().unwrap().to_owned(), source.to_owned())
    });
    samples.filter(|(id, source)| id != "refresh" && !source.contains("-X DELETE")).collect()
}

#[tokio::test]
async fn the_samples_for_curl_work_on_a_new_site() {
    let mut program = Program::new();
    program.serve();
    let document = reqwest::get(program.url("/openapi.json")).await.unwrap().json().await.unwrap();
    let samples = curl_samples(&document);
    assert!(samples.len() > 20, "{samples:?}");
    let mut token = String::new();
    for (id, sample) in samples {
        let sample = sample.replace("http://localhost:8000", &program.url(""));
        let sample = sample.replacen("curl", "curl -sS --fail-with-body", 1);
        let mut command = Command::new("sh");
        command.args(["-c", &sample]).env("TOKEN", &token).current_dir(&program.folder);
        let (succeeds, said) = run(&mut command, "");
        assert!(succeeds, "{id}: {sample}\n{said}");
        if id == "login" {
            token = program.token("ann").await;
        }
    }
}
