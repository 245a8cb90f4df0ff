//! Addresses of pictures that clients set. The browsers of all viewers load them.

use crate::Error;
use crate::caller::UserRole;
use url::{Origin, ParseError, Url};

/// The host that a browser loads an address from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    /// The host of the page.
    Own,
    /// Another host, which can see the IP addresses of viewers.
    Foreign,
}

/// Checks the address of a picture for a video of an uploader with this role. An empty one becomes
/// `None`.
///
/// # Errors
/// [`Error::Invalid`] when it is neither a path of this site nor an https address, or when it is on
/// another host and the uploader is not an administrator.
pub(crate) fn validate(address: Option<String>, uploader: UserRole) -> Result<Option<String>, Error> {
    let refused = |message: &str| Error::Invalid { field: "thumbnail_path".into(), message: message.into() };
    let Some(address) = address.filter(|address| !address.is_empty()) else { return Ok(None) };
    if address.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') || hides_a_separator(&address) {
        return Err(refused("must not contain spaces, control characters or backslashes, nor encoded ones or slashes"));
    }
    match host(&address) {
        Some(Host::Own) => Ok(Some(address)),
        Some(Host::Foreign) if uploader == UserRole::Admin => Ok(Some(address)),
        Some(Host::Foreign) => {
            Err(refused("must be a path of this site: only videos of administrators name other hosts"))
        }
        None => Err(refused("must be a path of this site or an address with https")),
    }
}

/// The address, if it may be displayed: it may be older than the rules.
pub(crate) fn if_displayable(address: Option<String>, uploader: UserRole) -> Option<String> {
    address.filter(|address| match host(address) {
        Some(Host::Own) => true,
        Some(Host::Foreign) => uploader == UserRole::Admin,
        None => false,
    })
}

/// The host of an address, by the URL standard; `None` if it depends on the scheme of the page or
/// is not allowed.
fn host(address: &str) -> Option<Host> {
    if is_simple_path(address) {
        return Some(Host::Own);
    }
    let at = |base: &str| Url::parse(base).and_then(|base| Url::options().base_url(Some(&base)).parse(address));
    let is_own = |base: &str| at(base).is_ok_and(|url| stays_at(&url, base));
    if is_own("http://page.invalid/") && is_own("https://page.invalid/") {
        return (!address.is_empty()).then_some(Host::Own);
    }
    // `https:host` is a path or a host, depending on the page.
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let is_https = scheme.eq_ignore_ascii_case("https") && !authority.is_empty() && !authority.contains('@');
    (is_https && matches!(origin_of(address), Ok(Origin::Tuple(..)))).then_some(Host::Foreign)
}

/// Whether it is a simple path, which needs no parsing, as most addresses are: lists check every
/// video. Dots after a slash may remove parts of a path and leave two slashes at its start.
fn is_simple_path(address: &str) -> bool {
    let has_dots_or_empty_parts = address.contains("//") || address.contains("/.");
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/?=&".contains(&byte);
    address.starts_with('/') && !has_dots_or_empty_parts && address.bytes().all(is_allowed)
}

fn origin_of(address: &str) -> Result<Origin, ParseError> {
    Url::parse(address).map(|url| url.origin())
}

/// Whether the URL has the scheme and host of `base`, no credentials, and a path without two
/// slashes.
fn stays_at(url: &Url, base: &str) -> bool {
    let prefix = url.as_str().strip_prefix(base);
    prefix.is_some_and(|path| !path.starts_with('/')) && url.username().is_empty() && url.password().is_none()
}

/// Whether the address contains encoded characters that a server or proxy may decode to another
/// path or line.
fn hides_a_separator(address: &str) -> bool {
    let encoded = address.split('%').skip(1).filter_map(|rest| rest.get(..2));
    let mut bytes = encoded.filter_map(|digits| u8::from_str_radix(digits, 16).ok());
    bytes.any(|byte| byte.is_ascii_control() || matches!(byte, b' ' | b'/' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_parsed_as_browsers_do() {
        for own in
            ["/a.jpg", "a.jpg", "/ph/a.jpg?v=1#x", "/bücher/é.png", "/a//b", "/a:b", "/@x", "/a%C3%A9.jpg", "./a"]
        {
            assert_eq!(host(own), Some(Host::Own), "{own}");
        }
        for foreign in
            ["https://example.org/a.jpg", "HTTPS://EXAMPLE.ORG", "https://example.org:8443/a?b", "https://[::1]/"]
        {
            assert_eq!(host(foreign), Some(Host::Foreign), "{foreign}");
        }
        for neither in [
            "//evil.example/a.jpg",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "\u{1}//evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "https://",
            "https://@evil.example",
            "https://ann:secret@evil.example/",
            "https://page.invalid@evil.example/",
            "h\tttps://evil.example",
            "http://evil.example/a.jpg",
            "HtTp://evil.example",
            "http:evil.example",
            "JavaScript:alert(1)",
            "java\nscript:alert(1)",
            "data:image/png;base64,AA==",
            "blob:https://page.invalid/0",
            "file:///etc/passwd",
            "ftp://evil.example/a.jpg",
            "/.//evil.example",
            "/..//evil.example",
            "/%2e//evil.example",
            "",
        ] {
            assert_eq!(host(neither), None, "{neither:?}");
        }
    }

    #[test]
    fn an_address_with_special_characters_is_refused() {
        for bad in
            ["/a b", "/a\tb", "/a\u{85}b", "/a\u{a0}b", "/a\\b", "/%2F..", "/%5cevil", "/a%0d%0ab", "/a%00", "/a%20b"]
        {
            assert!(validate(Some(bad.into()), UserRole::Admin).is_err(), "{bad:?}");
        }
        assert_eq!(validate(Some(String::new()), UserRole::User).unwrap(), None);
    }
}
