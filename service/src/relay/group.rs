//! Events that are published together.

use super::message::RelayMessage;
use super::{CHANNELS, RelayContext};
use crate::storage::Event;
use redis::Pipeline;
use std::collections::BTreeMap;

/// The events since the last publication: one message for each channel that they concern.
#[derive(Debug, Default)]
pub(super) struct EventGroup {
    of_channels: BTreeMap<i64, RelayMessage>,
    common: RelayMessage,
}

impl EventGroup {
    pub(super) fn add(&mut self, event: Event) {
        match event {
            Event::EntrySaved { user_id, video_id, .. }
            | Event::EntryForgotten { user_id, video_id }
            | Event::EntryChanged { user_id, video_id } => {
                // A viewer who plays on saves the same entry again and again.
                let entries = &mut self.of(user_id).entries;
                if entries.last() != Some(&(user_id, video_id)) {
                    entries.push((user_id, video_id));
                }
            }
            Event::HistoryCleared { user_id, before } => self.of(user_id).cleared.push((user_id, before)),
            Event::PreferencesChanged { user_id } => self.of(user_id).preferences.push(user_id),
            Event::UserDeleted { user_id } => self.of(user_id).deleted_users.push(user_id),
            Event::VideoDeleted { video_id, user_id } => self.common.deleted_videos.push((video_id, user_id)),
            // Nobody hears of these live, and lists read the revision of the videos.
            Event::VideoCreated { .. } | Event::VideoChanged { .. } => {}
        }
    }

    fn of(&mut self, user_id: i64) -> &mut RelayMessage {
        self.of_channels.entry(user_id.rem_euclid(CHANNELS.into())).or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of_channels.is_empty() && self.common == RelayMessage::default()
    }

    /// The commands that publish the group. A heartbeat publishes the common message even if it is
    /// empty.
    pub(super) fn into_commands(
        self,
        context: &RelayContext,
        has_lost: bool,
        is_heartbeat: bool,
        is_farewell: bool,
    ) -> Result<Pipeline, serde_json::Error> {
        let Self { of_channels, common } = self;
        let mut commands = redis::pipe();
        let mut publish = |channel: String, message: RelayMessage| {
            let message = RelayMessage { from: context.process, ..message };
            let text = serde_json::to_string(&message)?;
            commands.cmd("PUBLISH").arg(channel).arg(text).ignore();
            Ok(())
        };
        for (user_id, message) in of_channels {
            publish(context.channel_of(user_id), message)?;
        }
        if is_heartbeat || has_lost || is_farewell || common != RelayMessage::default() {
            publish(context.common_channel(), RelayMessage { has_lost, is_farewell, ..common })?;
        }
        Ok(commands)
    }
}
