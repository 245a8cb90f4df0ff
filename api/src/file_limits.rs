//! Limits on files that are sent at once. Each holds two descriptors, its own and its connection's,
//! for as long as the client reads.

use crate::error::Problem;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use service::Error;
use service::limit::Network;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the files that are being sent.
#[derive(Clone, Debug)]
pub struct FileLimits {
    per_address: usize,
    total: usize,
    open: Arc<Mutex<OpenFiles>>,
}

#[derive(Debug, Default)]
struct OpenFiles {
    total: usize,
    /// Videos by the network of the client. Pictures do not count: a page shows a hundred at once.
    videos: HashMap<Network, usize>,
}

/// The permission to send one file; dropping it frees its place.
pub(crate) struct FilePermit {
    limits: FileLimits,
    viewer: Option<Network>,
}

impl FileLimits {
    /// At most `per_address` videos for one address, and at most `total` files.
    pub fn new(per_address: usize, total: usize) -> Self {
        Self { per_address, total, open: Arc::default() }
    }

    /// Takes a permit for a video that is sent to `address`.
    pub(crate) fn take_for_video(&self, address: IpAddr) -> Result<FilePermit, Problem> {
        self.take(Some(address.into()))
    }

    /// Takes a permit for a picture.
    pub(crate) fn take_for_picture(&self) -> Result<FilePermit, Problem> {
        self.take(None)
    }

    fn take(&self, viewer: Option<Network>) -> Result<FilePermit, Problem> {
        let mut open = self.lock();
        if open.total >= self.total {
            return Err(Error::Busy.into());
        }
        if let Some(viewer) = viewer {
            let videos = open.videos.entry(viewer).or_default();
            if *videos >= self.per_address {
                return Err(too_many_streams(self.per_address));
            }
            *videos += 1;
        }
        open.total += 1;
        drop(open);
        Ok(FilePermit { limits: self.clone(), viewer })
    }

    fn lock(&self) -> MutexGuard<'_, OpenFiles> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FilePermit {
    fn drop(&mut self) {
        let mut open = self.limits.lock();
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
    let detail = format!("this address already has {per_address} videos open; close one first");
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", detail);
    problem.header = Some(Box::new((RETRY_AFTER, HeaderValue::from_static("5"))));
    problem
}
