//! The keys of lists in Redis, and the commands on them.

use super::{STORE_TIMEOUT, state::CacheState};
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How many bytes a mark has.
const MARK_BYTES: usize = 36;
/// How long a mark stays: longer than any list that was asked for before it is on its way.
const MARK_LIFETIME: &str = "60000";
/// How long a list stays. Entries that come back at a time are shown so much later at most.
const LIST_LIFETIME: &str = "10000";
/// How many lists are stored together.
const MAX_GROUP: usize = 256;
/// Stores a list behind the mark that was found, if the key still has it.
const STORE_BEHIND: &str = "if string.sub(redis.call('GET', KEYS[1]) or '', 1, #ARGV[1]) == ARGV[1] then \
                            redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3]) end";

/// What the value of a key begins with. No two are the same.
pub(super) type ListMark = Vec<u8>;

/// A list on its way to Redis.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) user_id: i64,
    /// The mark that was found, if there was one.
    pub(super) mark: Option<ListMark>,
    pub(super) list: Vec<u8>,
    pub(super) asked_at: Instant,
}

fn new_mark() -> String {
    Uuid::now_v7().to_string()
}

pub(super) fn key(prefix: &str, user_id: i64) -> String {
    format!("{prefix}{user_id}")
}

/// The mark of a value, and the list behind it, which may be empty.
pub(super) fn split(mut value: Vec<u8>) -> Option<(ListMark, Vec<u8>)> {
    (value.len() >= MARK_BYTES).then(|| {
        let list = value.split_off(MARK_BYTES);
        (value, list)
    })
}

/// Gives the keys of these viewers a new mark.
pub(super) async fn set_marks(
    redis: &mut MultiplexedConnection,
    prefix: &str,
    user_ids: impl Iterator<Item = i64>,
) -> Result<(), RedisError> {
    let (mark, mut commands) = (new_mark(), redis::pipe());
    for user_id in user_ids {
        commands.cmd("SET").arg(key(prefix, user_id)).arg(&mark).arg("PX").arg(MARK_LIFETIME).ignore();
    }
    commands.exec_async(redis).await
}

/// Stores lists until nobody can send them.
pub(super) async fn store_lists(state: Arc<CacheState>, mut lists: mpsc::Receiver<Store>) {
    let mut group = Vec::new();
    while lists.recv_many(&mut group, MAX_GROUP).await > 0 {
        let mut commands = redis::pipe();
        let in_time = group.drain(..).filter(|list: &Store| list.asked_at.elapsed() < STORE_TIMEOUT);
        in_time.for_each(|list| add(&mut commands, state.prefix(), list));
        if let Some(mut redis) = state.redis() {
            // The keeper notices when Redis is away.
            let _ = commands.exec_async(&mut redis).await;
        }
    }
}

fn add(commands: &mut Pipeline, prefix: &str, Store { user_id, mark, mut list, .. }: Store) {
    let key = key(prefix, user_id);
    match mark {
        Some(mark) => {
            commands.cmd("EVAL").arg(STORE_BEHIND).arg(1).arg(key).arg(mark).arg(list).arg(LIST_LIFETIME).ignore()
        }
        None => {
            list.splice(..0, new_mark().into_bytes());
            commands.cmd("SET").arg(key).arg(list).arg("NX").arg("PX").arg(LIST_LIFETIME).ignore()
        }
    };
}
