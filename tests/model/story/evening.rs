//! Evenings: two devices, and a client without sessions, play one video alternately.

use super::{Arrival, MINUTE, Request, SECOND, Step, video};
use proptest::collection::vec;
use proptest::prelude::*;
use service::watch_history::Save;

#[derive(Clone, Copy, Debug)]
enum Player {
    LivingRoom,
    Phone,
    WithoutSession,
}

/// One save of one player after a pause: how far it moved, and what its stopwatch says.
#[derive(Clone, Debug)]
struct Heartbeat {
    player: Player,
    pause: i64,
    moved: i32,
    played: Option<i32>,
    age: Option<i64>,
}

pub fn evening() -> impl Strategy<Value = Vec<Step>> {
    (video(), 0..400_i32, vec(heartbeat(), 2..10)).prop_map(|(video, start, heartbeats)| {
        let (mut position, mut number) = (start, 0);
        let steps = heartbeats.into_iter().map(|heartbeat| {
            position = (position + heartbeat.moved).max(0);
            number += 1;
            let request = Request::Save(video, heartbeat.save(position, number));
            Step::Requests(vec![Arrival { pause: heartbeat.pause, viewer: 0, request }])
        });
        steps.collect()
    })
}

fn heartbeat() -> impl Strategy<Value = Heartbeat> {
    let player =
        prop_oneof![3 => Just(Player::LivingRoom), 2 => Just(Player::Phone), 2 => Just(Player::WithoutSession)];
    let pause = prop_oneof![
        4 => Just(10 * SECOND),
        2 => (-1..=1_i64).prop_map(|off| 30 * SECOND + off),
        1 => (-1..=1_i64).prop_map(|off| 30 * MINUTE + off),
    ];
    let moved = prop_oneof![4 => Just(10), 2 => 29..32_i32, 1 => -32..-28_i32, 1 => Just(0), 1 => Just(200)];
    let played = prop_oneof![1 => Just(None), 3 => (0..90_i32).prop_map(Some)];
    let age = prop_oneof![4 => Just(None), 1 => (0..40 * SECOND).prop_map(Some)];
    (player, pause, moved, played, age).prop_map(|(player, pause, moved, played, age)| Heartbeat {
        player,
        pause,
        moved,
        played,
        age,
    })
}

impl Heartbeat {
    fn save(&self, position: i32, number: i32) -> Save {
        let (session, device) = match self.player {
            Player::LivingRoom => (Some("a"), Some("TV")),
            Player::Phone => (Some("aa"), Some("Phone")),
            Player::WithoutSession => (None, None),
        };
        Save {
            watch_position: position,
            watch_duration: 600,
            played_seconds: self.played.filter(|_| session.is_some()),
            age_ms: self.age,
            session_id: session.map(str::to_owned),
            sequence: session.map(|_| number),
            device: device.map(str::to_owned),
        }
    }
}
