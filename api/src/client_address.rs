//! The IP address of the client, also behind reverse proxies.

use crate::error::Problem;
use crate::state::{self, AppState};
use actix_web::dev::Payload;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};
use ipnet::IpNet;
use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the peer, or, when the peer is a trusted proxy, the right-most
/// entry of `X-Forwarded-For` (else of `Forwarded`) that is not a trusted proxy.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

impl FromRequest for ClientAddress {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(state::app_data(request).map(|app| {
            let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
            Self(client_address(peer, request.headers(), &app.trusted_proxies))
        }))
    }
}

/// Whether a trusted proxy sent the request.
pub(crate) fn is_from_trusted_proxy(app: &AppState, request: &HttpRequest) -> bool {
    let peer = request.peer_addr().map(|address| address.ip().to_canonical());
    peer.is_some_and(|peer| app.trusted_proxies.iter().any(|proxies| proxies.contains(&peer)))
}

/// An entry is trusted only if the proxy that wrote it is. When a trusted proxy wrote no readable
/// address, the result is the proxy itself.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted_proxies.iter().any(|proxies| proxies.contains(address));
    let mut address = peer.to_canonical();
    if !is_trusted(&address) {
        return address;
    }
    // A proxy that sets one of the headers passes the other on as the client sent it. Nearly all
    // set this one.
    let hops = if headers.contains_key(X_FORWARDED_FOR) {
        elements(headers, &X_FORWARDED_FOR).iter().map(|hop| read_address(hop)).collect()
    } else {
        elements(headers, &FORWARDED).iter().map(|hop| forwarded_for(hop)).collect::<Vec<_>>()
    };
    for hop in hops.into_iter().rev() {
        let Some(earlier) = hop else { break };
        address = earlier;
        if !is_trusted(&address) {
            break;
        }
    }
    address
}

/// The elements of a list header in all its lines, without empty ones (RFC 9110, 5.6.1).
fn elements(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).map(|line| String::from_utf8_lossy(line.as_bytes()));
    let elements = lines.flat_map(|line| split(&line, ',').into_iter().map(str::to_owned).collect::<Vec<_>>());
    elements.filter(|element| !element.is_empty()).collect()
}

/// Splits at separators outside quotes. With an unbalanced quote, quotes mean nothing: a client
/// that opens one must not hide what a proxy appends.
fn split(text: &str, separator: char) -> Vec<&str> {
    let is_balanced = text.matches('"').count().is_multiple_of(2);
    let mut is_quoted = false;
    let parts = text.split(|letter| {
        is_quoted ^= letter == '"' && is_balanced;
        letter == separator && !is_quoted
    });
    parts.map(str::trim).collect()
}

/// The address in `for=` of an element of `Forwarded` (RFC 7239).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = split(element, ';');
    let mut values = pairs.into_iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    read_address(values.next()?)
}

/// Parses an address with or without port, brackets, quotes and zone id. `None` for `unknown`,
/// `_hidden` and the like.
fn read_address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"').trim();
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match text.split_once(':') {
            // With several colons it is an IPv6 address without port: with a port it has brackets.
            Some((host, port)) if !port.contains(':') => host,
            _ => text,
        },
    };
    let host = host.split('%').next().unwrap_or_default();
    let address = host.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    const PROXIES: [&str; 4] = ["127.0.0.1/32", "10.0.0.0/8", "2001:db8:aa::/48", "::1/128"];

    /// The client address of a request with these headers from the proxy 10.1.2.3.
    fn address_for(lines: &[(&HeaderName, &str)]) -> String {
        from("10.1.2.3", lines)
    }

    fn from(peer: &str, lines: &[(&HeaderName, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append((*name).clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let proxies = PROXIES.map(|net| net.parse().unwrap());
        client_address(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn every_form_of_address_that_proxies_write_is_parsed() {
        for (entry, address) in [
            ("203.0.113.9", "203.0.113.9"),
            ("203.0.113.9:40001", "203.0.113.9"),
            ("203.0.113.9:_port", "203.0.113.9"),
            ("[2001:db8::9]:443", "2001:db8::9"),
            ("[2001:db8::9]", "2001:db8::9"),
            ("2001:db8::9", "2001:db8::9"),
            ("2001:DB8:0:0::9", "2001:db8::9"),
            ("fe80::9%eth0", "fe80::9"),
            ("[fe80::9%25eth0]:80", "fe80::9"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("[::ffff:203.0.113.9]:40001", "203.0.113.9"),
            ("::ffff:cb00:7109", "203.0.113.9"),
            ("\"203.0.113.9\"", "203.0.113.9"),
            ("\"[2001:db8::9]:443\"", "2001:db8::9"),
            (" 203.0.113.9 , ", "203.0.113.9"),
        ] {
            assert_eq!(address_for(&[(&X_FORWARDED_FOR, entry)]), address, "{entry}");
        }
    }

    #[test]
    fn entries_that_the_client_wrote_are_ignored() {
        for line in [
            "198.51.100.1, 203.0.113.9",
            "198.51.100.1,, 203.0.113.9:1, 10.9.9.9",
            "garbage, 203.0.113.9, [2001:db8:aa::1]:80, 127.0.0.1",
            "\", 203.0.113.9",
            "\u{fffd}, 203.0.113.9",
        ] {
            assert_eq!(address_for(&[(&X_FORWARDED_FOR, line)]), "203.0.113.9", "{line}");
        }
        assert_eq!(from("192.0.2.1", &[(&X_FORWARDED_FOR, "203.0.113.9")]), "192.0.2.1", "no trusted proxy");
        let lines =
            [(&X_FORWARDED_FOR, "198.51.100.1"), (&X_FORWARDED_FOR, "203.0.113.9"), (&X_FORWARDED_FOR, "10.0.0.1")];
        assert_eq!(address_for(&lines), "203.0.113.9", "several lines are one list");
    }

    #[test]
    fn without_a_readable_entry_the_proxy_is_the_client() {
        for entry in ["unknown", "_hidden", "_a:80", "", "[2001:db8::9", "1.2.3", "300.0.0.1", "localhost"] {
            assert_eq!(address_for(&[(&X_FORWARDED_FOR, entry)]), "10.1.2.3", "{entry}");
        }
        assert_eq!(address_for(&[(&X_FORWARDED_FOR, "203.0.113.9, unknown, 10.7.7.7")]), "10.7.7.7");
        assert_eq!(address_for(&[(&X_FORWARDED_FOR, "10.7.7.7, 10.8.8.8")]), "10.7.7.7", "only proxies");
    }

    #[test]
    fn forwarded_is_read_only_without_x_forwarded_for() {
        for (line, address) in [
            ("for=203.0.113.9", "203.0.113.9"),
            ("For=\"203.0.113.9:40001\";proto=https;by=10.0.0.1", "203.0.113.9"),
            ("proto=http; for=\"[2001:db8::9]:443\"", "2001:db8::9"),
            ("for=198.51.100.1;host=\"a,b;for=x\", for=203.0.113.9, for=10.0.0.1", "203.0.113.9"),
            ("for=\", for=203.0.113.9", "203.0.113.9"),
            ("for=\", for=\"[2001:db8::9]\"", "2001:db8::9"),
            ("for=unknown", "10.1.2.3"),
            ("proto=https", "10.1.2.3"),
        ] {
            assert_eq!(address_for(&[(&FORWARDED, line)]), address, "{line}");
        }
        let both = [(&FORWARDED, "for=198.51.100.1"), (&X_FORWARDED_FOR, "203.0.113.9")];
        assert_eq!(address_for(&both), "203.0.113.9");
    }

    #[test]
    fn a_proxy_is_recognised_by_its_ipv4_mapped_address() {
        assert_eq!(from("::ffff:10.1.2.3", &[(&X_FORWARDED_FOR, "203.0.113.9")]), "203.0.113.9");
        assert_eq!(from("::1", &[(&X_FORWARDED_FOR, "203.0.113.9")]), "203.0.113.9");
    }
}
