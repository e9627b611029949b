//! Models, endpoints and versions that their vendor has shut down, or will.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::catalogue::{KnownRole, Retired, RetiredPackage, Tier, VendorId};
use crate::facts::{ExprId, ExprKind, FunctionId, ImportId, ImportKind, Op, Step};
use crate::finding::{Confidence, FileId, Place, Severity};
use crate::names::Name;
use crate::program::values::readers::Use;
use crate::program::verify::words;
use crate::program::{CallRef, Destination, ExprRef, FunctionRef, HttpUse, Program, Target, VendorUse};
use crate::rule;
use crate::rule::Report;

mod elsewhere;
mod fields;

rule! {
    /// A model, endpoint or version that is shut down is still asked for
    ///
    /// Vendors shut old models and endpoints down on a day they announce months before. Code that an assistant wrote
    /// from older examples names them from the start, often only as the default of a setting. On that day every call
    /// fails, and the feature behind it is gone for all customers at once.
    ///
    /// An error when the day has passed, a warning when it is announced. The day is today's, or that of `--as-of`.
    /// Models count where they are asked for: as a `model` option or setting, as a default, in the path of a request.
    ///
    /// Fields count too that answers have no more in the version of the API that the client asks for, by itself or by
    /// its SDK's major version.
    ///
    /// An SDK that goes on working but is not mended any more is a note, once in a project. Which version of an SDK is
    /// in use, an import or a lockfile says, else the manifest.
    ///
    /// ## Silent when
    ///
    /// - the name is only compared, listed for people to choose from, or the key of a table;
    /// - it is a label: stored or answered as the model that was used;
    /// - a field's new place is read as well, or nobody knows the version;
    /// - the code is tooling, or never deployed;
    /// - nobody but a third party tells the day, or another vendor is told to use the model, as for a voice agent: a
    ///   note for auditors.
    ///
    /// ## The cure
    ///
    /// Move to what the vendor names in its place, and keep the name in one setting.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/summarize/index.ts
    /// import Anthropic from "npm:@anthropic-ai/sdk@0.60.0";
    ///
    /// const anthropic = new Anthropic();
    ///
    /// Deno.serve(async (req) => {
    ///   const answer = await anthropic.messages.create({
    ///     model: Deno.env.get("MODEL") ?? "claude-3-opus-20240229",
    ///     max_tokens: 500,
    ///     messages: [{ role: "user", content: await req.text() }],
    ///   });
    ///   return Response.json(answer);
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/summarize/index.ts
    /// import Anthropic from "npm:@anthropic-ai/sdk@0.60.0";
    ///
    /// const anthropic = new Anthropic();
    ///
    /// Deno.serve(async (req) => {
    ///   const answer = await anthropic.messages.create({
    ///     model: Deno.env.get("MODEL") ?? "claude-haiku-4-5",
    ///     max_tokens: 500,
    ///     messages: [{ role: "user", content: await req.text() }],
    ///   });
    ///   return Response.json(answer);
    /// });
    /// ```
    id: "retired-api", severity: Error, confidence: High, section: "Contract drift",
    security: None, since: "0.1.0", check: check
}

/// How far the way of a name is followed.
const FARTHEST: usize = 5;

/// One retired thing in one file: whose, what, the model's name, and who is asked for it where that is somebody else.
type Key = (FileId, VendorId, usize, Option<Name>, Option<VendorId>);

/// One retired thing by the text that asks for it, wherever the requests are.
type Written = BTreeMap<(Place, VendorId, usize, Option<Name>), Vec<Place>>;

fn check(program: &Program, report: &mut Report) {
    let retired: Vec<(VendorId, &Retired)> = program.catalogue.retired().collect();
    let mut found: BTreeMap<Key, Vec<Place>> = BTreeMap::new();
    models(program, &retired, &mut found);
    let written = requests(program, &retired, &mut found);
    calls(program, &retired, &mut found);
    sdks(program, &retired, report);
    fields::check(program, report);
    for ((_, vendor, at, model, instead), mut places) in found {
        places.sort();
        places.dedup();
        match (instead, model) {
            (Some(instead), Some(model)) => elsewhere::tell(program, report, retired[at], instead, model, &places),
            _ => tell(program, report, vendor, retired[at].1, model, &places, "and here"),
        }
    }
    // What a file writes several times is changed in one go.
    let mut by_file: BTreeMap<Key, Vec<(Place, Vec<Place>)>> = BTreeMap::new();
    for ((text, vendor, at, model), places) in written {
        by_file.entry((text.file, vendor, at, model, None)).or_default().push((text, places));
    }
    for ((_, vendor, at, model, _), mut texts) in by_file {
        if let [(text, places)] = &mut texts[..] {
            places.sort();
            places.dedup();
            places.insert(0, *text);
            tell(program, report, vendor, retired[at].1, model, places, "asked for here");
        } else {
            let places: Vec<Place> = texts.into_iter().map(|(text, _)| text).collect();
            tell(program, report, vendor, retired[at].1, model, &places, "and here");
        }
    }
}

fn is_live(program: &Program, file: FileId) -> bool {
    let side = program.side(file);
    !side.tooling && !side.dead
}

/// Texts that are a model's name, where they are asked for.
fn models(program: &Program, retired: &[(VendorId, &Retired)], found: &mut BTreeMap<Key, Vec<Place>>) {
    let mut named: FxHashMap<Name, (VendorId, usize)> = FxHashMap::default();
    for (at, (vendor, retired)) in retired.iter().enumerate() {
        named.extend(retired.models.iter().map(|model| (Name::new(model), (*vendor, at))));
    }
    for (file, facts) in program.code().filter(|(file, _)| is_live(program, *file)) {
        for (at, text) in facts.texts() {
            // `models/..` is how some APIs write that it is one.
            let bare = text.strip_prefix("models/").map_or(text, Name::new);
            let Some(&(vendor, index)) = named.get(&bare) else { continue };
            // Pages name models to choose from, and to keep beside what was made: it counts where they ask themselves.
            let asks = |used: &VendorUse| used.at.file == file && used.vendor == vendor;
            if !program.runs_on_server(file) && !program.vendor_uses().iter().any(asks) {
                continue;
            }
            let at = ExprRef::new(file, at);
            if is_asked_for(program, at, FARTHEST) {
                let instead = elsewhere::asked_instead(program, at, vendor);
                found.entry((file, vendor, index, Some(bare), instead)).or_default().push(program.place(at));
            }
        }
    }
}

/// Whether a name goes to where a model is asked for.
fn is_asked_for(program: &Program, at: ExprRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(at.file);
    let next = |expr: ExprId| is_asked_for(program, ExprRef::new(at.file, expr), depth);
    let readers = program.readers(at.file);
    let param = |function: FunctionId| {
        let asks = |name: Name| says_model(&name) && !is_only_told(program, FunctionRef::new(at.file, function), name);
        let mut params = facts.function(function).params.iter();
        params.any(|param| param.default == Some(at.expr) && param.name.is_some_and(asks))
    };
    let defaulted = (0..facts.functions.len() as u32).any(|function| param(FunctionId(function)));
    let field = facts.classes.iter().flat_map(|class| &class.fields);
    let field = field.filter(|field| field.value == Some(at.expr)).any(|field| says_model(&field.name));
    defaulted
        || field
        || readers.uses(at.expr).iter().any(|used| match *used {
            Use::Key(object, key) => {
                let object = ExprRef::new(at.file, object);
                says_model(&key) && !is_listed(program, object) && !is_kept_or_answered(program, object, FARTHEST)
            }
            Use::Kept(def) => {
                // Where something else is put into it, nobody takes what it holds.
                let taken = || readers.reads(def).iter().filter(|&&read| !readers.uses(read).is_empty());
                let exported = program.is_visible_outside(at.file, def);
                says_model(&facts.def(def).name)
                    && (exported
                        || taken().next().is_none()
                        || taken().any(|&read| !is_label(program, ExprRef::new(at.file, read))))
            }
            Use::Arg(call, position) => takes_model(program, CallRef::new(at.file, call), position),
            Use::In(outer) => match facts.expr(outer) {
                ExprKind::Op(Op::Or | Op::Nullish | Op::Choose, _) => next(outer),
                _ => false,
            },
            // A list of models to try one after the other.
            Use::Item(list, _) => readers.uses(list).iter().any(|used| match *used {
                Use::Kept(def) => {
                    let words = words(&facts.def(def).name);
                    let looped = || {
                        let read = |&read: &ExprId| readers.uses(read).contains(&Use::Tested);
                        words.iter().any(|word| word == "models") && readers.reads(def).iter().any(read)
                    };
                    words.iter().any(|word| word == "fallback" || word == "fallbacks" || word == "candidates")
                        || looped()
                }
                _ => false,
            }),
            _ => false,
        })
}

/// Whether a function only writes down or answers which model it was, in a parameter of this name.
fn is_only_told(program: &Program, function: FunctionRef, name: Name) -> bool {
    let facts = program.facts(function.file);
    let def = facts.defined_in(facts.function(function.function).body, name);
    let reads = def.map_or(&[][..], |def| program.readers(function.file).reads(def));
    !reads.is_empty() && reads.iter().all(|&read| is_label(program, ExprRef::new(function.file, read)))
}

/// Whether an object goes into the database, or is the answer to who asked: what it says of a model is a label.
fn is_kept_or_answered(program: &Program, object: ExprRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let readers = program.readers(object.file);
    let next = |expr: ExprId| is_kept_or_answered(program, ExprRef::new(object.file, expr), depth);
    readers.uses(object.expr).iter().any(|used| match *used {
        // `create({ data: { .. } })`
        Use::Key(outer, _) => next(outer),
        Use::Kept(def) => {
            let reads = readers.reads(def);
            !reads.is_empty() && reads.iter().all(|&read| next(read))
        }
        Use::Arg(call, _) => {
            let at = CallRef::new(object.file, call);
            let own = program.vendors_at(at).iter().any(|used| program.catalogue.vendor(used.vendor).own_backend);
            own || answers(program, at) || program.has_role(at, KnownRole::Write) || only_keeps(program, at)
        }
        // `data.meta = { model, .. }`, and `data` is the answer.
        Use::Put => {
            let facts = program.facts(object.file);
            let mut steps = facts.blocks.iter().flat_map(|block| &block.steps);
            let target = steps.find_map(|step| match *step {
                Step::Assign(target, value) if value == object.expr => Some(target),
                _ => None,
            });
            let Some(ExprKind::Member(base, _)) = target.map(|target| facts.expr(target)) else { return false };
            let ExprKind::Ref(name, block) = *facts.expr(*base) else { return false };
            let def = facts.lookup(block, name);
            def.is_some_and(|def| readers.reads(def).iter().any(|&read| next(read)))
        }
        _ => false,
    })
}

/// Whether a call of the app's own code ends in the app's database, and asks nobody else on its way.
fn only_keeps(program: &Program, at: CallRef) -> bool {
    let mut open: Vec<(CallRef, usize)> = vec![(at, 4)];
    let mut seen: Vec<FunctionRef> = Vec::new();
    let mut keeps = false;
    while let Some((at, depth)) = open.pop() {
        let own = |used: &VendorUse| program.catalogue.vendor(used.vendor).own_backend;
        if !program.vendors_at(at).iter().all(own) || !program.requests_at(at).is_empty() {
            return false;
        }
        keeps |= !program.vendors_at(at).is_empty() || program.has_role(at, KnownRole::Write);
        for edge in program.edges(at).iter().filter(|_| depth > 0) {
            if !seen.contains(&edge.target) {
                seen.push(edge.target);
                open.extend(program.calls_in(edge.target).map(|inner| (inner, depth - 1)));
            }
        }
    }
    keeps
}

/// Whether a call is the answer to who asked: `res.json(..)`, `new Response(JSON.stringify(..))`.
fn answers(program: &Program, at: CallRef) -> bool {
    let facts = program.facts(at.file);
    let call = facts.call(at.call);
    let ExprKind::Member(base, name) = facts.expr(call.callee) else { return false };
    let Some(base) = facts.last_name(*base) else { return false };
    match name.as_str() {
        "json" => matches!(base.as_str(), "res" | "Response" | "NextResponse" | "reply" | "c"),
        "stringify" => program.readers(at.file).uses(call.expr).iter().any(|used| match *used {
            Use::Arg(outer, 0) => {
                let outer = facts.call(outer);
                outer.is_new && facts.last_name(outer.callee).is_some_and(|name| name.ends_with("Response"))
            }
            _ => false,
        }),
        _ => false,
    }
}

/// Whether a read only tells people or the database which model it was.
fn is_label(program: &Program, read: ExprRef) -> bool {
    let facts = program.facts(read.file);
    let uses = program.readers(read.file).uses(read.expr);
    !uses.is_empty()
        && uses.iter().all(|used| {
            match *used {
            Use::Key(object, key) => {
                !says_model(&key) || is_kept_or_answered(program, ExprRef::new(read.file, object), FARTHEST)
            }
            Use::In(outer) => match facts.expr(outer) {
                // `COST[model]`
                ExprKind::Index(_, key) => *key == read.expr,
                // A name in an address asks for it, in a sentence it does not.
                ExprKind::Template(parts) => parts.iter().any(|&part| {
                    matches!(facts.expr(part), ExprKind::Text(text) if text.contains(' ') && !text.contains('/'))
                }),
                _ => false,
            },
            _ => false,
        }
        })
}

fn says_model(name: &str) -> bool {
    let words = words(name);
    let end = words.last().map(String::as_str);
    let word = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    word(&["model"]) && !matches!(end, Some("label" | "title" | "description" | "options" | "list" | "names" | "used"))
        || matches!(name, "engine" | "llm")
}

/// Whether an object is one of a list, as in a table of what there is to choose from.
fn is_listed(program: &Program, object: ExprRef) -> bool {
    program.readers(object.file).uses(object.expr).iter().any(|used| matches!(used, Use::Item(..)))
}

/// Whether a call takes a model at a position: by keyword, by its parameter's name, or because it is a vendor's.
fn takes_model(program: &Program, call: CallRef, position: usize) -> bool {
    let arg = &program.facts(call.file).call(call.call).args[position];
    if let Some(keyword) = arg.name {
        return says_model(&keyword);
    }
    let callee = program.callee(call);
    let own = callee.functions().any(|function| {
        let params = &program.facts(function.file).function(function.function).params;
        params.get(position).and_then(|param| param.name).is_some_and(|name| says_model(&name))
    });
    let vendors = callee.externals().any(|external| program.catalogue.package(external.package).is_some());
    own || vendors && position == 0
}

/// Requests whose path names a retired version, endpoint or model; those whose address is written elsewhere are given
/// back by that text.
fn requests(program: &Program, retired: &[(VendorId, &Retired)], found: &mut BTreeMap<Key, Vec<Place>>) -> Written {
    let mut written = Written::new();
    for http in program.requests().iter().filter(|http| is_live(program, http.at.file)) {
        for to in &http.to {
            let Destination::Vendor(vendor, host, path) = to else { continue };
            for (at, (_, retired)) in retired.iter().enumerate().filter(|(_, (owner, _))| owner == vendor) {
                let mut segments = path.split(['/', ':']);
                let model = segments.find(|segment| retired.models.iter().any(|model| model == segment)).map(Name::new);
                let at_host = retired.host.as_ref().is_none_or(|retired| *host == retired.as_str());
                let form = retired.path_form(*path).filter(|_| at_host);
                if model.is_none() && form.is_none() {
                    continue;
                }
                let told = model.map(Name::as_str).or(retired.host.as_deref()).or(form.and_then(telling));
                match told.and_then(|told| written_elsewhere(program, http, told)) {
                    Some(text) => {
                        written.entry((text, *vendor, at, model)).or_default().push(program.call_place(http.at));
                    }
                    None => {
                        let key = (http.at.file, *vendor, at, model, None);
                        found.entry(key).or_default().push(program.call_place(http.at));
                    }
                }
            }
        }
    }
    written
}

/// The part of a path that says the most: `2024-01` of `/admin/api/2024-01/*`.
fn telling(form: &str) -> Option<&str> {
    form.split(['/', '*']).max_by_key(|segment| segment.len()).filter(|segment| segment.len() > 2)
}

/// Where the text stands that makes a request ask for what is retired, unless it is in the call itself.
fn written_elsewhere(program: &Program, http: &HttpUse, told: &str) -> Option<Place> {
    let text = program.place(program.text_of_request(http, told)?);
    let call = program.call_place(http.at);
    (is_live(program, text.file) && !(text.file == call.file && call.span.contains(text.span))).then_some(text)
}

/// Calls of an SDK that serve a retired endpoint.
fn calls(program: &Program, retired: &[(VendorId, &Retired)], found: &mut BTreeMap<Key, Vec<Place>>) {
    let with_calls: Vec<usize> = (0..retired.len()).filter(|&at| !retired[at].1.sdk.is_empty()).collect();
    for used in program.vendor_uses().iter().filter(|used| is_live(program, used.at.file)) {
        for &at in &with_calls {
            let (owner, retired) = retired[at];
            if owner == used.vendor && retired.has_call(&used.name) {
                let key = (used.at.file, owner, at, None, None);
                found.entry(key).or_default().push(program.call_place(used.at));
            }
        }
    }
}

/// Imports of SDKs that are retired, once a project.
fn sdks(program: &Program, all: &[(VendorId, &Retired)], report: &mut Report) {
    let named: Vec<(usize, &RetiredPackage)> =
        (0..all.len()).flat_map(|at| all[at].1.packages.iter().map(move |package| (at, package))).collect();
    let mut found: BTreeMap<(usize, usize), Vec<Place>> = BTreeMap::new();
    for (file, facts) in program.code().filter(|(file, _)| !named.is_empty() && is_live(program, *file)) {
        for (at, import) in facts.imports.iter().enumerate().filter(|(_, import)| import.kind != ImportKind::Type) {
            let Target::Package { name, path, .. } = program.modules.target(file, ImportId(at as u32)) else {
                continue;
            };
            let is = |package: &RetiredPackage| {
                // `google.generativeai` is a part of `google`.
                let inner = package.name.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('.'));
                (*name == package.name.as_str()
                    || inner.is_some_and(|part| path.first().is_some_and(|own| own == part)))
                    && package
                        .below
                        .is_none_or(|below| program.major_of(file, *name).is_some_and(|major| major < below))
            };
            for &(retired, _) in named.iter().filter(|(_, package)| is(package)) {
                let place = Place { file, span: import.span };
                found.entry((program.projects.index(file), retired)).or_default().push(place);
            }
        }
    }
    for ((_, at), mut places) in found {
        places.sort();
        places.dedup();
        tell(program, report, all[at].0, all[at].1, None, &places, "and here");
    }
}

fn tell(
    program: &Program,
    report: &mut Report,
    vendor: VendorId,
    retired: &Retired,
    model: Option<Name>,
    places: &[Place],
    others: &'static str,
) {
    let Some(&first) = places.first() else { return };
    let who = &program.catalogue.vendor(vendor).name;
    let what = match model {
        Some(model) => format!("{} {model}", retired.what),
        None => retired.what.clone(),
    };
    let usual = match retired.unsupported {
        true => "its faults and security holes stay, and what the vendor changes may break it",
        false => "every call that asks for it fails",
    };
    let then = retired.then.as_deref().unwrap_or(usual);
    let past = retired.date.as_str() <= program.as_of.as_str();
    let message = match (retired.unsupported, past) {
        (false, true) => format!("{who} shut {what} down on {}: {then}", retired.date),
        (false, false) => format!("{who} shuts {what} down on {}: from then on {then}", retired.date),
        (true, true) => format!("{who} stopped mending {what} on {}: {then}", retired.date),
        (true, false) => format!("{who} stops mending {what} on {}: from then on {then}", retired.date),
    };
    let subject = model.map_or_else(|| retired.what.clone(), |model| model.to_string());
    // What only a third party tells is worth a look, and no more.
    let is_hearsay = matches!(retired.source.tier, Tier::Secondary | Tier::Convention);
    let severity = match (retired.unsupported || is_hearsay, past) {
        (true, _) => Severity::Note,
        (false, true) => Severity::Error,
        (false, false) => Severity::Warning,
    };
    let cure = format!("{}{}.", retired.cure[..1].to_uppercase(), &retired.cure[1..]);
    let mut draft = report.at(first, subject, message).severity(severity).vendor(program.vendor_id(vendor)).help(cure);
    if is_hearsay {
        draft = draft.confidence(Confidence::Low).auditor_only();
    }
    for &other in &places[1..] {
        draft = draft.because(other, others);
    }
}
