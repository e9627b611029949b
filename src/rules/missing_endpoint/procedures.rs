//! Procedures that a client asks for and that no router has.

use std::collections::BTreeMap;

use super::{SLIPS, distance};
use crate::finding::{Confidence, Place};
use crate::link::jumps::procedures;
use crate::names::Name;
use crate::program::{CallRef, Entry, EntryKind, Program};
use crate::rule::Report;

pub(super) fn check(program: &Program, report: &mut Report) {
    let mut asked: BTreeMap<Name, Vec<CallRef>> = BTreeMap::new();
    for missing in procedures::missing(program) {
        asked.entry(missing.path).or_default().push(missing.at);
    }
    if asked.is_empty() {
        return;
    }
    let names = program.names_taken();
    for (path, mut calls) in asked {
        calls.sort_by_key(|&call| program.is_uncalled(call, &names));
        let Some((&first, others)) = calls.split_first() else { continue };
        let runs = !program.is_uncalled(first, &names);
        let what = if runs {
            "every call fails with a 404, and what it was for never happens"
        } else {
            "and nothing is seen to call what asks for it"
        };
        let between = if runs { ":" } else { "," };
        let message = format!("no router of the app has the procedure {path}{between} {what}");
        let near = nearest(program, path);
        let help = match &near {
            Some((near, _)) => {
                format!("Call {near} if that is what is meant; else write {path}, or take the call out.")
            }
            None => format!("Write {path}, or take the call out."),
        };
        let at = program.call_place(first);
        let mut draft = report.at(at, path.to_string(), message).help(help);
        if !runs {
            draft = draft.confidence(Confidence::Low);
        }
        if let Some((near, place)) = near {
            draft = draft.because(place, format!("{near} is here"));
        }
        let mut told: Vec<Place> = vec![at];
        for &other in others {
            let place = program.call_place(other);
            if !told.contains(&place) {
                told.push(place);
                draft = draft.because(place, "asked for here too");
            }
        }
    }
}

/// The procedure with the most similar path.
fn nearest(program: &Program, path: Name) -> Option<(Name, Place)> {
    let most = SLIPS.min(path.len() / 4);
    let procedures = program.entries.iter().filter(|entry| entry.kind == EntryKind::Procedure);
    let near = |entry: &Entry| {
        let name = entry.name.filter(|name| name.chars().count().abs_diff(path.chars().count()) <= most)?;
        let slips = distance(&path, &name);
        (1..=most).contains(&slips).then_some((slips, name, program.entry_head(entry)))
    };
    procedures.filter_map(near).min().map(|(_, name, place)| (name, place))
}
