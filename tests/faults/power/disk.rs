//! A disk that keeps only what was synced. Loaded into the server's process before the C library
//! (`LD_PRELOAD`), it intercepts SQLite's file calls: each write is also recorded, and goes into an
//! image of the file at fsync. The images are what at least survives a power cut.
//!
//! No crate is linked, because the test compiles it.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs::{self, File};
use std::mem::transmute;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard};

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
}

/// The symbol of the next library, which is the C library.
const NEXT: *mut c_void = -1_isize as *mut c_void;

type Write = unsafe extern "C" fn(c_int, *const c_void, usize, i64) -> isize;
type Truncate = unsafe extern "C" fn(c_int, i64) -> c_int;
type Sync = unsafe extern "C" fn(c_int) -> c_int;

fn symbol(name: &CStr) -> *mut c_void {
    unsafe { dlsym(NEXT, name.as_ptr()) }
}

static WRITE: LazyLock<Write> = LazyLock::new(|| unsafe { transmute(symbol(c"pwrite")) });
static TRUNCATE: LazyLock<Truncate> = LazyLock::new(|| unsafe { transmute(symbol(c"ftruncate")) });
static SYNC: LazyLock<Sync> = LazyLock::new(|| unsafe { transmute(symbol(c"fdatasync")) });

enum Change {
    Bytes(i64, Vec<u8>),
    Length(i64),
}

/// A database file, and its changes since the last fsync.
struct Kept {
    inode: u64,
    image: File,
    changes: Vec<Change>,
}

type Disk = HashMap<PathBuf, Kept>;

/// One lock for all files, so that changes are recorded before fsync begins and the image is
/// written when it returns.
static DISK: LazyLock<Mutex<Disk>> = LazyLock::new(Mutex::default);

/// The path of an open file, if it belongs to the database.
fn name(file: c_int) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/self/fd/{file}")).ok()?;
    let of_the_database = ["playhead.db", "playhead.db-wal"].iter().any(|name| path.ends_with(name));
    of_the_database.then_some(path)
}

/// Records a change before it is made, under the lock that it returns. The image starts as a copy
/// of the file.
fn note(file: c_int, change: impl FnOnce() -> Change) -> Option<MutexGuard<'static, Disk>> {
    let (path, images) = (name(file)?, std::env::var_os("IMAGES")?);
    let inode = fs::metadata(&path).unwrap().ino();
    let mut disk = DISK.lock().unwrap();
    if disk.get(&path).is_none_or(|kept| kept.inode != inode) {
        let image = Path::new(&images).join(path.file_name().unwrap());
        fs::copy(&path, &image).unwrap();
        let image = File::options().write(true).open(image).unwrap();
        disk.insert(path.clone(), Kept { inode, image, changes: Vec::new() });
    }
    disk.get_mut(&path).unwrap().changes.push(change());
    Some(disk)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(file: c_int, bytes: *const c_void, count: usize, at: i64) -> isize {
    let _disk = note(file, || Change::Bytes(at, unsafe { std::slice::from_raw_parts(bytes.cast(), count) }.to_vec()));
    unsafe { WRITE(file, bytes, count, at) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(file: c_int, bytes: *const c_void, count: usize, at: i64) -> isize {
    unsafe { pwrite(file, bytes, count, at) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate(file: c_int, length: i64) -> c_int {
    let _disk = note(file, || Change::Length(length));
    unsafe { TRUNCATE(file, length) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(file: c_int, length: i64) -> c_int {
    unsafe { ftruncate(file, length) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(file: c_int) -> c_int {
    let mut disk = DISK.lock().unwrap();
    let done = unsafe { SYNC(file) };
    if done != 0 {
        return done;
    }
    if let Some(kept) = name(file).and_then(|path| disk.get_mut(&path)) {
        let image = kept.image.as_raw_fd();
        for change in kept.changes.drain(..) {
            match change {
                Change::Bytes(at, bytes) => unsafe { WRITE(image, bytes.as_ptr().cast(), bytes.len(), at) },
                Change::Length(length) => unsafe { TRUNCATE(image, length) as isize },
            };
        }
    }
    done
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(file: c_int) -> c_int {
    unsafe { fdatasync(file) }
}
