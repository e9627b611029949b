//! What whole analyses came to, kept between runs: a tree that was judged before is only read, not analysed again.
//!
//! An entry is named by a digest of all that its analysis read, so it is never out of date. A project keeps the
//! newest few.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::log::{self, Log};
use super::{BUILD, FEW, Key, begin, decode, encode, home, sweep, touch};

/// How many results a project keeps at least, if they are small enough.
const MOST: usize = 8;

/// How large all that a project keeps may be.
const ROOM: u64 = 24 << 20;

/// The results that are kept of one repository.
pub struct Judgements {
    /// The cache folder.
    folder: PathBuf,
    path: PathBuf,
    log: Option<Log>,
}

impl Judgements {
    /// Opens what is kept of the repository at `root`, of `files` files of code. None when there is too little to gain.
    pub fn open(folder: &Path, root: &Path, files: usize) -> Option<Self> {
        if files < FEW {
            return None;
        }
        let path = home(folder, root)?.with_extension("judged");
        let log = if path.is_file() { Log::open(&path).ok() } else { None };
        Some(Self { folder: folder.to_owned(), path, log })
    }

    /// Whether nothing is kept yet.
    pub fn is_empty(&self) -> bool {
        self.log.as_ref().is_none_or(|log| log.len() == 0)
    }

    /// What is kept under a name.
    pub fn get<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let log = self.log.as_ref()?;
        let mut buffer = vec![];
        log.read(log.find(key)?, &mut buffer)?;
        decode(&buffer)
    }

    /// Keeps a result, and drops the oldest when there are many.
    pub fn put<T: Serialize>(self, key: &Key, result: &T) {
        // What cannot be written is found out again next time.
        let _ = self.write(key, result);
    }

    fn write<T: Serialize>(self, key: &Key, result: &T) -> Option<()> {
        let entry = encode(result)?;
        let builds = self.path.parent()?;
        if !builds.is_dir() {
            begin(&self.folder, builds).ok()?;
        }
        let log = match self.log {
            Some(log) => log,
            None => Log::open(&self.path).ok()?,
        };
        let mut bytes = vec![];
        log::append(&mut bytes, key, &entry);
        log.write(&bytes).ok()?;
        log.keep_newest(MOST, ROOM.saturating_sub(bytes.len() as u64)).ok()
    }

    /// Tells the system that what is kept is in use.
    pub fn used(self) {
        if touch(&self.path) {
            // The facts of the same files were not asked for: they are in use all the same.
            touch(&self.path.with_extension("facts"));
        }
        sweep(&self.folder);
    }
}

/// Names something by all that decides it.
pub struct Digest(blake3::Hasher);

impl Default for Digest {
    fn default() -> Self {
        let mut digest = Self(blake3::Hasher::new());
        digest.text(BUILD);
        digest
    }
}

impl Digest {
    /// Takes a text in. Its length goes first, so that two texts never run into each other.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Takes bytes in.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }

    /// Takes a name in.
    pub fn key(&mut self, key: &Key) {
        self.0.update(key);
    }

    /// Takes numbers in.
    pub fn numbers<const N: usize>(&mut self, numbers: [u64; N]) {
        for number in numbers {
            self.0.update(&number.to_le_bytes());
        }
    }

    /// The name.
    pub fn name(&self) -> Key {
        let mut key = Key::default();
        self.0.finalize_xof().fill(&mut key);
        key
    }
}
