//! Plays: which play a save belongs to, when a play begins and ends, and how long it was watched.

use super::{Refusal, Row, Time, Viewer};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// A save without a session goes on with a play whose last save is less than this older.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(30);
/// The most that two saves can add to a play if the player has no stopwatch.
const LONGEST_STEP: TimeDelta = TimeDelta::seconds(30);
/// How much longer a play may be watched than it lasts: players measure and save at different
/// moments.
const TOLERANCE: TimeDelta = TimeDelta::seconds(10);

/// The running play of an entry. Its number, session, device, end position and end time are those
/// of the entry.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningPlay {
    /// Whether it stays once it has ended. The viewer may want no plays kept.
    pub is_kept: bool,
    pub started_at: Time,
    pub start_position: i32,
    pub watched_ms: i64,
    /// Whether `play_count` counts it.
    pub completed: bool,
}

/// A play that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct EndedPlay {
    pub session: Option<String>,
    pub device: Option<String>,
    pub started_at: Time,
    pub ended_at: Time,
    pub start_position: i32,
    pub end_position: i32,
    pub watched_ms: i64,
    pub completed: bool,
}

/// The play that a save belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlayOfSave {
    Running,
    /// A play that had ended, by its number. The save opens it again.
    Ended(i32),
    New,
}

/// What a save tells about its play.
pub struct Playing<'a> {
    pub session: Option<&'a str>,
    pub position: i32,
    /// When the player was at the position.
    pub event: Time,
    /// What the stopwatch of the player says.
    pub played_seconds: Option<i32>,
    /// Whether the viewer wants plays kept.
    pub keeps_plays: bool,
    /// Plays that ended before this time are not shown and not continued.
    pub cutoff: Option<Time>,
}

impl Playing<'_> {
    /// A session has one play. Without a session, the viewer's last play without one goes on,
    /// unless it paused for half an hour. A play that is kept does not go on as one that is not.
    pub fn play_of(&self, row: &Row) -> PlayOfSave {
        let running = row.running.as_ref().filter(|_| self.has_session_of_last_play(row));
        match running {
            Some(_) if self.session.is_none() && self.is_too_late_for(row.last_watched_at) => PlayOfSave::New,
            Some(running) if running.is_kept == self.keeps_plays => PlayOfSave::Running,
            _ if self.keeps_plays => self.ended_play(row).map_or(PlayOfSave::New, PlayOfSave::Ended),
            _ => PlayOfSave::New,
        }
    }

    fn ended_play(&self, row: &Row) -> Option<i32> {
        let mut plays = row.ended.iter().rev();
        let (number, play) = plays.find(|(_, play)| play.session.as_deref() == self.session)?;
        let is_expired = self.cutoff.is_some_and(|cutoff| play.ended_at < cutoff);
        let is_too_late = self.session.is_none() && self.is_too_late_for(play.ended_at);
        (!is_expired && !is_too_late).then_some(*number)
    }

    fn is_too_late_for(&self, last_save: Time) -> bool {
        self.event - last_save >= LONGEST_PAUSE
    }

    /// Whether the last play, running or ended, has the session of the save, or neither has one.
    fn has_session_of_last_play(&self, row: &Row) -> bool {
        let last = row.session.as_deref().filter(|_| row.play_has_session);
        last == self.session
    }

    /// Whether the save is of another play than the last one of the entry, running or ended. If no
    /// plays are kept, the time of the entry is taken for that of the last save.
    pub fn is_of_another_play(&self, row: &Row) -> bool {
        let ended = row.ended.get(&row.play_number).filter(|play| play.session.is_none());
        let last_save = match ended {
            Some(play) if row.running.is_none() && self.keeps_plays => play.ended_at,
            _ => row.last_watched_at,
        };
        let is_too_late = self.session.is_none() && self.is_too_late_for(last_save);
        !self.has_session_of_last_play(row) || is_too_late
    }

    /// Makes the play of the save the running one. The row is as it was before the save.
    pub fn go_on(&self, row: &mut Row) {
        match self.play_of(row) {
            PlayOfSave::Running => {
                let last = (row.position, row.last_watched_at);
                if let Some(running) = &mut row.running {
                    running.watched_ms = self.watched_ms(running, last);
                }
            }
            PlayOfSave::Ended(number) => {
                row.close_play();
                let (mut running, last) = row.reopen(number);
                running.watched_ms = self.watched_ms(&running, last);
                row.running = Some(running);
            }
            PlayOfSave::New => {
                row.close_play();
                self.begin(row);
            }
        }
        row.play_has_session = self.session.is_some();
    }

    /// Begins a play. If it is kept, it has the next number.
    pub fn begin(&self, row: &mut Row) {
        if self.keeps_plays {
            let last = row.ended.keys().next_back().copied().unwrap_or(0);
            row.play_number = last.max(row.play_number) + 1;
        }
        let mut play = RunningPlay {
            is_kept: self.keeps_plays,
            started_at: self.event,
            start_position: self.position,
            watched_ms: 0,
            completed: false,
        };
        play.watched_ms = self.watched_ms(&play, (self.position, self.event));
        row.running = Some(play);
        row.play_has_session = self.session.is_some();
    }

    /// How long the play was watched, in milliseconds: what the stopwatch of the player says, or
    /// the times between two saves that moved the position. It never shrinks, and is never more
    /// than the time since the play began, with the tolerance. `last` is the position and the time
    /// of the last save of the play.
    fn watched_ms(&self, play: &RunningPlay, last: (i32, Time)) -> i64 {
        let (last_position, last_time) = last;
        let told = match self.played_seconds {
            Some(seconds) => TimeDelta::seconds(seconds.into()).num_milliseconds(),
            None if self.position == last_position => play.watched_ms,
            None => {
                let step = (self.event - last_time).clamp(TimeDelta::zero(), LONGEST_STEP);
                play.watched_ms + step.num_milliseconds()
            }
        };
        let limit = self.event - play.started_at + TOLERANCE;
        told.min(limit.num_milliseconds()).max(play.watched_ms)
    }
}

impl Row {
    /// Ends the running play.
    pub fn close_play(&mut self) {
        self.ended.extend(self.running_play());
        self.running = None;
    }

    /// The running play as if it ended now, with its number.
    fn running_play(&self) -> Option<(i32, EndedPlay)> {
        let play = self.running.as_ref().filter(|play| play.is_kept)?;
        let ended = EndedPlay {
            session: self.session.clone().filter(|_| self.play_has_session),
            device: self.device.clone(),
            started_at: play.started_at,
            ended_at: self.last_watched_at,
            start_position: play.start_position,
            end_position: self.position,
            watched_ms: play.watched_ms,
            completed: play.completed,
        };
        Some((self.play_number, ended))
    }

    /// All plays that are kept, by number, the running one too.
    pub fn plays(&self) -> BTreeMap<i32, EndedPlay> {
        self.ended.clone().into_iter().chain(self.running_play()).collect()
    }

    /// Opens a play that had ended. Returns it, and the position and time of its last save.
    fn reopen(&mut self, number: i32) -> (RunningPlay, (i32, Time)) {
        let play = self.ended.remove(&number).expect("the play was found");
        self.play_number = number;
        let running = RunningPlay {
            is_kept: true,
            started_at: play.started_at,
            start_position: play.start_position,
            watched_ms: play.watched_ms,
            completed: play.completed,
        };
        (running, (play.end_position, play.ended_at))
    }
}

impl Viewer {
    /// A play of a video, unless it is expired.
    pub fn find_play(&self, video: usize, number: i32, now: Time) -> Result<EndedPlay, Refusal> {
        let row = self.row(video, now).ok_or(Refusal::PlayNotFound)?;
        let play = row.plays().remove(&number).filter(|play| !self.is_expired(play.ended_at, now));
        play.ok_or(Refusal::PlayNotFound)
    }
}
