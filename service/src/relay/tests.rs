use super::group::EventGroup;
use super::message::RelayMessage;
use super::subscriber::Pause;
use super::{CHANNELS, RedisAddress, RelayContext, RelayStatus, RelayedChange};
use crate::storage::Event;
use chrono::DateTime;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

fn context() -> RelayContext {
    RelayContext {
        address: RedisAddress::parse("redis://localhost").unwrap(),
        prefix: "playhead:site".into(),
        process: Uuid::now_v7(),
        status: Arc::new(RelayStatus::default()),
    }
}

#[test]
fn an_address_is_a_url_of_redis_and_shows_no_password() {
    for good in ["redis://localhost", "rediss://:hunter2@redis.example:6380/1", "redis://ann:hunter2@[::1]:6379"] {
        assert_eq!(format!("{:?}", RedisAddress::parse(good).unwrap()), "RedisAddress { .. }");
    }
    for bad in
        ["", "localhost", "http://hunter2@x", "redis://", "redis://:hunter2@:x", "unix:///hunter2", "redis+unix:///x"]
    {
        let error = RedisAddress::parse(bad).unwrap_err();
        assert!(!error.contains("hunter2") && error.contains("use redis://"), "{bad}: {error}");
    }
    assert!(RedisAddress::parse("rediss://localhost#insecure").unwrap_err().contains("certificate"));
}

#[test]
fn a_group_is_one_message_for_each_channel_that_it_concerns() {
    let mut group = EventGroup::default();
    assert!(group.is_empty());
    let viewers = i64::from(CHANNELS);
    for n in 0..3 * viewers {
        group.add(Event::EntryChanged { user_id: n, video_id: 7 });
        group.add(Event::EntryForgotten { user_id: n, video_id: 7 });
    }
    let commands = group.into_commands(&context(), false, false, false).unwrap();
    assert_eq!(commands.cmd_iter().count(), usize::from(CHANNELS));
    let mut group = EventGroup::default();
    group.add(Event::VideoChanged { video_id: 7 });
    assert!(group.is_empty());
    assert_eq!(group.into_commands(&context(), false, true, false).unwrap().cmd_iter().count(), 1);
}

#[test]
fn a_message_gives_the_events_back_and_may_have_more_fields() {
    let message = RelayMessage {
        from: Uuid::now_v7(),
        entries: vec![(1, 2)],
        cleared: vec![(3, DateTime::UNIX_EPOCH)],
        deleted_videos: vec![(4, 5)],
        ..RelayMessage::default()
    };
    let mut text = serde_json::to_value(&message).unwrap();
    text["later"] = 1.into();
    let read: RelayMessage = serde_json::from_value(text).unwrap();
    assert_eq!(read, message);
    let mut changes = Vec::new();
    read.for_each(&mut |change| changes.push(change));
    let expected = [
        Event::EntryChanged { user_id: 1, video_id: 2 },
        Event::HistoryCleared { user_id: 3, before: DateTime::UNIX_EPOCH },
        Event::VideoDeleted { video_id: 4, user_id: 5 },
    ];
    assert_eq!(changes, expected.map(RelayedChange::Event));
}

#[test]
fn the_pause_between_attempts_grows_to_a_second() {
    let mut pause = Pause::default();
    let pauses = Vec::from_iter((0..200).map(|_| pause.next()));
    assert_eq!(
        (pauses[0], pauses[1], pauses[199]),
        (Duration::from_millis(100), Duration::from_millis(200), Duration::from_secs(1))
    );
    assert!(!pause.is_first());
}
