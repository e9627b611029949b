//! How code has the clock start something.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::{Catalogue, Source};
use crate::facts::Facts;
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
    /// Names that the package gives to cron texts: `EVERY_HOUR` is `0 * * * *`.
    #[serde(default)]
    pub times: BTreeMap<String, String>,
    /// A method before it in its chain that says the time of day: `at("10:30")`.
    pub clock: Option<String>,
    /// It puts work into a queue; this takes it out, and both name the queue first: `new Queue("mail")`,
    /// `new Worker("mail", ..)`.
    pub worked_off_by: Option<String>,
    /// Calls that are also made on what a function is handed, known by their name in files that import the package.
    #[serde(default)]
    pub on_arguments: Vec<String>,
    /// Where it comes from.
    pub source: Source,
}

impl Catalogue {
    /// The packages that schedule something.
    pub fn scheduling_packages(&self) -> FxHashSet<Name> {
        self.schedulers.iter().filter(|known| !known.is_time).map(|known| Name::new(&known.package)).collect()
    }

    /// The ways to schedule that code of a file may be handed.
    pub fn scheduling_on_arguments<'c>(&'c self, facts: &'c Facts) -> impl Iterator<Item = &'c Scheduler> {
        let named = |known: &&Scheduler| {
            let (_, package) = known.package.split_once(':').unwrap_or_default();
            facts.imports.iter().any(|import| import.specifier.split('.').next() == Some(package))
        };
        self.schedulers.iter().filter(|known| !known.on_arguments.is_empty()).filter(named)
    }

    /// The schedulers of a package.
    pub fn schedulers<'c>(&'c self, package: &'c str) -> impl Iterator<Item = &'c Scheduler> {
        self.schedulers.iter().filter(move |scheduler| scheduler.package == package)
    }
}
