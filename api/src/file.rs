//! Files as answers: whole, a range, or not modified.
//!
//! Not `actix_files::NamedFile`: its ETags contain inodes, which differ between replicas, so that a
//! client that reaches another replica would load everything again.

use crate::error::Problem;
use actix_files::{HttpRange, file_extension_to_mime};
use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_RANGES, CONTENT_RANGE, ContentType, ETAG, EntityTag, HttpDate, IF_MATCH, IF_NONE_MATCH, IF_RANGE, IfMatch,
    IfModifiedSince, IfNoneMatch, IfRange, IfUnmodifiedSince, LAST_MODIFIED, RANGE,
};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use futures_util::Stream;
use futures_util::stream::unfold;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::spawn_blocking;

/// How many bytes are read at a time.
const CHUNK: u64 = 64 * 1024;
/// HTTP dates end with the year 9999, in seconds since 1970.
const LAST_SECOND: u64 = 253_402_300_799;

/// An open file, and what its headers say.
pub(crate) struct OpenFile {
    file: File,
    length: u64,
    kind: ContentType,
    tag: EntityTag,
    /// Whole seconds, as in HTTP dates.
    modified: Option<SystemTime>,
}

impl OpenFile {
    /// Opens the file; `None` when the path is not a file, such as a folder.
    ///
    /// # Errors
    /// It does not exist or cannot be opened.
    pub(crate) async fn open(path: PathBuf) -> io::Result<Option<Self>> {
        let opened = spawn_blocking(move || {
            let file = File::open(&path)?;
            let state = file.metadata()?;
            Ok(state.is_file().then(|| Self::from_parts(file, &path, &state)))
        });
        opened.await.map_err(io::Error::other)?
    }

    fn from_parts(file: File, path: &Path, state: &Metadata) -> Self {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let (length, seconds, nanos) = (state.len(), state.mtime(), state.mtime_nsec());
        let modified = u64::try_from(seconds).ok().filter(|seconds| *seconds <= LAST_SECOND);
        Self {
            file,
            length,
            kind: ContentType(file_extension_to_mime(ending)),
            tag: EntityTag::new_strong(format!("{length:x}-{seconds:x}.{nanos:x}-{:x}", fnv1a_hash(name))),
            modified: modified.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        }
    }

    /// Answers with the file, or the part of it that the request asks for. The conditions are checked
    /// in the order of RFC 9110 (13.2.2).
    pub(crate) fn respond(self, request: &HttpRequest) -> HttpResponse {
        if self.precondition_fails(request) {
            return Problem::from_status(StatusCode::PRECONDITION_FAILED).error_response();
        }
        if self.is_not_modified(request) {
            return self.start_response(StatusCode::NOT_MODIFIED).finish();
        }
        let range = request.headers().get(RANGE).filter(|_| self.if_range_matches(request));
        let Some(range) = range.and_then(|range| range.to_str().ok()) else {
            let mut whole = self.start_response(StatusCode::OK);
            return whole
                .content_type(self.kind)
                .body(SizedStream::new(self.length, chunks(self.file, 0, self.length)));
        };
        let first = HttpRange::parse(range, self.length).ok().and_then(|ranges| ranges.first().copied());
        let Some(HttpRange { start, length }) = first else {
            let mut refused = Problem::from_status(StatusCode::RANGE_NOT_SATISFIABLE).error_response();
            if let Ok(size) = format!("bytes */{}", self.length).parse() {
                refused.headers_mut().insert(CONTENT_RANGE, size);
            }
            return refused;
        };
        let mut part = self.start_response(StatusCode::PARTIAL_CONTENT);
        part.insert_header((CONTENT_RANGE, format!("bytes {start}-{}/{}", start + length - 1, self.length)));
        part.content_type(self.kind).body(SizedStream::new(length, chunks(self.file, start, length)))
    }

    fn start_response(&self, status: StatusCode) -> HttpResponseBuilder {
        let mut response = HttpResponse::build(status);
        response.insert_header((ETAG, self.tag.to_string())).insert_header((ACCEPT_RANGES, "bytes"));
        if let Some(modified) = self.modified {
            response.insert_header((LAST_MODIFIED, HttpDate::from(modified)));
        }
        response
    }

    /// Whether `If-Match` or `If-Unmodified-Since` names another version.
    fn precondition_fails(&self, request: &HttpRequest) -> bool {
        if request.headers().contains_key(IF_MATCH) {
            return match request.get_header() {
                Some(IfMatch::Items(tags)) => !tags.iter().any(|tag| tag.strong_eq(&self.tag)),
                Some(IfMatch::Any) | None => false,
            };
        }
        let since = request.get_header().map(|IfUnmodifiedSince(since)| SystemTime::from(since));
        self.modified.zip(since).is_some_and(|(modified, since)| modified > since)
    }

    /// Whether the client already has this version.
    fn is_not_modified(&self, request: &HttpRequest) -> bool {
        if request.headers().contains_key(IF_NONE_MATCH) {
            return match request.get_header() {
                Some(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&self.tag)),
                Some(IfNoneMatch::Any) => true,
                None => false,
            };
        }
        let since = request.get_header().map(|IfModifiedSince(since)| SystemTime::from(since));
        self.modified.zip(since).is_some_and(|(modified, since)| modified <= since)
    }

    /// Whether the range belongs to this version (`If-Range`).
    fn if_range_matches(&self, request: &HttpRequest) -> bool {
        match request.get_header() {
            Some(IfRange::EntityTag(tag)) => tag.strong_eq(&self.tag),
            Some(IfRange::Date(date)) => self.modified == Some(date.into()),
            None => !request.headers().contains_key(IF_RANGE),
        }
    }
}

fn chunks(file: File, start: u64, length: u64) -> impl Stream<Item = io::Result<Bytes>> {
    unfold((Arc::new(file), start, length), |(file, start, left)| async move {
        if left == 0 {
            return None;
        }
        let reader = file.clone();
        let read = spawn_blocking(move || read(&reader, start, left)).await.map_err(io::Error::other).flatten();
        // After an error nothing is left, and the connection closes before the announced length.
        let length = read.as_ref().map_or(left, |bytes| bytes.len() as u64);
        Some((read, (file, start + length, left - length)))
    })
}

fn read(file: &File, start: u64, left: u64) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(left.min(CHUNK)).unwrap_or_default()];
    let length = file.read_at(&mut bytes, start)?;
    if length == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.truncate(length);
    Ok(bytes.into())
}

/// FNV-1a, which unlike the hashers of std is the same in every build.
fn fnv1a_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
