//! Passwords: hashed, checked, and never more of it at once than the machine bears.

use crate::Error;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long a sign-in waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);
/// The hash of a password that nobody knows, with the parameters of all others: a sign-in under an unknown name takes
/// as long as one under a known name.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cy1zYWx0LTE2Yg$NORt5nZJYsp2ybjGxlBSKBCIGAmGxqAuIaEvB2RrlWQ";

/// Hashes and checks passwords away from the threads that serve requests.
#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    /// As many at once as there are cores, up to eight; each takes 19 MiB.
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(available_parallelism().map_or(2, usize::from).min(8))) }
    }
}

impl Passwords {
    /// The PHC string of `password`: argon2id with 19 MiB and 2 passes (OWASP Password Storage Cheat Sheet).
    ///
    /// # Errors
    /// [`Error::Busy`] when too many others wait.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let work = move || match argon2()?.hash_password(password.as_bytes()) {
            Ok(hash) => Ok(hash.to_string()),
            Err(error) => Err(Error::Internal(format!("hashing a password: {error}"))),
        };
        self.turn().await?.take(work).await
    }

    /// Waits for a turn to check a password.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many others wait.
    pub(crate) async fn turn(&self) -> Result<Turn, Error> {
        let turn = timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        turn.map_err(|_| Error::Busy)?.map(Turn).map_err(|_| Error::Busy)
    }
}

/// The right to hash or check one password now.
pub(crate) struct Turn(OwnedSemaphorePermit);

impl Turn {
    /// Whether `password` is the one behind `stored`. Without a stored hash the answer is no, after the same time.
    pub(crate) async fn verify(self, password: String, stored: Option<String>) -> Result<bool, Error> {
        self.take(move || {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| NOBODYS.to_owned());
            let argon2 = argon2()?;
            // A stored text that is no hash is a password that nobody can know.
            let hash = PasswordHash::new(&stored);
            Ok(hash.is_ok_and(|hash| argon2.verify_password(password.as_bytes(), &hash).is_ok()) && known)
        })
        .await
    }

    /// The turn moves into the work: it must not end when the client leaves while the hash runs on.
    async fn take<T: Send + 'static>(
        self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let working = spawn_blocking(move || {
            let result = work();
            drop(self.0);
            result
        });
        working.await.map_err(|error| Error::Internal(format!("hashing a password: {error}")))?
    }
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_is_told_from_a_wrong_one() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        for (password, right) in [("correct horse", true), ("battery staple", false)] {
            let turn = passwords.turn().await.unwrap();
            assert_eq!(turn.verify(password.into(), Some(hash.clone())).await.unwrap(), right);
        }
    }

    #[tokio::test]
    async fn nobodys_hash_is_computed_like_any_other_and_never_right() {
        let parsed = PasswordHash::new(NOBODYS).unwrap();
        let (nobodys, argon2) = (Params::try_from(&parsed).unwrap(), argon2().unwrap());
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        assert_eq!(cost(&nobodys), cost(argon2.params()));
        assert!(!Passwords::default().turn().await.unwrap().verify("x".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_text_that_is_no_hash_lets_nobody_in() {
        assert!(!Passwords::default().turn().await.unwrap().verify("!".into(), Some("!".into())).await.unwrap());
    }
}
