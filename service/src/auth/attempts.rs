//! How often a sign-in may fail.
//!
//! Three counts, each a bucket that failures fill and time empties; a sign-in that succeeds takes its drop out again.
//! - **Account and address**: what a person who forgot the password needs, and no more.
//! - **Address**: against one machine that tries many accounts.
//! - **Account**: against many machines that try one account. When it is full, an address that is new to the account
//!   has one try instead of several. So its owner always gets in with the right password from an address of their
//!   own, whatever others guess from theirs.
//!
//! The buckets are written by our own hand because no rate limiter found takes a drop out again, and without that a
//! busy office behind one address would lock itself out by signing in.

use crate::address::network;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A bucket: how many failures it holds, and how long one takes to drain.
#[derive(Clone, Copy)]
struct Bucket {
    size: i32,
    drain: TimeDelta,
}

const PAIR: Bucket = Bucket { size: 10, drain: TimeDelta::seconds(30) };
/// The pair's bucket while the account is under attack.
const PAIR_UNDER_ATTACK: Bucket = Bucket { size: 1, drain: TimeDelta::seconds(300) };
const ADDRESS: Bucket = Bucket { size: 100, drain: TimeDelta::seconds(1) };
const ACCOUNT: Bucket = Bucket { size: 50, drain: TimeDelta::seconds(60) };
/// Beyond this many entries, the drained ones are thrown out.
const SWEEP_AT: usize = 50_000;

/// Whose password is tried: the name as it was typed, folded. Whether somebody has it plays no part, so that the limit
/// tells nothing about who has an account, or which name and which address belong together.
pub(crate) type Account = str;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Pair(String, IpAddr),
    Address(IpAddr),
    Account(String),
}

/// The sign-ins that are under way or failed lately, of this process.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// When each bucket will be empty again.
    empty_at: Mutex<HashMap<Key, DateTime<Utc>>>,
}

impl Attempts {
    /// Counts one try as failed, before its password is looked at, so that many at once gain nothing.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub(crate) fn take(&self, account: &Account, from: IpAddr, now: DateTime<Utc>) -> Result<(), Duration> {
        let mut empty_at = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        if empty_at.len() > SWEEP_AT {
            empty_at.retain(|_, moment| *moment > now);
        }
        let keys = keys(account, from);
        let [pair, address, whole] = &keys;
        let under_attack = wait(&empty_at, whole, ACCOUNT, now).is_some();
        let pair_bucket = if under_attack { PAIR_UNDER_ATTACK } else { PAIR };
        if let Some(wait) = wait(&empty_at, pair, pair_bucket, now).max(wait(&empty_at, address, ADDRESS, now)) {
            return Err(wait);
        }
        for (key, bucket) in [(pair, pair_bucket), (address, ADDRESS), (whole, ACCOUNT)] {
            let moment = empty_at.entry(key.clone()).or_insert(now);
            // The account's own bucket stops at its brim: an attack must not be remembered for longer than it lasts.
            *moment = ((*moment).max(now) + bucket.drain).min(now + bucket.drain * bucket.size);
        }
        Ok(())
    }

    /// Takes back what [`Attempts::take`] counted: the password was right.
    pub(crate) fn give_back(&self, account: &Account, from: IpAddr, now: DateTime<Utc>) {
        let mut empty_at = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let [pair, address, whole] = keys(account, from);
        empty_at.remove(&pair);
        for (key, bucket) in [(address, ADDRESS), (whole, ACCOUNT)] {
            if let Some(moment) = empty_at.get_mut(&key) {
                *moment = (*moment - bucket.drain).max(now);
            }
        }
    }
}

fn keys(account: &Account, from: IpAddr) -> [Key; 3] {
    let from = network(from);
    [Key::Pair(account.to_owned(), from), Key::Address(from), Key::Account(account.to_owned())]
}

/// How long until the bucket takes one more failure; `None` when it does so now.
fn wait(empty_at: &HashMap<Key, DateTime<Utc>>, key: &Key, bucket: Bucket, now: DateTime<Utc>) -> Option<Duration> {
    let room_at = *empty_at.get(key)? - bucket.drain * (bucket.size - 1);
    // A wait is told in whole seconds, so it is rounded up.
    (room_at > now).then(|| Duration::from_secs((room_at - now).num_seconds().unsigned_abs() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn elsewhere(n: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, n])
    }

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_763_650_379, 0).unwrap()
    }

    #[test]
    fn the_eleventh_failure_from_one_address_waits_and_time_heals() {
        let (attempts, ann, now) = (Attempts::default(), "ann", start());
        for _ in 0..10 {
            attempts.take(ann, HOME, now).unwrap();
        }
        let wait = attempts.take(ann, HOME, now).unwrap_err();
        assert_eq!(attempts.take(ann, HOME, now + wait), Ok(()));
    }

    #[test]
    fn a_success_forgets_the_failures_before_it() {
        let (attempts, ann, now) = (Attempts::default(), "ann", start());
        for _ in 0..1000 {
            attempts.take(ann, HOME, now).unwrap();
            attempts.give_back(ann, HOME, now);
        }
    }

    #[test]
    fn guesses_from_everywhere_leave_each_address_one_try_and_never_lock_the_owner_out() {
        let (attempts, ann, now) = (Attempts::default(), "ann", start());
        for n in 0..200 {
            attempts.take(ann, elsewhere(n), now).unwrap();
        }
        assert!(attempts.take(ann, elsewhere(199), now).is_err(), "a second guess from one of them");
        assert_eq!(attempts.take(ann, HOME, now), Ok(()), "the owner's first try");
    }

    #[test]
    fn one_address_cannot_try_a_name_after_the_other() {
        let (attempts, now) = (Attempts::default(), start());
        let refused = (0..200).filter(|id| attempts.take(&id.to_string(), HOME, now).is_err()).count();
        assert_eq!(refused, 100);
    }
}
