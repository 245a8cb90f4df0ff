//! Tests with real files, complete and damaged.

use super::mp4::MOST_BOXES;
use super::*;
use std::io::Cursor;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures");

fn fixture(name: &str) -> Result<ContainerInfo, ContainerError> {
    read(&Path::new(FIXTURES).join(name))
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(FIXTURES).join(name)).unwrap()
}

fn complaint(name: &str) -> String {
    fixture(name).unwrap_err().to_string()
}

const TWO_SECONDS: ContainerInfo = ContainerInfo { duration: Some(2), width: Some(160), height: Some(90) };

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
    assert_eq!(fixture("live.webm").unwrap(), ContainerInfo { duration: None, ..TWO_SECONDS });
}

/// The stored duration of a fixture.
fn duration(name: &str) -> Option<i32> {
    fixture(name).unwrap().duration
}

#[test]
fn a_film_that_does_not_begin_at_0_lasts_to_its_end_on_the_clock() {
    assert_eq!(duration("joined-late.mp4"), Some(60));
    assert_eq!(duration("joined-late.webm"), Some(24));
    assert_eq!(duration("begins-late.mp4"), Some(7));
}

#[test]
fn what_an_edit_leaves_out_does_not_count() {
    assert_eq!(duration("cut-in.mp4"), Some(2));
    assert_eq!(duration("reordered.mp4"), Some(9));
}

#[test]
fn a_text_track_that_goes_on_does_not_lengthen_the_film() {
    for name in ["long-text.mp4", "long-text-fragmented.mp4", "long-text.mkv"] {
        assert_eq!(duration(name), Some(4), "{name}");
    }
    for kind in [b"tmcd", b"meta", b"text", b"subt", b"hint"] {
        let other = replaced(&bytes("long-text.mp4"), b"sbtl", kind);
        assert_eq!(read_from(Cursor::new(other)).unwrap().duration, Some(4), "{kind:?}");
    }
}

#[test]
fn the_end_is_found_without_cues_and_where_the_file_breaks_off() {
    let film = bytes("long-text.mkv");
    let without_cues = replaced(&film, b"\x1C\x53\xBB\x6B", b"\x1C\x53\xBB\x6A");
    assert_eq!(read_from(Cursor::new(&without_cues)).unwrap().duration, Some(4));
    let cues = without_cues.windows(4).rposition(|id| id == b"\x1C\x53\xBB\x6A").unwrap();
    assert_eq!(read_from(Cursor::new(&without_cues[..cues - 1])).unwrap().duration, Some(4));
}

#[test]
fn the_fragments_that_are_there_count_and_not_what_was_announced() {
    let stream = bytes("joined-late.mp4");
    let last = stream.windows(4).rposition(|kind| kind == b"styp").unwrap() - 4;
    assert_eq!(read_from(Cursor::new(&stream[..last])).unwrap().duration, Some(56));
    // A moment that only the index before the fragment tells.
    let without_moments = replaced(&stream, b"tfdt", b"skip");
    assert_eq!(read_from(Cursor::new(without_moments)).unwrap().duration, Some(60));
    // And where nothing tells it, one follows the other.
    let without_both = replaced(&replaced(&stream, b"tfdt", b"skip"), b"sidx", b"skip");
    assert_eq!(read_from(Cursor::new(without_both)).unwrap().duration, Some(40));
}

#[test]
fn a_film_without_a_readable_edit_list_is_still_a_film() {
    let mut film = bytes("cut-in.mp4");
    let list = film.windows(4).position(|kind| kind == b"elst").unwrap();
    film[list + 8..list + 12].fill(0xff);
    assert_eq!(read_from(Cursor::new(film)).unwrap().duration, Some(3));
}

/// All places that hold `from` hold `to`, which is as long.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = bytes.to_vec();
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| replaced[*at..*at + to.len()].copy_from_slice(to));
    replaced
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
    let names =
        ["two-seconds.mov", "fragmented.mp4", "two-seconds.mkv", "live.webm", "long-text.mkv", "joined-late.mp4"];
    for name in names.into_iter().chain(["joined-late.webm", "begins-late.mp4"]) {
        let whole = bytes(name);
        for _ in 0..2_000 {
            let mut damaged = whole.clone();
            for _ in 0..=below(6) {
                // Heads stand at both ends of these files, and a mere bit makes a size absurd.
                let near = below(whole.len().min(1_500));
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
