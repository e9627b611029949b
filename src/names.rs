//! Interned names: every identifier, key, specifier and path segment is stored once a process.
//!
//! An interner of our own, because the usual ones set tables of megabytes up before the first name: a start on an
//! empty folder would pay for them.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{LazyLock, Mutex, PoisonError};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub mod table;

/// Tables, so that threads seldom wait for each other; a power of two.
const SHARDS: usize = 64;

/// An interned text. It lives as long as the process.
struct Entry {
    text: Box<str>,
    hash: u64,
}

static TABLES: LazyLock<[Mutex<HashTable<&'static Entry>>; SHARDS]> =
    LazyLock::new(|| std::array::from_fn(|_| Mutex::new(HashTable::new())));

/// An interned string: one word, compared by address, hashed and ordered by its text (so that output never
/// depends on which thread interned first).
#[derive(Clone, Copy)]
pub struct Name(&'static Entry);

/// How many names a thread remembers: an app says few names often, and the tables are shared under locks.
const REMEMBERED: usize = 8192;

thread_local! {
    /// The names a thread met last, each at the place its hash says, with its text beside it: one look tells.
    static MET: [Cell<Option<(&'static str, Name)>>; REMEMBERED] = const { [const { Cell::new(None) }; REMEMBERED] };
}

impl Name {
    /// Interns `text`.
    pub fn new(text: &str) -> Self {
        let hash = FxBuildHasher.hash_one(text);
        MET.with(|met| {
            let place = &met[(hash >> 20) as usize % REMEMBERED];
            match place.get() {
                Some((met, name)) if met == text => name,
                _ => {
                    let name = Self::intern(text, hash);
                    place.set(Some((name.as_str(), name)));
                    name
                }
            }
        })
    }

    fn intern(text: &str, hash: u64) -> Self {
        // The low bits choose the place in a table: the shard takes others.
        let shard = (hash >> 40) as usize % SHARDS;
        // A table is whole between any two operations on it.
        let mut table = TABLES[shard].lock().unwrap_or_else(PoisonError::into_inner);
        // A name's hash is taken once, also when its table grows.
        let entry = table.entry(hash, |entry| *entry.text == *text, |entry| entry.hash);
        Self(entry.or_insert_with(|| Box::leak(Box::new(Entry { text: text.into(), hash }))).get())
    }

    /// A number of the text, the same in every run: for order where any will do. Different texts may share one.
    pub fn rank(self) -> u64 {
        self.0.hash
    }

    /// The text itself; it lives as long as the process.
    pub fn as_str(self) -> &'static str {
        &self.0.text
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl std::ops::Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.as_str().cmp(other.as_str()) }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// People read the text; what is kept between runs says each text once, in a table of its own ([`table`]).
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.serialize_str(self.as_str()),
            false => serializer.serialize_u32(table::place_of(*self)),
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return <std::borrow::Cow<'de, str>>::deserialize(deserializer).map(|text| Self::new(&text));
        }
        let place = u32::deserialize(deserializer)?;
        table::name_at(place).ok_or_else(|| D::Error::custom("a name that the table does not hold"))
    }
}
