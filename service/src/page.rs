//! Pages of a long list, with an opaque cursor.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};

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
    /// The time when the row was created.
    pub created_at: DateTime<Utc>,
    /// Its id, which orders rows with the same time.
    pub id: i64,
}

impl Cursor {
    /// The text form for clients. Its content may change.
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
    fn an_encoded_cursor_is_decoded() {
        let cursor = Cursor { created_at: DateTime::from_timestamp_millis(1_763_650_379_391).unwrap(), id: i64::MAX };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn an_invalid_cursor_is_refused() {
        for text in ["", "x", "AAAA", "🦀", "_____________________w", &"A".repeat(1000)] {
            assert_eq!(Cursor::decode(text), None, "{text}");
        }
    }
}
