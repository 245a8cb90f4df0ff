//! The conversation over one live socket: a task that receives, and sends pending messages.

use super::closing::LiveClosing;
use super::handshake::{self, PROTOCOL};
use super::hub::RegisteredSocket;
use super::limits::MAX_MESSAGE;
use super::messages::{LiveMessage, LiveRequest};
use super::pending::PendingMessages;
use super::socket::{LiveSocket, SignedInViewer};
use crate::error::Problem;
use crate::state::{AppData, AppState};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, rt};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, Closed, ProtocolError, Session};
use futures_util::FutureExt;
use service::{auth, preferences};
use std::mem;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long the last two messages may wait for a client that does not read.
const FAREWELL_TIME: Duration = Duration::from_secs(1);

/// Upgrades the request to a live socket.
///
/// # Errors
/// It is no handshake; its origin is not allowed; there are too many sockets; the server shuts
/// down.
pub(crate) fn open(
    app: &AppData,
    request: &HttpRequest,
    body: Payload,
    address: IpAddr,
) -> Result<HttpResponse, Problem> {
    if app.shutdown.is_draining() {
        return Err(Problem::shutting_down());
    }
    handshake::check(app, request)?;
    let registered = app.live.register(app, address.into())?;
    let (response, session, messages) =
        actix_ws::handle_with_protocols(request, body, &[PROTOCOL]).map_err(|_| handshake::bad_handshake())?;
    let messages = messages.max_frame_size(MAX_MESSAGE).aggregate_continuations().max_continuation_size(MAX_MESSAGE);
    let app = app.clone().into_inner();
    let conversation = Conversation { app, registered, session, messages, token: String::new(), unread: None };
    rt::spawn(conversation.run());
    Ok(response)
}

/// One live socket and its connection.
pub(super) struct Conversation {
    pub(super) app: Arc<AppState>,
    pub(super) registered: RegisteredSocket,
    session: Session,
    messages: AggregatedMessageStream,
    /// The change token of the last hello.
    pub(super) token: String,
    /// A message that arrived while others were being sent.
    unread: Option<AggregatedMessage>,
}

type SocketMessage = Option<Result<AggregatedMessage, ProtocolError>>;

impl Conversation {
    async fn run(mut self) {
        let closing = self.converse().await;
        if let Some(metrics) = &self.app.metrics {
            metrics.count_live_closing(closing.code());
        }
        let Self { mut session, registered, .. } = self;
        // The socket counts no longer: another one may take its place.
        drop(registered);
        let farewell = async {
            if let Some(text) = closing.message() {
                session.text(text).await?;
            }
            session.close(Some(closing.reason())).await
        };
        // A client that does not read is not told.
        let _ = timeout(FAREWELL_TIME, farewell).await;
    }

    /// Receives and sends until one side closes.
    async fn converse(&mut self) -> LiveClosing {
        loop {
            let step = match self.unread.take() {
                Some(message) => self.receive(Some(Ok(message))).await,
                None => self.flush().await,
            };
            if let Err(closing) = step {
                return closing;
            }
            if self.unread.is_some() || !self.socket().lock().pending.is_empty() {
                continue;
            }
            let socket = self.socket().clone();
            let received = tokio::select! {
                received = self.messages.recv() => received,
                () = socket.woken.notified() => continue,
            };
            if let Err(closing) = self.receive(received).await {
                return closing;
            }
        }
    }

    pub(super) fn socket(&self) -> &Arc<LiveSocket> {
        &self.registered.socket
    }

    async fn receive(&mut self, received: SocketMessage) -> Result<(), LiveClosing> {
        let message = received.ok_or(LiveClosing::ByClient)??;
        self.socket().note_heard();
        match message {
            AggregatedMessage::Text(text) => {
                let request = serde_json::from_str(&text)
                    .map_err(|error| LiveClosing::BadMessage(format!("the message is not valid: {error}")))?;
                let LiveRequest::Hello { token, since } = request;
                // Boxed, because an idle socket needs no room for it.
                Box::pin(self.greet(token, since)).await
            }
            AggregatedMessage::Binary(_) => Err(LiveClosing::BadMessage("send texts, not binary messages".into())),
            AggregatedMessage::Ping(data) => self.session.pong(&data).await.map_err(left),
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(_) => Err(LiveClosing::ByClient),
        }
    }

    /// Answers a hello.
    async fn greet(&mut self, token: String, since: Option<String>) -> Result<(), LiveClosing> {
        let (app, socket) = (self.app.clone(), self.socket().clone());
        socket.lock().said_hello = true;
        let (subject, expires) = app.auth.verify_until(token.trim(), app.clock.now())?;
        let known = socket.lock().viewer.map(|viewer| viewer.subject.user_id);
        if known.is_some_and(|user_id| user_id != subject.user_id) {
            return Err(LiveClosing::OtherAccount);
        }
        let account = app.run(move |app| async move {
            auth::authenticate(app.db.reader(), subject, app.history_max_days, app.clock.now()).await
        });
        until_closing(&socket, account).await?.map_err(refusal)?;
        self.registered.hub.begin_catch_up(&socket, SignedInViewer { subject, expires });
        self.catch_up(subject.user_id, since).await?;
        self.registered.hub.end_catch_up(&socket);
        let ready = LiveMessage::Ready { token: &self.token }.to_text();
        self.send(ready).await
    }

    /// Sends a text. It fails when the server wants to close while the client does not read.
    pub(super) async fn send(&mut self, text: String) -> Result<(), LiveClosing> {
        let socket = self.socket().clone();
        until_closing(&socket, self.session.text(text)).await?.map_err(left)?;
        if let Some(metrics) = &self.app.metrics {
            metrics.count_live_message();
        }
        Ok(())
    }

    /// Sends the pending messages.
    async fn flush(&mut self) -> Result<(), LiveClosing> {
        let socket = self.socket().clone();
        let PendingMessages { updates, cleared, preferences, resync, ping, closing } =
            mem::take(&mut socket.lock().pending);
        if let Some(closing) = closing {
            return Err(closing);
        }
        if ping {
            until_closing(&socket, self.session.ping(b"")).await?.map_err(left)?;
        }
        if let Some(before) = cleared {
            let message = LiveMessage::Cleared { before: before.into(), token: &self.token };
            self.send(message.to_text()).await?;
        }
        for (video_id, update) in updates {
            self.send(update.to_text(video_id, &self.token)).await?;
            self.receive_arrived().await?;
        }
        if preferences {
            Box::pin(self.send_preferences()).await?;
        }
        if resync {
            self.send(LiveMessage::Resync.to_text()).await?;
        }
        Ok(())
    }

    /// Receives what has arrived while messages are being sent: an answer to a ping counts.
    pub(super) async fn receive_arrived(&mut self) -> Result<(), LiveClosing> {
        while self.unread.is_none() {
            match self.messages.recv().now_or_never() {
                None => break,
                Some(Some(Ok(text @ AggregatedMessage::Text(_)))) => self.unread = Some(text),
                Some(received) => self.receive(received).await?,
            }
        }
        Ok(())
    }

    async fn send_preferences(&mut self) -> Result<(), LiveClosing> {
        let (app, socket) = (self.app.clone(), self.socket().clone());
        let Some(viewer) = socket.lock().viewer else { return Ok(()) };
        let user_id = viewer.subject.user_id;
        let found = app.run(move |app| async move { preferences::find(app.db.reader(), user_id).await });
        let preferences = until_closing(&socket, found).await?.map_err(refusal)?;
        self.send(LiveMessage::Preferences { preferences }.to_text()).await
    }
}

/// Waits for `work`, or until the server wants to close the socket.
pub(super) async fn until_closing<T>(socket: &LiveSocket, work: impl Future<Output = T>) -> Result<T, LiveClosing> {
    let mut work = pin!(work);
    loop {
        if let Some(closing) = socket.lock().pending.closing.clone() {
            return Err(closing);
        }
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = socket.woken.notified() => {}
        }
    }
}

fn left(_: Closed) -> LiveClosing {
    LiveClosing::ByClient
}

/// The closing for a problem of a use case.
pub(super) fn refusal(problem: Problem) -> LiveClosing {
    if problem.status == 401 { LiveClosing::Unauthenticated } else { LiveClosing::Unavailable }
}
