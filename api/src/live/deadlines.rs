//! What ends a live socket by time: no hello, silence, the end of its token, session or account.
//!
//! One task looks at all sockets, so that an idle socket needs no timer of its own.

use super::closing::LiveClosing;
use super::hub::LiveHub;
use super::socket::LiveSocket;
use crate::state::AppState;
use chrono::{DateTime, Utc};
use service::auth;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::sleep;

/// How often the sockets are looked at.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// How often they are looked at while the server shuts down.
const CLOSING_INTERVAL: Duration = Duration::from_millis(20);
/// How often the accounts of tokens without a session are read.
const ACCOUNT_INTERVAL: Duration = Duration::from_millis(700);

/// Closes and pings sockets until none is left.
pub(super) async fn watch(app: &AppState, hub: &LiveHub) {
    loop {
        tokio::select! {
            () = sleep(CHECK_INTERVAL) => {}
            () = app.shutdown.wait_to_stop_streams() => {
                while hub.each_socket(|socket| socket.close(LiveClosing::ShuttingDown)) {
                    sleep(CLOSING_INTERVAL).await;
                }
                return;
            }
        }
        let now = app.clock.now();
        if !hub.each_socket(|socket| check(app, hub, socket, now)) {
            return;
        }
    }
}

fn check(app: &AppState, hub: &LiveHub, socket: &LiveSocket, now: DateTime<Utc>) {
    let limits = hub.limits();
    let (viewer, said_hello) = {
        let state = socket.lock();
        (state.viewer, state.said_hello)
    };
    if !said_hello && socket.age() >= limits.hello_timeout {
        socket.close(LiveClosing::NoHello);
    }
    if viewer.is_some_and(|viewer| viewer.expires <= now) {
        socket.close(LiveClosing::TokenExpired);
    }
    if viewer.is_some_and(|viewer| app.auth.has_ended(viewer.subject)) {
        socket.close(LiveClosing::SessionEnded);
    }
    if socket.silence() >= limits.silence_timeout {
        socket.close(LiveClosing::Silent);
    }
    socket.ping_after(limits.ping_interval);
}

/// Closes the sockets of accounts that are gone or deactivated. Sockets with a session close when
/// the session ends, but a token that another program made has no session.
pub(super) async fn check_accounts(app: &AppState, hub: &LiveHub) {
    loop {
        sleep(ACCOUNT_INTERVAL).await;
        let mut accounts = HashSet::new();
        hub.each_socket(|socket| {
            let viewer = socket.lock().viewer.filter(|viewer| viewer.subject.session_id.is_none());
            accounts.extend(viewer.map(|viewer| viewer.subject.user_id));
        });
        let accounts = Vec::from_iter(accounts);
        // Without an answer the next check will do.
        let Ok(active) = auth::active_accounts(app.db.reader(), &accounts).await else { continue };
        let active = HashSet::<i64>::from_iter(active);
        accounts.iter().filter(|account| !active.contains(account)).for_each(|account| hub.close_account(*account));
    }
}
