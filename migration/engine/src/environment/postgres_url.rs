//! Addresses of PostgreSQL servers.

use super::database_url::DatabaseUrl;
use url::Url;

/// Parameters that sqlx reads.
const KNOWN: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "host",
    "statement-cache-capacity",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Parameters of other drivers that need no counterpart here.
const IGNORED: [&str; 13] = [
    "async_fallback",
    "autosave",
    "client_encoding",
    "command_timeout",
    "connect_timeout",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "prepared_statement_name_func",
    "tcp_user_timeout",
    "timeout",
];

const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Reads `postgres://…` in sqlx's spelling or SQLAlchemy's, without the driver.
pub(super) fn resolve(given: &str) -> Result<DatabaseUrl, String> {
    let Some((scheme, rest)) = given.split_once("://") else {
        return Err("write postgres://USER:PASSWORD@HOST/NAME".to_owned());
    };
    let url =
        Url::parse(given).or_else(|error| to_rfc_3986(scheme, rest).ok_or(error)).map_err(|error| error.to_string());
    let mut url = url.map_err(|error| format!("{error}; write postgres://USER:PASSWORD@HOST/NAME"))?;
    let mut notes = Vec::new();
    let given_parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut parameters: Vec<(String, String)> = Vec::new();
    for (name, value) in given_parameters.iter().cloned() {
        match name.as_str() {
            "ssl" => parameters.push(("sslmode".to_owned(), ssl_mode(&value)?)),
            // The settings of asyncpg and Prisma for a pooler.
            "prepared_statement_cache_size" | "statement_cache_size" if value == "0" => {
                disable_statement_cache(&mut parameters)
            }
            "pgbouncer" if value == "true" => disable_statement_cache(&mut parameters),
            "prepared_statement_cache_size" | "statement_cache_size" => {}
            known if KNOWN.contains(&known) || known.starts_with("options[") => parameters.push((name, value)),
            ignored if IGNORED.contains(&ignored) => {}
            // sqlx would log it with its value, which can be secret.
            unknown => notes.push(format!("the parameter {} is unknown and ignored", shown(unknown))),
        }
    }
    if parameters != given_parameters {
        match parameters.is_empty() {
            true => url.set_query(None),
            false => _ = url.query_pairs_mut().clear().extend_pairs(parameters),
        }
    }
    // Unchanged if nothing had to be rewritten.
    let is_same = Url::parse(given).is_ok_and(|same| same == url);
    Ok(DatabaseUrl { url: if is_same { given.to_owned() } else { url.into() }, notes })
}

/// The name of a parameter for the log. After an unescaped `?`, it can be part of a password.
fn shown(name: &str) -> &str {
    let is_plain = name.len() <= 40 && name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-');
    if is_plain { name } else { "with an invalid name" }
}

fn ssl_mode(value: &str) -> Result<String, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" => Ok("require".to_owned()),
        "false" | "0" | "off" => Ok("disable".to_owned()),
        mode if SSL_MODES.contains(&mode) => Ok(mode.to_owned()),
        _ => Err(format!("the parameter ssl must be {}", SSL_MODES.join(", "))),
    }
}

fn disable_statement_cache(parameters: &mut Vec<(String, String)>) {
    let parameter = ("statement-cache-capacity".to_owned(), "0".to_owned());
    if !parameters.contains(&parameter) {
        parameters.push(parameter);
    }
}

/// The address as RFC 3986 requires it. SQLAlchemy is more tolerant: a password may contain `/`, `?` and
/// `#`, and the host may be missing if a parameter names it.
fn to_rfc_3986(scheme: &str, rest: &str) -> Option<Url> {
    let before_parameters = rest.rsplit_once('?').map_or(rest, |(before, _)| before);
    let at = before_parameters.rfind('@').or_else(|| rest.rfind('@'))?;
    let (sign_in, place) = (&rest[..at], &rest[at + 1..]);
    let (user, password) = sign_in.split_once(':').map_or((sign_in, None), |(user, password)| (user, Some(password)));
    let password = password.map(|password| format!(":{}", encode(password))).unwrap_or_default();
    let host = if place.is_empty() || place.starts_with(['/', '?']) { "localhost" } else { "" };
    Url::parse(&format!("{scheme}://{}{password}@{host}{place}", encode(user))).ok()
}

/// Escapes the characters that would end the password. Existing escapes stay.
fn encode(text: &str) -> String {
    let escape = |c: char| if "/?#[]@: ".contains(c) { format!("%{:02X}", c as u32) } else { c.to_string() };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::super::resolve;

    #[test]
    fn sqlalchemys_spelling_of_postgresql_is_understood() {
        for (given, read) in [
            ("postgres://ann:pass@localhost/cams", "postgres://ann:pass@localhost/cams"),
            ("postgresql+asyncpg://ann:p%40ss@db:5432/x", "postgresql://ann:p%40ss@db:5432/x"),
            ("postgresql+psycopg2://db/x", "postgresql://db/x"),
            ("postgresql+psycopg://db/x?sslmode=require", "postgresql://db/x?sslmode=require"),
            ("POSTGRESQL+PSYCOPG2CFFI://db/x", "postgresql://db/x"),
            ("postgresql+asyncpg://db/x?ssl=require", "postgresql://db/x?sslmode=require"),
            ("postgresql+asyncpg://db/x?ssl=verify-full&connect_timeout=3", "postgresql://db/x?sslmode=verify-full"),
            ("postgresql+asyncpg://db/x?ssl=false", "postgresql://db/x?sslmode=disable"),
            ("postgresql://db/x?timeout=9", "postgresql://db/x"),
            (
                "postgresql+asyncpg://db/x?prepared_statement_cache_size=0",
                "postgresql://db/x?statement-cache-capacity=0",
            ),
            ("postgresql+asyncpg://db/x?prepared_statement_cache_size=50", "postgresql://db/x"),
            ("postgres://db/x?pgbouncer=true&statement_cache_size=0", "postgres://db/x?statement-cache-capacity=0"),
            (
                "postgresql+psycopg2://ann:pw@/x?host=/run/postgresql",
                "postgresql://ann:pw@localhost/x?host=/run/postgresql",
            ),
            ("postgresql+asyncpg://ann:a/b?c#d@db/x", "postgresql://ann:a%2Fb%3Fc%23d@db/x"),
            ("postgresql+asyncpg://ann:a/%2F@db/x?ssl=require", "postgresql://ann:a%2F%2F@db/x?sslmode=require"),
        ] {
            let resolved = resolve(given).unwrap_or_else(|error| panic!("{given}: {error}"));
            assert_eq!((resolved.url.as_str(), resolved.notes.len()), (read, 0), "{given}");
        }
    }

    #[test]
    fn an_unknown_parameter_is_named_without_its_value_and_left_out() {
        let resolved = resolve("postgres://db/x?sslpassword=hunter2&application_name=a").unwrap();
        assert_eq!(resolved.url, "postgres://db/x?application_name=a");
        assert_eq!(resolved.notes, ["the parameter sslpassword is unknown and ignored"]);
    }
}
