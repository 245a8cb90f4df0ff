//! The settings, from the environment and a `.env` file. Nothing else reads the environment.

use service::auth::GRACE;
use service::database::{Durability, sqlite_file};
use service::progress::Rules;
use std::env;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// The length that HS256 asks of a key (RFC 7518, 3.2).
pub(crate) const SECRET_BYTES: usize = 32;
pub(crate) const MAKE_SECRET: &str = "set 32 bytes or more, such as the output of `openssl rand -base64 48`";

/// All settings, read and checked.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `DATABASE_URL`
    pub(crate) database_url: String,
    /// `BIND_ADDRESS`
    pub(crate) bind_address: SocketAddr,
    /// `JWT_SECRET`, when it is set
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
    pub(crate) rules: Rules,
    /// `SQLITE_SYNCHRONOUS`
    pub(crate) durability: Durability,
    /// `CORS_ORIGINS`
    pub(crate) cors_origins: Vec<String>,
    /// `TRUSTED_PROXIES`
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// `OPEN_REGISTRATION`
    pub(crate) open_registration: bool,
    /// `PLAYHEAD_ENV=production`
    pub(crate) production: bool,
    /// `RUST_LOG`
    pub(crate) log_filter: String,
}

impl Settings {
    /// From the environment, and where it says nothing, from `.env` in the working folder.
    ///
    /// # Errors
    /// One line that names the variable, its value, and the mend.
    pub(crate) fn read() -> Result<Self, String> {
        match dotenvy::dotenv() {
            Err(error) if !error.not_found() => {
                return Err(format!(".env cannot be read: {error}; mend it or move it away"));
            }
            Ok(_) | Err(_) => {}
        }
        Self::from(|name| match env::var(name) {
            Ok(value) if value.is_empty() => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(format!("{name}: the value is not Unicode; set another one")),
        })
    }

    fn from(look_up: impl Fn(&str) -> Result<Option<String>, String>) -> Result<Self, String> {
        let source = Source(&look_up);
        let database_url = database_url(look_up("DATABASE_URL")?)?;
        let sqlite = database_url.starts_with("sqlite:");
        Ok(Self {
            bind_address: bind_address(&look_up("BIND_ADDRESS")?.unwrap_or_else(|| "127.0.0.1:8000".into()))?,
            jwt_secret: secret(look_up("JWT_SECRET")?)?,
            access_token_lifetime: Duration::from_secs(60 * source.number("ACCESS_TOKEN_MINUTES", 30, 1, 525_600)?),
            refresh_token_lifetime: Duration::from_secs(86_400 * source.number("REFRESH_TOKEN_DAYS", 30, 1, 3_650)?),
            refresh_grace: Duration::from_secs(source.number("REFRESH_GRACE_SECONDS", GRACE.as_secs(), 0, 600)?),
            media_dir: media_dir(look_up("MEDIA_DIR")?)?,
            auto_migrate: source.flag("AUTO_MIGRATE", sqlite)?,
            rules: Rules {
                completed_percent: source.number("COMPLETED_PERCENT", 90, 1, 100)?,
                resume_min_seconds: source.number("RESUME_MIN_SECONDS", 5, 0, i32::MAX)?,
                resume_max_percent: source.number("RESUME_MAX_PERCENT", 95, 1, 100)?,
            },
            durability: match source.word("SQLITE_SYNCHRONOUS", &["full", "normal"])? {
                1 => Durability::Normal,
                _ => Durability::Full,
            },
            cors_origins: origins(&look_up("CORS_ORIGINS")?.unwrap_or_default())?,
            trusted_proxies: proxies(&look_up("TRUSTED_PROXIES")?.unwrap_or_default())?,
            open_registration: source.flag("OPEN_REGISTRATION", true)?,
            production: source.word("PLAYHEAD_ENV", &["development", "production"])? == 1,
            log_filter: log_filter(look_up("RUST_LOG")?)?,
            database_url,
        })
    }

    /// The database for people: without a password.
    pub(crate) fn database(&self) -> String {
        migration::redacted(&self.database_url)
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

/// The URL, with the wish that a missing SQLite file is made.
fn database_url(given: Option<String>) -> Result<String, String> {
    let url = given.unwrap_or_else(|| migration::DEFAULT_URL.into());
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "postgres" | "postgresql" => Ok(url),
        "sqlite" => match sqlite_file(&url) {
            Ok(_) if url.contains("mode=") => Ok(url),
            Ok(_) => Ok(format!("{url}{}mode=rwc", if url.contains('?') { '&' } else { '?' })),
            Err(error) => Err(format!("DATABASE_URL={url}: {error}; write sqlite://FILE")),
        },
        // An unknown scheme may still carry a password.
        _ => Err(format!(
            "DATABASE_URL={scheme}:…: the scheme is unknown; use sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME"
        )),
    }
}

fn bind_address(text: &str) -> Result<SocketAddr, String> {
    let mend = "must be an address and a port such as 127.0.0.1:8000";
    let mut found = text.to_socket_addrs().map_err(|error| format!("BIND_ADDRESS={text}: {mend} ({error})"))?;
    found.next().ok_or_else(|| format!("BIND_ADDRESS={text}: {mend}"))
}

fn secret(given: Option<String>) -> Result<Option<String>, String> {
    match given {
        Some(secret) if secret.len() < SECRET_BYTES => {
            Err(format!("JWT_SECRET: has {} bytes and needs {SECRET_BYTES}; {MAKE_SECRET}", secret.len()))
        }
        secret => Ok(secret),
    }
}

fn media_dir(given: Option<String>) -> Result<PathBuf, String> {
    let folder = PathBuf::from(given.unwrap_or_else(|| "media".into()));
    if folder.exists() && !folder.is_dir() {
        return Err(format!(
            "MEDIA_DIR={}: is no folder; name one, which is made when it is missing",
            folder.display()
        ));
    }
    Ok(folder)
}

fn log_filter(given: Option<String>) -> Result<String, String> {
    let filter = given.unwrap_or_else(|| "info".into());
    match env_filter::Builder::new().try_parse(&filter) {
        Ok(_) => Ok(filter),
        Err(error) => Err(format!("RUST_LOG={filter}: {error}; write a level such as info, or module=level,…")),
    }
}

/// Origins as browsers write them: in lower case, without the port that goes without saying.
fn origins(list: &str) -> Result<Vec<String>, String> {
    let read = |origin: &str| {
        let url = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let is_bare =
            url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        (is_bare && !origin.ends_with('/') && !origin.contains('*')).then(|| url.origin().ascii_serialization())
    };
    let mend = "must be an exact origin such as https://example.org, without a path and never *";
    items(list).map(|origin| read(origin).ok_or_else(|| format!("CORS_ORIGINS={origin}: {mend}"))).collect()
}

fn proxies(list: &str) -> Result<Vec<IpAddr>, String> {
    let mend = "must be the addresses of reverse proxies, comma-separated, such as 127.0.0.1";
    let read = |text: &str| text.parse::<IpAddr>().map(|address| address.to_canonical());
    items(list).map(|text| read(text).map_err(|_| format!("TRUSTED_PROXIES={text}: {mend}"))).collect()
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(values: &[(&str, &str)]) -> Result<Settings, String> {
        let find = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::from(|name| Ok(find(name)))
    }

    #[test]
    fn without_any_variable_the_defaults_of_the_contract_hold() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.database_url, "sqlite://playhead.db?mode=rwc");
        assert_eq!(settings.bind_address.to_string(), "127.0.0.1:8000");
        assert_eq!(settings.access_token_lifetime, Duration::from_secs(30 * 60));
        assert_eq!(settings.refresh_token_lifetime, Duration::from_secs(30 * 86_400));
        assert_eq!(settings.refresh_grace, Duration::from_secs(60));
        assert_eq!(settings.rules.completed_percent, 90);
        assert_eq!((settings.rules.resume_min_seconds, settings.rules.resume_max_percent), (5, 95));
        assert_eq!(settings.durability, Durability::Full);
        assert!(settings.auto_migrate && settings.open_registration && !settings.production);
    }

    #[test]
    fn postgresql_does_not_migrate_by_itself_and_shows_no_password() {
        let settings = settings(&[("DATABASE_URL", "postgres://ann:pass@localhost/playhead")]).unwrap();
        assert!(!settings.auto_migrate);
        assert_eq!(settings.database(), "postgres://localhost/playhead");
    }

    #[test]
    fn a_bad_value_is_named_with_its_mend_and_secrets_are_not() {
        for (name, value, part) in [
            ("ACCESS_TOKEN_MINUTES", "soon", "ACCESS_TOKEN_MINUTES=soon: must be a whole number from 1"),
            ("COMPLETED_PERCENT", "101", "from 1 to 100; the default is 90"),
            ("RESUME_MIN_SECONDS", "-1", "RESUME_MIN_SECONDS=-1"),
            ("AUTO_MIGRATE", "maybe", "must be true or false"),
            ("SQLITE_SYNCHRONOUS", "off", "must be full or normal"),
            ("BIND_ADDRESS", "nowhere", "must be an address and a port"),
            ("CORS_ORIGINS", "https://a.example, *", "CORS_ORIGINS=*: must be an exact origin"),
            ("CORS_ORIGINS", "https://a.example/path", "without a path"),
            ("CORS_ORIGINS", "http://[", "must be an exact origin"),
            ("DATABASE_URL", "sqlite::memory:", "lives in memory only"),
            ("DATABASE_URL", "sqlite://", "names no file"),
            ("DATABASE_URL", "sqlite://a.db?mode=bogus", "bogus"),
            ("JWT_SECRET", "short", "has 5 bytes and needs 32"),
            ("MEDIA_DIR", "/dev/null", "is no folder"),
            ("RUST_LOG", "a=b=c", "write a level"),
            ("TRUSTED_PROXIES", "localhost", "must be the addresses"),
            ("PLAYHEAD_ENV", "prod", "must be development or production"),
        ] {
            let error = settings(&[(name, value)]).unwrap_err();
            assert!(error.contains(part) && !error.contains('\n'), "{error}");
        }
        let error = settings(&[("DATABASE_URL", "mysql://root:hunter2@db/x")]).unwrap_err();
        assert!(error.contains("the scheme is unknown") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        let origins =
            settings(&[("CORS_ORIGINS", "https://Example.org:443, http://localhost:5173,")]).unwrap().cors_origins;
        assert_eq!(origins, ["https://example.org", "http://localhost:5173"]);
    }

    #[test]
    fn a_sqlite_file_is_made_when_it_is_missing_unless_the_url_says_otherwise() {
        for (given, read) in [
            ("sqlite://a.db", "sqlite://a.db?mode=rwc"),
            ("sqlite:a.db?cache=private", "sqlite:a.db?cache=private&mode=rwc"),
            ("sqlite://a.db?mode=rw", "sqlite://a.db?mode=rw"),
        ] {
            assert_eq!(settings(&[("DATABASE_URL", given)]).unwrap().database_url, read);
        }
    }
}
