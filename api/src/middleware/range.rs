//! The header `Range`, which players send.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderValue, RANGE};

/// Removes an invalid `Range`, as RFC 9110 (14.2) asks, and opens one whose end exceeds 64 bits.
pub(super) fn sanitize_range(request: &mut ServiceRequest) {
    let Some(range) = request.headers().get(RANGE) else { return };
    match sanitize(range.to_str().unwrap_or_default().trim()) {
        Range::Keep => {}
        Range::Remove => {
            request.headers_mut().remove(RANGE);
        }
        Range::Replace(range) => {
            request.headers_mut().insert(RANGE, range);
        }
    }
}

enum Range {
    Keep,
    Remove,
    Replace(HeaderValue),
}

fn sanitize(range: &str) -> Range {
    let unit = range.split_once('=').filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes"));
    let Some((first, last)) = unit.and_then(|(_, bounds)| bounds.split_once('-')) else { return Range::Remove };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match (first, last) {
        // The file handler decides about several ranges.
        _ if range.contains(',') => Range::Keep,
        (first, "") if is_number(first) => Range::Keep,
        ("", last) if is_number(last) => Range::Keep,
        (first, last) if is_number(first) && is_number(last) => match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => Range::Keep,
            (Ok(first), Err(_)) => {
                HeaderValue::from_str(&format!("bytes={first}-")).map_or(Range::Remove, Range::Replace)
            }
            _ => Range::Remove,
        },
        _ => Range::Remove,
    }
}
