//! Request bodies: read up to a limit, and parsed only as their `Content-Type`.

use crate::error::Problem;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The largest body in bytes. A batch of 500 saves fits, even with every letter escaped.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(20);
/// Larger bodies need a permit, so that many of them at once do not fill the memory.
const LARGE_BODY: usize = 64 * 1024;
/// How many large bodies are read at once.
static LARGE_BODIES: Semaphore = Semaphore::const_new(64);

/// A JSON object as the body of a request.
///
/// Unlike the extractor of actix-web, it does not accept an array whose items match the fields.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T> Deref for Body<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = media_type(request) == "application/json";
        let reading = read(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(unsupported_media_type("application/json").into());
            }
            Ok(Self(parse(&reading.await?)?))
        })
    }
}

/// Like [`Body`], for methods that rarely have one: no body is the same as an empty object.
#[derive(Debug)]
pub struct OptionalBody<T>(pub T);

impl<T> Deref for OptionalBody<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for OptionalBody<T> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = media_type(request);
        let reading = read(request, payload);
        Box::pin(async move {
            let bytes = reading.await?;
            match (&*kind, bytes.is_empty()) {
                ("" | "application/json", true) => Ok(Self(parse(b"{}")?)),
                ("application/json", _) => Ok(Self(parse(&bytes)?)),
                _ => Err(unsupported_media_type("application/json").into()),
            }
        })
    }
}

/// The media type of the body, without parameters such as the character set.
pub(crate) fn media_type(request: &HttpRequest) -> String {
    request.content_type().trim().to_ascii_lowercase()
}

/// Reads at most [`BODY_LIMIT`] bytes within [`BODY_DEADLINE`]. Nothing else reads a body.
pub(crate) fn read(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, Problem>> + use<> {
    let encodings = request.headers().get_all(CONTENT_ENCODING);
    let is_uncompressed = encodings.into_iter().all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let payload = payload.take();
    async move {
        if !is_uncompressed {
            let detail = "the body must not be compressed; send it without Content-Encoding";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        timeout(BODY_DEADLINE, collect(payload)).await.unwrap_or_else(|_| Err(body_too_slow()))
    }
}

async fn collect(mut payload: Payload) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    let mut permit = None;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| unreadable_body(&error))?;
        let length = bytes.len() + chunk.len();
        if length > BODY_LIMIT {
            return Err(body_too_large());
        }
        if length > LARGE_BODY && permit.is_none() {
            permit = LARGE_BODIES.acquire().await.ok();
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// Parses a JSON object.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|cause| not_json(&cause))?;
    if text.starts_with('\u{feff}') {
        return Err(not_json(&"it starts with a byte order mark"));
    }
    if text.is_empty() {
        return Err(not_json(&"it is empty"));
    }
    serde_json::from_str::<JsonObject<T>>(text).map(|JsonObject(value)| value).map_err(|mismatch| {
        // The parser stopped at the first wrong type; the rest may not even be JSON.
        match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => {
                let field = error_path::<JsonObject<T>>(&mut serde_json::Deserializer::from_str(text));
                Problem::wrong_type(&field, &mismatch.to_string())
            }
            Err(cause) => not_json(&cause),
        }
    })
}

pub(crate) fn not_json(cause: &dyn Display) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_json", format!("the body is not valid JSON: {cause}"))
}

/// The path of the field that fails to parse. The input is parsed again, with a parser that keeps
/// track of the path; only failures pay for it.
pub(crate) fn error_path<'de, T: Deserialize<'de>>(input: impl Deserializer<'de>) -> String {
    let path = serde_path_to_error::deserialize::<_, T>(input).err().map(|error| error.path().to_string());
    path.filter(|path| path != ".").unwrap_or_default()
}

/// A value that is parsed from a JSON object, never from an array.
struct JsonObject<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = JsonObject<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<JsonObject<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(JsonObject)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// A body that did not arrive completely.
pub(crate) fn unreadable_body(error: &PayloadError) -> Problem {
    let detail = match error {
        PayloadError::Incomplete(_) => "the body ended before it was complete".to_owned(),
        error => format!("the body cannot be read: {error}"),
    };
    Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", detail)
}

pub(crate) fn body_too_slow() -> Problem {
    let detail = format!("the body did not arrive within {} seconds", BODY_DEADLINE.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail)
}

pub(crate) fn body_too_large() -> Problem {
    let detail = format!("the body has more than {BODY_LIMIT} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

pub(crate) fn unsupported_media_type(expected: &str) -> Problem {
    let detail = format!("the body must be {expected}, and the header Content-Type must name it");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
}
