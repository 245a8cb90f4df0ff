//! Matroska and WebM: the head of the file, and its blocks if the head does not have the end of
//! picture and sound.

use super::blocks::{BlockReader, TrackTiming};
use super::{ContainerError, ContainerInfo, LARGEST_PART, NO_INDEX, pixels, whole_seconds};
use ebml_iterable::{
    error::{CorruptedFileError, TagIteratorError},
    iterator::AllowableErrors,
};
use std::io::{Read, Seek};
use webm_iterable::{
    WebmIterator,
    matroska_spec::{EbmlTag, Master, MatroskaSpec},
};

/// The most bytes before the first block; real heads are far smaller.
const HEAD: u64 = 64 * 1024 * 1024;

/// The most elements of a head; a track has about thirty.
const MOST_ELEMENTS: u32 = 20_000;

const VIDEO: u64 = 1;
/// Video, sound, and both in one track.
const TIMED: [u64; 3] = [VIDEO, 2, 3];

pub(super) fn read(mut file: impl Read + Seek) -> Result<ContainerInfo, ContainerError> {
    let head = Head::read(&mut file)?;
    let (width, height) = head.picture.ok_or(ContainerError::NoVideoTrack)?;
    Ok(ContainerInfo { duration: whole_seconds(head.seconds(file)), width, height })
}

/// The part of a file before its first block.
struct Head {
    nanoseconds: u64,
    ticks: f64,
    picture: Option<(Option<i32>, Option<i32>)>,
    /// The tracks of picture and sound.
    timed: Vec<TrackTiming>,
    /// Whether there are other tracks, such as subtitles.
    has_others: bool,
}

/// The description of a track, as far as it was read.
#[derive(Default)]
struct Track {
    number: u64,
    kind: u64,
    frame_nanoseconds: u64,
    stored: (u64, u64),
    displayed: (u64, u64),
    unit: u64,
}

impl Head {
    fn read(file: &mut impl Read) -> Result<Self, ContainerError> {
        let mut elements = WebmIterator::new(file.take(HEAD), &[]);
        elements.allow_errors(&[AllowableErrors::InvalidTagIds]);
        elements.set_max_allowable_tag_size(Some(LARGEST_PART));
        let mut head = Self { nanoseconds: 1_000_000, ticks: 0.0, picture: None, timed: vec![], has_others: false };
        let (mut has_info, mut has_tracks, mut track) = (false, false, Track::default());
        for _ in 0..MOST_ELEMENTS {
            match elements.next() {
                // The segment is the whole file and may have any size: read it again without the
                // limit.
                Some(Err(TagIteratorError::CorruptedFileData(CorruptedFileError::InvalidTagSize {
                    tag_id, ..
                }))) if tag_id == MatroskaSpec::Segment(Master::Start).get_id() => {
                    elements.set_max_allowable_tag_size(None);
                }
                // Such as a title in an old encoding.
                Some(Err(TagIteratorError::CorruptedTagData { .. })) => {}
                Some(Err(TagIteratorError::ReadError { source })) => return Err(source.into()),
                None | Some(Err(_) | Ok(MatroskaSpec::Cluster(_))) => break,
                Some(Ok(element)) => match element {
                    MatroskaSpec::Segment(_) => elements.set_max_allowable_tag_size(Some(LARGEST_PART)),
                    MatroskaSpec::TimestampScale(scale) => head.nanoseconds = scale,
                    MatroskaSpec::Duration(duration) => head.ticks = duration,
                    MatroskaSpec::TrackEntry(Master::Start) => track = Track::default(),
                    MatroskaSpec::TrackNumber(number) => track.number = number,
                    MatroskaSpec::TrackType(kind) => track.kind = kind,
                    MatroskaSpec::DefaultDuration(nanoseconds) => track.frame_nanoseconds = nanoseconds,
                    MatroskaSpec::PixelWidth(width) => track.stored.0 = width,
                    MatroskaSpec::PixelHeight(height) => track.stored.1 = height,
                    MatroskaSpec::DisplayWidth(width) => track.displayed.0 = width,
                    MatroskaSpec::DisplayHeight(height) => track.displayed.1 = height,
                    MatroskaSpec::DisplayUnit(display) => track.unit = display,
                    MatroskaSpec::TrackEntry(Master::End) => head.note(&track),
                    MatroskaSpec::Info(Master::End) => has_info = true,
                    MatroskaSpec::Tracks(Master::End) => has_tracks = true,
                    _ => {}
                },
            }
            if has_info && has_tracks {
                break;
            }
        }
        if has_tracks { Ok(head) } else { Err(NO_INDEX) }
    }

    fn note(&mut self, track: &Track) {
        if TIMED.contains(&track.kind) {
            self.timed.push(TrackTiming { track: track.number, frame_nanoseconds: track.frame_nanoseconds });
        } else {
            self.has_others = true;
        }
        if track.kind == VIDEO && self.picture.is_none() {
            // In other units the displayed size is centimetres, inches or a ratio.
            let (width, height) = if track.unit == 0 { track.displayed } else { (0, 0) };
            let (stored_width, stored_height) = track.stored;
            self.picture = Some((pixels(width).or(pixels(stored_width)), pixels(height).or(pixels(stored_height))));
        }
    }

    /// The end on the player's clock. The duration in the head is that of all tracks, and some
    /// writers count it from the first block on. The last blocks are read only if that may matter.
    fn seconds(&self, file: impl Read + Seek) -> f64 {
        let duration = self.ticks * self.nanoseconds as f64 / 1e9;
        // A live recording has no duration, and a player does not know it either.
        if duration.is_nan() || duration <= 0.0 {
            return duration;
        }
        let Some(mut blocks) = BlockReader::open(file, self.nanoseconds, &self.timed) else { return duration };
        if !self.has_others && blocks.begin_seconds() < 1.0 {
            return duration;
        }
        match blocks.end_seconds() {
            Some(end) if self.has_others => end,
            Some(end) => end.max(duration),
            None => duration,
        }
    }
}
