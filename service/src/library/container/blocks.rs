//! The blocks of Matroska: when those of picture and sound begin and end, without reading what is inside of them.
//!
//! The elements are read in one row, one after the other, whatever they lie in: a part of a live recording does not say
//! where it ends.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// When the frames of a track are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrackTiming {
    pub(super) track: u64,
    /// How long each is shown where its block does not say; 0 when the track does not say either.
    pub(super) frame_nanoseconds: u64,
}

/// A film of four hours has about two million blocks.
const MOST_ELEMENTS: u32 = 10_000_000;

const SEGMENT: u64 = 0x1853_8067;
const SEEK_HEAD: u64 = 0x114D_9B74;
const SEEK: u64 = 0x4DBB;
const SEEK_ID: u64 = 0x53AB;
const SEEK_POSITION: u64 = 0x53AC;
const CUES: u64 = 0x1C53_BB6B;
const CUE_POINT: u64 = 0xBB;
const CUE_TRACK_POSITIONS: u64 = 0xB7;
const CUE_TRACK: u64 = 0xF7;
const CUE_CLUSTER_POSITION: u64 = 0xF1;
const CLUSTER: u64 = 0x1F43_B675;
const TIMESTAMP: u64 = 0xE7;
const SIMPLE_BLOCK: u64 = 0xA3;
const BLOCK_GROUP: u64 = 0xA0;
const BLOCK: u64 = 0xA1;
const BLOCK_DURATION: u64 = 0x9B;

/// A file, and what its beginning tells of where its blocks are.
pub(super) struct BlockReader<'a, R> {
    file: BufReader<R>,
    scale: u64,
    timed: &'a [TrackTiming],
    /// Where the segment's content begins, from which positions count.
    segment: u64,
    first_cluster: u64,
    /// Ticks at which the first cluster begins.
    begin: u64,
    cues: Option<u64>,
}

impl<'a, R: Read + Seek> BlockReader<'a, R> {
    /// `None` when no cluster is found.
    pub(super) fn open(file: R, scale: u64, timed: &'a [TrackTiming]) -> Option<Self> {
        let mut file = BufReader::with_capacity(2048, file);
        file.rewind().ok()?;
        let (mut segment, mut cues, mut sought) = (0, None, 0);
        for _ in 0..MOST_ELEMENTS {
            let at = file.stream_position().ok()?;
            let Element { id, size } = Element::read(&mut file).ok()?;
            match id {
                SEGMENT => segment = file.stream_position().ok()?,
                SEEK_HEAD | SEEK => {}
                SEEK_ID => sought = number(&mut file, size).ok()?,
                SEEK_POSITION => {
                    let position = number(&mut file, size).ok()?;
                    cues = if sought == CUES { Some(position) } else { cues };
                }
                CLUSTER => {
                    let begin = first_timestamp(&mut file).ok()?;
                    return Some(Self { file, scale, timed, segment, first_cluster: at, begin, cues });
                }
                _ => skip(&mut file, size).ok()?,
            }
        }
        None
    }

    pub(super) fn begin_seconds(&self) -> f64 {
        self.begin as f64 * self.scale as f64 / 1e9
    }

    /// When the last frame of picture and sound ends.
    pub(super) fn end_seconds(&mut self) -> Option<f64> {
        let last = self.last_cluster().ok().flatten();
        let from_last = last.and_then(|cluster| self.end_after(cluster));
        from_last.or_else(|| self.end_after(self.first_cluster))
    }

    /// The last cluster that the cues name for a track of picture or sound.
    fn last_cluster(&mut self) -> io::Result<Option<u64>> {
        let Some(cues) = self.cues.and_then(|cues| cues.checked_add(self.segment)) else { return Ok(None) };
        self.file.seek(SeekFrom::Start(cues))?;
        let Element { id: CUES, size: Some(size) } = Element::read(&mut self.file)? else { return Ok(None) };
        let end = self.file.stream_position()?.saturating_add(size);
        let (mut track, mut last) = (0, None);
        for _ in 0..MOST_ELEMENTS {
            if self.file.stream_position()? >= end {
                break;
            }
            let Element { id, size } = Element::read(&mut self.file)?;
            match id {
                CUE_POINT | CUE_TRACK_POSITIONS => {}
                CUE_TRACK => track = number(&mut self.file, size)?,
                CUE_CLUSTER_POSITION => {
                    let position = number(&mut self.file, size)?;
                    if self.timing(track).is_some() {
                        last = last.max(position.checked_add(self.segment));
                    }
                }
                _ => skip(&mut self.file, size)?,
            }
        }
        Ok(last)
    }

    /// The end of the last frame from this cluster on. Where a file breaks off, what stands before still counts.
    fn end_after(&mut self, cluster: u64) -> Option<f64> {
        self.file.seek(SeekFrom::Start(cluster)).ok()?;
        let (mut begin, mut end, mut block) = (0, None, None);
        for n in 0..MOST_ELEMENTS {
            match Element::read(&mut self.file) {
                Ok(element) if n > 0 || element.id == CLUSTER => {
                    if self.note(element, &mut begin, &mut block, &mut end).is_err() {
                        break;
                    }
                }
                Ok(_) => return None,
                Err(_) => break,
            }
        }
        end.map(|end: i128| end as f64 / 1e9)
    }

    fn note(
        &mut self,
        Element { id, size }: Element,
        begin: &mut u64,
        block: &mut Option<i128>,
        end: &mut Option<i128>,
    ) -> io::Result<()> {
        match id {
            CLUSTER => {}
            BLOCK_GROUP => *block = None,
            TIMESTAMP => *begin = number(&mut self.file, size)?,
            SIMPLE_BLOCK | BLOCK => {
                *block = self.block(*begin, size)?.map(|(shown, timing)| {
                    *end = (*end).max(Some(shown + i128::from(timing.frame_nanoseconds)));
                    shown
                });
            }
            BLOCK_DURATION => {
                let lasting = i128::from(number(&mut self.file, size)?) * i128::from(self.scale);
                *end = (*end).max(block.map(|shown| shown.saturating_add(lasting)));
            }
            _ => skip(&mut self.file, size)?,
        }
        Ok(())
    }

    /// The moment in nanoseconds at which a block is shown, if it is one of picture or sound.
    fn block(&mut self, begin: u64, size: Option<u64>) -> io::Result<Option<(i128, TrackTiming)>> {
        let (track, length) = vint(&mut self.file, true)?;
        let mut relative = [0; 2];
        self.file.read_exact(&mut relative)?;
        let rest = size.and_then(|size| size.checked_sub(u64::from(length) + 2));
        skip(&mut self.file, Some(rest.ok_or(io::ErrorKind::InvalidData)?))?;
        let ticks = i128::from(begin) + i128::from(i16::from_be_bytes(relative));
        Ok(track.and_then(|track| self.timing(track)).map(|timing| (ticks * i128::from(self.scale), timing)))
    }

    fn timing(&self, track: u64) -> Option<TrackTiming> {
        self.timed.iter().find(|timing| timing.track == track).copied()
    }
}

/// What stands before the content of every part.
struct Element {
    id: u64,
    /// `None` when the writer did not know it.
    size: Option<u64>,
}

impl Element {
    fn read(file: &mut impl Read) -> io::Result<Self> {
        let id = vint(file, false)?.0.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { id, size: vint(file, true)?.0 })
    }
}

/// A number that tells its own length by the zeros before its first one, and that length; ids keep the marker. `None` when
/// all its bits are set.
fn vint(file: &mut impl Read, without_marker: bool) -> io::Result<(Option<u64>, u8)> {
    let mut first = [0];
    file.read_exact(&mut first)?;
    let zeros = first[0].leading_zeros();
    if zeros > 7 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut value = u64::from(first[0]);
    for _ in 0..zeros {
        let mut next = [0];
        file.read_exact(&mut next)?;
        value = value << 8 | u64::from(next[0]);
    }
    let length = zeros + 1;
    let mask = (1_u64 << (7 * length)) - 1;
    let all_set = without_marker && value & mask == mask;
    let value = if without_marker { value & mask } else { value };
    Ok(((!all_set).then_some(value), length as u8))
}

/// The content of an element that holds a whole number.
fn number(file: &mut impl Read, size: Option<u64>) -> io::Result<u64> {
    let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= 8);
    let mut bytes = [0; 8];
    let start = 8 - size.ok_or(io::ErrorKind::InvalidData)?;
    file.read_exact(&mut bytes[start..])?;
    Ok(u64::from_be_bytes(bytes))
}

fn skip<R: Seek>(file: &mut BufReader<R>, size: Option<u64>) -> io::Result<()> {
    let size = size.and_then(|size| i64::try_from(size).ok());
    file.seek_relative(size.ok_or(io::ErrorKind::InvalidData)?)
}

/// The timestamp that stands at the beginning of a cluster, perhaps after a checksum.
fn first_timestamp<R: Read + Seek>(file: &mut BufReader<R>) -> io::Result<u64> {
    for _ in 0..8 {
        let Element { id, size } = Element::read(file)?;
        if id == TIMESTAMP {
            return number(file, size);
        }
        skip(file, size)?;
    }
    Err(io::ErrorKind::InvalidData.into())
}
