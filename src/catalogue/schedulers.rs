//! How code has the clock start something.

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::{Catalogue, Source};
use crate::names::Name;

/// Calls of a package that say when something is to run.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduler {
    /// The package: `npm:node-cron`.
    pub package: String,
    /// The last names of its calls: `schedule`, `CronJob`. A cron text is looked for among their arguments.
    pub calls: Vec<String>,
    /// Dotted options that hold one: `repeat.pattern`.
    #[serde(default)]
    pub options: Vec<String>,
    /// The time is said by keywords, `minute` and `hour` among them; this is the minute when a greater field is given
    /// and it is not: `0`, `*`.
    pub unset_minute: Option<String>,
    /// The keywords count only when this text is among the arguments: `cron`.
    pub named: Option<String>,
    /// The call only says when: what runs stands beside it.
    #[serde(default)]
    pub is_time: bool,
    /// Where it comes from.
    pub source: Source,
}

impl Catalogue {
    /// The packages that schedule something.
    pub fn scheduling_packages(&self) -> FxHashSet<Name> {
        self.schedulers.iter().filter(|known| !known.is_time).map(|known| Name::new(&known.package)).collect()
    }

    /// The schedulers of a package.
    pub fn schedulers<'c>(&'c self, package: &'c str) -> impl Iterator<Item = &'c Scheduler> {
        self.schedulers.iter().filter(move |scheduler| scheduler.package == package)
    }
}
