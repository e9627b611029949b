//! Packages that do not notice that they were given no key.

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
