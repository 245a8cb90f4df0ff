//! What one user has saved and heard.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

/// The saves of one user that wait for their messages. The marks of a user only grow, so a
/// message with a mark is also about all saves before it.
#[derive(Default)]
pub struct Watch(Mutex<State>);

#[derive(Default)]
struct State {
    heard: u64,
    messages: u64,
    /// Marks whose save was answered, and when.
    waiting: VecDeque<(u64, Instant)>,
    latencies: Vec<f64>,
}

impl Watch {
    pub fn saved(&self, mark: u64) {
        let mut state = self.lock();
        if state.heard >= mark {
            state.latencies.push(0.0);
        } else {
            state.waiting.push_back((mark, Instant::now()));
        }
    }

    pub fn heard(&self, mark: u64) {
        let mut state = self.lock();
        state.heard = state.heard.max(mark);
        state.messages += 1;
        while let Some((_, answered)) = state.waiting.pop_front_if(|(waiting, _)| *waiting <= mark) {
            state.latencies.push(answered.elapsed().as_secs_f64() * 1000.0);
        }
    }

    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    pub fn messages(&self) -> u64 {
        std::mem::take(&mut self.lock().messages)
    }

    pub fn take_latencies(&self) -> Vec<f64> {
        std::mem::take(&mut self.lock().latencies)
    }

    /// Waits no longer; returns how many saves had no message.
    pub fn give_up(&self) -> usize {
        std::mem::take(&mut self.lock().waiting).len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no holder panics")
    }
}
