//! The findings of a day on which the tool came into use: they are not told again.
//!
//! An entry hides one finding of its rule in its file, by the code at its place and the function around it, or, when
//! that function was renamed, by the code alone. A secret is in it in no form: it is masked before anything is hashed.

use std::io::{self, Write};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::settle::fingerprint::Address;

/// The file's name, in the folder of the configuration.
pub const FILE: &str = ".seamcheck-baseline.json";
/// The version of the file's form.
const VERSION: u32 = 1;

/// Findings that are not told again.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    entries: Vec<Address>,
}

/// Which findings a baseline covers.
#[derive(Debug, Default)]
pub struct Cover {
    /// For each finding, whether it is covered.
    pub covered: Vec<bool>,
    /// For each entry of the baseline, whether it still stands for a finding.
    pub alive: Vec<bool>,
}

impl Cover {
    /// How many entries stand for nothing any more.
    pub fn mended(&self) -> usize {
        self.alive.iter().filter(|alive| !**alive).count()
    }
}

/// By what an entry and a finding are the same, besides rule and path.
#[derive(Debug, Clone, Copy)]
enum By {
    /// The code and the function around it.
    Both,
    /// The code alone.
    Code,
    /// The function around it, and what the finding is about.
    Function,
}

#[derive(Deserialize, Serialize)]
struct Line {
    path: String,
    rule: String,
    about: String,
    code: String,
    around: String,
}

#[derive(Deserialize)]
struct Document {
    version: u32,
    findings: Vec<serde_json::Value>,
}

impl Baseline {
    /// A baseline of some findings.
    pub fn new(mut entries: Vec<Address>) -> Self {
        entries.sort();
        Self { entries }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads a file's text; `path` is for messages.
    pub fn parse(path: &str, text: &str) -> Result<Self, Error> {
        let broken = |why: String| Error::Config {
            what: format!("the baseline `{path}` cannot be read: {why}"),
            help: "mend it (after a merge: keep the lines of both sides), or write it anew with `seamcheck baseline`"
                .to_owned(),
        };
        let document: Document = serde_json::from_str(text).map_err(|why| broken(why.to_string()))?;
        if document.version != VERSION {
            return Err(broken(format!("its version is {}, this seamcheck reads {VERSION}", document.version)));
        }
        let mut entries = vec![];
        for value in document.findings {
            // The empty one at the end is there so that every other line ends with a comma.
            if value.as_object().is_some_and(serde_json::Map::is_empty) {
                continue;
            }
            let Line { path, rule, about, code, around } =
                serde_json::from_value(value).map_err(|why| broken(why.to_string()))?;
            entries.push(Address { path, rule, about, code, around });
        }
        Ok(Self::new(entries))
    }

    /// Writes it: one finding a line, sorted, every line of the same form, so that two branches merge.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{{\"version\": {VERSION}, \"findings\": [")?;
        for Address { path, rule, about, code, around } in self.entries.iter().cloned() {
            let line = Line { path, rule, about, code, around };
            writeln!(out, "{},", serde_json::to_string(&line)?)?;
        }
        writeln!(out, "{{}}]}}")
    }

    /// Which findings are covered: each entry covers one. Those with the same function around them go first.
    pub fn cover(&self, findings: &[Address]) -> Cover {
        self.cover_by(findings, &[By::Both, By::Code])
    }

    /// The same where the baseline is a moment ago: what was only edited is no new finding.
    pub fn cover_edited(&self, findings: &[Address]) -> Cover {
        self.cover_by(findings, &[By::Both, By::Code, By::Function])
    }

    fn cover_by(&self, findings: &[Address], rounds: &[By]) -> Cover {
        let mut cover = Cover { covered: vec![false; findings.len()], alive: vec![false; self.entries.len()] };
        for by in rounds {
            let key = |address: &Address| {
                let Address { path, rule, about, code, around } = address.clone();
                match by {
                    By::Both => (path, rule, code, around),
                    By::Code => (path, rule, code, String::new()),
                    By::Function => (path, rule, about, around),
                }
            };
            let mut open: FxHashMap<_, Vec<usize>> = FxHashMap::default();
            for (at, entry) in self.entries.iter().enumerate().rev().filter(|(at, _)| !cover.alive[*at]) {
                open.entry(key(entry)).or_default().push(at);
            }
            for (at, finding) in findings.iter().enumerate() {
                if !cover.covered[at]
                    && let Some(entry) = open.get_mut(&key(finding)).and_then(Vec::pop)
                {
                    cover.covered[at] = true;
                    cover.alive[entry] = true;
                }
            }
        }
        cover
    }

    /// Without the entries that stand for nothing any more.
    pub fn pruned(self, alive: &[bool]) -> Self {
        let entries = self.entries.into_iter().zip(alive).filter(|(_, alive)| **alive).map(|(entry, _)| entry);
        Self { entries: entries.collect() }
    }

    /// With the paths that files have now: `renamed` gives the new path of a renamed one.
    pub fn renamed<'n>(mut self, renamed: impl Fn(&str) -> Option<&'n str>) -> Self {
        for entry in &mut self.entries {
            if let Some(path) = renamed(&entry.path) {
                entry.path = path.to_owned();
            }
        }
        self.entries.sort();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(code: &str, around: &str) -> Address {
        let text = str::to_owned;
        Address { path: text("a.ts"), rule: text("r"), about: text("x"), code: text(code), around: text(around) }
    }

    #[test]
    fn one_entry_covers_one_finding() {
        let baseline = Baseline::new(vec![address("1", "f"), address("1", "f")]);
        let found = [address("1", "f"), address("1", "f"), address("1", "f")];
        assert_eq!(baseline.cover(&found).covered, [true, true, false]);
        assert_eq!(baseline.cover(&found[..1]).mended(), 1);
    }

    #[test]
    fn the_function_around_may_be_renamed() {
        let baseline = Baseline::new(vec![address("1", "f"), address("1", "g")]);
        // The one that kept its function is covered by its own entry.
        let cover = baseline.cover(&[address("1", "new"), address("1", "g"), address("2", "f")]);
        assert_eq!((cover.covered.clone(), cover.mended()), (vec![true, true, false], 0));
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let baseline = Baseline::new(vec![address("2", "f"), address("1", "f")]);
        let mut text = vec![];
        baseline.write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.lines().count(), 4);
        assert_eq!(Baseline::parse("b", &text).unwrap().entries, baseline.entries);
        assert!(
            Baseline::parse("b", "<<<<<<< ours").is_err()
                && Baseline::parse("b", "{\"version\":9,\"findings\":[]}").is_err()
        );
    }
}
