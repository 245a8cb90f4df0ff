//! The blocks of Matroska: the times of picture and sound, without reading the content of blocks.
//!
//! The elements are read as a flat list, without their nesting: parts of a live recording have no
//! size.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// The timing of a track.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrackTiming {
    pub(super) track: u64,
    /// The default duration of a frame; 0 if unknown.
    pub(super) frame_nanoseconds: u64,
}

/// The most elements of a file; four hours have about two million blocks.
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

/// Reads the blocks of a file.
pub(super) struct BlockReader<'a, R> {
    file: BufReader<R>,
    scale: u64,
    timed: &'a [TrackTiming],
    /// The start of the segment's content; positions are relative to it.
    segment: u64,
    first_cluster: u64,
    /// The start of the first cluster in ticks.
    begin: u64,
    cues: Option<u64>,
}

impl<'a, R: Read + Seek> BlockReader<'a, R> {
    /// Opens a file; `None` when it has no cluster.
    pub(super) fn open(file: R, scale: u64, timed: &'a [TrackTiming]) -> Option<Self> {
        let mut file = BufReader::with_capacity(2048, file);
        file.rewind().ok()?;
        let (mut segment, mut cues, mut seek_id) = (0, None, 0);
        for _ in 0..MOST_ELEMENTS {
            let at = file.stream_position().ok()?;
            let Element { id, size } = Element::read(&mut file).ok()?;
            match id {
                SEGMENT => segment = file.stream_position().ok()?,
                SEEK_HEAD | SEEK => {}
                SEEK_ID => seek_id = number(&mut file, size).ok()?,
                SEEK_POSITION => {
                    let position = number(&mut file, size).ok()?;
                    cues = if seek_id == CUES { Some(position) } else { cues };
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

    /// The end of the last frame of picture and sound.
    pub(super) fn end_seconds(&mut self) -> Option<f64> {
        let last = self.last_cluster().ok().flatten();
        let from_last = last.and_then(|cluster| self.end_after(cluster));
        from_last.or_else(|| self.end_after(self.first_cluster))
    }

    /// The position of the last cluster that the cues have for picture or sound.
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

    /// The end of the last frame from this cluster on. In a truncated file, the complete blocks
    /// count.
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
                *block = self.block(*begin, size)?.map(|(time, timing)| {
                    *end = (*end).max(Some(time + i128::from(timing.frame_nanoseconds)));
                    time
                });
            }
            BLOCK_DURATION => {
                let lasting = i128::from(number(&mut self.file, size)?) * i128::from(self.scale);
                *end = (*end).max(block.map(|time| time.saturating_add(lasting)));
            }
            _ => skip(&mut self.file, size)?,
        }
        Ok(())
    }

    /// The time of a block in nanoseconds, if it is one of picture or sound.
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

/// The header of an element.
struct Element {
    id: u64,
    /// `None` if unknown.
    size: Option<u64>,
}

impl Element {
    fn read(file: &mut impl Read) -> io::Result<Self> {
        let id = vint(file, false)?.0.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { id, size: vint(file, true)?.0 })
    }
}

/// Reads a number of variable length, and returns its length too. The leading zero bits encode the
/// length; ids keep the marker bit. `None` when all bits are set.
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

/// Reads the content of an element that is a whole number.
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

/// Reads the timestamp at the start of a cluster; a checksum may come first.
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
