//! What handlers ask for in their signatures.

use crate::access_log::{AccessLog, RequestUser};
use crate::body::{BODY_LIMIT, error_path};
use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::routes::AllowedMethods;
use crate::security_log::SecurityLog;
use crate::state::AppState;
use actix_multipart::form::MultipartFormConfig;
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, USER_AGENT};
use actix_web::web::{Data, PathConfig, ServiceConfig};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use service::Error;
use service::auth::TokenSubject;
use service::auth::sessions::ClientInfo;
use service::caller::Caller;
use service::text::{self, FieldError};
use std::future::{Ready, ready};
use std::ops::Deref;
use std::pin::Pin;
use url::form_urlencoded;
use utoipa::IntoParams;
use validator::{Validate, ValidationError};

type ExtractFuture<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// The moment at which the request arrived.
#[derive(Clone, Copy, Debug)]
pub struct Now(pub DateTime<Utc>);

impl FromRequest for Now {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(app(request).map(|app| Self(app.clock.now())))
    }
}

/// The id of the request, for answers that name it inside.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl FromRequest for RequestId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let named = request.extensions().get::<Self>().cloned();
        ready(named.ok_or_else(|| Error::Internal("the request has no id".into()).into()))
    }
}

/// Who signs in, as far as the request tells.
#[derive(Clone, Debug)]
pub struct SignInClient(pub ClientInfo);

impl FromRequest for SignInClient {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user_agent = request.headers().get(USER_AGENT).and_then(|name| name.to_str().ok()).map(str::to_owned);
        let address = ClientAddress::from_request(request, payload).into_inner();
        ready(address.map(|ClientAddress(address)| Self(ClientInfo { address, user_agent })))
    }
}

/// A token that is genuine, not expired, and not of a session that is known to be over. For use cases that ask in their own statement
/// whether the account still stands.
#[derive(Clone, Copy, Debug)]
pub struct Token(pub TokenSubject);

impl FromRequest for Token {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(subject(request).and_then(|subject| subject.map(Self).ok_or_else(|| Error::Unauthenticated.into())))
    }
}

/// The account of a [`Token`].
#[derive(Clone, Copy, Debug)]
pub struct TokenUser(pub i64);

impl FromRequest for TokenUser {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Token::from_request(request, payload).into_inner().map(|Token(subject)| Self(subject.user_id)))
    }
}

/// The caller, whose account stands.
#[derive(Clone, Copy, Debug)]
pub struct CurrentUser(pub Caller);

impl FromRequest for CurrentUser {
    type Error = Problem;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let viewer = OptionalUser::from_request(request, payload);
        Box::pin(async { viewer.await?.0.map(Self).ok_or_else(|| Error::Unauthenticated.into()) })
    }
}

/// The caller, when there is one. A token that is worth nothing is refused, not passed over.
#[derive(Clone, Copy, Debug)]
pub struct OptionalUser(pub Option<Caller>);

impl FromRequest for OptionalUser {
    type Error = Problem;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (app, subject) = (app(request).cloned(), subject(request));
        Box::pin(async move {
            let Some(subject) = subject? else { return Ok(Self(None)) };
            let app = app?;
            let check = app.run(move |app| async move { service::auth::authenticate(app.db.reader(), subject).await });
            Ok(Self(Some(check.await?)))
        })
    }
}

pub(crate) fn app(request: &HttpRequest) -> Result<&Data<AppState>, Problem> {
    request.app_data().ok_or_else(|| Error::Internal("the application is not set up".into()).into())
}

fn subject(request: &HttpRequest) -> Result<Option<TokenSubject>, Problem> {
    let Some(header) = request.headers().get(AUTHORIZATION) else { return Ok(None) };
    let (scheme, token) =
        header.to_str().ok().and_then(|header| header.split_once(' ')).ok_or(Error::Unauthenticated)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Error::Unauthenticated.into());
    }
    let app = app(request)?;
    let subject = match app.auth.verify(token.trim(), app.clock.now()) {
        Ok(subject) => subject,
        Err(error) => {
            let is_forged = matches!(error, Error::ForgedToken);
            let problem = Problem::from(error);
            if is_forged {
                SecurityLog::record_forged_token(request, &problem);
            }
            return Err(problem);
        }
    };
    if app.access_log != AccessLog::Off {
        request.extensions_mut().insert(RequestUser(subject.user_id));
    }
    Ok(Some(subject))
}

/// A body, query or path that keeps the rules that its type states.
#[derive(Debug)]
pub struct Valid<T>(pub T);

impl<T> FromRequest for Valid<T>
where
    T: FromRequest<Error: Into<actix_web::Error>> + Deref<Target: Validate> + 'static,
{
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = T::from_request(request, payload);
        Box::pin(async move {
            let value = reading.await.map_err(Into::into)?;
            value.validate().map_err(|errors| Problem::invalid_fields(text::broken_rules(&errors)))?;
            Ok(Self(value))
        })
    }
}

/// What stands in the address behind the question mark.
///
/// In place of the framework's own extractor, because that one does not say which parameter does not fit.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parameters =
            || serde_urlencoded::Deserializer::new(form_urlencoded::parse(request.query_string().as_bytes()));
        let fits = T::deserialize(parameters()).map(Self);
        ready(fits.map_err(|mismatch| Problem::wrong_type(&error_path::<T>(parameters()), &mismatch.to_string())))
    }
}

/// The video that an address names.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Path)]
#[validate(schema(function = "validate_video_id"))]
pub struct VideoPath {
    /// The id of the video.
    #[param(minimum = 1, example = 1)]
    pub video_id: i64,
}

/// What is wrong with the address is told of the address: nobody has sent a field.
const PATH_FIELD: &str = "path";
const INVALID_ID: &str = "the id in the address must be a whole number, 1 or more";

fn validate_video_id(path: &VideoPath) -> Result<(), ValidationError> {
    check_id(path.video_id)
}

/// Whether the id in an address can be one.
pub(crate) fn check_id(id: i64) -> Result<(), ValidationError> {
    if id > 0 { Ok(()) } else { Err(ValidationError::new(PATH_FIELD).with_message(INVALID_ID.into())) }
}

/// Makes the framework's own refusals problems like all others.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .app_data(MultipartFormConfig::default().total_limit(BODY_LIMIT).memory_limit(BODY_LIMIT))
        .app_data(PathConfig::default().error_handler(|_, request| path_problem(request).into()));
}

/// The addresses have one parameter at most, a number. A fixed address may look like one of them to a method that it does not take.
fn path_problem(request: &HttpRequest) -> Problem {
    let other_method = request.app_data::<Data<AllowedMethods>>().and_then(|methods| methods.check(request));
    other_method.unwrap_or_else(|| {
        let (_, value) = request.match_info().iter().next().unwrap_or_default();
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let message = if is_number { "the id in the address is out of range" } else { INVALID_ID };
        Problem::invalid_fields(vec![FieldError { field: PATH_FIELD.into(), message: message.into() }])
    })
}
