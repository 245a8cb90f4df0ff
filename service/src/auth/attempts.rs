//! How often a sign-in may fail.
//!
//! Three counts, each a bucket that failures fill and time empties; a sign-in that succeeds takes its drop out again.
//! - **Account and address**: what a person who forgot the password needs, and no more.
//! - **Address**: against one machine that tries many accounts.
//! - **Account**: against many machines that try one account. When it is full, an address that is new to the account
//!   has one try instead of several. So its owner always gets in with the right password from an address of their
//!   own, whatever others guess from theirs.
//!
//! No rate limiter found takes a drop out again, and without that a busy office behind one address would lock itself out
//! by signing in.

mod table;

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
/// How many buckets one process remembers beside the table.
const REMEMBERED: usize = 50_000;
/// How often one process deletes what has drained from the table.
const SWEEP_EVERY: TimeDelta = TimeDelta::seconds(60);

/// Whose password is tried. The two kinds never share a bucket, whatever names people choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttemptedAccount {
    /// At a sign-in: the name as it was typed, folded. Whether somebody has it plays no part, so that the limit tells
    /// nothing about who has an account, or which name and which address belong together.
    Login(String),
    /// By who is signed in to this account already.
    SignedIn(i64),
}

/// The name of a bucket: SHA-256 over what it is of. People type a password where the name belongs, and what was typed is
/// not to be read in the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct KeyHash([u8; 32]);

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One value for each of the buckets that a try falls into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Buckets<T> {
    account: T,
    address: T,
    pair: T,
}

impl Buckets<KeyHash> {
    fn of(account: &AttemptedAccount, from: IpAddr) -> Self {
        let network = Network::from(from).octets();
        // What follows the kind has a fixed length, but for the account at the end: no two keys are the same bytes.
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
    /// When each bucket is empty after one more failure.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    fn take(self, now: DateTime<Utc>) -> Result<Self, Duration> {
        let under_attack = ACCOUNT.add(self.account, now).is_err();
        let pair = if under_attack { PAIR_UNDER_ATTACK } else { PAIR }.add(self.pair, now);
        let address = ADDRESS.add(self.address, now);
        match (pair, address) {
            // The account's own bucket stops at its brim: an attack must not be remembered for longer than it lasts.
            (Ok(pair), Ok(address)) => Ok(Self { account: ACCOUNT.fill(self.account, now), address, pair }),
            (pair, address) => Err(pair.err().max(address.err()).unwrap_or_default()),
        }
    }

    /// When each bucket is empty without the failure that [`Buckets::take`] counted: the password was right.
    fn refund(self, now: DateTime<Utc>) -> Self {
        Self { account: ACCOUNT.remove(self.account, now), address: ADDRESS.remove(self.address, now), pair: now }
    }
}

/// The sign-ins that are under way or failed lately. They are counted in the database, so that all processes count
/// together and a restart forgets nothing.
pub(crate) struct AttemptLimiter {
    /// When each bucket will be empty, as far as this process knows. It refuses by that without asking the database, so
    /// that a flood of guesses costs nothing there.
    known: Cache<KeyHash, DateTime<Utc>>,
    /// When this process last deleted what had drained, in seconds since 1970.
    swept_at: AtomicI64,
}

impl Default for AttemptLimiter {
    fn default() -> Self {
        Self { known: Cache::new(REMEMBERED), swept_at: AtomicI64::default() }
    }
}

impl AttemptLimiter {
    /// Refuses what this process knows to be too much, without a question to the database.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`].
    pub(crate) fn check(&self, account: &AttemptedAccount, from: IpAddr, now: DateTime<Utc>) -> Result<(), Error> {
        let Buckets { account, address, pair } = Buckets::of(account, from);
        let empty_at = |key| self.known.get(&key).unwrap_or(now);
        let known = Buckets { account: empty_at(account), address: empty_at(address), pair: empty_at(pair) };
        known.take(now).map(drop).map_err(|retry_after| Error::TooManyAttempts { retry_after })
    }

    /// Counts one try as failed, before its password is looked at, so that many at once gain nothing.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`], and those of the database.
    pub(crate) async fn take(
        &self,
        db: &Database,
        account: &AttemptedAccount,
        from: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.check(account, from, now)?;
        let keys = Buckets::of(account, from);
        let (before, after) = table::change(db, keys, now, |before| before.take(now)).await?;
        self.remember(keys, *after.as_ref().unwrap_or(&before));
        self.sweep_at_times(db, now);
        after.map(drop).map_err(|retry_after| Error::TooManyAttempts { retry_after })
    }

    /// Takes back what [`AttemptLimiter::take`] counted: the password was right.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn refund(
        &self,
        db: &Database,
        account: &AttemptedAccount,
        from: IpAddr,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let keys = Buckets::of(account, from);
        let (before, after) = table::change(db, keys, now, |before| Ok(before.refund(now))).await?;
        self.remember(keys, after.unwrap_or(before));
        Ok(())
    }

    fn remember(&self, keys: Buckets<KeyHash>, empty_at: Buckets<DateTime<Utc>>) {
        self.known.insert(keys.account, empty_at.account);
        self.known.insert(keys.address, empty_at.address);
        self.known.insert(keys.pair, empty_at.pair);
    }

    /// Nobody waits for the deletion.
    fn sweep_at_times(&self, db: &Database, now: DateTime<Utc>) {
        let (last, now_seconds) = (self.swept_at.load(Ordering::Relaxed), now.timestamp());
        let is_due = now_seconds - last >= SWEEP_EVERY.num_seconds();
        // Of several at once, one sweeps.
        if is_due && self.swept_at.compare_exchange(last, now_seconds, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let db = db.clone();
            tokio::spawn(async move {
                if let Err(error) = table::sweep(&db, now).await {
                    log::warn!("old counts of failed sign-ins could not be deleted: {error}");
                }
            });
        }
    }
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

    /// The rules without a database.
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
    fn the_eleventh_failure_from_one_address_waits_and_time_heals() {
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
    fn guesses_from_everywhere_leave_each_address_one_try_and_never_lock_the_owner_out() {
        let (mut counts, now) = (Counts::default(), start());
        for n in 0..200 {
            counts.take(&ann(), elsewhere(n), now).unwrap();
        }
        assert!(counts.take(&ann(), elsewhere(199), now).is_err(), "a second guess from one of them");
        assert_eq!(counts.take(&ann(), HOME, now), Ok(()), "the owner's first try");
    }

    #[test]
    fn one_address_cannot_try_a_name_after_the_other() {
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
