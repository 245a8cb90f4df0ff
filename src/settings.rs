//! The settings, from the environment and a `.env` file. Nothing else reads the environment.

mod values;

#[cfg(test)]
mod tests;

use api::AccessLog;
use api::PublicPath;
use ipnet::IpNet;
use migration::environment::{DatabaseUrl, load, value_or_file};
use service::auth::REFRESH_GRACE;
use service::limit::LimitSettings;
use service::progress::ProgressRules;
use service::storage::Durability;
use std::env;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use values::{bind_address, database_url, log_filter, media_dir, origins, proxies, public_path, secret};

/// The length that HS256 asks of a key (RFC 7518, 3.2).
pub(crate) const SECRET_BYTES: usize = 32;
pub(crate) const MAKE_SECRET: &str = "set 32 bytes or more, such as the output of `openssl rand -base64 48`";

/// All settings, read and checked. They hold secrets, so that [`fmt::Debug`] shows none of them.
pub(crate) struct Settings {
    /// `DATABASE_URL`, `DATABASE_URL_FILE`
    pub(crate) database_url: String,
    /// What the log should say of how the address was understood.
    pub(crate) database_notes: Vec<String>,
    /// `BIND_ADDRESS`
    pub(crate) bind_address: SocketAddr,
    /// `JWT_SECRET`, `JWT_SECRET_FILE`: none when neither is set
    pub(crate) jwt_secret: Option<String>,
    /// `ACCESS_TOKEN_MINUTES`
    pub(crate) access_token_lifetime: Duration,
    /// `REFRESH_TOKEN_DAYS`
    pub(crate) refresh_token_lifetime: Duration,
    /// `REFRESH_GRACE_SECONDS`
    pub(crate) refresh_grace: Duration,
    /// `MEDIA_DIR`
    pub(crate) media_dir: PathBuf,
    /// `AUTO_MIGRATE`
    pub(crate) auto_migrate: bool,
    /// `COMPLETED_PERCENT`, `RESUME_MIN_SECONDS`, `RESUME_MAX_PERCENT`
    pub(crate) rules: ProgressRules,
    /// `SQLITE_SYNCHRONOUS`
    pub(crate) durability: Durability,
    /// `CORS_ORIGINS`
    pub(crate) cors_origins: Vec<String>,
    /// `PUBLIC_PATH`
    pub(crate) public_path: PublicPath,
    /// `TRUSTED_PROXIES`
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// `STREAMS_PER_ADDRESS`
    pub(crate) streams_per_address: usize,
    /// `OPEN_REGISTRATION`
    pub(crate) open_registration: bool,
    /// `SIGN_UPS_PER_HOUR`, `WRITES_PER_MINUTE`, `ADDRESS_WRITES_PER_MINUTE`, `VIDEOS_PER_USER`
    pub(crate) rates: LimitSettings,
    /// `PLAYHEAD_ENV=production`
    pub(crate) production: bool,
    /// `ACCESS_LOG`
    pub(crate) access_log: AccessLog,
    /// `RUST_LOG`
    pub(crate) log_filter: String,
}

impl Settings {
    /// From the environment, and where it says nothing, from `.env` in the working folder.
    ///
    /// # Errors
    /// One line that names the variable, its value, and the mend.
    pub(crate) fn read() -> Result<Self, String> {
        load()?;
        Self::from(|name| match env::var(name) {
            Ok(value) if value.is_empty() => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(format!("{name}: the value is not Unicode; set another one")),
        })
    }

    fn from(look_up: impl Fn(&str) -> Result<Option<String>, String>) -> Result<Self, String> {
        let source = Source(&look_up);
        let DatabaseUrl { url, notes } = database_url(value_or_file("DATABASE_URL", &look_up)?)?;
        let sqlite = url.starts_with("sqlite:");
        Ok(Self {
            bind_address: bind_address(&look_up("BIND_ADDRESS")?.unwrap_or_else(|| "127.0.0.1:8000".into()))?,
            jwt_secret: secret(value_or_file("JWT_SECRET", &look_up)?)?,
            access_token_lifetime: Duration::from_secs(60 * source.number("ACCESS_TOKEN_MINUTES", 30, 1, 525_600)?),
            refresh_token_lifetime: Duration::from_secs(86_400 * source.number("REFRESH_TOKEN_DAYS", 30, 1, 3_650)?),
            refresh_grace: Duration::from_secs(source.number(
                "REFRESH_GRACE_SECONDS",
                REFRESH_GRACE.as_secs(),
                0,
                600,
            )?),
            media_dir: media_dir(look_up("MEDIA_DIR")?)?,
            auto_migrate: source.flag("AUTO_MIGRATE", sqlite)?,
            rules: ProgressRules {
                completed_percent: source.number("COMPLETED_PERCENT", 90, 1, 100)?,
                resume_min_seconds: source.number("RESUME_MIN_SECONDS", 5, 0, i32::MAX)?,
                resume_max_percent: source.number("RESUME_MAX_PERCENT", 95, 1, 100)?,
            },
            durability: match source.word("SQLITE_SYNCHRONOUS", &["full", "normal"])? {
                1 => Durability::Normal,
                _ => Durability::Full,
            },
            cors_origins: origins(&look_up("CORS_ORIGINS")?.unwrap_or_default())?,
            public_path: public_path(&look_up("PUBLIC_PATH")?.unwrap_or_default())?,
            trusted_proxies: proxies(&look_up("TRUSTED_PROXIES")?.unwrap_or_default())?,
            streams_per_address: source.number("STREAMS_PER_ADDRESS", 64, 1, 100_000)?,
            open_registration: source.flag("OPEN_REGISTRATION", true)?,
            rates: rates(&source)?,
            production: source.word("PLAYHEAD_ENV", &["development", "production"])? == 1,
            access_log: match source.word("ACCESS_LOG", &["off", "text", "json"])? {
                1 => AccessLog::Text,
                2 => AccessLog::Json,
                _ => AccessLog::Off,
            },
            log_filter: log_filter(look_up("RUST_LOG")?)?,
            database_url: url,
            database_notes: notes,
        })
    }

    /// The database for people: without a password.
    pub(crate) fn database(&self) -> String {
        migration::environment::redacted(&self.database_url)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

/// Where values come from, and how they are read.
struct Source<'a, F>(&'a F);

impl<F: Fn(&str) -> Result<Option<String>, String>> Source<'_, F> {
    fn number<T>(&self, name: &str, default: T, min: T, max: T) -> Result<T, String>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = (self.0)(name)? else { return Ok(default) };
        match text.parse() {
            Ok(number) if number >= min && number <= max => Ok(number),
            _ => Err(format!("{name}={text}: must be a whole number from {min} to {max}; the default is {default}")),
        }
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, String> {
        match (self.0)(name)?.as_deref() {
            None => Ok(default),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some("false" | "0" | "no" | "off") => Ok(false),
            Some(text) => Err(format!("{name}={text}: must be true or false; the default is {default}")),
        }
    }

    /// The place of the value among `words`; the first one is the default.
    fn word(&self, name: &str, words: &[&str]) -> Result<usize, String> {
        let Some(text) = (self.0)(name)? else { return Ok(0) };
        let place = words.iter().position(|word| text.eq_ignore_ascii_case(word));
        place.ok_or_else(|| format!("{name}={text}: must be {}; the default is {}", words.join(" or "), words[0]))
    }
}

/// Beyond a million, what one address may do is a question of the machine.
fn rates<F: Fn(&str) -> Result<Option<String>, String>>(source: &Source<'_, F>) -> Result<LimitSettings, String> {
    let LimitSettings { sign_ups_per_hour, writes_per_minute, address_writes_per_minute, videos_per_user } =
        LimitSettings::default();
    let number = |name, default| source.number(name, default, 0, 1_000_000);
    Ok(LimitSettings {
        sign_ups_per_hour: number("SIGN_UPS_PER_HOUR", sign_ups_per_hour)?,
        writes_per_minute: number("WRITES_PER_MINUTE", writes_per_minute)?,
        address_writes_per_minute: number("ADDRESS_WRITES_PER_MINUTE", address_writes_per_minute)?,
        videos_per_user: number("VIDEOS_PER_USER", videos_per_user)?,
    })
}
