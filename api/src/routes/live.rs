//! `/api/v1/live`: the WebSocket over which clients hear of changes.

use crate::client_address::ClientAddress;
use crate::error::Problem;
use crate::live;
use crate::responses::{NotOpened, NotReady, TooManySockets, UpgradeRequired};
use crate::state::AppData;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, get};

/// Hear of changes
///
/// A WebSocket (RFC 6455) with the subprotocol `playhead.v1`. Both sides send JSON texts.
///
/// The client sends `LiveRequest` within 5 seconds: `hello` with an access token, and with the last
/// change token that it has. It sends `hello` again with a new access token before the old one
/// expires. The server sends `LiveMessage`: what changed since the change token, then `ready`, and
/// from then on every change of the caller's entries, by any device and any process: the newest one
/// of each video at least.
///
/// Before the server closes it sends `error`. It closes with 4400 (bad message), 4401 (the token is
/// not valid or has expired, or session or account are gone), 4408 (no hello, or no answer to
/// pings), 4429 (20 sockets of one account; the oldest goes), 1001 (shutting down), 1009 (a message
/// above 16 KiB) or 1013 (the database is unavailable).
#[utoipa::path(
    operation_id = "open_live_socket",
    responses(
        (status = 101, description = "The connection is a WebSocket now."),
        NotOpened, UpgradeRequired, TooManySockets, NotReady
    )
)]
#[get("/live")]
pub(super) async fn open(
    app: AppData,
    request: HttpRequest,
    ClientAddress(address): ClientAddress,
    body: Payload,
) -> Result<HttpResponse, Problem> {
    live::open(&app, &request, body, address)
}
