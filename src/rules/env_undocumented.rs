//! Environment variables that the code needs and nobody is told of.

use crate::facts::Span;
use crate::finding::{FileId, Place};
use crate::program::Program;
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
    let missing = program.undocumented_variables();
    let mut told: Vec<Option<FileId>> = Vec::new();
    let examples: Vec<Option<FileId>> = missing.iter().map(|(_, at)| example_of(program, at.file)).collect();
    for ((_, first), &example) in missing.iter().zip(&examples) {
        if told.contains(&example) {
            continue;
        }
        told.push(example);
        let own: Vec<_> =
            missing.iter().zip(&examples).filter(|(_, other)| **other == example).map(|(read, _)| read).collect();
        let names: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
        let shown = if names.len() > 6 {
            format!("{} and {} more", names[..6].join(", "), names.len() - 6)
        } else {
            names.join(", ")
        };
        let message = format!(
            "the code needs {shown}, and no example file, document or deployment setting names {0}: a new \
             server or host runs without {0}, and what needs {0} fails there",
            if names.len() == 1 { "it" } else { "them" }
        );
        let unnamed = names.len().saturating_sub(SHOWN);
        let lines: String = names.iter().take(SHOWN).map(|name| format!("\n    {name}=")).collect();
        let rest = if unnamed > 0 { format!("\n    # and {unnamed} more") } else { String::new() };
        let place = example.map_or(*first, |file| Place { file, span: Span { start: 0, end: 1 } });
        let mut draft = report.at(place, "environment", message).help(format!(
            "Name what the code needs in `.env.example`, and say where each value comes from.\n{lines}{rest}"
        ));
        for (name, at) in own.iter().take(8).filter(|(_, at)| *at != place) {
            draft = draft.because(*at, format!("{name} is read here"));
        }
    }
}

/// The example file that speaks for a file's project.
fn example_of(program: &Program, file: FileId) -> Option<FileId> {
    [".env.example", ".env.sample", ".env.template", "env.example"].iter().find_map(|name| {
        let manifest = program.manifests.above(&program.file(file).path, name).next()?;
        program.file_at(&manifest.path)
    })
}
