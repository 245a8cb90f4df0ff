//! Whether a request comes from this machine, not through a proxy.

use crate::error::Problem;
use actix_web::dev::Payload;
use actix_web::http::Version;
use actix_web::http::header::{FORWARDED, HOST, HeaderName, HeaderValue, ORIGIN, REFERER, VIA};
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};
use std::net::IpAddr;
use url::{Host, Url};

/// Prefixes of the headers in which proxies, tunnels and CDNs say where a request came from.
const FORWARDING_PREFIXES: [&str; 31] = [
    "x-forwarded",
    "x-real-",
    "x-client-",
    "x-cluster-client-",
    "x-original-",
    "x-originating-",
    "x-remote-",
    "x-host",
    "x-scheme",
    "x-proxy",
    "x-nginx-",
    "x-haproxy-",
    "x-varnish",
    "x-envoy-",
    "x-arr-",
    "x-azure-",
    "x-appengine-",
    "x-amz-cf-",
    "x-amzn-",
    "x-vercel-",
    "x-ngrok-",
    "ngrok-",
    "client-ip",
    "true-client-ip",
    "proxy-client-ip",
    "wl-proxy-",
    "cf-",
    "cdn-",
    "fastly-",
    "fly-",
    "tailscale-",
];

/// Whether a program on this machine sent the request, and no header hints at a proxy or tunnel.
/// It is no proof: a proxy can hide all its traces, and a local program can send anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalClient(pub(crate) bool);

impl FromRequest for LocalClient {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(is_local(request))))
    }
}

fn is_local(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let from_here = request.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    // nginx uses HTTP/1.0 by default in older versions, and adds no header.
    let is_modern = request.version() >= Version::HTTP_11;
    let is_forwarded = headers.keys().any(is_forwarding_header);
    let mut hosts =
        headers.get_all(HOST).map(|host| host.to_str().ok().and_then(|host| host_of(&format!("http://{host}"))));
    let host_is_here = hosts.next().flatten().is_some_and(is_loopback_host) && hosts.next().is_none();
    let target_is_here =
        request.uri().authority().is_none_or(|named| host_of(&format!("http://{named}")).is_some_and(is_loopback_host));
    // What a browser says about the page.
    let is_page_of_here = |page: &HeaderValue| page.to_str().ok().and_then(host_of).is_some_and(is_loopback_host);
    let page_is_here = headers.get_all(ORIGIN).chain(headers.get_all(REFERER)).all(is_page_of_here);
    from_here && is_modern && !is_forwarded && host_is_here && target_is_here && page_is_here
}

fn is_forwarding_header(header: &HeaderName) -> bool {
    [FORWARDED, VIA].contains(header) || FORWARDING_PREFIXES.iter().any(|begin| header.as_str().starts_with(begin))
}

fn host_of(url: &str) -> Option<Host> {
    Url::parse(url).ok()?.host().map(|host| host.to_owned())
}

fn is_loopback_host(host: Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(address).to_canonical().is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn from(peer: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let request = TestRequest::post().uri("/api/v1/auth/register").peer_addr(peer.parse().unwrap());
        is_local(&headers.iter().fold(request, |request, header| request.append_header(*header)).to_http_request())
    }

    #[test]
    fn a_local_program_is_distinguished_from_a_proxy() {
        for host in ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST", "app.localhost", "127.1.2.3"] {
            assert!(from("127.0.0.1:5000", &[("host", host)]), "{host}");
            assert!(from("[::1]:5000", &[("host", host), ("origin", "http://localhost:5173")]), "{host}");
        }
        for host in
            ["example.org", "", "localhost.example.org", "notlocalhost", "192.0.2.1", "[2001:db8::1]:8000", "a b"]
        {
            assert!(!from("127.0.0.1:5000", &[("host", host)]), "{host}");
        }
        for header in [
            ("x-forwarded-for", "127.0.0.1"),
            ("X-Forwarded-Proto", "https"),
            ("forwarded", "for=127.0.0.1"),
            ("via", "1.1 proxy"),
            ("x-real-ip", ""),
            ("cf-connecting-ip", "192.0.2.1"),
            ("tailscale-user-login", "ann"),
            ("host", "localhost"),
            ("origin", "https://example.org"),
            ("origin", "null"),
            ("referer", "https://example.org/"),
        ] {
            assert!(!from("127.0.0.1:5000", &[("host", "localhost"), header]), "{header:?}");
        }
        assert!(!from("192.0.2.1:5000", &[("host", "localhost")]), "another machine");
        assert!(!from("127.0.0.1:5000", &[]), "no host");
    }

    #[test]
    fn http_1_0_and_a_forward_proxy_are_not_local() {
        let old = TestRequest::post().peer_addr("127.0.0.1:5000".parse().unwrap()).version(Version::HTTP_10);
        assert!(!is_local(&old.append_header(("host", "localhost")).to_http_request()));
        let absolute = TestRequest::post().peer_addr("127.0.0.1:5000".parse().unwrap()).uri("http://example.org/");
        assert!(!is_local(&absolute.append_header(("host", "localhost")).to_http_request()));
    }
}
