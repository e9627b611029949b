//! Who signs customers in, where it is not the backend whose functions are asked: its tokens are no sessions there.

use crate::catalogue::{Category, KnownRole};
use crate::names::Name;
use crate::program::{Entry, EntryKind, FunctionRef, Program};

/// How the app's functions look up who calls.
pub(super) enum LookUp {
    /// The backend that runs them knows.
    Backend,
    /// A function of the app's own verifies the token: its name, and a function that calls it.
    Own(Name, FunctionRef),
    /// Another vendor signs customers in.
    Vendor(String),
}

pub(super) fn look_up(program: &Program, entry: &Entry) -> LookUp {
    if let Some((helper, caller)) = own_check(program, entry) {
        return LookUp::Own(helper, caller);
    }
    let signs_in = |file| program.side(file).client;
    let mut clients = program.clients().iter().filter(|client| signs_in(client.at.file)).map(|client| client.vendor);
    let mut uses = program.vendor_uses().iter().filter(|used| signs_in(used.at.file)).map(|used| used.vendor);
    let is_other = |vendor: &_| {
        let vendor = program.catalogue.vendor(*vendor);
        vendor.category == Category::Auth && !vendor.own_backend
    };
    match clients.find(is_other).or_else(|| uses.find(is_other)) {
        Some(vendor) => LookUp::Vendor(program.catalogue.vendor(vendor).name.clone()),
        None => LookUp::Backend,
    }
}

/// The function with which most of the app's other functions verify the token that they are brought.
fn own_check(program: &Program, entry: &Entry) -> Option<(Name, FunctionRef)> {
    let verifies = |function: FunctionRef| {
        program
            .calls_in(function)
            .any(|call| program.has_role(call, KnownRole::Verify) || program.has_role(call, KnownRole::Authenticate))
    };
    let reads_token = |function: FunctionRef| {
        let facts = program.facts(function.file);
        let span = facts.function(function.function).span;
        let is_header = |text: Name| text.eq_ignore_ascii_case("authorization");
        facts.texts().any(|(at, text)| span.contains(facts.span(at)) && is_header(text))
    };
    let mut best: Option<(usize, Name, FunctionRef)> = None;
    for other in program.entries.iter().filter(|other| other.kind == EntryKind::EdgeFunction) {
        if other.function.file == entry.function.file {
            continue;
        }
        for edge in program.calls_in(other.function).flat_map(|call| program.edges(call)) {
            let helper = edge.target;
            let shape = program.facts(helper.file).function(helper.function);
            let Some(name) = shape.name.filter(|_| helper.file != other.function.file) else { continue };
            if !verifies(helper) || !reads_token(helper) {
                continue;
            }
            let callers = program.callers(helper).len();
            if best.as_ref().is_none_or(|(most, ..)| callers > *most) {
                best = Some((callers, name, other.function));
            }
        }
    }
    best.map(|(_, name, caller)| (name, caller))
}
