//! Where hosts lead requests by their path: rewrites, redirects and proxies that settings tell of, in the order in
//! which the host tries them. What code configures (a bundler's proxy, a framework's rewrites) is for the linker to
//! read.

use serde_json::Value;

use super::{Manifest, Manifests, Says};

/// How the paths of a rule are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `/api/:path*`, `/((?!api).*)`; `:path*` and `$1` stand for what was found.
    Path,
    /// `/api/*` with `:splat`, `/users/:id`.
    Splat,
    /// `/api/**`.
    Glob,
    /// A regular expression; `$1` stands for what was found.
    Regex,
}

/// Where a rule leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// A path of the app itself, or a URL.
    Url(String),
    /// A function by its name.
    Function(String),
    /// Something that was not understood.
    Unknown,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// How its paths are written.
    pub syntax: Syntax,
    /// The paths it is for.
    pub from: String,
    /// Where it leads.
    pub to: Leads,
    /// It holds for some hosts, headers or cookies alone.
    pub only_if: bool,
}

impl Manifests {
    /// The rules of each file that tells of any, with the folder it speaks for.
    pub fn rewrites(&self) -> Vec<(String, Vec<Told>)> {
        let told = self.iter().map(|manifest| (site(manifest), told(manifest)));
        told.filter(|(_, rules)| !rules.is_empty()).collect()
    }
}

/// The folder that a manifest speaks for: what is copied to the site's root stands in a folder of its own.
fn site(manifest: &Manifest) -> String {
    let folder = manifest.folder();
    let copied = manifest.name() == "_redirects";
    let above = folder.rsplit_once('/').map_or(("", folder), |(above, last)| (above, last));
    if copied && matches!(above.1, "public" | "static") { above.0.to_owned() } else { folder.to_owned() }
}

fn told(manifest: &Manifest) -> Vec<Told> {
    match (manifest.name(), &manifest.says) {
        ("vercel.json", Says::Json(json)) => sources(json),
        ("firebase.json", Says::Json(json)) => hosting(json),
        ("staticwebapp.config.json", Says::Json(json)) => routes(json),
        ("netlify.toml", Says::Toml(toml)) => match serde_json::to_value(toml) {
            Ok(json) => items(&json, "redirects").filter_map(redirect).collect(),
            Err(_) => vec![],
        },
        ("_redirects", Says::Text) => manifest.text.as_deref().map(lines).unwrap_or_default(),
        _ => vec![],
    }
}

/// `{ "redirects": [..], "rewrites": [{ "source": "/api/(.*)", "destination": ".." }], "routes": [{ "src", "dest" }] }`
fn sources(json: &Value) -> Vec<Told> {
    let mut found = Vec::new();
    for rule in items(json, "redirects").chain(items(json, "rewrites")) {
        if let (Some(from), Some(to)) = (text(rule, "source"), text(rule, "destination")) {
            let only_if = rule.get("has").is_some() || rule.get("missing").is_some();
            found.push(Told { syntax: Syntax::Path, from: from.to_owned(), to: Leads::Url(to.to_owned()), only_if });
        }
    }
    for rule in items(json, "routes") {
        // `{ "handle": "filesystem" }` and what only sets headers lead nowhere.
        if let (Some(from), Some(to)) = (text(rule, "src"), text(rule, "dest")) {
            let to = if to.contains("://") || to.starts_with('/') { to.to_owned() } else { format!("/{to}") };
            found.push(Told { syntax: Syntax::Regex, from: from.to_owned(), to: Leads::Url(to), only_if: false });
        }
    }
    found
}

/// `{ "hosting": { "rewrites": [{ "source": "/api/**", "function": "api" }] } }`, also of several sites.
fn hosting(json: &Value) -> Vec<Told> {
    let hosting = json.get("hosting");
    let sites = hosting.into_iter().chain(hosting.and_then(Value::as_array).into_iter().flatten());
    let mut found = Vec::new();
    for rule in sites.flat_map(|site| items(site, "redirects").chain(items(site, "rewrites"))) {
        let (syntax, from) = match (text(rule, "source"), text(rule, "regex")) {
            (Some(glob), _) => (Syntax::Glob, glob),
            (None, Some(regex)) => (Syntax::Regex, regex),
            (None, None) => continue,
        };
        let function = rule.get("function");
        let named = function.and_then(|function| function.as_str().or_else(|| text(function, "functionId")));
        let to = match (named, text(rule, "destination")) {
            (Some(name), _) => Leads::Function(name.to_owned()),
            (None, Some(to)) => Leads::Url(to.to_owned()),
            (None, None) => Leads::Unknown,
        };
        found.push(Told { syntax, from: from.to_owned(), to, only_if: false });
    }
    found
}

/// `{ "routes": [{ "route": "/api/*", "rewrite": ".." }] }`
fn routes(json: &Value) -> Vec<Told> {
    let rules = items(json, "routes").filter_map(|rule| {
        let to = text(rule, "rewrite").or_else(|| text(rule, "redirect"))?;
        let from = text(rule, "route")?.to_owned();
        Some(Told { syntax: Syntax::Splat, from, to: Leads::Url(to.to_owned()), only_if: false })
    });
    rules.collect()
}

/// `[[redirects]] from = "/api/*" to = "/.netlify/functions/:splat" status = 200`
fn redirect(rule: &Value) -> Option<Told> {
    let from = text(rule, "from")?.to_owned();
    let only_if = rule.get("conditions").is_some() || rule.get("query").is_some();
    // What is sent to an error page is not served.
    let is_error = rule.get("status").and_then(Value::as_u64).is_some_and(|status| status >= 400);
    let to = if is_error { "/404.html".to_owned() } else { text(rule, "to")?.to_owned() };
    Some(Told { syntax: Syntax::Splat, from, to: Leads::Url(to), only_if })
}

/// `/api/*  /.netlify/functions/:splat  200`, a rule a line.
fn lines(text: &str) -> Vec<Told> {
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or(line).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(from) = words.next() else { continue };
        let rest: Vec<&str> = words.collect();
        // Parameters of the query may stand before the target: `/store id=:id /blog/:id 301`.
        let Some(at) = rest.iter().position(|word| word.starts_with('/') || word.contains("://")) else { continue };
        let status = rest.get(at + 1).map(|word| word.trim_end_matches('!'));
        let is_error = status.and_then(|status| status.parse::<u16>().ok()).is_some_and(|status| status >= 400);
        let to = if is_error { "/404.html".to_owned() } else { rest[at].to_owned() };
        let only_if = at > 0 || rest.get(at + 2).is_some();
        found.push(Told { syntax: Syntax::Splat, from: from.to_owned(), to: Leads::Url(to), only_if });
    }
    found
}

fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<(String, Vec<(String, Leads)>)> {
        let manifests = Manifests::new(vec![Manifest::of_text(path, text).unwrap()]);
        let plain = |rules: Vec<Told>| rules.into_iter().map(|rule| (rule.from, rule.to)).collect();
        manifests.rewrites().into_iter().map(|(folder, rules)| (folder, plain(rules))).collect()
    }

    #[test]
    fn hosts_say_where_paths_lead() {
        let one = |folder: &str, from: &str, to: Leads| vec![(folder.to_owned(), vec![(from.to_owned(), to)])];
        let url = |to: &str| Leads::Url(to.to_owned());
        let vercel = r#"{ "rewrites": [{ "source": "/api/(.*)", "destination": "/api/index" }] }"#;
        assert_eq!(rules("web/vercel.json", vercel), one("web", "/api/(.*)", url("/api/index")));
        let netlify = "[[redirects]]\nfrom = \"/api/*\"\nto = \"/.netlify/functions/:splat\"\nstatus = 200\n";
        assert_eq!(rules("netlify.toml", netlify), one("", "/api/*", url("/.netlify/functions/:splat")));
        let lines = "# the app\n/old /gone 404!\n";
        assert_eq!(rules("web/public/_redirects", lines), one("web", "/old", url("/404.html")));
        let firebase =
            r#"{ "hosting": { "rewrites": [{ "source": "/api/**", "function": { "functionId": "api" } }] } }"#;
        assert_eq!(rules("firebase.json", firebase), one("", "/api/**", Leads::Function("api".to_owned())));
        assert_eq!(rules("vercel.json", "{}"), vec![]);
    }
}
