//! The messages of live sockets, JSON texts.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service::preferences::Preferences;
use service::time::Timestamp;
use service::watch_history::Entry;
use utoipa::ToSchema;

/// What a client sends over a live socket.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum LiveRequest {
    /// Who the client is. It is the first message, and is sent again with a new token before the
    /// old one expires.
    Hello {
        /// An access token.
        token: String,
        /// A change token: what changed since then is told before `ready`.
        #[serde(default)]
        since: Option<String>,
    },
}

/// What the server sends over a live socket.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum LiveMessage<'a> {
    /// The client is signed in, and was told all that changed since its change token.
    Ready {
        /// The change token to go on from.
        token: &'a str,
    },
    /// An entry as it is now. Several changes of one entry may be one message.
    Entry {
        /// The entry.
        #[schema(value_type = Entry)]
        entry: &'a RawValue,
        /// The player session that the position comes from.
        #[schema(required = true)]
        session_id: Option<&'a str>,
        /// The change token to go on from.
        token: &'a str,
    },
    /// The viewer has no entry for the video any more.
    Forgotten {
        /// The video.
        video_id: i64,
        /// The change token to go on from.
        token: &'a str,
    },
    /// All entries that were last watched before a time are deleted.
    Cleared {
        /// The time.
        #[schema(value_type = String, format = DateTime)]
        before: Timestamp,
        /// The change token to go on from.
        token: &'a str,
    },
    /// The preferences as they are now.
    Preferences {
        /// The preferences.
        preferences: Preferences,
    },
    /// Messages may have been lost: read the changes since the last change token, or send hello
    /// with it.
    Resync,
    /// Why the server closes the socket.
    Error {
        /// For programs.
        code: &'a str,
        /// For people.
        detail: &'a str,
    },
}

impl LiveMessage<'_> {
    /// The message as it is sent.
    pub(super) fn to_text(&self) -> String {
        // Nothing in a message can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What a socket tells of one video.
#[derive(Debug)]
pub(super) enum LiveUpdate {
    /// The entry as it is now, already as JSON: all sockets of a viewer send the same.
    Entry { entry: Box<RawValue>, session_id: Option<String> },
    /// There is no entry any more.
    Forgotten,
}

impl From<Entry> for LiveUpdate {
    fn from(entry: Entry) -> Self {
        match serde_json::value::to_raw_value(&entry) {
            Ok(raw) => Self::Entry { entry: raw, session_id: entry.player_session },
            // It cannot be: an entry has texts and numbers only.
            Err(_) => Self::Forgotten,
        }
    }
}

impl LiveUpdate {
    /// The message about this video.
    pub(super) fn to_text(&self, video_id: i64, token: &str) -> String {
        match self {
            Self::Entry { entry, session_id } => {
                LiveMessage::Entry { entry, session_id: session_id.as_deref(), token }.to_text()
            }
            Self::Forgotten => LiveMessage::Forgotten { video_id, token }.to_text(),
        }
    }
}
