//! How many files are open for readers at once: each holds two descriptors for as long as its reader likes.

use crate::error::Problem;
use crate::state::AppState;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::Data;
use service::Error;
use service::limit::Network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// The files that are being sent, counted.
#[derive(Debug)]
pub struct FileLimits {
    per_address: usize,
    total: usize,
    open: Mutex<OpenFiles>,
}

#[derive(Debug, Default)]
struct OpenFiles {
    total: usize,
    /// Videos by the network that watches them. Pictures are not in it: a page shows a hundred at once.
    videos: HashMap<Network, usize>,
}

/// A place among the open files, given back when it is dropped.
pub(crate) struct FilePermit {
    app: Data<AppState>,
    viewer: Option<Network>,
}

impl FileLimits {
    /// One address has at most `per_address` videos open at once, and all together at most `total` files.
    pub fn new(per_address: usize, total: usize) -> Self {
        Self { per_address, total, open: Mutex::default() }
    }
}

impl FilePermit {
    /// For a video that somebody at `from` watches.
    pub(crate) fn for_video(app: &Data<AppState>, from: IpAddr) -> Result<Self, Problem> {
        Self::take(app, Some(from.into()))
    }

    pub(crate) fn for_picture(app: &Data<AppState>) -> Result<Self, Problem> {
        Self::take(app, None)
    }

    fn take(app: &Data<AppState>, viewer: Option<Network>) -> Result<Self, Problem> {
        let FileLimits { per_address, total, open } = &app.file_limits;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= *total {
            return Err(Error::Busy.into());
        }
        if let Some(viewer) = viewer {
            let videos = open.videos.entry(viewer).or_default();
            if *videos >= *per_address {
                return Err(too_many_streams(*per_address));
            }
            *videos += 1;
        }
        open.total += 1;
        drop(open);
        Ok(Self { app: app.clone(), viewer })
    }
}

impl Drop for FilePermit {
    fn drop(&mut self) {
        let mut open = self.app.file_limits.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        let Some(viewer) = self.viewer else { return };
        if let Some(videos) = open.videos.get_mut(&viewer) {
            *videos = videos.saturating_sub(1);
            if *videos == 0 {
                open.videos.remove(&viewer);
            }
        }
    }
}

pub(crate) fn too_many_streams(per_address: usize) -> Problem {
    let detail = format!("{per_address} videos are open from this address already: end one first");
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail);
    problem.header = Some(Box::new((RETRY_AFTER, HeaderValue::from_static("5"))));
    problem
}
