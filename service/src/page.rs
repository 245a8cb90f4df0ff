//! Pages of a long list, by an opaque cursor.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};

/// One page, and where the next one begins.
#[derive(Debug)]
pub struct Page<T> {
    /// At most as many as were asked for.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last.
    pub next: Option<Cursor>,
}

/// The last row of a page: the next page begins behind it, whatever was added or deleted in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When that row was made.
    pub created_at: DateTime<Utc>,
    /// Its id, which orders rows of one moment.
    pub id: i64,
}

impl Cursor {
    /// The form that callers carry around. What is in it is no promise.
    pub fn encode(&self) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.created_at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor that [`Cursor::encode`] wrote; `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (micros, id) = bytes.split_at(8);
        let created_at = DateTime::from_timestamp_micros(i64::from_be_bytes(micros.try_into().ok()?))?;
        let id = i64::from_be_bytes(id.try_into().ok()?);
        (id > 0).then_some(Self { created_at, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_own_encoding() {
        let cursor = Cursor { created_at: DateTime::from_timestamp_millis(1_763_650_379_391).unwrap(), id: i64::MAX };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "x", "AAAA", "🦀", "_____________________w", &"A".repeat(1000)] {
            assert_eq!(Cursor::decode(text), None, "{text}");
        }
    }
}
