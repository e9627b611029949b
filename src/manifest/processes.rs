//! Which commands platforms keep running: web servers, workers, bots. Commands that run once (a release step, a
//! build) are not among them, nor are those that the clock starts.

use serde_json::Value;

use super::{Manifest, Manifests, Says};
use crate::names::Name;

/// A command that a platform keeps running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The settings that say so.
    pub told_in: Name,
    /// The folder in which it runs.
    pub folder: String,
    /// As it is written; parts of a list joined by blanks.
    pub command: String,
}

impl Manifests {
    /// The commands that platforms keep running.
    pub fn processes(&self) -> Vec<Process> {
        let mut found = Vec::new();
        for manifest in self.iter() {
            for (inner, command) in commands(manifest) {
                found.push(Process { told_in: manifest.path, folder: join(manifest.folder(), &inner), command });
            }
        }
        found
    }
}

/// What a command starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// A file, by its path.
    File(String),
    /// A module of Python, by its dotted name.
    Module(String),
}

impl Process {
    /// The files and modules that it starts, each with the folder in which that is.
    pub fn starts(&self) -> Vec<(String, Started)> {
        let mut folder = self.folder.clone();
        let mut found = Vec::new();
        let words = self.command.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '&' | '|' | ','));
        let mut words = words.filter(|word| !word.is_empty()).peekable();
        let mut serves = false;
        while let Some(word) = words.next() {
            let program = word.rsplit('/').next().unwrap_or(word);
            match program {
                "cd" => {
                    if let Some(inner) = words.next() {
                        folder = join(&folder, inner);
                    }
                    continue;
                }
                "gunicorn" | "uvicorn" | "hypercorn" | "daphne" | "granian" | "waitress-serve" => serves = true,
                // The settings of a server are no program.
                "-c" | "--config" if serves => {
                    words.next();
                }
                "-m" => {
                    if let Some(module) = words.peek().filter(|module| is_dotted(module)) {
                        serves |= matches!(*module, "gunicorn" | "uvicorn" | "hypercorn" | "celery");
                        found.push((folder.clone(), Started::Module((*module).to_owned())));
                    }
                }
                "-A" | "--app" => {
                    let module = words.next().map(|module| module.split(':').next().unwrap_or(module));
                    let module = module.filter(|module| is_dotted(module));
                    found.extend(module.map(|module| (folder.clone(), Started::Module(module.to_owned()))));
                }
                _ if is_program(word) => found.push((folder.clone(), Started::File(word.to_owned()))),
                _ if serves => {
                    // `app.main:app`; `0.0.0.0:8000` is an address.
                    if let Some((module, name)) = word.split_once(':')
                        && is_dotted(module)
                        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                    {
                        found.push((folder.clone(), Started::Module(module.to_owned())));
                    }
                }
                _ => {}
            }
        }
        found
    }
}

fn is_dotted(name: &str) -> bool {
    let starts = |part: &str| part.starts_with(|c: char| c.is_alphabetic() || c == '_');
    name.split('.').all(|part| starts(part) && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

fn is_program(word: &str) -> bool {
    [".js", ".ts", ".mjs", ".cjs", ".mts", ".tsx", ".py"].iter().any(|end| word.ends_with(end))
        && !word.contains(['*', '$', '='])
        && !word.contains(".config.")
        && !word.contains(".conf.")
}

/// The commands that a manifest tells of, each with the folder below it in which it runs.
fn commands(manifest: &Manifest) -> Vec<(String, String)> {
    let name = manifest.name();
    let owned;
    let value = match &manifest.says {
        Says::Json(json) => json,
        Says::Toml(toml) => {
            owned = serde_json::to_value(toml).unwrap_or_default();
            &owned
        }
        Says::Text => {
            let text = manifest.text.as_deref().unwrap_or_default();
            return match () {
                () if name.starts_with("Procfile") => procfile(text),
                () if is_dockerfile(name) => dockerfile(text),
                () => vec![],
            };
        }
        _ => return vec![],
    };
    match name {
        ".replit" => replit(value),
        "fly.toml" => {
            let all = value.get("processes").and_then(Value::as_object).into_iter().flatten();
            all.filter_map(|(_, command)| Some((String::new(), said(Some(command))?))).collect()
        }
        "railway.json" | "railway.toml" => {
            let deploy = value.get("deploy").filter(|deploy| deploy.get("cronSchedule").is_none());
            said(deploy.and_then(|deploy| deploy.get("startCommand")))
                .map(|command| (String::new(), command))
                .into_iter()
                .collect()
        }
        "nixpacks.toml" => {
            let start = value.get("start").and_then(|start| start.get("cmd"));
            said(start).map(|command| (String::new(), command)).into_iter().collect()
        }
        "render.yaml" | "render.yml" => render(value),
        _ if is_compose(name) => compose(value),
        _ => vec![],
    }
}

/// Whether a file is one of Docker Compose's.
pub fn is_compose(name: &str) -> bool {
    (name.starts_with("docker-compose") || name.starts_with("compose."))
        && (name.ends_with(".yml") || name.ends_with(".yaml"))
}

/// `Dockerfile`, `Dockerfile.worker`, `api.Dockerfile`.
pub fn is_dockerfile(name: &str) -> bool {
    name == "Dockerfile" || name.starts_with("Dockerfile.") || name.ends_with(".Dockerfile")
}

/// `web: gunicorn app:app`
fn procfile(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let kept = lines.filter(|(name, _)| !name.trim_start().starts_with('#') && name.trim() != "release");
    kept.map(|(_, command)| (String::new(), command.trim().to_owned())).collect()
}

/// The last `ENTRYPOINT` and `CMD`: those of earlier stages do not count.
fn dockerfile(text: &str) -> Vec<(String, String)> {
    let joined = text.replace("\\\n", " ");
    let last = |word: &str| {
        let mut lines = joined.lines().map(str::trim).filter_map(|line| line.strip_prefix(word));
        lines.rfind(|rest| rest.starts_with([' ', '\t', '['])).map(|rest| rest.trim().to_owned())
    };
    let parts: Vec<String> = ["ENTRYPOINT", "CMD"].iter().filter_map(|word| last(word)).collect();
    let plain = |part: &String| match serde_json::from_str::<Value>(part) {
        Ok(list @ Value::Array(_)) => said(Some(&list)).unwrap_or_default(),
        _ => part.clone(),
    };
    let whole: Vec<String> = parts.iter().map(plain).collect();
    if whole.is_empty() { vec![] } else { vec![(String::new(), whole.join(" "))] }
}

/// `run`, `[deployment] run`, and the shell tasks of workflows.
fn replit(value: &Value) -> Vec<(String, String)> {
    let deployment = value.get("deployment").and_then(|deployment| deployment.get("run"));
    let workflows = value.get("workflows").and_then(|workflows| workflows.get("workflow"));
    let tasks = items(workflows).flat_map(|workflow| items(workflow.get("tasks")));
    let shell = tasks.filter(|task| task.get("task").and_then(Value::as_str) == Some("shell.exec"));
    let all = [value.get("run"), deployment].into_iter().chain(shell.map(|task| task.get("args")));
    all.filter_map(said).map(|command| (String::new(), command)).collect()
}

/// `services: - type: worker, startCommand: ..`
fn render(value: &Value) -> Vec<(String, String)> {
    let running = items(value.get("services")).filter(|service| text(service, "type") != Some("cron"));
    let of = |service: &Value| {
        let command = said(service.get("startCommand")).or_else(|| said(service.get("dockerCommand")))?;
        Some((text(service, "rootDir").unwrap_or_default().to_owned(), command))
    };
    running.filter_map(of).collect()
}

/// `services: worker: command: ..`
fn compose(value: &Value) -> Vec<(String, String)> {
    let services = value.get("services").and_then(Value::as_object).into_iter().flatten();
    let of = |(_, service): (&String, &Value)| {
        let command = said(service.get("command"))?;
        let entry = said(service.get("entrypoint")).unwrap_or_default();
        let build = service.get("build");
        let folder = build.and_then(|build| build.as_str().or_else(|| text(build, "context")));
        Some((folder.unwrap_or_default().to_owned(), format!("{entry} {command}").trim().to_owned()))
    };
    services.filter_map(of).collect()
}

/// A command, written as one text or as a list.
fn said(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Array(words) => Some(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// A folder below another; `.` is the other itself, and what leads out of it is not followed.
fn join(folder: &str, inner: &str) -> String {
    let inner = inner.trim_start_matches("./").trim_end_matches('/');
    match (folder, inner) {
        (_, "" | ".") => folder.to_owned(),
        _ if inner.starts_with(['/', '.', '$']) => folder.to_owned(),
        ("", _) => inner.to_owned(),
        _ => format!("{folder}/{inner}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(path: &str, text: &str) -> Vec<(String, Started)> {
        let manifests = Manifests::new(vec![Manifest::of_text(path, text).unwrap()]);
        manifests.processes().iter().flat_map(Process::starts).collect()
    }

    #[test]
    fn platforms_name_what_they_run() {
        let file = |folder: &str, path: &str| (folder.to_owned(), Started::File(path.to_owned()));
        let module = |folder: &str, name: &str| (folder.to_owned(), Started::Module(name.to_owned()));
        let procfile = "web: gunicorn -c gunicorn.conf.py run:app --bind 0.0.0.0:$PORT\nrelease: python seed.py\nworker: celery -A shop.tasks worker\n";
        assert_eq!(starts("Procfile", procfile), [module("", "run"), module("", "shop.tasks")]);
        let docker = "FROM a AS b\nCMD [\"node\", \"early.js\"]\nFROM b\nCMD [\"uvicorn\", \"app.main:app\", \"--port\", \"8000\"]\n";
        assert_eq!(starts("api/Dockerfile", docker), [module("api", "app.main")]);
        let compose =
            "services:\n  bot:\n    build: ./bot\n    command: python -m bot.run\n  db:\n    image: postgres\n";
        assert_eq!(starts("docker-compose.yml", compose), [module("bot", "bot.run")]);
        let fly = "app = \"x\"\n[processes]\nweb = \"node dist/server.js\"\nworker = \"tsx scripts/worker.ts\"\n";
        assert_eq!(starts("fly.toml", fly), [file("", "dist/server.js"), file("", "scripts/worker.ts")]);
        let replit = "run = \"npm run dev\"\n[deployment]\nrun = [\"python\", \"bot.py\"]\n[workflows]\n[[workflows.workflow]]\nname = \"a\"\n[[workflows.workflow.tasks]]\ntask = \"shell.exec\"\nargs = \"cd api && python main.py\"\n";
        assert_eq!(starts(".replit", replit), [file("", "bot.py"), file("api", "main.py")]);
        let render = "services:\n  - type: worker\n    rootDir: jobs\n    startCommand: python run.py\n  - type: cron\n    startCommand: python once.py\n";
        assert_eq!(starts("render.yaml", render), [file("jobs", "run.py")]);
        assert_eq!(starts("railway.json", "{ \"deploy\": { \"startCommand\": \"node a.js\" } }"), [file("", "a.js")]);
        assert_eq!(starts("nixpacks.toml", "[start]\ncmd = \"python a.py\"\n"), [file("", "a.py")]);
    }
}
