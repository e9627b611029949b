//! Every key a configuration may have, with what it holds and what it is for. Reading, the JSON Schema and the
//! documentation's test go by this table.

use serde_json::{Map, Value, json};

use crate::rules::RULES;

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it is for, for the schema.
    pub doc: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether its table makes no sense without it.
    pub required: bool,
    /// Whether the configuration of a workspace may have it too.
    pub nested: bool,
}

/// What a key holds.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
    /// A day: `YYYY-MM-DD`.
    Day,
    /// `true` or `false`.
    Truth,
    /// A list of texts.
    Texts,
    /// Rules by their ids, each with a level, or a table of [`RULE`].
    Rules,
    /// A table.
    Table(&'static [Key]),
    /// A list of tables.
    Tables(&'static [Key]),
}

const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, doc, shape, required: false, nested: false }
}

const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { required: true, ..key(name, shape, doc) }
}

const fn nested(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { nested: true, ..key(name, shape, doc) }
}

/// The words for a severity.
pub const LEVELS: &[&str] = &["note", "warning", "error"];
/// The categories of the catalogue.
pub const CATEGORIES: &[&str] = &[
    "payments",
    "email",
    "sms",
    "llm",
    "crm",
    "analytics",
    "chat",
    "auth",
    "data",
    "maps",
    "storage",
    "search",
    "automation",
    "monitoring",
    "webhooks",
    "commerce",
    "developer",
    "scheduling",
];

/// The keys of a configuration.
pub const ROOT: &[Key] = &[
    key(
        "persona",
        Shape::Word(&["regular", "auditor"]),
        "For whom reports are made: `regular` is for pull requests, `auditor` adds hints and project notes.",
    ),
    key("fail-on", Shape::Word(&["note", "warning", "error", "never"]), "From which severity on the exit code is 1."),
    key("min-severity", Shape::Word(LEVELS), "Report only findings of at least this severity."),
    key("baseline", Shape::Text, "The baseline file, seen from this file's folder."),
    key("sarif-category", Shape::Text, "The category of SARIF reports (`automationDetails.id`)."),
    key(
        "workspaces",
        Shape::Texts,
        "Folders whose own configuration counts for what lies in them: `apps/*`. Any other nested configuration is left unread.",
    ),
    nested("ignore", Shape::Texts, "Paths that are left out, in the syntax of .gitignore."),
    nested("rules", Shape::Rules, "Rules with another level than their own, or skipped with a reason."),
    key(
        "essential-vendors",
        Shape::Texts,
        "Ids of vendors that signup and checkout cannot do without: waiting for them is right.",
    ),
    nested(
        "wrappers",
        Shape::Table(WRAPPERS),
        "Functions of this project that count as something: `name`, `Class.method`, or `path/to/file.ts:name`.",
    ),
    nested(
        "core-paths",
        Shape::Table(CORE_PATHS),
        "Entry points of core paths: a route (`/api/join`), a function's name, or files (`src/join/**`).",
    ),
    key(
        "vendors",
        Shape::Tables(VENDOR),
        "Vendors of this project's own; .seamcheck/vendors/NAME.toml says more of one.",
    ),
    key(
        "reviews",
        Shape::Tables(REVIEW),
        "Days on which something is to be looked at again: the report says so from that day on.",
    ),
];

/// The keys of a rule.
pub const RULE: &[Key] = &[
    key("level", Shape::Word(LEVELS), "The severity of its findings."),
    key("skip", Shape::Text, "Why its findings are left out."),
    key("until", Shape::Day, "The last day on which this setting counts."),
];

const WRAPPERS: &[Key] = &[
    nested("logger", Shape::Texts, "Keeps or reports a failure where somebody looks."),
    nested("queue", Shape::Texts, "Takes work over, so that it is done later and not lost."),
    nested(
        "verifier",
        Shape::Texts,
        "Checks who calls: it throws or answers false when the caller is not who it must be.",
    ),
    nested("timeout", Shape::Texts, "Bounds the time of what it is handed."),
];

const CORE_PATHS: &[Key] = &[
    nested("signup", Shape::Texts, "An account is made."),
    nested("login", Shape::Texts, "Someone logs in."),
    nested("checkout", Shape::Texts, "Someone pays, subscribes or orders."),
];

const VENDOR: &[Key] = &[
    required("id", Shape::Text, "A stable id; that of a vendor that is known adds to what is known of it."),
    key("name", Shape::Text, "Its name in messages."),
    key("category", Shape::Word(CATEGORIES), "What it is for."),
    key("hosts", Shape::Texts, "Hosts of its API; `*` stands for any run of characters."),
    key("packages", Shape::Texts, "Its SDKs: `npm:NAME`, `pypi:NAME`."),
    key("secrets", Shape::Texts, "Environment variables that hold its secrets."),
    key("own-backend", Shape::Truth, "It is a service of your own: calls to it are not outbound."),
];

const REVIEW: &[Key] =
    &[required("date", Shape::Day, "The day."), required("what", Shape::Text, "What is to be looked at.")];

/// The schema's own id.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The JSON Schema of a configuration.
pub fn schema() -> Value {
    let mut schema = table(ROOT);
    schema["$schema"] = DRAFT.into();
    schema["title"] = "seamcheck".into();
    schema["description"] = "Configuration of seamcheck: seamcheck.toml, [tool.seamcheck] in pyproject.toml, or \"seamcheck\" in package.json.".into();
    schema
}

fn table(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let mut value = shape(key.shape);
            value["description"] = key.doc.into();
            (key.name.to_owned(), value)
        })
        .collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut value = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        value["required"] = required.into();
    }
    value
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Word(words) => json!({ "type": "string", "enum": words }),
        Shape::Text => json!({ "type": "string", "minLength": 1 }),
        Shape::Day => json!({ "type": "string", "format": "date", "pattern": "^\\d{4}-\\d{2}-\\d{2}$" }),
        Shape::Truth => json!({ "type": "boolean" }),
        Shape::Texts => json!({ "type": "array", "items": { "type": "string", "minLength": 1 } }),
        Shape::Table(keys) => table(keys),
        Shape::Tables(keys) => json!({ "type": "array", "items": table(keys) }),
        Shape::Rules => {
            let one = json!({ "anyOf": [{ "type": "string", "enum": LEVELS }, table(RULE)] });
            let properties: Map<String, Value> = RULES
                .iter()
                .map(|rule| {
                    let mut value = one.clone();
                    value["description"] = rule.title().into();
                    (rule.id.to_owned(), value)
                })
                .collect();
            json!({ "type": "object", "additionalProperties": false, "properties": properties })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Category;

    #[test]
    fn the_categories_are_the_catalogues() {
        for word in CATEGORIES {
            assert!(serde_json::from_value::<Category>((*word).into()).is_ok(), "{word}");
        }
    }
}
