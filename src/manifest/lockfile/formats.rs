//! One small reader a form. JSON is streamed past; the others are read line by line, for tools write them, always in
//! the same lines.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::Keep;

/// A JSON object as pairs, in order.
struct Pairs<'a, T>(Vec<(Cow<'a, str>, T)>);

impl<T> Default for Pairs<'_, T> {
    fn default() -> Self {
        Self(vec![])
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Pairs<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect<'a, T>(PhantomData<(&'a (), T)>);
        impl<'de: 'a, 'a, T: Deserialize<'de>> Visitor<'de> for Collect<'a, T> {
            type Value = Pairs<'a, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = vec![];
                while let Some(Key(key)) = map.next_key()? {
                    pairs.push((key, map.next_value()?));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Collect(PhantomData))
    }
}

/// A key, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// What is said of an installed package.
#[derive(serde::Deserialize)]
struct Installed<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
}

/// `package-lock.json`: from version 2 on by folder, before by name.
pub(super) fn npm(text: &str, keep: &mut Keep<'_>) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Lock<'a> {
        #[serde(borrow, default)]
        packages: Pairs<'a, Installed<'a>>,
        #[serde(borrow, default)]
        dependencies: Pairs<'a, Installed<'a>>,
    }
    const MODULES: &str = "node_modules/";
    let lock: Lock<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for (path, installed) in &lock.packages.0 {
        let Some((folder, name)) = path.split_once(MODULES) else { continue };
        let same = installed.name.as_deref().is_none_or(|real| real == name);
        if let Some(version) = installed.version.as_deref().filter(|_| same && !name.contains(MODULES)) {
            keep.script(name, folder.trim_end_matches('/'), None, version);
        }
    }
    if lock.packages.0.is_empty() {
        for (name, installed) in &lock.dependencies.0 {
            keep.script(name, "", None, installed.version.as_deref().unwrap_or_default());
        }
    }
    Ok(())
}

/// `Pipfile.lock`.
pub(super) fn pipfile(text: &str, keep: &mut Keep<'_>) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Lock<'a> {
        #[serde(borrow, default)]
        default: Pairs<'a, Installed<'a>>,
        #[serde(borrow, default)]
        develop: Pairs<'a, Installed<'a>>,
    }
    let lock: Lock<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for (name, installed) in lock.default.0.iter().chain(&lock.develop.0) {
        keep.python(name, installed.version.as_deref().unwrap_or_default().trim_start_matches('='));
    }
    Ok(())
}

/// `pnpm-lock.yaml`: what each project asks for stands at its head.
pub(super) fn pnpm(text: &str, keep: &mut Keep<'_>) -> Result<(), String> {
    let (mut known, mut projects, mut listing) = (false, false, false);
    let (mut folder, mut name) = ("", "");
    for line in text.lines() {
        let inner = line.trim_start_matches(' ');
        // Within `importers` all is indented by two steps more.
        let step = (line.len() - inner.len()) / 2;
        let Some((key, value)) = entry(inner) else { continue };
        let depth = if projects && step > 0 { step as isize - 2 } else { step as isize };
        match (step, depth) {
            (0, _) if matches!(key, "packages" | "snapshots") => break,
            (0, _) => {
                known |= key == "lockfileVersion";
                projects = key == "importers";
                (folder, listing) = ("", lists(key));
            }
            (_, -1) => (folder, listing) = (if key == "." { "" } else { key }, false),
            (_, 0) => listing = lists(key),
            (_, 1) if listing => {
                name = key;
                keep.script(name, folder, None, plain(value));
            }
            (_, 2) if listing && key == "version" => keep.script(name, folder, None, plain(value)),
            _ => {}
        }
    }
    known.then_some(()).ok_or_else(|| "it does not say its version".to_owned())
}

fn lists(key: &str) -> bool {
    matches!(key, "dependencies" | "devDependencies" | "optionalDependencies")
}

/// `'@acme/sdk': 1.0.0` -> key and value, without their quotes.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (key, value) = match line.strip_prefix(['\'', '"']) {
        Some(rest) => rest.split_once(['\'', '"']).map(|(key, rest)| (key, rest.trim_start_matches(':')))?,
        None => line.split_once(':')?,
    };
    Some((key, value.trim().trim_matches(['\'', '"'])))
}

/// The version without the peers it was installed with: `1.0.0(react@18.0.0)`, `1.0.0_react@18.0.0`.
fn plain(version: &str) -> &str {
    version.split(['(', '_']).next().unwrap_or(version)
}

/// `yarn.lock`, the classic form and that of later versions.
pub(super) fn yarn(text: &str, keep: &mut Keep<'_>) -> Result<(), String> {
    if !text.contains("yarn lockfile v1") && !text.contains("__metadata:") {
        return Err("it does not say its version".to_owned());
    }
    let mut asked: Vec<(&str, &str)> = vec![];
    for line in text.lines() {
        if !line.starts_with(' ') {
            asked.clear();
            let Some(head) = line.strip_suffix(':').filter(|_| !line.starts_with('#')) else { continue };
            asked.extend(head.split(',').filter_map(|one| request(one.trim().trim_matches('"').trim())));
            asked.retain(|(name, _)| keep.wants(name));
        } else if !asked.is_empty()
            && let Some(version) = line.strip_prefix("  version")
        {
            let version = version.trim_start_matches([':', ' ']).trim_matches('"');
            for (name, range) in asked.drain(..) {
                keep.script(name, "", Some(range), version);
            }
        }
    }
    Ok(())
}

/// `@acme/sdk@npm:^1.0.0` -> name and range; another package's alias is none.
fn request(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    let (name, range) = (&text[..at], &text[at + 1..]);
    let range = range.strip_prefix("npm:").unwrap_or(range);
    (!range.contains(['@', ':', '/'])).then_some((name, range))
}

/// `bun.lock`: JSON with trailing commas, a line a package.
pub(super) fn bun(text: &str, keep: &mut Keep<'_>) -> Result<(), String> {
    let (workspaces, packages) =
        text.split_once("\n  \"packages\": {").ok_or_else(|| "it has no list of packages".to_owned())?;
    let mut folders: Vec<(&str, &str)> = vec![];
    let mut folder = None;
    for line in workspaces.lines() {
        if let Some(rest) = line.strip_prefix("    \"") {
            folder = rest.strip_suffix("\": {");
        } else if let (Some(at), Some(rest)) = (folder, line.strip_prefix("      \"name\": \"")) {
            folders.extend(rest.split('"').next().map(|name| (name, at)));
            folder = None;
        }
    }
    for line in packages.lines() {
        let Some((key, rest)) = line.strip_prefix("    \"").and_then(|line| line.split_once("\": [\"")) else {
            continue;
        };
        let Some((name, version)) = rest.split('"').next().and_then(|spec| spec.rsplit_once('@')) else { continue };
        if key == name {
            keep.script(name, "", None, version);
        } else if let Some(owner) = key.strip_suffix(name).and_then(|owner| owner.strip_suffix('/'))
            && let Some((_, folder)) = folders.iter().find(|(known, _)| *known == owner)
        {
            keep.script(name, folder, None, version);
        }
    }
    Ok(())
}

/// `uv.lock`, `poetry.lock`, `pdm.lock`: TOML, a table a package.
pub(super) fn packages(text: &str, keep: &mut Keep<'_>) -> Result<(), String> {
    let (mut known, mut inside, mut name) = (false, false, "");
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.trim_end() == "[[package]]";
            known |= inside;
            name = "";
        } else if let Some(value) = line.strip_prefix("name = \"").filter(|_| inside) {
            name = value.trim_end().trim_end_matches('"');
        } else if let Some(value) = line.strip_prefix("version = \"").filter(|_| inside && !name.is_empty()) {
            keep.python(name, value.trim_end().trim_end_matches('"'));
            name = "";
        }
    }
    let empty = text.lines().any(|line| line.contains("version ="));
    (known || empty).then_some(()).ok_or_else(|| "it lists no packages".to_owned())
}
