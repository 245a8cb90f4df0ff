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
    /// Tokens whose signature was checked, by their SHA-256. A player sends the same token with
    /// every save, and checking its signature takes a tenth of the time of a response.
    verified: Arc<Cache<[u8; 32], VerifiedToken>>,
}

/// The content of a token with a valid signature.
#[derive(Clone, Copy)]
struct VerifiedToken {
    subject: TokenSubject,
    /// Seconds since 1970.
    not_before: i64,
    /// Seconds since 1970.
    expires: i64,
}

/// The account and the session that an access token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSubject {
    /// The id of the account.
    pub user_id: i64,
    /// The id of the session; `None` in a token that another program made with our key.
    pub session_id: Option<i64>,
}

/// Verified tokens that are kept in memory, one for each player; they take 13 MiB.
const MAX_VERIFIED: usize = 131_072;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    email: String,
    #[serde(rename = "type")]
    kind: String,
    exp: i64,
    iat: i64,
    /// Not in our own tokens. A time may have a fraction (RFC 7519, 2).
    #[serde(default, skip_serializing)]
    nbf: Option<f64>,
    /// The id of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

impl Tokens {
    /// Creates it with the key `secret` (at least 32 bytes, which the settings check) and tokens
    /// that expire after `lifetime`.
    pub fn new(secret: &[u8], lifetime: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // The expiry is checked against the time that the caller passes.
        validation.validate_exp = false;
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
            validation,
            lifetime,
            verified: Arc::new(Cache::new(MAX_VERIFIED)),
        }
    }

    /// A name that the processes with this key share, and that does not reveal the key.
    pub(crate) fn site(&self) -> String {
        let signed = sign(b"processes of one site", &self.signing, Algorithm::HS256);
        signed.unwrap_or_default().chars().take(16).collect()
    }

    /// The time after which an access token expires.
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

    /// The refresh token that follows this one: always the same, and unpredictable without our key.
    pub(super) fn successor(&self, refresh_token: &str) -> Result<String, Error> {
        // No access token is signed from a text like this one: those have no space.
        let message = format!("successor of the refresh token {refresh_token}");
        sign(message.as_bytes(), &self.signing, Algorithm::HS256)
            .map_err(|error| Error::Internal(format!("deriving a token: {error}")))
    }

    /// The account and session of a token, by its signature and expiry only, and when it expires.
    /// It does not check whether the account is active or the session has ended.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::ForgedToken`].
    pub(super) fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<(TokenSubject, DateTime<Utc>), Error> {
        let digest = Sha256::digest(token).into();
        let content = match self.verified.get(&digest) {
            Some(content) => content,
            None => {
                let content = self.read(token)?;
                self.verified.insert(digest, content);
                content
            }
        };
        let is_valid_now = content.not_before <= now.timestamp() && now.timestamp() < content.expires;
        let expires = DateTime::from_timestamp(content.expires, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        if is_valid_now { Ok((content.subject, expires)) } else { Err(Error::Unauthenticated) }
    }

    /// The content of a token, if we signed it.
    fn read(&self, token: &str) -> Result<VerifiedToken, Error> {
        let claims = decode::<Claims>(token, &self.checking, &self.validation).map_err(|_| Error::ForgedToken)?.claims;
        if claims.kind != "access" || !has_no_extensions(token) {
            return Err(Error::ForgedToken);
        }
        let user_id = claims.sub.parse().map_err(|_| Error::ForgedToken)?;
        let session_id = claims.sid.map(|sid| sid.parse()).transpose().map_err(|_| Error::ForgedToken)?;
        // Rounded up; a time beyond the range of the type becomes its largest or smallest value.
        let not_before = claims.nbf.map_or(i64::MIN, |seconds| seconds.ceil() as i64);
        Ok(VerifiedToken { subject: TokenSubject { user_id, session_id }, not_before, expires: claims.exp })
    }
}

/// Whether the header of a token has no extensions. The library ignores what it does not know, but
/// a token with an extension that must be understood may mean something else (RFC 7515, 4.1.11).
fn has_no_extensions(token: &str) -> bool {
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

/// 256 random bits as text: a refresh token or a key.
pub(super) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The hash that is stored of a refresh token. A fast hash is enough: nobody can guess 256 random
/// bits.
pub(super) fn hash(refresh_token: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(refresh_token).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
