//! How the calls of a package report that they failed, which may differ between its versions.

use serde::{Deserialize, Serialize};

use super::{Package, Source};

/// How a call reports that it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reports {
    /// It throws, or raises.
    Thrown,
    /// It gives `{ error }`.
    Returned,
    /// It gives what the vendor answered, be that an error: nothing says that it is one.
    Answered,
}

/// Older versions report in another way.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorsBelow {
    /// The first major version that reports as the latest does.
    pub major: u32,
    /// How those before it report.
    pub are: Reports,
    /// Where it comes from.
    pub source: Source,
}

impl Package {
    /// How its latest version reports errors.
    pub fn reports_now(&self) -> Reports {
        if self.returns_errors { Reports::Returned } else { Reports::Thrown }
    }

    /// How the version in use reports errors, when somebody knows its major; else the latest.
    pub fn reports(&self, major: impl FnOnce() -> Option<u32>) -> Reports {
        match &self.errors_below {
            Some(below) if major().is_some_and(|major| major < below.major) => below.are,
            _ => self.reports_now(),
        }
    }
}
