//! Headless Chromium, driven through ChromeDriver.

use crate::program::{PASSWORD, Program};
use serde_json::{Value, json};
use std::mem::ManuallyDrop;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use thirtyfour::{WindowHandle, prelude::*};

/// The longest wait for the page.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Browser {
    // Never dropped, because that would wait for a stopped driver.
    driver: ManuallyDrop<WebDriver>,
    driver_address: String,
    service: Child,
    _profile: TempDir,
}

impl Browser {
    pub async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let service = Command::new("chromedriver").arg(format!("--port={port}")).stdout(Stdio::null()).spawn();
        let service = service.expect("chromedriver is installed (Debian: chromium-driver)");
        let profile = tempfile::tempdir().unwrap();
        let mut options = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            // CI runs as root, where Chromium's sandbox does not work.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--mute-audio",
            "--autoplay-policy=no-user-gesture-required",
            "--lang=en",
            "--window-size=1280,900",
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            options.add_arg(argument).unwrap();
        }
        options.set("goog:loggingPrefs", json!({"browser": "ALL"})).unwrap();
        let address = format!("http://127.0.0.1:{port}");
        let begun = Instant::now();
        let driver = loop {
            match WebDriver::new(&address, options.clone()).await {
                Ok(driver) => break driver,
                Err(error) => assert!(begun.elapsed() < PATIENCE, "chromedriver does not answer: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        Self { driver: ManuallyDrop::new(driver), driver_address: address, service, _profile: profile }
    }

    pub async fn open(&self, url: &str) {
        self.driver.goto("about:blank").await.unwrap();
        self.driver.goto(url).await.unwrap();
    }

    pub async fn sign_in(&self, program: &Program, name: &str) {
        self.open(&program.url("/#/sign-in")).await;
        self.fill("#sign-in-form [name=username]", name).await;
        self.fill("#sign-in-form [name=password]", PASSWORD).await;
        self.click("#sign-in-form [type=submit]").await;
        self.see("#signed-in-user").await;
    }

    /// Waits until an element exists and is visible.
    pub async fn see(&self, selector: &str) -> WebElement {
        let begun = Instant::now();
        loop {
            let query = self.driver.query(By::Css(selector)).wait(PATIENCE, Duration::from_millis(50)).and_displayed();
            match query.first().await {
                Ok(element) => return element,
                // The page replaced the element between the two requests.
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{selector} is not to be seen: {error}"),
            }
        }
    }

    pub async fn is_absent(&self, selector: &str) -> bool {
        self.driver.find_all(By::Css(selector)).await.unwrap().is_empty()
    }

    pub async fn click(&self, selector: &str) {
        self.see(selector).await.click().await.unwrap();
    }

    pub async fn fill(&self, selector: &str, text: &str) {
        self.see(selector).await.send_keys(text).await.unwrap();
    }

    /// Replaces the text of a field.
    pub async fn refill(&self, selector: &str, text: &str) {
        self.see(selector).await.clear().await.unwrap();
        self.fill(selector, text).await;
    }

    pub async fn script(&self, script: &str) {
        self.driver.execute(script, Vec::new()).await.unwrap();
    }

    pub async fn number(&self, expression: &str) -> f64 {
        let answer = self.driver.execute(format!("return {expression}"), Vec::new()).await.unwrap();
        answer.json().as_f64().unwrap_or_else(|| panic!("{expression} is {}", answer.json()))
    }

    pub async fn text(&self, expression: &str) -> String {
        let answer = self.driver.execute(format!("return {expression}"), Vec::new()).await.unwrap();
        answer.json().as_str().unwrap_or_else(|| panic!("{expression} is {}", answer.json())).to_owned()
    }

    pub async fn is_visible(&self, selector: &str) -> bool {
        self.number(&format!("Number(document.querySelector(\"{selector}\")?.checkVisibility() ?? false)")).await > 0.0
    }

    pub async fn wait_until(&self, condition: &str) {
        let begun = Instant::now();
        let script = format!("try {{ return Boolean({condition}) }} catch {{ return false }}");
        while self.driver.execute(&script, Vec::new()).await.unwrap().json().as_bool() != Some(true) {
            assert!(begun.elapsed() < PATIENCE, "still not true: {condition}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The player's position in seconds.
    pub async fn position(&self) -> f64 {
        self.number("document.querySelector('#player').currentTime").await
    }

    /// Plays until the player reaches `second`.
    pub async fn play_until(&self, second: f64) {
        self.wait_until("document.querySelector('#player').readyState >= 2").await;
        self.script("document.querySelector('#player').play()").await;
        self.wait_until(&format!("document.querySelector('#player').currentTime >= {second}")).await;
    }

    pub async fn seek(&self, second: f64) {
        self.wait_until("document.querySelector('#player').readyState >= 1").await;
        self.script(&format!("document.querySelector('#player').currentTime = {second}")).await;
        self.wait_until("!document.querySelector('#player').seeking").await;
    }

    /// Presses a key, as WebDriver writes it, where the focus is.
    pub async fn press(&self, key: &str) {
        self.driver.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// Opens another tab in front of this one, which is given back.
    pub async fn new_tab(&self) -> WindowHandle {
        let tab = self.driver.window().await.unwrap();
        let other = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(other).await.unwrap();
        tab
    }

    /// Closes this tab, and goes back to another one.
    pub async fn back_to(&self, tab: WindowHandle) {
        self.driver.close_window().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
    }

    /// Closes the tab as a viewer does, and switches to a new one.
    pub async fn close_tab(&self) {
        let tab = self.driver.window().await.unwrap();
        let other = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab).await.unwrap();
        self.driver.close_window().await.unwrap();
        self.driver.switch_to_window(other).await.unwrap();
    }

    /// Blocks the requests for the history, reads and saves, as if the network failed. The page and
    /// its video still load.
    pub async fn lose_the_history(&self) {
        self.command("Network.setBlockedURLs", json!({"urls": ["*/watch-history*"]})).await;
    }

    /// Unblocks the requests and sends the page the `online` event.
    pub async fn bring_the_history_back(&self) {
        self.command("Network.setBlockedURLs", json!({"urls": []})).await;
        for offline in [true, false] {
            self.set_offline(offline).await;
        }
    }

    /// Cuts the whole network off, or brings it back, as airplane mode does.
    pub async fn set_offline(&self, offline: bool) {
        let speed = json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
        self.command("Network.emulateNetworkConditions", speed).await;
    }

    /// Runs a script in each page that is opened from now on, before its own scripts.
    pub async fn prepare(&self, script: &str) {
        self.command("Page.enable", json!({})).await;
        self.command("Page.addScriptToEvaluateOnNewDocument", json!({"source": script})).await;
    }

    /// Shows the page in a light or dark colour scheme, in a window of this width.
    pub async fn look(&self, scheme: &str, width: u32) {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.command("Emulation.setEmulatedMedia", media).await;
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Sends Chromium a command of its DevTools protocol.
    async fn command(&self, name: &str, parameters: Value) {
        for (name, parameters) in [("Network.enable", json!({})), (name, parameters)] {
            self.ask_driver("goog/cdp/execute", json!({"cmd": name, "params": parameters})).await;
        }
    }

    /// Saves a screenshot under `target/screenshots`.
    pub async fn screenshot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        self.driver.screenshot(&folder.join(name).with_extension("png")).await.unwrap();
    }

    /// The errors of the console since the last call: scripts that failed, and what the content
    /// security policy blocked. Failed requests are left out.
    pub async fn console_errors(&self) -> Vec<String> {
        let log = self.ask_driver("se/log", json!({"type": "browser"})).await;
        let lines = log.as_array().expect("chromedriver hands out the console's log");
        let severe = lines.iter().filter(|line| line["level"] == "SEVERE" && line["source"] != "network");
        severe.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Calls an extension of ChromeDriver to the WebDriver protocol.
    async fn ask_driver(&self, path: &str, body: Value) -> Value {
        let address = format!("{}/session/{}/{path}", self.driver_address, self.driver.session_id());
        let answer = reqwest::Client::new().post(address).json(&body).send().await.unwrap();
        let mut answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        answer["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let session = format!("{}/session/{}", self.driver_address, self.driver.session_id());
        // Stops the browser, from another thread because the test's runtime is blocked here.
        let ending = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _ = runtime.block_on(reqwest::Client::new().delete(session).send());
        });
        let _ = ending.join();
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}
