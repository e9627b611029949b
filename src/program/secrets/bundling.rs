//! What bundlers write into the code that browsers get: variables by their prefix, and what a configuration adds.
//! And what a variable's name says of its value.

use crate::catalogue::{VendorId, unqualified};
use crate::facts::{ExprKind, Facts};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::{CallRef, ExprRef, Program, Value};

/// Prefixes by which bundlers inline a variable, and the packages that bring them.
const PREFIXES: &[(&str, &[&str])] = &[
    ("VITE_", &["vite", "astro", "@sveltejs/kit", "nuxt", "@tanstack/react-start", "vinxi", "electron-vite"]),
    ("NEXT_PUBLIC_", &["next"]),
    ("REACT_APP_", &["react-scripts", "@craco/craco", "react-app-rewired", "razzle"]),
    ("EXPO_PUBLIC_", &["expo"]),
    ("GATSBY_", &["gatsby"]),
    ("NUXT_PUBLIC_", &["nuxt", "nuxt3", "nuxt-edge"]),
    ("VUE_APP_", &["@vue/cli-service"]),
];
/// Packages that build a project in a way of their own: without the one that a prefix belongs to, it means nothing.
pub(in crate::program) const BUILDERS: &[&str] =
    &["vite", "next", "react-scripts", "expo", "gatsby", "nuxt", "@vue/cli-service"];
/// Packages with which a build may inline anything.
const ANY_PREFIX: &[&str] = &[
    "webpack",
    "dotenv-webpack",
    "vite-plugin-environment",
    "vite-plugin-env-compatible",
    "parcel",
    "react-native-dotenv",
    "babel-plugin-transform-inline-environment-variables",
];
/// The frameworks that inline `PUBLIC_`.
const PLAIN_PUBLIC: &[&str] = &["astro", "@sveltejs/kit"];

/// What a variable's name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It must stay on the server.
    Secret,
    /// Its name is given to secrets and to what browsers may have: use decides.
    ByUse,
    /// Browsers may have it.
    Public,
    /// Nothing.
    Unknown,
}

/// A value that a configuration has the bundler write into the code.
#[derive(Debug, Clone)]
pub struct Inlined {
    /// Where the configuration says so.
    pub place: Place,
    /// The setting: `define`, `env`.
    pub setting: &'static str,
    /// What is replaced: `process.env.API_KEY`; of the environment as a whole the object.
    pub replaced: Name,
    /// The variables written in its place.
    pub variables: Vec<Name>,
    /// It is the whole environment.
    pub whole: bool,
}

/// What the configurations of the bundlers say.
#[derive(Debug, Default)]
pub struct Bundling {
    /// A project's own prefixes, with the folder they hold for.
    prefixes: Vec<(&'static str, Name)>,
    /// What is inlined besides.
    pub inlined: Vec<Inlined>,
}

impl Program {
    /// What the bundlers' configurations say.
    pub fn bundling(&self) -> &Bundling {
        self.bundling.get_or_init(|| read(self))
    }

    /// The rest of a variable's name when a bundler inlines it by its prefix.
    pub fn inlined_name(&self, file: FileId, name: Name) -> Option<&'static str> {
        let (text, path) = (name.as_str(), self.file(file).path);
        let known = PREFIXES.iter().find_map(|(prefix, of)| {
            let rest = text.strip_prefix(prefix)?;
            let project = self.projects.of(file);
            let another = || {
                BUILDERS.iter().any(|builder| project.uses(builder))
                    && !of.iter().chain(ANY_PREFIX).any(|package| project.uses(package))
            };
            (!another()).then_some(rest)
        });
        let own = || {
            let mut own = self.bundling().prefixes.iter().filter(|(folder, _)| is_within(path.as_str(), folder));
            own.find_map(|(_, prefix)| text.strip_prefix(prefix.as_str()))
        };
        let plain = || {
            let rest = text.strip_prefix("PUBLIC_")?;
            PLAIN_PUBLIC.iter().any(|framework| self.projects.of(file).uses(framework)).then_some(rest)
        };
        known.or_else(own).or_else(plain).filter(|rest| !rest.is_empty())
    }

    /// The variable that the build writes where code names `name`: itself, unless a configuration says otherwise.
    pub fn variable_behind(&self, name: Name) -> Name {
        let replaced =
            self.bundling().inlined.iter().find(|inlined| {
                inlined.replaced.rsplit('.').next() == Some(name.as_str()) && inlined.variables.len() == 1
            });
        replaced.map_or(name, |inlined| inlined.variables[0])
    }

    /// What a variable's name says, `name` being without a public prefix, and whose it is.
    pub fn variable(&self, name: &str) -> (Nature, Option<VendorId>) {
        match self.catalogue.env_entry(name) {
            Some((vendor, entry)) if entry.by_use => (Nature::ByUse, Some(vendor)),
            Some((vendor, entry)) if entry.secret => (Nature::Secret, Some(vendor)),
            Some((vendor, _)) => (Nature::Public, Some(vendor)),
            None => (by_words(name), None),
        }
    }
}

fn is_within(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// What the words of a name say. What it ends with tells what it is; what stands before, whose.
pub(in crate::program) fn by_words(name: &str) -> Nature {
    const SECRET: &[&str] = &[
        "SECRET",
        "SECRET_KEY",
        "SECRETKEY",
        "SECRET_TOKEN",
        "SECRET_API_KEY",
        "REFRESH_TOKEN",
        "PERSONAL_ACCESS_TOKEN",
        "ADMIN_API_KEY",
        "SERVER_KEY",
        "AUTH_PASS",
        "ADMIN_PASS",
        "SMTP_PASS",
        "DB_PASS",
        "MAIL_PASS",
        "EMAIL_PASS",
        "SECRET_ACCESS_KEY",
        "SERVICE_ROLE",
        "SERVICE_ROLE_KEY",
        "SERVICE_ROLE_TOKEN",
        "SERVICE_KEY",
        "PRIVATE_KEY",
        "PRIVATE_TOKEN",
        "PASSWORD",
        "PASSWD",
        "AUTH_TOKEN",
        "ADMIN_KEY",
        "ADMIN_TOKEN",
        "MASTER_KEY",
    ];
    const PUBLIC: &[&str] = &["ANON", "PUBLISHABLE", "PUBLIC", "DSN", "SITEKEY", "MEASUREMENT"];
    // A switch, a number, or a password that everyone is told.
    const HARMLESS: &[&str] = &[
        "ENABLE", "ENABLED", "DISABLE", "HAS", "IS", "SHOW", "HIDE", "ALLOW", "USE", "REQUIRE", "MIN", "MAX", "DEMO",
        "GUEST", "SAMPLE", "EXAMPLE", "MOCK",
    ];
    let upper = name.to_ascii_uppercase();
    let core = unqualified(&upper);
    let words: Vec<&str> = core.split('_').collect();
    if words.iter().any(|word| PUBLIC.contains(word)) || core.ends_with("SITE_KEY") || core.ends_with("CLIENT_ID") {
        return Nature::Public;
    }
    let ends_with = |end: &&str| core.strip_suffix(end).is_some_and(|head| head.is_empty() || head.ends_with('_'));
    let secret = SECRET.iter().any(ends_with) && !words.iter().any(|word| HARMLESS.contains(word));
    if secret { Nature::Secret } else { Nature::Unknown }
}

fn read(program: &Program) -> Bundling {
    let mut bundling = Bundling::default();
    for (file, facts) in program.code() {
        let path = program.file(file).path.as_str();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !name.contains(".config.") {
            continue;
        }
        let is = |stem: &str| name.starts_with(stem);
        if is("vite.") || is("astro.") || is("vitest.") || is("electron.vite.") {
            for value in under_key(program, file, facts, "define") {
                inlined(program, &value, "define", &mut bundling.inlined);
            }
            for value in under_key(program, file, facts, "envPrefix") {
                let texts = match value {
                    Value::List(list) => program.elements(list),
                    other => other,
                };
                let texts = texts.alternatives().iter().filter_map(Value::text).filter(|text| text.len() > 1);
                bundling.prefixes.extend(texts.map(|prefix| (folder, prefix)));
            }
        } else if is("next.") {
            for value in under_key(program, file, facts, "env") {
                inlined(program, &value, "env", &mut bundling.inlined);
            }
        } else if is("nuxt.") {
            for value in under_key(program, file, facts, "runtimeConfig") {
                let public = program.member(&value, Name::new("public"));
                inlined(program, &public, "runtimeConfig.public", &mut bundling.inlined);
            }
        } else if is("app.") && program.projects.of(file).uses("expo") {
            for value in under_key(program, file, facts, "extra") {
                inlined(program, &value, "extra", &mut bundling.inlined);
            }
        }
        for (at, call) in facts.calls.iter().enumerate() {
            let at = CallRef::new(file, crate::facts::CallId(at as u32));
            let plugin = program.callee(at).externals().any(|e| e.last_member().is_some_and(|m| m == "DefinePlugin"));
            if let (true, Some(arg)) = (plugin, call.args.first()) {
                inlined(program, &program.value(ExprRef::new(file, arg.value)), "DefinePlugin", &mut bundling.inlined);
            }
        }
    }
    bundling.inlined.sort_by_key(|inlined| inlined.place);
    bundling.inlined.dedup_by_key(|inlined| inlined.place);
    bundling
}

/// The values under a key of any object of a file.
fn under_key(program: &Program, file: FileId, facts: &Facts, key: &str) -> Vec<Value> {
    let entries = facts.objects().flat_map(|(_, entries)| entries).filter(|(name, _)| *name == *key);
    entries.map(|&(_, value)| program.value(ExprRef::new(file, value))).collect()
}

/// The entries of a setting that write variables into the code.
fn inlined(program: &Program, value: &Value, setting: &'static str, found: &mut Vec<Inlined>) {
    for (key, at) in program.entries(value) {
        let value = program.value(at);
        let parts = program.ingredients(&value);
        let whole = parts.iter().any(is_environment) || spreads_environment(program, &value);
        let variables: Vec<Name> =
            parts.iter().filter_map(|part| if let Value::Env(name) = part { Some(*name) } else { None }).collect();
        if whole || !variables.is_empty() {
            found.push(Inlined { place: program.place(at), setting, replaced: key, variables, whole });
        }
    }
}

fn is_environment(value: &Value) -> bool {
    matches!(value, Value::External(external) if external.dotted() == "process.env")
}

/// `{ ...process.env }`
fn spreads_environment(program: &Program, value: &Value) -> bool {
    let Value::Object(object) = value else { return false };
    let ExprKind::Object(entries) = program.facts(object.file).expr(object.expr) else { return false };
    let spread = entries.iter().filter(|(key, _)| *key == "...");
    let mut spread = spread.map(|&(_, value)| program.value(ExprRef::new(object.file, value)));
    spread.any(|value| is_environment(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_hold() {
        for secret in [
            "ADMIN_PASSWORD",
            "APP_JWT_SECRET",
            "SERVICE_ROLE_KEY",
            "X_AUTH_TOKEN",
            "SIGNING_PRIVATE_KEY",
            "CLIENT_SECRET_PROD",
            "DB_PASSWORD_2",
        ] {
            assert_eq!(by_words(secret), Nature::Secret, "{secret}");
        }
        for public in
            ["ANON_KEY", "CAPTCHA_SITE_KEY", "PUBLIC_KEY", "X_PUBLISHABLE_KEY", "ERRORS_DSN", "LOGIN_CLIENT_ID"]
        {
            assert_eq!(by_words(public), Nature::Public, "{public}");
        }
        for unknown in [
            "API_URL",
            "PASSWORD_RESET_URL",
            "ENABLE_PASSWORD",
            "PASSWORD_MIN_LENGTH",
            "AUTH_TOKEN_STORAGE_KEY",
            "SECRET_SANTA_MODE",
            "PRIVATE_BETA",
            "DEMO_PASSWORD",
            "WEATHER_API_KEY",
        ] {
            assert_eq!(by_words(unknown), Nature::Unknown, "{unknown}");
        }
    }
}
