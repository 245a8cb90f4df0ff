//! The groups of operations, in the order of a first visit, and in each its operations in the order
//! of use.

use super::completion::operations;
use serde_json::json;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::tag::{Tag, TagBuilder};

/// The field that lists the ids of a group's operations, for pages that show them in this order.
const OPERATIONS: &str = "x-operations";

struct Group {
    name: &'static str,
    description: &'static str,
    operations: &'static [&'static str],
}

const GROUPS: [Group; 9] = [
    Group {
        name: "auth",
        description: "Sign up once, then sign in: every other request carries the access token. The token lives for \
            half an hour, and a refresh gets a new one.",
        operations: &[
            "register",
            "login",
            "me",
            "refresh",
            "list_my_sessions",
            "end_my_session",
            "end_my_other_sessions",
            "logout",
        ],
    },
    Group {
        name: "videos",
        description: "The library, which anybody may list, search and play. Signed-in users add videos, and change \
            and delete their own.",
        operations: &[
            "list_videos",
            "read_video",
            "stream_video",
            "read_thumbnail",
            "count_view",
            "search_videos",
            "list_videos_in_pages",
            "create_video",
            "list_my_videos",
            "change_video",
            "delete_video",
        ],
    },
    Group {
        name: "watch history",
        description: "Where you stopped in each video: a player saves the position, and resumes there. The other \
            operations list, hide, mark and forget.",
        operations: &[
            "save_watch_history",
            "read_watch_history",
            "continue_watching",
            "list_watch_history",
            "save_watch_history_batch",
            "hide_watch_history",
            "unhide_watch_history",
            "mark_watched",
            "undo_watch_history",
            "unmark_watched",
            "mark_many_watched",
            "forget_watch_history",
            "forget_many",
            "clear_watch_history",
        ],
    },
    Group {
        name: "plays",
        description: "Each opening of a player on a video is a play, with its dates and the time really watched. \
            Save a position first: that begins one.",
        operations: &["list_plays", "list_plays_of_video", "resume_play", "delete_play"],
    },
    Group {
        name: "live",
        description: "What changed on your other devices. Ask for the changes since the last time, or hear of them \
            at once over a WebSocket.",
        operations: &["list_watch_history_changes", "open_live_socket"],
    },
    Group {
        name: "users",
        description: "Your account, and what may be kept of what you watch. Deleting the account deletes its videos \
            and its history too.",
        operations: &[
            "read_my_account",
            "change_my_account",
            "read_my_preferences",
            "change_my_preferences",
            "delete_my_account",
        ],
    },
    Group {
        name: "statistics",
        description: "What you watched in sums, and what is worth watching next. Recommendations need the preference \
            `recommendations`.",
        operations: &["read_my_statistics", "list_recommendations", "popular_videos", "library_summary"],
    },
    Group {
        name: "health",
        description: "For load balancers and supervisors. They need no token.",
        operations: &["health", "health_live", "health_ready"],
    },
    Group {
        name: "compatibility",
        description: "Questions that pages of the earlier API ask. There are no tags, ratings, playlists or preview \
            clips yet, and the answers say so.",
        operations: &[
            "list_qualities",
            "read_hls_status",
            "list_preview_clips",
            "list_thumbnails",
            "list_video_tags",
            "list_tags",
            "popular_tags",
            "search_tags",
            "read_rating_stats",
            "read_rating",
            "top_rated_videos",
        ],
    },
];

/// Adds the groups to the document, and each operation to its group.
pub(super) fn add(document: &mut Document) {
    for (_, operation) in document.paths.paths.values_mut().flat_map(operations) {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let group = GROUPS.iter().find(|group| group.operations.contains(&id));
        operation.tags = group.map(|group| vec![group.name.to_owned()]);
    }
    document.tags = Some(GROUPS.iter().map(Group::tag).collect());
}

impl Group {
    fn tag(&self) -> Tag {
        let operations = Extensions::from_iter([(OPERATIONS, json!(self.operations))]);
        TagBuilder::new().name(self.name).description(Some(self.description)).extensions(Some(operations)).build()
    }
}
