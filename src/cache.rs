//! What is kept between runs: what files say, so that one that was read before, by this version of the tool, is not
//! parsed or searched again; and what whole analyses came to ([`judgements`]).
//!
//! An entry is named by what the file holds, where it lies and who read it, so it is never out of date: what is not
//! found is extracted as ever. The same findings come of a run with a cache, without one, and with a broken one.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::catalogue::VendorId;
use crate::error::Error;
use crate::facts::{Facts, Token};
use crate::manifest::functions::Opened;
use crate::names::{Name, table};
use crate::walk::said;

pub mod judgements;
mod log;

use log::Log;

/// Names what extracts: entries of another build are not read.
const BUILD: &str = env!("SEAMCHECK_BUILD");

/// Fewer files than this are read anew as fast.
const FEW: usize = 32;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Logs that nobody used for this long are removed.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Bytes of new entries that are held back before they are written.
const HELD: usize = 1 << 20;

/// The name of an entry: a hash of all that decides what it says.
pub type Key = [u8; 16];

/// What is kept of a file.
#[derive(Default, Serialize, Deserialize)]
pub struct Kept {
    /// What a file of code says.
    pub facts: Option<Facts>,
    /// Whether it holds a suppression comment.
    pub marked: bool,
    /// Functions that it deploys without the platform's gate.
    pub opened: Vec<Opened>,
    /// Credentials of a file that holds no code.
    pub written: Vec<Token>,
    /// The variables it names, where people look for what to set.
    pub mentioned: Vec<Name>,
    /// The vendors it names, when it is written for people.
    pub documented: Vec<VendorId>,
}

/// The kept facts of one repository.
pub struct Cache {
    folder: PathBuf,
    log: Log,
    /// Which entries of the log this run asked for.
    used: Vec<AtomicBool>,
    fresh: Mutex<Vec<u8>>,
}

/// Names files by what they hold.
#[derive(Clone)]
pub struct Keys(blake3::Hasher);

impl Keys {
    /// The names of one scan; `salt` is whatever decides what is extracted, besides the file and this build.
    pub fn new(salt: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(BUILD.as_bytes()).update(&(salt.len() as u64).to_le_bytes()).update(salt);
        Self(hasher)
    }

    /// The key of a file: `named` files are read in full whatever they are.
    pub fn key(&self, path: &str, named: bool, text: &str) -> Key {
        let mut hasher = self.0.clone();
        hasher.update(&(path.len() as u64).to_le_bytes()).update(path.as_bytes());
        hasher.update(&[u8::from(named)]).update(text.as_bytes());
        let mut key = Key::default();
        hasher.finalize_xof().fill(&mut key);
        key
    }
}

/// Where what is kept of a repository lies, its ending aside.
fn home(folder: &Path, root: &Path) -> Option<PathBuf> {
    let root = fs::canonicalize(root).ok()?;
    let name = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
    Some(folder.join(&BUILD[..BUILD.len().min(16)]).join(&name[..24]))
}

/// The folder that caches are kept in when none is given: the user's own.
pub fn default_folder() -> Option<PathBuf> {
    Some(dirs::cache_dir()?.join("seamcheck"))
}

/// Makes a folder that was asked for, or says why that cannot be.
pub fn prepare(folder: &Path) -> Result<(), Error> {
    let unusable = |why: std::io::Error| Error::Config {
        what: format!("the cache folder `{}` cannot be used: {}", folder.display(), said(&why)),
        help: "choose another with `--cache-dir`, or do without with `--no-cache`".to_owned(),
    };
    fs::create_dir_all(folder).map_err(unusable)
}

impl Cache {
    /// Opens what is kept of the repository at `root`, of `files` files. None when there is too little to gain, or no
    /// way to keep anything.
    pub fn open(folder: &Path, root: &Path, files: usize) -> Option<Self> {
        if files < FEW {
            return None;
        }
        let path = home(folder, root)?.with_extension("facts");
        let builds = path.parent()?;
        if !builds.is_dir() {
            begin(folder, builds).ok()?;
        }
        let log = Log::open(&path).ok()?;
        let used = (0..log.len()).map(|_| AtomicBool::new(false)).collect();
        Some(Self { folder: folder.to_owned(), log, used, fresh: Mutex::default() })
    }

    /// Whether something is kept under a key.
    pub fn holds(&self, key: &Key) -> bool {
        self.log.find(key).is_some()
    }

    /// What is kept under a key.
    pub fn get(&self, key: &Key) -> Option<Kept> {
        thread_local! {
            static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let at = self.log.find(key)?;
        BUFFER.with_borrow_mut(|buffer| {
            self.log.read(at, buffer)?;
            let mut kept: Kept = decode(buffer)?;
            if let Some(facts) = &mut kept.facts {
                facts.restore();
            }
            self.used[at].store(true, Ordering::Relaxed);
            Some(kept)
        })
    }

    /// Keeps what was extracted.
    pub fn put(&self, key: &Key, kept: &Kept) {
        let Some(entry) = encode(kept) else { return };
        let Ok(mut fresh) = self.fresh.lock() else { return };
        log::append(&mut fresh, key, &entry);
        if fresh.len() > HELD {
            // What cannot be written is extracted again next time.
            let _ = self.log.write(&fresh);
            fresh.clear();
        }
    }

    /// Writes what is new, drops what is no longer asked for once that is most of it, and sweeps the folder.
    pub fn finish(self) {
        let Self { folder, log, used, fresh, .. } = self;
        let fresh = fresh.into_inner().unwrap_or_default();
        if !fresh.is_empty() {
            let _ = log.write(&fresh);
        }
        let used: Vec<bool> = used.into_iter().map(AtomicBool::into_inner).collect();
        let _ = log.settle(&used);
        sweep(&folder);
    }
}

/// Sets a cache folder up: it says what it is to backup programs and to git.
fn begin(folder: &Path, builds: &Path) -> std::io::Result<()> {
    fs::create_dir_all(builds)?;
    fs::write(folder.join("CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n")?;
    fs::write(folder.join(".gitignore"), "*\n")
}

/// Removes logs that nobody used for long, once a day at most.
fn sweep(folder: &Path) {
    let tag = folder.join("CACHEDIR.TAG");
    let age = |path: &Path| {
        let changed = fs::metadata(path).and_then(|data| data.modified()).ok()?;
        SystemTime::now().duration_since(changed).ok()
    };
    if age(&tag).is_none_or(|age| age < DAY) {
        return;
    }
    let touched = File::options().append(true).open(&tag).and_then(|file| file.set_modified(SystemTime::now()));
    if touched.is_err() {
        return;
    }
    for builds in fs::read_dir(folder).into_iter().flatten().flatten() {
        for log in fs::read_dir(builds.path()).into_iter().flatten().flatten() {
            let is_log = log.path().extension().is_some_and(|it| it == "facts" || it == "judged" || it == "new");
            if is_log && age(&log.path()).is_some_and(|age| age > UNUSED) {
                let _ = fs::remove_file(log.path());
            }
        }
        // Only an empty one goes.
        let _ = fs::remove_dir(builds.path());
    }
}

/// Notes once a day that a file is in use; whether it did.
fn touch(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|data| data.modified());
    let is_stale = changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > DAY));
    is_stale && File::options().append(true).open(path).is_ok_and(|file| file.set_modified(SystemTime::now()).is_ok())
}

/// An entry: the length of its table of names, the table, what is kept.
fn encode<T: Serialize>(kept: &T) -> Option<Vec<u8>> {
    let (body, names) = table::collect(|| postcard::to_allocvec(kept));
    let body = body.ok()?;
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    let names = postcard::to_allocvec(&names).ok()?;
    let mut entry = Vec::with_capacity(4 + names.len() + body.len());
    entry.extend_from_slice(&u32::try_from(names.len()).ok()?.to_le_bytes());
    entry.extend_from_slice(&names);
    entry.extend_from_slice(&body);
    Some(entry)
}

fn decode<T: DeserializeOwned>(entry: &[u8]) -> Option<T> {
    let (length, rest) = entry.split_first_chunk::<4>()?;
    let (names, body) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let names: Vec<&str> = postcard::from_bytes(names).ok()?;
    table::with(names.into_iter().map(Name::new), || postcard::from_bytes(body)).ok()
}
