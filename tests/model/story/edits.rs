//! Edits of entries and plays.

use super::{DAY, Edit, HOUR, PlayChoice, SECOND, VIDEOS, video, viewer};
use proptest::collection::vec;
use proptest::prelude::*;

pub fn edit() -> impl Strategy<Value = Edit> {
    let until = prop_oneof![2 => Just(None), 1 => (1..3_i64).prop_map(Some), 1 => Just(Some(2 * SECOND)), 1 => Just(Some(HOUR))];
    prop_oneof![
        4 => video().prop_map(Edit::Undo),
        2 => (video(), until).prop_map(|(video, until)| Edit::Hide { video, until }),
        1 => video().prop_map(Edit::Unhide),
        2 => (video(), ago()).prop_map(|(video, watched)| Edit::Mark { video, watched }),
        2 => video().prop_map(Edit::Unmark),
        1 => (videos(), any::<bool>()).prop_map(|(videos, watched)| Edit::MarkMany { videos, watched }),
        1 => videos().prop_map(Edit::ForgetMany),
        1 => ago().prop_map(|before| Edit::Clear { before }),
        2 => play().prop_map(Edit::DeletePlay),
        3 => play().prop_map(Edit::ResumePlay),
    ]
}

/// Some videos; one of them may be named twice, and one may not exist.
fn videos() -> impl Strategy<Value = Vec<usize>> {
    vec(0..=VIDEOS, 1..5)
}

/// Milliseconds before the edit.
fn ago() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        3 => Just(None),
        2 => (0..3_i64).prop_map(Some),
        1 => (998..1003_i64).prop_map(Some),
        1 => Just(Some(HOUR)),
        1 => Just(Some(2 * DAY)),
    ]
}

/// Mostly a play of the viewer who asks.
fn play() -> impl Strategy<Value = PlayChoice> {
    (viewer(), video(), 0..5_usize).prop_map(|(of, video, nth)| PlayChoice { of, video, nth })
}
