//! What a configuration says and nothing in the repository answers to: a slip of the fingers, or what was renamed
//! since.

use std::fmt::{self, Display};
use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

use super::Config;
use super::fault::{Fault, Problem};
use crate::program::hints::Idle;
use crate::walk::Repository;

/// Letters in which a path may differ from the one that was meant.
const MOST_SLIPS: usize = 2;

/// Something that is said, and where.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// As the analysis knows it.
    pub hint: String,
    /// It is a path to leave out, at which nothing is.
    pub ignored: bool,
    /// As it is written.
    pub said: String,
    /// The file, as users see it.
    pub path: String,
    /// The whole file.
    pub text: String,
    /// Where in it.
    pub span: Range<usize>,
}

/// Whether a pattern names one path, by more than a last name: others may be there to be safe.
pub(super) fn is_plain(pattern: &str) -> bool {
    pattern.trim_matches('/').contains('/') && !pattern.contains(['*', '?', '[', '!', '\\'])
}

/// What is wrong with a pattern of paths that can match nothing, and what to write.
pub(super) fn in_vain(pattern: &str) -> Option<(String, String)> {
    if let Some(rest) = pattern.strip_prefix("./").or(pattern.strip_prefix("../")) {
        let help = format!("write it as in a .gitignore: `/{}`", rest.trim_start_matches("../"));
        return Some((format!("`{pattern}` matches nothing: patterns know no `.` and `..`"), help));
    }
    // A backslash takes the next sign as it is: of a letter that is no sign, it was meant as Windows writes paths.
    let of_windows =
        pattern.split('\\').skip(1).any(|after| after.starts_with(char::is_alphanumeric) || after.is_empty());
    if of_windows {
        let path = pattern.replace('\\', "/");
        let path = path.trim_start_matches("./").trim_end_matches("//");
        let help = match path.split_once(':') {
            Some(_) => "write it with `/`, and as seen from the configuration: `/legacy/`".to_owned(),
            None => format!("write it with `/`: `{}`", path.replace("//", "/")),
        };
        return Some((format!("`{pattern}` matches nothing: patterns are written with `/`"), help));
    }
    let open = pattern.replace("\\[", "");
    let is_open = open.rfind('[').is_some_and(|at| !open[at..].contains(']'));
    is_open.then(|| (format!("`{pattern}` is no pattern: `[` is not closed"), "write it as in a .gitignore".to_owned()))
}

/// A doubt about a configuration: it counts, and does nothing.
#[derive(Debug)]
pub struct Doubt(Fault);

impl Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Doubt {}

impl Diagnostic for Doubt {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Warning)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.0.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

impl Config {
    /// What is said in vain, in the order of the file; nothing where only a part of what it speaks of was scanned.
    pub fn doubts(&self, root: &std::path::Path, idle: &[Idle], repository: &Repository) -> Vec<Doubt> {
        if self.folder != root {
            return vec![];
        }
        let of = |said: &Said| {
            let (message, near) = match idle.iter().find(|idle| !said.ignored && idle.said() == said.hint) {
                Some(Idle::Wrapper(_, near)) => (format!("no function is called `{}`", said.said), near.clone()),
                Some(Idle::CorePath(_, near)) => {
                    (format!("no route, function or file is called `{}`", said.said), near.clone())
                }
                Some(Idle::Vendor(_)) => (format!("nothing in the code uses the vendor `{}`", said.said), None),
                // What is left out may be there to be safe: only what looks like a slip is told.
                None if said.ignored => {
                    (format!("nothing is at `{}`", said.said), Some(likely_path(&said.hint, repository)?))
                }
                None => return None,
            };
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "take it out, or write what it is called now".to_owned(),
            };
            let problem = Problem { span: said.span.clone(), message, help };
            Some(Doubt(problem.in_file(&said.path, &said.text)))
        };
        let mut said: Vec<&Said> = self.said.iter().collect();
        said.sort_by_key(|said| (&said.path, said.span.start));
        said.into_iter().filter_map(of).collect()
    }
}

/// The path of as many parts that is most like one that is not there.
fn likely_path(path: &str, repository: &Repository) -> Option<String> {
    let depth = path.split('/').count();
    let head = |other: &'static str| {
        let end = other.match_indices('/').nth(depth - 1).map_or(other.len(), |(at, _)| at);
        &other[..end]
    };
    let files = repository.files.iter().map(|file| file.path).chain(repository.everything.iter().copied());
    let others = files.map(|other| head(other.as_str())).filter(|other| other.split('/').count() == depth);
    let near = others.map(|other| (strsim::damerau_levenshtein(path, other), other));
    near.filter(|(slips, _)| *slips <= MOST_SLIPS).min().map(|(_, other)| other.to_owned())
}
