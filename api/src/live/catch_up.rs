//! What a socket is told after a hello: all that changed since the client's change token.

use super::closing::LiveClosing;
use super::conversation::{Conversation, refusal, until_closing};
use super::messages::{LiveMessage, LiveUpdate};
use service::Error;
use service::changes::{self, ChangePage, ChangeRequest};

/// Changes that one statement reads. A client that is slow holds a page of them in memory.
const PAGE: u64 = 100;

impl Conversation {
    /// Tells what changed since `since`, or since the last hello of this socket. Without either,
    /// the client reads what it shows once the socket is ready.
    pub(super) async fn catch_up(&mut self, user_id: i64, since: Option<String>) -> Result<(), LiveClosing> {
        let mut since = since.or_else(|| (!self.token.is_empty()).then(|| self.token.clone()));
        while let Some(token) = since.take() {
            let Some(page) = self.changes(user_id, &token).await? else {
                // The change token is too old, so the client reads everything anew.
                self.send(LiveMessage::Resync.to_text()).await?;
                break;
            };
            for change in page.changes {
                let update = change.entry.map_or(LiveUpdate::Forgotten, Into::into);
                // A client that comes back with this token gets this page again.
                self.send(update.to_text(change.video_id, &token)).await?;
                self.receive_arrived().await?;
            }
            self.token = page.token;
            if !page.more {
                return Ok(());
            }
            since = Some(self.token.clone());
        }
        self.token = self.current_token(user_id).await?;
        Ok(())
    }

    /// A page of changes; `None` when the change token is too old, or not one of this viewer.
    async fn changes(&self, user_id: i64, token: &str) -> Result<Option<ChangePage>, LiveClosing> {
        let request = self.change_request(user_id, Some(token.to_owned()));
        let _permit = self.registered.hub.catch_up_permit().await;
        let page = self.app.run(move |app| async move {
            match changes::list_changes(&app.db, &request).await {
                Ok(page) => Ok(Some(page)),
                Err(Error::ChangesExpired) => Ok(None),
                Err(error) => Err(error),
            }
        });
        until_closing(&self.registered.socket, page).await?.map_err(refusal)
    }

    /// A change token of now.
    async fn current_token(&self, user_id: i64) -> Result<String, LiveClosing> {
        let request = self.change_request(user_id, None);
        let _permit = self.registered.hub.catch_up_permit().await;
        let token = self.app.run(move |app| async move { changes::current_token(&app.db, &request).await });
        until_closing(&self.registered.socket, token).await?.map_err(refusal)
    }

    fn change_request(&self, user_id: i64, since: Option<String>) -> ChangeRequest {
        ChangeRequest {
            user_id,
            since,
            limit: PAGE,
            rules: self.app.rules,
            history_max_days: self.app.history_max_days,
            now: self.app.clock.now(),
        }
    }
}
