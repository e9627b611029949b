//! The aliases that bundlers' and frameworks' configuration files declare, read from their facts:
//! `alias: { "@": path.resolve(__dirname, "src") }`, `alias: [{ find: "@", replacement: "/src" }]`.

use super::paths::{join, name, parent};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::names::Name;

/// How far a value is followed through names and calls.
const DEPTH: usize = 6;

/// Whether a file configures a bundler or a framework: `vite.config.ts`, `babel.config.js`, `.babelrc.js`.
fn configures(path: &str) -> bool {
    let name = name(path);
    name.contains(".config.") || name.starts_with(".babelrc")
}

/// (folder of the file, alias, path it stands for), in the order of files.
pub(super) fn aliases(paths: &[Name], facts: &[Option<Facts>]) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (path, facts) in paths.iter().zip(facts) {
        let Some(facts) = facts.as_ref().filter(|_| configures(path)) else { continue };
        let folder = parent(path);
        let mut add = |alias: &str, value: ExprId| {
            // `$lib/*` and `@/` say the same as `$lib` and `@`.
            let alias = alias.trim_end_matches('*').trim_end_matches('/');
            if let Some(to) = path_of(facts, folder, value).filter(|_| !alias.is_empty()) {
                found.push((folder.to_owned(), alias.to_owned(), to));
            }
        };
        for (_, entries) in facts.objects() {
            for &(_, value) in entries.iter().filter(|(key, _)| *key == "alias") {
                declared(facts, value, DEPTH, &mut add);
            }
        }
    }
    found
}

/// The entries of the value of `alias`.
fn declared(facts: &Facts, value: ExprId, depth: usize, add: &mut impl FnMut(&str, ExprId)) {
    let text = |id: ExprId| match *facts.expr(id) {
        ExprKind::Text(text) => Some(text),
        _ => None,
    };
    match facts.expr(value) {
        ExprKind::Object(entries) => {
            for &(key, value) in entries {
                if key == "..." {
                    if depth > 0 {
                        declared(facts, value, depth - 1, add);
                    }
                } else if key != "[]" {
                    add(&key, value);
                }
            }
        }
        ExprKind::List(items) => {
            for &item in items {
                let ExprKind::Object(entries) = facts.expr(item) else { continue };
                let entry = |key: &str| entries.iter().find(|(name, _)| *name == key).map(|&(_, value)| value);
                if let (Some(find), Some(to)) = (entry("find").and_then(text), entry("replacement")) {
                    add(&find, to);
                }
            }
        }
        &ExprKind::Ref(name, block) if depth > 0 => {
            let values = facts.lookup(block, name).map(|def| &facts.def(def).values);
            for &value in values.into_iter().flatten() {
                declared(facts, value, depth - 1, add);
            }
        }
        _ => {}
    }
}

/// The path of the repository that a value stands for; none when it is a package's name or unknown.
fn path_of(facts: &Facts, folder: &str, value: ExprId) -> Option<String> {
    if let ExprKind::Text(text) = facts.expr(value) {
        return (text.starts_with('.') || text.starts_with('/') || text.starts_with("src"))
            .then(|| join(folder, text))?;
    }
    let mut texts = Vec::new();
    gather(facts, value, DEPTH, &mut texts);
    if texts.is_empty() && !matches!(facts.expr(value), ExprKind::Call(_)) {
        return None;
    }
    join(folder, &texts.join("/"))
}

/// The constant texts of a value in the order they are joined; what is not constant is the folder of the file.
fn gather(facts: &Facts, value: ExprId, depth: usize, texts: &mut Vec<&'static str>) {
    if depth == 0 {
        return;
    }
    match facts.expr(value) {
        &ExprKind::Text(text) => texts.push(text.as_str()),
        ExprKind::Template(parts) => parts.iter().for_each(|&part| gather(facts, part, depth - 1, texts)),
        &ExprKind::Call(call) => {
            for arg in &facts.call(call).args {
                gather(facts, arg.value, depth - 1, texts);
            }
        }
        &ExprKind::Ref(name, block) => {
            if let Some(&[value]) = facts.lookup(block, name).map(|def| facts.def(def).values.as_slice()) {
                gather(facts, value, depth - 1, texts);
            }
        }
        _ => {}
    }
}
