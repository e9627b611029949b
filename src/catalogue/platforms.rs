//! How long platforms let functions run.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source};

/// A platform that ends what runs too long.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The framework of its entry points: `supabase-functions`.
    pub framework: String,
    /// Seconds until it ends them.
    pub seconds: f64,
    /// Where it comes from.
    pub source: Source,
}

impl Catalogue {
    /// Seconds until a platform ends an entry point of a framework; none when that is for the project to say.
    pub fn lifetime(&self, framework: &str) -> Option<f64> {
        self.platforms.iter().find(|platform| platform.framework == framework).map(|platform| platform.seconds)
    }
}
