//! What a scan tells.

use std::path::PathBuf;

/// What a scan did.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// Videos that are new.
    pub added: usize,
    /// Videos whose file or picture changed.
    pub updated: usize,
    /// Videos that were there already.
    pub unchanged: usize,
    /// Videos whose file lies elsewhere now.
    pub moved: usize,
    /// Videos whose file is there again.
    pub returned: usize,
    /// Videos whose file is not there, those included that were missing before.
    pub missing: usize,
    /// Files whose video was deleted, and which are left out for that.
    pub deleted: usize,
    /// Links that were not followed, and second names of a file.
    pub links: usize,
    /// What there is to say of single files that are no problem.
    pub notes: Vec<FileNote>,
    /// Files that were skipped.
    pub problems: Vec<FileNote>,
}

/// A sentence about a file.
#[derive(Debug)]
pub struct FileNote {
    /// The file.
    pub path: PathBuf,
    /// What there is to say.
    pub text: String,
}

/// How far a scan is.
#[derive(Clone, Copy, Debug)]
pub struct ScanProgress {
    /// Steps done.
    pub done: usize,
    /// Steps to do, two for each file: to look at it, and to register it.
    pub total: usize,
}

impl ScanReport {
    pub(super) fn note(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.notes.push(FileNote { path: path.into(), text: text.into() });
    }

    pub(super) fn problem(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.problems.push(FileNote { path: path.into(), text: text.into() });
    }
}
