//! Variables that the configuration of a platform gives to the app, by the block that gives them together.

use crate::catalogue::{VendorId, host_of_url};
use crate::facts::{Span, Token};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::Program;
use crate::program::modes::Mode;

/// The variables that one block gives: `environment:` of a service, `[vars]`.
#[derive(Debug, Clone)]
pub struct Block {
    /// The file.
    pub file: FileId,
    /// It is what customers use, as far as its own words go.
    pub production: bool,
    /// The variables, in the order of the file.
    pub entries: Vec<Configured>,
}

/// A variable that a block gives.
#[derive(Debug, Clone)]
pub struct Configured {
    /// Its name.
    pub name: Name,
    /// Its value.
    pub value: String,
    /// Where the value stands.
    pub place: Place,
}

impl Program {
    /// The blocks of variables in the configuration of platforms.
    pub fn configured_blocks(&self) -> Vec<Block> {
        let mut found = Vec::new();
        for manifest in self.manifests.iter() {
            let name = manifest.name();
            let (Some(form), Some(text)) = (form_of(name), self.manifests.text(&manifest.path)) else { continue };
            let Some(file) = self.file_at(&manifest.path).filter(|_| !is_example(&manifest.path)) else { continue };
            let mut blocks = match form {
                Form::Yaml => yaml(file, text),
                Form::Toml => toml(file, text),
                Form::Json => json(file, text),
            };
            // A setup for developers' machines, unless its name says otherwise.
            let local = crate::manifest::processes::is_compose(name) && !name.contains("prod");
            for block in &mut blocks {
                block.production &= !local && !is_other(&manifest.path);
            }
            found.extend(blocks.into_iter().filter(|block| !block.entries.is_empty()));
        }
        found
    }

    /// The credentials in the value of a variable.
    pub fn tokens_of(&self, entry: &Configured) -> impl Iterator<Item = &Token> {
        let (file, span) = (entry.place.file, entry.place.span);
        let at = self.written.binary_search_by_key(&file, |text| text.file);
        let tokens = at.map_or(&[][..], |at| self.written[at].tokens.as_slice());
        tokens.iter().filter(move |token| span.contains(token.span))
    }

    /// The vendor and the mode that the host in the value of a variable is of.
    pub fn mode_of_host(&self, entry: &Configured) -> Option<(VendorId, Mode)> {
        let host = host_of_url(&entry.value)?;
        let vendor = self.catalogue.vendor_of_host(host)?;
        Some((vendor, self.catalogue.mode_of(vendor, host)?))
    }
}

enum Form {
    Yaml,
    Toml,
    Json,
}

fn form_of(name: &str) -> Option<Form> {
    match name {
        "render.yaml" | "render.yml" => Some(Form::Yaml),
        "fly.toml" | "wrangler.toml" | "netlify.toml" => Some(Form::Toml),
        "vercel.json" | "wrangler.json" | "wrangler.jsonc" => Some(Form::Json),
        _ => crate::manifest::processes::is_compose(name).then_some(Form::Yaml),
    }
}

fn is_example(path: &str) -> bool {
    ["example", "sample", "template"].iter().any(|word| path.contains(word))
}

/// Whether words speak of another environment than the one that customers use.
fn is_other(words: &str) -> bool {
    let lower = words.to_ascii_lowercase();
    let mut parts = lower.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| {
        matches!(part, "staging" | "stage" | "preview" | "branch" | "dev" | "development" | "local" | "test" | "qa")
            || part == "sandbox"
    })
}

fn block(file: FileId, what: &str) -> Block {
    Block { file, production: !is_other(what), entries: vec![] }
}

impl Block {
    /// Takes in `value`, a part of `line` that starts at `at` of the file.
    fn take(&mut self, name: &str, line: &str, at: usize, value: &str) {
        let value = value.trim();
        let value = value.split(" #").next().unwrap_or(value).trim_end().trim_end_matches(',');
        let bare = value.trim_matches(['"', '\'']);
        let name = name.trim().trim_matches(['"', '\'']);
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let Some(start) = line.rfind(bare).filter(|_| is_name && !bare.is_empty()) else { return };
        let says_stage = matches!(name, "NODE_ENV" | "APP_ENV" | "ENV" | "ENVIRONMENT" | "FLASK_ENV" | "STAGE");
        self.production &= !(says_stage && is_other(bare));
        let span = Span { start: (at + start) as u32, end: (at + start + bare.len()) as u32 };
        let place = Place { file: self.file, span };
        self.entries.push(Configured { name: Name::new(name), value: bare.to_owned(), place });
    }
}

/// The lines of a text, each with where it starts.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end()))
    })
}

/// `environment:` with `A: b` or `- A=b` below it, `envVars:` with `- key: A` and `value: b`.
fn yaml(file: FileId, text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    // How deep the open block's own line stands, and the name of what it belongs to.
    let (mut open, mut service, mut key) = (None, "", "");
    for (at, line) in lines(text) {
        let bare = line.trim_start();
        let depth = line.len() - bare.len();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        let item = bare.strip_prefix("- ");
        if open.is_some_and(|open| depth < open || (depth == open && item.is_none())) {
            open = None;
        }
        if let (Some(_), Some(block)) = (open, blocks.last_mut()) {
            let said = item.unwrap_or(bare).trim_start();
            match (said.split_once('='), said.split_once(": ")) {
                (_, Some(("key", name))) => key = name.trim(),
                (_, Some(("value", value))) => block.take(key, line, at, value),
                (_, Some((name, value))) if !name.contains('=') => block.take(name, line, at, value),
                (Some((name, value)), _) => block.take(name, line, at, value),
                _ => {}
            }
        } else if matches!(bare, "environment:" | "envVars:") {
            open = Some(depth);
            blocks.push(block(file, service));
        } else if let Some(name) = item.unwrap_or(bare).strip_prefix("name:") {
            service = name;
        } else if bare.ends_with(':') && depth <= 2 {
            service = bare;
        }
    }
    blocks
}

/// `[env]`, `[vars]`, `[env.NAME.vars]`, `[build.environment]`, `[context.NAME.environment]`.
fn toml(file: FileId, text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    // A block for production takes the place of what is given to all.
    let named = text.contains("[env.production") || text.contains("[context.production");
    for (at, line) in lines(text) {
        let bare = line.trim();
        if let Some(table) = bare.strip_prefix('[') {
            let table = table.split(']').next().unwrap_or_default().trim();
            let last = table.rsplit('.').next().unwrap_or_default();
            open = table == "env" || matches!(last, "vars" | "environment");
            if open {
                let mut block = block(file, table);
                block.production &= !named || table.contains("production");
                blocks.push(block);
            }
        } else if let (true, Some((name, value)), Some(block)) = (open, bare.split_once('='), blocks.last_mut()) {
            block.take(name, line, at, value);
        }
    }
    blocks
}

/// `"env": {`, `"vars": {` with a variable a line.
fn json(file: FileId, text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in lines(text) {
        let bare = line.trim();
        if bare.ends_with('{') {
            open = bare.starts_with("\"env\"") || bare.starts_with("\"vars\"");
            if open {
                // Where environments have settings of their own, which of them is live is not told apart.
                let mut block = block(file, "");
                block.production = !text.contains("\"production\": {");
                blocks.push(block);
            }
        } else if bare.starts_with('}') {
            open = false;
        } else if let (true, Some((name, value)), Some(block)) = (open, bare.split_once(": "), blocks.last_mut()) {
            block.take(name, line, at, value);
        }
    }
    blocks
}
