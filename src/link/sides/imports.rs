//! Which file makes which other file run: imports that carry values, globs, workers, scripts of documents.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::facts::{ExprKind, Facts, ImportId, ImportKind, Span};
use crate::finding::FileId;
use crate::link::projects::{Projects, join, split};
use crate::names::Name;
use crate::program::{Program, Target};

/// A file that another one loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// What is loaded.
    pub to: FileId,
    /// Where that is written.
    pub span: Span,
    /// The import, when it is one.
    pub import: Option<ImportId>,
}

/// The paths of the program, for questions by path.
pub struct Paths<'p> {
    by_path: FxHashMap<&'static str, FileId>,
    program: &'p Program,
}

impl<'p> Paths<'p> {
    /// Of a program's files.
    pub fn new(program: &'p Program) -> Self {
        let files = program.files.iter().enumerate();
        let by_path = files.map(|(at, file)| (file.path.as_str(), FileId(at as u32))).collect();
        Self { by_path, program }
    }

    /// The file at a path.
    pub fn get(&self, path: &str) -> Option<FileId> {
        self.by_path.get(path).copied()
    }

    /// The code at a path, its ending left out or that of what it is compiled to.
    pub fn code(&self, path: &str) -> Option<FileId> {
        let holds_code = |file: &FileId| self.program.file(*file).facts.is_some();
        if let Some(file) = self.get(path).filter(holds_code) {
            return Some(file);
        }
        let stem = path.rsplit_once('.').filter(|(_, end)| !end.contains('/')).map_or(path, |(stem, _)| stem);
        ["ts", "tsx", "js", "jsx", "mjs", "cjs", "mts", "py"]
            .iter()
            .flat_map(|end| [format!("{path}.{end}"), format!("{stem}.{end}"), format!("{path}/index.{end}")])
            .find_map(|path| self.get(&path))
    }

    /// The code that a relative path names from a folder.
    pub fn relative(&self, folder: &str, path: &str) -> Option<FileId> {
        self.code(&normal(&join(folder, path)))
    }
}

/// A path without `.` and `..`.
pub fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What every file loads, in source order.
pub fn loads(program: &Program, projects: &Projects, paths: &Paths<'_>) -> Vec<Vec<Load>> {
    (0..program.files.len() as u32)
        .into_par_iter()
        .map(|at| {
            let file = FileId(at);
            match program.file(file).facts.as_ref() {
                Some(facts) => of_file(program, projects, paths, file, facts),
                None => vec![],
            }
        })
        .collect()
}

fn of_file(program: &Program, projects: &Projects, paths: &Paths<'_>, file: FileId, facts: &Facts) -> Vec<Load> {
    let mut found = Vec::new();
    for (at, import) in facts.imports.iter().enumerate() {
        if import.kind == ImportKind::Type {
            continue;
        }
        let id = ImportId(at as u32);
        let load = |to: FileId| Load { to, span: import.span, import: Some(id) };
        if let Target::File(to) = program.modules.target(file, id) {
            found.push(load(*to));
        }
        if !facts.language.is_script() {
            found.extend(import.names.iter().filter_map(|name| program.modules.submodule(file, id, *name)).map(load));
        }
    }
    let path = program.file(file).path.as_str();
    let (folder, _) = split(path);
    for src in facts.loads.iter().filter(|src| !src.contains("://")) {
        let src_path = src.split(['?', '#']).next().unwrap_or("");
        let project = &projects.of(file).folder;
        let found_at = match src_path.strip_prefix('/') {
            Some(rest) => [folder, project.as_str(), "", &join(folder, "public"), &join(project, "public")]
                .iter()
                .find_map(|root| paths.relative(root, rest)),
            None => paths.relative(folder, src_path),
        };
        found.extend(found_at.map(|to| Load { to, span: Span::default(), import: None }));
    }
    for call in program.calls_of(file) {
        found.extend(by_call(program, paths, facts, call, folder, &projects.of(file).folder));
    }
    found
}

/// `import.meta.glob("./pages/*.tsx")`, `new Worker(new URL("./worker.ts", import.meta.url))`.
fn by_call(
    program: &Program,
    paths: &Paths<'_>,
    facts: &Facts,
    call: crate::program::CallRef,
    folder: &str,
    project: &str,
) -> Vec<Load> {
    let shape = facts.call(call.call);
    let text = |at: usize| match shape.args.get(at).map(|arg| facts.expr(arg.value)) {
        Some(ExprKind::Text(text)) => Some(*text),
        _ => None,
    };
    let span = facts.span(shape.expr);
    match facts.expr(shape.callee) {
        ExprKind::Member(_, name) if matches!(name.as_str(), "glob" | "globEager") => {
            let patterns: Vec<Name> = match shape.args.first().map(|arg| facts.expr(arg.value)) {
                Some(ExprKind::List(items)) => {
                    let texts = items.iter().filter_map(|&item| match facts.expr(item) {
                        ExprKind::Text(text) => Some(*text),
                        _ => None,
                    });
                    texts.collect()
                }
                _ => text(0).into_iter().collect(),
            };
            patterns
                .iter()
                .filter(|pattern| pattern.starts_with(['.', '/']))
                .flat_map(|pattern| {
                    let whole = match pattern.strip_prefix('/') {
                        Some(rest) => normal(&join(project, rest)),
                        None => normal(&join(folder, pattern)),
                    };
                    globbed(program, &whole)
                })
                .map(|to| Load { to, span, import: None })
                .collect()
        }
        ExprKind::Ref(name, _) if name == "URL" && shape.is_new && shape.args.len() == 2 => {
            let path = text(0).filter(|path| path.starts_with('.'));
            let to = path.and_then(|path| paths.relative(folder, &path));
            to.map(|to| Load { to, span, import: None }).into_iter().collect()
        }
        _ => vec![],
    }
}

fn globbed(program: &Program, pattern: &str) -> Vec<FileId> {
    let mut regex = regex::escape(pattern);
    for (from, to) in
        [(r"\*\*/", "(?:.*/)?"), (r"\*\*", ".*"), (r"\*", "[^/]*"), (r"\{", "(?:"), (r"\}", ")"), (",", "|")]
    {
        regex = regex.replace(from, to);
    }
    let Ok(regex) = regex::Regex::new(&format!("^{regex}$")) else { return vec![] };
    let files = program.files.iter().enumerate();
    files
        .filter(|(_, file)| file.facts.is_some() && regex.is_match(&file.path))
        .map(|(at, _)| FileId(at as u32))
        .collect()
}
