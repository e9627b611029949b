//! Lockfiles: which version of a package is installed. Only packages that somebody will ask for are kept; the rest of
//! what may be megabytes is passed over.

use rustc_hash::FxHashSet;

use crate::names::Name;

mod formats;

/// Lockfiles of JavaScript.
pub const SCRIPT_LOCKS: &[&str] =
    &["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"];

/// Lockfiles of Python.
pub const PYTHON_LOCKS: &[&str] =
    &["uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "pylock.toml", "requirements.lock"];

/// What a lockfile holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// Sorted by package.
    held: Vec<Held>,
}

/// A package at a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    /// `npm:stripe`, `pypi:stripe`.
    package: Name,
    /// The folder of the workspace it is installed for, from the lockfile's own; empty for all.
    folder: Box<str>,
    /// The range it was found for, where the lockfile says so: `^14.2.0`.
    range: Option<Box<str>>,
    version: Box<str>,
}

/// The packages that may be asked for, as the catalogue writes them: `npm:stripe`.
pub type Wanted = FxHashSet<&'static str>;

/// Whether a file of this name is a lockfile that is read.
pub fn is_read(name: &str) -> bool {
    matches!(
        name,
        "package-lock.json"
            | "npm-shrinkwrap.json"
            | "pnpm-lock.yaml"
            | "yarn.lock"
            | "bun.lock"
            | "uv.lock"
            | "poetry.lock"
            | "pdm.lock"
            | "Pipfile.lock"
    )
}

impl Lockfile {
    /// Reads the lockfile of a name.
    pub fn read(name: &str, text: &str, wanted: &Wanted) -> Result<Self, String> {
        let mut keep = Keep { wanted, held: vec![], key: String::new() };
        match name {
            "package-lock.json" | "npm-shrinkwrap.json" => formats::npm(text, &mut keep)?,
            "pnpm-lock.yaml" => formats::pnpm(text, &mut keep)?,
            "yarn.lock" => formats::yarn(text, &mut keep)?,
            "bun.lock" => formats::bun(text, &mut keep)?,
            "Pipfile.lock" => formats::pipfile(text, &mut keep)?,
            _ => formats::packages(text, &mut keep)?,
        }
        keep.held.sort_unstable();
        keep.held.dedup();
        Ok(Self { held: keep.held })
    }

    /// Whether it holds a package, for whatever folder.
    pub fn holds(&self, package: Name) -> bool {
        !self.of(package).is_empty()
    }

    /// The version of a package in a folder (from the lockfile's own) that asks for a range; several when the
    /// lockfile does not say which.
    pub fn versions(&self, package: Name, folder: &str, range: &str) -> Vec<&str> {
        let of = self.of(package);
        for folder in super::folders(folder) {
            let held: Vec<&Held> = of.iter().filter(|held| &*held.folder == folder).collect();
            let exact = |held: &&Held| held.range.as_deref().is_some_and(|asked| asked == range);
            let mut versions: Vec<&str> = match held.iter().any(exact) {
                true => held.into_iter().filter(exact).map(|held| &*held.version).collect(),
                false => held.into_iter().map(|held| &*held.version).collect(),
            };
            versions.dedup();
            if !versions.is_empty() {
                return versions;
            }
        }
        vec![]
    }

    fn of(&self, package: Name) -> &[Held] {
        let from = self.held.partition_point(|held| held.package < package);
        let to = self.held.partition_point(|held| held.package <= package);
        &self.held[from..to]
    }
}

/// What a reader hands its packages to.
struct Keep<'w> {
    wanted: &'w Wanted,
    held: Vec<Held>,
    key: String,
}

impl Keep<'_> {
    /// Whether a package of npm may be asked for.
    fn wants(&mut self, name: &str) -> bool {
        self.key.clear();
        self.key.push_str("npm:");
        self.key.push_str(name);
        self.wanted.contains(self.key.as_str())
    }

    /// A package of npm.
    fn script(&mut self, name: &str, folder: &str, range: Option<&str>, version: &str) {
        if is_version(version) && self.wants(name) {
            self.push(folder, range, version);
        }
    }

    /// A package of Python; names are written in several ways.
    fn python(&mut self, name: &str, version: &str) {
        self.key.clear();
        self.key.push_str("pypi:");
        self.key.extend(name.chars().map(|c| if matches!(c, '-' | '.') { '_' } else { c.to_ascii_lowercase() }));
        if is_version(version) && (self.wanted.contains(self.key.as_str()) || self.wants_module()) {
            self.push("", None, version);
        }
    }

    /// Whether the catalogue names the package of Python by its module: `google.genai` of `google-genai`.
    fn wants_module(&self) -> bool {
        self.wanted.contains(self.key.replace('_', ".").as_str())
    }

    fn push(&mut self, folder: &str, range: Option<&str>, version: &str) {
        let package = Name::new(&self.key);
        self.held.push(Held { package, folder: folder.into(), range: range.map(Into::into), version: version.into() });
    }
}

/// `1.2.3`, `1.2.3-beta.1+x`; not the path or URL of a copy.
fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+' | b'!'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Lockfile, String> {
        let wanted = ["npm:stripe", "npm:@acme/sdk", "pypi:stripe", "pypi:google.genai"].into_iter().collect();
        Lockfile::read(name, text, &wanted)
    }

    fn versions(lock: &Lockfile, package: &str, folder: &str, range: &str) -> Vec<String> {
        lock.versions(Name::new(package), folder, range).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn npm_in_three_forms() {
        let text = r#"{ "name": "app", "lockfileVersion": 3, "packages": {
            "": { "dependencies": { "stripe": "^14" } },
            "apps/web": { "version": "1.0.0" },
            "node_modules/stripe": { "version": "14.2.0", "dependencies": { "qs": "1" } },
            "node_modules/other/node_modules/stripe": { "version": "9.0.0" },
            "apps/web/node_modules/stripe": { "version": "17.1.0" },
            "node_modules/@acme/sdk": { "version": "2.0.0-beta.1" },
            "node_modules/unknown": { "version": "1.0.0" },
            "node_modules/web": { "resolved": "apps/web", "link": true } } }"#;
        let lock = read("package-lock.json", text).unwrap();
        assert_eq!(versions(&lock, "npm:stripe", "", "^14"), ["14.2.0"]);
        assert_eq!(versions(&lock, "npm:stripe", "apps/web", "^17"), ["17.1.0"]);
        assert_eq!(versions(&lock, "npm:stripe", "apps/api", "^14"), ["14.2.0"]);
        assert_eq!(versions(&lock, "npm:@acme/sdk", "apps/web", "*"), ["2.0.0-beta.1"]);
        assert!(!lock.holds(Name::new("npm:unknown")));

        let first = r#"{ "lockfileVersion": 1, "dependencies": { "stripe": { "version": "8.1.0",
            "dependencies": { "@acme/sdk": { "version": "1.0.0" } } } } }"#;
        let lock = read("npm-shrinkwrap.json", first).unwrap();
        assert_eq!(versions(&lock, "npm:stripe", "", "^8"), ["8.1.0"]);
        assert!(!lock.holds(Name::new("npm:@acme/sdk")));
        assert!(read("package-lock.json", "{ <<<<<<< HEAD").is_err());
    }

    #[test]
    fn an_alias_is_not_the_package() {
        let text = r#"{ "packages": { "node_modules/stripe": { "name": "fork", "version": "1.0.0" } } }"#;
        assert!(!read("package-lock.json", text).unwrap().holds(Name::new("npm:stripe")));
    }

    #[test]
    fn pnpm_of_one_project_and_of_many() {
        let many = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      '@acme/sdk':\n        \
                    specifier: ^2.0.0\n        version: 2.4.1(zod@3.2.1)\n  apps/web:\n    devDependencies:\n      \
                    stripe:\n        specifier: ^14\n        version: 14.2.0\n      local:\n        version: link:../x\n\
                    \npackages:\n\n  stripe@9.0.0:\n    resolution: {}\n";
        let lock = read("pnpm-lock.yaml", many).unwrap();
        assert_eq!(versions(&lock, "npm:@acme/sdk", "apps/web", ""), ["2.4.1"]);
        assert_eq!(versions(&lock, "npm:stripe", "apps/web", ""), ["14.2.0"]);
        assert!(versions(&lock, "npm:stripe", "apps/api", "").is_empty());

        let one = "lockfileVersion: 5.4\n\nspecifiers:\n  stripe: ^9.0.0\n\ndependencies:\n  stripe: 9.1.0\n  \
                   '@acme/sdk': 1.0.0_react@18.0.0\n\npackages:\n";
        let lock = read("pnpm-lock.yaml", one).unwrap();
        assert_eq!(versions(&lock, "npm:stripe", "", ""), ["9.1.0"]);
        assert_eq!(versions(&lock, "npm:@acme/sdk", "", ""), ["1.0.0"]);
        assert!(read("pnpm-lock.yaml", "nothing: here\n").is_err());
    }

    #[test]
    fn yarn_old_and_new() {
        let old = "# yarn lockfile v1\n\n\n\"@acme/sdk@^1.0.0\", \"@acme/sdk@^1.2.0\":\n  version \"1.3.0\"\n  \
                   dependencies:\n    stripe \"^8.0.0\"\n\nstripe@^8.0.0:\n  version \"8.1.0\"\n\nstripe@^14.0.0:\n  \
                   version \"14.1.0\"\n\n\"stripe@npm:fork@1\":\n  version \"1.0.0\"\n";
        let lock = read("yarn.lock", old).unwrap();
        assert_eq!(versions(&lock, "npm:@acme/sdk", "", "^1.2.0"), ["1.3.0"]);
        assert_eq!(versions(&lock, "npm:stripe", "apps/web", "^14.0.0"), ["14.1.0"]);
        assert_eq!(versions(&lock, "npm:stripe", "", ">=8"), ["14.1.0", "8.1.0"]);

        let new = "__metadata:\n  version: 8\n\n\"stripe@npm:^14.0.0, stripe@npm:^14.2.0\":\n  version: 14.3.0\n  \
                   resolution: \"stripe@npm:14.3.0\"\n\n\"web@workspace:apps/web\":\n  version: 0.0.0-use.local\n";
        let lock = read("yarn.lock", new).unwrap();
        assert_eq!(versions(&lock, "npm:stripe", "", "^14.2.0"), ["14.3.0"]);
        assert!(read("yarn.lock", "stripe\n").is_err());
    }

    #[test]
    fn bun_with_its_workspaces() {
        let text = "{\n  \"lockfileVersion\": 1,\n  \"workspaces\": {\n    \"\": {\n      \"name\": \"app\",\n    },\n    \
                    \"apps/web\": {\n      \"name\": \"@app/web\",\n      \"dependencies\": {\n        \"stripe\": \"^17\",\n      \
                    },\n    },\n  },\n  \"packages\": {\n    \"stripe\": [\"stripe@14.2.0\", \"\", {}, \"sha512-x\"],\n\n    \
                    \"@app/web/stripe\": [\"stripe@17.0.0\", \"\", {}, \"sha512-x\"],\n\n    \
                    \"other/stripe\": [\"stripe@9.0.0\", \"\", {}, \"sha512-x\"],\n\n    \
                    \"@acme/sdk\": [\"@acme/sdk@1.0.0\", \"\", {}, \"sha512-x\"],\n  }\n}\n";
        let lock = read("bun.lock", text).unwrap();
        assert_eq!(versions(&lock, "npm:stripe", "", ""), ["14.2.0"]);
        assert_eq!(versions(&lock, "npm:stripe", "apps/web", ""), ["17.0.0"]);
        assert_eq!(versions(&lock, "npm:@acme/sdk", "apps/web", ""), ["1.0.0"]);
        assert!(read("bun.lock", "{}\n").is_err());
    }

    #[test]
    fn python_of_every_tool() {
        let text = "version = 1\n\n[[package]]\nname = \"google-genai\"\nversion = \"1.2.0\"\n\
                    dependencies = [\n    { name = \"stripe\" },\n]\n\n[[package]]\nname = \"Stripe\"\nversion = \"7.1.0\"\n\
                    \n[package.dependencies]\nversion = \"9\"\n";
        for name in ["uv.lock", "poetry.lock", "pdm.lock"] {
            let lock = read(name, text).unwrap();
            assert_eq!(versions(&lock, "pypi:stripe", "", ""), ["7.1.0"]);
            assert_eq!(versions(&lock, "pypi:google_genai", "", ""), ["1.2.0"]);
        }
        let text = r#"{ "_meta": {}, "default": { "stripe": { "hashes": [], "version": "==8.0.1" } },
                       "develop": { "google-genai": { "version": "==1.0.0" }, "own": { "path": "." } } }"#;
        let lock = read("Pipfile.lock", text).unwrap();
        assert_eq!(versions(&lock, "pypi:stripe", "", ""), ["8.0.1"]);
        assert_eq!(versions(&lock, "pypi:google_genai", "", ""), ["1.0.0"]);
        assert!(read("uv.lock", "<<<<<<< HEAD\n").is_err());
    }

    #[test]
    fn broken_off_texts_never_fail_to_end() {
        let bun = "{\n  \"workspaces\": {\n    \"a\": {\n      \"name\": \"b\",\n  },\n  \"packages\": {\n    \"stripe\": [\"stripe@1.0.0\"";
        let pnpm = "lockfileVersion: 6\nimporters:\n  .:\n    dependencies:\n      'stripe':\n        version: 1.0.0\n";
        let yarn = "__metadata:\n\"stripe@npm:^1, é@1\":\n  version: 1.0.0\n";
        for (name, text) in
            [("bun.lock", bun), ("pnpm-lock.yaml", pnpm), ("yarn.lock", yarn), ("uv.lock", "name = \"é")]
        {
            for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
                let _ = read(name, &text[..end]);
            }
        }
    }
}
