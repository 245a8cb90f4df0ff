//! The answers to edits.

use super::{Expected, Key, refused};
use crate::answer::Answer;
use crate::rules::{Refusal, Row, Time};
use crate::story::{Edit, PlayChoice, VIDEOS};
use chrono::TimeDelta;
use service::Error;
use service::plays::PlayId;
use std::collections::BTreeSet;

impl Expected {
    /// The answer to an edit. The id of a new row is taken from the actual answer.
    pub fn answer_to_edit(&mut self, viewer: usize, edit: &Edit, now: Time, actual: &Answer) -> Answer {
        let ago = |age: &Option<i64>| age.map(|age| now - TimeDelta::milliseconds(age));
        let rules = self.rules;
        match edit {
            Edit::Undo(video) => self.edit_row((viewer, *video), now, |row, duration| row.undo(duration, &rules, now)),
            Edit::Hide { video, until } => self.edit_row((viewer, *video), now, |row, _| {
                row.hide(until.map(|until| now + TimeDelta::milliseconds(until)), now);
                Ok(())
            }),
            Edit::Unhide(video) => self.edit_row((viewer, *video), now, |row, _| {
                row.unhide(now);
                Ok(())
            }),
            Edit::Unmark(video) => self.edit_row((viewer, *video), now, |row, _| {
                row.unmark(now);
                Ok(())
            }),
            Edit::Mark { video, watched } => {
                let watched_at = ago(watched).unwrap_or(now);
                let Some(duration) = self.durations.get(*video) else { return Answer::failure(&Error::VideoNotFound) };
                self.viewers[viewer].mark(*video, watched_at, *duration, now);
                if let Answer::Entry { entry, .. } = actual {
                    self.learn_id((viewer, *video), entry.id);
                }
                self.answer_after_edit((viewer, *video), Ok(()), now)
            }
            Edit::MarkMany { videos, watched } => self.mark_many(viewer, videos, *watched, now),
            Edit::ForgetMany(videos) => {
                let videos = BTreeSet::from_iter(videos);
                let forgotten = videos.into_iter().filter(|video| self.viewers[viewer].forget(**video, now).is_ok());
                Answer::DeletedMany(forgotten.count() as u64)
            }
            Edit::Clear { before } => Answer::DeletedMany(self.viewers[viewer].clear(ago(before), now) as u64),
            Edit::DeletePlay(choice) => {
                let chosen = self.choose_play(viewer, *choice);
                let deleted = chosen.and_then(|(video, number)| self.viewers[viewer].delete_play(video, number, now));
                deleted.map_or_else(refused, |()| Answer::Deleted)
            }
            Edit::ResumePlay(choice) => {
                let resumed = self.choose_play(viewer, *choice).and_then(|(video, number)| {
                    self.viewers[viewer].resume_play((video, number), self.durations[video], &rules, now)
                });
                self.answer_after_edit((viewer, choice.video), resumed, now)
            }
        }
    }

    /// The answer to an edit of one entry, which must be there.
    fn edit_row(
        &mut self,
        (viewer, video): Key,
        now: Time,
        edit: impl FnOnce(&mut Row, Option<i32>) -> Result<(), Refusal>,
    ) -> Answer {
        let row = self.viewers[viewer].row_mut(video, now).ok_or(Refusal::HistoryNotFound);
        let edited = row.and_then(|row| edit(row, self.durations[video]));
        self.answer_after_edit((viewer, video), edited, now)
    }

    fn answer_after_edit(&self, key: Key, edited: Result<(), Refusal>, now: Time) -> Answer {
        match edited {
            Err(Refusal::HistoryNotFound) if key.1 == VIDEOS => Answer::failure(&Error::VideoNotFound),
            Err(refusal) => refused(refusal),
            Ok(()) => {
                let row = &self.viewers[key.0].rows[&key.1];
                Answer::Entry { entry: self.entry(key, row, now), applied: None }
            }
        }
    }

    fn mark_many(&mut self, viewer: usize, videos: &[usize], watched: bool, now: Time) -> Answer {
        let videos = BTreeSet::from_iter(videos.iter().copied());
        let (known, unknown): (Vec<_>, Vec<_>) = videos.into_iter().partition(|video| *video < VIDEOS);
        let viewer = &mut self.viewers[viewer];
        let changed = known.into_iter().filter(|video| match watched {
            true => viewer.mark(*video, now, self.durations[*video], now),
            false => viewer.row_mut(*video, now).is_some_and(|row| row.unmark(now)),
        });
        Answer::Marked {
            changed: changed.count() as u64,
            skipped: unknown.into_iter().map(|video| self.video_ids[video]).collect(),
        }
    }

    /// The video and number of a play, if it is one of this viewer.
    fn choose_play(&self, viewer: usize, choice: PlayChoice) -> Result<(usize, i32), Refusal> {
        let (video, number) = self.play(choice).ok_or(Refusal::PlayNotFound)?;
        if choice.of == viewer { Ok((video, number)) } else { Err(Refusal::PlayNotFound) }
    }

    fn play(&self, PlayChoice { of, video, nth }: PlayChoice) -> Option<(usize, i32)> {
        let plays = self.viewers[of].rows.get(&video)?.plays();
        let after_last = plays.keys().next_back().copied().unwrap_or(0) + 1;
        let nth = nth % (plays.len() + 1);
        Some((video, plays.keys().nth(nth).copied().unwrap_or(after_last)))
    }

    /// The id of a play for the request; one that no play can have if there is no entry.
    pub fn play_id(&self, choice: PlayChoice) -> i64 {
        let Some((video, number)) = self.play(choice) else { return 1 };
        PlayId { entry_id: self.viewers[choice.of].rows[&video].id, number }.encode()
    }
}
