//! Stories, generated at random: what a few viewers send to the server about a few videos.

mod edits;
mod evening;
mod saves;

use proptest::array::uniform3;
use proptest::collection::vec;
use proptest::prelude::*;
pub use saves::{numbered, queued};
use service::watch_history::Save;

use crate::rules::preferences::Keeps;

pub const VIEWERS: usize = 2;
/// There are three videos; a fourth is named by requests and does not exist.
pub const VIDEOS: usize = 3;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What happens to new viewers and new videos.
#[derive(Clone, Debug)]
pub struct Story {
    pub durations: [Option<i32>; VIDEOS],
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// Requests that arrive before the first of them is answered.
    Requests(Vec<Arrival>),
    /// An edit that comes `pause` milliseconds after what was before. It is answered before
    /// anything else is sent.
    Edit { pause: i64, viewer: usize, edit: Edit },
    /// A viewer says what is kept.
    Preferences { viewer: usize, keeps: Keeps, retention_days: Option<i32> },
    /// The time of a row is set by another server, whose clock is `ahead` by so many milliseconds.
    Skew { viewer: usize, video: usize, ahead: i64 },
    /// The duration of a video changes.
    Duration { video: usize, duration: Option<i32> },
    /// Somebody reads, and the answer is checked.
    Read { viewer: usize, read: Read },
    /// A device of a viewer reads a page of changes.
    Changes { viewer: usize, limit: u64 },
}

#[derive(Clone, Debug)]
pub struct Arrival {
    /// The milliseconds since the arrival before; negative where the clock was turned back.
    pub pause: i64,
    pub viewer: usize,
    pub request: Request,
}

#[derive(Clone, Debug)]
pub enum Request {
    Save(usize, Save),
    Batch(Vec<(usize, Save)>),
    Forget(usize),
}

/// Times are milliseconds from the edit: `until` after it, the others before it.
#[derive(Clone, Debug)]
pub enum Edit {
    Undo(usize),
    Hide { video: usize, until: Option<i64> },
    Unhide(usize),
    Mark { video: usize, watched: Option<i64> },
    Unmark(usize),
    MarkMany { videos: Vec<usize>, watched: bool },
    ForgetMany(Vec<usize>),
    Clear { before: Option<i64> },
    DeletePlay(PlayChoice),
    ResumePlay(PlayChoice),
}

/// One of the plays that a viewer has of a video; the one after the last does not exist.
#[derive(Clone, Copy, Debug)]
pub struct PlayChoice {
    pub of: usize,
    pub video: usize,
    pub nth: usize,
}

#[derive(Clone, Debug)]
pub enum Read {
    Entry { video: usize },
    ContinueWatching { limit: u32, max_age_days: Option<i32> },
    History { state: State, page_size: u64 },
    Plays { video: Option<usize>, page_size: u64 },
}

/// Which entries the history list has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    All,
    InProgress,
    Completed,
}

pub fn story() -> impl Strategy<Value = Story> {
    let steps = prop_oneof![
        12 => step().prop_map(|step| vec![step]).boxed(),
        1 => evening::evening().boxed(),
    ];
    (uniform3(duration()), vec(steps, 1..16)).prop_map(|(durations, steps)| Story { durations, steps: steps.concat() })
}

fn step() -> impl Strategy<Value = Step> {
    let keeps = prop_oneof![3 => Just(Keeps::All), 1 => Just(Keeps::Positions), 1 => Just(Keeps::Nothing)];
    let retention = prop_oneof![2 => Just(None), 1 => Just(Some(1)), 1 => Just(Some(30))];
    prop_oneof![
        8 => saves::arrival().prop_map(|arrival| Step::Requests(vec![arrival])),
        4 => vec(saves::arrival(), 2..8).prop_map(Step::Requests),
        6 => (pause(), viewer(), edits::edit())
            .prop_map(|(pause, viewer, edit)| Step::Edit { pause, viewer, edit }),
        1 => (viewer(), keeps, retention)
            .prop_map(|(viewer, keeps, retention_days)| Step::Preferences { viewer, keeps, retention_days }),
        1 => (viewer(), video(), prop_oneof![0..2000_i64, Just(HOUR)])
            .prop_map(|(viewer, video, ahead)| Step::Skew { viewer, video, ahead }),
        1 => (0..VIDEOS, duration()).prop_map(|(video, duration)| Step::Duration { video, duration }),
        2 => (viewer(), read()).prop_map(|(viewer, read)| Step::Read { viewer, read }),
        3 => (viewer(), 1..=3_u64).prop_map(|(viewer, limit)| Step::Changes { viewer, limit }),
    ]
}

fn read() -> impl Strategy<Value = Read> {
    let max_age = prop_oneof![Just(None), Just(Some(1)), Just(Some(31))];
    let state = prop_oneof![Just(State::All), Just(State::InProgress), Just(State::Completed)];
    let of_video = prop_oneof![Just(None), (0..VIDEOS).prop_map(Some)];
    prop_oneof![
        video().prop_map(|video| Read::Entry { video }),
        (1..=3_u32, max_age).prop_map(|(limit, max_age_days)| Read::ContinueWatching { limit, max_age_days }),
        (state, 1..=3_u64).prop_map(|(state, page_size)| Read::History { state, page_size }),
        (of_video, 1..=5_u64).prop_map(|(video, page_size)| Read::Plays { video, page_size }),
    ]
}

/// The milliseconds between two arrivals.
fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => Just(0),
        4 => 1..3_i64,
        4 => Just(SECOND),
        2 => Just(30 * SECOND),
        2 => (-1..=1_i64).prop_map(|off| 30 * MINUTE + off),
        1 => Just(HOUR),
        1 => Just(DAY),
        1 => Just(31 * DAY),
        1 => Just(-1),
        1 => Just(-SECOND),
    ]
}

fn viewer() -> impl Strategy<Value = usize> {
    prop_oneof![5 => Just(0), 1 => 1..VIEWERS]
}

/// Mostly the same video, so that saves of one row meet.
fn video() -> impl Strategy<Value = usize> {
    prop_oneof![12 => Just(0), 4 => 1..VIDEOS, 1 => Just(VIDEOS)]
}

fn duration() -> impl Strategy<Value = Option<i32>> {
    prop_oneof![4 => Just(Some(600)), 1 => Just(None), 1 => Just(Some(0)), 1 => (1..12_i32).prop_map(Some)]
}
