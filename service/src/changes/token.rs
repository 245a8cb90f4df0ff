//! The token that a device gets with its changes, and sends to get the next ones.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// The first byte of every token. A token with other content gets another number.
const VERSION: u8 = 1;
const NUMBERS: usize = 7;
const CHECKSUM_LENGTH: usize = 8;
const LENGTH: usize = 1 + NUMBERS * 8 + CHECKSUM_LENGTH;

/// A point in the order of commits, at a time. What was committed before it has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CommitPoint {
    /// The lowest number of a transaction that may not have been told, 1 or more.
    pub(super) number: i64,
    pub(super) time: DateTime<Utc>,
}

/// The state of the database at the moment of a statement that reads changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChangeSnapshot {
    /// A hash of the database, the viewer and the settings, for which alone a token is valid.
    pub(super) scope: i64,
    /// The number of the last reset of the history; 0 if there was none.
    pub(super) reset: i64,
    /// What was not committed at that moment comes after this point.
    pub(super) point: CommitPoint,
}

/// How far a device has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChangeToken {
    scope: i64,
    reset: i64,
    /// The device has everything before it; `None` while it reads the whole history.
    pub(super) since: Option<CommitPoint>,
    /// While more pages follow: the point of the first page, which is `since` after the last one.
    next: Option<CommitPoint>,
    /// The last video of the page before; 0 at the first page.
    pub(super) after: i64,
}

impl ChangeToken {
    /// The token after a page. `before` is that of the request, and `last` the last video of the
    /// page if more pages follow.
    pub(super) fn after_page(before: Option<Self>, snapshot: &ChangeSnapshot, last: Option<i64>) -> Self {
        // What is committed between two pages comes after the point of the first page.
        let next = before.and_then(|before| before.next).unwrap_or(snapshot.point);
        let (since, next) = match last {
            Some(_) => (before.and_then(|before| before.since), Some(next)),
            None => (Some(next), None),
        };
        Self { scope: snapshot.scope, reset: snapshot.reset, since, next, after: last.unwrap_or(0) }
    }

    /// Whether the token was given out for the same database, viewer and settings, and the history
    /// was not reset since.
    pub(super) fn is_valid_at(&self, snapshot: &ChangeSnapshot) -> bool {
        let is_past = |point: CommitPoint| point.number <= snapshot.point.number;
        self.scope == snapshot.scope && self.reset == snapshot.reset && self.points().all(is_past)
    }

    /// The time since which the device may lack changes.
    pub(super) fn time(&self) -> Option<DateTime<Utc>> {
        self.points().map(|point| point.time).min()
    }

    fn points(&self) -> impl Iterator<Item = CommitPoint> {
        self.since.into_iter().chain(self.next)
    }

    /// The text form for clients. Its content may change.
    pub(super) fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        let [since, next] = [self.since, self.next].map(numbers_of);
        for number in [self.scope, self.reset, since.0, since.1, next.0, next.1, self.after] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(checksum(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The token that [`ChangeToken::encode`] wrote; `None` for anything else.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (content, sum) = bytes.split_at(LENGTH - CHECKSUM_LENGTH);
        let (version, numbers) = content.split_first()?;
        if *version != VERSION || checksum(content) != sum {
            return None;
        }
        let numbers = numbers.chunks_exact(8).map(|bytes| bytes.try_into().map(i64::from_be_bytes));
        let numbers: Vec<i64> = numbers.collect::<Result<_, _>>().ok()?;
        let [scope, reset, since, since_time, next, next_time, after] = numbers.try_into().ok()?;
        let point = |number, time| Some(CommitPoint { number, time: DateTime::from_timestamp_millis(time)? });
        Some(Self {
            scope,
            reset,
            since: point(since, since_time).filter(is_set),
            next: point(next, next_time).filter(is_set),
            after,
        })
    }
}

fn is_set(point: &CommitPoint) -> bool {
    point.number > 0
}

/// The number and the time of a point; 0 for none.
fn numbers_of(point: Option<CommitPoint>) -> (i64, i64) {
    point.map_or((0, 0), |point| (point.number, point.time.timestamp_millis()))
}

/// Finds damaged tokens. It is no signature: a viewer who makes up a token gets wrong changes of
/// their own history only.
fn checksum(content: &[u8]) -> [u8; CHECKSUM_LENGTH] {
    let mut sum = [0; CHECKSUM_LENGTH];
    sum.iter_mut().zip(Sha256::digest(content)).for_each(|(to, from)| *to = from);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(number: i64) -> CommitPoint {
        CommitPoint { number, time: DateTime::from_timestamp_millis(1_763_650_379_391 + number).unwrap() }
    }

    fn snapshot(number: i64) -> ChangeSnapshot {
        ChangeSnapshot { scope: -7, reset: 3, point: point(number) }
    }

    #[test]
    fn an_encoded_token_is_decoded() {
        for last in [None, Some(i64::MAX)] {
            let first = ChangeToken::after_page(None, &snapshot(9), last);
            for token in [first, ChangeToken::after_page(Some(first), &snapshot(11), Some(5))] {
                assert_eq!(ChangeToken::decode(&token.encode()), Some(token));
                assert_eq!(token.encode().len(), 87);
            }
        }
    }

    #[test]
    fn a_damaged_token_is_refused() {
        let token = ChangeToken::after_page(None, &snapshot(9), None).encode();
        for at in 0..token.len() - 1 {
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let damaged = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert_eq!(ChangeToken::decode(&damaged), None, "{damaged}");
        }
        for text in ["", "x", "🦀", &token[1..], &format!("{token}A"), &"A".repeat(87)] {
            assert_eq!(ChangeToken::decode(text), None, "{text}");
        }
    }

    #[test]
    fn the_next_request_begins_at_the_first_page_of_the_last() {
        let first = ChangeToken::after_page(None, &snapshot(9), Some(100));
        let second = ChangeToken::after_page(Some(first), &snapshot(12), Some(200));
        assert_eq!((second.since, second.after), (None, 200));
        let last = ChangeToken::after_page(Some(second), &snapshot(15), None);
        assert_eq!((last.since, last.after), (Some(point(9)), 0));
    }
}
