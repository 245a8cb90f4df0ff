//! Access tokens (JWT, HS256) and refresh tokens (random, opaque).

use crate::Error;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// Signs and checks access tokens.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    lifetime: Duration,
    /// What the genuine tokens said that came before, by their SHA-256. A player brings the same one with every save, and to check
    /// its signature costs a tenth of an answer.
    known: Arc<Cache<[u8; 32], Holder>>,
}

/// What a genuine token says.
#[derive(Clone, Copy)]
struct Holder {
    subject: TokenSubject,
    /// Seconds since 1970.
    not_before: i64,
    /// Seconds since 1970.
    expires: i64,
}

/// Whose token it is, and of which session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSubject {
    /// The account.
    pub user_id: i64,
    /// The session; none in a token that somebody else made with our key.
    pub session_id: Option<i64>,
}

/// How many tokens are remembered: those of so many players who save every ten seconds. That takes 13 MiB.
const KNOWN: usize = 131_072;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    email: String,
    #[serde(rename = "type")]
    kind: String,
    exp: i64,
    iat: i64,
    /// Not in our own tokens. A number with a fraction is a time too (RFC 7519, 2).
    #[serde(default, skip_serializing)]
    nbf: Option<f64>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

impl Tokens {
    /// With the key `secret` (32 bytes at least, which the settings check) and tokens that live for `lifetime`.
    pub fn new(secret: &[u8], lifetime: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Expiry is checked against the clock that the caller brings.
        validation.validate_exp = false;
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
            validation,
            lifetime,
            known: Arc::new(Cache::new(KNOWN)),
        }
    }

    /// How long an access token lives.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    pub(super) fn issue(
        &self,
        user_id: i64,
        session_id: i64,
        email: &str,
        now: DateTime<Utc>,
    ) -> Result<String, Error> {
        let claims = Claims {
            sub: user_id.to_string(),
            email: email.to_owned(),
            kind: "access".to_owned(),
            exp: (now + self.lifetime).timestamp(),
            iat: now.timestamp(),
            nbf: None,
            sid: Some(session_id.to_string()),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|error| Error::Internal(format!("signing a token: {error}")))
    }

    /// The refresh token that this one is spent for: always the same one, and none that can be told without our key.
    pub(super) fn successor(&self, refresh_token: &str) -> Result<String, Error> {
        // No token that we sign looks like this: those have no space.
        let message = format!("successor of the refresh token {refresh_token}");
        sign(message.as_bytes(), &self.signing, Algorithm::HS256)
            .map_err(|error| Error::Internal(format!("deriving a token: {error}")))
    }

    /// Whose token this is, by its signature and its expiry alone; whether the account and the session still stand is for
    /// others to say.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::ForgedToken`].
    pub(super) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<TokenSubject, Error> {
        let digest = Sha256::digest(token).into();
        let holder = match self.known.get(&digest) {
            Some(holder) => holder,
            None => {
                let holder = self.read(token)?;
                self.known.insert(digest, holder);
                holder
            }
        };
        let is_due = holder.not_before <= now.timestamp() && now.timestamp() < holder.expires;
        if is_due { Ok(holder.subject) } else { Err(Error::Unauthenticated) }
    }

    /// What a token says, if we signed it.
    fn read(&self, token: &str) -> Result<Holder, Error> {
        let claims = decode::<Claims>(token, &self.checking, &self.validation).map_err(|_| Error::ForgedToken)?.claims;
        if claims.kind != "access" || !is_plain(token) {
            return Err(Error::ForgedToken);
        }
        let user_id = claims.sub.parse().map_err(|_| Error::ForgedToken)?;
        let session_id = claims.sid.map(|sid| sid.parse()).transpose().map_err(|_| Error::ForgedToken)?;
        // Rounded up, and what is beyond any number is the last one.
        let not_before = claims.nbf.map_or(i64::MIN, |seconds| seconds.ceil() as i64);
        Ok(Holder { subject: TokenSubject { user_id, session_id }, not_before, expires: claims.exp })
    }
}

/// Whether the head of a token asks for nothing but its signature to be checked. The reader of the signature passes over what it does
/// not know, and a token with an extension that must be understood may mean something else (RFC 7515, 4.1.11).
fn is_plain(token: &str) -> bool {
    let head = token.split('.').next().and_then(|head| URL_SAFE_NO_PAD.decode(head).ok());
    let head = head.and_then(|head| serde_json::from_slice::<Map<String, Value>>(&head).ok());
    head.is_some_and(|head| {
        let is_access = |kind: &Value| {
            let kind = kind.as_str().unwrap_or_default().to_ascii_lowercase();
            matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "at+jwt")
        };
        let extensions = ["crit", "b64", "enc", "zip"];
        extensions.iter().all(|name| !head.contains_key(*name)) && head.get("typ").is_none_or(is_access)
    })
}

/// 256 random bits as text: a refresh token, of which only the hash is stored, or a key.
pub(super) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a refresh token. A fast hash is enough, because there is nothing to guess in 256 random bits.
pub(super) fn hash(refresh_token: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(refresh_token).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
