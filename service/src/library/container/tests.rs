//! Real files, whole and broken.

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
fn a_film_may_be_larger_than_memory() {
    let mut large = bytes("two-seconds.mkv");
    let segment = large.windows(4).position(|name| name == b"\x18\x53\x80\x67").unwrap();
    large[segment + 4..segment + 12].copy_from_slice(b"\x01\0\x10\0\0\0\0\0");
    assert_eq!(read_from(Cursor::new(large)).unwrap(), TWO_SECONDS);
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
    for length in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12, 1001.0 * 3600.0] {
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
    let parts = b"\0\0\0\x08free".repeat(MOST_BOXES as usize + 1);
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
