//! Matroska and WebM: elements within elements (RFC 8794 and RFC 9559).

use super::{BREAKS_OFF, Container, NO_INDEX, Source, Unreadable, whole_seconds};
use std::io::{Read, Seek};

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1F43_B675;
const INFO: u32 = 0x1549_A966;
const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const TRACK_TYPE: u32 = 0x83;
const VIDEO: u32 = 0xE0;
const PIXEL_WIDTH: u32 = 0xB0;
const PIXEL_HEIGHT: u32 = 0xBA;
const DISPLAY_WIDTH: u32 = 0x54B0;
const DISPLAY_HEIGHT: u32 = 0x54BA;
const DISPLAY_UNIT: u32 = 0x54B2;

pub(super) fn begins(start: &[u8]) -> bool {
    start.starts_with(&EBML.to_be_bytes())
}

/// Reads elements until the two that matter are found; writers put both before the film itself.
pub(super) fn read<R: Read + Seek>(source: &mut Source<R>) -> Result<Container, Unreadable> {
    let (mut length, mut picture) = (None, None);
    while length.is_none() || picture.is_none() {
        let Some((name, end)) = next(source, source.end)? else { break };
        match name {
            // Stepping in rather than over: what is looked for is inside, or after an end that a live writer left open.
            SEGMENT => continue,
            CLUSTER if end.is_none() => continue,
            INFO => length = Some(info(source, closed(source, end)?)?),
            TRACKS => picture = Some(tracks(source, closed(source, end)?)?),
            _ => {}
        }
        source.go_to(end.unwrap_or(u64::MAX))?;
    }
    let (width, height) = picture.ok_or(NO_INDEX)?.ok_or(Unreadable::NoVideoTrack)?;
    Ok(Container { duration: length.and_then(whole_seconds), width, height })
}

/// The head of the next element before `limit`: its name, and where it ends if it says so.
fn next<R: Read + Seek>(source: &mut Source<R>, limit: u64) -> Result<Option<(u32, Option<u64>)>, Unreadable> {
    if source.at >= limit {
        return Ok(None);
    }
    source.begin_part()?;
    let (name, _) = number(source, true)?;
    let name = u32::try_from(name).map_err(|_| Unreadable::Broken("one of its parts has no proper name"))?;
    let (size, is_open) = number(source, false)?;
    Ok(Some((name, if is_open { None } else { Some(source.at.saturating_add(size)) })))
}

/// A number whose first set bit tells how many bytes it has; a size with all bits set is not known.
fn number<R: Read + Seek>(source: &mut Source<R>, is_name: bool) -> Result<(u64, bool), Unreadable> {
    let [first] = source.bytes()?;
    let more = first.leading_zeros();
    let marker = 0x80_u8.checked_shr(more).filter(|&marker| marker != 0);
    let marker = marker.ok_or(Unreadable::Broken("one of its parts has no proper size"))?;
    let mut number = u64::from(if is_name { first } else { first ^ marker });
    for _ in 0..more {
        let [byte] = source.bytes()?;
        number = number << 8 | u64::from(byte);
    }
    Ok((number, number == (1 << (7 * (more + 1))) - 1))
}

/// Shows every element before `limit` to `visit`, which may read from it or step into it.
fn each<R: Read + Seek>(
    source: &mut Source<R>,
    limit: u64,
    mut visit: impl FnMut(&mut Source<R>, u32, u64) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    while let Some((name, end)) = next(source, limit)? {
        let end = closed(source, end)?;
        visit(source, name, end)?;
        source.go_to(end)?;
    }
    Ok(())
}

/// Where an element ends that must say so and lie within the file.
fn closed<R>(source: &Source<R>, end: Option<u64>) -> Result<u64, Unreadable> {
    end.filter(|&end| end <= source.end).ok_or(BREAKS_OFF)
}

/// Length in seconds; 0 when a live writer had to leave it out.
fn info<R: Read + Seek>(source: &mut Source<R>, limit: u64) -> Result<f64, Unreadable> {
    let (mut nanoseconds, mut ticks) = (1_000_000, 0.0);
    each(source, limit, |source, name, end| {
        match name {
            TIMESTAMP_SCALE => nanoseconds = unsigned(&source.body(end)?),
            DURATION => ticks = float(&source.body(end)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(ticks * nanoseconds as f64 / 1e9)
}

type Picture = (Option<i32>, Option<i32>);

/// The size of the first video track, if there is one.
fn tracks<R: Read + Seek>(source: &mut Source<R>, limit: u64) -> Result<Option<Picture>, Unreadable> {
    let mut first = None;
    each(source, limit, |source, name, end| {
        if name != TRACK_ENTRY || first.is_some() {
            return Ok(());
        }
        let (mut is_video, mut picture) = (false, (None, None));
        each(source, end, |source, name, end| {
            match name {
                TRACK_TYPE => is_video = unsigned(&source.body(end)?) == 1,
                VIDEO => picture = size(source, end)?,
                _ => {}
            }
            Ok(())
        })?;
        first = is_video.then_some(picture);
        Ok(())
    })?;
    Ok(first)
}

fn size<R: Read + Seek>(source: &mut Source<R>, limit: u64) -> Result<Picture, Unreadable> {
    let (mut stored, mut shown, mut unit) = ((None, None), (None, None), 0);
    each(source, limit, |source, name, end| {
        match name {
            PIXEL_WIDTH => stored.0 = pixels(&source.body(end)?),
            PIXEL_HEIGHT => stored.1 = pixels(&source.body(end)?),
            DISPLAY_WIDTH => shown.0 = pixels(&source.body(end)?),
            DISPLAY_HEIGHT => shown.1 = pixels(&source.body(end)?),
            DISPLAY_UNIT => unit = unsigned(&source.body(end)?),
            _ => {}
        }
        Ok(())
    })?;
    // In any other unit the shown size is centimetres, inches or a mere ratio.
    let (width, height) = if unit == 0 { shown } else { (None, None) };
    Ok((width.or(stored.0), height.or(stored.1)))
}

fn pixels(body: &[u8]) -> Option<i32> {
    i32::try_from(unsigned(body)).ok().filter(|&pixels| pixels > 0)
}

fn unsigned(body: &[u8]) -> u64 {
    body.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn float(body: &[u8]) -> f64 {
    match (body.first_chunk(), body.first_chunk()) {
        (_, Some(eight)) => f64::from_be_bytes(*eight),
        (Some(four), None) => f32::from_be_bytes(*four).into(),
        (None, None) => 0.0,
    }
}
