//! Scripts of other hosts that a page waits for before it shows anything.

use crate::catalogue::{host_of_url, is_own_host};
use crate::facts::{Call, Element, ExprId, ExprKind, Facts};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::secrets::bundling::BUILDERS;
use crate::program::verify::words;
use crate::program::{ExprRef, Program, Value};

/// A script that holds a page up.
#[derive(Debug, Clone, Copy)]
pub struct HoldingScript {
    /// The tag or element.
    pub place: Place,
    /// Where the script is, as it is written.
    pub src: Name,
    /// Whose it is: the host.
    pub host: &'static str,
    /// It is an element whose `strategy` asks for it, not a tag.
    pub by_strategy: bool,
}

/// Folders whose files a server hands out as they are.
const SERVED: &[&str] = &["public", "static", "www", "wwwroot", "assets", "dist", "site", "docs"];

impl Program {
    /// Whether a page is known to be served: it is a project's own document, lies where files are handed out, is what
    /// others are built on, or code names it.
    pub fn is_served_page(&self, file: FileId) -> bool {
        let path = self.file(file).path;
        let project = self.projects.of(file);
        // A bundler builds a project's `index.html` and what its configuration names, and hands out one folder.
        let built = BUILDERS.iter().any(|builder| project.uses(builder));
        let (folders, name) = match path.rsplit_once('/') {
            Some(parts) => parts,
            None if built => ("", path.as_str()),
            None => return true,
        };
        let stem = name.split('.').next().unwrap_or(name);
        if !name.ends_with(".html") || matches!(stem, "index" | "base" | "layout" | "_layout" | "_base" | "master") {
            return true;
        }
        let handed_out = folders.split('/').any(|folder| SERVED.contains(&folder));
        handed_out
            || self
                .code()
                .filter(|&(other, _)| other != file && self.share_app(other, file))
                .filter(|&(other, _)| !self.side(other).tooling || built && is_configuration(&self.file(other).path))
                .any(|(_, facts)| {
                    // `render_template("old/home.html")`
                    facts.texts().any(|(_, text)| {
                        text.len() < 120
                            && (text.ends_with(name) || path.ends_with(text.as_str()) && text.contains('/'))
                    }) || facts.calls.iter().any(|call| renders(facts, call, stem))
                })
    }

    /// The scripts of other hosts that hold deployed pages up, by place; those that have to run first are left out.
    pub fn holding_scripts(&self) -> Vec<HoldingScript> {
        let mut found = Vec::new();
        for (file, facts) in self.code() {
            let side = self.side(file);
            if side.tooling || side.dead || is_draft(&self.file(file).path) {
                continue;
            }
            for tag in facts.script_tags.iter().filter(|tag| tag.in_head && tag.blocks) {
                found.extend(self.holding(Place { file, span: tag.span }, tag.src, false));
            }
            if facts.language.is_script() {
                self.elements_that_hold(file, facts, &mut found);
            }
        }
        found.sort_by_key(|script| script.place);
        found
    }

    fn holding(&self, place: Place, src: Name, by_strategy: bool) -> Option<HoldingScript> {
        let host = host_of_url(src.as_str()).filter(|host| !is_own_host(host))?;
        // A template's variable: nobody knows whose it is.
        let is_plain = host.contains('.') && !host.contains(['{', '}', '%', '$', '<']);
        let is_first = || self.catalogue.page_script(&src).is_some_and(|script| script.first);
        (is_plain && !is_first()).then_some(HoldingScript { place, src, host, by_strategy })
    }

    fn elements_that_hold(&self, file: FileId, facts: &Facts, found: &mut Vec<HoldingScript>) {
        for (at, element) in facts.elements() {
            if self.is_head(file, facts, element) {
                self.tags_in(file, facts, element, 8, found);
            }
            let asks = text_of(facts, element, "strategy").is_some_and(|strategy| strategy == "beforeInteractive");
            if asks && let Some(src) = text_of(facts, element, "src") {
                found.extend(self.holding(Place { file, span: facts.span(at) }, src, true));
            }
        }
    }

    /// Whether an element is the head of a page that a server writes.
    fn is_head(&self, file: FileId, facts: &Facts, element: &Element) -> bool {
        match facts.expr(element.tag) {
            ExprKind::Text(tag) => *tag == "head",
            ExprKind::Ref(name, _) if *name == "Head" => {
                let tag = self.value(ExprRef::new(file, element.tag));
                matches!(&tag, Value::External(external) if external.package == "npm:next")
            }
            _ => false,
        }
    }

    fn tags_in(&self, file: FileId, facts: &Facts, element: &Element, depth: usize, found: &mut Vec<HoldingScript>) {
        for &child in element.children.iter().filter(|_| depth > 0) {
            let ExprKind::Element(inner) = facts.expr(child) else { continue };
            if matches!(facts.expr(inner.tag), ExprKind::Text(tag) if *tag == "script") {
                if blocks(facts, inner)
                    && let Some(src) = text_of(facts, inner, "src")
                {
                    found.extend(self.holding(Place { file, span: facts.span(child) }, src, false));
                }
            } else {
                self.tags_in(file, facts, inner, depth - 1, found);
            }
        }
    }
}

fn is_configuration(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.contains(".config."))
}

/// `res.render("home")`: the word alone may mean anything else.
fn renders(facts: &Facts, call: &Call, stem: &str) -> bool {
    let is_render = facts
        .last_name(call.callee)
        .is_some_and(|name| words(&name).iter().any(|word| matches!(word.as_str(), "render" | "view" | "template")));
    is_render && call.args.iter().any(|arg| matches!(facts.expr(arg.value), ExprKind::Text(text) if *text == *stem))
}

/// Whether a page is a draft that somebody looked at, not one that is served.
fn is_draft(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "mockups" | "mockup" | "wireframes" | "prototypes"))
}

fn attribute(element: &Element, name: &str) -> Option<ExprId> {
    element.attributes.iter().find(|(key, _)| *key == name).map(|&(_, value)| value)
}

fn text_of(facts: &Facts, element: &Element, name: &str) -> Option<Name> {
    match facts.expr(attribute(element, name)?) {
        ExprKind::Text(text) => Some(*text),
        _ => None,
    }
}

/// Whether nothing lets the page go on meanwhile. What is spread into the element may.
fn blocks(facts: &Facts, element: &Element) -> bool {
    let goes_on = ["async", "defer", "noModule", "..."]
        .iter()
        .any(|name| attribute(element, name).is_some_and(|value| !matches!(facts.expr(value), ExprKind::Bool(false))));
    let kind = attribute(element, "type").map(|_| text_of(facts, element, "type"));
    let is_code = kind.is_none_or(|kind| kind.is_some_and(|kind| kind.is_empty() || kind.ends_with("javascript")));
    !goes_on && is_code
}
