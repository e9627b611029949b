//! Schedules that platforms are told of in files: when, and what is started then. What code schedules by itself is
//! for the program to say.

use serde_json::Value;

use super::Says;
use crate::facts::Span;

/// Something that the clock starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// When, as it is written: `0 3 * * *`, `@daily`.
    pub cron: String,
    /// Where that stands.
    pub span: Span,
    /// What is started.
    pub starts: Vec<Starts>,
}

/// What a schedule starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Starts {
    /// A path of the app itself, asked for by the platform.
    Path(String),
    /// A request that a script sends.
    Url(String),
    /// A function that is deployed by name.
    Function(String),
    /// A command in a shell.
    Command(String),
    /// The scheduled handler of the worker that the settings are about.
    Worker,
}

impl Starts {
    /// Which of Django's own commands it is: `python manage.py send_reminders`.
    pub fn django_command(&self) -> Option<&str> {
        let Self::Command(command) = self else { return None };
        let mut words = command.split_whitespace();
        words.find(|word| word.rsplit('/').next() == Some("manage.py"))?;
        words.next()
    }
}

/// The schedules that a manifest tells of.
pub fn planned(path: &str, text: &str, says: &Says) -> Vec<Planned> {
    let mut finder = Finder { text, from: 0, found: vec![] };
    let name = path.rsplit('/').next().unwrap_or(path);
    let owned;
    let value = match says {
        Says::Json(value) => value,
        Says::Toml(value) => {
            owned = serde_json::to_value(value).unwrap_or_default();
            &owned
        }
        _ => return vec![],
    };
    match name {
        "vercel.json" => finder.crons(value),
        "netlify.toml" => finder.functions(value),
        "railway.json" | "railway.toml" => finder.deploy(value),
        "render.yaml" | "render.yml" => finder.services(value),
        _ if name.starts_with("wrangler.") => finder.triggers(value),
        _ if is_workflow(path) => finder.workflow(value),
        _ => {}
    }
    finder.found
}

/// Whether a path is that of a workflow of the platform that keeps the repository.
pub fn is_workflow(path: &str) -> bool {
    (path.starts_with(".github/workflows/") || path.contains("/.github/workflows/"))
        && (path.ends_with(".yml") || path.ends_with(".yaml"))
}

struct Finder<'t> {
    text: &'t str,
    /// Where the next value is looked for: values are asked for in the order in which they stand.
    from: usize,
    found: Vec<Planned>,
}

impl Finder<'_> {
    /// Where a value stands, after those found so far.
    fn place(&mut self, value: &str) -> Span {
        let here = self.text[self.from..].find(value).map(|at| at + self.from).or_else(|| self.text.find(value));
        let start = here.unwrap_or(0);
        self.from = start + value.len().min(self.text.len() - start);
        Span { start: start as u32, end: self.from as u32 }
    }

    fn note(&mut self, cron: &str, starts: Vec<Starts>) {
        let span = self.place(cron);
        self.found.push(Planned { cron: cron.trim().to_owned(), span, starts });
    }

    /// `{ "crons": [{ "path": "/api/x", "schedule": "0 3 * * *" }] }`
    fn crons(&mut self, value: &Value) {
        self.from = self.text.find("\"crons\"").unwrap_or(0);
        for entry in items(value.get("crons")) {
            if let (Some(path), Some(cron)) = (text(entry, "path"), text(entry, "schedule")) {
                self.note(cron, vec![Starts::Path(path.to_owned())]);
            }
        }
    }

    /// `[functions."name"] schedule = "@hourly"`
    fn functions(&mut self, value: &Value) {
        for (name, function) in value.get("functions").and_then(Value::as_object).into_iter().flatten() {
            if let Some(cron) = text(function, "schedule") {
                self.from = self.text.find(name.as_str()).unwrap_or(0);
                self.note(cron, vec![Starts::Function(name.clone())]);
            }
        }
    }

    /// `[deploy] cronSchedule = "0 3 * * *"`
    fn deploy(&mut self, value: &Value) {
        let Some(deploy) = value.get("deploy") else { return };
        if let Some(cron) = text(deploy, "cronSchedule") {
            self.note(cron, text(deploy, "startCommand").map(commands).unwrap_or_default());
        }
    }

    /// `services: - type: cron`
    fn services(&mut self, value: &Value) {
        for service in items(value.get("services")).filter(|service| text(service, "type") == Some("cron")) {
            if let Some(cron) = text(service, "schedule") {
                let command = text(service, "startCommand").or_else(|| text(service, "dockerCommand"));
                self.note(cron, command.map(commands).unwrap_or_default());
            }
        }
    }

    /// `[triggers] crons = ["0 3 * * *"]`, also of an environment.
    fn triggers(&mut self, value: &Value) {
        let environments = value.get("env").and_then(Value::as_object).into_iter().flatten().map(|(_, value)| value);
        for part in std::iter::once(value).chain(environments) {
            let crons = part.get("triggers").and_then(|triggers| triggers.get("crons"));
            for cron in items(crons).filter_map(Value::as_str) {
                self.note(cron, vec![Starts::Worker]);
            }
        }
    }

    /// `on: schedule: - cron: ..` with what the jobs' steps run.
    fn workflow(&mut self, value: &Value) {
        let schedule = value.get("on").and_then(|on| on.get("schedule"));
        let mut starts = Vec::new();
        for (_, job) in value.get("jobs").and_then(Value::as_object).into_iter().flatten() {
            for step in items(job.get("steps")) {
                starts.extend(text(step, "run").into_iter().flat_map(commands));
            }
        }
        for cron in items(schedule).filter_map(|entry| text(entry, "cron")) {
            self.note(cron, starts.clone());
        }
    }
}

/// What a shell script starts: requests, and every other command.
fn commands(script: &str) -> Vec<Starts> {
    let joined = without_expressions(&script.replace("\\\n", " "));
    let mut found = Vec::new();
    for line in joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.contains("curl ") || line.contains("wget ") {
            let words = line.split([' ', '\t', '"', '\'', '(', ')', ';']);
            let urls = words.filter(|word| {
                word.starts_with("http://")
                    || word.starts_with("https://")
                    || (word.starts_with('$') && word.contains('/'))
            });
            found.extend(urls.take(1).map(|url| Starts::Url(url.to_owned())));
        } else {
            found.push(Starts::Command(line.to_owned()));
        }
    }
    found
}

/// `${{ secrets.APP_URL }}/api/x` -> `$VALUE/api/x`
fn without_expressions(script: &str) -> String {
    let mut parts = script.split("${{");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.push_str("$VALUE");
        whole.push_str(part.split_once("}}").map_or(part, |(_, rest)| rest));
    }
    whole
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    fn planned(path: &str, text: &str) -> Vec<(String, usize, Vec<Starts>)> {
        let manifest = Manifest::of_text(path, text).unwrap();
        let line = |span: Span| text[..span.start as usize].lines().count().max(1);
        manifest.planned.into_iter().map(|plan| (plan.cron, line(plan.span), plan.starts)).collect()
    }

    #[test]
    fn every_platform_says_when_and_what() {
        let vercel = "{\n \"crons\": [\n  {\"path\": \"/api/a\", \"schedule\": \"0 0 * * *\"},\n  {\"schedule\": \"0 0 * * *\", \"path\": \"/api/b\"}\n ]\n}";
        let path = |path: &str| vec![Starts::Path(path.to_owned())];
        assert_eq!(
            planned("vercel.json", vercel),
            [("0 0 * * *".to_owned(), 3, path("/api/a")), ("0 0 * * *".to_owned(), 4, path("/api/b"))]
        );
        let netlify = "[build]\n[functions.\"digest\"]\nschedule = \"@hourly\"\n";
        assert_eq!(
            planned("netlify.toml", netlify),
            [("@hourly".to_owned(), 3, vec![Starts::Function("digest".to_owned())])]
        );
        let wrangler = "main = \"src/index.ts\"\n[triggers]\ncrons = [\"0 * * * *\", \"*/5 * * * *\"]\n";
        assert_eq!(planned("wrangler.toml", wrangler).len(), 2);
        let render = "services:\n  - type: web\n  - type: cron\n    schedule: \"0 4 * * *\"\n    startCommand: python jobs/run.py\n";
        assert_eq!(
            planned("render.yaml", render),
            [("0 4 * * *".to_owned(), 4, vec![Starts::Command("python jobs/run.py".to_owned())])]
        );
        let railway = "{ \"deploy\": { \"cronSchedule\": \"0 5 * * *\", \"startCommand\": \"node run.js\" } }";
        assert_eq!(planned("railway.json", railway).len(), 1);
    }

    #[test]
    fn workflows_name_what_they_ask_for() {
        let workflow = "on:\n  schedule:\n    - cron: '0 8 * * *'\njobs:\n  a:\n    steps:\n      - uses: x\n      - run: |\n          curl -X POST \\\n            'https://app.example/api/run' -H \"a: b\"\n          python jobs/x.py\n";
        let starts =
            vec![Starts::Url("https://app.example/api/run".to_owned()), Starts::Command("python jobs/x.py".to_owned())];
        assert_eq!(planned(".github/workflows/daily.yml", workflow), [("0 8 * * *".to_owned(), 3, starts)]);
        assert_eq!(planned("docs/daily.yml", workflow).len(), 0);
    }
}
