//! Passwords: hashed, checked, and never more of it at once than the machine bears.

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

/// How long a sign-in waits for its permit before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);
/// The hash of a password that nobody knows, with the parameters of all others: a sign-in under an unknown name takes
/// as long as one under a known name.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cy1zYWx0LTE2Yg$NORt5nZJYsp2ybjGxlBSKBCIGAmGxqAuIaEvB2RrlWQ";

/// bcrypt looks at so many bytes of a password and no further.
const BCRYPT_SEES: usize = 72;

/// What a password is to a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Another one.
    Wrong,
    /// The right one.
    Right,
    /// The right one, under a hash that [`Passwords::hash`] would make otherwise: time to renew it.
    Outdated,
}

/// Hashes and checks passwords away from the threads that serve requests.
///
/// Sign-ins and new passwords have permits of their own, so that no number of sign-ups keeps a sign-in waiting; and those of
/// sign-ins go from address to address, so that no number of sign-ins from one does.
#[derive(Clone, Debug)]
pub struct Passwords {
    sign_ins: FairSemaphore,
    new_passwords: Arc<Semaphore>,
}

impl Default for Passwords {
    /// As many sign-ins at once as there are cores, up to eight, and half as many new passwords; each takes 19 MiB.
    fn default() -> Self {
        let sign_ins = available_parallelism().map_or(2, usize::from).min(8);
        let new_passwords = (sign_ins / 2).max(1);
        Self { sign_ins: FairSemaphore::new(sign_ins), new_passwords: Arc::new(Semaphore::new(new_passwords)) }
    }
}

impl Passwords {
    /// The PHC string of a new password: argon2id with 19 MiB and 2 passes (OWASP Password Storage Cheat Sheet).
    ///
    /// # Errors
    /// [`Error::Busy`] when too many others wait.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let permit = timeout(PATIENCE, self.new_passwords.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
        in_a_thread(permit, move || hash(&password)).await
    }

    /// As [`Passwords::hash`], for the password of somebody who signs in.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many others wait.
    pub(crate) async fn renew(&self, password: String, from: Network) -> Result<String, Error> {
        in_a_thread(self.acquire_permit(from).await?, move || hash(&password)).await
    }

    /// Waits for a permit to check a password of somebody who comes from this address.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many others wait.
    pub(crate) async fn acquire_permit(&self, from: Network) -> Result<HashPermit, Error> {
        self.sign_ins.acquire(from, PATIENCE).await.map(HashPermit)
    }
}

/// The right to check one password now.
pub(crate) struct HashPermit(#[expect(dead_code, reason = "it is only kept")] FairPermit);

impl HashPermit {
    /// Whether `password` is the one behind `stored`: argon2 with whatever parameters, or the bcrypt of older sites.
    /// Without a stored hash the answer is no, after the time that one of ours takes.
    pub(crate) async fn verify(self, password: String, stored: Option<String>) -> Result<Verdict, Error> {
        in_a_thread(self, move || match stored {
            Some(stored) => verdict_of_either(&password, &stored),
            None => verdict_of_either(&password, NOBODYS).map(|_| Verdict::Wrong),
        })
        .await
    }
}

/// Does the work in a thread of its own, and keeps the permit until it is done: it must not end when the client leaves
/// while the hash runs on. A thread of a pool would keep the 19 MiB of the hash before or not, as it happens, and one
/// password would take half as long again as the next.
async fn in_a_thread<T: Send + 'static>(
    permit: impl Send + 'static,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (done, doing) = oneshot::channel();
    let thread = thread::Builder::new().name("password".into()).spawn(move || {
        // Nobody waits for the result any more when the client has left.
        let _ = done.send(work());
        drop(permit);
    });
    thread.map_err(|error| Error::Internal(format!("no thread to hash a password in: {error}")))?;
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

/// The verdict on a password in NFC, and where that is another text, as it was typed: hashes of before are of that.
fn verdict_of_either(password: &str, stored: &str) -> Result<Verdict, Error> {
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
            // Whether the rest was right nobody knows; under a hash of the whole, a slip in it would lock its owner out.
            Ok(true) if password.len() > BCRYPT_SEES => Verdict::Right,
            Ok(true) => Verdict::Outdated,
            Ok(false) | Err(_) => Verdict::Wrong,
        });
    }
    // A stored text that is no hash is a password that nobody can know.
    let Ok(mut hash) = PasswordHash::new(stored) else { return Ok(Verdict::Wrong) };
    // The first version of argon2 did not write its number.
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
    async fn nobodys_hash_is_computed_like_any_other_and_never_right() {
        let parsed = PasswordHash::new(NOBODYS).unwrap();
        let (nobodys, argon2) = (Params::try_from(&parsed).unwrap(), argon2().unwrap());
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        assert_eq!(cost(&nobodys), cost(argon2.params()));
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
    fn a_stored_text_that_is_no_hash_lets_nobody_in() {
        for text in
            ["!", "", "x", "$2b$", "$2b$12$x", "$2b$99$", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1", "$1$x$x"]
        {
            assert_eq!(verdict(text.as_bytes(), text).unwrap(), Verdict::Wrong, "{text}");
        }
    }

    /// What Python's bcrypt and argon2 made of "correct horse".
    const ELSEWHERE: [&str; 9] = [
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
    fn hashes_of_other_programs_are_known_and_to_be_renewed() {
        for hash in ELSEWHERE {
            assert_eq!(verdict(b"correct horse", hash).unwrap(), Verdict::Outdated, "{hash}");
            assert_eq!(verdict(b"correct horsf", hash).unwrap(), Verdict::Wrong, "{hash}");
            assert_eq!(verdict(b"", hash).unwrap(), Verdict::Wrong, "{hash}");
        }
        let ours = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdCBvZiBzaXh0ZWVuIQ$0mpQ8MZUae8TPz6jpw629bSNLRBeCJ3Y0yuZBF//Hkc";
        assert_eq!(verdict(b"correct horse", ours).unwrap(), Verdict::Right);
    }

    #[test]
    fn of_a_password_longer_than_bcrypt_sees_the_hash_stays() {
        let of_72_bytes = "$2b$04$ZIjfvGpJggG1RU5acBHVoOpzF/eIA97l8aINfRHtvvZ/419bOyAx6";
        let password = "0123456789".repeat(8);
        assert_eq!(verdict(&password.as_bytes()[..71], of_72_bytes).unwrap(), Verdict::Wrong);
        assert_eq!(verdict(&password.as_bytes()[..72], of_72_bytes).unwrap(), Verdict::Outdated);
        assert_eq!(verdict(password.as_bytes(), of_72_bytes).unwrap(), Verdict::Right);
    }

    #[test]
    fn letters_of_every_kind_count_as_utf_8() {
        let hash = "$2b$04$uffLgR3uPXwtLyYYfO62tegVVwvY.Q7Oor/Bf6W4cG.EDiYScGMVS";
        assert_eq!(verdict("pä55wörd 🎬".as_bytes(), hash).unwrap(), Verdict::Outdated);
    }
}
