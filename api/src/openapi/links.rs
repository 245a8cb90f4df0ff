//! Links: what to do with an answer, as the next operation and the values that it takes from there.

use utoipa::openapi::RefOr;
use utoipa::openapi::link::{Link, LinkBuilder};
use utoipa::openapi::path::Operation;

/// A step from the answer of one operation to another operation.
struct Step {
    from: &'static str,
    to: &'static str,
    /// A parameter of the next operation, and the expression of its value.
    parameter: Option<(&'static str, &'static str)>,
    /// A field of the next body, and the expression of its value.
    field: Option<(&'static str, &'static str)>,
}

const fn step(from: &'static str, to: &'static str) -> Step {
    Step { from, to, parameter: None, field: None }
}

const fn pass(from: &'static str, to: &'static str, name: &'static str, value: &'static str) -> Step {
    Step { parameter: Some((name, value)), ..step(from, to) }
}

const fn send(from: &'static str, to: &'static str, name: &'static str, value: &'static str) -> Step {
    Step { field: Some((name, value)), ..step(from, to) }
}

const REFRESH_TOKEN: &str = "$response.body#/refresh_token";
const SAME_VIDEO: &str = "$request.path.video_id";
const FIRST_ID: &str = "$response.body#/0/id";

const STEPS: [Step; 22] = [
    step("register", "login"),
    step("login", "list_videos"),
    send("login", "refresh", "refresh_token", REFRESH_TOKEN),
    send("login", "logout", "refresh_token", REFRESH_TOKEN),
    send("refresh", "refresh", "refresh_token", REFRESH_TOKEN),
    pass("list_my_sessions", "end_my_session", "session_id", FIRST_ID),
    pass("list_videos", "read_video", "video_id", FIRST_ID),
    pass("list_videos", "save_watch_history", "video_id", FIRST_ID),
    pass("read_video", "save_watch_history", "video_id", "$response.body#/id"),
    pass("create_video", "change_video", "video_id", "$response.body#/id"),
    pass("create_video", "delete_video", "video_id", "$response.body#/id"),
    pass("save_watch_history", "read_watch_history", "video_id", "$response.body#/video_id"),
    step("read_watch_history", "continue_watching"),
    pass("read_watch_history", "forget_watch_history", "video_id", SAME_VIDEO),
    pass("continue_watching", "read_video", "video_id", "$response.body#/0/video_id"),
    pass("list_watch_history", "read_watch_history", "video_id", "$response.body#/0/video_id"),
    pass("hide_watch_history", "unhide_watch_history", "video_id", SAME_VIDEO),
    pass("mark_watched", "undo_watch_history", "video_id", SAME_VIDEO),
    pass("mark_watched", "unmark_watched", "video_id", SAME_VIDEO),
    pass("list_plays", "resume_play", "play_id", FIRST_ID),
    pass("list_plays", "delete_play", "play_id", FIRST_ID),
    pass("list_watch_history_changes", "list_watch_history_changes", "since", "$response.body#/token"),
];

/// Adds the links of an operation to its successful answer.
pub(super) fn add(operation: &mut Operation) {
    let Some(id) = operation.operation_id.clone() else { return };
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && (status == "200" || status == "201")
        {
            let steps = STEPS.iter().filter(|step| step.from == id);
            response.links.extend(steps.map(|step| (step.to.to_owned(), RefOr::T(step.link()))));
        }
    }
}

impl Step {
    fn link(&self) -> Link {
        let mut link = LinkBuilder::new().operation_id(self.to);
        if let Some((name, value)) = self.parameter {
            link = link.parameter(name, value);
        }
        link.request_body(self.field.map(|(name, value)| serde_json::json!({ name: value }))).build()
    }
}
