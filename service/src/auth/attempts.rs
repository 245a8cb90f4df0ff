//! How often a sign-in may fail.
//!
//! There are three counts, each a leaky bucket. A failed attempt fills it, time empties it, and a
//! successful sign-in takes its own attempt out again.
//! - **Account and address**: enough attempts for a person who forgot the password.
//! - **Address**: against one machine that tries many accounts.
//! - **Account**: against many machines that try one account. When it is full, an address that is
//!   new to the account has one attempt instead of several. So the owner can always sign in from an
//!   address of their own, however many attempts others make.
//!
//! No rate limiter that we found takes an attempt out again. Without that, an office with many
//! people behind one address would lock itself out by signing in.

mod table;

use self::table::BucketsResult;
use crate::limit::{Bucket, Network};
use crate::{Database, Error};
use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const PAIR: Bucket = Bucket::new(10, TimeDelta::seconds(30));
/// The pair's bucket while the account is under attack.
const PAIR_UNDER_ATTACK: Bucket = Bucket::new(1, TimeDelta::seconds(300));
const ADDRESS: Bucket = Bucket::new(100, TimeDelta::seconds(1));
const ACCOUNT: Bucket = Bucket::new(50, TimeDelta::seconds(60));
/// Buckets that one process keeps in memory beside the table.
const CACHED_BUCKETS: usize = 50_000;
/// How often one process deletes empty buckets from the table.
const SWEEP_EVERY: TimeDelta = TimeDelta::seconds(60);

/// The account whose password is tried. The two kinds never share a bucket, whatever the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttemptedAccount {
    /// At a sign-in: the folded name or e-mail that was typed. It need not exist, so that the limit
    /// does not reveal who has an account, or which name and which e-mail belong together.
    Login(String),
    /// An account whose owner is signed in and confirms the password.
    SignedIn(i64),
}

/// The key of a bucket: a SHA-256. People sometimes type a password into the name field, and nobody
/// must be able to read it in the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct KeyHash([u8; 32]);

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One value for each bucket that an attempt counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Buckets<T> {
    account: T,
    address: T,
    pair: T,
}

impl Buckets<KeyHash> {
    fn of(account: &AttemptedAccount, from: IpAddr) -> Self {
        let network = Network::from(from).octets();
        // All parts have a fixed length except the last one, so no two keys have the same bytes.
        let hash = |kind: u8, network: &[u8], account: Option<&AttemptedAccount>| {
            let hash = Sha256::new().chain_update([kind]).chain_update(network);
            let hash = match account {
                None => hash,
                Some(AttemptedAccount::Login(name)) => hash.chain_update("t").chain_update(name),
                Some(AttemptedAccount::SignedIn(id)) => hash.chain_update("s").chain_update(id.to_be_bytes()),
            };
            KeyHash(hash.finalize().into())
        };
        Self {
            account: hash(0, &[], Some(account)),
            address: hash(1, &network, None),
            pair: hash(2, &network, Some(account)),
        }
    }
}

impl Buckets<DateTime<Utc>> {
    /// The times at which the buckets are empty after one more failure.
    ///
    /// # Errors
    /// The time to wait, when there were too many failures.
    fn take(self, now: DateTime<Utc>) -> Result<Self, Duration> {
        let under_attack = ACCOUNT.add(self.account, now).is_err();
        let pair = if under_attack { PAIR_UNDER_ATTACK } else { PAIR }.add(self.pair, now);
        let address = ADDRESS.add(self.address, now);
        match (pair, address) {
            // The bucket of the account does not overflow: an attack must not count longer than it
            // lasts.
            (Ok(pair), Ok(address)) => Ok(Self { account: ACCOUNT.fill(self.account, now), address, pair }),
            (pair, address) => Err(pair.err().max(address.err()).unwrap_or_default()),
        }
    }

    /// The times at which the buckets are empty without the attempt that [`Buckets::take`] counted:
    /// the password was right.
    fn refund(self, now: DateTime<Utc>) -> Self {
        Self { account: ACCOUNT.remove(self.account, now), address: ADDRESS.remove(self.address, now), pair: now }
    }
}

/// Limits how often sign-ins may fail. The counts are in the database, so that all processes share
/// them and a restart keeps them.
pub(crate) struct AttemptLimiter {
    /// The times at which buckets are empty, as this process read them last. They let it refuse
    /// many attempts without a query.
    cached: Cache<KeyHash, DateTime<Utc>>,
    /// The time at which this process last deleted empty buckets, in seconds since 1970.
    swept_at: AtomicI64,
}

impl Default for AttemptLimiter {
    fn default() -> Self {
        Self { cached: Cache::new(CACHED_BUCKETS), swept_at: AtomicI64::default() }
    }
}

impl AttemptLimiter {
    /// Refuses an attempt by the counts in memory, without a query.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`].
    pub(crate) fn check(&self, account: &AttemptedAccount, from: IpAddr, now: DateTime<Utc>) -> Result<(), Error> {
        let Buckets { account, address, pair } = Buckets::of(account, from);
        let empty_at = |key| self.cached.get(&key).unwrap_or(now);
        let cached = Buckets { account: empty_at(account), address: empty_at(address), pair: empty_at(pair) };
        cached.take(now).map(drop).map_err(|retry_after| Error::TooManyAttempts { retry_after })
    }

    /// Counts an attempt as failed before its password is checked, so that many attempts at once do
    /// not pass the limit.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], and database errors.
    pub(crate) async fn take(
        &self,
        db: &Database,
        account: &AttemptedAccount,
        from: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.check(account, from, now)?;
        let keys = Buckets::of(account, from);
        let (before, after) = update(db, keys, now, |before| before.take(now)).await?;
        self.cache(keys, *after.as_ref().unwrap_or(&before));
        self.sweep_if_due(db, now);
        after.map(drop).map_err(|retry_after| Error::TooManyAttempts { retry_after })
    }

    /// Removes the attempt that [`AttemptLimiter::take`] counted: the password was right.
    ///
    /// # Errors
    /// Database errors.
    pub(crate) async fn refund(
        &self,
        db: &Database,
        account: &AttemptedAccount,
        from: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let keys = Buckets::of(account, from);
        let (before, after) = update(db, keys, now, |before| Ok(before.refund(now))).await?;
        self.cache(keys, after.unwrap_or(before));
        Ok(())
    }

    fn cache(&self, keys: Buckets<KeyHash>, empty_at: Buckets<DateTime<Utc>>) {
        self.cached.insert(keys.account, empty_at.account);
        self.cached.insert(keys.address, empty_at.address);
        self.cached.insert(keys.pair, empty_at.pair);
    }

    /// Deletes empty buckets in a task of its own, so that no sign-in waits for it.
    fn sweep_if_due(&self, db: &Database, now: DateTime<Utc>) {
        let (last, now_seconds) = (self.swept_at.load(Ordering::Relaxed), now.timestamp());
        let is_due = now_seconds - last >= SWEEP_EVERY.num_seconds();
        // Only one of several tasks sweeps.
        if is_due && self.swept_at.compare_exchange(last, now_seconds, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let db = db.clone();
            tokio::spawn(async move {
                if let Err(error) = db.transaction(async |tx| table::sweep(tx, now).await).await {
                    log::warn!("old counts of failed sign-ins could not be deleted: {error}");
                }
            });
        }
    }
}

/// Changes the buckets in a transaction of their own: a failed attempt counts whatever the sign-in
/// does later.
async fn update(
    db: &Database,
    keys: Buckets<KeyHash>,
    now: DateTime<Utc>,
    change: impl FnOnce(Buckets<DateTime<Utc>>) -> BucketsResult + Send,
) -> Result<(Buckets<DateTime<Utc>>, BucketsResult), Error> {
    db.transaction(async |tx| table::update(tx, keys, now, change).await).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn elsewhere(n: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, n])
    }

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_763_650_379, 0).unwrap()
    }

    fn ann() -> AttemptedAccount {
        AttemptedAccount::Login("ann".into())
    }

    /// The counts in memory, to test the rules without a database.
    #[derive(Default)]
    struct Counts(HashMap<KeyHash, DateTime<Utc>>);

    impl Counts {
        fn change(
            &mut self,
            account: &AttemptedAccount,
            from: IpAddr,
            now: DateTime<Utc>,
            change: impl FnOnce(Buckets<DateTime<Utc>>) -> Result<Buckets<DateTime<Utc>>, Duration>,
        ) -> Result<(), Duration> {
            let Buckets { account, address, pair } = Buckets::of(account, from);
            let empty_at = |key| self.0.get(&key).copied().unwrap_or(now);
            let after =
                change(Buckets { account: empty_at(account), address: empty_at(address), pair: empty_at(pair) })?;
            self.0.extend([(account, after.account), (address, after.address), (pair, after.pair)]);
            Ok(())
        }

        fn take(&mut self, account: &AttemptedAccount, from: IpAddr, now: DateTime<Utc>) -> Result<(), Duration> {
            self.change(account, from, now, |before| before.take(now))
        }
    }

    #[test]
    fn the_eleventh_failure_from_one_address_must_wait() {
        let (mut counts, now) = (Counts::default(), start());
        for _ in 0..10 {
            counts.take(&ann(), HOME, now).unwrap();
        }
        let wait = counts.take(&ann(), HOME, now).unwrap_err();
        assert_eq!(counts.take(&ann(), HOME, now + wait), Ok(()));
    }

    #[test]
    fn a_success_forgets_the_failures_before_it() {
        let (mut counts, now) = (Counts::default(), start());
        for _ in 0..1000 {
            counts.take(&ann(), HOME, now).unwrap();
            counts.change(&ann(), HOME, now, |before| Ok(before.refund(now))).unwrap();
        }
    }

    #[test]
    fn an_attack_leaves_each_address_one_try_and_the_owner_can_sign_in() {
        let (mut counts, now) = (Counts::default(), start());
        for n in 0..200 {
            counts.take(&ann(), elsewhere(n), now).unwrap();
        }
        assert!(counts.take(&ann(), elsewhere(199), now).is_err(), "a second guess from one of them");
        assert_eq!(counts.take(&ann(), HOME, now), Ok(()), "the owner's first try");
    }

    #[test]
    fn one_address_cannot_try_many_names() {
        let (mut counts, now) = (Counts::default(), start());
        let names = (0..200).map(|id| AttemptedAccount::Login(id.to_string()));
        let refused = names.filter(|name| counts.take(name, HOME, now).is_err()).count();
        assert_eq!(refused, 100);
    }

    #[test]
    fn keys_of_different_kinds_never_meet() {
        let typed = |name: &str| Buckets::of(&AttemptedAccount::Login(name.into()), HOME);
        let bytes = String::from_utf8(7_i64.to_be_bytes().to_vec()).unwrap();
        let all = [
            typed("account 7"),
            typed("7"),
            typed(&bytes),
            typed(&format!("s{bytes}")),
            typed(""),
            typed("192.0.2.1"),
            Buckets::of(&AttemptedAccount::SignedIn(7), HOME),
        ];
        for (at, one) in all.iter().enumerate() {
            for other in &all[at + 1..] {
                assert!(one.account != other.account && one.pair != other.pair, "{at}");
            }
            assert!(one.account != one.pair && one.account != one.address && one.pair != one.address, "{at}");
        }
    }
}
