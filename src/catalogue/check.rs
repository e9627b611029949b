//! What a catalogue file must keep to beyond its form. Every problem found is said, not only the first.

use rustc_hash::FxHashSet;

use super::fault::{Problem, Step};
use super::pattern::{Maker, Pattern, Route};
use super::shape::{Check, Shape};
use super::{Credential, HttpClient, Known, Library, Source, Vendor, glob};

macro_rules! at {
    ($($step:expr),*) => { vec![$(Step::from($step)),*] };
}

/// What a vendor's file says that cannot be. `extends` is the built-in vendor that it adds to.
pub(super) fn vendor(vendor: &Vendor, extends: Option<&Vendor>) -> Vec<Problem> {
    let mut check = Checks::default();
    check.head(vendor);
    check.packages(vendor);
    for (at, credential) in vendor.credentials.iter().enumerate() {
        check.credential(at, credential);
    }
    check.idempotency(vendor);
    check.calls(vendor, extends);
    check.webhooks(vendor);
    check.problems
}

/// What a library's file says that cannot be.
pub(super) fn library(library: &Library) -> Vec<Problem> {
    let mut check = Checks::default();
    for (at, client) in library.http_clients.iter().enumerate() {
        check.http_client(at, client);
    }
    for (at, function) in library.functions.iter().enumerate() {
        check.function(at, function);
    }
    for (at, tracker) in library.trackers.iter().enumerate() {
        if tracker.call.is_empty() == tracker.sent_to.is_none() || tracker.name.is_empty() {
            check.say(
                at!["tracker", at, "call"],
                "the tracker has no name, or not one of call and address",
                "write how it is called: `track`",
            );
        }
        check.source(at!["tracker", at, "source"], &tracker.source);
    }
    for (at, widget) in library.widgets.iter().enumerate() {
        if widget.call.is_empty() || widget.paid.is_empty() {
            check.say(
                at!["widget", at, "call"],
                "the widget has no call, or says nothing of who has paid",
                "write how it is opened: `Popup.setup`, and what it calls then",
            );
        }
        check.source(at!["widget", at, "source"], &widget.source);
    }
    for (at, scheduler) in library.schedulers.iter().enumerate() {
        check.package_name(at!["scheduler", at, "package"], &scheduler.package, &["npm", "pypi", "global"]);
        check.source(at!["scheduler", at, "source"], &scheduler.source);
    }
    for (at, gatekeeper) in library.gatekeepers.iter().enumerate() {
        check.package_name(at!["gatekeeper", at, "package"], &gatekeeper.package, &["npm"]);
        check.source(at!["gatekeeper", at, "source"], &gatekeeper.source);
    }
    for (at, changes) in library.table_changes.iter().enumerate() {
        check.package_name(at!["table_changes", at, "package"], &changes.package, &["npm", "pypi"]);
        check.source(at!["table_changes", at, "source"], &changes.source);
    }
    for (at, tables) in library.tables.iter().enumerate() {
        check.package_name(at!["tables", at, "package"], &tables.package, &["npm", "pypi"]);
        if tables.paths.is_empty() || tables.unique.is_empty() {
            let message = format!("nothing of {} declares a table, or a unique column", tables.package);
            check.say(at!["tables", at, "paths"], message, "write what makes tables: `pgTable`");
        }
        check.source(at!["tables", at, "source"], &tables.source);
    }
    for (at, platform) in library.platforms.iter().enumerate() {
        if platform.seconds <= 0.0 {
            let message = format!("{} lets functions run for no time", platform.framework);
            check.say(at!["platform", at, "seconds"], message, "write how many seconds");
        }
        check.source(at!["platform", at, "source"], &platform.source);
    }
    for (at, server) in library.servers.iter().enumerate() {
        check.source(at!["server", at, "source"], &server.source);
    }
    for (at, script) in library.page_scripts.iter().enumerate() {
        if script.url.contains("//") || glob::fixed(&script.url) < 6 {
            let message = format!("`{}` is no place of a script", script.url);
            check.say(at!["page_script", at, "url"], message, "write host and path without the scheme");
        }
        check.source(at!["page_script", at, "source"], &script.source);
    }
    check.problems
}

#[derive(Default)]
struct Checks {
    problems: Vec<Problem>,
}

impl Checks {
    fn say(&mut self, at: Vec<Step>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem { at, part: None, message: message.into(), help: help.into() });
    }

    fn head(&mut self, vendor: &Vendor) {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if vendor.id.is_empty() || !vendor.id.chars().all(fits) {
            self.say(at!["id"], format!("`{}` is no vendor id", vendor.id), "write small letters, digits and `-`");
        }
        if vendor.name.trim().is_empty() {
            self.say(at!["name"], "the vendor has no name", "write the name that messages use: `name = \"Acme Pay\"`");
        }
        self.source(at!["source"], &vendor.source);
        for (item, host) in vendor.hosts.iter().enumerate() {
            self.host(at!["hosts", item], host);
        }
        for (list, hosts) in [("test_hosts", &vendor.test_hosts), ("live_hosts", &vendor.live_hosts)] {
            for (item, host) in hosts.iter().enumerate().filter(|(_, host)| !vendor.hosts.contains(host)) {
                let message = format!("`{host}` is none of the vendor's hosts");
                self.say(at![list, item], message, "list it under `hosts` too");
            }
        }
        for (item, env) in vendor.envs.iter().enumerate() {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '*';
            if glob::fixed(&env.name) < 3 || !env.name.chars().all(fits) {
                let message = format!("`{}` is no name of an environment variable", env.name);
                self.say(
                    at!["env", item, "name"],
                    message,
                    "write letters, digits and `_`, at least three; `*` for any run",
                );
            }
        }
        for (item, retired) in vendor.retired.iter().enumerate() {
            if !is_date(&retired.date) {
                let at = at!["retired", item, "date"];
                self.say(at, format!("`{}` is no date", retired.date), "write the day it is shut down as `YYYY-MM-DD`");
            }
            self.source(at!["retired", item, "source"], &retired.source);
            for (package, sdk) in retired.packages.iter().enumerate() {
                self.package_name(at!["retired", item, "package", package, "name"], &sdk.name, &["npm", "pypi"]);
            }
        }
        for (item, dropped) in vendor.dropped.iter().enumerate() {
            // Methods go with a version of the SDK, which is no day.
            if !dropped.methods && dropped.is_gone_in(&dropped.since) != Some(true) {
                let message = format!("`{}` is no version", dropped.since);
                self.say(at!["dropped", item, "since"], message, "begin with its day, as `YYYY-MM-DD`");
            }
            for package in dropped.sdk.keys() {
                self.package_name(at!["dropped", item, "sdk"], package, &["npm", "pypi"]);
            }
            self.source(at!["dropped", item, "source"], &dropped.source);
        }
        for (item, version) in vendor.api_versions.iter().enumerate() {
            if version.http.is_empty() || version.http.iter().any(|path| !path.starts_with('/')) {
                let at = at!["api_version", item, "http"];
                self.say(at, "a version of the API without paths", "write the paths it is about: `/v1/*`");
            }
            self.source(at!["api_version", item, "source"], &version.source);
            for (sdk, old) in version.sdk.iter().enumerate() {
                self.package_name(at!["api_version", item, "sdk", sdk, "package"], &old.package, &["npm", "pypi"]);
                self.source(at!["api_version", item, "sdk", sdk, "source"], &old.source);
            }
        }
        if let Some(life) = &vendor.token_life {
            self.optional_source(at!["token_life", "source"], life.source.as_ref());
        }
        if let Some(offline) = &vendor.offline {
            self.source(at!["offline", "source"], &offline.source);
        }
        if let Some(offline) = &vendor.offline_parameter {
            self.optional_source(at!["offline_parameter", "source"], offline.source.as_ref());
        }
        for (item, token) in vendor.handed_tokens.iter().enumerate() {
            self.optional_source(at!["handed_token", item, "source"], token.source.as_ref());
        }
        for (item, key) in vendor.key_headers.iter().enumerate() {
            if key.parameters.is_empty() || !key.header.contains("KEY") {
                self.say(
                    at!["key_header", item, "header"],
                    "a header without its key or parameters",
                    "say `name: KEY`",
                );
            }
            self.optional_source(at!["key_header", item, "source"], key.source.as_ref());
        }
        for (item, scope) in vendor.scopes.iter().enumerate() {
            if scope.scope.is_empty() || scope.narrower.is_empty() {
                self.say(at!["scope", item, "scope"], "a scope without a narrower one", "say what to ask for instead");
            }
            self.optional_source(at!["scope", item, "source"], scope.source.as_ref());
        }
        for (item, note) in vendor.notes.iter().enumerate() {
            self.optional_source(at!["note", item, "source"], note.source.as_ref());
        }
    }

    fn host(&mut self, at: Vec<Step>, host: &str) {
        // What stands on a path of it: `api.example.com/v1/chat/`.
        let starts = host.find('/').filter(|_| !host.contains("://"));
        let (host, path) = host.split_at(starts.unwrap_or(host.len()));
        if path.contains('*') || host.contains('*') && !path.is_empty() {
            let message = format!("`{host}{path}` holds a `*`");
            self.say(at, message, "with a path, name the host and the path's beginning whole");
            return;
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*');
        if let Some(c) = host.chars().find(|&c| !fits(c)) {
            let message = format!("`{host}` is no host: it holds `{c}`");
            self.say(at, message, "write the host alone, without scheme, port and path: `api.example.com`");
        } else if host.trim_matches(['*', '.']).split('.').filter(|label| glob::fixed(label) > 0).count() < 2 {
            let message = format!("`{host}` stands for hosts of others too");
            self.say(at, message, "name the vendor's own domain: `*.example.com`");
        }
    }

    fn packages(&mut self, vendor: &Vendor) {
        let mut seen = FxHashSet::default();
        for (item, package) in vendor.packages.iter().enumerate() {
            self.package_name(at!["package", item, "name"], &package.name, &["npm", "pypi", "script"]);
            if !seen.insert(&package.name) {
                let message = format!("the package `{}` is listed twice", package.name);
                self.say(at!["package", item, "name"], message, "keep one entry a package");
            }
            for (client, text) in package.clients.iter().enumerate() {
                self.maker(at!["package", item, "clients", client], text);
            }
            self.patterns(&package.sends_nothing, |text| at!["package", item, "sends_nothing", text]);
            self.optional_source(at!["package", item, "source"], package.source.as_ref());
            self.optional_source(
                at!["package", item, "without_key", "source"],
                package.without_key.as_ref().map(|fact| &fact.source),
            );
            self.optional_source(
                at!["package", item, "errors_below", "source"],
                package.errors_below.as_ref().map(|below| &below.source),
            );
            if let Some(throws) = &package.throws_without_key {
                self.optional_source(at!["package", item, "throws_without_key", "source"], throws.source.as_ref());
            }
            if let Some(timeout) = &package.timeout {
                self.optional_source(at!["package", item, "timeout", "source"], timeout.source.as_ref());
            }
            if let Some(older) = &package.older_timeout {
                self.optional_source(at!["package", item, "older_timeout", "source"], older.source.as_ref());
            }
        }
    }

    fn package_name(&mut self, at: Vec<Step>, name: &str, schemes: &[&str]) {
        let fits = name.split_once(':').is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty());
        if !fits {
            let help = format!("write where it comes from and its name, `{}:NAME`", schemes.join(":NAME`, `"));
            self.say(at, format!("`{name}` is no package"), help);
        }
    }

    fn maker(&mut self, at: Vec<Step>, text: &str) {
        if let Err(message) = Maker::parse(text) {
            self.say(at, message, "write how a client is made: `new default`, `new Name`, `create`, or `self`");
        }
    }

    fn patterns(&mut self, texts: &[String], at: impl Fn(usize) -> Vec<Step>) {
        for (item, text) in texts.iter().enumerate() {
            let parsed = match text.ends_with("()") {
                true => Err(format!("`{text}` ends with a call; what is called is meant anyway")),
                false => Pattern::parse(text).map(drop),
            };
            if let Err(message) = parsed {
                self.say(at(item), message, "write members with dots between, `*` for any one and `**` for any run");
            }
        }
    }

    fn credential(&mut self, item: usize, credential: &Credential) {
        let mut sound = true;
        for (key, pattern) in [("pattern", Some(&credential.pattern)), ("context", credential.context.as_ref())] {
            let Some(pattern) = pattern else { continue };
            if let Err(error) = Shape::parse(pattern) {
                sound = false;
                self.problems.push(Problem {
                    at: at!["credential", item, key],
                    part: error.part,
                    message: format!("the {key} is no regular expression: {}", error.message),
                    help: "write it in the syntax of Rust's `regex` crate, in single quotes".to_owned(),
                });
            }
        }
        for (key, text) in [("prefix", &credential.prefix), ("test_prefix", &credential.test_prefix)] {
            if text.as_ref().is_some_and(|text| text.len() < 3) {
                let help = "write at least three characters that every match holds, or leave it out";
                self.say(at!["credential", item, key], format!("the {key} is too short to look for"), help);
                sound = false;
            }
        }
        for (check, text) in credential.checks.iter().enumerate() {
            if let Err(message) = Check::parse(text) {
                let help = "write `jwt:CLAIM=VALUE`, `jwt-not:CLAIM=VALUE`, `entropy:BITS`, `drawn` or `crc32-base62`";
                self.say(at!["credential", item, "checks", check], message, help);
            }
        }
        if sound && super::scan::anchors(credential).is_none() {
            let message = format!("nothing fixed to look for in `{}`", credential.name);
            let help = "add a `prefix` that every match holds, or a `context` that names the vendor";
            self.say(at!["credential", item, "pattern"], message, help);
        }
        self.optional_source(at!["credential", item, "source"], credential.source.as_ref());
    }

    fn idempotency(&mut self, vendor: &Vendor) {
        let mut seen = FxHashSet::default();
        for (item, entry) in vendor.idempotency.iter().enumerate() {
            if !seen.insert(&entry.id) {
                let message = format!("the idempotency `{}` is listed twice", entry.id);
                self.say(at!["idempotency", item, "id"], message, "give each entry an id of its own");
            }
            if [&entry.js, &entry.py, &entry.header, &entry.body].iter().all(|list| list.is_empty()) {
                let help = "add `js`, `py`, `header` or `body`";
                self.say(at!["idempotency", item, "id"], "nothing says where the key goes", help);
            }
            self.source(at!["idempotency", item, "source"], &entry.source);
        }
    }

    fn calls(&mut self, vendor: &Vendor, extends: Option<&Vendor>) {
        let own = vendor.idempotency.iter().chain(extends.iter().flat_map(|vendor| &vendor.idempotency));
        let known: Vec<&str> = own.map(|entry| entry.id.as_str()).collect();
        let hosts: Vec<&String> = vendor.hosts.iter().chain(extends.iter().flat_map(|vendor| &vendor.hosts)).collect();
        for (item, call) in vendor.calls.iter().enumerate() {
            if call.sdk.is_empty() && call.http.is_empty() {
                self.say(at!["call", item], "the call has no path", "add `sdk` or `http`, else nothing can match it");
            }
            self.patterns(&call.sdk, |text| at!["call", item, "sdk", text]);
            self.routes(&call.http, |text| at!["call", item, "http", text]);
            if let Some(host) = &call.host
                && !hosts.iter().any(|listed| *listed == host || glob::matches(listed, host))
            {
                let message = format!("`{host}` is not among the vendor's hosts");
                self.say(
                    at!["call", item, "host"],
                    message,
                    "add it to `hosts`, else no request is known as the vendor's",
                );
            }
            if let Some(id) = &call.idempotency
                && !known.contains(&id.as_str())
            {
                let near = known.iter().min_by_key(|known| strsim::damerau_levenshtein(known, id));
                let help = match near {
                    Some(near) => format!("the vendor has {}; did you mean `{near}`?", quoted(&known)),
                    None => format!("add an `[[idempotency]]` with `id = \"{id}\"`"),
                };
                self.say(at!["call", item, "idempotency"], format!("no idempotency has the id `{id}`"), help);
            }
            self.optional_source(at!["call", item, "source"], call.source.as_ref());
        }
    }

    fn routes(&mut self, texts: &[String], at: impl Fn(usize) -> Vec<Step>) {
        for (item, text) in texts.iter().enumerate() {
            if let Err(message) = Route::parse(text) {
                self.say(at(item), message, "write it as `POST /v1/things/{id}`");
            }
        }
    }

    fn webhooks(&mut self, vendor: &Vendor) {
        for (item, webhook) in vendor.webhooks.iter().enumerate() {
            self.patterns(&webhook.verify, |text| at!["webhook", item, "verify", text]);
            self.routes(&webhook.verify_http, |text| at!["webhook", item, "verify_http", text]);
            for (key, list) in [
                ("verify_async", &webhook.verify_async),
                ("verify_boolean", &webhook.verify_boolean),
                ("verify_node", &webhook.verify_node),
                ("verify_web", &webhook.verify_web),
            ] {
                for (text, path) in list.iter().enumerate() {
                    if !webhook.verify.contains(path) {
                        let help = "list it in `verify` too: these are some of those";
                        let message = format!("`{path}` is not among the verifiers");
                        self.say(at!["webhook", item, key, text], message, help);
                    }
                }
            }
            for (header, name) in webhook.headers.iter().enumerate() {
                if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
                    let message = format!("`{name}` is no header");
                    self.say(at!["webhook", item, "headers", header], message, "write the header's name alone");
                }
            }
            for (event, name) in webhook.events.iter().enumerate() {
                if glob::fixed(name) < 2 {
                    let message = format!("`{name}` stands for events of others too");
                    self.say(
                        at!["webhook", item, "events", event],
                        message,
                        "name the event, or the family it belongs to",
                    );
                }
            }
            for (family, recurring) in webhook.recurring.iter().enumerate() {
                self.source(at!["webhook", item, "recurring", family, "source"], &recurring.source);
            }
            self.source(at!["webhook", item, "source"], &webhook.source);
            if let Some(form) = &webhook.form {
                self.source(at!["webhook", item, "form", "source"], &form.source);
            }
            if let Some(since) = &webhook.verify_since {
                self.source(at!["webhook", item, "verify_since", "source"], &since.source);
            }
        }
    }

    fn http_client(&mut self, item: usize, client: &HttpClient) {
        let schemes = ["npm", "pypi", "node", "py", "global"];
        self.package_name(at!["http_client", item, "package"], &client.package, &schemes);
        for (instance, text) in client.instances.iter().enumerate() {
            self.maker(at!["http_client", item, "instances", instance], text);
        }
        for (request, entry) in client.requests.iter().enumerate() {
            let path = std::slice::from_ref(&entry.path);
            self.patterns(path, |_| at!["http_client", item, "request", request, "path"]);
        }
        self.source(at!["http_client", item, "source"], &client.source);
    }

    fn function(&mut self, item: usize, function: &Known) {
        let schemes = ["npm", "pypi", "node", "py", "global", "jsr", "url", "own"];
        self.package_name(at!["function", item, "package"], &function.package, &schemes);
        self.patterns(&function.paths, |path| at!["function", item, "paths", path]);
        self.source(at!["function", item, "source"], &function.source);
    }

    fn optional_source(&mut self, at: Vec<Step>, source: Option<&Source>) {
        if let Some(source) = source {
            self.source(at, source);
        }
    }

    fn source(&mut self, mut at: Vec<Step>, source: &Source) {
        if source.src.trim().is_empty() {
            let mut at = at.clone();
            at.push(Step::Key("src"));
            self.say(at, "the source is empty", "write where the facts were read: a URL or `npm:NAME@VERSION:file`");
        }
        if !is_date(&source.date) {
            at.push(Step::Key("date"));
            self.say(at, format!("`{}` is no date", source.date), "write the day it was read as `YYYY-MM-DD`");
        }
    }
}

pub(crate) fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut next = |length: usize| {
        let part = parts.next().filter(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<u32>().ok()
    };
    let (Some(year), Some(month), Some(day)) = (next(4), next(2), next(2)) else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    year >= 2000 && (1..=12).contains(&month) && (1..=days).contains(&day) && parts.next().is_none()
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
