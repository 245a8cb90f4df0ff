//! Ann in her browser, and the API as she uses it on other devices.

use crate::browser::Browser;
use crate::program::Program;
use reqwest::{Client, Method};
use serde_json::{Value, json};

pub struct Viewer {
    pub program: Program,
    pub browser: Browser,
    client: Client,
    token: String,
}

impl Viewer {
    /// Ann signed in on a server with one clip.
    pub async fn start() -> Self {
        Self::start_on(Program::start()).await
    }

    pub async fn start_on(program: Program) -> Self {
        program.create_user("ann");
        let browser = Browser::start().await;
        browser.sign_in(&program, "ann").await;
        let token = program.token("ann").await;
        Self { program, browser, client: Client::new(), token }
    }

    /// Sends a request below `/api/v1`, and gives back the status and the JSON of the response.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        self.ask_as(&self.token, method, path, body).await
    }

    /// As [`Viewer::ask`], with the token of another user.
    pub async fn ask_as(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.client.request(method, self.program.url(&format!("/api/v1{path}"))).bearer_auth(token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// Adds a video of ten minutes without a file, and returns its id.
    pub async fn add_video(&self, title: &str) -> i64 {
        let (status, video) = self.ask(Method::POST, "/videos", Some(json!({"title": title, "duration": 600}))).await;
        assert_eq!(status, 201, "{video}");
        video["id"].as_i64().unwrap()
    }

    /// A video that was watched up to this second some days ago; returns its id.
    pub async fn watch(&self, title: &str, second: u32, days_ago: u64) -> i64 {
        let id = self.add_video(title).await;
        let save = json!({
            "watch_position": second, "session_id": format!("of {id}").replace(' ', "-"), "sequence": 1,
            "device": "Living room", "played_seconds": second, "age_ms": days_ago * 86_400_000,
        });
        let (status, entry) = self.ask(Method::POST, &format!("/videos/{id}/watch-history"), Some(save)).await;
        assert_eq!(status, 200, "{entry}");
        id
    }

    /// The entry of a video; null if there is none.
    pub async fn entry(&self, video: i64) -> Value {
        let (status, entry) = self.ask(Method::GET, &format!("/videos/{video}/watch-history"), None).await;
        if status == 404 { Value::Null } else { entry }
    }

    /// Opens a page, such as `history`, and waits for its heading.
    pub async fn open(&self, page: &str) {
        self.browser.open(&self.program.url(&format!("/#/{page}"))).await;
        self.browser.see("main h1").await;
    }

    /// Chooses an action in the menu of a row of the history.
    pub async fn choose(&self, video: i64, action: &str) {
        self.browser.click(&format!("#history-days [data-video-id='{video}'] .menu-button")).await;
        self.browser.click(&format!(".menu:popover-open [data-action='{action}']")).await;
    }

    /// Waits until the history shows these videos and no others.
    pub async fn sees_rows(&self, mut videos: Vec<i64>) {
        videos.sort_unstable();
        let shown = "[...document.querySelectorAll('#history-days .row')].map((row) => Number(row.dataset.videoId))";
        let condition = format!("String({shown}.sort((a, b) => a - b)) === String({})", json!(videos));
        self.browser.wait_until(&condition).await;
    }

    /// Waits until the line about the last action says this.
    pub async fn is_told(&self, text: &str) {
        let told = "document.querySelector('#done').checkVisibility() && document.querySelector('#done').textContent";
        self.browser.wait_until(&format!("({told}).startsWith('{text}')")).await;
    }
}
