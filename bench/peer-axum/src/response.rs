//! What a response shows, and how a request fails.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

pub enum Failure {
    Unauthorized,
    NotFound,
    OutOfRange,
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "invalid token"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not found"),
            Self::OutOfRange => (StatusCode::UNPROCESSABLE_ENTITY, "out of range"),
            Self::Database(error) => {
                eprintln!("{error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "database")
            }
        };
        (status, Json(json!({ "detail": detail }))).into_response()
    }
}

/// An entry.
#[derive(Serialize)]
pub struct EntryBody {
    pub id: i64,
    pub user_id: i64,
    pub video_id: i64,
    pub watch_position: i64,
    pub watch_duration: i64,
    pub completed: bool,
    pub progress_percentage: f64,
    pub last_watched_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An item of "continue watching".
#[derive(Serialize)]
pub struct ItemBody {
    pub video_id: i64,
    pub video_title: String,
    pub video_description: Option<String>,
    pub video_duration: Option<i64>,
    pub video_thumbnail_path: Option<String>,
    pub uploader_username: String,
    pub watch_position: i64,
    pub progress_percentage: f64,
    pub last_watched_at: DateTime<Utc>,
}

/// The share of the duration in percent; 0 if it is unknown.
pub fn progress(position: i64, duration: Option<i64>) -> f64 {
    match duration {
        Some(duration) if duration > 0 => (position as f64 / duration as f64 * 100.0).min(100.0),
        _ => 0.0,
    }
}
