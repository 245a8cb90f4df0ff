//! How the value of one setting is read and checked.

use super::{MAKE_SECRET, SECRET_BYTES};
use api::PublicPath;
use ipnet::{IpNet, Ipv4Net};
use migration::environment::{DatabaseUrl, expand_home, resolve};
use service::storage::sqlite_file;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use url::Url;

/// The address, with the wish that a missing SQLite file is made.
pub(super) fn database_url(given: Option<String>) -> Result<DatabaseUrl, String> {
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

pub(super) fn bind_address(text: &str) -> Result<SocketAddr, String> {
    let mend = "must be an address and a port such as 127.0.0.1:8000";
    let mut found = text.to_socket_addrs().map_err(|error| format!("BIND_ADDRESS={text}: {mend} ({error})"))?;
    found.next().ok_or_else(|| format!("BIND_ADDRESS={text}: {mend}"))
}

pub(super) fn secret(given: Option<String>) -> Result<Option<String>, String> {
    match given {
        Some(secret) if secret.len() < SECRET_BYTES => {
            Err(format!("JWT_SECRET: has {} bytes and needs {SECRET_BYTES}; {MAKE_SECRET}", secret.len()))
        }
        secret => Ok(secret),
    }
}

pub(super) fn media_dir(given: Option<String>) -> Result<PathBuf, String> {
    let given = given.unwrap_or_else(|| "media".into());
    let folder = expand_home(&given).map_err(|error| format!("MEDIA_DIR={given}: {error}"))?;
    if folder.exists() && !folder.is_dir() {
        return Err(format!(
            "MEDIA_DIR={}: is no folder; name one, which is made when it is missing",
            folder.display()
        ));
    }
    Ok(folder)
}

pub(super) fn log_filter(given: Option<String>) -> Result<String, String> {
    let filter = given.unwrap_or_else(|| "info".into());
    match env_filter::Builder::new().try_parse(&filter) {
        Ok(_) => Ok(filter),
        Err(error) => Err(format!("RUST_LOG={filter}: {error}; write a level such as info, or module=level,…")),
    }
}

/// Origins as browsers write them: in lower case, without the port that goes without saying.
pub(super) fn origins(list: &str) -> Result<Vec<String>, String> {
    let read = |origin: &str| {
        let url = Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let is_bare =
            url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        (is_bare && !origin.ends_with('/') && !origin.contains('*')).then(|| url.origin().ascii_serialization())
    };
    let mend = "must be an exact origin such as https://example.org, without a path and never *";
    items(list).map(|origin| read(origin).ok_or_else(|| format!("CORS_ORIGINS={origin}: {mend}"))).collect()
}

pub(super) fn public_path(text: &str) -> Result<PublicPath, String> {
    text.parse().map_err(|why| format!("PUBLIC_PATH={text}: {why}"))
}

pub(super) fn proxies(list: &str) -> Result<Vec<IpNet>, String> {
    let mend = "must be the addresses or networks of reverse proxies, comma-separated, such as 127.0.0.1,10.0.0.0/8";
    let read = |text: &str| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        address.or_else(|_| text.parse::<IpNet>()).map_err(|_| format!("TRUSTED_PROXIES={text}: {mend}"))
    };
    let check = |net: IpNet| match mapped(net.trunc()) {
        net if net.prefix_len() == 0 => {
            Err(format!("TRUSTED_PROXIES={net}: would believe everybody; name the networks of the proxies alone"))
        }
        net => Ok(net),
    };
    items(list).map(|text| check(read(text)?)).collect()
}

/// An IPv4 network that is written as one of IPv6, as what it is.
fn mapped(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let (v4, length) = (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96));
    let v4 = v4.zip(length).and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    v4.map_or(net, IpNet::V4)
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}
