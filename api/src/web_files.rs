//! The files of the web page: those of `web/`, and below the same root the sources of the package
//! in `client/`, from which the pages import. Both folders are embedded in the program.

use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../web"]
struct PageFiles;

#[derive(RustEmbed)]
#[folder = "../client/src"]
struct ClientFiles;

/// The route pattern of the files, by the extensions that there are.
pub(crate) const PATTERN: &str = "/{path:.*\\.(?:js|css|svg|html|png|ico|webmanifest)}";

/// The file at this path, relative to the root of the page.
pub(crate) fn find(path: &str) -> Option<EmbeddedFile> {
    PageFiles::get(path).or_else(|| ClientFiles::get(path))
}

/// Whether the path of a request, with its leading slash, names a file.
pub(crate) fn exists(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|path| find(path).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_of_the_client_is_hidden_by_one_of_the_page() {
        assert!(ClientFiles::get("playhead.js").is_some());
        for path in ClientFiles::iter() {
            assert!(PageFiles::get(&path).is_none(), "{path}");
        }
    }
}
