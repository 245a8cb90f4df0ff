//! What a scan does with each file that it found.

use super::inspect::ScannedFile;
use super::known::{FileRecord, KnownFile};
use super::matching::Match;
use std::path::Path;

/// What a scan does with a file.
pub(super) enum ScanAction<'a> {
    /// Add a video; `deleted` is the row of a deleted file that it replaces.
    Insert { deleted: Option<i64> },
    /// Update the video of the file.
    Update { id: i64, known: &'a KnownFile, has_moved: bool, is_changed: bool },
    /// Skip the file of a deleted video.
    Skip(&'a KnownFile),
    /// Skip a second name of a file.
    OtherName(&'a Path),
}

impl<'a> ScanAction<'a> {
    pub(super) fn of(found: &'a Match, all: &'a [KnownFile], restore: bool) -> Self {
        let (n, has_moved, is_changed) = match found {
            Match::New => return Self::Insert { deleted: None },
            Match::OtherName(path) => return Self::OtherName(path),
            Match::Same(n) => (*n, false, false),
            Match::Moved(n) => (*n, true, false),
            Match::Changed(n) => (*n, false, true),
        };
        let known = &all[n];
        match known.record {
            FileRecord::Video(id) => Self::Update { id, known, has_moved, is_changed },
            _ if !restore => Self::Skip(known),
            FileRecord::MarkedVideo(id) => Self::Update { id, known, has_moved, is_changed },
            FileRecord::Deleted(id) => Self::Insert { deleted: Some(id) },
        }
    }

    /// Whether the container must be read. It is read once, so that later values of the owner are
    /// kept.
    pub(super) fn needs_container(&self) -> bool {
        match self {
            Self::Insert { .. } => true,
            Self::Update { known, is_changed, .. } => *is_changed || known.hash.is_none(),
            Self::Skip(_) | Self::OtherName(_) => false,
        }
    }

    pub(super) fn changes_nothing(&self, file: &ScannedFile) -> bool {
        let Self::Update { known, has_moved: false, is_changed: false, .. } = self else { return false };
        known.is_direct()
            && !known.is_missing
            && !known.is_deleted()
            && known.hash.as_ref() == Some(&file.hash)
            && known.stamp == Some(file.stamp)
            && known.thumbnail_file == known.thumbnail(file)
    }
}
