//! What the repository says of how it is to be checked: `seamcheck.toml`, `[tool.seamcheck]` in pyproject.toml or
//! `"seamcheck"` in package.json.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::error::Error;
use crate::finding::{FailOn, Persona, Severity};
use crate::program::hints::Hints;
use crate::settle::Level;
use crate::walk;

mod fault;
mod find;
mod idle;
pub mod init;
mod keys;
mod node;
mod read;
mod unheeded;

pub use find::{OWN, folders};
pub use idle::Doubt;
pub use keys::schema;
pub use unheeded::holding;

use fault::Problem;
use find::Written;
use read::{OwnVendor, Settings};

/// Which configuration counts.
#[derive(Debug, Clone, Default)]
pub enum Wanted {
    /// The one that is found.
    #[default]
    Found,
    /// This file.
    File(PathBuf),
    /// None at all, vendor files of the repository's own among them.
    Isolated,
}

/// What the analysis is told.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Of the project's own functions, vendors and paths.
    pub hints: Arc<Hints>,
    /// Vendor files: where they come from, and their text.
    pub vendors: Vec<(String, String)>,
    /// Whether vendor files of the repository are left unread.
    pub isolated: bool,
    /// The folder that is meant, when what is scanned is laid out in another: facts are kept under its name.
    pub home: Option<PathBuf>,
}

/// Patterns of paths that are left out, with the folder they are seen from.
pub type Ignored = (PathBuf, Vec<String>);

/// A configuration.
#[derive(Debug, Default)]
pub struct Config {
    /// The file, as users see it.
    pub file: Option<String>,
    /// The folder it speaks of: the scanned one when there is no file.
    pub folder: PathBuf,
    /// The folder of all that belongs together: a scan of less is one of a part.
    pub top: PathBuf,
    /// For whom.
    pub persona: Option<Persona>,
    /// From which severity on the exit code is 1.
    pub fail_on: Option<FailOn>,
    /// The least severity that is told.
    pub min_severity: Option<Severity>,
    /// The baseline file, as it is written.
    pub baseline: Option<String>,
    /// The category of SARIF reports.
    pub sarif_category: Option<String>,
    /// Paths that are left out.
    pub ignored: Vec<Ignored>,
    /// Rules with another level, or skipped; the narrowest folder last.
    pub levels: Vec<Level>,
    /// For the analysis.
    pub own: Own,
    /// What is due: reviews, and settings that no longer hold.
    pub reminders: Vec<String>,
    /// Folders whose configuration counts besides, seen from the scanned root.
    pub workspaces: Vec<String>,
    /// The same folders, wherever the scanned root lies.
    pub workspace_folders: Vec<PathBuf>,
    /// The files that count, seen from the scanned root.
    heeded: Vec<String>,
    /// What may turn out to name nothing.
    said: Vec<idle::Said>,
}

impl Config {
    /// Finds and reads what counts for a scan of `paths` as of a day.
    pub fn load(wanted: &Wanted, paths: &[PathBuf], as_of: &str) -> Result<Self, Error> {
        let root = walk::root_of(paths)?;
        let all = walk::repository_top(&root).unwrap_or_else(|| root.clone());
        let none = || Self { folder: root.clone(), top: all.clone(), ..Self::default() };
        let written = match wanted {
            Wanted::Isolated => return Ok(Self { own: Own { isolated: true, ..Own::default() }, ..none() }),
            Wanted::File(path) => {
                let nothing = || Error::Config {
                    what: format!("`{}` says nothing of seamcheck", path.display()),
                    help: "it wants `[tool.seamcheck]` in a pyproject.toml, `\"seamcheck\"` in a package.json"
                        .to_owned(),
                };
                Some(find::read(path, &root)?.ok_or_else(nothing)?)
            }
            Wanted::Found => find::nearest(&root, &top(&root))?,
        };
        let Some(written) = written else { return Ok(none()) };
        let folder = written.folder.clone();
        let top = if matches!(wanted, Wanted::Found) { folder.clone() } else { all };
        Loading { root, as_of, config: Self { folder, top, ..Self::default() } }.all(&written)
    }
}

/// How far up a configuration is looked for.
fn top(root: &Path) -> PathBuf {
    if let Some(top) = walk::repository_top(root) {
        return top;
    }
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    here.ok().filter(|here| root.starts_with(here)).unwrap_or_else(|| root.to_owned())
}

struct Loading<'a> {
    root: PathBuf,
    as_of: &'a str,
    config: Config,
}

impl Loading<'_> {
    fn all(mut self, written: &Written) -> Result<Config, Error> {
        let settings = parse(written, false)?;
        let mut known: Vec<String> = settings.vendors.iter().map(|vendor| vendor.id.clone()).collect();
        known.extend(walk::vendor_ids(&self.root));
        self.check(written, &settings, &known)?;
        let nested = self.nested(written, &settings)?;
        self.take(written, &settings);
        for (written, settings) in &nested {
            self.take(written, settings);
        }
        let config = &mut self.config;
        config.levels.sort_by_key(|level| level.folder.len());
        config.file = Some(written.shown.clone());
        config.persona = settings.persona;
        config.fail_on = settings.fail_on;
        config.min_severity = settings.min_severity;
        config.baseline = settings.baseline;
        config.sarif_category = settings.sarif_category;
        let named = |vendor: OwnVendor| (format!("{}: the vendor `{}`", written.shown, vendor.id), vendor.text);
        config.own.vendors = settings.vendors.into_iter().map(named).collect();
        for (day, what) in settings.reviews.iter().filter(|(day, _)| day.as_str() <= self.as_of) {
            config.reminders.push(format!("to be reviewed since {day}: {what}"));
        }
        Ok(self.config)
    }

    /// What the form alone does not tell: patterns that cannot be read, vendors that nobody knows.
    fn check(&self, written: &Written, settings: &Settings, own: &[String]) -> Result<(), Error> {
        let mut problems = vec![];
        for (pattern, span) in &settings.ignore {
            let problem = match walk::check_pattern(pattern) {
                Err(why) if !pattern.contains('\\') => {
                    Some((format!("`{pattern}` is no pattern: {why}"), "write it as in a .gitignore".to_owned()))
                }
                _ => idle::in_vain(pattern),
            };
            problems.extend(problem.map(|(message, help)| Problem { span: span.clone(), message, help }));
        }
        for (at, vendor) in settings.vendors.iter().enumerate() {
            problems.extend(vendor.problems());
            if settings.vendors[..at].iter().any(|other| other.id == vendor.id) {
                let message = format!("the vendor `{}` is described twice", vendor.id);
                problems.push(Problem { span: vendor.at(), message, help: "join the two".to_owned() });
            }
        }
        let known: Vec<String> = Catalogue::builtin_ids().map(str::to_owned).chain(own.iter().cloned()).collect();
        for (id, span) in settings.essential.iter().filter(|(id, _)| !known.contains(id)) {
            let help = match crate::error::nearest(id, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? `seamcheck vendors` lists them all"),
                None => "`seamcheck vendors` lists them all, `[[vendors]]` adds one".to_owned(),
            };
            problems.push(Problem { span: span.clone(), message: format!("no vendor is known as `{id}`"), help });
        }
        broken(written, problems)
    }

    /// The configurations of the workspaces that are named.
    fn nested(&mut self, written: &Written, settings: &Settings) -> Result<Vec<(Written, Settings)>, Error> {
        let (mut nested, mut problems): (Vec<(Written, Settings)>, _) = (vec![], vec![]);
        for (pattern, span) in &settings.workspaces {
            let folders = find::folders(&written.folder, pattern);
            if folders.is_empty() {
                let message = format!("`{pattern}` names no folder");
                let help = "write folders as seen from this file: `apps/*`, `packages/core`".to_owned();
                problems.push(Problem { span: span.clone(), message, help });
            }
            for folder in folders {
                self.config.workspaces.extend(self.within_root(&folder));
                self.config.workspace_folders.push(folder.clone());
                self.config.ignored.push((folder.clone(), vec![]));
                if let Some(own) = find::in_folder(&folder)?
                    && !nested.iter().any(|(other, _)| other.folder == own.folder)
                {
                    let settings = parse(&own, true)?;
                    self.check(&own, &settings, &[])?;
                    nested.push((own, settings));
                }
            }
        }
        broken(written, problems)?;
        Ok(nested)
    }

    /// Takes over what holds for what lies in a folder.
    fn take(&mut self, written: &Written, settings: &Settings) {
        let (folder, file) = (written.folder.as_path(), written.shown.as_str());
        for (pattern, span) in settings.ignore.iter().filter(|(pattern, _)| idle::is_plain(pattern)) {
            let place = folder.join(pattern.trim_start_matches('/'));
            let seen = self.seen(folder, pattern.trim_matches('/'));
            self.say(written, seen.as_deref().filter(|_| !walk::is_there(&place)), (pattern, true), span);
        }
        let patterns: Vec<String> = settings.ignore.iter().map(|(pattern, _)| pattern.clone()).collect();
        self.config.ignored.retain(|(other, _)| other != folder);
        self.config.ignored.push((folder.to_owned(), patterns));
        let Some(from_root) = self.within_root(folder) else { return };
        let name = file.rsplit('/').next().unwrap_or(file);
        self.config.heeded.push(format!("{from_root}/{name}").trim_start_matches('/').to_owned());
        for rule in &settings.rules {
            if let Some(day) = rule.until.as_deref().filter(|day| *day < self.as_of) {
                let what = format!("what {file} says of `{}` held until {day}: it counts in full again", rule.rule);
                self.config.reminders.push(what);
                continue;
            }
            let (severity, skip) = (rule.level, rule.skip.clone());
            self.config.levels.push(Level { folder: from_root.clone(), rule: rule.rule, severity, skip });
        }
        let mut hints = Hints::clone(&self.config.own.hints);
        let is_root = folder == self.config.folder;
        for (wrapper, said, span) in &settings.wrappers {
            let text = match said.rsplit_once(':') {
                Some((path, name)) => self.seen(folder, path).map(|path| format!("{path}:{name}")),
                None if is_root || from_root.is_empty() => Some(said.clone()),
                None => Some(format!("{from_root}/**:{said}")),
            };
            self.say(written, text.as_deref(), (said, false), span);
            hints.wrappers.extend(text.map(|text| (*wrapper, text)));
        }
        for (core, said, span) in &settings.core_paths {
            let is_path = !said.starts_with('/') && said.contains(['/', '*']);
            let text = if is_path { self.seen(folder, said) } else { Some(said.clone()) };
            self.say(written, text.as_deref(), (said, false), span);
            hints.core_paths.extend(text.map(|text| (*core, text)));
        }
        for (id, span) in &settings.essential {
            self.say(written, Some(id), (id, false), span);
            hints.essential.push(id.clone());
        }
        self.config.own.hints = Arc::new(hints);
    }

    /// Notes where something is said that may turn out to name nothing; `hint` is how the analysis knows it.
    fn say(&mut self, written: &Written, hint: Option<&str>, (said, ignored): (&str, bool), span: &Range<usize>) {
        if let Some(hint) = hint {
            let (path, text) = (written.shown.clone(), written.text.clone());
            let (hint, said) = (hint.to_owned(), said.to_owned());
            self.config.said.push(idle::Said { hint, said, path, text, span: span.clone(), ignored });
        }
    }

    /// A folder as seen from the scanned root; empty when the root lies in it; none when they are apart.
    fn within_root(&self, folder: &Path) -> Option<String> {
        if self.root.starts_with(folder) {
            return Some(String::new());
        }
        Some(folder.strip_prefix(&self.root).ok()?.to_str()?.replace('\\', "/"))
    }

    /// A path or pattern of a configuration in `folder`, as seen from the scanned root.
    fn seen(&self, folder: &Path, pattern: &str) -> Option<String> {
        if pattern.starts_with("**/") {
            return Some(pattern.to_owned());
        }
        let whole = folder.join(pattern.trim_start_matches("./"));
        Some(whole.strip_prefix(&self.root).ok()?.to_str()?.replace('\\', "/"))
    }
}

fn parse(written: &Written, is_nested: bool) -> Result<Settings, Error> {
    let (settings, problems) = read::settings(&written.node, is_nested);
    broken(written, problems)?;
    Ok(settings)
}

fn broken(written: &Written, problems: Vec<Problem>) -> Result<(), Error> {
    if problems.is_empty() {
        return Ok(());
    }
    let reports = problems.into_iter().map(|problem| problem.in_file(&written.shown, &written.text).into()).collect();
    Err(Error::BrokenConfig { path: written.shown.clone(), reports })
}
