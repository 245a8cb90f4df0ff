//! Reads from a video's container how long it plays and how large its picture is, without decoding any of it.
//!
//! Two libraries know the parts, `mp4-atom` those of MP4, M4V and MOV, `webm-iterable` those of Matroska and WebM. Here
//! is only the way through a file: what is not needed is stepped over, and no damaged size may ask for much memory.
//!
//! A duration is where picture and sound end on the player's clock, which need not begin at 0. A text track that goes on
//! behind that end does not lengthen the film.

mod blocks;
mod matroska;
mod mp4;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// What a container tells of the video inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerInfo {
    /// The end on the player's clock in whole seconds, to the nearest, at least 1; `None` when the file does not say, as after a live recording.
    pub duration: Option<i32>,
    /// Width of the picture as a player shows it: turned upright, pixels made square.
    pub width: Option<i32>,
    /// Height of the picture as a player shows it.
    pub height: Option<i32>,
}

/// Why a file is passed over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContainerError {
    /// Nothing was ever written to it, or a copy has just begun.
    #[error("the file is empty")]
    Empty,
    /// Another kind of file, or a damaged one.
    #[error("not a video container that can be read: {0}")]
    Broken(&'static str),
    /// A sound recording, for instance.
    #[error("no video track")]
    NoVideoTrack,
    /// The file system refused.
    #[error("the file cannot be read: {0}")]
    Io(io::Error),
}

impl From<io::Error> for ContainerError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { BREAKS_OFF } else { Self::Io(error) }
    }
}

const BREAKS_OFF: ContainerError = ContainerError::Broken("it breaks off in the middle");
const NO_INDEX: ContainerError = ContainerError::Broken("its index is missing");

/// Reads the container at `path`, by its content and not by its name. Blocks, as files do.
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
    // Neither library is known to panic, but both take their positions from the file: one film must not end a scan.
    let read = catch_unwind(AssertUnwindSafe(|| match (start.get(..4), start.get(4..)) {
        (None, _) if start.is_empty() => Err(ContainerError::Empty),
        (Some(b"\x1A\x45\xDF\xA3"), _) => matroska::read(file),
        // The parts that a file of this family opens with; old QuickTime films have no `ftyp`.
        (_, Some(b"ftyp" | b"styp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot" | b"uuid")) => {
            mp4::read(file, end)
        }
        _ => Err(ContainerError::Broken("neither MP4 nor Matroska")),
    }));
    read.unwrap_or(Err(ContainerError::Broken("it is damaged")))
}

/// A clip of a tenth of a second is still a film, so no length rounds down to nothing.
fn whole_seconds(length: f64) -> Option<i32> {
    let plausible = length > 0.0 && length <= 1000.0 * 3600.0;
    plausible.then(|| length.round().max(1.0) as i32)
}

/// A size in pixels; no picture is larger than the sizes that old formats can name.
fn pixels(size: u64) -> Option<i32> {
    i32::try_from(size).ok().filter(|size| (1..=0x1_0000).contains(size))
}

/// Parts that are read whole are far smaller.
const LARGEST_PART: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests;
