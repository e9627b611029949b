//! How long answers may take and be well.

use serde::{Deserialize, Serialize};

use super::Source;

/// How long an answer may take and be well, where that is longer than other answers.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Takes {
    /// Seconds after which the vendor itself gives up, with a little on top.
    pub seconds: u32,
    /// Where it comes from, when not the vendor's default source.
    pub source: Option<Source>,
}
