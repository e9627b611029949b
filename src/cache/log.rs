//! The file that holds kept entries: one after the other, the newest last, each with its key, length and checksum.
//!
//! Several runs may use it at once. Readers take what was whole when they opened it; writers append under a lock. What
//! a crash or a full disk cut short is cut off by the next writer, what is broken inside is as if it were not there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustc_hash::FxHashMap;

use super::Key;

/// Each entry begins with this, so that a broken length is noticed.
const MARK: [u8; 4] = *b"fact";

/// Mark, key, length, checksum.
const HEAD: usize = 4 + 16 + 4 + 8;

/// A log of which less than this is superfluous is not written anew.
const SPARE: u64 = 1 << 20;

/// An open log.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    /// The entries: where what they hold begins, its length, its checksum.
    entries: Vec<(u64, u32, [u8; 8])>,
    places: FxHashMap<Key, usize>,
    /// Up to here the log was whole when it was opened.
    end: u64,
}

/// Adds an entry as the log holds it.
pub(super) fn append(to: &mut Vec<u8>, key: &Key, entry: &[u8]) {
    let Ok(length) = u32::try_from(entry.len()) else { return };
    to.extend_from_slice(&MARK);
    to.extend_from_slice(key);
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(&sum(entry));
    to.extend_from_slice(entry);
}

fn sum(entry: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(entry).as_bytes()[..8]);
    sum
}

impl Log {
    /// Opens a log, or begins one.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).append(true).create(true);
        // What code says is its owner's.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let mut log = Self { path: path.to_owned(), file, entries: vec![], places: FxHashMap::default(), end: 0 };
        log.end = whole(&log.file, 0, |key, at| {
            log.places.insert(key, log.entries.len());
            log.entries.push(at);
        })?;
        Ok(log)
    }

    /// How many entries it holds.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry of a key.
    pub(super) fn find(&self, key: &Key) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// Reads what an entry holds; none when it is broken.
    pub(super) fn read(&self, at: usize, buffer: &mut Vec<u8>) -> Option<()> {
        let (from, length, expected) = self.entries[at];
        buffer.resize(length as usize, 0);
        read_at(&self.file, buffer, from).ok()?;
        (sum(buffer) == expected).then_some(())
    }

    /// Appends entries.
    pub(super) fn write(&self, entries: &[u8]) -> io::Result<()> {
        self.file.lock()?;
        let written = self.write_locked(entries);
        self.file.unlock()?;
        written
    }

    fn write_locked(&self, entries: &[u8]) -> io::Result<()> {
        let end = whole(&self.file, self.end, |_, _| {})?;
        if end < self.file.metadata()?.len() {
            // The end of a write that was cut short: what comes after it would never be found.
            self.file.set_len(end)?;
        }
        (&self.file).write_all(entries)
    }

    /// Tells the system that the log is in use; writes it anew when most of it is not.
    pub(super) fn settle(self, used: &[bool]) -> io::Result<()> {
        let size = |keep: bool| -> u64 {
            let entries = self.entries.iter().zip(used).filter(|(_, used)| **used == keep);
            entries.map(|(&(_, length, _), _)| HEAD as u64 + u64::from(length)).sum()
        };
        if size(false) > SPARE.max(size(true)) {
            return self.renew(used);
        }
        let changed = self.file.metadata()?.modified()?;
        let is_old = |age: Duration| age > Duration::from_secs(24 * 60 * 60);
        if changed.elapsed().is_ok_and(is_old) {
            self.file.set_modified(SystemTime::now())?;
        }
        Ok(())
    }

    /// Drops the oldest entries but for `most` in all, as far as they have `room` besides what was appended; not until
    /// there are twice as many, or too much.
    pub(super) fn keep_newest(self, most: usize, room: u64) -> io::Result<()> {
        let sizes = || self.entries.iter().rev().map(|&(_, length, _)| HEAD as u64 + u64::from(length));
        if self.entries.len() < 2 * most && sizes().sum::<u64>() <= room {
            return Ok(());
        }
        let mut size = 0;
        let mut kept: Vec<bool> = sizes()
            .enumerate()
            .map(|(at, length)| {
                size += length;
                at + 1 < most && size <= room
            })
            .collect();
        kept.reverse();
        self.renew(&kept)
    }

    /// A new log of what was used, and of what was appended since the log was opened.
    fn renew(self, used: &[bool]) -> io::Result<()> {
        self.file.lock()?;
        let new = self.path.with_extension(format!("{}.new", std::process::id()));
        let renewed = self.copy(used, &new).and_then(|()| fs::rename(&new, &self.path));
        if renewed.is_err() {
            let _ = fs::remove_file(&new);
        }
        self.file.unlock()?;
        renewed
    }

    fn copy(&self, used: &[bool], to: &Path) -> io::Result<()> {
        let mut new = Vec::new();
        let mut buffer = Vec::new();
        let mut places: Vec<(&Key, usize)> = self.places.iter().map(|(key, &at)| (key, at)).collect();
        places.sort_unstable_by_key(|&(_, at)| at);
        for (key, at) in places {
            if used[at] && self.read(at, &mut buffer).is_some() {
                append(&mut new, key, &buffer);
            }
        }
        let end = whole(&self.file, self.end, |_, _| {})?;
        let mut appended = vec![0; (end - self.end) as usize];
        read_at(&self.file, &mut appended, self.end)?;
        new.extend_from_slice(&appended);
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(to)?.write_all(&new)
    }
}

/// Goes through the whole entries from `start` on; where they end.
fn whole(file: &File, start: u64, mut each: impl FnMut(Key, (u64, u32, [u8; 8]))) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut at = start;
    let mut head = [0; HEAD];
    while at + HEAD as u64 <= length && read_at(file, &mut head, at).is_ok() {
        let (Some(mark), Some(key), Some(size), Some(sum)) = (
            head.first_chunk::<4>(),
            head[4..].first_chunk::<16>(),
            head[20..].first_chunk::<4>(),
            head[24..].first_chunk::<8>(),
        ) else {
            break;
        };
        let size = u32::from_le_bytes(*size);
        let from = at + HEAD as u64;
        if *mark != MARK || from + u64::from(size) > length {
            break;
        }
        each(*key, (from, size, *sum));
        at = from + u64::from(size);
    }
    Ok(at)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                at += read as u64;
            }
        }
    }
    Ok(())
}
