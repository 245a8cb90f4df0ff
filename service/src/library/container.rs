//! Reads from a video's container how long it plays and how large its picture is, without decoding any of it.
//!
//! Two libraries know the parts, `mp4-atom` those of MP4, M4V and MOV, `webm-iterable` those of Matroska and WebM. Here
//! is only the way through a file: what is not needed is stepped over, and no damaged size may ask for much memory.

use ebml_iterable::{
    error::{CorruptedFileError, TagIteratorError},
    iterator::AllowableErrors,
};
use mp4_atom::{Any, Atom, FixedPoint, FourCC, Hdlr, Header, Moov, Mvex, ReadAtom, ReadFrom, TrunSamples};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};
use webm_iterable::{
    WebmIterator,
    matroska_spec::{EbmlTag, Master, MatroskaSpec},
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
        if error.kind() == io::ErrorKind::UnexpectedEof { BREAKS_OFF } else { Self::Io(error) }
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

fn read_from(mut file: impl Read + Seek) -> Result<Container, Unreadable> {
    let end = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut start = Vec::new();
    file.by_ref().take(8).read_to_end(&mut start)?;
    file.rewind()?;
    // Neither library is known to panic, but both take their positions from the file: one film must not end a scan.
    let read = catch_unwind(AssertUnwindSafe(|| match (start.get(..4), start.get(4..)) {
        (None, _) if start.is_empty() => Err(Unreadable::Empty),
        (Some(b"\x1A\x45\xDF\xA3"), _) => matroska(file),
        // The parts that a file of this family opens with; old QuickTime films have no `ftyp`.
        (_, Some(b"ftyp" | b"styp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot" | b"uuid")) => {
            mp4(file, end)
        }
        _ => Err(Unreadable::Broken("neither MP4 nor Matroska")),
    }));
    read.unwrap_or(Err(Unreadable::Broken("it is damaged")))
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

/// What stands before the film itself is far smaller, and so is each part that is read whole.
const MATROSKA_HEAD: u64 = 64 * 1024 * 1024;
const LARGEST_PART: usize = 8 * 1024 * 1024;

/// A track has some thirty elements, an MP4 fragment some ten boxes.
const MOST_ELEMENTS: u32 = 20_000;
const MOST_BOXES: u32 = 2_000_000;

fn matroska(file: impl Read) -> Result<Container, Unreadable> {
    let mut elements = WebmIterator::new(file.take(MATROSKA_HEAD), &[]);
    elements.allow_errors(&[AllowableErrors::InvalidTagIds]);
    elements.set_max_allowable_tag_size(Some(LARGEST_PART));
    let (mut nanoseconds, mut ticks, mut has_info, mut has_tracks) = (1_000_000, 0.0, false, false);
    let (mut is_video, mut stored, mut shown, mut unit) = (false, (0, 0), (0, 0), 0);
    let mut picture = None;
    for _ in 0..MOST_ELEMENTS {
        match elements.next() {
            // The segment is the film as a whole: it may have any size, and its head is read again without the limit.
            Some(Err(TagIteratorError::CorruptedFileData(CorruptedFileError::InvalidTagSize { tag_id, .. })))
                if tag_id == MatroskaSpec::Segment(Master::Start).get_id() =>
            {
                elements.set_max_allowable_tag_size(None);
            }
            // A title in an old character set, for instance.
            Some(Err(TagIteratorError::CorruptedTagData { .. })) => {}
            Some(Err(TagIteratorError::ReadError { source })) => return Err(source.into()),
            None | Some(Err(_) | Ok(MatroskaSpec::Cluster(_))) => break,
            Some(Ok(element)) => match element {
                MatroskaSpec::Segment(_) => elements.set_max_allowable_tag_size(Some(LARGEST_PART)),
                MatroskaSpec::TimestampScale(scale) => nanoseconds = scale,
                MatroskaSpec::Duration(duration) => ticks = duration,
                MatroskaSpec::TrackEntry(Master::Start) => (is_video, stored, shown, unit) = (false, (0, 0), (0, 0), 0),
                MatroskaSpec::TrackType(kind) => is_video = kind == 1,
                MatroskaSpec::PixelWidth(width) => stored.0 = width,
                MatroskaSpec::PixelHeight(height) => stored.1 = height,
                MatroskaSpec::DisplayWidth(width) => shown.0 = width,
                MatroskaSpec::DisplayHeight(height) => shown.1 = height,
                MatroskaSpec::DisplayUnit(display) => unit = display,
                MatroskaSpec::TrackEntry(Master::End) if is_video && picture.is_none() => {
                    // In any other unit the shown size is centimetres, inches or a mere ratio.
                    let (width, height) = if unit == 0 { shown } else { (0, 0) };
                    picture = Some((pixels(width).or(pixels(stored.0)), pixels(height).or(pixels(stored.1))));
                }
                MatroskaSpec::Info(Master::End) => has_info = true,
                MatroskaSpec::Tracks(Master::End) => has_tracks = true,
                _ => {}
            },
        }
        if has_info && has_tracks {
            break;
        }
    }
    if !has_tracks {
        return Err(NO_INDEX);
    }
    let (width, height) = picture.ok_or(Unreadable::NoVideoTrack)?;
    Ok(Container { duration: whole_seconds(ticks * nanoseconds as f64 / 1e9), width, height })
}

fn mp4(file: impl Read + Seek, end: u64) -> Result<Container, Unreadable> {
    let mut movie = Movie::default();
    match movie.walk(&mut BufReader::with_capacity(2048, file), end, 0) {
        Err(error @ Unreadable::Io(_)) => return Err(error),
        // What a file cut short tells before its end is still true.
        Err(error) if !movie.is_indexed => return Err(error),
        Ok(()) if !movie.is_indexed => return Err(NO_INDEX),
        _ => {}
    }
    let video = movie.tracks.values().find(|track| track.is_video).ok_or(Unreadable::NoVideoTrack)?;
    let own = seconds(movie.units.max(movie.whole), movie.per_second);
    // In fragments, the movie's own length covers only what stands before the first one, or nothing.
    let longest = movie.tracks.values().map(Track::seconds).fold(own, f64::max);
    let length = if own > 0.0 && !movie.needs_fragments() { own } else { longest };
    Ok(Container { duration: whole_seconds(length), width: video.width, height: video.height })
}

/// What the index of an MP4 tells, and its fragments where that leaves the length open.
#[derive(Default)]
struct Movie {
    boxes: u32,
    is_indexed: bool,
    is_fragmented: bool,
    units: u64,
    per_second: u32,
    /// Length with all fragments, when the writer knew it.
    whole: u64,
    tracks: BTreeMap<u32, Track>,
    /// The track that is being read.
    track: u32,
    /// How long a sample lasts, by track, where a fragment does not say.
    usual: BTreeMap<u32, u32>,
    /// What is being read of a fragment: its track, how long a sample lasts, where the next ones begin.
    run: (u32, u32, Option<u64>),
}

#[derive(Default)]
struct Track {
    is_video: bool,
    width: Option<i32>,
    height: Option<i32>,
    units: u64,
    per_second: u32,
    /// Where the first fragment begins and the last one ends.
    first: Option<u64>,
    last: u64,
}

impl Track {
    fn seconds(&self) -> f64 {
        // A recording that was joined late counts from the moment it was joined.
        let skipped = if self.units == 0 { self.first.unwrap_or(0) } else { 0 };
        seconds(self.units.max(self.last.saturating_sub(skipped)), self.per_second)
    }
}

fn seconds(units: u64, per_second: u32) -> f64 {
    if per_second == 0 { 0.0 } else { units as f64 / f64::from(per_second) }
}

/// A length whose bits are all set is one that the writer did not know.
fn known(units: u64) -> u64 {
    if units == u64::from(u32::MAX) || units == u64::MAX { 0 } else { units }
}

impl Movie {
    fn needs_fragments(&self) -> bool {
        self.is_fragmented && self.whole == 0
    }

    /// Reads the boxes from here to `end`, which lie in `depth` others; only some are stepped into or decoded.
    fn walk<R: Read + Seek>(&mut self, file: &mut BufReader<R>, end: u64, depth: u8) -> Result<(), Unreadable> {
        // QuickTime ends some lists with four bytes of nothing.
        while end.saturating_sub(file.stream_position()?) >= 8 && (depth > 0 || !self.is_known()) {
            self.boxes += 1;
            if self.boxes > MOST_BOXES {
                return Err(Unreadable::Broken("it has too many parts"));
            }
            let mut header = Header::read_from(file).map_err(damaged)?;
            let body = file.stream_position()?;
            let size = header.size.map_or(end.saturating_sub(body), |size| size as u64);
            let after = body.checked_add(size).filter(|&after| after <= end).ok_or(BREAKS_OFF)?;
            match (depth, &header.kind.into()) {
                (0, b"moov") | (1, b"trak" | b"mvex" | b"traf") | (2, b"mdia") => self.walk(file, after, depth + 1)?,
                (0, b"moof") if self.is_indexed => self.walk(file, after, depth + 1)?,
                (1, b"mvhd")
                | (2, b"tkhd" | b"mehd" | b"trex" | b"tfhd" | b"tfdt" | b"trun")
                | (3, b"mdhd" | b"hdlr") => {
                    // The name that ends a handler may be in any character set, so it is left out.
                    let wanted = if header.kind == Hdlr::KIND { size.min(24) } else { size };
                    if wanted > LARGEST_PART as u64 {
                        return Err(Unreadable::Broken("one of its parts is too large"));
                    }
                    header.size = Some(wanted as usize);
                    self.note(Any::read_atom(&header, file).map_err(damaged)?);
                }
                _ => {}
            }
            self.is_indexed |= header.kind == Moov::KIND;
            self.is_fragmented |= header.kind == Mvex::KIND;
            let here = file.stream_position()?;
            file.seek_relative(after.wrapping_sub(here).cast_signed())?;
        }
        Ok(())
    }

    fn is_known(&self) -> bool {
        self.is_indexed && !self.needs_fragments()
    }

    fn note(&mut self, part: Any) {
        match (part, self.tracks.get_mut(&self.track)) {
            (Any::Mvhd(movie), _) => (self.units, self.per_second) = (known(movie.duration), movie.timescale),
            (Any::Mehd(movie), _) => self.whole = known(movie.fragment_duration),
            (Any::Trex(track), _) => _ = self.usual.insert(track.track_id, track.default_sample_duration),
            (Any::Tkhd(track), _) => {
                let round = |size: FixedPoint<u16>| pixels(u64::from(size.integer()) + u64::from(size.decimal() >> 15));
                let (mut width, mut height) = (round(track.width), round(track.height));
                // The picture lies on its side when the matrix keeps nothing of x in x and of y in y.
                if track.matrix.a == 0 && track.matrix.d == 0 {
                    (width, height) = (height, width);
                }
                self.track = track.track_id;
                self.tracks.insert(self.track, Track { width, height, ..Track::default() });
            }
            (Any::Mdhd(media), Some(track)) => {
                (track.units, track.per_second) = (known(media.duration), media.timescale)
            }
            (Any::Hdlr(media), Some(track)) => track.is_video = media.handler == FourCC::new(b"vide"),
            (Any::Tfhd(track), _) => {
                let usual = track.default_sample_duration.or(self.usual.get(&track.track_id).copied());
                self.run = (track.track_id, usual.unwrap_or(0), None);
            }
            (Any::Tfdt(track), _) => self.run.2 = Some(track.base_media_decode_time),
            (Any::Trun(run), _) => self.add(&run.samples),
            _ => {}
        }
    }

    /// Adds a run of samples to its track.
    fn add(&mut self, samples: &TrunSamples) {
        let (id, usual, begin) = self.run;
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let units: u64 = match samples {
            TrunSamples::Inherited { count, .. } => u64::from(*count) * u64::from(usual),
            TrunSamples::Explicit(all) => all.iter().map(|one| u64::from(one.duration.unwrap_or(usual))).sum(),
        };
        let begin = begin.unwrap_or(track.last.max(track.units));
        let end = begin.saturating_add(units);
        track.first.get_or_insert(begin);
        track.last = track.last.max(end);
        self.run.2 = Some(end);
    }
}

fn damaged(error: mp4_atom::Error) -> Unreadable {
    if let mp4_atom::Error::Io(error) = error {
        error.into()
    } else {
        Unreadable::Broken("one of its parts is damaged")
    }
}

#[cfg(test)]
mod tests;
