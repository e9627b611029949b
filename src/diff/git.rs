//! What git says of a change, and both of its sides. Only git's own objects and index are read: the work tree stays as
//! it is, nothing is fetched, and nothing that a repository's configuration names is run.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use super::Changes;
use crate::error::Error;
use crate::walk::{FileKind, OWN_IGNORES, kind_of};

/// Larger files are read by nobody.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Which change is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// What is staged.
    Staged,
    /// What is not committed.
    Uncommitted,
    /// What came since this commit and the current one parted.
    Since(String),
}

/// A repository, asked through the `git` program.
pub struct Git {
    /// The top of the work tree.
    pub top: PathBuf,
    /// The commit that is checked out; none when there is none yet.
    head: Option<String>,
    /// Settings that keep filters from being run.
    settings: Vec<OsString>,
}

/// A file of a tree or of the index.
struct Object {
    id: String,
    path: String,
}

impl Git {
    /// The repository that a folder lies in.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let mut git = Self { top: folder.to_owned(), head: None, settings: vec![] };
        // A program takes longer to start than to answer: it is started as seldom as may be, and side by side.
        let (place, filters) = std::thread::scope(|scope| {
            // What a filter is called is not known beforehand.
            let names = r"^filter\..*\.(clean|smudge|process|required)$";
            let filters = scope.spawn(|| git.run(["config", "--null", "--name-only", "--get-regexp", names]));
            let place = git.run(["rev-parse", "--show-toplevel", "HEAD^{commit}"]);
            (place, filters.join().unwrap_or(Err(Failed::Missing)))
        });
        let (top, head) = match place {
            Ok(said) => match said.trim_end().rsplit_once('\n') {
                Some((top, head)) => (Ok(top.to_owned()), Some(head.to_owned())),
                None => (Ok(said), None),
            },
            Err(Failed::Missing) => (Err(Failed::Missing), None),
            // Nothing is committed yet, or it is no repository.
            Err(Failed::Refused(_)) => (git.run(["rev-parse", "--show-toplevel"]), None),
        };
        let top = top.map_err(|error| match error {
            Failed::Missing => Error::Config {
                what: "this needs the program `git`, which is not installed".to_owned(),
                help: "install git, or hand the change over as a file: `--diff FILE`".to_owned(),
            },
            Failed::Refused(why) if why.contains("dubious ownership") => Error::Config {
                what: "git does not read this repository: it belongs to someone else".to_owned(),
                help: format!("if you trust it: git config --global --add safe.directory {}", folder.display()),
            },
            Failed::Refused(_) => Error::Config {
                what: format!("`{}` is in no git repository", folder.display()),
                help: "run it inside one, or hand the change over as a file: `--diff FILE`".to_owned(),
            },
        })?;
        let top = PathBuf::from(top.trim_end_matches(['\n', '\r']));
        git.top = top.canonicalize().unwrap_or(top);
        git.head = head;
        for name in filters.unwrap_or_default().split('\0').filter(|name| !name.is_empty()) {
            let value = if name.ends_with(".required") { "false" } else { "" };
            git.settings.extend(["-c".into(), format!("{name}={value}").into()]);
        }
        Ok(git)
    }

    /// The commit of a name.
    fn commit(&self, name: &str) -> Option<String> {
        let found = self.run(["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")]);
        found.ok().map(|id| id.trim().to_owned())
    }

    /// The commit that a change is measured against; none when there is no commit yet.
    pub fn base(&self, change: &Change) -> Result<Option<String>, Error> {
        let Change::Since(name) = change else { return Ok(self.head.clone()) };
        let unknown = || Error::Config {
            what: format!("there is no commit `{name}`"),
            help: match format!("origin/{name}") {
                _ if self.head.is_none() => {
                    "nothing is committed yet: `--changed` reports what will be, `--staged` what is staged".to_owned()
                }
                theirs if self.commit(&theirs).is_some() => format!("did you mean `{theirs}`?"),
                _ => "name a branch, a tag or a commit; in CI fetch it first (actions/checkout: `fetch-depth: 0`)"
                    .to_owned(),
            },
        };
        let id =
            Some(name).filter(|name| !name.starts_with('-')).and_then(|name| self.commit(name)).ok_or_else(unknown)?;
        let base = self.run(["merge-base", &id, "HEAD"]).map_err(|_| Error::Config {
            what: format!("`{name}` and the current commit have no common ancestor here"),
            help: "a shallow clone lacks it: fetch the whole history (actions/checkout: `fetch-depth: 0`)".to_owned(),
        })?;
        Ok(Some(base.trim().to_owned()))
    }

    /// The lines that a change touches, measured against its `base`; paths as seen from the top.
    pub fn changes(&self, change: &Change, base: Option<&str>) -> Result<Changes, Error> {
        let base = match base {
            Some(base) => base.to_owned(),
            None => self.said(&["hash-object", "-t", "tree", "--stdin"])?.trim().to_owned(),
        };
        let mut args = vec![
            "diff",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--unified=0",
            "--inter-hunk-context=0",
            "--find-renames",
            "--ignore-submodules=all",
            "--no-relative",
            "--src-prefix=a/",
            "--dst-prefix=b/",
        ];
        if *change == Change::Staged {
            args.push("--cached");
        }
        args.extend([base.as_str(), "--"]);
        let changes = super::parse(&self.said(&args)?);
        if *change == Change::Staged {
            return Ok(changes);
        }
        Ok(changes.with_new(self.untracked()?))
    }

    /// The files that git neither tracks nor ignores.
    pub fn untracked(&self) -> Result<Vec<String>, Error> {
        let new = self.said(&["ls-files", "--others", "--exclude-standard", "-z"])?;
        Ok(new.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    /// Whether the work tree holds something else than the index of what git tracks.
    pub fn is_unstaged(&self) -> Result<bool, Error> {
        let args = ["diff", "--name-only", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "-z"];
        Ok(!self.said(&args)?.is_empty())
    }

    /// Writes the files of a commit into an empty folder; of no commit nothing.
    pub fn export_commit(&self, commit: Option<&str>, to: &Path) -> Result<(), Error> {
        let listed = match commit {
            Some(commit) => self.said(&["ls-tree", "-r", "-z", "--full-tree", commit])?,
            None => String::new(),
        };
        // `100644 blob ID<tab>PATH`
        let object = |line: &str| {
            let (what, path) = line.split_once('\t')?;
            let mut what = what.split(' ');
            let is_file = what.next()?.starts_with("100");
            is_file.then_some(Object { id: what.nth(1)?.to_owned(), path: path.to_owned() })
        };
        self.export(listed.split('\0').filter_map(object).collect(), to)
    }

    /// Writes the files of the index into an empty folder.
    pub fn export_index(&self, to: &Path) -> Result<(), Error> {
        // `100644 ID STAGE<tab>PATH`
        let object = |line: &str| {
            let (what, path) = line.split_once('\t')?;
            let mut what = what.split(' ');
            let is_file = what.next()?.starts_with("100");
            is_file.then_some(Object { id: what.next()?.to_owned(), path: path.to_owned() })
        };
        let listed = self.said(&["ls-files", "--stage", "--full-name", "-z"])?;
        self.export(listed.split('\0').filter_map(object).collect(), to)
    }

    fn export(&self, mut objects: Vec<Object>, to: &Path) -> Result<(), Error> {
        let normal = |path: &str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        objects.retain(|object| {
            normal(&object.path) && !object.path.split('/').any(|part| part.eq_ignore_ascii_case(".git"))
        });
        objects.sort_by(|a, b| a.path.cmp(&b.path));
        objects.dedup_by(|b, a| a.path == b.path);
        let failed = |why: std::io::Error| Error::Config {
            what: format!("the other side of the change cannot be laid out in {}: {why}", to.display()),
            help: "free some room there, or point TMPDIR elsewhere".to_owned(),
        };
        let mut child = self
            .command(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (Some(mut asks), Some(answers)) = (child.stdin.take(), child.stdout.take()) else { return Ok(()) };
        let mut answers = BufReader::new(answers);
        // Of files that nobody reads it is enough that they are there.
        let is_read = |object: &&Object| {
            let name = object.path.rsplit('/').next().unwrap_or_default();
            [OWN_IGNORES, ".ignore"].contains(&name) || !matches!(kind_of(&object.path), FileKind::Other)
        };
        let wanted: Vec<&Object> = objects.iter().filter(is_read).collect();
        let ids: Vec<String> = wanted.iter().map(|object| format!("{}\n", object.id)).collect();
        std::thread::scope(|scope| {
            scope.spawn(move || ids.iter().try_for_each(|id| asks.write_all(id.as_bytes())));
            for object in &objects {
                let path = to.join(&object.path);
                fs::create_dir_all(path.parent().unwrap_or(to))?;
                let content = if is_read(&object) { content(&mut answers)? } else { vec![] };
                fs::write(path, content)?;
            }
            Ok(())
        })
        .map_err(failed)?;
        let _ = child.wait();
        fs::create_dir_all(to.join(".git"))
            .and_then(|()| fs::write(to.join(".git/index"), index(&objects)))
            .map_err(failed)
    }

    fn said(&self, args: &[&str]) -> Result<String, Error> {
        self.run(args).map_err(|failed| Error::Config {
            what: match failed {
                Failed::Missing => "the program `git` is gone".to_owned(),
                Failed::Refused(why) => format!("git refuses: {}", why.lines().next().unwrap_or("it does not say why")),
            },
            help: format!("it was asked: git {}", args.join(" ")),
        })
    }

    fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<String, Failed> {
        let output = self.command(args).stdin(Stdio::null()).output().map_err(|_| Failed::Missing)?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(Failed::Refused(String::from_utf8_lossy(&output.stderr).into_owned()))
        }
    }

    fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new("git");
        command.arg("--no-optional-locks").arg("--no-pager").args(&self.settings);
        for setting in [
            "core.fsmonitor=false",
            "core.hooksPath=/dev/null",
            "core.quotePath=true",
            "core.untrackedCache=false",
            "diff.external=",
            "submodule.recurse=false",
            "protocol.allow=never",
        ] {
            command.args(["-c", setting]);
        }
        command.arg("-C").arg(&self.top).args(args);
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0");
        command.env("LC_ALL", "C").env_remove("GIT_EXTERNAL_DIFF");
        command
    }
}

enum Failed {
    Missing,
    Refused(String),
}

/// The next answer of `cat-file --batch`: `ID blob SIZE`, the bytes, a line break; or `ID missing`.
fn content(answers: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut head = String::new();
    answers.read_line(&mut head)?;
    let Some(size) = head.trim_end().rsplit(' ').next().and_then(|size| size.parse::<u64>().ok()) else {
        return Ok(vec![]);
    };
    let mut bytes = vec![];
    if size <= LARGEST {
        answers.take(size).read_to_end(&mut bytes)?;
    } else {
        std::io::copy(&mut answers.take(size), &mut std::io::sink())?;
    }
    answers.take(1).read_to_end(&mut vec![])?;
    Ok(bytes)
}

/// An index that names the files, so that the walk knows them as tracked.
fn index(objects: &[Object]) -> Vec<u8> {
    let mut bytes = b"DIRC".to_vec();
    bytes.extend(2u32.to_be_bytes());
    bytes.extend((objects.len() as u32).to_be_bytes());
    for object in objects {
        let start = bytes.len();
        bytes.extend([0; 60]);
        bytes.extend((object.path.len().min(0xfff) as u16).to_be_bytes());
        bytes.extend(object.path.bytes());
        bytes.push(0);
        while !(bytes.len() - start).is_multiple_of(8) {
            bytes.push(0);
        }
    }
    bytes.extend([0; 20]);
    bytes
}
