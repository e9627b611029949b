//! What packages make of a key that is missing: they throw at once, or do not notice.

use serde::{Deserialize, Serialize};

use super::Source;

/// A package makes its client from an absent or empty key too, and asks the vendor without one.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WithoutKey {
    /// Only versions below this major do; later ones throw.
    pub below: Option<u32>,
    /// Where it comes from.
    pub source: Source,
}

impl WithoutKey {
    /// Whether a version does: its major, none when it is not known.
    pub fn holds_for(&self, major: Option<u32>) -> bool {
        self.below.is_none_or(|below| major.is_some_and(|major| major < below))
    }
}

/// Since when a function refuses an empty key.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RefusesEmpty {
    /// The package as its registry calls it, where it is imported under another name: `pypi:pyjwt`.
    pub package: String,
    /// The first major and minor version that does.
    pub since: (u32, u32),
    /// Where it comes from.
    pub source: Source,
}

/// A package throws at once when its client is made without a key: `{}` in every version.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Throws {
    /// The first major version that does.
    pub from: Option<u32>,
    /// The first major version that does no more: its requests fail instead.
    pub until: Option<u32>,
    /// What becomes of an empty text in its place; none where that is not known.
    pub empty: Option<Empty>,
    /// The option without which it does, where that is not the key: `clientID`, which is no secret.
    pub without: Option<String>,
    /// What to write instead of a client that is made when it is first used.
    pub cure: Option<String>,
    /// Where it comes from, when not the package's source.
    pub source: Option<Source>,
}

/// What becomes of a key that is an empty text: `process.env.KEY || ""`.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {
    /// It is refused as one that is absent (`if (!key) throw`); else it goes out (`if (key === undefined) throw`).
    pub refused: bool,
    /// The first major version of which that is not known.
    pub until: Option<u32>,
}

impl Throws {
    /// Whether a version does: its major; one that is not known is the latest.
    pub fn holds_for(&self, major: Option<u32>) -> bool {
        let major = major.unwrap_or(u32::MAX);
        self.from.is_none_or(|from| major >= from) && self.until.is_none_or(|until| major < until)
    }

    /// Whether a version that throws does so for an empty text too; none where that is not known.
    pub fn refuses_empty(&self, major: Option<u32>) -> Option<bool> {
        let empty =
            self.empty.filter(|empty| empty.until.is_none_or(|until| major.is_some_and(|major| major < until)))?;
        self.holds_for(major).then_some(empty.refused)
    }
}
