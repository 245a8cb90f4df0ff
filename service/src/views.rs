//! Counting how often videos are opened. A viewer of a video counts once in half an hour, because a
//! page reports every player that it creates.

use crate::caller::Caller;
use crate::storage::Transaction;
use crate::{Database, Error, video as videos};
use chrono::{DateTime, TimeDelta, Utc};
use entity::video;
use sea_orm::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use std::collections::HashMap;
use std::mem;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// The time in which a viewer of a video counts once.
const COUNT_INTERVAL: TimeDelta = TimeDelta::minutes(30);
/// Views that are kept in memory, of about 100 bytes each; then the older half is dropped.
const MAX_VIEWS: usize = 100_000;

/// A video, and the account or the address that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    video_id: i64,
    viewer: ViewerKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ViewerKey {
    Account(i64),
    Address(IpAddr),
}

impl ViewerKey {
    fn new(caller: Option<Caller>, address: IpAddr) -> Self {
        match (caller, address.to_canonical()) {
            (Some(caller), _) => Self::Account(caller.id),
            // An IPv6 host owns a whole /64 network.
            (None, IpAddr::V6(v6)) => Self::Address(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into()),
            (None, v4) => Self::Address(v4),
        }
    }
}

/// The views that this process counted recently.
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
    /// Adds a view. Returns whether it counts.
    fn add(&self, view: View, now: DateTime<Utc>) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let RecentViews { newer, older } = &mut *counted;
        let last = newer.get(&view).or_else(|| older.get(&view));
        if last.is_some_and(|last| now - *last < COUNT_INTERVAL) {
            return false;
        }
        if newer.len() >= MAX_VIEWS / 2 {
            *older = mem::take(newer);
        }
        newer.insert(view, now);
        true
    }

    /// Removes a view that could not be stored.
    pub fn remove(&self, view: View) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.newer.remove(&view);
        counted.older.remove(&view);
    }
}

/// Checks whether the opening of a video counts as a view: it does not if the same viewer opened it
/// less than half an hour ago. A view that counts must be passed to [`count`], and to
/// [`ViewCounter::remove`] when that fails.
///
/// # Errors
/// [`Error::VideoNotFound`], also when the caller may not see it.
pub async fn find_new_view(
    db: &Database,
    views: &ViewCounter,
    caller: Option<Caller>,
    from: IpAddr,
    video_id: i64,
    now: DateTime<Utc>,
) -> Result<Option<View>, Error> {
    videos::exists(db.reader(), caller, video_id).await?;
    let view = View { video_id, viewer: ViewerKey::new(caller, from) };
    Ok(views.add(view, now).then_some(view))
}

/// Adds one to the views of a video.
///
/// # Errors
/// Database errors.
pub async fn count(tx: &Transaction, view: View) -> Result<(), Error> {
    video::Entity::update_many()
        .col_expr(video::Column::ViewCount, Expr::col(video::Column::ViewCount).add(1))
        .filter(video::Column::Id.eq(view.video_id))
        .filter(video::Column::ViewCount.lt(i32::MAX))
        .exec(tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(video_id: i64, address: &str) -> View {
        View { video_id, viewer: ViewerKey::new(None, address.parse().unwrap()) }
    }

    #[test]
    fn a_viewer_of_a_video_counts_once_in_half_an_hour() {
        let (views, now) = (ViewCounter::default(), DateTime::UNIX_EPOCH);
        assert!(views.add(view(1, "192.0.2.1"), now));
        assert!(!views.add(view(1, "::ffff:192.0.2.1"), now + TimeDelta::minutes(29)));
        assert!(views.add(view(2, "192.0.2.1"), now) && views.add(view(1, "192.0.2.2"), now));
        assert!(views.add(view(1, "192.0.2.1"), now + TimeDelta::minutes(30)));
        assert!(views.add(view(1, "2001:db8::1"), now) && !views.add(view(1, "2001:db8::2"), now));
    }

    #[test]
    fn the_number_of_views_in_memory_has_a_limit() {
        let (views, now) = (ViewCounter::default(), DateTime::UNIX_EPOCH);
        for video in 0..3 * MAX_VIEWS as i64 {
            views.add(view(video, "192.0.2.1"), now);
        }
        let counted = views.counted.lock().unwrap();
        assert!(counted.newer.len() + counted.older.len() <= MAX_VIEWS);
    }
}
