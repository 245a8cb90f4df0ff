//! MP4, M4V and MOV: the index, and the fragments of a file that was written in pieces.

use super::{ContainerError, ContainerInfo, LARGEST_PART, NO_INDEX, TRUNCATED, pixels, whole_seconds};
use mp4_atom::{
    Any, Atom, Elst, ElstEntry, FixedPoint, FourCC, Hdlr, Header, Moov, Mvex, ReadAtom, ReadFrom, Sidx, TrunSamples,
};
use std::{
    collections::BTreeMap,
    io::{BufReader, Read, Seek},
};

/// The most boxes of a file; a fragment has about ten.
pub(super) const MOST_BOXES: u32 = 2_000_000;

pub(super) fn read(file: impl Read + Seek, end: u64) -> Result<ContainerInfo, ContainerError> {
    let mut movie = Movie::default();
    match movie.walk(&mut BufReader::with_capacity(2048, file), end, 0) {
        Err(error @ ContainerError::Io(_)) => return Err(error),
        // The index of a truncated file is still valid.
        Err(error) if !movie.is_indexed => return Err(error),
        Ok(()) if !movie.is_indexed => return Err(NO_INDEX),
        _ => {}
    }
    let video = movie.tracks.values().find(|track| track.is_video).ok_or(ContainerError::NoVideoTrack)?;
    Ok(ContainerInfo { duration: whole_seconds(movie.seconds()), width: video.width, height: video.height })
}

/// The index of an MP4 file, and its fragments if it has some.
#[derive(Default)]
struct Movie {
    boxes: u32,
    is_indexed: bool,
    is_fragmented: bool,
    units: u64,
    per_second: u32,
    /// The length of all fragments that the writer announced.
    announced: u64,
    tracks: BTreeMap<u32, Track>,
    /// The track that is being read.
    track: u32,
    /// The default duration of a sample, by track.
    usual: BTreeMap<u32, u32>,
    /// The start of the next fragment, by track: a time, and its units per second.
    indexed: BTreeMap<u32, (u64, u32)>,
    /// The fragment that is being read: its track, the duration of a sample, the start of the next
    /// run.
    run: (u32, u32, Option<u64>),
}

#[derive(Default)]
struct Track {
    is_video: bool,
    is_sound: bool,
    width: Option<i32>,
    height: Option<i32>,
    /// The stored length, and its units per second.
    units: u64,
    per_second: u32,
    /// The displayed length, in the units of the movie.
    display_units: u64,
    /// The edits: which stored part is displayed when.
    edits: Vec<ElstEntry>,
    has_samples: bool,
    /// The end of the last fragment.
    last: Option<u64>,
}

impl Track {
    /// The end on the player's clock by the index.
    fn indexed_seconds(&self, movie_per_second: u32) -> f64 {
        let stored = seconds(self.units, self.per_second);
        // An edit without a length displays the rest.
        let displayed = |edit: &ElstEntry| match (edit.segment_duration, edit.media_time) {
            (0, Some(skipped)) => (stored - seconds(skipped, self.per_second)).max(0.0),
            (asked, _) => seconds(asked, movie_per_second),
        };
        match &self.edits[..] {
            [] if stored > 0.0 => stored,
            [] => seconds(self.display_units, movie_per_second),
            edits => edits.iter().map(displayed).sum(),
        }
    }

    /// The end of the fragments on the player's clock.
    fn fragment_seconds(&self, movie_per_second: u32) -> f64 {
        let Some(last) = self.last else { return 0.0 };
        let before = self.edits.iter().take_while(|edit| edit.media_time.is_none());
        let before: f64 = before.map(|edit| seconds(edit.segment_duration, movie_per_second)).sum();
        let skipped = self.edits.iter().find_map(|edit| edit.media_time).unwrap_or(0);
        before + seconds(last.saturating_sub(skipped), self.per_second)
    }
}

fn seconds(units: u64, per_second: u32) -> f64 {
    if per_second == 0 { 0.0 } else { units as f64 / f64::from(per_second) }
}

/// The length, or 0 for one with all bits set, which means unknown.
fn known(units: u64) -> u64 {
    if units == u64::from(u32::MAX) || units == u64::MAX { 0 } else { units }
}

impl Movie {
    /// The end of picture and sound on the player's clock; text does not count.
    fn seconds(&self) -> f64 {
        let timed = || self.tracks.values().filter(|track| track.is_video || track.is_sound);
        let has_fragments = timed().any(|track| track.last.is_some());
        let ends = timed().map(|track| {
            // The index of a stream may have the length of the whole stream, of which this is a
            // part.
            let counts = !has_fragments || track.has_samples;
            let indexed = if counts { track.indexed_seconds(self.per_second) } else { 0.0 };
            indexed.max(track.fragment_seconds(self.per_second))
        });
        let end = ends.fold(0.0, f64::max);
        if end > 0.0 && (has_fragments || self.announced == 0) {
            end
        } else {
            seconds(self.units.max(self.announced), self.per_second)
        }
    }

    /// Reads the boxes from here to `end`, which are nested in `depth` others. Only some are
    /// entered or decoded.
    fn walk<R: Read + Seek>(&mut self, file: &mut BufReader<R>, end: u64, depth: u8) -> Result<(), ContainerError> {
        // QuickTime ends some lists with four zero bytes.
        while end.saturating_sub(file.stream_position()?) >= 8 && (depth > 0 || !self.is_known()) {
            self.boxes += 1;
            if self.boxes > MOST_BOXES {
                return Err(ContainerError::Broken("it has too many parts"));
            }
            let mut header = Header::read_from(file).map_err(damaged)?;
            let body = file.stream_position()?;
            let size = header.size.map_or(end.saturating_sub(body), |size| size as u64);
            let after = body.checked_add(size).filter(|&after| after <= end).ok_or(TRUNCATED)?;
            match (depth, &header.kind.into()) {
                (0, b"moov")
                | (1, b"trak" | b"mvex" | b"traf")
                | (2, b"mdia" | b"edts")
                | (3, b"minf")
                | (4, b"stbl") => {
                    self.walk(file, after, depth + 1)?;
                }
                (0, b"moof") if self.is_indexed => self.walk(file, after, depth + 1)?,
                (1, b"mvhd")
                | (2, b"tkhd" | b"mehd" | b"trex" | b"tfhd" | b"tfdt" | b"trun")
                | (3, b"mdhd" | b"hdlr") => {
                    // The name at the end of a handler may be in any encoding, so it is not read.
                    let wanted = if header.kind == Hdlr::KIND { size.min(24) } else { size };
                    if wanted > LARGEST_PART as u64 {
                        return Err(ContainerError::Broken("one of its parts is too large"));
                    }
                    header.size = Some(wanted as usize);
                    self.note(Any::read_atom(&header, file).map_err(damaged)?);
                }
                // A file can be played without these boxes.
                (0, b"sidx") | (3, b"elst") if size <= LARGEST_PART as u64 => match Any::read_atom(&header, file) {
                    Ok(part) => self.note(part),
                    Err(mp4_atom::Error::Io(error)) => return Err(error.into()),
                    Err(_) => {}
                },
                (5, b"stts") if size >= 8 => {
                    let mut start = [0; 8];
                    file.read_exact(&mut start)?;
                    if let (Some(track), [_, _, _, _, count @ ..]) = (self.tracks.get_mut(&self.track), start) {
                        track.has_samples = count != [0; 4];
                    }
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
        self.is_indexed && !self.is_fragmented
    }

    fn note(&mut self, part: Any) {
        match (part, self.tracks.get_mut(&self.track)) {
            (Any::Mvhd(movie), _) => (self.units, self.per_second) = (known(movie.duration), movie.timescale),
            (Any::Mehd(movie), _) => self.announced = known(movie.fragment_duration),
            (Any::Trex(track), _) => _ = self.usual.insert(track.track_id, track.default_sample_duration),
            (Any::Tkhd(track), _) => {
                let round = |size: FixedPoint<u16>| pixels(u64::from(size.integer()) + u64::from(size.decimal() >> 15));
                let (mut width, mut height) = (round(track.width), round(track.height));
                // The picture is rotated by 90 degrees when the matrix swaps x and y.
                if track.matrix.a == 0 && track.matrix.d == 0 {
                    (width, height) = (height, width);
                }
                self.track = track.track_id;
                let display_units = known(track.duration);
                self.tracks.insert(self.track, Track { width, height, display_units, ..Track::default() });
            }
            (Any::Elst(Elst { entries }), Some(track)) => track.edits = entries,
            (Any::Mdhd(media), Some(track)) => {
                (track.units, track.per_second) = (known(media.duration), media.timescale)
            }
            (Any::Hdlr(media), Some(track)) => {
                track.is_video = media.handler == FourCC::new(b"vide");
                track.is_sound = media.handler == FourCC::new(b"soun");
            }
            (Any::Sidx(Sidx { reference_id, earliest_presentation_time, timescale, .. }), _) => {
                self.indexed.insert(reference_id, (earliest_presentation_time, timescale));
            }
            (Any::Tfhd(track), _) => {
                let usual = track.default_sample_duration.or(self.usual.get(&track.track_id).copied());
                self.run = (track.track_id, usual.unwrap_or(0), self.begin(track.track_id));
            }
            (Any::Tfdt(track), _) => self.run.2 = Some(track.base_media_decode_time),
            (Any::Trun(run), _) => self.add(&run.samples),
            _ => {}
        }
    }

    /// The start of the next fragment of this track, by the index before it.
    fn begin(&mut self, id: u32) -> Option<u64> {
        let (begin, per_second) = self.indexed.remove(&id)?;
        let track = self.tracks.get(&id)?;
        let units = u128::from(begin) * u128::from(track.per_second) / u128::from(per_second.max(1));
        u64::try_from(units).ok()
    }

    /// Adds a run of samples to its track.
    fn add(&mut self, samples: &TrunSamples) {
        let (id, usual, begin) = self.run;
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let stored = if track.has_samples { track.units } else { 0 };
        let mut next = begin.or(track.last).unwrap_or(stored);
        let mut end = next;
        match samples {
            TrunSamples::Inherited { count, .. } => {
                next = next.saturating_add(u64::from(*count) * u64::from(usual));
                end = next;
            }
            TrunSamples::Explicit(all) => {
                for sample in all {
                    next = next.saturating_add(u64::from(sample.duration.unwrap_or(usual)));
                    // Pictures are stored in another order than they are displayed in.
                    end = end.max(next.saturating_add_signed(sample.cts.unwrap_or(0)));
                }
            }
        }
        track.last = track.last.max(Some(end));
        self.run.2 = Some(next);
    }
}

fn damaged(error: mp4_atom::Error) -> ContainerError {
    if let mp4_atom::Error::Io(error) = error {
        error.into()
    } else {
        ContainerError::Broken("one of its parts is damaged")
    }
}
