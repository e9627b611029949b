//! Vendors' SDKs, by what the catalogue says of each package's default.

use std::collections::BTreeMap;

use super::{Audience, Hanging, default_of, tell};
use crate::catalogue::{Effect, Package, Runs, Seg, Timeout, VendorId};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::finding::Remark;
use crate::names::Name;
use crate::program::outbound::ClientUse;
use crate::program::time::timing::Limit;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, ExprRef, Program, Value, VendorUse, Via};
use crate::rule::Report;

pub(super) fn check(program: &Program, report: &mut Report) {
    for client in program.clients() {
        check_client(program, report, client);
    }
    // Modules that are their own client: one finding a package and project.
    let mut modules: BTreeMap<(usize, Name), Vec<&VendorUse>> = BTreeMap::new();
    for used in program.vendor_uses() {
        let Via::Sdk(name, made) = used.via else { continue };
        let Some((package, timeout)) = unlimited(program, used) else { continue };
        if program.call_limit(used, timeout) != Limit::None || !is_deployed(program, used) {
            continue;
        }
        if is_configured_when_made(timeout) {
            let is_module = made.is_none() && package.clients.iter().any(|client| client == "self");
            if is_module && !is_handed_client(program, used) && program.package_limit(name, timeout).is_none() {
                modules.entry((program.projects.index(used.at.file), name)).or_default().push(used);
            }
        } else {
            tell_uses(program, report, used, timeout, &[]);
        }
    }
    for uses in modules.values() {
        if let Some((first, rest)) = uses.split_first()
            && let Some((_, timeout)) = unlimited(program, first)
        {
            tell_uses(program, report, first, timeout, rest);
        }
    }
}

/// Whether a use is part of a server, and not only of scripts run by hand.
fn is_deployed(program: &Program, used: &VendorUse) -> bool {
    program.runs_on_server(used.at.file) && !program.is_only_for_tooling(program.function_of(used.at))
}

/// `def __init__(self, client: openai.OpenAI)`: a client that somebody else made, with a limit or without.
fn is_handed_client(program: &Program, used: &VendorUse) -> bool {
    program.external(used.at).is_some_and(|external| external.segs.contains(&Seg::New))
}

/// Whether the cure is where the client is made, rather than at each call.
fn is_configured_when_made(timeout: &Timeout) -> bool {
    let made = !timeout.client.is_empty() || !timeout.process.is_empty();
    made && !timeout.race_only
}

/// The package of a use, when it has no safe limit by default and the vendor is not the app's own backend.
fn unlimited<'p>(program: &'p Program, used: &VendorUse) -> Option<(&'p Package, &'p Timeout)> {
    let package = program.package_used(used)?;
    let timeout = program.timeout_of(used, package)?;
    let is_outbound = !program.catalogue.vendor(used.vendor).own_backend && package.runs != Runs::Browser;
    (is_outbound && Limit::by_default(timeout.default_s) == Limit::None).then_some((package, timeout))
}

fn check_client(program: &Program, report: &mut Report, client: &ClientUse) {
    if !program.runs_on_server(client.at.file) {
        return;
    }
    let uses: Vec<&VendorUse> = program
        .vendor_uses()
        .iter()
        .filter(|used| matches!(used.via, Via::Sdk(_, Some(made)) if made == client.at))
        .collect();
    let Some(first) = uses.first() else { return };
    let Some((package, timeout)) = unlimited(program, first) else { return };
    if !is_configured_when_made(timeout) || program.client_limit(client, package, timeout) != Limit::None {
        return;
    }
    let open: Vec<&VendorUse> = uses
        .iter()
        .copied()
        .filter(|used| program.call_limit(used, timeout) == Limit::None && is_deployed(program, used))
        .collect();
    let Some(first) = open.first() else { return };
    let vendor = program.catalogue.vendor(client.vendor);
    tell(
        program,
        report,
        Hanging {
            place: program.call_place(client.at),
            subject: format!("the {} client made here", vendor.name),
            default: default_of(timeout.default_s),
            whom: vendor.name.clone(),
            waits: first.at,
            help: patient(program, named(program, client, timeout, help(timeout)), &open),
            vendors: vec![program.vendor_id(client.vendor)],
            calls: remarks(program, &open),
            audience: Audience::Everyone,
        },
    );
}

fn tell_uses(program: &Program, report: &mut Report, used: &VendorUse, timeout: &Timeout, others: &[&VendorUse]) {
    let vendor = program.catalogue.vendor(used.vendor);
    let mut calls = remarks(program, others);
    calls.extend(callers(program, used.at));
    tell(
        program,
        report,
        Hanging {
            place: program.call_place(used.at),
            subject: used.name.clone(),
            default: default_of(timeout.default_s),
            whom: asked(program, used).unwrap_or_else(|| vendor.name.clone()),
            waits: used.at,
            help: patient(program, limited(program, used.at, timeout).unwrap_or_else(|| help(timeout)), &[used]),
            vendors: vec![program.vendor_id(used.vendor)],
            calls,
            audience: Audience::Everyone,
        },
    );
}

fn remarks(program: &Program, uses: &[&VendorUse]) -> Vec<Remark> {
    let remark =
        |used: &&VendorUse| Remark { place: program.call_place(used.at), text: format!("{} waits", used.name) };
    uses.iter().map(remark).collect()
}

/// Who calls the function that the call stands in, when it is a wrapper.
fn callers(program: &Program, at: CallRef) -> Vec<Remark> {
    let callers = program.callers(program.function_of(at)).iter().filter(|caller| program.runs_on_server(caller.file));
    let text = |caller: CallRef| if program.is_floating(caller) { "leaves it running" } else { "waits for it" };
    let remark = |&caller: &CallRef| Remark { place: program.call_place(caller), text: text(caller).to_owned() };
    callers.map(remark).take(5).collect()
}

/// What cures by a race call on.
const REJECT_AFTER: &str = "const rejectAfter = (ms: number) => \
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error(\"no answer in time\")), ms))";

fn help(timeout: &Timeout) -> String {
    match &timeout.cure {
        Some(cure) if cure.contains("rejectAfter(") => format!("Give it a limit: `{cure}`, with `{REJECT_AFTER}`."),
        Some(cure) => format!("Give it a limit: `{cure}`."),
        None => "Race it against a timer: the SDK has no option for a limit.".to_owned(),
    }
}

/// A cure by the name that the client has here: `sgMail.setTimeout(10_000)` where it is `const mail = new MailService()`.
fn named(program: &Program, client: &ClientUse, timeout: &Timeout, help: String) -> String {
    let facts = program.facts(client.at.file);
    let made = facts.call(client.at.call).expr;
    let Some(own) = facts.defs.iter().find(|def| def.values[..] == [made]).map(|def| def.name) else { return help };
    let set =
        timeout.client.iter().find_map(|setter| help.split_once(&format!(".{setter}(")).map(|parts| (parts, setter)));
    match set.and_then(|((before, after), setter)| Some((before.rsplit_once('`')?.0, setter, after))) {
        Some((before, setter, after)) => format!("{before}`{own}.{setter}({after}"),
        None => help,
    }
}

/// How long a text of some length may take, in seconds: a limit that cuts it off is paid for, and repeated by the SDK.
const LONG_TEXT_S: u32 = 120;

/// Whether a model may answer with a long text, by what the call allows it.
fn writes_long(program: &Program, used: &VendorUse) -> bool {
    const MOST: &[&str] = &[
        "max_tokens",
        "max_output_tokens",
        "max_completion_tokens",
        "maxTokens",
        "maxOutputTokens",
        "maxCompletionTokens",
    ];
    const LONG: f64 = 2000.0;
    program.operation(used).is_some_and(|operation| operation.effect == Effect::Generate)
        && MOST.iter().any(|option| match program.option(used.at, option) {
            Lookup::Present(value) => {
                value.alternatives().iter().any(|one| matches!(one, Value::Number(most) if *most >= LONG))
            }
            _ => false,
        })
}

/// A cure whose limit leaves the slowest of some calls the time that it takes.
fn patient(program: &Program, help: String, uses: &[&VendorUse]) -> String {
    let takes = |used: &&&VendorUse| {
        let told = program.operation(used).and_then(|operation| Some(operation.takes.as_ref()?.seconds));
        told.or_else(|| writes_long(program, used).then_some(LONG_TEXT_S))
    };
    let Some(slowest) = uses.iter().max_by_key(|used| takes(used)) else { return help };
    match takes(&slowest).and_then(|seconds| raised(&help, seconds)) {
        Some(help) => format!(
            "{help} {} takes that long at times: a shorter limit cuts it off, and what is cut off may be paid all the same.",
            slowest.name
        ),
        None => help,
    }
}

/// A text with its first limit raised to some seconds; none when it is as long.
fn raised(text: &str, seconds: u32) -> Option<String> {
    // `CohereClientV2` is a name.
    let starts = |(at, letter): &(usize, char)| {
        letter.is_ascii_digit() && !text[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    };
    let (at, _) = text.char_indices().find(starts)?;
    let (before, number) = text.split_at(at);
    let end = number.find(|letter: char| !letter.is_ascii_digit() && letter != '_').unwrap_or(number.len());
    let (number, after) = number.split_at(end);
    let (given, unit) = number.strip_suffix("_000").map_or((number, ""), |given| (given, "_000"));
    given.parse::<u32>().is_ok_and(|given| given < seconds).then(|| format!("{before}{seconds}{unit}{after}"))
}

/// The cure written with the very call, where it is a race or a keyword of the call.
fn limited(program: &Program, at: CallRef, timeout: &Timeout) -> Option<String> {
    const RACES: &[&str] = &["Promise.race([", "asyncio.wait_for("];
    let cure = timeout.cure.as_deref()?;
    let facts = program.facts(at.file);
    let call = facts.call(at.call);
    let callee = spelled(facts, call.callee, 6)?;
    let args: Option<Vec<String>> = call
        .args
        .iter()
        .map(|arg| {
            let value = spelled(facts, arg.value, 3)?;
            Some(arg.name.map_or(value.clone(), |name| format!("{name}={value}")))
        })
        .collect();
    let args = args.filter(|args| args.len() <= 3).map_or_else(|| "..".to_owned(), |args| args.join(", "));
    if let Some(race) = RACES.iter().find(|race| cure.starts_with(**race)) {
        let limit = &cure[cure.rfind(", ")?..];
        let cure = format!("{race}{callee}({args}){limit}");
        let with = if limit.contains("rejectAfter(") { format!(", with `{REJECT_AFTER}`") } else { String::new() };
        return Some(format!("Give it a limit: `{cure}`{with}."));
    }
    let keyword = timeout.call.iter().find(|_| !facts.language.is_script())?;
    let (_, value) = cure.split_once(&format!("{keyword}="))?;
    let value = value.trim_end_matches(')');
    let behind = if args.is_empty() { "" } else { ", " };
    Some(format!("Give it a limit: `{callee}({args}{behind}{keyword}={value})`."))
}

/// An expression as it is written, when it is short enough to be.
fn spelled(facts: &Facts, at: ExprId, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(at) {
        ExprKind::Ref(name, _) => Some(name.to_string()),
        ExprKind::Member(base, name) => Some(format!("{}.{name}", spelled(facts, *base, depth)?)),
        ExprKind::This(_) => Some(if facts.language.is_script() { "this" } else { "self" }.to_owned()),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let inner = if call.args.is_empty() { "" } else { ".." };
            Some(format!("{}({inner})", spelled(facts, call.callee, depth)?))
        }
        _ => None,
    }
}

/// Whom a library asks that works with many vendors: whose model it is handed.
fn asked(program: &Program, used: &VendorUse) -> Option<String> {
    let facts = program.facts(used.at.file);
    let models = facts.call(used.at.call).args.iter().filter_map(|arg| match facts.expr(arg.value) {
        ExprKind::Object(entries) => entries.iter().find(|(key, _)| *key == "model").map(|&(_, model)| model),
        _ => None,
    });
    let name = |vendor: VendorId| program.catalogue.vendor(vendor).name.clone();
    models.map(|model| program.value(ExprRef::new(used.at.file, model))).find_map(|model| {
        let behind =
            model.externals().flat_map(|external| program.catalogue.packages(external.package, &external.segs));
        let mut vendors = behind.map(|(vendor, _)| vendor).filter(|vendor| *vendor != used.vendor);
        let first = vendors.next()?;
        // A setting says whose model it is.
        Some(if vendors.all(|other| other == first) { name(first) } else { "the model's vendor".to_owned() })
    })
}
