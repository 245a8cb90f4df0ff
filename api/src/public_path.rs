//! The path under which a reverse proxy publishes the site.

use crate::paths;
use service::plays::Play;
use service::recommendations::Recommendation;
use service::video::{NewVideo, NumberedPage, Video, VideoUpdate};
use service::watch_history::{ContinueWatching, HistoryItem};
use std::fmt::{self, Display};
use std::str::FromStr;
use utoipa::openapi::security::{Flow, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr, Server};

/// First segments of the server's own paths; a public path with one of them would be ambiguous.
const RESERVED: [&str; 4] = ["api", "docs", "health", "openapi.json"];

/// A path such as `/ph`, or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicPath(String);

impl FromStr for PublicPath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = text.trim_matches('/');
        if inner.is_empty() {
            return if text.len() <= 1 { Ok(Self::default()) } else { Err("must be one path, such as /ph") };
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '/');
        let mut parts = inner.split('/');
        if !inner.chars().all(is_plain) || parts.clone().any(|part| matches!(part, "" | "." | "..")) {
            return Err("must be a path such as /ph, of letters, digits, -, _, . and ~ between its slashes");
        }
        if text.starts_with("//") || text.ends_with("//") {
            return Err("must be a path such as /ph, without empty segments");
        }
        if parts.next().is_some_and(|first| RESERVED.contains(&first)) {
            return Err("starts with api, docs, health or openapi.json, which the server uses itself: choose another \
                 first segment");
        }
        Ok(Self(format!("/{inner}")))
    }
}

impl Display for PublicPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PublicPath {
    /// Adds the public path to the links of a response.
    pub(crate) fn prefix_links<T: Links>(&self, mut value: T) -> T {
        value.set_links();
        if !self.0.is_empty() {
            value.each_link(&mut |address| {
                if address.starts_with("/api/") {
                    address.insert_str(0, &self.0);
                }
            });
        }
        value
    }

    /// Removes the public path from the links of a request.
    pub(crate) fn unprefix_links<T: Links>(&self, mut value: T) -> T {
        value.each_link(&mut |address| {
            if let Some(inner) = address.strip_prefix(&self.0).filter(|inner| inner.starts_with("/api/")) {
                *address = inner.to_owned();
            }
        });
        value
    }

    /// Adds the public path to the server and token URLs of the API document.
    pub(crate) fn describe(&self, mut document: OpenApi) -> OpenApi {
        if self.0.is_empty() {
            return document;
        }
        document.servers = Some(vec![Server::new(&self.0)]);
        let schemes = document.components.iter_mut().flat_map(|components| components.security_schemes.values_mut());
        for scheme in schemes {
            let RefOr::T(SecurityScheme::OAuth2(scheme)) = scheme else { continue };
            for flow in scheme.flows.values_mut() {
                // A token URL that starts with a slash is relative to the host, not to the server
                // URL.
                if let Flow::Password(flow) = flow {
                    flow.token_url.insert_str(0, &self.0);
                }
            }
        }
        document
    }

    /// The rest of a path that starts with this one; `None` when it does not, or when this one is
    /// empty.
    pub(crate) fn strip_from<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(&self.0).filter(|_| !self.0.is_empty())
    }
}

/// A value that contains links to this server.
pub(crate) trait Links {
    /// Calls `change` with each link.
    fn each_link(&mut self, change: &mut impl FnMut(&mut String));

    /// Sets the addresses that follow from ids: the use cases return none of them.
    fn set_links(&mut self) {}
}

impl Links for String {
    fn each_link(&mut self, change: &mut impl FnMut(&mut String)) {
        change(self);
    }
}

impl<T: Links> Links for Vec<T> {
    fn each_link(&mut self, change: &mut impl FnMut(&mut String)) {
        self.iter_mut().for_each(|item| item.each_link(change));
    }

    fn set_links(&mut self) {
        self.iter_mut().for_each(Links::set_links);
    }
}

impl Links for Video {
    fn each_link(&mut self, change: &mut impl FnMut(&mut String)) {
        [&mut self.thumbnail_path, &mut self.stream_url].into_iter().flatten().for_each(change);
    }

    fn set_links(&mut self) {
        if self.thumbnail_path.is_none() && self.has_thumbnail_file {
            self.thumbnail_path = Some(paths::thumbnail(self.id));
        }
        self.stream_url = self.has_file.then(|| paths::stream(self.id));
    }
}

impl Links for HistoryItem {
    fn each_link(&mut self, change: &mut impl FnMut(&mut String)) {
        self.video.each_link(change);
    }

    fn set_links(&mut self) {
        self.video.set_links();
    }
}

impl Links for Play {
    fn each_link(&mut self, _: &mut impl FnMut(&mut String)) {}
}

impl Links for NumberedPage {
    fn each_link(&mut self, change: &mut impl FnMut(&mut String)) {
        self.items.each_link(change);
    }

    fn set_links(&mut self) {
        self.items.set_links();
    }
}

impl Links for Recommendation {
    fn each_link(&mut self, change: &mut impl FnMut(&mut String)) {
        self.video.each_link(change);
    }

    fn set_links(&mut self) {
        self.video.set_links();
    }
}

impl Links for NewVideo {
    fn each_link(&mut self, change: &mut impl FnMut(&mut String)) {
        self.thumbnail_path.iter_mut().for_each(change);
    }
}

impl Links for VideoUpdate {
    fn each_link(&mut self, change: &mut impl FnMut(&mut String)) {
        self.thumbnail_path.iter_mut().flatten().for_each(change);
    }
}

impl Links for ContinueWatching {
    fn each_link(&mut self, change: &mut impl FnMut(&mut String)) {
        self.video_thumbnail_path.iter_mut().for_each(change);
    }

    fn set_links(&mut self) {
        if self.video_thumbnail_path.is_none() && self.has_thumbnail_file {
            self.video_thumbnail_path = Some(paths::thumbnail(self.video_id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_parsed_with_or_without_outer_slashes() {
        for (given, read) in [("", ""), ("/", ""), ("ph", "/ph"), ("/ph/", "/ph"), ("/a/b.c-d_e~f", "/a/b.c-d_e~f")] {
            assert_eq!(given.parse::<PublicPath>().unwrap().to_string(), read);
        }
        for bad in [
            "//",
            "//ph",
            "/ph//",
            "/a//b",
            "/..",
            "/a/../b",
            "/.",
            "/a b",
            "/a%20b",
            "/a?b",
            "/a#b",
            "/a\\b",
            "/é",
            "https://x/ph",
            "/api",
            "/docs/x",
            "health",
            "/openapi.json",
            "/a\tb",
        ] {
            assert!(bad.parse::<PublicPath>().is_err(), "{bad:?}");
        }
    }
}
