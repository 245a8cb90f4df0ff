//! Accounts, videos and saves that a test starts with, made over HTTP.

use crate::app::{PASSWORD, Person, TestApp, history};
use entity::video;
use reqwest::{Method, Response, StatusCode};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use service::storage::{Event, Transaction};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

impl TestApp {
    /// Makes an account with this name and [`PASSWORD`], and signs in.
    pub async fn sign_up(&self, name: &str) -> Person {
        let body = json!({"email": format!("{name}@example.org"), "username": name, "password": PASSWORD});
        let made = self.post("/api/v1/auth/register", &body).await;
        assert_eq!(made.status(), StatusCode::CREATED, "{}", made.text().await.unwrap());
        let id = made.json::<Value>().await.unwrap()["id"].as_i64().unwrap();
        let pair = self.post("/api/v1/auth/login", &json!({"username": name, "password": PASSWORD})).await;
        assert_eq!(pair.status(), StatusCode::OK);
        let nobody = Person { id, name: name.to_owned(), token: String::new(), refresh_token: String::new() };
        nobody.with(&pair.json().await.unwrap())
    }

    /// Signs `person` in once more.
    pub async fn sign_in_again(&self, person: &Person) -> Person {
        let pair = self.post("/api/v1/auth/login", &json!({"username": person.name, "password": PASSWORD})).await;
        assert_eq!(pair.status(), StatusCode::OK);
        person.with(&pair.json().await.unwrap())
    }

    /// Gives an account a new password, as another process does.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<(), service::Error> {
        let passwords = service::auth::Passwords::default();
        let new = service::user::prepare_new_password(&self.db, &passwords, name, password.to_owned()).await?;
        self.db.transaction(async |tx| service::user::set_password(tx, new, self.now()).await.map(drop)).await
    }

    /// Sends these bytes and returns the whole response, for requests that no client library sends.
    pub fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// Deletes the account of `person`.
    pub async fn leave(&self, person: &Person) -> Response {
        self.ask(person, Method::DELETE, "/api/v1/users/me", Some(json!({"current_password": PASSWORD}))).await
    }

    /// Adds a video of `duration` seconds, uploaded by `person`.
    pub async fn add_video(&self, person: &Person, title: &str, duration: Option<i32>) -> i64 {
        let body = json!({"title": title, "duration": duration});
        let made = self.ask(person, Method::POST, "/api/v1/videos", Some(body)).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        made.json::<Value>().await.unwrap()["id"].as_i64().unwrap()
    }

    /// Adds so many videos of ten minutes without a request for each, and returns the ids of all.
    pub async fn add_videos(&self, person: &Person, count: usize) -> Vec<i64> {
        let rows = (0..count).map(|n| video::ActiveModel {
            user_id: Set(person.id),
            title: Set(format!("film {n}")),
            duration: Set(Some(600)),
            status: Set(video::Status::Ready),
            created_at: Set(self.now()),
            updated_at: Set(self.now()),
            ..Default::default()
        });
        let (_guard, db) = self.db.writer().await.unwrap();
        video::Entity::insert_many(rows).exec_without_returning(db).await.unwrap();
        let ids = video::Entity::find().select_only().column(video::Column::Id).order_by_asc(video::Column::Id);
        ids.into_tuple().all(db).await.unwrap()
    }

    /// Changes videos by SQL, and tells all processes, as a use case does in its transaction.
    pub async fn change_videos(&self, sql: &str) {
        let change = async |tx: &Transaction| {
            tx.execute_unprepared(sql).await?;
            tx.record(Event::VideoChanged { video_id: 0 });
            Ok(())
        };
        self.db.transaction(change).await.unwrap();
    }

    /// Saves a position in seconds and returns the entry.
    pub async fn save(&self, person: &Person, video: i64, position: i32) -> Value {
        let body = json!({"watch_position": position});
        let saved = self.ask(person, Method::POST, &history(video), Some(body)).await;
        assert_eq!(saved.status(), StatusCode::OK);
        saved.json().await.unwrap()
    }

    /// Sends a save with this body and returns the entry.
    pub async fn send_save(&self, person: &Person, video: i64, body: Value) -> Value {
        self.ask_json(person, Method::POST, &history(video), Some(body)).await
    }

    /// The caller's entry for a video.
    pub async fn entry(&self, person: &Person, video: i64) -> Value {
        self.ask_json(person, Method::GET, &history(video), None).await
    }

    /// Sends a request that succeeds, and returns the body of the response.
    pub async fn ask_json(&self, person: &Person, method: Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.ask(person, method, path, body).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The titles of the continue watching list.
    pub async fn continue_watching(&self, person: &Person) -> Vec<String> {
        let list = self.ask(person, Method::GET, "/api/v1/videos/continue-watching", None).await;
        let list: Vec<Value> = list.json().await.unwrap();
        list.iter().map(|item| item["video_title"].as_str().unwrap().to_owned()).collect()
    }
}
