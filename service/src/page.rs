//! Pages of a long list, with an opaque cursor.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sea_orm::Condition;
use sea_orm::sea_query::{Expr, ExprTrait};

/// One page and the cursor of the next one.
#[derive(Debug)]
pub struct Page<T> {
    /// At most as many as the request asked for.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` after the last page.
    pub next: Option<Cursor>,
}

/// The last row of a page. The next page starts after it, whatever is added or deleted meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The time that the list is sorted by.
    pub time: DateTime<Utc>,
    /// Its id, which orders rows with the same time.
    pub id: i64,
}

impl Cursor {
    /// The text form for clients. Its content may change.
    pub fn encode(&self) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.time.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor that [`Cursor::encode`] wrote; `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (micros, id) = bytes.split_at(8);
        let time = DateTime::from_timestamp_micros(i64::from_be_bytes(micros.try_into().ok()?))?;
        let id = i64::from_be_bytes(id.try_into().ok()?);
        (id > 0).then_some(Self { time, id })
    }

    /// The condition for the rows after this one in a list that is sorted by `time` and then by
    /// `id`, the newest first.
    pub(crate) fn older(&self, time: Expr, id: Expr) -> Condition {
        let older = time.clone().lt(self.time).or(time.clone().eq(self.time).and(id.lt(self.id)));
        // The second condition is the right one; the first one tells the planner where to start in
        // the index.
        Condition::all().add(time.lte(self.time)).add(older)
    }
}

impl<T> Page<T> {
    /// A page of at most `limit` rows. One row more was read, to know whether there is a next page.
    pub(crate) fn new(mut rows: Vec<T>, limit: u64, cursor: impl FnOnce(&T) -> Cursor) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(cursor);
        Self { items: rows, next }
    }

    /// The same page with other items.
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_cursor_is_decoded() {
        let cursor = Cursor { time: DateTime::from_timestamp_millis(1_763_650_379_391).unwrap(), id: i64::MAX };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn an_invalid_cursor_is_refused() {
        for text in ["", "x", "AAAA", "🦀", "_____________________w", &"A".repeat(1000)] {
            assert_eq!(Cursor::decode(text), None, "{text}");
        }
    }
}
