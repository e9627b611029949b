//! From a configuration's tree to its settings, with everything that is wrong on the way.

use std::ops::Range;

use clap::ValueEnum;

use super::fault::Problem;
use super::keys::{Key, LEVELS, ROOT, RULE, Shape};
use super::node::{Node, Value};
use crate::catalogue::{Catalogue, Core, is_date};
use crate::error::nearest;
use crate::finding::{FailOn, Persona, Severity};
use crate::program::hints::Wrapper;
use crate::rules::RULES;

/// What one configuration file says.
#[derive(Debug, Default)]
pub struct Settings {
    /// For whom.
    pub persona: Option<Persona>,
    /// From which severity on the exit code is 1.
    pub fail_on: Option<FailOn>,
    /// The least severity that is told.
    pub min_severity: Option<Severity>,
    /// The baseline file.
    pub baseline: Option<String>,
    /// The category of SARIF reports.
    pub sarif_category: Option<String>,
    /// Folders whose own configuration counts.
    pub workspaces: Vec<(String, Range<usize>)>,
    /// Paths that are left out.
    pub ignore: Vec<(String, Range<usize>)>,
    /// Rules with another level, or skipped.
    pub rules: Vec<RuleSetting>,
    /// Vendors that core paths need.
    pub essential: Vec<(String, Range<usize>)>,
    /// Functions of the project that count as something.
    pub wrappers: Vec<(Wrapper, String, Range<usize>)>,
    /// Entry points of core paths.
    pub core_paths: Vec<(Core, String, Range<usize>)>,
    /// Vendors of the project's own.
    pub vendors: Vec<OwnVendor>,
    /// Days on which something is to be looked at: the day, and what.
    pub reviews: Vec<(String, String)>,
}

/// A vendor of the project's own.
#[derive(Debug, Clone)]
pub struct OwnVendor {
    /// Its id.
    pub id: String,
    /// What is said of it, in the catalogue's form.
    pub text: String,
    /// As it is written.
    node: Node,
}

impl OwnVendor {
    /// Where its id stands.
    pub fn at(&self) -> Range<usize> {
        self.node.get("id").unwrap_or(&self.node).span.clone()
    }

    /// What cannot be, at the places where it is written.
    pub fn problems(&self) -> impl Iterator<Item = Problem> {
        Catalogue::check_described(&self.text).into_iter().map(|wrong| {
            let key = match wrong.key {
                "package" => "packages",
                "env" => "secrets",
                key => key,
            };
            let said = self.node.get(key);
            let item = said.and_then(|said| said.items().get(wrong.item)).or(said).unwrap_or(&self.node);
            Problem { span: item.span.clone(), message: wrong.message, help: wrong.help }
        })
    }
}

/// What is said of a rule.
#[derive(Debug, Clone)]
pub struct RuleSetting {
    /// Its id.
    pub rule: &'static str,
    /// Its level.
    pub level: Option<Severity>,
    /// Why it is skipped.
    pub skip: Option<String>,
    /// Until when that holds.
    pub until: Option<String>,
}

/// Reads a whole configuration, or that of a workspace.
pub fn settings(node: &Node, is_nested: bool) -> (Settings, Vec<Problem>) {
    let mut check = Check { problems: vec![], is_nested };
    check.table(node, ROOT);
    if !check.problems.is_empty() {
        return (Settings::default(), check.problems);
    }
    let rules = node.get("rules").map_or(vec![], |rules| rules.entries().iter().filter_map(rule).collect());
    let group = |table: &str, words: &[&str]| -> Vec<(usize, String, Range<usize>)> {
        let table = node.get(table);
        let of = |word: &str| table.and_then(|table| table.get(word)).map_or(vec![], texts);
        let words = words.iter().enumerate();
        words.flat_map(|(at, word)| of(word).into_iter().map(move |(text, span)| (at, text, span))).collect()
    };
    let wrappers = group("wrappers", &["logger", "queue", "verifier", "timeout"]);
    let wrappers = wrappers.into_iter().map(|(at, text, span)| (Wrapper::ALL[at], text, span)).collect();
    let core_paths = group("core-paths", &["signup", "login", "checkout"]);
    let cores = [Core::Signup, Core::Login, Core::Checkout];
    let core_paths = core_paths.into_iter().map(|(at, text, span)| (cores[at], text, span));
    let list = |key: &str| node.get(key).map_or(vec![], texts);
    let tables = |key: &str| node.get(key).map_or(&[][..], Node::items);
    let settings = Settings {
        persona: word(node.get("persona")),
        fail_on: word(node.get("fail-on")),
        min_severity: word(node.get("min-severity")),
        baseline: text(node, "baseline"),
        sarif_category: text(node, "sarif-category"),
        workspaces: list("workspaces"),
        ignore: list("ignore"),
        rules,
        essential: list("essential-vendors"),
        wrappers,
        core_paths: core_paths.collect(),
        vendors: tables("vendors").iter().filter_map(vendor).collect(),
        reviews: tables("reviews").iter().filter_map(|it| Some((text(it, "date")?, text(it, "what")?))).collect(),
    };
    (settings, vec![])
}

fn word<T: ValueEnum>(node: Option<&Node>) -> Option<T> {
    T::from_str(node?.text()?, false).ok()
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key)?.text().map(|text| text.trim().to_owned())
}

fn texts(node: &Node) -> Vec<(String, Range<usize>)> {
    node.items().iter().filter_map(|item| Some((item.text()?.trim().to_owned(), item.span.clone()))).collect()
}

fn rule(entry: &super::node::Entry) -> Option<RuleSetting> {
    let rule = RULES.iter().find(|rule| rule.id == entry.key)?.id;
    let node = &entry.value;
    Some(match node.text() {
        Some(_) => RuleSetting { rule, level: word(Some(node)), skip: None, until: None },
        None => {
            RuleSetting { rule, level: word(node.get("level")), skip: text(node, "skip"), until: text(node, "until") }
        }
    })
}

/// A vendor in the form of the catalogue's files.
fn vendor(node: &Node) -> Option<OwnVendor> {
    let id = text(node, "id")?;
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let list = |key: &str| node.get(key).map_or(vec![], texts).into_iter().map(|(text, _)| text).collect::<Vec<_>>();
    let name = text(node, "name").unwrap_or_else(|| id.clone());
    let category = text(node, "category").unwrap_or_else(|| "developer".to_owned());
    let mut said = format!("id = {}\nname = {}\ncategory = {}\n", quoted(&id), quoted(&name), quoted(&category));
    said += &format!("hosts = [{}]\n", list("hosts").iter().map(|host| quoted(host)).collect::<Vec<_>>().join(", "));
    if matches!(node.get("own-backend").map(|node| &node.value), Some(Value::Bool(true))) {
        said += "own_backend = true\n";
    }
    said += "source = { src = \"the project's configuration\", tier = \"doc\", date = \"2026-01-01\" }\n";
    for package in list("packages") {
        said += &format!("[[package]]\nname = {}\n", quoted(&package));
    }
    for secret in list("secrets") {
        said += &format!("[[env]]\nname = {}\nsecret = true\n", quoted(&secret));
    }
    Some(OwnVendor { id, text: said, node: node.clone() })
}

struct Check {
    problems: Vec<Problem>,
    is_nested: bool,
}

impl Check {
    fn say(&mut self, span: &Range<usize>, message: String, help: impl Into<String>) {
        self.problems.push(Problem { span: span.clone(), message, help: help.into() });
    }

    fn table(&mut self, node: &Node, keys: &'static [Key]) {
        let Value::Table(entries) = &node.value else {
            return self.say(&node.span, "a table is expected here".to_owned(), list_of(keys));
        };
        for entry in entries {
            match keys.iter().find(|key| key.name == entry.key) {
                Some(key) if self.is_nested && !key.nested && std::ptr::eq(keys, ROOT) => {
                    let message = format!("`{}` belongs into the configuration of the repository's root", key.name);
                    let own: Vec<String> =
                        ROOT.iter().filter(|key| key.nested).map(|key| format!("`{}`", key.name)).collect();
                    self.say(&entry.at, message, format!("a workspace says {}", own.join(", ")));
                }
                Some(key) => self.value(&entry.value, key.shape),
                None => {
                    let help = match nearest(&entry.key, keys.iter().map(|key| key.name)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => list_of(keys),
                    };
                    self.say(&entry.at, format!("unknown key `{}`", entry.key), help);
                }
            }
        }
        for key in keys.iter().filter(|key| key.required && node.get(key.name).is_none()) {
            self.say(&node.span, format!("`{}` is missing", key.name), key.doc);
        }
    }

    fn value(&mut self, node: &Node, shape: Shape) {
        match (shape, &node.value) {
            (Shape::Table(keys), _) => self.table(node, keys),
            (Shape::Tables(keys), Value::List(items)) => items.iter().for_each(|item| self.table(item, keys)),
            (Shape::Rules, Value::Table(entries)) => entries.iter().for_each(|entry| self.rule(entry)),
            (Shape::Texts, Value::List(items)) => items.iter().for_each(|item| self.value(item, Shape::Text)),
            (Shape::Truth, Value::Bool(_)) => {}
            (Shape::Text, Value::Text(text)) if !text.trim().is_empty() => {}
            (Shape::Text, Value::Text(_)) => {
                self.say(&node.span, "this is empty".to_owned(), "say it, or drop the key")
            }
            (Shape::Day, Value::Text(text)) if is_date(text) => {}
            (Shape::Word(words), Value::Text(text)) if words.contains(&text.as_str()) => {}
            (Shape::Word(words), Value::Text(text)) => {
                let help = match nearest(text, words.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => expected(shape),
                };
                self.say(&node.span, format!("`{text}` is not known here"), help);
            }
            _ => self.say(&node.span, format!("{} is expected here", kind(shape)), expected(shape)),
        }
    }

    fn rule(&mut self, entry: &super::node::Entry) {
        if !RULES.iter().any(|rule| rule.id == entry.key) {
            let help = match nearest(&entry.key, RULES.iter().map(|rule| rule.id)) {
                Some(near) => format!("did you mean `{near}`? `seamcheck rules` lists them all"),
                None => "`seamcheck rules` lists them all".to_owned(),
            };
            return self.say(&entry.at, format!("there is no rule `{}`", entry.key), help);
        }
        match &entry.value.value {
            Value::Text(word) if matches!(word.as_str(), "off" | "skip" | "ignore" | "none") => {
                let help = format!("write `{} = {{ skip = \"the reason\" }}`", entry.key);
                self.say(&entry.value.span, "a rule is skipped with a reason".to_owned(), help);
            }
            Value::Text(_) => self.value(&entry.value, Shape::Word(LEVELS)),
            Value::Bool(_) | Value::List(_) | Value::Other => {
                let help = format!("write a level ({}), or `{{ skip = \"the reason\" }}`", one_of(LEVELS));
                self.say(&entry.value.span, "this is no level".to_owned(), help);
            }
            Value::Table(_) => {
                self.table(&entry.value, RULE);
                let said = |key: &str| entry.value.get(key).is_some();
                if said("skip") == said("level") {
                    let message = "a rule has either a `level` or a reason to `skip` it".to_owned();
                    self.say(&entry.value.span, message, "write one of the two");
                }
            }
        }
    }
}

fn list_of(keys: &[Key]) -> String {
    format!("known here: {}", keys.iter().map(|key| format!("`{}`", key.name)).collect::<Vec<_>>().join(", "))
}

fn one_of(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn kind(shape: Shape) -> &'static str {
    match shape {
        Shape::Word(_) => "one of a few words",
        Shape::Text => "a text",
        Shape::Day => "a day",
        Shape::Truth => "`true` or `false`",
        Shape::Texts => "a list",
        Shape::Rules | Shape::Table(_) => "a table",
        Shape::Tables(_) => "a list of tables",
    }
}

fn expected(shape: Shape) -> String {
    match shape {
        Shape::Word(words) => format!("write one of {}", one_of(words)),
        Shape::Text => "write a text in quotes".to_owned(),
        Shape::Day => "write a day as \"YYYY-MM-DD\"".to_owned(),
        Shape::Truth => "write `true` or `false`".to_owned(),
        Shape::Texts => "write a list of texts: [\"..\", \"..\"]".to_owned(),
        Shape::Rules => "write rules and their levels: missing-timeout = \"error\"".to_owned(),
        Shape::Table(keys) | Shape::Tables(keys) => list_of(keys),
    }
}
