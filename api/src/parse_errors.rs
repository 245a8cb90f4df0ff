//! Problems for requests that actix-http cannot parse and answers itself, with an empty body.

use crate::error::Problem;
use crate::request_head::{ADDRESS_LIMIT, address_too_long, headers_too_large};
use actix_web::http::StatusCode;
use uuid::Uuid;

/// What the connection knows of the request line before the answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestLine {
    length: usize,
    is_complete: bool,
    is_head: bool,
}

impl RequestLine {
    /// Counts received bytes up to the end of the line.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        if self.is_complete {
            return;
        }
        self.is_head |= self.length == 0 && bytes.starts_with(b"HEAD ");
        let end = bytes.iter().position(|byte| *byte == b'\n');
        self.is_complete = end.is_some();
        self.length += end.unwrap_or(bytes.len());
    }

    /// The answer with a problem, if `answer` is one that actix-http made itself. Those have no request id.
    pub(crate) fn explain(self, answer: &[u8]) -> Option<Vec<u8>> {
        const LONGEST: usize = 512;
        if self.is_head || answer.len() > LONGEST || !answer.starts_with(b"HTTP/1.1 4") {
            return None;
        }
        let head = str::from_utf8(answer).ok()?.strip_suffix("\r\n\r\n")?;
        let status = head.get(9..12)?.parse::<StatusCode>().ok()?;
        if head.contains("\r\n\r\n") || head.contains("x-request-id") {
            return None;
        }
        let problem = match status {
            StatusCode::BAD_REQUEST | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE if self.length > ADDRESS_LIMIT => {
                address_too_long()
            }
            StatusCode::BAD_REQUEST => {
                Problem::new(status, "malformed_request", "the request is not well-formed HTTP/1.1")
            }
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => headers_too_large(),
            StatusCode::REQUEST_TIMEOUT => {
                Problem::new(status, "request_too_slow", "the head of the request did not arrive in time")
            }
            _ => return None,
        };
        let kept = head.split("\r\n").skip(1).filter(|header| !header.starts_with("content-length"));
        Some(render(&Problem { instance: Uuid::now_v7().to_string(), ..problem }, kept))
    }
}

fn render<'a>(problem: &Problem, headers: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let body = serde_json::to_string(problem).unwrap_or_default();
    let mut lines = vec![
        format!("HTTP/1.1 {} {}", problem.status, problem.title),
        format!("content-length: {}", body.len()),
        "content-type: application/problem+json".to_owned(),
        format!("x-request-id: {}", problem.instance),
        "x-content-type-options: nosniff".to_owned(),
        "cache-control: no-store".to_owned(),
    ];
    lines.extend(headers.map(str::to_owned));
    format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
}
