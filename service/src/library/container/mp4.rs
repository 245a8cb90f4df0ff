//! MP4, M4V and MOV: boxes within boxes (ISO/IEC 14496-12).

use super::{BREAKS_OFF, Container, NO_INDEX, Source, Unreadable, whole_seconds};
use std::{
    collections::BTreeMap,
    io::{Read, Seek},
};

/// The boxes that a file of this family opens with; old QuickTime films have no `ftyp`.
pub(super) fn begins(start: &[u8]) -> bool {
    matches!(
        start.get(4..8),
        Some(b"ftyp" | b"styp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot" | b"uuid")
    )
}

/// Reads the index and, where that leaves the length open, the head of every fragment.
pub(super) fn read<R: Read + Seek>(source: &mut Source<R>) -> Result<Container, Unreadable> {
    let mut movie = None;
    let walked = walk(source, &mut movie);
    match (walked, movie) {
        (Err(error @ Unreadable::Io(_)), _) | (Err(error), None) => Err(error),
        (Ok(()), None) => Err(NO_INDEX),
        // What a file cut short tells before its end is still true.
        (_, Some(movie)) => movie.container(),
    }
}

fn walk<R: Read + Seek>(source: &mut Source<R>, found: &mut Option<Movie>) -> Result<(), Unreadable> {
    while let Some((name, end)) = next(source, source.end)? {
        if &name == b"moov" && found.is_none() {
            *found = Some(movie(source, end)?);
        } else if let Some(movie) = found
            && &name == b"moof"
        {
            fragment(source, end, movie)?;
        }
        if found.as_ref().is_some_and(|movie| !movie.needs_fragments()) {
            break;
        }
        source.go_to(end)?;
    }
    Ok(())
}

/// Shows every box before `limit` to `visit`, which may read from it or step into it.
fn each<R: Read + Seek>(
    source: &mut Source<R>,
    limit: u64,
    mut visit: impl FnMut(&mut Source<R>, &[u8; 4], u64) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    while let Some((name, end)) = next(source, limit)? {
        visit(source, &name, end)?;
        source.go_to(end)?;
    }
    Ok(())
}

/// The head of the next box before `limit`: its name, and where it ends.
fn next<R: Read + Seek>(source: &mut Source<R>, limit: u64) -> Result<Option<([u8; 4], u64)>, Unreadable> {
    let start = source.at;
    // QuickTime ends some lists with four bytes of nothing.
    if limit.saturating_sub(start) < 8 {
        return Ok(None);
    }
    source.begin_part()?;
    let size = u32::from_be_bytes(source.bytes()?);
    let name = source.bytes()?;
    let end = match size {
        0 => Some(limit),
        1 => start.checked_add(u64::from_be_bytes(source.bytes()?)),
        size => start.checked_add(size.into()),
    };
    match end {
        Some(end) if end < source.at => Err(Unreadable::Broken("one of its parts is smaller than its own head")),
        Some(end) if end <= limit => Ok(Some((name, end))),
        _ => Err(BREAKS_OFF),
    }
}

#[derive(Default)]
struct Movie {
    length: Clock,
    tracks: BTreeMap<u32, Track>,
    fragmented: bool,
    /// Length with all fragments, in the movie's own units, when the writer knew it.
    whole: u64,
    /// How long a sample lasts, by track, where a fragment does not say.
    usual: BTreeMap<u32, u32>,
}

#[derive(Default)]
struct Track {
    is_video: bool,
    width: Option<i32>,
    height: Option<i32>,
    length: Clock,
    /// Where the first fragment begins and the last one ends, in the track's units.
    first: Option<u64>,
    last: u64,
}

/// A length and how many of its units make a second.
#[derive(Clone, Copy, Default)]
struct Clock {
    units: u64,
    per_second: u32,
}

impl Clock {
    fn seconds(self, units: u64) -> f64 {
        if self.per_second == 0 { 0.0 } else { units as f64 / f64::from(self.per_second) }
    }
}

impl Movie {
    fn needs_fragments(&self) -> bool {
        self.fragmented && self.whole == 0
    }

    fn container(self) -> Result<Container, Unreadable> {
        let video = self.tracks.values().find(|track| track.is_video).ok_or(Unreadable::NoVideoTrack)?;
        // The movie's own length covers only what stands before the first fragment, or nothing.
        let fragments = self.tracks.values().map(Track::seconds_with_fragments).fold(0.0, f64::max);
        let length = self.length.seconds(self.whole.max(self.length.units)).max(fragments);
        Ok(Container { duration: whole_seconds(length), width: video.width, height: video.height })
    }
}

impl Track {
    fn seconds_with_fragments(&self) -> f64 {
        // A recording that was joined late counts from the moment it was joined.
        let skipped = if self.length.units == 0 { self.first.unwrap_or(0) } else { 0 };
        self.length.seconds(self.last.saturating_sub(skipped))
    }
}

fn movie<R: Read + Seek>(source: &mut Source<R>, limit: u64) -> Result<Movie, Unreadable> {
    let mut movie = Movie::default();
    each(source, limit, |source, name, end| {
        match name {
            b"mvhd" => movie.length = clock(&source.body(end)?).unwrap_or_default(),
            b"trak" => movie.tracks.extend([track(source, end)?]),
            b"mvex" => {
                movie.fragmented = true;
                each(source, end, |source, name, end| {
                    match name {
                        b"mehd" => movie.whole = known(&source.body(end)?, 4).unwrap_or(0),
                        b"trex" => {
                            let body = source.body(end)?;
                            movie.usual.extend(u32_at(&body, 4).zip(u32_at(&body, 12)));
                        }
                        _ => {}
                    }
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(movie)
}

fn track<R: Read + Seek>(source: &mut Source<R>, limit: u64) -> Result<(u32, Track), Unreadable> {
    let (mut id, mut track) = (0, Track::default());
    each(source, limit, |source, name, end| {
        match name {
            b"tkhd" => {
                let body = source.body(end)?;
                let (id_at, matrix, size) = if is_long(&body) { (20, 52, 88) } else { (12, 40, 76) };
                id = u32_at(&body, id_at).unwrap_or(0);
                (track.width, track.height) = (pixels(&body, size), pixels(&body, size + 4));
                // The picture lies on its side when the matrix keeps nothing of x in x and of y in y.
                if u32_at(&body, matrix) == Some(0) && u32_at(&body, matrix + 16) == Some(0) {
                    (track.width, track.height) = (track.height, track.width);
                }
            }
            b"mdia" => each(source, end, |source, name, end| {
                match name {
                    b"mdhd" => track.length = clock(&source.body(end)?).unwrap_or_default(),
                    b"hdlr" => track.is_video = source.body(end)?.get(8..12) == Some(b"vide"),
                    _ => {}
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((id, track))
}

/// Adds up one `moof`: a run of samples for each track.
fn fragment<R: Read + Seek>(source: &mut Source<R>, limit: u64, movie: &mut Movie) -> Result<(), Unreadable> {
    each(source, limit, |source, name, end| {
        if name != b"traf" {
            return Ok(());
        }
        let (mut id, mut usual, mut begin, mut units) = (0, 0, None, 0_u64);
        each(source, end, |source, name, end| {
            match name {
                b"tfhd" => {
                    let body = source.body(end)?;
                    id = u32_at(&body, 4).unwrap_or(0);
                    let flags = u32_at(&body, 0).unwrap_or(0);
                    // An offset and a description may stand before the length of a sample.
                    let at = 8 + if flags & 1 != 0 { 8 } else { 0 } + if flags & 2 != 0 { 4 } else { 0 };
                    let own = u32_at(&body, at).filter(|_| flags & 8 != 0);
                    usual = own.or(movie.usual.get(&id).copied()).unwrap_or(0);
                }
                b"tfdt" => begin = known(&source.body(end)?, 4),
                b"trun" => units = units.saturating_add(run(&source.body(end)?, usual)),
                _ => {}
            }
            Ok(())
        })?;
        if let Some(track) = movie.tracks.get_mut(&id) {
            let begin = begin.unwrap_or(track.last.max(track.length.units));
            track.first.get_or_insert(begin);
            track.last = track.last.max(begin.saturating_add(units));
        }
        Ok(())
    })
}

/// How long the samples of a `trun` last together.
fn run(body: &[u8], usual: u32) -> u64 {
    let flags = u32_at(body, 0).unwrap_or(0);
    let count = u32_at(body, 4).unwrap_or(0);
    if flags & 0x100 == 0 {
        return u64::from(count).saturating_mul(usual.into());
    }
    let start = 8 + if flags & 1 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
    let each = 4 * (flags & 0xf00).count_ones() as usize;
    let samples = body.get(start..).unwrap_or(&[]).chunks_exact(each).take(count as usize);
    samples.filter_map(|sample| u32_at(sample, 0)).map(u64::from).sum()
}

/// `mvhd` and `mdhd` begin alike: two dates, then the clock.
fn clock(body: &[u8]) -> Option<Clock> {
    let at = if is_long(body) { 20 } else { 12 };
    Some(Clock { per_second: u32_at(body, at)?, units: known(body, at + 4)? })
}

/// A later version of the same box has 64 bits for times and lengths.
fn is_long(body: &[u8]) -> bool {
    body.first() == Some(&1)
}

/// A length or time at `at`; all bits set mean that the writer did not know it.
fn known(body: &[u8], at: usize) -> Option<u64> {
    if is_long(body) {
        let bytes = body.get(at..)?.first_chunk()?;
        Some(u64::from_be_bytes(*bytes)).filter(|&units| units != u64::MAX)
    } else {
        u32_at(body, at).filter(|&units| units != u32::MAX).map(u64::from)
    }
}

/// A size in 65536ths of a pixel.
fn pixels(body: &[u8], at: usize) -> Option<i32> {
    let size = (u64::from(u32_at(body, at)?) + 0x8000) >> 16;
    i32::try_from(size).ok().filter(|&size| size > 0)
}

fn u32_at(body: &[u8], at: usize) -> Option<u32> {
    body.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}
