//! Why the server closes a live socket.

use super::limits::MAX_MESSAGE;
use super::messages::LiveMessage;
use actix_ws::{CloseCode, CloseReason, ProtocolError};
use service::Error;
use std::io;

/// Why the server closes a live socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LiveClosing {
    /// The client sent what it may not send, and what is wrong with it.
    BadMessage(String),
    MessageTooLong,
    /// The token is not valid, or the account is gone.
    Unauthenticated,
    TokenExpired,
    SessionEnded,
    OtherAccount,
    NoHello,
    /// The client answered no ping.
    Silent,
    TooManySockets,
    ShuttingDown,
    /// The database cannot be read.
    Unavailable,
    /// The client closed the socket.
    ByClient,
}

impl LiveClosing {
    /// The code of the close frame, as RFC 6455 (7.4) and the API document number them.
    fn close_code(&self) -> CloseCode {
        match self {
            Self::BadMessage(_) => CloseCode::Other(4400),
            Self::Unauthenticated | Self::TokenExpired | Self::SessionEnded | Self::OtherAccount => {
                CloseCode::Other(4401)
            }
            Self::NoHello | Self::Silent => CloseCode::Other(4408),
            Self::TooManySockets => CloseCode::Other(4429),
            Self::ShuttingDown => CloseCode::Away,
            Self::MessageTooLong => CloseCode::Size,
            Self::Unavailable => CloseCode::Again,
            Self::ByClient => CloseCode::Normal,
        }
    }

    /// The reason for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::BadMessage(_) => "bad_message",
            Self::MessageTooLong => "message_too_long",
            Self::Unauthenticated => "unauthenticated",
            Self::TokenExpired => "token_expired",
            Self::SessionEnded => "session_ended",
            Self::OtherAccount => "other_account",
            Self::NoHello => "no_hello",
            Self::Silent => "no_pong",
            Self::TooManySockets => "too_many_sockets",
            Self::ShuttingDown => "shutting_down",
            Self::Unavailable => "unavailable",
            Self::ByClient => "closed",
        }
    }

    /// The reason for people.
    fn detail(&self) -> String {
        match self {
            Self::BadMessage(detail) => return detail.clone(),
            Self::MessageTooLong => return format!("a message has {MAX_MESSAGE} bytes at most"),
            Self::Unauthenticated => "not signed in, or the token is not valid",
            Self::TokenExpired => "the access token has expired; send hello with a new one before that",
            Self::SessionEnded => "the session has ended; sign in again",
            Self::OtherAccount => "the token belongs to another account; open another socket for it",
            Self::NoHello => "send hello within 5 seconds",
            Self::Silent => "no ping was answered",
            Self::TooManySockets => "the account has opened more live sockets, and this was the oldest",
            Self::ShuttingDown => "the server is shutting down; connect again",
            Self::Unavailable => "the database is unavailable or too busy; connect again",
            Self::ByClient => "",
        }
        .to_owned()
    }

    /// The message before the close frame; `None` when the client closed.
    pub(super) fn message(&self) -> Option<String> {
        let (code, detail) = (self.code(), self.detail());
        (*self != Self::ByClient).then(|| LiveMessage::Error { code, detail: &detail }.to_text())
    }

    /// The close frame.
    pub(super) fn reason(&self) -> CloseReason {
        CloseReason { code: self.close_code(), description: Some(self.code().to_owned()) }
    }
}

impl From<Error> for LiveClosing {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthenticated | Error::ForgedToken | Error::Inactive => Self::Unauthenticated,
            _ => Self::Unavailable,
        }
    }
}

impl From<ProtocolError> for LiveClosing {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Overflow => Self::MessageTooLong,
            ProtocolError::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Self::BadMessage("the message is not valid text".into())
            }
            // The parts of the message together are too long, or the client has left.
            ProtocolError::Io(_) => Self::MessageTooLong,
            other => Self::BadMessage(format!("the frame is not valid: {other}")),
        }
    }
}
