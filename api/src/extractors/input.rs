//! Checked input: bodies, query strings and path parameters.

use crate::body::error_path;
use crate::error::Problem;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use service::text;
use std::future::{Ready, ready};
use std::ops::Deref;
use std::pin::Pin;
use url::form_urlencoded;
use validator::Validate;

/// A body, query or path whose `Validate` rules hold.
#[derive(Debug)]
pub struct Valid<T>(pub T);

impl<T> FromRequest for Valid<T>
where
    T: FromRequest<Error: Into<actix_web::Error>> + Deref<Target: Validate> + 'static,
{
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let value = T::from_request(request, payload);
        Box::pin(async move {
            let value = value.await.map_err(Into::into)?;
            value.validate().map_err(|errors| Problem::invalid_fields(text::broken_rules(&errors)))?;
            Ok(Self(value))
        })
    }
}

/// The query string. Unlike the extractor of actix-web, it names the parameter that is wrong.
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
        let value = T::deserialize(parameters()).map(Self);
        ready(value.map_err(|error| Problem::wrong_type(&error_path::<T>(parameters()), &error.to_string())))
    }
}
