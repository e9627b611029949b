//! Answers of outbound requests whose status nobody looks at.

use crate::catalogue::{Category, Effect};
use crate::facts::{ExprId, ExprKind, FunctionId};
use crate::names::Name;
use crate::program::failures::stands::Round;
use crate::program::failures::statuses::Unchecked;
use crate::program::values::options::Lookup;
use crate::program::values::readers::Use;
use crate::program::verify::words;
use crate::program::{CallRef, Destination, EntryKind, HttpUse, Leaves, Program, Value};
use crate::rule::Report;

crate::rule! {
    /// The answer of a request is used, or success assumed, without a look at its status
    ///
    /// `fetch`, `requests` and `httpx` do not throw when the vendor refuses: an answer of 401, 429 or 500 comes back
    /// like any other. Its error body is then taken for data, or nobody looks at all, and the customer is told that
    /// the contact was stored or the message sent.
    ///
    /// ## Silent when
    ///
    /// - `ok`, the status or `raise_for_status()` is looked at, here, in a helper or by a caller of a wrapper
    /// - the client throws by itself
    /// - something in the body that says whether it worked is tested before use, or the body is validated
    /// - the body of a read is only logged; analytics
    /// - the answer as a whole is handed on to something that cannot be followed
    /// - it is the app's own backend, its own route, or a URL that cannot be told
    ///
    /// ## The cure
    ///
    /// Look at the status before the body.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/subscribe/index.ts
    /// Deno.serve(async (req) => {
    ///   const { email } = await req.json();
    ///   await fetch("https://api.brevo.com/v3/contacts", {
    ///     method: "POST",
    ///     headers: { "api-key": Deno.env.get("BREVO_API_KEY")! },
    ///     body: JSON.stringify({ email }),
    ///   });
    ///   return Response.json({ subscribed: true });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/subscribe/index.ts
    /// Deno.serve(async (req) => {
    ///   const { email } = await req.json();
    ///   const res = await fetch("https://api.brevo.com/v3/contacts", {
    ///     method: "POST",
    ///     headers: { "api-key": Deno.env.get("BREVO_API_KEY")! },
    ///     body: JSON.stringify({ email }),
    ///   });
    ///   if (!res.ok) return Response.json({ error: "not subscribed" }, { status: 502 });
    ///   return Response.json({ subscribed: true });
    /// });
    /// ```
    id: "status-unchecked", severity: Warning, confidence: High, section: "Contract drift",
    security: None, since: "0.1.0", check: check
}

/// Why an answer stays as it is.
const SAME: &str = "Addresses that are not known get that answer too: an error would tell which ones have an account.";

/// Why a loop goes on.
const LEFT_OUT: &str = "Thrown, it leaves out all that come after, and the next run does the first ones again.";

/// What follows on a refusal.
#[derive(Clone, Copy)]
enum Then {
    Throw,
    Log,
    GoOn,
    /// A row stands that a second delivery adds again: the mail behind it is not worth that.
    Keep(Name),
}

fn check(program: &Program, report: &mut Report) {
    for http in program.requests().iter().filter(|http| http.at == http.inner) {
        let side = program.side(http.at.file);
        if side.tooling || side.dead || !(side.server || side.client) || !counts(program, http) {
            continue;
        }
        if let Some(unchecked) = program.unchecked_status(http)
            && is_loss(program, http, unchecked)
        {
            tell(program, report, http, unchecked);
        }
    }
}

/// Whether a request leaves the app by a client that does not throw.
fn counts(program: &Program, http: &HttpUse) -> bool {
    let client = program.http_client(http);
    let leaves = |http: &HttpUse| program.leaves(http) == Leaves::Yes;
    let own = http
        .to
        .iter()
        .any(|to| matches!(to, Destination::Vendor(vendor, ..) if program.catalogue.vendor(*vendor).own_backend));
    // A browser shows nothing of such an answer.
    let mode = http.options.iter().map(|options| program.lookup(options, Name::new("mode")));
    let opaque = mode.into_iter().any(|mode| matches!(mode, Lookup::Present(Value::Text(mode)) if mode == "no-cors"));
    if own || opaque {
        return false;
    }
    let records = http.to.iter().all(|to| matches!(to, Destination::Env(name, _) if program.keeps_record(name)));
    let outbound = leaves(http) || program.through(http).any(leaves) || puts_file(program, http);
    let little = program.vendors_at(http.at).iter().any(|used| {
        matches!(program.catalogue.vendor(used.vendor).category, Category::Analytics | Category::Monitoring)
            || program.operation(used).is_some_and(|op| matches!(op.effect, Effect::Track | Effect::Sign))
    });
    // Node's own clients hand the answer to a callback or an event, where it is not followed.
    let is_called_back = matches!(client.package.as_str(), "node:http" | "node:https");
    !client.throws_on_status && !client.always_outbound && outbound && !is_called_back && !records && !little
}

/// Whether a request puts a file where a signed link says, which the app's own server handed out.
fn puts_file(program: &Program, http: &HttpUse) -> bool {
    let facts = program.facts(http.at.file);
    let named = || {
        let to = facts.call(http.at.call).args.first()?.value;
        let says = |name: Name| {
            let words = words(&name);
            let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
            has(&["url", "urls", "link"]) && has(&["upload", "signed", "presigned", "put"])
        };
        // `url = s3.generate_presigned_url("put_object", ..)`
        let made = |value: ExprId| {
            let mut value = value;
            while let ExprKind::Await(inner) = facts.expr(value) {
                value = *inner;
            }
            matches!(facts.expr(value), ExprKind::Call(call) if facts.last_name(facts.call(*call).callee).is_some_and(says))
        };
        let held = match facts.expr(to) {
            ExprKind::Ref(name, block) => {
                facts.lookup(*block, *name).is_some_and(|def| facts.def(def).values.iter().any(|&value| made(value)))
            }
            _ => made(to),
        };
        Some(held || says(facts.last_name(to)?))
    };
    http.method.is_some_and(|method| method.as_str() == "PUT")
        && program.leaves(http) == Leaves::Unknown
        && named() == Some(true)
}

/// Whether a refusal that nobody sees is a loss: a body taken for data, or a write taken for done.
fn is_loss(program: &Program, http: &HttpUse, unchecked: Unchecked) -> bool {
    let writes = written_by(program, http).is_some();
    match unchecked {
        Unchecked::Body => true,
        Unchecked::Nothing | Unchecked::Logged => {
            writes && !program.is_floating(http.at) && !program.is_after_failure(http.at)
        }
    }
}

/// The method by which a request writes: its own, or what callers tell the wrapper that it stands in.
fn written_by(program: &Program, http: &HttpUse) -> Option<Name> {
    let writes = |method: &Name| matches!(method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE");
    match http.method {
        Some(method) => Some(method).filter(writes),
        None => program
            .through(http)
            .filter(|http| program.leaves(http) == Leaves::Yes)
            .find_map(|http| http.method.filter(writes)),
    }
}

fn tell(program: &Program, report: &mut Report, http: &HttpUse, unchecked: Unchecked) {
    let function = program.function_of(http.at);
    let origins = program.origins(function);
    if program.is_run_by_hand(&origins) {
        return;
    }
    let callers: Vec<&HttpUse> = program.through(http).filter(|http| program.leaves(http) == Leaves::Yes).collect();
    let all = || std::iter::once(http).chain(callers.iter().copied());
    let unnamed = if puts_file(program, http) { "the file store" } else { "the service" };
    let whom = all().find_map(|http| program.destination_name(http)).unwrap_or_else(|| unnamed.to_owned());
    let told = match unchecked {
        Unchecked::Body => http.method,
        Unchecked::Nothing | Unchecked::Logged => http.method.or_else(|| written_by(program, http)),
    };
    let method = told.as_ref().map_or("a request", |method| method.as_str());
    let subject = format!("{method} to {whom}");
    let origin = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script);
    let who = match origin {
        Some(origin) => program.entry_name(&program.entries[origin.entry]),
        None if function.function == FunctionId::MODULE => "the code".to_owned(),
        None => program.function_name(function),
    };
    let client = &program.http_client(http).id;
    let message = match unchecked {
        Unchecked::Body => format!(
            "the answer of {subject} is used without a look at its status: {client} does not throw when {whom} refuses, and {who} takes the error for data"
        ),
        Unchecked::Nothing | Unchecked::Logged => format!(
            "nobody looks at the answer of {subject}: {client} does not throw when {whom} refuses, and {who} goes on as if it had worked"
        ),
    };
    let way = origin.map_or(&[][..], |origin| &origin.way[..]);
    let sends = all()
        .flat_map(|http| program.vendors_at(http.at))
        .any(|used| program.operation(used).is_some_and(|operation| operation.effect == Effect::Send));
    let then = match () {
        () if sends && program.hides_who_is_known(http.at, &origins) => Then::Log,
        () if !program.is_webhook_work(http.at, &origins)
            && sends
            && program.round_ended_by(http.at, way) == Some(Round::Loop) =>
        {
            Then::GoOn
        }
        () if sends && program.is_webhook_work(http.at, &origins) => {
            let rows = origins.iter().filter_map(|origin| program.stands_before(http.at, &origin.way).row_of_some);
            rows.min().map_or(Then::Throw, Then::Keep)
        }
        () => Then::Throw,
    };
    let help = cure(program, http, then);
    let mut draft = report.at(program.call_place(http.at), subject, message).help(help);
    for used in all().flat_map(|http| program.vendors_at(http.at)) {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
    for caller in callers.iter().take(6) {
        draft = draft.because(program.call_place(caller.at), "sends it through here");
    }
    if let Some(origin) = origin {
        draft.trace(program.trace_from(origin, http.at, "nobody looks at the status"));
    }
}

/// How the status is looked at, by the name that the code gives the answer.
fn cure(program: &Program, http: &HttpUse, then: Then) -> String {
    let at = http.at;
    let script = program.facts(at.file).language.is_script();
    let held = held_as(program, at);
    let first = match held {
        Some(name) => format!("Look at the status of `{name}` before anything else"),
        None => "Keep the answer and look at its status before anything else".to_owned(),
    };
    let name = held.unwrap_or_else(|| Name::new(if script { "res" } else { "response" }));
    // Thrown before the `try`, what stands for "not known" would become an error of all that was asked.
    if matches!(then, Then::Throw) && program.is_read_in_try(http) {
        let throws = match script {
            true => format!("if (!{name}.ok) throw new Error(`...: ${{{name}.status}}`);"),
            false => format!("{name}.raise_for_status()"),
        };
        return format!(
            "Look at the status of `{name}` inside the `try` that reads its body, so that a refusal ends where a body does \
             that cannot be read: `{throws}` as its first line."
        );
    }
    match (script, then) {
        (true, Then::Throw) => format!("{first}: `if (!{name}.ok) throw new Error(`...: ${{{name}.status}}`);`."),
        (false, Then::Throw) => format!("{first}: `{name}.raise_for_status()`."),
        (true, Then::Log) => {
            format!("{first}, log it, and answer as before: `if (!{name}.ok) console.error({name}.status);`. {SAME}")
        }
        (false, Then::Log) => {
            format!(
                "{first}, log it, and answer as before: `if not {name}.ok: logger.error({name}.status_code)`. {SAME}"
            )
        }
        (_, Then::Keep(table)) => {
            let log = match script {
                true => format!("if (!{name}.ok) console.error({name}.status);"),
                false => format!("if not {name}.ok: logger.error({name}.status_code)"),
            };
            format!(
                "{first}, and log a refusal with an id that finds the message again: `{log}`. The row in {:?} that was \
                 inserted before stands: an error answered here has the vendor deliver again, and the row is refused or \
                 there twice.",
                table.as_str()
            )
        }
        (true, Then::GoOn) => format!(
            "{first}, note a refusal and go on with the next: `if (!{name}.ok) {{ failed += 1; continue; }}`. {LEFT_OUT}"
        ),
        (false, Then::GoOn) => format!(
            "{first}, note a refusal and go on with the next: `if {name}.status_code >= 400: failed += 1; continue`. {LEFT_OUT}"
        ),
    }
}

/// What the code calls the answer of a request.
fn held_as(program: &Program, at: CallRef) -> Option<Name> {
    let facts = program.facts(at.file);
    let readers = program.readers(at.file);
    let mut expr = facts.call(at.call).expr;
    for _ in 0..3 {
        let mut next = None;
        for used in readers.uses(expr) {
            match *used {
                Use::Kept(def) => return Some(facts.def(def).name),
                Use::In(outer) if matches!(facts.expr(outer), ExprKind::Await(_)) => next = Some(outer),
                _ => {}
            }
        }
        expr = next?;
    }
    None
}
