//! Models, endpoints and versions that their vendor has shut down, or will.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::catalogue::{KnownRole, Retired, Tier, VendorId};
use crate::facts::{ExprId, ExprKind, FunctionId, Op};
use crate::finding::{Confidence, FileId, Place, Severity};
use crate::names::Name;
use crate::program::readers::Use;
use crate::program::verify::words;
use crate::program::{CallRef, Destination, ExprRef, Program};
use crate::rule;
use crate::rule::Report;

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
    /// ## Silent when
    ///
    /// - the name is only compared, listed for people to choose from, or the key of a table;
    /// - it is a label: stored or answered as the model that was used;
    /// - the code is tooling, or never deployed;
    /// - nobody but a third party tells the day: a note for auditors.
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

/// One retired thing in one file: whose, what, the model's name.
type Key = (FileId, VendorId, usize, Option<Name>);

fn check(program: &Program, report: &mut Report) {
    let retired: Vec<(VendorId, &Retired)> = program.catalogue.retired().collect();
    let mut found: BTreeMap<Key, Vec<Place>> = BTreeMap::new();
    models(program, &retired, &mut found);
    requests(program, &retired, &mut found);
    calls(program, &retired, &mut found);
    for ((_, vendor, at, model), mut places) in found {
        places.sort();
        places.dedup();
        tell(program, report, vendor, retired[at].1, model, &places);
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
        for (at, expr) in facts.exprs.iter().enumerate() {
            let ExprKind::Text(text) = expr.kind else { continue };
            let Some(&(vendor, index)) = named.get(&text) else { continue };
            if is_asked_for(program, ExprRef::new(file, ExprId(at as u32)), FARTHEST) {
                found.entry((file, vendor, index, Some(text))).or_default().push(Place { file, span: expr.span });
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
        let params = facts.function(function).params.iter();
        params.clone().any(|param| param.default == Some(at.expr) && param.name.is_some_and(|name| says_model(&name)))
    };
    let defaulted = (0..facts.functions.len() as u32).any(|function| param(FunctionId(function)));
    let field = facts.classes.iter().flat_map(|class| &class.fields);
    let field = field.filter(|field| field.value == Some(at.expr)).any(|field| says_model(&field.name));
    defaulted
        || field
        || readers.uses(at.expr).iter().any(|used| match *used {
            Use::Key(object, key) => {
                let object = ExprRef::new(at.file, object);
                says_model(&key) && !is_listed(program, object) && !is_kept_or_answered(program, object)
            }
            Use::Kept(def) => {
                let reads = readers.reads(def);
                let exported = program.is_visible_outside(at.file, def);
                says_model(&facts.def(def).name)
                    && (exported
                        || reads.is_empty()
                        || reads.iter().any(|&read| !is_label(program, ExprRef::new(at.file, read))))
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

/// Whether an object goes into the database, or is the answer to who asked: what it says of a model is a label.
fn is_kept_or_answered(program: &Program, object: ExprRef) -> bool {
    program.readers(object.file).uses(object.expr).iter().any(|used| match *used {
        // `create({ data: { .. } })`
        Use::Key(outer, _) => is_kept_or_answered(program, ExprRef::new(object.file, outer)),
        Use::Arg(call, _) => {
            let at = CallRef::new(object.file, call);
            let own = program.vendors_at(at).iter().any(|used| program.catalogue.vendor(used.vendor).own_backend);
            let facts = program.facts(object.file);
            let answers = matches!(
                facts.expr(facts.call(call).callee),
                ExprKind::Member(base, name) if *name == "json" && facts.last_name(*base).is_some_and(|base| {
                    matches!(base.as_str(), "res" | "Response" | "NextResponse" | "reply" | "c")
                })
            );
            own || answers || program.has_role(at, KnownRole::Write)
        }
        _ => false,
    })
}

/// Whether a read only tells people or the database which model it was.
fn is_label(program: &Program, read: ExprRef) -> bool {
    let facts = program.facts(read.file);
    let uses = program.readers(read.file).uses(read.expr);
    !uses.is_empty()
        && uses.iter().all(|used| {
            match *used {
            Use::Key(object, key) => {
                !says_model(&key) || is_kept_or_answered(program, ExprRef::new(read.file, object))
            }
            Use::In(outer) => match facts.expr(outer) {
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

/// Requests whose path names a retired version, endpoint or model.
fn requests(program: &Program, retired: &[(VendorId, &Retired)], found: &mut BTreeMap<Key, Vec<Place>>) {
    for http in program.requests().iter().filter(|http| is_live(program, http.at.file)) {
        for to in &http.to {
            let Destination::Vendor(vendor, _, path) = to else { continue };
            for (at, (_, retired)) in retired.iter().enumerate().filter(|(_, (owner, _))| owner == vendor) {
                let mut segments = path.split(['/', ':']);
                let model = segments.find(|segment| retired.models.iter().any(|model| model == segment)).map(Name::new);
                if model.is_some() || retired.has_path(*path) {
                    let key = (http.at.file, *vendor, at, model);
                    found.entry(key).or_default().push(program.call_place(http.at));
                }
            }
        }
    }
}

/// Calls of an SDK that serve a retired endpoint.
fn calls(program: &Program, retired: &[(VendorId, &Retired)], found: &mut BTreeMap<Key, Vec<Place>>) {
    let with_calls: Vec<usize> = (0..retired.len()).filter(|&at| !retired[at].1.sdk.is_empty()).collect();
    for used in program.vendor_uses().iter().filter(|used| is_live(program, used.at.file)) {
        for &at in &with_calls {
            let (owner, retired) = retired[at];
            if owner == used.vendor && retired.has_call(&used.name) {
                let key = (used.at.file, owner, at, None);
                found.entry(key).or_default().push(program.call_place(used.at));
            }
        }
    }
}

fn tell(
    program: &Program,
    report: &mut Report,
    vendor: VendorId,
    retired: &Retired,
    model: Option<Name>,
    places: &[Place],
) {
    let Some(&first) = places.first() else { return };
    let who = &program.catalogue.vendor(vendor).name;
    let what = match model {
        Some(model) => format!("{} {model}", retired.what),
        None => retired.what.clone(),
    };
    let then = retired.then.as_deref().unwrap_or("every call that asks for it fails");
    let past = retired.date.as_str() <= program.as_of.as_str();
    let message = if past {
        format!("{who} shut {what} down on {}: {then}", retired.date)
    } else {
        format!("{who} shuts {what} down on {}: from then on {then}", retired.date)
    };
    let subject = model.map_or_else(|| retired.what.clone(), |model| model.to_string());
    let severity = if past { Severity::Error } else { Severity::Warning };
    let cure = format!("{}{}.", retired.cure[..1].to_uppercase(), &retired.cure[1..]);
    let mut draft = report.at(first, subject, message).severity(severity).vendor(program.vendor_id(vendor)).help(cure);
    if matches!(retired.source.tier, Tier::Secondary | Tier::Convention) {
        draft = draft.confidence(Confidence::Low).auditor_only();
    }
    for &other in &places[1..] {
        draft = draft.because(other, "and here");
    }
}
