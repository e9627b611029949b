//! Where the configuration is: which file counts, and what it says in its own words.
//!
//! It is looked for in the folder that is scanned, then upwards to the top of the git repository (without one, to the
//! current folder). The first folder that has one decides. What lies further down is scanned code and is not heeded,
//! unless `workspaces` names its folder.

use std::path::{Path, PathBuf};

use super::fault::Problem;
use super::node::{self, Broken, Node};
use crate::error::Error;
use crate::walk;

/// The file of our own.
pub const OWN: &str = "seamcheck.toml";

/// A configuration as it is written.
pub struct Written {
    /// The file as users see it.
    pub shown: String,
    /// The folder it speaks of.
    pub folder: PathBuf,
    /// The whole file.
    pub text: String,
    /// The part that is ours.
    pub node: Node,
}

/// The configuration of `root` or of the nearest folder above it, up to `top`.
pub fn nearest(root: &Path, top: &Path) -> Result<Option<Written>, Error> {
    for folder in root.ancestors().take_while(|folder| folder.starts_with(top)) {
        if let Some(written) = in_folder(folder)? {
            return Ok(Some(written));
        }
    }
    Ok(None)
}

/// The configuration that stands in a folder.
pub fn in_folder(folder: &Path) -> Result<Option<Written>, Error> {
    let mut found: Vec<Written> = vec![];
    for name in [OWN, "pyproject.toml", "package.json"] {
        let path = folder.join(name);
        if path.is_file() && (name == OWN || walk::is_within(&path, folder)) {
            walk::check_within(&path, folder)?;
            found.extend(read(&path, folder)?);
        }
    }
    if let [first, second, ..] = found.as_slice() {
        return Err(Error::Config {
            what: format!("there are two configurations: `{}` and `{}`", first.shown, second.shown),
            help: "keep one of them".to_owned(),
        });
    }
    Ok(found.pop())
}

/// Reads a file; none when it says nothing of ours. `folder` is what it speaks of.
pub fn read(path: &Path, folder: &Path) -> Result<Option<Written>, Error> {
    let shown = shown(path);
    let text = walk::read_named(path)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (parsed, keys): (Result<Node, Broken>, &[&str]) = match name {
        "package.json" => (node::json(&text), &["seamcheck"]),
        "pyproject.toml" => (node::toml(&text), &["tool", "seamcheck"]),
        _ if name.ends_with(".json") => (node::json(&text), &[]),
        _ => (node::toml(&text), &[]),
    };
    let whole = match parsed {
        Ok(node) => node,
        // Somebody else's file may be as broken as it likes.
        Err(_) if !keys.is_empty() && !text.contains("seamcheck") => return Ok(None),
        Err(Broken { message, span }) => {
            let problem = Problem { span, message, help: "mend the file, or scan with `--isolated`".to_owned() };
            let report = problem.in_file(&shown, &text).into();
            return Err(Error::BrokenConfig { path: shown, reports: vec![report] });
        }
    };
    let ours = keys.iter().try_fold(&whole, |node, key| node.get(key)).cloned();
    Ok(ours.map(|node| Written { shown, folder: folder.to_owned(), text, node }))
}

/// Whether the text of a file that is not ours holds a part that is.
pub fn is_ours(name: &str, text: &str) -> bool {
    let tree = match name {
        _ if !text.contains("seamcheck") => return false,
        "package.json" => node::json(text).ok().and_then(|node| node.get("seamcheck").cloned()),
        _ => node::toml(text).ok().and_then(|node| node.get("tool")?.get("seamcheck").cloned()),
    };
    tree.is_some_and(|node| matches!(node.value, node::Value::Table(_)))
}

/// A path as seen from the current folder, where it lies below it.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string().replace('\\', "/")
}

/// The folders that a pattern of `workspaces` names: `apps/*`, `packages/core`.
pub fn folders(base: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![base.to_owned()];
    for part in pattern.trim_start_matches("./").split('/').filter(|part| !part.is_empty()) {
        found = match part {
            "*" => found.iter().flat_map(|folder| walk::folders_in(folder)).collect(),
            part => found.iter().map(|folder| folder.join(part)).filter(|folder| folder.is_dir()).collect(),
        };
    }
    found.retain(|folder| folder != base);
    found
}
