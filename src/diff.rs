//! Which lines a change touches, and which findings that concerns.

use rustc_hash::FxHashMap;

use crate::finding::{Finding, Place};
use crate::texts::Texts;

pub mod git;
mod unified;

pub use unified::parse;

/// What a change did.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// What it did in each file, by path.
    pub files: FxHashMap<String, Touched>,
    /// The old path of each renamed file, by its new one.
    pub renamed: FxHashMap<String, String>,
}

/// What a change did in one file. Nothing at all when it only moved or deleted it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// The lines it added or changed: from and to, inclusive.
    pub lines: Vec<(u32, u32)>,
    /// The lines before which it took something out.
    pub gaps: Vec<u32>,
}

/// Which findings of a change are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Scope {
    /// Those whose place or trace touches changed lines
    #[default]
    Lines,
    /// Those whose place or trace touches a changed file
    Files,
    /// Those that were not there before the change, wherever they are
    New,
}

impl Touched {
    /// All lines of a file.
    fn whole() -> Self {
        Self { lines: vec![(1, u32::MAX)], gaps: vec![] }
    }

    /// Whether lines of a place were added or changed, or something was taken out between them.
    pub fn touches(&self, from: u32, to: u32) -> bool {
        self.lines.iter().any(|&(first, last)| first <= to && from <= last)
            || self.gaps.iter().any(|&gap| from < gap && gap <= to)
    }
}

impl Changes {
    /// Adds files that are new as a whole.
    pub fn with_new(mut self, paths: impl IntoIterator<Item = String>) -> Self {
        self.files.extend(paths.into_iter().map(|path| (path, Touched::whole())));
        self
    }

    /// The changes below a folder, as seen from it.
    pub fn below(self, folder: &str) -> Self {
        if folder.is_empty() {
            return self;
        }
        let below = |path: String| path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
        let files = self.files.into_iter().filter_map(|(path, lines)| Some((below(path)?, lines)));
        let renamed = self.renamed.into_iter().filter_map(|(new, old)| Some((below(new)?, below(old)?)));
        Self { files: files.collect(), renamed: renamed.collect() }
    }

    /// Whether the place of a finding, or a step on the way to it, is touched.
    pub fn concerns(&self, finding: &Finding, scope: Scope, texts: &Texts<'_>) -> bool {
        let mut places = std::iter::once(finding.place).chain(finding.trace.iter().map(|step| step.place));
        places.any(|place| self.touches(place, scope, texts))
    }

    /// Whether a place is touched.
    pub fn touches(&self, place: Place, scope: Scope, texts: &Texts<'_>) -> bool {
        let Some(touched) = self.files.get(texts.path(place.file)) else { return false };
        let region = texts.region(place);
        scope == Scope::Files || touched.touches(region.start.line, region.end.line)
    }
}
