//! Addresses of databases, in the spelling of sqlx or of SQLAlchemy.

use super::database_url::DatabaseUrl;
use super::{postgres_url, sqlite_url};

/// The form of an address.
const USE: &str = "use sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME";

/// Parses an address in the spelling of sqlx or of SQLAlchemy: drivers behind a `+`,
/// `sqlite:///relative` and `sqlite:////absolute`, parameters of asyncpg and psycopg, and `~`.
///
/// # Errors
/// One line: the address without secrets, what is wrong with it, and what to write.
pub fn resolve(given: &str) -> Result<DatabaseUrl, String> {
    let given = given.trim();
    let unknown = |shown: &str| format!("{shown}: the scheme is unknown; {USE}");
    let Some((scheme, rest)) = given.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return Err(unknown("…"));
    };
    let scheme = scheme.to_ascii_lowercase();
    let (kind, driver) = scheme.split_once('+').map_or((scheme.as_str(), None), |(kind, driver)| (kind, Some(driver)));
    match kind {
        "postgres" | "postgresql" => {
            let without_driver = format!("{kind}:{rest}");
            postgres_url::resolve(&without_driver).map_err(|error| format!("{}: {error}", redacted(&without_driver)))
        }
        "sqlite" if driver.is_some_and(|driver| !["aiosqlite", "pysqlite"].contains(&driver)) => {
            Err(format!("{scheme}:…: the driver is unknown; write sqlite://FILE"))
        }
        "sqlite" => {
            let shown = redacted(&format!("sqlite:{rest}"));
            sqlite_url::resolve(rest, driver.is_some()).map_err(|error| format!("{shown}: {error}"))
        }
        _ => Err(unknown(&format!("{scheme}:…"))),
    }
}

/// The address without user, password and parameters. An unescaped password can contain any
/// character, so everything before the last `@` is removed, and an address without `//` is not
/// shown at all.
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return "…".to_owned();
    };
    let without_parameters = |text: &str| text.split(['?', '#']).next().unwrap_or_default().to_owned();
    if scheme == "sqlite" {
        return format!("{scheme}:{}", without_parameters(rest));
    }
    match rest.strip_prefix("//") {
        Some(rest) => {
            let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
            format!("{scheme}://{}", without_parameters(place))
        }
        None => format!("{scheme}:…"),
    }
}

/// Whether the text is a scheme, and not the start of something else such as `host=db password=…`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 32
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_address_is_refused_and_never_shown() {
        for (given, part) in [
            ("mysql+aiomysql://root:hunter2@db/x", "mysql+aiomysql:…: the scheme is unknown; use sqlite://FILE"),
            ("host=db user=ann password=hunter2", "…: the scheme is unknown"),
            ("host=db:5432 password=hunter2", "…: the scheme is unknown"),
            ("hunter2", "…: the scheme is unknown"),
            ("", "…: the scheme is unknown"),
            ("'postgres://ann:hunter2@db/x'", "…: the scheme is unknown"),
            ("postgres:ann:hunter2@db/x", "postgres:…: write postgres://USER"),
            ("postgresql+asyncpg://ann:hunter2@db:port/x", "postgresql://db:port/x: invalid port number"),
            ("postgres://db/x?ssl=hunter2", "the parameter ssl must be"),
            ("sqlite+pysqlcipher://:hunter2@/x.db", "sqlite+pysqlcipher:…: the driver is unknown"),
        ] {
            let error = resolve(given).err().unwrap();
            assert!(error.contains(part) && !error.contains("hunter2"), "{given}: {error}");
        }
    }
}
