//! The position that was given up last: it can be offered to the viewer, and undo goes back to it.

use super::{Row, Time};

/// A smaller difference is not worth an offer, in seconds.
const LARGEST_STEP: i32 = 30;

/// A position, the device that was there, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub position: i32,
    pub device: Option<String>,
    pub at: Time,
}

/// Whether two positions are more than 30 s apart.
fn is_far(a: i32, b: i32) -> bool {
    a.abs_diff(b) > LARGEST_STEP.unsigned_abs()
}

impl Row {
    /// The place of the entry.
    pub fn place(&self) -> Place {
        Place { position: self.position, device: self.device.clone(), at: self.last_watched_at }
    }

    /// Keeps the place that is given up for a position that is far away. The row is as it was
    /// before the position changes.
    pub fn give_up_for(&mut self, position: i32) {
        if is_far(position, self.position) {
            self.previous = Some(self.place());
        }
    }

    /// Keeps the place of a save of another play that came too late to become the position. Returns
    /// whether it is kept.
    pub fn offer(&mut self, late: Place) -> bool {
        let is_newer = self.previous.as_ref().is_none_or(|previous| late.at > previous.at);
        let is_kept = is_newer && is_far(late.position, self.position);
        if is_kept {
            self.previous = Some(late);
        }
        is_kept
    }
}
