//! Environment variables that the code needs and nobody is told of.

use crate::facts::Span;
use crate::finding::{FileId, Place};
use crate::link::projects::join;
use crate::names::Name;
use crate::program::Program;
use crate::program::apps::AppId;
use crate::program::secrets::environment::EXAMPLES;
use crate::rule;
use crate::rule::Report;

rule! {
    /// An environment variable that the code needs is documented nowhere
    ///
    /// Whoever deploys the app next, or moves it to another host, sets what the example file and the README name. A
    /// variable that only the code knows is left out, and the feature that needs it fails at its first customer: a
    /// webhook that rejects everything, mails that are never sent.
    ///
    /// ## Silent when
    ///
    /// An example file, a README or other document, or a platform's settings name it; the platform sets it by itself;
    /// it has a fallback, in any form: another value, another variable that is named, a `return` or a skip that is no
    /// error, an option that the SDK does without; it is stored and never used; only tests and scripts read it.
    ///
    /// Of several apps in one repository each goes by its own documents and those that lie in no app's folder. Of one
    /// app's parts that are deployed apart, each with an example file of its own, so does each.
    ///
    /// ## The cure
    ///
    /// Name it in `.env.example`, with a word on where its value comes from.
    ///
    /// ## Example
    ///
    /// ```ts path=server/mail.ts
    /// export const mailKey = () => process.env.MAIL_SERVICE_KEY;
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=server/mail.ts
    /// export const mailKey = () => process.env.MAIL_SERVICE_KEY;
    /// ```
    ///
    /// ```sh path=.env.example
    /// MAIL_SERVICE_KEY=
    /// ```
    id: "env-undocumented", severity: Note, confidence: High, section: "Configuration and ownership",
    security: None, since: "0.1.0", check: check
}

/// Most names that the cure writes out.
const SHOWN: usize = 40;

fn check(program: &Program, report: &mut Report) {
    // What is missing goes together where one example file speaks for it, else by app.
    let mut missing: Vec<(Home, (Name, Place))> = Vec::new();
    for app in program.apps() {
        for (name, at) in program.undocumented_variables(app) {
            let home = example_of(program, at.file, app).map_or(Home::App(app), Home::Example);
            if !missing.iter().any(|(other, (known, _))| *other == home && *known == name) {
                missing.push((home, (name, at)));
            }
        }
    }
    let mut told: Vec<Home> = Vec::new();
    for &(home, (_, first)) in &missing {
        if told.contains(&home) {
            continue;
        }
        told.push(home);
        let own: Vec<_> = missing.iter().filter(|(other, _)| *other == home).map(|(_, read)| read).collect();
        let names: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
        let shown = if names.len() > 6 {
            format!("{} and {} more", names[..6].join(", "), names.len() - 6)
        } else {
            names.join(", ")
        };
        let message = format!(
            "the code{} needs {shown}, and no example file, document or deployment setting names {1}: a new \
             server or host runs without {1}, and what needs {1} fails there",
            whose(program, home),
            if names.len() == 1 { "it" } else { "them" }
        );
        let unnamed = names.len().saturating_sub(SHOWN);
        let lines: String = names.iter().take(SHOWN).map(|name| format!("\n    {name}=")).collect();
        let rest = if unnamed > 0 { format!("\n    # and {unnamed} more") } else { String::new() };
        let place = match home {
            Home::Example(file) => Place { file, span: Span { start: 0, end: 1 } },
            Home::App(_) => first,
        };
        let example = match home {
            Home::Example(file) => program.file(file).path.to_string(),
            Home::App(app) => join(&program.app_folder(app), ".env.example"),
        };
        let mut draft = report.at(place, "environment", message).help(format!(
            "Name what the code needs in `{example}`, and say where each value comes from.\n{lines}{rest}"
        ));
        for (name, at) in own.iter().take(8).filter(|(_, at)| *at != place) {
            draft = draft.because(*at, format!("{name} is read here"));
        }
    }
}

/// Where what an app needs is to be named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Example(FileId),
    App(AppId),
}

/// Whose code needs it, where there are several apps.
fn whose(program: &Program, home: Home) -> String {
    match home {
        Home::App(app) => program.of_which_app(app),
        Home::Example(file) => match program.apps_of(file)[..] {
            [app] => program.of_which_app(app),
            _ => String::new(),
        },
    }
}

/// The example file that speaks for a file's project.
fn example_of(program: &Program, file: FileId, app: AppId) -> Option<FileId> {
    let path = program.path_in_app(file, app);
    EXAMPLES.iter().find_map(|name| {
        let manifest = program.manifests.above(&path, name).next()?;
        program.file_at(&manifest.path)
    })
}
