//! What a platform's clock asks for: paths that nothing serves, or that are served for other methods only.

use super::nearest;
use crate::finding::{FileId, Place};
use crate::link::jumps::routes::{Asked, Routes};
use crate::link::rewrites::{Led, Rewrites};
use crate::manifest::{Manifest, Starts};
use crate::names::Name;
use crate::program::{Entry, Program};
use crate::rule::Report;

pub(super) fn check(program: &Program, report: &mut Report) {
    refused(program, report);
    for manifest in program.manifests.iter().filter(|manifest| manifest.path.ends_with("vercel.json")) {
        if let Some(file) = program.file_at(&manifest.path) {
            unserved(program, report, manifest, file);
        }
    }
}

/// Times at which a platform's clock asks for what is there and answers other methods only.
fn refused(program: &Program, report: &mut Report) {
    for schedule in program.schedules().iter().filter(|schedule| schedule.by_platform) {
        let asked: Vec<&Entry> = schedule.asks.iter().map(|&entry| &program.entries[entry]).collect();
        let answers = |entry: &&Entry| entry.methods.is_empty() || entry.methods.iter().any(|method| *method == "GET");
        let (Some(first), false) = (asked.first(), asked.iter().any(answers)) else { continue };
        let (name, cron) = (program.entry_name(first), &schedule.cron);
        let help = match first.framework {
            "next-app" => format!("Answer GET there too: `export {{ {} as GET }};` does the same.", first.methods[0]),
            _ => "Let the route answer GET too.".to_owned(),
        };
        let message = format!(
            "the clock asks GET {} (`{cron}`), and only {name} is there: it is answered 405 every time, and the job has never \
             run",
            schedule.what
        );
        report
            .at(schedule.place, schedule.what.clone(), message)
            .because(program.entry_head(first), format!("{name} is here"))
            .help(help);
    }
}

/// Times at which the clock asks for what is nowhere in the repository.
fn unserved(program: &Program, report: &mut Report, manifest: &Manifest, file: FileId) {
    for plan in &manifest.planned {
        for starts in &plan.starts {
            let Starts::Path(path) = starts else { continue };
            let path = path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/');
            let Some(answer) = answer_for_nothing(program, manifest, file, path) else { continue };
            let what = format!("GET {path}");
            let message = format!(
                "the clock asks {what} (`{}`), and nothing in the repository serves it: it is answered {answer} every \
                 time, and the job has never run",
                plan.cron
            );
            let near = nearest(program, file, false, Name::new(path));
            let help = match &near {
                Some((near, _)) => {
                    format!(
                        "Ask {near} if that is what is meant; else write a handler for {what}, or take the line out."
                    )
                }
                None => format!("Write a handler for {what}, or take the line out: nobody else does its work."),
            };
            let draft = report.at(Place { file, span: plan.span }, path.to_owned(), message).help(help);
            if let Some((near, place)) = near {
                draft.because(place, format!("{near} is here"));
            }
        }
    }
}

/// What a path that nothing serves is answered with; none where something may serve it.
fn answer_for_nothing(program: &Program, manifest: &Manifest, file: FileId, path: &str) -> Option<&'static str> {
    let (parent, _) = path.rsplit_once('/').filter(|(parent, _)| !parent.is_empty())?;
    let asked = Asked::new(path, None, false);
    if !asked.is_certain() || Routes::new(program).serve(program, file, &asked).exists {
        return None;
    }
    let led = Rewrites::find(program).lead(&manifest.path, path);
    if led.iter().any(|led| *led != Led::Page) {
        return None;
    }
    // Others are served beside it; and no file of its name is there, in whatever language.
    let here = |entry: &Entry| program.file(entry.place.file).path.starts_with(manifest.folder());
    let under = |prefix: &str| {
        let below = |route: Name| route.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
        program.entries.iter().filter(|entry| entry.route.is_some_and(below) && here(entry)).count()
    };
    let first = &path[..path[1..].find('/').map_or(path.len(), |at| at + 1)];
    let any = program.known_routes.iter().any(|known| !known.route.contains("api") && known.route.contains('*'));
    let bare = path.trim_start_matches('/');
    let names = [bare.to_owned(), bare.replace('/', ".")];
    let is_there = program.files.iter().any(|file| names.iter().any(|name| file.path.contains(name.as_str())));
    if any || is_there || under(parent) == 0 && under(first) < 2 {
        return None;
    }
    Some(if led.is_empty() { "404" } else { "with the page" })
}
