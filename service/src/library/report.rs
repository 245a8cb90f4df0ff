//! The report of a scan.

use std::path::PathBuf;

/// The result of a scan.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// New videos.
    pub added: usize,
    /// Videos whose file or picture changed.
    pub updated: usize,
    /// Videos that did not change.
    pub unchanged: usize,
    /// Videos whose file was moved.
    pub moved: usize,
    /// Videos whose missing file is back.
    pub returned: usize,
    /// Videos whose file is missing, including those of earlier scans.
    pub missing: usize,
    /// Files that were skipped because their video was deleted.
    pub deleted: usize,
    /// Skipped links, and second names of a file.
    pub links: usize,
    /// Remarks on single files.
    pub notes: Vec<FileNote>,
    /// Files that were skipped.
    pub problems: Vec<FileNote>,
}

/// A remark on a file.
#[derive(Debug)]
pub struct FileNote {
    /// The file.
    pub path: PathBuf,
    /// The remark.
    pub text: String,
}

/// The progress of a scan.
#[derive(Clone, Copy, Debug)]
pub struct ScanProgress {
    /// Steps done.
    pub done: usize,
    /// All steps, two for each file: to inspect it, and to register it.
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
