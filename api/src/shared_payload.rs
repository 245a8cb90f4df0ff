//! Keeps chunked request bodies that no handler reads to the end.

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use futures_util::Stream;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A request body that is kept until the answer is written.
///
/// actix-http closes a connection whose body was not read. But when the body is chunked and its
/// reader was dropped, it reads on for as long as the client sends. Kept, the body is not dropped,
/// and the connection closes in both cases.
#[derive(Clone)]
pub(crate) struct SharedPayload(Rc<RefCell<Payload>>);

impl SharedPayload {
    /// Takes the body of the request, if it is chunked, and puts a shared one in its place.
    pub(crate) fn take(request: &mut ServiceRequest) -> Option<Self> {
        if !request.headers().contains_key(TRANSFER_ENCODING) {
            return None;
        }
        let held = Self(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream { payload: Box::pin(held.clone()) });
        Some(held)
    }

    /// The answer, which keeps the request body until it is sent.
    pub(crate) fn hold_until_sent(self, body: BoxBody) -> BoxBody {
        BoxBody::new(GuardedBody { body, _request: self })
    }
}

impl Stream for SharedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

struct GuardedBody {
    body: BoxBody,
    _request: SharedPayload,
}

impl MessageBody for GuardedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
