//! The settings. Nothing else reads the environment.

mod args;
mod value;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use args::SettingArgs;

use api::{AccessLog, PublicPath};
use ipnet::IpNet;
use migration::environment::{self, DatabaseUrl};
use service::auth::REFRESH_GRACE;
use service::limit::LimitSettings;
use service::progress::ProgressRules;
use service::relay::RedisAddress;
use service::storage::Durability;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use value::Value;
use values::{
    check_secret, parse_bind_address, parse_database_url, parse_log_filter, parse_media_dir, parse_metrics_address,
    parse_origins, parse_proxies, parse_public_path, parse_redis_url,
};

/// The shortest key that HS256 allows (RFC 7518, 3.2).
pub(crate) const SECRET_BYTES: usize = 32;
pub(crate) const MAKE_SECRET: &str = "set 32 bytes or more, such as the output of `openssl rand -base64 48`";

/// Ten years, as for the preference of a viewer.
const MAX_DAYS: i32 = 3_650;

/// Above it, the machine is the limit.
const MAX_LIMIT: u32 = 1_000_000;

/// All settings, parsed. They hold secrets, so [`fmt::Debug`] shows no field. What each one means
/// is described in [`SettingArgs`].
pub(crate) struct Settings {
    pub(crate) database_url: String,
    /// What the log says about how the URL was understood.
    pub(crate) database_notes: Vec<String>,
    pub(crate) redis: Option<RedisAddress>,
    /// Where processes share lists.
    pub(crate) list_cache: Option<RedisAddress>,
    pub(crate) bind_address: SocketAddr,
    /// `None`: metrics are off.
    pub(crate) metrics_address: Option<SocketAddr>,
    pub(crate) jwt_secret: Option<String>,
    pub(crate) access_token_lifetime: Duration,
    pub(crate) refresh_token_lifetime: Duration,
    pub(crate) refresh_grace: Duration,
    pub(crate) media_dir: PathBuf,
    pub(crate) auto_migrate: bool,
    pub(crate) rules: ProgressRules,
    pub(crate) history_max_days: Option<i32>,
    pub(crate) durability: Durability,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) public_path: PublicPath,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) streams_per_address: usize,
    pub(crate) open_registration: bool,
    pub(crate) rates: LimitSettings,
    /// `None`: never.
    pub(crate) recommendations_every: Option<Duration>,
    pub(crate) production: bool,
    pub(crate) access_log: AccessLog,
    pub(crate) log_filter: String,
}

impl Settings {
    /// Parses all settings.
    ///
    /// # Errors
    /// One line: the variable, its value unless it is secret, and what is allowed.
    pub(crate) fn parse(args: SettingArgs) -> Result<Self, String> {
        let database_url =
            value_or_file(["DATABASE_URL", "DATABASE_URL_FILE"], args.database_url, args.database_url_file)?;
        let DatabaseUrl { url, notes } = parse_database_url(database_url)?;
        let is_sqlite = url.starts_with("sqlite:");
        let number = |name, value, default, min, max| Value::new(name, value)?.number::<u64>(default, min, max);
        let percent = |name, value, default| Value::new(name, value)?.number(default, 1, 100);
        let limit = |name, value, default| Value::new(name, value)?.number(default, 0, MAX_LIMIT);
        let text = |name, value| Ok::<_, String>(Value::new(name, value)?.text());
        let access_token_minutes = number("ACCESS_TOKEN_MINUTES", args.access_token_minutes, 30, 1, 525_600)?;
        let refresh_token_days = number("REFRESH_TOKEN_DAYS", args.refresh_token_days, 30, 1, 3_650)?;
        let grace = number("REFRESH_GRACE_SECONDS", args.refresh_grace_seconds, REFRESH_GRACE.as_secs(), 0, 600)?;
        let every = number("RECOMMENDATIONS_EVERY_MINUTES", args.recommendations_every_minutes, 60, 0, 525_600)?;
        let limits = LimitSettings::default();
        let redis = value_or_file(["REDIS_URL", "REDIS_URL_FILE"], args.redis_url, args.redis_url_file)?;
        let redis = parse_redis_url(redis)?;
        let is_list_cache_on = Value::new("LIST_CACHE", args.list_cache)?.word(&["off", "redis"])? == 1;
        if is_list_cache_on && redis.is_none() {
            return Err("LIST_CACHE=redis: needs a Redis; set REDIS_URL".into());
        }
        let bind_address = parse_bind_address(text("BIND_ADDRESS", args.bind_address)?)?;
        let metrics_address = parse_metrics_address(text("METRICS_ADDRESS", args.metrics_address)?, bind_address)?;
        Ok(Self {
            list_cache: redis.clone().filter(|_| is_list_cache_on),
            redis,
            bind_address,
            metrics_address,
            jwt_secret: check_secret(value_or_file(
                ["JWT_SECRET", "JWT_SECRET_FILE"],
                args.jwt_secret,
                args.jwt_secret_file,
            )?)?,
            access_token_lifetime: Duration::from_secs(60 * access_token_minutes),
            refresh_token_lifetime: Duration::from_secs(86_400 * refresh_token_days),
            refresh_grace: Duration::from_secs(grace),
            media_dir: parse_media_dir(text("MEDIA_DIR", args.media_dir)?)?,
            auto_migrate: Value::new("AUTO_MIGRATE", args.auto_migrate)?.flag(is_sqlite)?,
            rules: ProgressRules {
                completed_percent: percent("COMPLETED_PERCENT", args.completed_percent, 90)?,
                resume_min_seconds: Value::new("RESUME_MIN_SECONDS", args.resume_min_seconds)?.number(
                    5,
                    0,
                    i32::MAX,
                )?,
                resume_max_percent: percent("RESUME_MAX_PERCENT", args.resume_max_percent, 95)?,
            },
            history_max_days: Value::new("HISTORY_MAX_DAYS", args.history_max_days)?.number_or_none(1, MAX_DAYS)?,
            durability: match Value::new("SQLITE_SYNCHRONOUS", args.sqlite_synchronous)?.word(&["full", "normal"])? {
                1 => Durability::Normal,
                _ => Durability::Full,
            },
            cors_origins: parse_origins(&text("CORS_ORIGINS", args.cors_origins)?.unwrap_or_default())?,
            public_path: parse_public_path(&text("PUBLIC_PATH", args.public_path)?.unwrap_or_default())?,
            trusted_proxies: parse_proxies(&text("TRUSTED_PROXIES", args.trusted_proxies)?.unwrap_or_default())?,
            streams_per_address: Value::new("STREAMS_PER_ADDRESS", args.streams_per_address)?.number(64, 1, 100_000)?,
            open_registration: Value::new("OPEN_REGISTRATION", args.open_registration)?.flag(true)?,
            rates: LimitSettings {
                sign_ups_per_hour: limit("SIGN_UPS_PER_HOUR", args.sign_ups_per_hour, limits.sign_ups_per_hour)?,
                writes_per_minute: limit("WRITES_PER_MINUTE", args.writes_per_minute, limits.writes_per_minute)?,
                address_writes_per_minute: limit(
                    "ADDRESS_WRITES_PER_MINUTE",
                    args.address_writes_per_minute,
                    limits.address_writes_per_minute,
                )?,
                videos_per_user: limit("VIDEOS_PER_USER", args.videos_per_user, limits.videos_per_user)?,
            },
            recommendations_every: (every > 0).then(|| Duration::from_secs(60 * every)),
            production: Value::new("PLAYHEAD_ENV", args.playhead_env)?.word(&["development", "production"])? == 1,
            access_log: match Value::new("ACCESS_LOG", args.access_log)?.word(&["off", "text", "json"])? {
                1 => AccessLog::Text,
                2 => AccessLog::Json,
                _ => AccessLog::Off,
            },
            log_filter: parse_log_filter(text("RUST_LOG", args.rust_log)?)?,
            database_url: url,
            database_notes: notes,
        })
    }

    /// Whether the database is PostgreSQL, which several processes can share.
    pub(crate) fn is_postgres(&self) -> bool {
        self.database_url.starts_with("postgres")
    }

    /// The database URL without its password, for people.
    pub(crate) fn database(&self) -> String {
        migration::environment::redacted(&self.database_url)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

/// The value of the first name, or the content of the file that the second one names.
fn value_or_file(
    [name, file_name]: [&'static str; 2],
    value: Option<OsString>,
    file: Option<OsString>,
) -> Result<Option<String>, String> {
    let (value, file) = (Value::new(name, value)?.text(), Value::new(file_name, file)?.text());
    environment::value_or_file(name, |asked| Ok(if asked == name { value.clone() } else { file.clone() }))
}
