//! Fields that answers have no more in the version of the API that the code asks for.

use std::collections::BTreeMap;

use crate::finding::FileId;
use crate::names::Name;
use crate::program::Program;
use crate::program::versions::dropped_fields::DroppedField;
use crate::rule::Report;

/// Tells of each field once a file.
pub(super) fn check(program: &Program, report: &mut Report) {
    let mut found: BTreeMap<(FileId, Name), Vec<DroppedField>> = BTreeMap::new();
    for read in program.dropped_fields() {
        found.entry((read.place.file, read.field)).or_default().push(read);
    }
    for mut reads in found.into_values() {
        reads.sort_by_key(|read| read.place);
        reads.dedup_by_key(|read| read.place);
        tell(program, report, &reads);
    }
}

fn tell(program: &Program, report: &mut Report, reads: &[DroppedField]) {
    let Some(first) = reads.first() else { return };
    let who = &program.catalogue.vendor(first.vendor).name;
    let (field, dropped) = (first.field, first.dropped);
    let harm = match program.facts(first.place.file).language.is_script() {
        true if field.ends_with("_end") || field.ends_with("_start") => {
            "it is undefined, and a date made of it throws or is lost"
        }
        true => "it is undefined, and what hangs on it is lost",
        false => "reading it fails",
    };
    if dropped.methods {
        let package = first.version.split(' ').next().unwrap_or_default();
        let message = format!(
            "{} is no dict any more since {} of {package}, and this code is on {}: `{field}` raises AttributeError",
            dropped.of, dropped.since, first.version
        );
        return tell_all(program, report, reads, message, |now| format!("Read it with {now}."));
    }
    let message = format!(
        "{} has no `{field}` any more since {} of {who}'s API, and this code is on {}: {harm}",
        dropped.of, dropped.since, first.version
    );
    tell_all(program, report, reads, message, |now| format!("Read {now}, and say what happens when it is not there."));
}

fn tell_all(
    program: &Program,
    report: &mut Report,
    reads: &[DroppedField],
    message: String,
    help: impl Fn(&str) -> String,
) {
    let Some(first) = reads.first() else { return };
    let now = first.dropped.fields.get(first.field.as_str()).map_or("", String::as_str);
    let mut draft = report
        .at(first.place, first.field.to_string(), message)
        .vendor(program.vendor_id(first.vendor))
        .help(help(now));
    for other in &reads[1..] {
        draft = draft.because(other.place, "and here");
    }
}
