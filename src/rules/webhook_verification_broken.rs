//! Deliveries are verified in a way that real ones cannot pass.

use rustc_hash::FxHashSet;

use crate::catalogue::{KnownRole, Seg, Tier, VendorId};
use crate::facts::{ExprId, ExprKind};
use crate::finding::{Confidence, Place};
use crate::names::Name;
use crate::program::values::bodies::Form;
use crate::program::verify::Verdict;
use crate::program::webhooks::form_bodies::FormRead;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, EdgeKind, Entry, ExprRef, FunctionRef, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A webhook's verification that real deliveries cannot pass
    ///
    /// A signature covers the bytes that were sent. A check over a parsed body, or over text written anew from it,
    /// fails as soon as a blank, an escape or the order of keys differs; a check that needs Node's crypto throws on
    /// Deno, workers and edge runtimes; a body that was read once is empty the second time; a header that the vendor
    /// does not sign in, an invented `resend-signature`, is never there; what comes as a form is no JSON; and a function that the SDK does not have
    /// (`stripe.webhook.constructEvent`) throws, and so does `require` in an ES module. Every delivery is then
    /// answered with an error: people pay and get nothing, until the vendor switches the endpoint off, or someone
    /// takes the check out.
    ///
    /// ## Silent when
    ///
    /// - the check gets the text or the bytes: `await req.text()`, `request.get_data()`, `express.raw` on the route
    ///   before any JSON parser, `bodyParser: false`, a `rawBody` that a `verify:` hook kept;
    /// - the vendor signs something else than the body;
    /// - a release of the SDK is pinned that still works there;
    /// - what the check is given cannot be followed;
    /// - nothing reaches it: an earlier handler of the same path answers;
    /// - a header is not called after the vendor, or the vendor's own are named beside it: a relay may sign;
    /// - the vendor sends forms, and somewhere the handler reads a form or the whole text; or the app itself sends it JSON;
    /// - nothing verifies at all, or the check can be got around: other rules tell of that.
    ///
    /// ## The cure
    ///
    /// Read the body once as text, verify that text with the function that fits the runtime, and parse it after.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/stripe-webhook/index.ts
    /// import Stripe from "npm:stripe@17";
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   let event: Stripe.Event;
    ///   try {
    ///     const signature = req.headers.get("stripe-signature")!;
    ///     const secret = Deno.env.get("STRIPE_WEBHOOK_SECRET")!;
    ///     event = stripe.webhooks.constructEvent(await req.text(), signature, secret);
    ///   } catch {
    ///     return new Response("bad signature", { status: 400 });
    ///   }
    ///   await db.from("profiles").update({ plan: "pro" }).eq("id", event.data.object.client_reference_id);
    ///   return new Response("ok");
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/stripe-webhook/index.ts
    /// import Stripe from "npm:stripe@17";
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   let event: Stripe.Event;
    ///   try {
    ///     const signature = req.headers.get("stripe-signature")!;
    ///     const secret = Deno.env.get("STRIPE_WEBHOOK_SECRET")!;
    ///     event = await stripe.webhooks.constructEventAsync(await req.text(), signature, secret);
    ///   } catch {
    ///     return new Response("bad signature", { status: 400 });
    ///   }
    ///   await db.from("profiles").update({ plan: "pro" }).eq("id", event.data.object.client_reference_id);
    ///   return new Response("ok");
    /// });
    /// ```
    id: "webhook-verification-broken", severity: Error, confidence: High, section: "Webhooks",
    security: Some(7.5), since: "0.1.0", check: check
}

/// How a check fails.
#[derive(Clone, Copy)]
enum Fault {
    /// It needs Node's crypto, and runs elsewhere.
    Runtime,
    /// It is given an object.
    Parsed(Place),
    /// It is given text made of one.
    Rewritten(Place),
    /// The body was read before.
    Read(CallRef),
    /// It asks for a header that the vendor does not send.
    Unsent(Name, Place),
    /// Its secret is a variable that nothing ever sets.
    Unset(Name, Place),
    /// The SDK has it under another path.
    Misnamed(Name),
    /// It is given a field of a body that nothing has parsed.
    Unparsed,
    /// The SDK is taken in by `require`, which an ES module does not have.
    Required(Place),
    /// The vendor sends a form, and it is read as JSON: the field that is wanted, and whether a parser stands before.
    Form(Name, bool),
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<Place> = FxHashSet::default();
    for handler in program.webhook_handlers() {
        if !matches!(handler.verdict, Verdict::Fine | Verdict::Unknown) || handler.account.checks.is_empty() {
            continue;
        }
        if let Some((at, fault, confidence)) = fault(program, handler)
            && told.insert(program.call_place(at))
        {
            tell(program, report, handler, at, fault, confidence);
        }
    }
}

/// Whether a handler's verification is reported here: other rules leave it alone then.
pub fn is_broken(program: &Program, handler: &WebhookHandler) -> bool {
    fault(program, handler).is_some_and(|(.., confidence)| confidence >= Confidence::Medium)
}

/// How the check itself is mended that refuses every delivery: who cures a way around it must not leave it at that.
pub(super) fn cure_besides(program: &Program, handler: &WebhookHandler) -> Option<String> {
    let (_, fault, _) = fault(program, handler).filter(|(.., confidence)| *confidence == Confidence::High)?;
    Some(cure(program, handler, &program.entries[handler.entry], fault))
}

fn fault(program: &Program, handler: &WebhookHandler) -> Option<(CallRef, Fault, Confidence)> {
    let entry = &program.entries[handler.entry];
    let within: FxHashSet<FunctionRef> = program
        .reach(entry.function, |edge| edge.kind != EdgeKind::Jump)
        .stops
        .iter()
        .map(|stop| stop.function)
        .collect();
    let mut functions: Vec<FunctionRef> = within.iter().copied().collect();
    functions.sort();
    if let Some(at) = program.field_of_nothing(entry)
        && program.edges(at).iter().any(|edge| program.calls_in(edge.target).any(|at| verifying(program, at).is_some()))
    {
        return Some((at, Fault::Unparsed, Confidence::High));
    }
    if let Some(FormRead { at, field, parser }) = program.form_read_as_json(handler, &functions) {
        return Some((at, Fault::Form(field, parser), Confidence::High));
    }
    let verifying_calls = || functions.iter().flat_map(|&function| program.calls_in(function));
    if let Some((header, place)) = program.unsent_header(handler, &functions)
        && let Some(at) = verifying_calls().find(|&at| verifying(program, at).is_some())
    {
        return Some((at, Fault::Unsent(header, place), Confidence::High));
    }
    if let Some((at, path)) = verifying_calls().find_map(|at| Some((at, program.misnamed_verifier(at)?))) {
        return Some((at, Fault::Misnamed(Name::new(path)), Confidence::High));
    }
    for at in verifying_calls() {
        let Some(checks) = verifying(program, at) else { continue };
        if let Some(place) = program.required_in_module(at) {
            return Some((at, Fault::Required(place), Confidence::High));
        }
        let no_node = program.runs_on_edge(entry) || program.runs_on_bun(entry);
        if checks.node_only && !checks.own_crypto && no_node {
            return Some((at, Fault::Runtime, Confidence::High));
        }
        if checks.vendor.is_some()
            && let Some((name, place)) = program.never_set(at)
        {
            return Some((at, Fault::Unset(name, place), Confidence::High));
        }
        let Some(sure) = signs_body(program, checks.vendor.or(handler.vendor)) else { continue };
        for payload in payloads(program, at) {
            match program.body_form(entry, &within, payload) {
                Form::Parsed(place) => return Some((at, Fault::Parsed(place), sure)),
                // A vendor that writes its JSON without blanks may get by, until an escape differs.
                Form::Rewritten(place) => {
                    let script = program.facts(at.file).language.is_script();
                    let most = if script { Confidence::Medium } else { Confidence::High };
                    return Some((at, Fault::Rewritten(place), sure.min(most)));
                }
                Form::Raw | Form::Unknown => {}
            }
        }
    }
    let reads_stream = matches!(
        entry.framework,
        "supabase-functions"
            | "edge-functions"
            | "netlify-functions"
            | "next-app"
            | "worker"
            | "bun"
            | "svelte"
            | "remix"
    );
    let twice = functions.iter().filter(|_| reads_stream).find_map(|&function| program.body_read_twice(function))?;
    Some((twice.second, Fault::Read(twice.first), Confidence::High))
}

/// A call that verifies, or computes what a signature is compared with.
struct Checks {
    vendor: Option<VendorId>,
    node_only: bool,
    /// It is told which crypto to use.
    own_crypto: bool,
}

fn verifying(program: &Program, at: CallRef) -> Option<Checks> {
    program.callee(at).externals().find_map(|external| {
        if let Some(found) = program.catalogue.verifier(external.package, &external.segs) {
            // What takes a token or a key verifies no body.
            if found.vendor.is_none() && !names_delivery(program, at) {
                return None;
            }
            let node_only = found
                .node_since
                .is_some_and(|since| program.package_major(at.file, external).is_none_or(|major| major >= since));
            let own_crypto = program.facts(at.file).call(at.call).args.len() > 4;
            return Some(Checks { vendor: found.vendor, node_only, own_crypto });
        }
        let mac = (1..=external.segs.len()).any(|end| {
            let known = program.catalogue.known(external.package, &external.segs[..end]);
            known.is_some_and(|known| known.role == KnownRole::Mac && !known.keyless)
        });
        let ends = !matches!(external.segs.last(), Some(Seg::Member(name)) if *name == "digest");
        (mac && ends).then_some(Checks { vendor: None, node_only: false, own_crypto: false })
    })
}

/// Whether a library's check is handed the signature's headers beside the payload.
fn names_delivery(program: &Program, at: CallRef) -> bool {
    program.facts(at.file).call(at.call).args.len() >= 2
}

/// How sure it is that a vendor signs the bytes of the body; none when it signs something else.
fn signs_body(program: &Program, vendor: Option<VendorId>) -> Option<Confidence> {
    let Some(vendor) = vendor else { return Some(Confidence::Medium) };
    let webhook = program.catalogue.vendor(vendor).webhooks.first()?;
    let founded = matches!(webhook.source.tier, Tier::Sdk | Tier::Doc | Tier::Scanner | Tier::Mixed);
    webhook.raw_body.then_some(if founded { Confidence::High } else { Confidence::Low })
}

/// What a call is given, fields of objects among it.
fn payloads(program: &Program, at: CallRef) -> Vec<ExprRef> {
    let facts = program.facts(at.file);
    let mut found: Vec<ExprId> = Vec::new();
    for arg in &facts.call(at.call).args {
        match facts.expr(arg.value) {
            ExprKind::Object(entries) => found.extend(entries.iter().map(|(_, value)| *value)),
            _ => found.push(arg.value),
        }
    }
    found.into_iter().map(|expr| ExprRef::new(at.file, expr)).collect()
}

fn tell(
    program: &Program,
    report: &mut Report,
    handler: &WebhookHandler,
    at: CallRef,
    fault: Fault,
    confidence: Confidence,
) {
    let entry = &program.entries[handler.entry];
    let webhook = program.webhook_name(handler);
    let call = program.call_text(at);
    let lost = "every real delivery is refused, and what it tells is lost";
    let message = match fault {
        Fault::Runtime => {
            format!("{call} needs Node's crypto and throws on this runtime: {webhook} answers an error, {lost}")
        }
        Fault::Parsed(_) => format!("{call} is given the parsed body of {webhook}, but the bytes are signed: {lost}"),
        Fault::Rewritten(_) => format!(
            "{call} is given JSON written anew, but {webhook} is signed over the bytes that were sent: where a blank or \
             an escape differs, the delivery is refused and what it tells is lost"
        ),
        Fault::Unsent(header, _) => {
            format!("{webhook} is checked by the header {header}, which {}: {lost}", signs_otherwise(program, handler))
        }
        Fault::Unset(name, _) => {
            format!(
                "{call} is given {name} for its secret, and nothing ever sets it: {webhook} answers an error, {lost}"
            )
        }
        Fault::Misnamed(path) => {
            format!("{call} does not exist, the SDK has {path}: the call throws, {webhook} answers an error, {lost}")
        }
        Fault::Unparsed => format!(
            "{call} is given a field of `req.body`, and no parser stands before this route: there is no body, {webhook} \
             checks nothing, {lost}"
        ),
        Fault::Required(_) => format!(
            "{call} is of an SDK that `require` takes in, and an ES module has no `require`: that throws, {webhook} answers \
             an error, {lost}"
        ),
        Fault::Form(field, true) => format!(
            "only JSON is parsed before {webhook}, and {} sends a form: there is no `{field}` in the body, {lost}",
            sender(program, handler)
        ),
        Fault::Form(..) => {
            format!("{call} reads {webhook} as JSON, and {} sends a form: that fails, {lost}", sender(program, handler))
        }
        Fault::Read(_) => format!("{call} reads the body of {webhook} a second time, and that throws: {lost}"),
    };
    let mut draft = report
        .at(program.call_place(at), call, message)
        .confidence(confidence)
        .help(cure(program, handler, entry, fault))
        .trace(program.trace_to(entry, at, "checks here"));
    draft = match fault {
        Fault::Unset(_, place) => draft.because(place, "never set"),
        Fault::Required(place) => draft.because(place, "throws here"),
        Fault::Parsed(place) => draft.because(place, "parsed here"),
        Fault::Rewritten(place) => draft.because(place, "written anew here"),
        Fault::Unsent(_, place) => draft.because(place, "no delivery brings this header"),
        Fault::Read(first) => draft.because(program.call_place(first), "read here the first time"),
        Fault::Runtime | Fault::Misnamed(_) | Fault::Unparsed | Fault::Form(..) => draft,
    };
    if let Some(vendor) = handler.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

fn sender<'p>(program: &'p Program, handler: &WebhookHandler) -> &'p str {
    handler.vendor.map_or("the sender", |vendor| program.catalogue.vendor(vendor).name.as_str())
}

/// Which headers the vendor signs in instead.
fn signs_otherwise(program: &Program, handler: &WebhookHandler) -> String {
    let name = sender(program, handler);
    let headers = program.webhook_of(handler).map(|webhook| webhook.headers.join(", ")).unwrap_or_default();
    format!("{name} never sends (it signs in {headers})")
}

fn cure(program: &Program, handler: &WebhookHandler, entry: &Entry, fault: Fault) -> String {
    let verify = program.verify_cure(handler);
    let raw = match (entry.framework, fault) {
        (_, Fault::Unset(name, _)) => {
            return format!(
                "Read the endpoint's signing secret from the environment where {name} is declared, and let the start fail \
                 when it is missing."
            );
        }
        (_, Fault::Form(_, true)) => {
            return "Put `express.urlencoded({ extended: false })` on this route: it parses the form into `req.body`."
                .to_owned();
        }
        (framework, Fault::Form(field, _)) => {
            let read = match framework {
                "flask" => format!("`request.form[\"{field}\"]`"),
                "django" => format!("`request.POST[\"{field}\"]`"),
                "fastapi" => {
                    format!("`form = await request.form()`, with python-multipart installed, and `form[\"{field}\"]`")
                }
                "hono" => format!("`const form = await c.req.parseBody()`, then `form[\"{field}\"]`"),
                _ => format!("`const form = await req.formData()`, then `form.get(\"{field}\")`"),
            };
            return format!("Read the form instead: {read}.");
        }
        (_, Fault::Unparsed) => {
            return "Put the parser of what the vendor sends on this route: `express.urlencoded({ extended: false })` for a \
                    form, `express.json()` for JSON."
                .to_owned();
        }
        (_, Fault::Required(_)) => {
            return "Take the SDK in with `import` at the head of the file, as the rest of the server does.".to_owned();
        }
        (_, Fault::Runtime) if program.runs_on_bun(entry) => {
            // The same call, whatever the framework makes of the body.
            let edge = program.webhook_of(handler).and_then(|webhook| webhook.cure_edge.as_deref());
            let called = edge.and_then(|cure| cure.split_once("await ")?.1.split_once('(')).map(|(called, _)| called);
            return called.map_or(verify, |called| {
                format!(
                    "Call `await {called}(..)` with the same arguments: it checks the same by the crypto that Bun has."
                )
            });
        }
        (_, Fault::Runtime | Fault::Unsent(..) | Fault::Misnamed(_)) => return verify,
        (_, Fault::Read(_)) => {
            "Read the body once, `const body = await req.text()`, verify that text, and parse it after with JSON.parse(body)."
        }
        ("express", _) => {
            "Put express.raw({ type: \"application/json\" }) on this route, before any app.use(express.json()), and verify req.body as it is."
        }
        ("next-pages" | "api-folder", _) => {
            "Export `const config = { api: { bodyParser: false } }`, read the bytes from the request's stream, and verify those."
        }
        ("cloud-functions", _) => "Verify req.rawBody: the platform keeps the bytes there.",
        ("flask", _) => "Verify request.get_data(), and parse it after with json.loads.",
        ("fastapi", _) => "Verify await request.body(), and parse it after with json.loads.",
        ("django", _) => "Verify request.body, and parse it after with json.loads.",
        _ if !program.facts(entry.function.file).language.is_script() => {
            "Verify the body's bytes as they came, and parse them after."
        }
        _ => {
            "Read the body as text, `const body = await req.text()`, verify that text, and parse it after with JSON.parse(body)."
        }
    };
    raw.to_owned()
}
