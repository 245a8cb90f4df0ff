//! Live sockets: WebSockets over which viewers hear at once what changes in their history.
//!
//! An event after the commit names the viewer and the video, nothing else. The [`hub`] keeps the
//! sockets by viewer, and marks the keys that its viewers wait for. One task reads their rows, a
//! few hundred at a time, and adds them to the pending messages of the sockets. So the order is
//! that of the database, whichever process committed, and a burst of saves is one message. Of each
//! video only the newest message is pending, so a slow client gets less, never a longer queue.

mod catch_up;
mod closing;
mod conversation;
mod deadlines;
mod handshake;
mod hub;
mod limits;
mod messages;
mod pending;
mod reader;
mod socket;

pub(crate) use conversation::open;
pub(crate) use handshake::{bad_handshake, upgrade_required};
pub use hub::LiveHub;
pub(crate) use hub::too_many_waiting;
pub use limits::LiveLimits;
pub(crate) use messages::{LiveMessage, LiveRequest};
