//! Variables that the configuration of a platform gives to the app, by the block that gives them together.

use crate::catalogue::{VendorId, host_of_url};
use crate::facts::{Span, Token};
use crate::finding::{FileId, Place};
use crate::manifest::placed::{self, Placed};
use crate::names::Name;
use crate::program::Program;
use crate::program::secrets::modes::Mode;

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
            let mut blocks = blocks(file, form, &placed::read(name, text));
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
        self.mode_of(host_of_url(&entry.value)?)
    }

    /// The vendor and the mode that a host is of.
    pub fn mode_of(&self, host: &str) -> Option<(VendorId, Mode)> {
        let vendor = self.catalogue.vendor_of_host(host)?;
        Some((vendor, self.catalogue.mode_of(vendor, host)?))
    }
}

/// How the blocks of a platform's settings are called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `environment:` and `envVars:`, of a service.
    Services,
    /// `env`, `vars`, `environment`, of an environment or of all.
    Environments,
}

fn form_of(name: &str) -> Option<Form> {
    match name {
        "render.yaml" | "render.yml" => Some(Form::Services),
        "fly.toml" | "wrangler.toml" | "netlify.toml" | "vercel.json" | "wrangler.json" | "wrangler.jsonc" => {
            Some(Form::Environments)
        }
        _ => crate::manifest::processes::is_compose(name).then_some(Form::Services),
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

/// The blocks of a file, in the order in which they stand.
fn blocks(file: FileId, form: Form, whole: &Placed) -> Vec<Block> {
    let mut found = Blocks { file, form, named: has_production(whole), found: vec![] };
    found.walk(whole, "");
    found.found
}

/// Whether settings of production stand apart: they take the place of what is given to all.
fn has_production(whole: &Placed) -> bool {
    ["env", "context"].iter().any(|of| whole.get(of).is_some_and(|of| of.get("production").is_some()))
}

struct Blocks {
    file: FileId,
    form: Form,
    named: bool,
    found: Vec<Block>,
}

impl Blocks {
    /// Looks for blocks below a value, `path` being the names that lead to it.
    fn walk(&mut self, value: &Placed, path: &str) {
        // What says its own name goes by that.
        let own = value.get("name").and_then(Placed::text).map(|(name, _)| name);
        let path = own.filter(|_| self.form == Form::Services).unwrap_or(path);
        for item in value.items() {
            self.walk(item, path);
        }
        for (key, value) in value.entries() {
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let given = match self.form {
                Form::Services => matches!(key.as_str(), "environment" | "envVars"),
                Form::Environments => {
                    matches!(key.as_str(), "vars" | "environment") || (key == "env" && !path.contains("env"))
                }
            };
            if given {
                let of = if self.form == Form::Services { path } else { &inner };
                self.block(of, value);
            }
            self.walk(value, &inner);
        }
    }

    fn block(&mut self, of: &str, value: &Placed) {
        let mut block = Block { file: self.file, production: !is_other(of), entries: vec![] };
        if self.form == Form::Environments {
            block.production &= !self.named || of.contains("production");
        }
        for (name, value) in value.entries() {
            block.take(name, value);
        }
        for item in value.items() {
            let key = item.get("key").and_then(Placed::text);
            match (key, item.get("value"), item.text()) {
                (Some((key, _)), Some(value), _) => block.take(key, value),
                // `- NAME=value`
                (_, _, Some((text, span))) => {
                    if let Some((name, value)) = text.split_once('=') {
                        let span = Span { start: span.end.saturating_sub(value.len() as u32), end: span.end };
                        block.take(name, &Placed::Text(value.to_owned(), span));
                    }
                }
                _ => {}
            }
        }
        self.found.push(block);
    }
}

impl Block {
    /// Takes in a variable.
    fn take(&mut self, name: &str, value: &Placed) {
        let Some((value, span)) = value.text().filter(|(value, _)| !value.is_empty()) else { return };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return;
        }
        let says_stage = matches!(name, "NODE_ENV" | "APP_ENV" | "ENV" | "ENVIRONMENT" | "FLASK_ENV" | "STAGE");
        self.production &= !(says_stage && is_other(value));
        let place = Place { file: self.file, span };
        self.entries.push(Configured { name: Name::new(name), value: value.to_owned(), place });
    }
}
