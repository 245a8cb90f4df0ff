//! Limits on how often an account and an address may write.
//!
//! Every request that is not a read counts, so that a new operation is limited without further
//! code. Exempt are saves, and sign-ins, which have a limit of their own.

use crate::paths;
use actix_web::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use service::limit::{Bucket, LimitKey, LimitSettings, Network, Quota, RateLimiter};

/// The counts of recent writes, in the memory of this process.
#[derive(Debug)]
pub struct RateLimits {
    /// Videos that one account may have; 0 for any number.
    pub(crate) videos_per_user: u32,
    sign_ups: Option<RateLimiter>,
    /// As many as sign-ups: changing a name or an e-mail tells whether it is taken, as signing up
    /// does.
    account_changes: Option<RateLimiter>,
    user_writes: Option<RateLimiter>,
    address_writes: Option<RateLimiter>,
}

impl RateLimits {
    /// Empty counts with these limits.
    pub fn new(rates: LimitSettings) -> Self {
        let LimitSettings { sign_ups_per_hour, writes_per_minute, address_writes_per_minute, videos_per_user } = rates;
        let limiter = |size, window| Bucket::within(size, window).map(RateLimiter::new);
        Self {
            videos_per_user,
            sign_ups: limiter(sign_ups_per_hour, TimeDelta::hours(1)),
            account_changes: limiter(sign_ups_per_hour, TimeDelta::hours(1)),
            user_writes: limiter(writes_per_minute, TimeDelta::minutes(1)),
            address_writes: limiter(address_writes_per_minute, TimeDelta::minutes(1)),
        }
    }

    /// The limits that apply to a request.
    pub(crate) fn policies(&self, kind: WriteKind, user: Option<i64>, address: Network) -> Vec<RateLimitPolicy<'_>> {
        let (user, address) = (user.map(LimitKey::User), Some(LimitKey::Address(address)));
        let by_user = ("user", &self.user_writes, user);
        let by_address = ("address", &self.address_writes, address);
        let policies = match kind {
            WriteKind::Exempt => vec![],
            WriteKind::SignUp => vec![("sign-ups", &self.sign_ups, address)],
            WriteKind::AccountChange => vec![("account-changes", &self.account_changes, address), by_user, by_address],
            WriteKind::Write => vec![by_user, by_address],
        };
        let enabled = policies.into_iter().filter_map(|(name, limiter, key)| Some((name, limiter.as_ref()?, key?)));
        enabled.map(|(name, limiter, key)| RateLimitPolicy { name, limiter, key }).collect()
    }
}

/// What a request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteKind {
    Exempt,
    SignUp,
    AccountChange,
    Write,
}

impl WriteKind {
    /// `path` is the one that the router matches, so that no other spelling escapes the limit.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
            return Self::Exempt;
        }
        match path {
            paths::SAVE_BATCH | paths::LOGIN | paths::TOKEN => Self::Exempt,
            path if path.starts_with(paths::VIDEO_PREFIX) && path.ends_with("/watch-history") => Self::Exempt,
            paths::REGISTER => Self::SignUp,
            paths::MY_ACCOUNT if method == Method::PATCH => Self::AccountChange,
            _ => Self::Write,
        }
    }
}

/// One limit, and the bucket that a request counts in.
pub(crate) struct RateLimitPolicy<'a> {
    pub(crate) name: &'static str,
    pub(crate) limiter: &'a RateLimiter,
    pub(crate) key: LimitKey,
}

impl RateLimitPolicy<'_> {
    /// Undoes the count of the request.
    pub(crate) fn refund(&self, now: DateTime<Utc>) {
        self.limiter.refund(self.key, now);
    }

    pub(crate) fn quota(&self, now: DateTime<Utc>) -> Quota {
        self.limiter.quota(self.key, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_writes_count_except_saves_and_sign_ins() {
        for (method, path, kind) in [
            (Method::GET, "/api/v1/videos", WriteKind::Exempt),
            (Method::POST, "/api/v1/videos", WriteKind::Write),
            (Method::PATCH, "/api/v1/videos/1", WriteKind::Write),
            (Method::DELETE, "/api/v1/videos/1", WriteKind::Write),
            (Method::POST, "/api/v1/videos/1/watch-history", WriteKind::Exempt),
            (Method::DELETE, "/api/v1/videos/1/watch-history", WriteKind::Exempt),
            (Method::POST, "/api/v1/watch-history/batch", WriteKind::Exempt),
            (Method::POST, "/api/v1/auth/login", WriteKind::Exempt),
            (Method::POST, "/api/v1/auth/token", WriteKind::Exempt),
            (Method::POST, "/api/v1/auth/register", WriteKind::SignUp),
            (Method::POST, "/api/v1/auth/refresh", WriteKind::Write),
            (Method::POST, "/api/v1/auth/logout", WriteKind::Write),
            (Method::PATCH, "/api/v1/users/me", WriteKind::AccountChange),
            (Method::DELETE, "/api/v1/users/me", WriteKind::Write),
            (Method::PATCH, "/api/v1/users/me/preferences", WriteKind::Write),
            (Method::POST, "/api/v1/videos/1/watch-history/undo", WriteKind::Write),
            (Method::PUT, "/api/v1/videos/1/watch-history/hidden", WriteKind::Write),
            (Method::DELETE, "/api/v1/videos/1/watch-history/hidden", WriteKind::Write),
            (Method::PUT, "/api/v1/videos/1/watched", WriteKind::Write),
            (Method::DELETE, "/api/v1/videos/1/watched", WriteKind::Write),
            (Method::DELETE, "/api/v1/watch-history", WriteKind::Write),
            (Method::POST, "/api/v1/watch-history/mark", WriteKind::Write),
            (Method::POST, "/api/v1/watch-history/forget", WriteKind::Write),
            (Method::DELETE, "/api/v1/plays/1", WriteKind::Write),
            (Method::POST, "/api/v1/plays/1/resume", WriteKind::Write),
            (Method::POST, "/api/v1/what-comes-tomorrow", WriteKind::Write),
        ] {
            assert_eq!(WriteKind::of(&method, path), kind, "{method} {path}");
        }
    }
}
