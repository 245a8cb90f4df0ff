//! Reads the duration and the picture size of a video file from its container, without decoding.
//!
//! Two libraries parse the parts: `mp4-atom` those of MP4, M4V and MOV, `webm-iterable` those of
//! Matroska and WebM. This module walks through the file, skips what is not needed, and limits
//! memory when a size is damaged.
//!
//! A duration is the time on the player's clock, which need not start at 0, at which picture and
//! sound end. A longer text track does not count.

mod blocks;
mod matroska;
mod mp4;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// The duration and the picture size of a video file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerInfo {
    /// The end on the player's clock in whole seconds, rounded, at least 1; `None` when the file
    /// has no duration, such as a live recording.
    pub duration: Option<i32>,
    /// Displayed width of the picture in square pixels, after rotation.
    pub width: Option<i32>,
    /// Displayed height of the picture.
    pub height: Option<i32>,
}

/// The reason why a file is skipped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContainerError {
    /// It is empty; perhaps a copy has just started.
    #[error("the file is empty")]
    Empty,
    /// Another kind of file, or a damaged one.
    #[error("not a video container that can be read: {0}")]
    Broken(&'static str),
    /// It has no video track, such as a sound recording.
    #[error("no video track")]
    NoVideoTrack,
    /// The file system returned an error.
    #[error("the file cannot be read: {0}")]
    Io(io::Error),
}

impl From<io::Error> for ContainerError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { TRUNCATED } else { Self::Io(error) }
    }
}

const TRUNCATED: ContainerError = ContainerError::Broken("it breaks off in the middle");
const NO_INDEX: ContainerError = ContainerError::Broken("its index is missing");

/// Reads the container at `path`, by its content and not by its name. Blocking.
pub(crate) fn read(path: &Path) -> Result<ContainerInfo, ContainerError> {
    // Opening a named pipe would wait for a writer that may never come.
    if !path.metadata()?.is_file() {
        return Err(ContainerError::Broken("it is not a regular file"));
    }
    read_from(File::open(path)?)
}

fn read_from(mut file: impl Read + Seek) -> Result<ContainerInfo, ContainerError> {
    let end = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut start = Vec::new();
    file.by_ref().take(8).read_to_end(&mut start)?;
    file.rewind()?;
    // Neither library is known to panic, but both use positions from the file, and one file must
    // not end a scan.
    let read = catch_unwind(AssertUnwindSafe(|| match (start.get(..4), start.get(4..)) {
        (None, _) if start.is_empty() => Err(ContainerError::Empty),
        (Some(b"\x1A\x45\xDF\xA3"), _) => matroska::read(file),
        // The first part of an MP4 file; old QuickTime files have no `ftyp`.
        (_, Some(b"ftyp" | b"styp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot" | b"uuid")) => {
            mp4::read(file, end)
        }
        _ => Err(ContainerError::Broken("neither MP4 nor Matroska")),
    }));
    read.unwrap_or(Err(ContainerError::Broken("it is damaged")))
}

/// A length in whole seconds, at least 1.
fn whole_seconds(length: f64) -> Option<i32> {
    let plausible = length > 0.0 && length <= 1000.0 * 3600.0;
    plausible.then(|| length.round().max(1.0) as i32)
}

/// A size in pixels, up to the limit of old formats.
fn pixels(size: u64) -> Option<i32> {
    i32::try_from(size).ok().filter(|size| (1..=0x1_0000).contains(size))
}

/// The most bytes of a part that is read as a whole; real parts are far smaller.
const LARGEST_PART: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests;
