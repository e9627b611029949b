//! Dependencies of Python code.

use toml::Value;

use crate::names::Name;

/// What a description of a Python project says.
#[derive(Debug, Clone, Default)]
pub struct PythonProject {
    /// Names of the packages it depends on, in lower case with dashes, sorted.
    pub dependencies: Vec<Name>,
    /// All of it, when it is TOML.
    pub toml: Option<Value>,
}

impl PythonProject {
    /// `pyproject.toml`: PEP 621, dependency groups, Poetry.
    pub fn pyproject(whole: Value) -> Self {
        let at = |keys: &[&str]| keys.iter().try_fold(&whole, |value, key| value.get(key));
        let mut names: Vec<Name> = lines(at(&["project", "dependencies"]));
        for groups in [at(&["project", "optional-dependencies"]), at(&["dependency-groups"])] {
            names
                .extend(groups.and_then(Value::as_table).into_iter().flatten().flat_map(|(_, list)| lines(Some(list))));
        }
        names.extend(keys(at(&["tool", "poetry", "dependencies"])));
        let groups = at(&["tool", "poetry", "group"]).and_then(Value::as_table).into_iter().flatten();
        names.extend(groups.flat_map(|(_, group)| keys(group.get("dependencies"))));
        let dependencies = sorted(names);
        Self { dependencies, toml: Some(whole) }
    }

    /// `Pipfile`.
    pub fn pipfile(whole: &Value) -> Self {
        let names = keys(whole.get("packages")).chain(keys(whole.get("dev-packages")));
        Self { dependencies: sorted(names.collect()), toml: Some(whole.clone()) }
    }

    /// `requirements.txt`.
    pub fn requirements(text: &str) -> Self {
        Self { dependencies: sorted(text.lines().filter_map(requirement).collect()), toml: None }
    }

    /// The version that a list of requirements holds a package to: 7.1.0 of `stripe==7.1.0`.
    pub fn held<'t>(text: &'t str, name: &str) -> Option<&'t str> {
        let name = canonical(name);
        text.lines().filter(|line| requirement(line).is_some_and(|own| own == name.as_str())).find_map(|line| {
            let version = line.split_once("==")?.1.trim_start_matches('=').trim_start();
            Some(version.split([' ', ';', ',', '#', '\t']).next().unwrap_or(version))
        })
    }

    /// Whether it depends on a package, however its name is written.
    pub fn depends_on(&self, name: &str) -> bool {
        let name = canonical(name);
        self.dependencies.binary_search_by(|known| known.as_str().cmp(&name)).is_ok()
    }
}

fn sorted(mut names: Vec<Name>) -> Vec<Name> {
    names.sort();
    names.dedup();
    names.retain(|name| *name != "python");
    names
}

fn keys(table: Option<&Value>) -> impl Iterator<Item = Name> {
    table.and_then(Value::as_table).into_iter().flatten().map(|(name, _)| Name::new(&canonical(name)))
}

fn lines(list: Option<&Value>) -> Vec<Name> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).filter_map(requirement).collect()
}

/// The package of a requirement: `Django[argon2]>=4 ; python_version > "3"  # why`.
fn requirement(line: &str) -> Option<Name> {
    let line = line.trim();
    let line = match line.split_once("#egg=") {
        Some((_, egg)) => egg,
        None => line.split('#').next().unwrap_or(line),
    };
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(line.len());
    let name = &line[..end];
    (name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !line[end..].starts_with([':', '/']))
        .then(|| Name::new(&canonical(name)))
}

/// PEP 503: lower case, runs of `-`, `_` and `.` are one dash.
fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if canonical.ends_with('-') => {}
            '-' | '_' | '.' => canonical.push('-'),
            c => canonical.push(c.to_ascii_lowercase()),
        }
    }
    canonical
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_of_every_form() {
        let text = "Django[argon2]>=4 # why\n-r base.txt\n--hash=x\n\nhttps://x.example/y.whl\nPyJWT == 2\n\
                    zope.interface\ngit+https://x.example/a#egg=own_tool\nplain ; python_version > '3'\n";
        let project = PythonProject::requirements(text);
        let names: Vec<&str> = project.dependencies.iter().map(|name| name.as_str()).collect();
        assert_eq!(names, ["django", "own-tool", "plain", "pyjwt", "zope-interface"]);
        assert!(project.depends_on("zope_interface"));
        assert_eq!(PythonProject::held(text, "PyJWT"), Some("2"));
        assert_eq!(PythonProject::held("stripe[async]==7.1.0 ; x # y\n", "stripe"), Some("7.1.0"));
        assert_eq!(PythonProject::held(text, "Django"), None);
    }

    #[test]
    fn pyproject_of_every_tool() {
        let text = "[project]\ndependencies = ['Flask>=2']\n[project.optional-dependencies]\nx = ['celery[redis]']\n\
                    [dependency-groups]\ndev = ['pytest', {include-group = 'x'}]\n\
                    [tool.poetry.dependencies]\npython = '^3'\nhttpx = '*'\n\
                    [tool.poetry.group.dev.dependencies]\nruff = '*'\n";
        let project = PythonProject::pyproject(Value::Table(text.parse().unwrap()));
        let names: Vec<&str> = project.dependencies.iter().map(|name| name.as_str()).collect();
        assert_eq!(names, ["celery", "flask", "httpx", "pytest", "ruff"]);
    }
}
