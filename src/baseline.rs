//! The findings of a day on which the tool came into use: they are not told again.
//!
//! An entry hides one finding of its rule in its file, by the code at its place and the function around it; or, when
//! that function was renamed, by the code alone; or, when something was added to the code, as the cure of another
//! finding does, by the words it had. A secret is in it in no form: it is masked before anything is hashed.

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
    /// Only a part of what it speaks of is looked at: an entry that covers nothing is not mended.
    of_a_part: bool,
}

/// Which findings a baseline covers.
#[derive(Debug, Default)]
pub struct Cover {
    /// For each finding, whether it is covered.
    pub covered: Vec<bool>,
    /// For each entry of the baseline, whether it still stands for a finding.
    pub alive: Vec<bool>,
    /// The entries that cover a finding in another file than their own, which is gone: entry and finding.
    pub moved: Vec<(usize, usize)>,
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
    /// The function around it, what the finding is about, and the words of the code: all that were there still are.
    Words,
    /// Code, function and what it is about, in a file that took the place of one that is gone.
    Moved,
}

#[derive(Deserialize, Serialize)]
struct Line {
    path: String,
    rule: String,
    about: String,
    code: String,
    around: String,
    /// Four digits a word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    words: String,
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
        Self { entries, of_a_part: false }
    }

    /// The entries of what lies below a folder, their paths as seen from it.
    pub fn below(mut self, folder: &str) -> Self {
        if !folder.is_empty() {
            self.entries.retain_mut(|entry| {
                let below = entry.path.strip_prefix(folder).and_then(|path| path.strip_prefix('/'));
                below.map(str::to_owned).map(|path| entry.path = path).is_some()
            });
        }
        self
    }

    /// For a look at a part of what it speaks of: what is found there may hang on code elsewhere.
    pub fn of_a_part(self, of_a_part: bool) -> Self {
        Self { of_a_part, ..self }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entries, in their order.
    pub fn entries(&self) -> &[Address] {
        &self.entries
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
            let Line { path, rule, about, code, around, words } =
                serde_json::from_value(value).map_err(|why| broken(why.to_string()))?;
            let digits = words.as_bytes().chunks_exact(4).filter_map(|word| std::str::from_utf8(word).ok());
            let words = digits.filter_map(|word| u16::from_str_radix(word, 16).ok()).collect();
            entries.push(Address { path, rule, about, code, around, words, all_words: vec![] });
        }
        Ok(Self::new(entries))
    }

    /// Writes it: one finding a line, sorted, every line of the same form, so that two branches merge.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{{\"version\": {VERSION}, \"findings\": [")?;
        for Address { path, rule, about, code, around, words, .. } in self.entries.iter().cloned() {
            let words = words.iter().map(|word| format!("{word:04x}")).collect();
            let line = Line { path, rule, about, code, around, words };
            writeln!(out, "{},", serde_json::to_string(&line)?)?;
        }
        writeln!(out, "{{}}]}}")
    }

    /// Which findings are covered: each entry covers one. Those with the same function around them go first; at last
    /// those of files that are gone look for what was moved. `exists` tells whether a file is there.
    pub fn cover(&self, findings: &[Address], exists: impl Fn(&str) -> bool) -> Cover {
        let mut cover = self.cover_by(findings, &[By::Both, By::Code, By::Words]);
        self.round(By::Moved, findings, |entry| !exists(&entry.path), &mut cover);
        cover.alive.iter_mut().for_each(|alive| *alive |= self.of_a_part);
        cover
    }

    /// Today's findings, and of this baseline what covers none of them and was not looked at: how many those are comes
    /// with it.
    pub fn anew(
        self,
        findings: Vec<Address>,
        exists: impl Fn(&str) -> bool,
        looked_at: impl Fn(&Address) -> bool,
    ) -> (Self, usize) {
        let cover = self.cover(&findings, exists);
        let left = self.entries.into_iter().zip(cover.alive);
        let kept: Vec<Address> =
            left.filter(|(entry, alive)| !alive && !looked_at(entry)).map(|(entry, _)| entry).collect();
        let number = kept.len();
        (Self::new(findings.into_iter().chain(kept).collect()), number)
    }

    /// The same where the baseline is a moment ago: what was only edited is no new finding.
    pub fn cover_edited(&self, findings: &[Address]) -> Cover {
        self.cover_by(findings, &[By::Both, By::Code, By::Function])
    }

    fn cover_by(&self, findings: &[Address], rounds: &[By]) -> Cover {
        let (covered, alive) = (vec![false; findings.len()], vec![false; self.entries.len()]);
        let mut cover = Cover { covered, alive, moved: vec![] };
        for by in rounds {
            self.round(*by, findings, |_| true, &mut cover);
        }
        cover
    }

    /// Lets the entries that are still open, and wanted, cover what is still uncovered.
    fn round(&self, by: By, findings: &[Address], wanted: impl Fn(&Address) -> bool, cover: &mut Cover) {
        let key = |address: &Address| {
            let Address { path, rule, about, code, around, .. } = address.clone();
            match by {
                By::Both => (path, rule, code, around),
                By::Code => (path, rule, code, String::new()),
                By::Function | By::Words => (path, rule, about, around),
                By::Moved => (about, rule, code, around),
            }
        };
        let mut open: FxHashMap<_, Vec<usize>> = FxHashMap::default();
        let entries = self.entries.iter().enumerate().rev();
        for (at, entry) in entries.filter(|(at, entry)| !cover.alive[*at] && wanted(entry)) {
            open.entry(key(entry)).or_default().push(at);
        }
        if open.is_empty() {
            return;
        }
        for (at, finding) in findings.iter().enumerate() {
            if !cover.covered[at]
                && let Some(open) = open.get_mut(&key(finding))
                && let Some(next) =
                    open.iter().rposition(|&entry| !matches!(by, By::Words) || self.is_in(entry, finding))
            {
                let entry = open.remove(next);
                cover.covered[at] = true;
                cover.alive[entry] = true;
                if matches!(by, By::Moved) {
                    cover.moved.push((entry, at));
                }
            }
        }
    }

    /// Whether all words of an entry's code are in a finding's.
    fn is_in(&self, entry: usize, finding: &Address) -> bool {
        let words = &self.entries[entry].words;
        !words.is_empty() && words.iter().all(|word| finding.all_words.binary_search(word).is_ok())
    }

    /// Without the entries that stand for nothing any more; those whose file was moved get its new path.
    pub fn pruned(mut self, alive: &[bool], moved: &[(usize, String)]) -> Self {
        for (at, path) in moved {
            if let Some(entry) = self.entries.get_mut(*at) {
                entry.path.clone_from(path);
            }
        }
        let entries = self.entries.into_iter().zip(alive).filter(|(_, alive)| **alive).map(|(entry, _)| entry);
        Self::new(entries.collect())
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
        let (path, rule, about) = (text("a.ts"), text("r"), text("x"));
        let (code, around) = (text(code), text(around));
        Address { path, rule, about, code, around, words: vec![], all_words: vec![] }
    }

    #[test]
    fn one_entry_covers_one_finding() {
        let baseline = Baseline::new(vec![address("1", "f"), address("1", "f")]);
        let found = [address("1", "f"), address("1", "f"), address("1", "f")];
        assert_eq!(baseline.cover(&found, |_| true).covered, [true, true, false]);
        assert_eq!(baseline.cover(&found[..1], |_| true).mended(), 1);
    }

    #[test]
    fn a_part_is_judged_alone() {
        let of = |path: &str| Address { path: path.to_owned(), ..address("1", "f") };
        let baseline = Baseline::new(vec![of("apps/web/a.ts"), of("apps/website/a.ts"), of("b.ts")]);
        let part = baseline.clone().below("apps/web");
        assert_eq!((part.cover(&[of("a.ts")], |_| true).covered, part.len()), (vec![true], 1));
        let mended = |part: bool| baseline.clone().of_a_part(part).cover(&[], |_| true).mended();
        assert_eq!((mended(false), mended(true)), (3, 0));
        let looked_at = |entry: &Address| entry.path == "apps/web/a.ts";
        let (anew, kept) = baseline.anew(vec![of("b.ts"), of("c.ts")], |_| true, looked_at);
        assert_eq!((anew.entries, kept), (vec![of("apps/website/a.ts"), of("b.ts"), of("c.ts")], 1));
    }

    #[test]
    fn a_file_may_be_moved() {
        let baseline = Baseline::new(vec![address("1", "f")]);
        let at = |path: &str| Address { path: path.to_owned(), ..address("1", "f") };
        // One entry covers one finding, wherever it went, and none while its file is there.
        let cover = baseline.cover(&[at("lib/b.ts"), at("lib/c.ts")], |path| path != "a.ts");
        assert_eq!((cover.covered, cover.moved), (vec![true, false], vec![(0, 0)]));
        assert_eq!(baseline.cover(&[at("lib/b.ts")], |_| true).covered, [false]);
        // What stands elsewhere in another function is something else.
        assert_eq!(baseline.cover(&[Address { path: "b.ts".into(), ..address("1", "g") }], |_| false).covered, [false]);
        assert_eq!(baseline.pruned(&[true], &[(0, "lib/b.ts".to_owned())]).entries, [at("lib/b.ts")]);
    }

    #[test]
    fn the_function_around_may_be_renamed() {
        let baseline = Baseline::new(vec![address("1", "f"), address("1", "g")]);
        // The one that kept its function is covered by its own entry.
        let cover = baseline.cover(&[address("1", "new"), address("1", "g"), address("2", "f")], |_| true);
        assert_eq!((cover.covered.clone(), cover.mended()), (vec![true, true, false], 0));
    }

    #[test]
    fn something_may_be_added_to_the_code() {
        let with = |code: &str, words: &[u16]| Address { words: words.to_vec(), ..address(code, "f") };
        let found = |code: &str, words: &[u16]| Address { all_words: words.to_vec(), ..address(code, "f") };
        let baseline = Baseline::new(vec![with("1", &[3, 5])]);
        let covers = |found: Address| baseline.cover(&[found], |_| true).covered == [true];
        assert!(covers(found("2", &[3, 4, 5])));
        assert!(!covers(found("2", &[3, 4])), "a word is gone: it is another call");
        assert!(!covers(Address { around: "g".to_owned(), ..found("2", &[3, 4, 5]) }), "in another function");
        // The one that stayed as it was goes first, and one entry covers one finding.
        let both = [found("2", &[3, 4, 5]), found("1", &[3, 5])];
        assert_eq!(baseline.cover(&both, |_| true).covered, [false, true]);
        // What was written before words were is read, and covers what is the same.
        assert!(!Baseline::new(vec![address("1", "f")]).cover(&both[..1], |_| true).covered[0]);
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let second = Address { words: vec![7, 0xbeef], ..address("2", "f") };
        let baseline = Baseline::new(vec![second, address("1", "f")]);
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
