//! Saves, alone and in batches, and what else is queued with them.

use super::{Arrival, DAY, HOUR, MINUTE, Request, pause, video, viewer};
use proptest::collection::vec;
use proptest::prelude::*;
use service::watch_history::Save;

pub fn arrival() -> impl Strategy<Value = Arrival> {
    let request = prop_oneof![
        8 => (video(), save()).prop_map(|(video, save)| Request::Save(video, save)),
        2 => vec((video(), save()), 1..7).prop_map(Request::Batch),
        1 => video().prop_map(Request::Forget),
    ];
    (pause(), viewer(), request).prop_map(|(pause, viewer, request)| Arrival { pause, viewer, request })
}

fn save() -> impl Strategy<Value = Save> {
    let watched = prop_oneof![2 => Just(0), 1 => 1..100_i32, 1 => Just(i32::MAX)];
    let sequence = prop_oneof![1 => Just(None), 4 => (1..6_i32).prop_map(Some), 1 => Just(Some(i32::MAX))];
    (position(), watched, age(), session(), sequence, device(), played()).prop_map(
        |(watch_position, watch_duration, age_ms, session_id, sequence, device, played_seconds)| Save {
            watch_position,
            watch_duration,
            played_seconds: played_seconds.filter(|_| session_id.is_some()),
            age_ms,
            sequence: sequence.filter(|_| session_id.is_some()),
            session_id,
            device,
        },
    )
}

/// Many are 30 or 31 s apart.
fn position() -> impl Strategy<Value = i32> {
    prop_oneof![
        2 => 0..12_i32,
        1 => 4..=6_i32,
        2 => 12..539_i32,
        3 => (1..6_i32, 0..2_i32).prop_map(|(steps, more)| 30 * steps + more),
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
        1 => (-1..=1_i64).prop_map(|off| Some(30 * MINUTE + off)),
        1 => Just(Some(HOUR)),
        1 => (29 * DAY..=30 * DAY).prop_map(Some),
    ]
}

/// The stopwatch of a player, in seconds.
fn played() -> impl Strategy<Value = Option<i32>> {
    prop_oneof![3 => Just(None), 2 => (0..15_i32).prop_map(Some), 1 => (28..45_i32).prop_map(Some), 1 => Just(Some(i32::MAX))]
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
