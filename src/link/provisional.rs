//! Sides by a first guess, until they are decided by what is loaded.

use crate::facts::ImportKind;
use crate::finding::{FileId, Place};
use crate::program::{Program, Side, Target};

fn tooling(path: &str) -> bool {
    path.contains(".test.") || path.contains(".spec.") || path.contains(".config.") || path.contains("/tests/")
        || path.contains("__tests__") || path.starts_with("tests/") || path.starts_with("scripts/") || path.contains(".stories.")
}

fn server(path: &str) -> bool {
    ["supabase/functions/", "server/", "api/", "netlify/"].iter().any(|p| path.starts_with(p)) || path.contains("/api/") || path.ends_with(".py") || path.contains("/functions/")
}

/// Guesses.
pub fn sides(program: &mut Program) {
    let mut sides = vec![Side::default(); program.files.len()];
    let mut brought: Vec<Option<Option<(FileId, Place)>>> = vec![None; program.files.len()];
    let mut queue = vec![];
    let mut any_root = false;
    for (file, facts) in program.code() {
        let path = program.file(file).path.as_str();
        let root = path.ends_with("src/main.tsx") || path.ends_with("src/main.jsx") || path.ends_with("src/main.ts") || path.ends_with("src/index.tsx")
            || path.ends_with("src/index.js") || path.ends_with("index.tsx") || path.ends_with(".html") || path.ends_with("App.tsx")
            || path.ends_with("src/main.js") || path.ends_with(".vue") || path.ends_with(".svelte")
            || facts.directives.iter().any(|d| *d == "use client");
        any_root |= root;
        if root && !tooling(path) && !server(path) {
            brought[file.index()] = Some(None);
            queue.push(file);
        }
        sides[file.index()] = Side { client: false, server: server(path), tooling: tooling(path), dead: false };
    }
    let mut at = 0;
    while at < queue.len() {
        let file = queue[at];
        at += 1;
        let Some(facts) = program.file(file).facts.as_ref() else { continue };
        for (i, import) in facts.imports.iter().enumerate().filter(|(_, import)| import.kind != ImportKind::Type) {
            if let Target::File(to) = program.modules.target(file, crate::facts::ImportId(i as u32))
                && brought[to.index()].is_none()
                && !server(program.file(*to).path.as_str())
            {
                brought[to.index()] = Some(Some((file, Place { file, span: import.span })));
                queue.push(*to);
            }
        }
    }
    for file in queue {
        sides[file.index()].client = true;
    }
    for (at, side) in sides.iter_mut().enumerate() {
        side.dead = any_root && !side.client && !side.server && !side.tooling && program.files[at].facts.is_some();
    }
    program.sides = sides;
    program.brought = brought;
}

impl Program {
    /// How a file comes to the browser.
    pub fn client_chain(&self, file: FileId) -> Vec<(FileId, Option<Place>)> {
        let mut chain = Vec::new();
        let Some(Some(first)) = self.brought.get(file.index()) else { return chain };
        chain.push((file, None));
        let mut next = *first;
        while let Some((from, place)) = next {
            chain.push((from, Some(place)));
            next = self.brought.get(from.index()).copied().flatten().flatten();
        }
        chain.reverse();
        chain
    }
}
