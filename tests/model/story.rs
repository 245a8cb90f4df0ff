//! Stories of a few viewers and films, made at random: saves in any order, at any age, from any device, a few at once.

use proptest::array::uniform3;
use proptest::collection::vec;
use proptest::prelude::*;
use service::watch_history::Save;

pub const VIEWERS: usize = 2;
/// There are three films; the one behind them is not there.
pub const FILMS: usize = 3;

/// What happens to viewers and films that nobody has heard of before.
#[derive(Clone, Debug)]
pub struct Story {
    pub durations: [Option<i32>; FILMS],
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// These arrive before the first of them is answered.
    Together(Vec<Arrival>),
    /// Another server, whose clock is so many milliseconds ahead, wrote the row.
    Skew {
        viewer: usize,
        film: usize,
        ahead: i64,
    },
    /// A film gets another duration.
    Duration {
        film: usize,
        duration: Option<i32>,
    },
    Find {
        viewer: usize,
        film: usize,
    },
    List {
        viewer: usize,
        limit: u32,
    },
}

#[derive(Clone, Debug)]
pub struct Arrival {
    /// How many milliseconds the clock goes on before it arrives; clocks are also turned back.
    pub pause: i64,
    pub viewer: usize,
    pub asked: Asked,
}

#[derive(Clone, Debug)]
pub enum Asked {
    Save(usize, Save),
    Batch(Vec<(usize, Save)>),
    Forget(usize),
}

pub fn story() -> impl Strategy<Value = Story> {
    (uniform3(duration()), vec(step(), 1..16)).prop_map(|(durations, steps)| Story { durations, steps })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => arrival().prop_map(|arrival| Step::Together(vec![arrival])),
        4 => vec(arrival(), 2..8).prop_map(Step::Together),
        1 => (viewer(), film(), prop_oneof![0..2000_i64, Just(3_600_000)])
            .prop_map(|(viewer, film, ahead)| Step::Skew { viewer, film, ahead }),
        1 => (0..FILMS, duration()).prop_map(|(film, duration)| Step::Duration { film, duration }),
        1 => (viewer(), film()).prop_map(|(viewer, film)| Step::Find { viewer, film }),
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
    let asked = prop_oneof![
        8 => (film(), save()).prop_map(|(film, save)| Asked::Save(film, save)),
        2 => vec((film(), save()), 1..7).prop_map(Asked::Batch),
        1 => film().prop_map(Asked::Forget),
    ];
    (pause, viewer(), asked).prop_map(|(pause, viewer, asked)| Arrival { pause, viewer, asked })
}

fn viewer() -> impl Strategy<Value = usize> {
    prop_oneof![5 => Just(0), 1 => 1..VIEWERS]
}

/// Mostly the same one, where saves meet.
fn film() -> impl Strategy<Value = usize> {
    prop_oneof![12 => Just(0), 4 => 1..FILMS, 1 => Just(FILMS)]
}

fn duration() -> impl Strategy<Value = Option<i32>> {
    prop_oneof![4 => Just(Some(600)), 1 => Just(None), 1 => Just(Some(0)), 1 => (1..12_i32).prop_map(Some)]
}

fn save() -> impl Strategy<Value = Save> {
    let watched = prop_oneof![2 => Just(0), 1 => 1..100_i32, 1 => Just(i32::MAX)];
    let sequence = prop_oneof![1 => Just(None), 4 => (1..6_i32).prop_map(Some), 1 => Just(Some(i32::MAX))];
    (position(), watched, age(), session(), sequence, device()).prop_map(
        |(watch_position, watch_duration, age_ms, session_id, sequence, device)| Save {
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

/// One name lies within another, and one differs in its case alone.
fn session() -> impl Strategy<Value = Option<String>> {
    prop_oneof![2 => Just(None), 3 => Just(Some("a")), 2 => Just(Some("aa")), 1 => Just(Some("A"))]
        .prop_map(|name| name.map(str::to_owned))
}

fn device() -> impl Strategy<Value = Option<String>> {
    prop_oneof![3 => Just(None), 1 => Just(Some("TV")), 1 => Just(Some("Bob's \"Küche\""))]
        .prop_map(|name| name.map(str::to_owned))
}

/// What a device gathered: the moments follow each other, and so do the numbers within a session.
pub fn gathered() -> impl Strategy<Value = Vec<(usize, Save)>> {
    (vec((film(), save(), 1..2000_i64), 1..12), 1..4_i32, 0..2000_i64).prop_map(|(gathered, first, youngest)| {
        let mut age = youngest;
        let mut aged = Vec::from_iter(gathered.into_iter().rev().map(|(film, save, pause)| {
            let save = Save { age_ms: Some(age), ..save };
            age += pause;
            (film, save)
        }));
        aged.reverse();
        count_up(&mut aged, first);
        aged
    })
}

/// What a player counted in one session. Its ages may be missing or wrong: the numbers decide.
pub fn counted() -> impl Strategy<Value = Vec<(usize, Save)>> {
    (vec((film(), save()), 1..12), 1..4_i32).prop_map(|(mut counted, first)| {
        for (_, save) in &mut counted {
            (save.session_id, save.sequence) = (Some("a".to_owned()), Some(1));
        }
        count_up(&mut counted, first);
        counted
    })
}

fn count_up(saves: &mut [(usize, Save)], first: i32) {
    for ((_, save), number) in saves.iter_mut().zip(first..) {
        save.sequence = save.sequence.map(|_| number);
    }
}
