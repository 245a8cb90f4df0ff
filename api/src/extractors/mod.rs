//! The extractors that handlers name in their signatures.

mod input;
mod path;
mod user;
mod visible_video;

pub use input::{Query, Valid};
pub use path::VideoPath;
pub(crate) use path::{check_id, configure};
pub use user::{CurrentUser, OptionalUser, Token, TokenUser};
pub use visible_video::VisibleVideo;

use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::state;
use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpRequest};
use chrono::{DateTime, Utc};
use service::auth::sessions::ClientInfo;
use std::future::{Ready, ready};

/// The time at which the request was extracted.
#[derive(Clone, Copy, Debug)]
pub struct Now(pub DateTime<Utc>);

impl FromRequest for Now {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(state::app_data(request).map(|app| Self(app.clock.now())))
    }
}

/// Address and user agent of a client that signs in.
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
