//! Hashing and checking passwords, with a limit on how many hashes run at once.

use super::fair_semaphore::{FairPermit, FairSemaphore};
use crate::limit::Network;
use crate::{Error, names};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use std::sync::Arc;
use std::thread::{self, available_parallelism};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

/// How long a sign-in waits for a permit before it is refused as busy.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(5);
/// The hash of a password that nobody knows, with the usual parameters: a sign-in with an unknown
/// name takes as long as one with a known name.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cy1zYWx0LTE2Yg$NORt5nZJYsp2ybjGxlBSKBCIGAmGxqAuIaEvB2RrlWQ";

/// bcrypt ignores the bytes of a password after this many.
const BCRYPT_BYTES: usize = 72;

/// The result of checking a password against a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password.
    Wrong,
    /// It is the right password.
    Right,
    /// It is the right password, and [`Passwords::hash`] would make a better hash of it.
    Outdated,
}

/// Hashes and checks passwords in threads of their own, not in those that serve requests.
///
/// Sign-ins and new passwords have separate permits, so that no sign-in waits for sign-ups. The
/// permits of sign-ins are shared fairly between addresses.
#[derive(Clone, Debug)]
pub struct Passwords {
    sign_ins: FairSemaphore,
    new_passwords: Arc<Semaphore>,
}

impl Default for Passwords {
    /// As many sign-ins at once as there are cores, up to eight, and half as many new passwords.
    /// Each hash takes 19 MiB.
    fn default() -> Self {
        let sign_ins = available_parallelism().map_or(2, usize::from).min(8);
        let new_passwords = (sign_ins / 2).max(1);
        Self { sign_ins: FairSemaphore::new(sign_ins), new_passwords: Arc::new(Semaphore::new(new_passwords)) }
    }
}

impl Passwords {
    /// The PHC string of a new password: argon2id with 19 MiB and 2 passes (OWASP Password Storage
    /// Cheat Sheet).
    ///
    /// # Errors
    /// [`Error::Busy`] when no permit is free in time.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let permit = timeout(PERMIT_TIMEOUT, self.new_passwords.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        in_a_thread(permit, move || hash(&password)).await
    }

    /// Like [`Passwords::hash`], with a permit of the sign-ins.
    ///
    /// # Errors
    /// [`Error::Busy`] when no permit is free in time.
    pub(crate) async fn renew(&self, password: String, from: Network) -> Result<String, Error> {
        in_a_thread(self.acquire_permit(from).await?, move || hash(&password)).await
    }

    /// Waits for a permit to check a password from this address.
    ///
    /// # Errors
    /// [`Error::Busy`] when no permit is free in time.
    pub(crate) async fn acquire_permit(&self, from: Network) -> Result<HashPermit, Error> {
        self.sign_ins.acquire(from, PERMIT_TIMEOUT).await.map(HashPermit)
    }
}

/// The permission to check one password.
pub(crate) struct HashPermit(#[expect(dead_code, reason = "it is held until it is dropped")] FairPermit);

impl HashPermit {
    /// Checks `password` against the hash `stored`: argon2 with any parameters, or the bcrypt of
    /// older sites. Without a hash the result is [`Verdict::Wrong`], after the usual time.
    pub(crate) async fn verify(self, password: String, stored: Option<String>) -> Result<Verdict, Error> {
        in_a_thread(self, move || match stored {
            Some(stored) => verify_both_forms(&password, &stored),
            None => verify_both_forms(&password, DUMMY_HASH).map(|_| Verdict::Wrong),
        })
        .await
    }
}

/// Runs `work` in a thread of its own and holds the permit until it is done: a hash runs on when
/// its client disconnects. In the threads of a pool, memory of earlier hashes (19 MiB) is sometimes
/// kept and sometimes not, and some passwords took 1.5 times as long as others.
async fn in_a_thread<T: Send + 'static>(
    permit: impl Send + 'static,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (done, doing) = oneshot::channel();
    let thread = thread::Builder::new().name("password".into()).spawn(move || {
        // The receiver is gone when the client has disconnected.
        let _ = done.send(work());
        drop(permit);
    });
    thread.map_err(|error| Error::Internal(format!("cannot start a thread to hash a password: {error}")))?;
    doing.await.map_err(|error| Error::Internal(format!("hashing a password: {error}")))?
}

fn hash(password: &str) -> Result<String, Error> {
    match argon2()?.hash_password(names::nfc(password).as_bytes()) {
        Ok(hash) => Ok(hash.to_string()),
        Err(error) => Err(Error::Internal(format!("hashing a password: {error}"))),
    }
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Checks a password in NFC and, if it was typed in another form, as it was typed: older hashes are
/// of that form.
fn verify_both_forms(password: &str, stored: &str) -> Result<Verdict, Error> {
    let composed = names::nfc(password);
    let verdict = self::verdict(composed.as_bytes(), stored)?;
    if verdict != Verdict::Wrong || composed == password {
        return Ok(verdict);
    }
    Ok(match self::verdict(password.as_bytes(), stored)? {
        Verdict::Right => Verdict::Outdated,
        other => other,
    })
}

fn verdict(password: &[u8], stored: &str) -> Result<Verdict, Error> {
    if ["$2a$", "$2b$", "$2y$"].iter().any(|kind| stored.starts_with(kind)) {
        return Ok(match bcrypt::verify(password, stored) {
            // Nothing tells whether the rest was right. A hash of all bytes would turn a typing
            // error in the rest into the password.
            Ok(true) if password.len() > BCRYPT_BYTES => Verdict::Right,
            Ok(true) => Verdict::Outdated,
            Ok(false) | Err(_) => Verdict::Wrong,
        });
    }
    // No password matches a stored text that is not a hash.
    let Ok(mut hash) = PasswordHash::new(stored) else { return Ok(Verdict::Wrong) };
    // The first version of argon2 did not write its version number.
    hash.version.get_or_insert(Version::V0x10.into());
    let ours = argon2()?;
    if ours.verify_password(password, &hash).is_err() {
        return Ok(Verdict::Wrong);
    }
    let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    let up_to_date = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && Params::try_from(&hash).is_ok_and(|params| cost(&params) == cost(ours.params()));
    Ok(if up_to_date { Verdict::Right } else { Verdict::Outdated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn home() -> Network {
        IpAddr::V4(Ipv4Addr::LOCALHOST).into()
    }

    #[tokio::test]
    async fn the_right_password_is_told_from_a_wrong_one() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        for (password, right) in [("correct horse", Verdict::Right), ("battery staple", Verdict::Wrong)] {
            let permit = passwords.acquire_permit(home()).await.unwrap();
            assert_eq!(permit.verify(password.into(), Some(hash.clone())).await.unwrap(), right);
        }
    }

    #[tokio::test]
    async fn the_dummy_hash_costs_as_much_as_others_and_is_never_right() {
        let parsed = PasswordHash::new(DUMMY_HASH).unwrap();
        let (dummy, argon2) = (Params::try_from(&parsed).unwrap(), argon2().unwrap());
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        assert_eq!(cost(&dummy), cost(argon2.params()));
        let permit = Passwords::default().acquire_permit(home()).await.unwrap();
        assert_eq!(permit.verify("x".into(), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_sign_in_does_not_wait_for_new_passwords() {
        let passwords = Passwords::default();
        let waiting = u32::try_from(passwords.new_passwords.available_permits()).unwrap();
        let _sign_ups = passwords.new_passwords.clone().acquire_many_owned(waiting).await.unwrap();
        assert!(passwords.renew("correct horse".into(), home()).await.is_ok());
    }

    #[test]
    fn no_password_matches_a_stored_text_that_is_not_a_hash() {
        for text in
            ["!", "", "x", "$2b$", "$2b$12$x", "$2b$99$", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1", "$1$x$x"]
        {
            assert_eq!(verdict(text.as_bytes(), text).unwrap(), Verdict::Wrong, "{text}");
        }
    }

    /// Hashes of "correct horse" by Python's bcrypt and argon2.
    const OTHER_PROGRAMS: [&str; 9] = [
        "$2b$05$UTqwLQzBVCxiTT0Az3cI7ucWn8cuW8WTR88QNQeISRE8N0UhlqzqO",
        "$2a$05$Oikc3uw9QtPEKqt3cpdJxeXvlQ6DQ59a6A5ExaE9td0A/7UGgujMG",
        "$2y$05$Oikc3uw9QtPEKqt3cpdJxeXvlQ6DQ59a6A5ExaE9td0A/7UGgujMG",
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdCBvZiBzaXh0ZWVuIQ$RX8D8sSjK2ezoBXSbLUexlRaKEMn39YQHPIVLcWBJco",
        "$argon2i$v=19$m=8192,t=2,p=1$c2FsdCBvZiBzaXh0ZWVuIQ$D1sCCLdZBKa82L1kyHmVN9jyz3/WId0QbjMNs1O9ulE",
        "$argon2d$v=19$m=1024,t=1,p=1$c2FsdCBvZiBzaXh0ZWVuIQ$u6+aOpnDtIOWVAS5hVk6GTRWgvFmVdvaHiQYjqCxHgk",
        "$argon2id$v=16$m=1024,t=2,p=1$c2FsdCBvZiBzaXh0ZWVuIQ$VjTRUpWhx9qPtyxeXAPu/n6nRD/JtqSS1JZp58X1jYc",
        "$argon2i$v=16$m=1024,t=1,p=1$c2FsdCBvZiBzaXh0ZWVuIQ$TTnCVa5R7Bio6zWyYaZiIKEmX5WRhl48FHgfwVSUdNA",
        "$argon2i$m=1024,t=1,p=1$c2FsdCBvZiBzaXh0ZWVuIQ$TTnCVa5R7Bio6zWyYaZiIKEmX5WRhl48FHgfwVSUdNA",
    ];

    #[test]
    fn hashes_of_other_programs_are_accepted_and_outdated() {
        for hash in OTHER_PROGRAMS {
            assert_eq!(verdict(b"correct horse", hash).unwrap(), Verdict::Outdated, "{hash}");
            assert_eq!(verdict(b"correct horsf", hash).unwrap(), Verdict::Wrong, "{hash}");
            assert_eq!(verdict(b"", hash).unwrap(), Verdict::Wrong, "{hash}");
        }
        let ours = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdCBvZiBzaXh0ZWVuIQ$0mpQ8MZUae8TPz6jpw629bSNLRBeCJ3Y0yuZBF//Hkc";
        assert_eq!(verdict(b"correct horse", ours).unwrap(), Verdict::Right);
    }

    #[test]
    fn the_bcrypt_hash_of_a_long_password_is_kept() {
        let of_72_bytes = "$2b$04$ZIjfvGpJggG1RU5acBHVoOpzF/eIA97l8aINfRHtvvZ/419bOyAx6";
        let password = "0123456789".repeat(8);
        assert_eq!(verdict(&password.as_bytes()[..71], of_72_bytes).unwrap(), Verdict::Wrong);
        assert_eq!(verdict(&password.as_bytes()[..72], of_72_bytes).unwrap(), Verdict::Outdated);
        assert_eq!(verdict(password.as_bytes(), of_72_bytes).unwrap(), Verdict::Right);
    }

    #[test]
    fn a_password_is_hashed_as_utf_8() {
        let hash = "$2b$04$uffLgR3uPXwtLyYYfO62tegVVwvY.Q7Oor/Bf6W4cG.EDiYScGMVS";
        assert_eq!(verdict("pä55wörd 🎬".as_bytes(), hash).unwrap(), Verdict::Outdated);
    }
}
