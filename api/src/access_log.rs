//! The access log: one line for each request, written after the last byte of its answer.

use crate::client_address::ClientAddress;
use crate::request_id::RequestId;
use crate::state::{AccessLog, AppState};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use std::fmt::{self, Display};
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

/// The target under which the lines are logged.
pub const TARGET: &str = "access";

/// The account that the token of the request names.
pub(crate) struct RequestUser(pub(crate) i64);

/// The log line of a request that is not answered yet.
pub(crate) struct PendingLine {
    format: AccessLog,
    started: Instant,
    method: Method,
    path: String,
}

impl PendingLine {
    /// Keeps time, method and path of a request; `None` when the access log is off.
    pub(crate) fn start(request: &ServiceRequest) -> Option<Self> {
        let format = request.app_data::<Data<AppState>>()?.access_log;
        let (method, path) = (request.method().clone(), request.path().to_owned());
        (format != AccessLog::Off).then(|| Self { format, started: Instant::now(), method, path })
    }

    /// Writes the line when the body was sent, or the client left.
    pub(crate) fn finish(self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        let request = response.request();
        let line = LogLine {
            time: now(request),
            method: self.method.to_string(),
            path: self.path,
            status: response.status().as_u16(),
            milliseconds: 0.0,
            bytes: 0,
            address: ClientAddress::from_request(request, &mut Payload::None).into_inner().ok().map(|from| from.0),
            user: request.extensions().get::<RequestUser>().map(|user| user.0),
            request_id: RequestId::for_log(request),
        };
        let (format, started) = (self.format, self.started);
        response.map_body(|_, inner| BoxBody::new(CountingBody { inner, line, format, started }))
    }
}

fn now(request: &HttpRequest) -> DateTime<Utc> {
    request.app_data::<Data<AppState>>().map_or_else(DateTime::default, |app| app.clock.now())
}

#[derive(Debug, Serialize)]
struct LogLine {
    #[serde(serialize_with = "rfc3339")]
    time: DateTime<Utc>,
    method: String,
    path: String,
    status: u16,
    milliseconds: f64,
    bytes: u64,
    address: Option<IpAddr>,
    user: Option<i64>,
    request_id: String,
}

fn rfc3339<S: serde::Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// The path stays percent-encoded, as the client sent it, so it cannot contain a line break.
impl Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, method, path, status, milliseconds, bytes, address, user, request_id } = self;
        let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
        let address = address.map_or_else(|| "-".into(), |address| address.to_string());
        let user = user.map_or_else(|| "-".into(), |user| user.to_string());
        write!(f, "{time} {address} {user} {method} {path} {status} {milliseconds}ms {bytes}B {request_id}")
    }
}

/// A body that counts its bytes and writes the log line when it is dropped, also when the client
/// left early.
struct CountingBody {
    inner: BoxBody,
    line: LogLine,
    format: AccessLog,
    started: Instant,
}

impl MessageBody for CountingBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = Pin::new(&mut self.inner).poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &next {
            self.line.bytes += bytes.len() as u64;
        }
        next
    }
}

impl Drop for CountingBody {
    fn drop(&mut self) {
        // Rounded to microseconds, so that the number is short.
        self.line.milliseconds = (self.started.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        match self.format {
            AccessLog::Off => {}
            AccessLog::Text => log::info!(target: TARGET, "{}", self.line),
            AccessLog::Json => match serde_json::to_string(&self.line) {
                Ok(line) => log::info!(target: TARGET, "{line}"),
                Err(error) => log::error!("cannot write the access log: {error}"),
            },
        }
    }
}
