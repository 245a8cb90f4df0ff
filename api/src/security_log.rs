//! The security log: a line for each sign-in, sign-up, password change and the like.
//!
//! A line has the event, its outcome, the account, the client address and the request id, never a
//! password or a token. The log target is `security`; `RUST_LOG=info,security=off` turns it off.

use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::request_id::RequestId;
use crate::state::AppData;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use std::fmt::{self, Display};
use std::future::{Ready, ready};
use std::net::IpAddr;

const TARGET: &str = "security";
/// Longer names are cut.
const MAX_NAME_LENGTH: usize = 100;

/// What happened, or was attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecurityEvent {
    SignIn,
    SignUp,
    SignOut,
    Refresh,
    SessionsEnd,
    AccountChange,
    PasswordChange,
    AccountDeletion,
    /// An administrator changes or deletes a video of another user.
    ForeignVideo,
    /// An access token that this server did not sign.
    Token,
}

impl SecurityEvent {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignUp => "sign_up",
            Self::SignOut => "sign_out",
            Self::Refresh => "refresh",
            Self::SessionsEnd => "sessions_end",
            Self::AccountChange => "account_change",
            Self::PasswordChange => "password_change",
            Self::AccountDeletion => "account_deletion",
            Self::ForeignVideo => "foreign_video",
            Self::Token => "token",
        }
    }
}

/// The account of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AccountRef<'a> {
    /// The account with this id.
    Id(i64),
    /// The name or e-mail that the client sent; it may not exist.
    Typed(&'a str),
    /// The request does not name it.
    Unknown,
}

/// Names that clients send are quoted and escaped, so that they cannot start another line.
impl Display for AccountRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Typed(name) => write!(f, "{:?}", name.chars().take(MAX_NAME_LENGTH).collect::<String>()),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Writes security events of one request. An extractor.
#[derive(Clone)]
pub(crate) struct SecurityLog {
    app: Option<AppData>,
    request_id: String,
    address: Option<IpAddr>,
}

impl SecurityLog {
    pub(crate) fn new(request: &HttpRequest) -> Self {
        Self {
            app: request.app_data::<AppData>().cloned(),
            request_id: RequestId::for_log(request),
            address: ClientAddress::from_request(request, &mut Payload::None).into_inner().ok().map(|from| from.0),
        }
    }

    /// Logs that `event` succeeded.
    pub(crate) fn record_success(&self, event: SecurityEvent, account: AccountRef<'_>) {
        self.write_line(event, "done", account, "");
    }

    /// Logs how `event` ended. Server errors and invalid input are not security events.
    pub(crate) fn record_result<T>(&self, event: SecurityEvent, account: AccountRef<'_>, result: &Result<T, Problem>) {
        match result {
            Ok(_) => self.record_success(event, account),
            Err(problem) => self.record_refusal(event, account, problem),
        }
    }

    /// Logs a forged access token, once for each request.
    pub(crate) fn record_forged_token(request: &HttpRequest, problem: &Problem) {
        struct AlreadyLogged;
        if request.extensions_mut().insert(AlreadyLogged).is_none() {
            Self::new(request).record_refusal(SecurityEvent::Token, AccountRef::Unknown, problem);
        }
    }

    /// Logs that `event` was refused.
    pub(crate) fn record_refusal(&self, event: SecurityEvent, account: AccountRef<'_>, problem: &Problem) {
        let is_wrong_password = problem.errors.iter().any(|error| error.field == "current_password");
        match problem.status {
            422 if is_wrong_password => self.write_line(event, "wrong_password", account, ""),
            401 | 403 | 409 | 429 => self.write_line(event, problem.code, account, &problem.cause),
            _ => {}
        }
    }

    fn write_line(&self, event: SecurityEvent, outcome: &str, account: AccountRef<'_>, cause: &str) {
        let Self { app, request_id, address } = self;
        if let Some(metrics) = app.as_ref().and_then(|app| app.metrics.as_ref()) {
            metrics.count_security_event(event.name(), outcome);
        }
        let address = address.map_or_else(|| "unknown".into(), |address| address.to_string());
        let event = event.name();
        // The throttle counts each address separately, so that one attacker does not hide another.
        let source = format!("{event} {outcome} {address}");
        let cause = if cause.is_empty() { String::new() } else { format!(": {cause}") };
        let line = format_args!("{event} {outcome} account={account} address={address} request={request_id}{cause}");
        match outcome {
            "done" => log::info!(target: TARGET, source = source.as_str(); "{line}"),
            _ => log::warn!(target: TARGET, source = source.as_str(); "{line}"),
        }
    }
}

impl FromRequest for SecurityLog {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::new(request)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_start_another_line() {
        let name = "ann\n2026-11-30 security sign_in done\u{1b}[2J\u{202e}";
        let quoted = AccountRef::Typed(name).to_string();
        assert!(!quoted.contains(['\n', '\u{1b}', '\u{202e}']), "{quoted}");
        assert!(AccountRef::Typed(&"a".repeat(10_000)).to_string().len() <= MAX_NAME_LENGTH + 2);
    }
}
