//! What a request brings: the user of its token, and its body.

use crate::response::Failure;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde::Deserialize;
use std::sync::Arc;

/// Checks access tokens, without a query.
pub struct TokenCheck {
    pub key: DecodingKey,
    pub validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// The id of the user that the token names.
pub struct UserId(pub i64);

impl<S> FromRequestParts<S> for UserId
where
    S: Send + Sync,
    Arc<TokenCheck>: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let check = Arc::<TokenCheck>::from_ref(state);
        let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer ")).ok_or(Failure::Unauthorized)?;
        let decoded = decode::<Claims>(token, &check.key, &check.validation).map_err(|_| Failure::Unauthorized)?;
        Ok(Self(decoded.claims.sub.parse().map_err(|_| Failure::Unauthorized)?))
    }
}

/// A position that a player sends.
#[derive(Deserialize)]
pub struct Position {
    pub watch_position: i64,
    #[serde(default)]
    pub watch_duration: i64,
}

impl Position {
    pub fn check(&self) -> Result<(), Failure> {
        let fits = |number: i64| (0..=i64::from(i32::MAX)).contains(&number);
        if fits(self.watch_position) && fits(self.watch_duration) { Ok(()) } else { Err(Failure::OutOfRange) }
    }
}

/// How long a list may be.
#[derive(Deserialize)]
pub struct Limit {
    #[serde(default = "ten")]
    pub limit: i64,
}

fn ten() -> i64 {
    10
}
