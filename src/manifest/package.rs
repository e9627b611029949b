//! `package.json`.

use serde_json::Value;

use crate::names::Name;

/// What a `package.json` says.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Its name.
    pub name: Option<Name>,
    /// Every dependency with its range: runtime, development, peer and optional ones, by name.
    pub dependencies: Vec<Dependency>,
    /// Globs of its workspaces.
    pub workspaces: Vec<String>,
    /// Its scripts, in order.
    pub scripts: Vec<(String, String)>,
    /// `"type": "module"`.
    pub is_module: bool,
    /// What it runs or gives when loaded.
    pub main: Option<String>,
    /// The files of its commands.
    pub bins: Vec<String>,
    /// It has an `exports` map.
    pub has_exports: bool,
    /// It has an `imports` map.
    pub has_imports: bool,
    /// All of it.
    pub whole: Value,
}

/// A dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The package.
    pub name: Name,
    /// The range asked for: `^14.2.0`, `workspace:*`, `npm:other@1`.
    pub range: String,
    /// For development only.
    pub development: bool,
}

impl Package {
    /// Takes what is there; parts of a wrong type are passed over, as package managers do.
    pub fn read(whole: &Value) -> Self {
        let text = |key: &str| whole.get(key).and_then(Value::as_str);
        let pairs = |key: &str| {
            whole
                .get(key)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        };
        let mut dependencies: Vec<Dependency> = vec![];
        for (key, development) in [
            ("dependencies", false),
            ("peerDependencies", false),
            ("optionalDependencies", false),
            ("devDependencies", true),
        ] {
            for (name, range) in pairs(key) {
                let name = Name::new(&name);
                if !dependencies.iter().any(|known| known.name == name) {
                    dependencies.push(Dependency { name, range, development });
                }
            }
        }
        dependencies.sort_by_key(|dependency| dependency.name);
        let workspaces = whole.get("workspaces");
        let workspaces = workspaces.and_then(|value| value.get("packages")).or(workspaces);
        let bins = match whole.get("bin") {
            Some(Value::String(path)) => vec![path.clone()],
            Some(Value::Object(paths)) => paths.values().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => vec![],
        };
        Self {
            name: text("name").map(Name::new),
            dependencies,
            workspaces: texts(workspaces),
            scripts: pairs("scripts").collect(),
            is_module: text("type") == Some("module"),
            main: text("main").or(text("module")).map(str::to_owned),
            bins,
            has_exports: whole.get("exports").is_some(),
            has_imports: whole.get("imports").is_some(),
            whole: whole.clone(),
        }
    }

    /// A dependency by name.
    pub fn dependency(&self, name: &str) -> Option<&Dependency> {
        let at = self.dependencies.binary_search_by(|known| known.name.as_str().cmp(name)).ok()?;
        self.dependencies.get(at)
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_optional_and_may_be_wrong() {
        let package = Package::read(&serde_json::json!({
            "name": "app", "type": "module", "bin": { "app": "./cli.js" },
            "workspaces": { "packages": ["apps/*"] },
            "dependencies": { "b": "^1.0.0", "a": 3 },
            "devDependencies": { "b": "^2.0.0", "c": "*" },
            "scripts": ["wrong"]
        }));
        assert_eq!(package.dependency("b").map(|b| (b.range.as_str(), b.development)), Some(("^1.0.0", false)));
        assert!(package.dependency("c").is_some_and(|c| c.development));
        assert_eq!((package.workspaces, package.bins), (vec!["apps/*".to_owned()], vec!["./cli.js".to_owned()]));
        assert!(package.is_module && package.scripts.is_empty());
        assert!(Package::read(&serde_json::json!([])).name.is_none());
    }
}
