//! Who sends the request, by its access token.

use crate::access_log::RequestUser;
use crate::error::Problem;
use crate::security_log::SecurityLog;
use crate::state::{self, AccessLog};
use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use service::Error;
use service::auth::TokenSubject;
use service::caller::Caller;
use std::future::{Ready, ready};
use std::pin::Pin;

type ExtractFuture<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// A valid access token of a session that is not known to be over. The database is not asked: for
/// use cases whose own statement checks that the account is active.
#[derive(Clone, Copy, Debug)]
pub struct Token(pub TokenSubject);

impl FromRequest for Token {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(verify(request).and_then(|subject| subject.map(Self).ok_or_else(|| Error::Unauthenticated.into())))
    }
}

/// The id of the account that a [`Token`] names.
#[derive(Clone, Copy, Debug)]
pub struct TokenUser(pub i64);

impl FromRequest for TokenUser {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Token::from_request(request, payload).into_inner().map(|Token(subject)| Self(subject.user_id)))
    }
}

/// The signed-in caller, whose account the database says is active.
#[derive(Clone, Copy, Debug)]
pub struct CurrentUser(pub Caller);

impl FromRequest for CurrentUser {
    type Error = Problem;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = OptionalUser::from_request(request, payload);
        Box::pin(async { caller.await?.0.map(Self).ok_or_else(|| Error::Unauthenticated.into()) })
    }
}

/// The caller, or `None` without a token. An invalid token is refused, not ignored.
#[derive(Clone, Copy, Debug)]
pub struct OptionalUser(pub Option<Caller>);

impl FromRequest for OptionalUser {
    type Error = Problem;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (app, subject) = (state::app_data(request).cloned(), verify(request));
        Box::pin(async move {
            let Some(subject) = subject? else { return Ok(Self(None)) };
            let app = app?;
            let check = app.run(move |app| async move {
                let now = app.clock.now();
                service::auth::authenticate(app.db.reader(), subject, app.history_max_days, now).await
            });
            Ok(Self(Some(check.await?)))
        })
    }
}

/// Verifies the bearer token; `None` when the request has no `Authorization` header.
fn verify(request: &HttpRequest) -> Result<Option<TokenSubject>, Problem> {
    let Some(header) = request.headers().get(AUTHORIZATION) else { return Ok(None) };
    let (scheme, token) =
        header.to_str().ok().and_then(|header| header.split_once(' ')).ok_or(Error::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Error::Unauthenticated.into());
    }
    let app = state::app_data(request)?;
    let subject = app.auth.verify(token.trim(), app.clock.now()).map_err(|error| {
        let is_forged = matches!(error, Error::ForgedToken);
        let problem = Problem::from(error);
        if is_forged {
            SecurityLog::record_forged_token(request, &problem);
        }
        problem
    })?;
    if app.access_log != AccessLog::Off {
        request.extensions_mut().insert(RequestUser(subject.user_id));
    }
    Ok(Some(subject))
}
