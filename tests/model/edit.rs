//! Edits by the service. They are the same for both stores: an edit reads and writes the same rows,
//! in a transaction of its own.

use crate::answer::Answer;
use crate::expected::Expected;
use crate::rules::Time;
use crate::site::TestSite;
use crate::story::Edit;
use chrono::TimeDelta;
use service::storage::Transaction;
use service::watch_history::edit::{self, Clearing, Hiding, Mark, Marks, VideoList};
use service::{Error, plays};

impl TestSite {
    /// The answer to an edit of a viewer of the story.
    pub async fn edit(&self, expected: &Expected, viewer: usize, edit: &Edit, now: Time) -> Answer {
        let caller =
            edit::Edit { user_id: expected.viewer_ids[viewer], rules: self.rules, history_max_days: None, now };
        let id = |video: &usize| expected.video_ids[*video];
        let ids = |videos: &[usize]| videos.iter().map(id).collect();
        let ago = |age: &Option<i64>| age.map(|age| now - TimeDelta::milliseconds(age));
        let answer = match edit {
            Edit::Undo(video) => self.run(async |tx| edit::undo(tx, &caller, id(video)).await).await.map(Answer::entry),
            Edit::Hide { video, until } => {
                let hiding = Hiding { until: until.map(|until| now + TimeDelta::milliseconds(until)) };
                self.run(async |tx| edit::hide(tx, &caller, id(video), hiding).await).await.map(Answer::entry)
            }
            Edit::Unhide(video) => {
                self.run(async |tx| edit::unhide(tx, &caller, id(video)).await).await.map(Answer::entry)
            }
            Edit::Mark { video, watched } => {
                let mark = Mark { watched_at: ago(watched) };
                self.run(async |tx| edit::mark(tx, &caller, id(video), mark).await).await.map(Answer::entry)
            }
            Edit::Unmark(video) => {
                self.run(async |tx| edit::unmark(tx, &caller, id(video)).await).await.map(Answer::entry)
            }
            Edit::MarkMany { videos, watched } => {
                let marks = Marks { video_ids: ids(videos), watched: *watched };
                self.run(async |tx| edit::mark_many(tx, &caller, &marks).await)
                    .await
                    .map(|marked| Answer::Marked { changed: marked.changed, skipped: marked.skipped })
            }
            Edit::ForgetMany(videos) => {
                let videos = VideoList { video_ids: ids(videos) };
                let deleted = self.run(async |tx| edit::forget_many(tx, &caller, &videos).await).await;
                deleted.map(|deletion| Answer::DeletedMany(deletion.deleted))
            }
            Edit::Clear { before } => {
                let deleted = edit::clear(&self.db, &caller, Clearing { before: ago(before) }).await;
                deleted.map(|deletion| Answer::DeletedMany(deletion.deleted))
            }
            Edit::DeletePlay(choice) => {
                let id = expected.play_id(*choice);
                self.run(async |tx| plays::delete(tx, &caller, id).await).await.map(|()| Answer::Deleted)
            }
            Edit::ResumePlay(choice) => {
                let id = expected.play_id(*choice);
                self.run(async |tx| plays::resume(tx, &caller, id).await).await.map(Answer::entry)
            }
        };
        answer.unwrap_or_else(|error| Answer::failure(&error))
    }

    pub async fn run<T>(&self, edit: impl AsyncFnOnce(&Transaction) -> Result<T, Error>) -> Result<T, Error> {
        self.db.transaction(edit).await
    }
}
