//! How often videos are opened: one viewer of a video counts once in half an hour, because a page tells of every player that it makes.

use crate::user::Caller;
use crate::{Database, Error, video as videos};
use chrono::{DateTime, TimeDelta, Utc};
use entity::video;
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use std::collections::HashMap;
use std::mem;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// For how long a viewer of a video counts once.
const ONCE_IN: TimeDelta = TimeDelta::minutes(30);
/// Viewers that are remembered before the older half of them is forgotten; each takes about 100 bytes.
const MOST: usize = 100_000;

/// Who opened what: a video, and the account, or the address of who has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct View {
    video_id: i64,
    by: Viewer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Viewer {
    Account(i64),
    Address(IpAddr),
}

impl Viewer {
    fn of(caller: Option<Caller>, address: IpAddr) -> Self {
        match (caller, address.to_canonical()) {
            (Some(caller), _) => Self::Account(caller.id),
            // A host owns a whole /64.
            (None, IpAddr::V6(v6)) => Self::Address(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into()),
            (None, v4) => Self::Address(v4),
        }
    }
}

/// The views that were counted lately, by this process.
#[derive(Debug, Default)]
pub struct ViewCounter {
    counted: Mutex<RecentViews>,
}

#[derive(Debug, Default)]
struct RecentViews {
    newer: HashMap<View, DateTime<Utc>>,
    older: HashMap<View, DateTime<Utc>>,
}

impl ViewCounter {
    /// Notes a view, and whether it counts.
    fn take(&self, view: View, now: DateTime<Utc>) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let RecentViews { newer, older } = &mut *counted;
        let last = newer.get(&view).or_else(|| older.get(&view));
        if last.is_some_and(|last| now - *last < ONCE_IN) {
            return false;
        }
        if newer.len() >= MOST / 2 {
            *older = mem::take(newer);
        }
        newer.insert(view, now);
        true
    }

    /// Takes back what could not be stored.
    fn refund(&self, view: View) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.newer.remove(&view);
        counted.older.remove(&view);
    }
}

/// Counts that a video was opened, unless the same viewer opened it less than half an hour ago.
///
/// # Errors
/// [`Error::VideoNotFound`], also when the caller may not see it.
pub async fn count(
    db: &Database,
    views: &ViewCounter,
    caller: Option<Caller>,
    from: IpAddr,
    video_id: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    videos::exists(db.reader(), caller, video_id).await?;
    let view = View { video_id, by: Viewer::of(caller, from) };
    if !views.take(view, now) {
        return Ok(());
    }
    let counted = add_one(db, video_id).await;
    if counted.is_err() {
        views.refund(view);
    }
    counted
}

async fn add_one(db: &Database, video_id: i64) -> Result<(), Error> {
    let (_turn, transaction) = db.begin().await?;
    video::Entity::update_many()
        .col_expr(video::Column::ViewCount, Expr::col(video::Column::ViewCount).add(1))
        .filter(video::Column::Id.eq(video_id))
        .filter(video::Column::ViewCount.lt(i32::MAX))
        .exec(&transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(video_id: i64, address: &str) -> View {
        View { video_id, by: Viewer::of(None, address.parse().unwrap()) }
    }

    #[test]
    fn a_viewer_counts_once_in_half_an_hour_and_each_video_by_itself() {
        let (views, now) = (ViewCounter::default(), DateTime::UNIX_EPOCH);
        assert!(views.take(view(1, "192.0.2.1"), now));
        assert!(!views.take(view(1, "::ffff:192.0.2.1"), now + TimeDelta::minutes(29)));
        assert!(views.take(view(2, "192.0.2.1"), now) && views.take(view(1, "192.0.2.2"), now));
        assert!(views.take(view(1, "192.0.2.1"), now + TimeDelta::minutes(30)));
        assert!(views.take(view(1, "2001:db8::1"), now) && !views.take(view(1, "2001:db8::2"), now));
    }

    #[test]
    fn a_crowd_is_remembered_up_to_a_bound() {
        let (views, now) = (ViewCounter::default(), DateTime::UNIX_EPOCH);
        for video in 0..3 * MOST as i64 {
            views.take(view(video, "192.0.2.1"), now);
        }
        let counted = views.counted.lock().unwrap();
        assert!(counted.newer.len() + counted.older.len() <= MOST);
    }
}
