//! The files of `web/`, embedded in the program.

use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../web"]
struct WebFiles;

/// The route pattern of the files, by the extensions that there are.
pub(crate) const PATTERN: &str = "/{path:.*\\.(?:js|css|svg|html|png|ico|webmanifest)}";

/// The file at this path, relative to `web/`.
pub(crate) fn find(path: &str) -> Option<EmbeddedFile> {
    WebFiles::get(path)
}

/// Whether the path of a request, with its leading slash, names a file.
pub(crate) fn exists(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|path| WebFiles::get(path).is_some())
}
