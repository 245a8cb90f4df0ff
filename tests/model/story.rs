//! Stories, generated at random: what a few viewers send to the server about a few videos.

use proptest::array::uniform3;
use proptest::collection::vec;
use proptest::prelude::*;
use service::watch_history::Save;

pub const VIEWERS: usize = 2;
/// There are three videos; a fourth is named by requests and does not exist.
pub const VIDEOS: usize = 3;

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
    /// The time of a row is set by another server, whose clock is `ahead` by so many milliseconds.
    Skew {
        viewer: usize,
        video: usize,
        ahead: i64,
    },
    /// The duration of a video changes.
    Duration {
        video: usize,
        duration: Option<i32>,
    },
    Find {
        viewer: usize,
        video: usize,
    },
    List {
        viewer: usize,
        limit: u32,
    },
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

pub fn story() -> impl Strategy<Value = Story> {
    (uniform3(duration()), vec(step(), 1..16)).prop_map(|(durations, steps)| Story { durations, steps })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => arrival().prop_map(|arrival| Step::Requests(vec![arrival])),
        4 => vec(arrival(), 2..8).prop_map(Step::Requests),
        1 => (viewer(), video(), prop_oneof![0..2000_i64, Just(3_600_000)])
            .prop_map(|(viewer, video, ahead)| Step::Skew { viewer, video, ahead }),
        1 => (0..VIDEOS, duration()).prop_map(|(video, duration)| Step::Duration { video, duration }),
        1 => (viewer(), video()).prop_map(|(viewer, video)| Step::Find { viewer, video }),
        1 => (viewer(), 1..=3_u32).prop_map(|(viewer, limit)| Step::List { viewer, limit }),
    ]
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let pause = prop_oneof![
        4 => Just(0),
        4 => 1..3_i64,
        4 => Just(1000),
        1 => Just(3_600_000),
        1 => Just(31 * 86_400_000),
        1 => Just(-1),
        1 => Just(-1000),
    ];
    let request = prop_oneof![
        8 => (video(), save()).prop_map(|(video, save)| Request::Save(video, save)),
        2 => vec((video(), save()), 1..7).prop_map(Request::Batch),
        1 => video().prop_map(Request::Forget),
    ];
    (pause, viewer(), request).prop_map(|(pause, viewer, request)| Arrival { pause, viewer, request })
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

fn save() -> impl Strategy<Value = Save> {
    let watched = prop_oneof![2 => Just(0), 1 => 1..100_i32, 1 => Just(i32::MAX)];
    let sequence = prop_oneof![1 => Just(None), 4 => (1..6_i32).prop_map(Some), 1 => Just(Some(i32::MAX))];
    (position(), watched, age(), session(), sequence, device()).prop_map(
        |(watch_position, watch_duration, age_ms, session_id, sequence, device)| Save {
            played_seconds: None,
            watch_position,
            watch_duration,
            age_ms,
            sequence: sequence.filter(|_| session_id.is_some()),
            session_id,
            device,
        },
    )
}

fn position() -> impl Strategy<Value = i32> {
    prop_oneof![
        2 => 0..12_i32,
        1 => 4..=6_i32,
        2 => 12..539_i32,
        2 => 539..=541_i32,
        1 => 568..=571_i32,
        1 => 599..=601_i32,
        1 => Just(i32::MAX),
    ]
}

fn age() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        4 => Just(None),
        3 => (0..3_i64).prop_map(Some),
        2 => (998..1003_i64).prop_map(Some),
        1 => Just(Some(3_600_000)),
        1 => (29 * 86_400_000..=30 * 86_400_000_i64).prop_map(Some),
    ]
}

/// One name is part of another, and one differs only in its case.
fn session() -> impl Strategy<Value = Option<String>> {
    prop_oneof![2 => Just(None), 3 => Just(Some("a")), 2 => Just(Some("aa")), 1 => Just(Some("A"))]
        .prop_map(|name| name.map(str::to_owned))
}

fn device() -> impl Strategy<Value = Option<String>> {
    prop_oneof![3 => Just(None), 1 => Just(Some("TV")), 1 => Just(Some("Bob's \"Küche\""))]
        .prop_map(|name| name.map(str::to_owned))
}

/// A batch that a device queued: later saves have later times and higher numbers.
pub fn queued() -> impl Strategy<Value = Vec<(usize, Save)>> {
    (vec((video(), save(), 1..2000_i64), 1..12), 1..4_i32, 0..2000_i64).prop_map(|(queued, first, youngest)| {
        let mut age = youngest;
        let mut aged = Vec::from_iter(queued.into_iter().rev().map(|(video, save, pause)| {
            let save = Save { age_ms: Some(age), ..save };
            age += pause;
            (video, save)
        }));
        aged.reverse();
        number(&mut aged, first);
        aged
    })
}

/// A batch of one session. Its ages may be missing or wrong, because the numbers decide.
pub fn numbered() -> impl Strategy<Value = Vec<(usize, Save)>> {
    (vec((video(), save()), 1..12), 1..4_i32).prop_map(|(mut counted, first)| {
        for (_, save) in &mut counted {
            (save.session_id, save.sequence) = (Some("a".to_owned()), Some(1));
        }
        number(&mut counted, first);
        counted
    })
}

fn number(saves: &mut [(usize, Save)], first: i32) {
    for ((_, save), number) in saves.iter_mut().zip(first..) {
        save.sequence = save.sequence.map(|_| number);
    }
}
