//! Reads from a video's container how long it plays and how large its picture is, without decoding any of it.
//!
//! MP4 boxes and Matroska elements are alike: a name, a size, a body. Both readers step over what they do not need, so
//! that a film of many gigabytes costs a few kilobytes. They are written here because no crate did both: the one that
//! knows all formats gives a fragmented MP4 no length, and others hang, or end the process, on one damaged byte.

mod matroska;
mod mp4;

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

/// What a container tells of the video inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Container {
    /// Whole seconds, to the nearest, at least 1; `None` when the file does not say, as after a live recording.
    pub duration: Option<i32>,
    /// Width of the picture as a player shows it: turned upright, pixels made square.
    pub width: Option<i32>,
    /// Height of the picture as a player shows it.
    pub height: Option<i32>,
}

/// Why a file is passed over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
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

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => BREAKS_OFF,
            _ => Self::Io(error),
        }
    }
}

const BREAKS_OFF: Unreadable = Unreadable::Broken("it breaks off in the middle");
const NO_INDEX: Unreadable = Unreadable::Broken("its index is missing");

/// Reads the container at `path`, by its content and not by its name. Blocks, as files do.
pub(crate) fn read(path: &Path) -> Result<Container, Unreadable> {
    // Opening a named pipe would wait for a writer that may never come.
    if !path.metadata()?.is_file() {
        return Err(Unreadable::Broken("it is not a regular file"));
    }
    read_from(File::open(path)?)
}

fn read_from(file: impl Read + Seek) -> Result<Container, Unreadable> {
    let mut source = Source::new(file)?;
    if source.end == 0 {
        return Err(Unreadable::Empty);
    }
    let start = source.body(source.end.min(8))?;
    source.go_to(0)?;
    if matroska::begins(&start) {
        matroska::read(&mut source)
    } else if mp4::begins(&start) {
        mp4::read(&mut source)
    } else {
        Err(Unreadable::Broken("neither MP4 nor Matroska"))
    }
}

/// A clip of a tenth of a second is still a film, so no length rounds down to nothing.
fn whole_seconds(length: f64) -> Option<i32> {
    let known = length > 0.0 && length < f64::from(i32::MAX);
    known.then(|| length.round().max(1.0) as i32)
}

/// A file that knows where it stands and where it ends, and that no damaged size can lead into endless work.
struct Source<R> {
    reader: BufReader<R>,
    at: u64,
    end: u64,
    parts: u32,
}

/// A day of sound and picture in fragments of a quarter of a second has fewer.
const MOST_PARTS: u32 = 4_000_000;

/// Bodies that are read whole are far smaller, so what claims more is damaged.
const LARGEST_BODY: u64 = 16 * 1024 * 1024;

impl<R: Read + Seek> Source<R> {
    fn new(mut file: R) -> io::Result<Self> {
        let end = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        // Most of what is read is a head of some bytes before a long leap, so a larger buffer would fill in vain.
        Ok(Self { reader: BufReader::with_capacity(2048, file), at: 0, end, parts: 0 })
    }

    /// Counts the part whose head comes next.
    fn begin_part(&mut self) -> Result<(), Unreadable> {
        self.parts += 1;
        if self.parts > MOST_PARTS { Err(Unreadable::Broken("it has too many parts")) } else { Ok(()) }
    }

    fn go_to(&mut self, position: u64) -> io::Result<()> {
        let position = position.min(self.end);
        self.reader.seek_relative(position.cast_signed().wrapping_sub(self.at.cast_signed()))?;
        self.at = position;
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        self.at = self.at.saturating_add(N as u64);
        Ok(bytes)
    }

    /// The bytes from here to `end`.
    fn body(&mut self, end: u64) -> Result<Vec<u8>, Unreadable> {
        let size = end.saturating_sub(self.at);
        if size > LARGEST_BODY {
            return Err(Unreadable::Broken("one of its parts is too large"));
        }
        let mut body = Vec::new();
        self.at = self.at.saturating_add(self.reader.by_ref().take(size).read_to_end(&mut body)? as u64);
        if body.len() as u64 == size { Ok(body) } else { Err(BREAKS_OFF) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");

    fn fixture(name: &str) -> Result<Container, Unreadable> {
        read(&Path::new(FIXTURES).join(name))
    }

    fn bytes(name: &str) -> Vec<u8> {
        std::fs::read(Path::new(FIXTURES).join(name)).unwrap()
    }

    fn complaint(name: &str) -> String {
        fixture(name).unwrap_err().to_string()
    }

    const TWO_SECONDS: Container = Container { duration: Some(2), width: Some(160), height: Some(90) };

    #[test]
    fn every_kind_of_container_tells_its_duration_and_size() {
        for name in ["two-seconds.mp4", "two-seconds.m4v", "two-seconds.mov", "two-seconds.webm", "two-seconds.mkv"] {
            assert_eq!(fixture(name).unwrap(), TWO_SECONDS, "{name}");
        }
    }

    #[test]
    fn a_fragmented_mp4_tells_its_duration() {
        assert_eq!(fixture("fragmented.mp4").unwrap(), TWO_SECONDS);
    }

    #[test]
    fn a_live_recording_has_a_size_but_no_duration() {
        assert_eq!(fixture("live.webm").unwrap(), Container { duration: None, ..TWO_SECONDS });
    }

    #[test]
    fn a_picture_that_lies_on_its_side_is_measured_upright() {
        let upright = fixture("upright.mp4").unwrap();
        assert_eq!((upright.width, upright.height), (Some(90), Some(160)));
    }

    #[test]
    fn a_clip_shorter_than_a_second_still_lasts_one() {
        assert_eq!(whole_seconds(0.04), Some(1));
        assert_eq!(whole_seconds(59.5), Some(60));
    }

    #[test]
    fn a_length_that_cannot_be_is_no_length() {
        for length in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12] {
            assert_eq!(whole_seconds(length), None, "{length}");
        }
    }

    #[test]
    fn a_file_cut_after_its_index_still_tells_its_duration() {
        let mut cut = bytes("two-seconds.mp4");
        cut.truncate(cut.len() / 2);
        assert_eq!(read_from(Cursor::new(cut)).unwrap(), TWO_SECONDS);
    }

    #[test]
    fn what_cannot_be_read_says_why_in_one_line() {
        assert_eq!(complaint("empty.mkv"), "the file is empty");
        assert_eq!(complaint("sound-only.mp4"), "no video track");
        assert_eq!(complaint("not-a-video.mp4"), "not a video container that can be read: neither MP4 nor Matroska");
        assert_eq!(complaint("truncated.mp4"), "not a video container that can be read: it breaks off in the middle");
        assert_eq!(complaint("."), "not a video container that can be read: it is not a regular file");
        assert!(!complaint("missing.mp4").contains("missing.mp4"));
    }

    #[test]
    fn parts_without_number_come_to_an_end() {
        let parts = b"\0\0\0\x08free".repeat(MOST_PARTS as usize + 1);
        let error = read_from(Cursor::new(parts)).unwrap_err();
        assert_eq!(error.to_string(), "not a video container that can be read: it has too many parts");
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let mut state = 1_u64;
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % limit
        };
        for name in ["two-seconds.mov", "fragmented.mp4", "two-seconds.mkv", "live.webm"] {
            let whole = bytes(name);
            for _ in 0..2_000 {
                let mut damaged = whole.clone();
                for _ in 0..=below(6) {
                    // Heads stand at both ends of these files, and a mere bit makes a size absurd.
                    let near = below(1_500);
                    let at = if below(2) == 0 { near } else { whole.len() - 1 - near };
                    damaged[at] = [0, 1, 0x7f, 0x80, 0xff, below(256) as u8][below(6)];
                }
                if below(4) == 0 {
                    damaged.truncate(below(whole.len()));
                }
                let _ = read_from(Cursor::new(damaged));
            }
        }
    }
}
