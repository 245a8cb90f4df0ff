//! How often something may happen: buckets that fill with what was done and that time empties.

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How many keys a [`RateLimiter`] remembers, which takes 10 MiB at most. Beyond that the least used are forgotten, so that
/// requests from many addresses do not grow the memory.
const REMEMBERED: usize = 100_000;

/// The limits of one server; 0 means that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Sign-ups from one address in an hour, and as many changes of accounts.
    pub sign_ups_per_hour: u32,
    /// Writes of one account in a minute.
    pub writes_per_minute: u32,
    /// Writes from one address in a minute.
    pub address_writes_per_minute: u32,
    /// Videos that one account may have when it describes another one; administrators may have any number.
    pub videos_per_user: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            sign_ups_per_hour: 100,
            writes_per_minute: 300,
            address_writes_per_minute: 1500,
            videos_per_user: 10_000,
        }
    }
}

/// How much fits into a bucket, and how long one drop takes to drain.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    size: i32,
    drain: TimeDelta,
}

/// What is left of a bucket, for clients that want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How much fits into the whole bucket.
    pub size: i32,
    /// Seconds in which a full bucket drains.
    pub window: i64,
    /// How much fits now.
    pub left: i64,
    /// Seconds until all of it fits again.
    pub reset: i64,
}

impl Bucket {
    pub(crate) const fn new(size: i32, drain: TimeDelta) -> Self {
        Self { size, drain }
    }

    /// As many as `size` at once, and then as many in each `window`; `None` when `size` is 0.
    pub fn within(size: u32, window: TimeDelta) -> Option<Self> {
        let size = i32::try_from(size).unwrap_or(i32::MAX);
        let drain = TimeDelta::microseconds(window.num_microseconds()?.checked_div(size.into())?.max(1));
        Some(Self { size, drain })
    }

    /// When the bucket is empty after one more drop.
    ///
    /// # Errors
    /// How long to wait, when the drop does not fit.
    pub(crate) fn add(self, empty_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Duration> {
        let over = empty_at.max(now) + self.drain - self.brim(now);
        // A wait is told in whole seconds, so it is rounded up.
        if over > TimeDelta::zero() {
            Err(Duration::from_secs(over.num_seconds().unsigned_abs() + 1))
        } else {
            Ok(empty_at.max(now) + self.drain)
        }
    }

    /// As [`Bucket::add`], but a drop that does not fit is lost.
    pub(crate) fn fill(self, empty_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        (empty_at.max(now) + self.drain).min(self.brim(now))
    }

    /// When the bucket is empty without one of its drops.
    pub(crate) fn remove(self, empty_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        (empty_at - self.drain).max(now)
    }

    fn quota(self, empty_at: DateTime<Utc>, now: DateTime<Utc>) -> Quota {
        let micros = |time: TimeDelta| time.num_microseconds().unwrap_or(i64::MAX);
        let (filled, drain) = (micros(empty_at.max(now) - now), micros(self.drain).max(1));
        let seconds = |micros: i64| micros.saturating_add(999_999) / 1_000_000;
        Quota {
            size: self.size,
            window: seconds(drain.saturating_mul(self.size.into())),
            left: (i64::from(self.size) - filled.saturating_add(drain - 1) / drain).max(0),
            reset: seconds(filled),
        }
    }

    /// When a full bucket is empty.
    fn brim(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.drain * self.size
    }
}

/// What counts as one address: an IPv4 address, or the /64 that an IPv6 host owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 => v4,
        })
    }
}

impl Network {
    /// 16 bytes that no other network has.
    pub(crate) fn octets(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        }
    }
}

/// Whose bucket it is. Keys of different kinds are different keys, whatever is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitKey {
    /// An account.
    User(i64),
    /// An address.
    Address(Network),
}

/// Buckets of one size, one for each key, of this process.
#[derive(Debug)]
pub struct RateLimiter {
    bucket: Bucket,
    /// When each bucket will be empty, in microseconds since 1970.
    empty_at: Cache<LimitKey, Arc<AtomicI64>>,
}

impl RateLimiter {
    /// With empty buckets.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket, empty_at: Cache::new(REMEMBERED) }
    }

    /// Counts one more.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn take(&self, key: LimitKey, now: DateTime<Utc>) -> Result<(), Duration> {
        let cell = self.cell(key);
        let mut micros = cell.load(Ordering::Relaxed);
        loop {
            let after = self.bucket.add(moment(micros), now)?.timestamp_micros();
            match cell.compare_exchange_weak(micros, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => micros = other,
            }
        }
    }

    /// Takes back what [`RateLimiter::take`] counted.
    pub fn refund(&self, key: LimitKey, now: DateTime<Utc>) {
        let less = |micros| Some(self.bucket.remove(moment(micros), now).timestamp_micros());
        // The closure always gives a value.
        let _ = self.cell(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// What is left for this key.
    pub fn quota(&self, key: LimitKey, now: DateTime<Utc>) -> Quota {
        self.bucket.quota(moment(self.cell(key).load(Ordering::Relaxed)), now)
    }

    fn cell(&self, key: LimitKey) -> Arc<AtomicI64> {
        let Ok(cell) = self.empty_at.get_or_insert_with(&key, || Ok::<_, Infallible>(Arc::default()));
        cell
    }
}

fn moment(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_763_650_379, 0).unwrap()
    }

    #[test]
    fn a_burst_fits_and_then_as_much_as_time_drains() {
        let limiter = RateLimiter::new(Bucket::within(300, TimeDelta::minutes(1)).unwrap());
        let (ann, now) = (LimitKey::User(1), start());
        for _ in 0..300 {
            limiter.take(ann, now).unwrap();
        }
        assert_eq!(limiter.take(ann, now), Err(Duration::from_secs(1)));
        assert_eq!(limiter.quota(ann, now), Quota { size: 300, window: 60, left: 0, reset: 60 });
        let later = now + TimeDelta::seconds(2);
        assert_eq!((0..300).filter(|_| limiter.take(ann, later).is_ok()).count(), 10);
        assert_eq!(limiter.quota(LimitKey::User(2), now).left, 300, "another account");
    }

    #[test]
    fn what_is_given_back_fits_again() {
        let limiter = RateLimiter::new(Bucket::within(1, TimeDelta::hours(1)).unwrap());
        let (ann, now) = (LimitKey::User(1), start());
        for _ in 0..100 {
            limiter.take(ann, now).unwrap();
            limiter.refund(ann, now);
        }
        assert_eq!(limiter.quota(ann, now), Quota { size: 1, window: 3600, left: 1, reset: 0 });
    }

    #[test]
    fn many_addresses_do_not_grow_the_memory() {
        let limiter = RateLimiter::new(Bucket::within(1, TimeDelta::hours(1)).unwrap());
        for n in 0..300_000_u128 {
            let address = IpAddr::V6(Ipv6Addr::from_bits(n << 64));
            limiter.take(LimitKey::Address(address.into()), start()).unwrap();
        }
        assert!(limiter.empty_at.len() <= REMEMBERED, "{}", limiter.empty_at.len());
    }

    #[test]
    fn a_limit_of_zero_is_none() {
        assert!(Bucket::within(0, TimeDelta::minutes(1)).is_none());
    }

    #[test]
    fn an_address_of_a_host_is_its_whole_ipv6_network() {
        let network = |text: &str| Network::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:2"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
