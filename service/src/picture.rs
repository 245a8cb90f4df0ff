//! Addresses of pictures that a client names, and that the browsers of all who see the video then ask.

use crate::Error;
use crate::user::UserRole;
use url::{Origin, ParseError, Url};

/// Where a browser goes for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    /// To the site that the page is of.
    Own,
    /// To another one, which sees the viewers' addresses.
    Foreign,
}

/// An address that a client names for a video of somebody with this role; an empty one is none.
///
/// # Errors
/// [`Error::Invalid`] when it is neither a path of this site nor an https address, or is one on another host and the uploader
/// is no administrator.
pub(crate) fn checked(address: Option<String>, uploader: UserRole) -> Result<Option<String>, Error> {
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

/// What was named before these rules, where it may be shown.
pub(crate) fn shown(address: Option<String>, uploader: UserRole) -> Option<String> {
    address.filter(|address| match host(address) {
        Some(Host::Own) => true,
        Some(Host::Foreign) => uploader == UserRole::Admin,
        None => false,
    })
}

/// Where a browser goes, by the rules that browsers go by, whether the page came by http or by https.
fn host(address: &str) -> Option<Host> {
    if is_plain_path(address) {
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
    let is_plain = scheme.eq_ignore_ascii_case("https") && !authority.is_empty() && !authority.contains('@');
    (is_plain && matches!(alone(address), Ok(Origin::Tuple(..)))).then_some(Host::Foreign)
}

/// Whether it is a path that needs no second look, as nearly all are: a list asks for each of its videos. Dots after a slash may
/// take parts of a path away, and leave two slashes at its start.
fn is_plain_path(address: &str) -> bool {
    let has_odd_parts = address.contains("//") || address.contains("/.");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/?=&".contains(&byte);
    address.starts_with('/') && !has_odd_parts && address.bytes().all(is_plain)
}

fn alone(address: &str) -> Result<Origin, ParseError> {
    Url::parse(address).map(|url| url.origin())
}

/// The same scheme and host, no credentials, and a path that is also one when it is read without its base.
fn stays_at(url: &Url, base: &str) -> bool {
    let prefix = url.as_str().strip_prefix(base);
    prefix.is_some_and(|path| !path.starts_with('/')) && url.username().is_empty() && url.password().is_none()
}

/// What servers and proxies on the way may decode to another path or another line.
fn hides_a_separator(address: &str) -> bool {
    let encoded = address.split('%').skip(1).filter_map(|rest| rest.get(..2));
    let mut bytes = encoded.filter_map(|digits| u8::from_str_radix(digits, 16).ok());
    bytes.any(|byte| byte.is_ascii_control() || matches!(byte, b' ' | b'/' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_browsers_take_it() {
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
    fn what_is_named_is_plain() {
        for bad in
            ["/a b", "/a\tb", "/a\u{85}b", "/a\u{a0}b", "/a\\b", "/%2F..", "/%5cevil", "/a%0d%0ab", "/a%00", "/a%20b"]
        {
            assert!(checked(Some(bad.into()), UserRole::Admin).is_err(), "{bad:?}");
        }
        assert_eq!(checked(Some(String::new()), UserRole::User).unwrap(), None);
    }
}
