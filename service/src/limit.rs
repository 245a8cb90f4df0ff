//! Rate limits by leaky buckets: every request fills the bucket, and time empties it.

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The keys that a [`RateLimiter`] keeps in at most 10 MiB. Beyond that the least used ones are
/// dropped, so that requests from many addresses do not take more memory.
const MAX_KEYS: usize = 100_000;

/// The limits of one server; 0 means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Sign-ups from one address in an hour, and as many changes of accounts.
    pub sign_ups_per_hour: u32,
    /// Writes of one account in a minute.
    pub writes_per_minute: u32,
    /// Writes from one address in a minute.
    pub address_writes_per_minute: u32,
    /// Videos of one account; administrators may have any number.
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

/// The size of a bucket, and the time in which one request drains from it.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    size: i32,
    drain: TimeDelta,
}

/// The state of a bucket, for the headers of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests that fit into the empty bucket.
    pub size: i32,
    /// Seconds in which a full bucket drains.
    pub window: i64,
    /// Requests that fit now.
    pub left: i64,
    /// Seconds until the bucket is empty.
    pub reset: i64,
}

impl Bucket {
    pub(crate) const fn new(size: i32, drain: TimeDelta) -> Self {
        Self { size, drain }
    }

    /// A bucket for `size` requests at once, which drains in `window`; `None` when `size` is 0.
    pub fn within(size: u32, window: TimeDelta) -> Option<Self> {
        let size = i32::try_from(size).unwrap_or(i32::MAX);
        let drain = TimeDelta::microseconds(window.num_microseconds()?.checked_div(size.into())?.max(1));
        Some(Self { size, drain })
    }

    /// The time at which the bucket is empty after one more request.
    ///
    /// # Errors
    /// The time to wait, when the request does not fit.
    pub(crate) fn add(self, empty_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Duration> {
        let over = empty_at.max(now) + self.drain - self.full_until(now);
        // Clients get whole seconds, so it is rounded up.
        if over > TimeDelta::zero() {
            Err(Duration::from_secs(over.num_seconds().unsigned_abs() + 1))
        } else {
            Ok(empty_at.max(now) + self.drain)
        }
    }

    /// Like [`Bucket::add`], but a request that does not fit is ignored.
    pub(crate) fn fill(self, empty_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        (empty_at.max(now) + self.drain).min(self.full_until(now))
    }

    /// The time at which the bucket is empty without one of its requests.
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

    /// The time at which a full bucket is empty.
    fn full_until(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.drain * self.size
    }
}

/// The network that counts as one address: an IPv4 address, or the /64 network of an IPv6 host.
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
    /// 16 bytes that are unique for the network.
    pub(crate) fn octets(self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        }
    }
}

/// The key of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitKey {
    /// An account.
    User(i64),
    /// An address.
    Address(Network),
}

/// The buckets of this process, one for each key, all of the same size.
#[derive(Debug)]
pub struct RateLimiter {
    bucket: Bucket,
    /// The time at which each bucket is empty, in microseconds since 1970.
    empty_at: Cache<LimitKey, Arc<AtomicI64>>,
}

impl RateLimiter {
    /// Creates it with empty buckets.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket, empty_at: Cache::new(MAX_KEYS) }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// The time to wait, when there were too many.
    pub fn take(&self, key: LimitKey, now: DateTime<Utc>) -> Result<(), Duration> {
        let stored = self.cell(key);
        let mut micros = stored.load(Ordering::Relaxed);
        loop {
            let after = self.bucket.add(from_micros(micros), now)?.timestamp_micros();
            match stored.compare_exchange_weak(micros, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => micros = other,
            }
        }
    }

    /// Removes the request that [`RateLimiter::take`] counted.
    pub fn refund(&self, key: LimitKey, now: DateTime<Utc>) {
        let less = |micros| Some(self.bucket.remove(from_micros(micros), now).timestamp_micros());
        // The closure always returns a value.
        let _ = self.cell(key).fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// The state of the bucket of this key.
    pub fn quota(&self, key: LimitKey, now: DateTime<Utc>) -> Quota {
        self.bucket.quota(from_micros(self.cell(key).load(Ordering::Relaxed)), now)
    }

    fn cell(&self, key: LimitKey) -> Arc<AtomicI64> {
        let Ok(cell) = self.empty_at.get_or_insert_with(&key, || Ok::<_, Infallible>(Arc::default()));
        cell
    }
}

fn from_micros(micros: i64) -> DateTime<Utc> {
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
        assert!(limiter.empty_at.len() <= MAX_KEYS, "{}", limiter.empty_at.len());
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
