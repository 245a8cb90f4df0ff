//! Parses the settings that are not numbers, switches or words.

use super::{MAKE_SECRET, SECRET_BYTES};
use api::PublicPath;
use ipnet::{IpNet, Ipv4Net};
use migration::environment::{DatabaseUrl, expand_home, resolve};
use service::relay::RedisAddress;
use service::storage::sqlite_file;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use url::Url;

/// The URL, with `mode=rwc` for SQLite unless it has a mode: a missing file is created.
pub(super) fn parse_database_url(given: Option<String>) -> Result<DatabaseUrl, String> {
    let given = given.as_deref().unwrap_or(migration::DEFAULT_URL);
    let mut address = resolve(given).map_err(|error| format!("DATABASE_URL={error}"))?;
    let url = &mut address.url;
    if url.starts_with("sqlite:") {
        let named =
            |error| format!("DATABASE_URL={}: {error}; write sqlite://FILE", migration::environment::redacted(url));
        sqlite_file(url).map_err(named)?;
        if !url.contains("mode=") {
            url.push_str(if url.contains('?') { "&mode=rwc" } else { "?mode=rwc" });
        }
    }
    Ok(address)
}

/// The message must not show the URL, which may hold a password.
pub(super) fn parse_redis_url(given: Option<String>) -> Result<Option<RedisAddress>, String> {
    given.map(|url| RedisAddress::parse(&url).map_err(|error| format!("REDIS_URL: {error}"))).transpose()
}

pub(super) fn parse_bind_address(given: Option<String>) -> Result<SocketAddr, String> {
    parse_address("BIND_ADDRESS", &given.unwrap_or_else(|| "127.0.0.1:8000".into()), "127.0.0.1:8000")
}

/// The address of the metrics, which is not that of the site.
pub(super) fn parse_metrics_address(given: Option<String>, site: SocketAddr) -> Result<Option<SocketAddr>, String> {
    let Some(text) = given else { return Ok(None) };
    let address = parse_address("METRICS_ADDRESS", &text, "127.0.0.1:9100")?;
    if address == site && address.port() != 0 {
        return Err(format!("METRICS_ADDRESS={text}: is also BIND_ADDRESS; choose another port"));
    }
    Ok(Some(address))
}

fn parse_address(name: &str, text: &str, example: &str) -> Result<SocketAddr, String> {
    let rule = format!("must be an address and a port such as {example}");
    let mut found = text.to_socket_addrs().map_err(|error| format!("{name}={text}: {rule} ({error})"))?;
    found.next().ok_or_else(|| format!("{name}={text}: {rule}"))
}

pub(super) fn check_secret(given: Option<String>) -> Result<Option<String>, String> {
    match given {
        Some(secret) if secret.len() < SECRET_BYTES => {
            Err(format!("JWT_SECRET: has {} bytes and needs {SECRET_BYTES}; {MAKE_SECRET}", secret.len()))
        }
        secret => Ok(secret),
    }
}

pub(super) fn parse_media_dir(given: Option<String>) -> Result<PathBuf, String> {
    let given = given.unwrap_or_else(|| "media".into());
    let folder = expand_home(&given).map_err(|error| format!("MEDIA_DIR={given}: {error}"))?;
    if folder.exists() && !folder.is_dir() {
        return Err(format!(
            "MEDIA_DIR={}: is not a folder; name a folder, which is created when it is missing",
            folder.display()
        ));
    }
    Ok(folder)
}

pub(super) fn parse_log_filter(given: Option<String>) -> Result<String, String> {
    let filter = given.unwrap_or_else(|| "info".into());
    match env_filter::Builder::new().try_parse(&filter) {
        Ok(_) => Ok(filter),
        Err(error) => Err(format!("RUST_LOG={filter}: {error}; write a level such as info, or module=level,…")),
    }
}

/// Origins as browsers send them: in lower case, without the default port.
pub(super) fn parse_origins(list: &str) -> Result<Vec<String>, String> {
    let read = |origin: &str| {
        let url = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let is_bare =
            url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        (is_bare && !origin.ends_with('/') && !origin.contains('*')).then(|| url.origin().ascii_serialization())
    };
    let rule = "must be an exact origin such as https://example.org, without a path and never *";
    items(list).map(|origin| read(origin).ok_or_else(|| format!("CORS_ORIGINS={origin}: {rule}"))).collect()
}

pub(super) fn parse_public_path(text: &str) -> Result<PublicPath, String> {
    text.parse().map_err(|why| format!("PUBLIC_PATH={text}: {why}"))
}

pub(super) fn parse_proxies(list: &str) -> Result<Vec<IpNet>, String> {
    let rule = "must be the addresses or networks of reverse proxies, comma-separated, such as 127.0.0.1,10.0.0.0/8";
    let read = |text: &str| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        address.or_else(|_| text.parse::<IpNet>()).map_err(|_| format!("TRUSTED_PROXIES={text}: {rule}"))
    };
    let check = |net: IpNet| match to_ipv4(net.trunc()) {
        net if net.prefix_len() == 0 => {
            Err(format!("TRUSTED_PROXIES={net}: would trust everybody; name only the networks of the proxies"))
        }
        net => Ok(net),
    };
    items(list).map(|text| check(read(text)?)).collect()
}

/// The IPv4 network that an IPv4-mapped IPv6 network stands for.
fn to_ipv4(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let (v4, length) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96));
    let v4 = v4.zip(length).and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    v4.map_or(net, IpNet::V4)
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}
