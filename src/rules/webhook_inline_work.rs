//! Slow work before a webhook's answer.

use rustc_hash::FxHashSet;

use crate::catalogue::{Category, Effect};
use crate::finding::{Confidence, Place};
use crate::program::repeats::state_checks::Held;
use crate::program::time::waiting::Waited;
use crate::program::verify::words;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, Destination, Entry, HttpUse, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A webhook does slow work before it answers
    ///
    /// Vendors wait only some seconds for the answer to a delivery. While the handler sends a mail or asks a model, the
    /// clock runs: when that other service is slow, the vendor takes the delivery for failed and sends it again, and
    /// the work runs a second time beside the first. When the other service is down, every delivery fails, and a
    /// payment is not booked because a mail could not be sent.
    ///
    /// ## Silent when
    ///
    /// - the work is left to a queue, a job or the time after the answer;
    /// - all it waits for is its own database, or the delivering vendor when it is asked for the object;
    /// - it waits for the key that the signature is checked with;
    /// - the delivery asks for what the call gives: the words to say in a call;
    /// - the sender waits for the work itself: a login service that has its mail sent by a hook;
    /// - what comes in is the app's own work, handed to a queue before, or tells of a changed row of its own database.
    ///
    /// ## The cure
    ///
    /// Store the event, answer 200, and do the slow work from there.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/stripe-webhook/index.ts
    /// import Stripe from "npm:stripe@17";
    /// import { Resend } from "npm:resend@4";
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    /// const resend = new Resend(Deno.env.get("RESEND_API_KEY"));
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const secret = Deno.env.get("STRIPE_WEBHOOK_SECRET")!;
    ///   const event = await stripe.webhooks.constructEventAsync(await req.text(), req.headers.get("stripe-signature")!, secret);
    ///   const session = event.data.object;
    ///   await db.from("orders").update({ paid: true }).eq("id", session.client_reference_id);
    ///   await resend.emails.send({ from: "shop@example.com", to: session.customer_email, subject: "Thanks", html: "<p>Thanks</p>" });
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
    ///   const secret = Deno.env.get("STRIPE_WEBHOOK_SECRET")!;
    ///   const event = await stripe.webhooks.constructEventAsync(await req.text(), req.headers.get("stripe-signature")!, secret);
    ///   const session = event.data.object;
    ///   await db.from("orders").update({ paid: true }).eq("id", session.client_reference_id);
    ///   await db.from("mails_to_send").upsert({ event_id: event.id, kind: "thanks", to: session.customer_email });
    ///   return new Response("ok");
    /// });
    /// ```
    id: "webhook-inline-work", severity: Warning, confidence: Medium, section: "Webhooks",
    security: Some(5.0), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<Place> = FxHashSet::default();
    for handler in program.webhook_handlers() {
        let own = handler.vendor.is_some_and(|vendor| program.catalogue.vendor(vendor).own_backend);
        let jobs = program.webhook_of(handler).is_some_and(|webhook| webhook.delivers_jobs);
        if own || jobs || handler.of_row || program.is_called_in_line(handler) || program.is_heard(handler) {
            continue;
        }
        let entry = &program.entries[handler.entry];
        // `send-reset-mail`, called by a hook: that is what it is for.
        let name = entry.name.or(entry.route).map(|name| words(&name)).unwrap_or_default();
        let carried = |vendor| program.catalogue.vendor(vendor).category == Category::Webhooks;
        if handler.vendor.is_none_or(carried) && name.iter().any(|word| matches!(word.as_str(), "send" | "notify")) {
            continue;
        }
        let mut slow = program.waited_for(entry);
        slow.retain(|waited| {
            is_slow(program, handler, entry, waited.call) && !program.is_for_refused(handler.entry, waited.call)
        });
        // A model is slower than a mail, many are slower than one; of equals the first.
        let Some(first) = slow.iter().min_by_key(|waited| std::cmp::Reverse(weight(program, waited))) else { continue };
        let place = program.call_place(shown(program, handler, first));
        if told.insert(place) {
            tell(program, report, handler, first, &slow);
        }
    }
}

fn effect(program: &Program, call: CallRef) -> Option<Effect> {
    program.vendors_at(call).iter().find_map(|used| program.operation(used)).map(|operation| operation.effect)
}

fn weight(program: &Program, waited: &Waited) -> u8 {
    let generates = effect(program, waited.call) == Some(Effect::Generate);
    2 * u8::from(generates) + u8::from(waited.each)
}

/// Whether a call is work beside the event: not the delivering vendor asked about it, no database, no counter.
fn is_slow(program: &Program, handler: &WebhookHandler, entry: &Entry, call: CallRef) -> bool {
    let effect = effect(program, call);
    let uses = program.vendors_at(call);
    if uses.iter().any(|used| {
        let vendor = program.catalogue.vendor(used.vendor);
        // A mail is one whoever carries it.
        let mails = effect == Some(Effect::Send) && !vendor.own_backend;
        matches!(vendor.category, Category::Monitoring | Category::Analytics)
            || vendor.category == Category::Data && !mails
    }) {
        return false;
    }
    // The key that the signature is checked with.
    let keys = |http: &HttpUse| http.to.iter().filter_map(|to| to.path()).any(|path| is_key_path(&path));
    if program.requests_at(call).iter().any(keys) {
        return false;
    }
    // A credential or a setting is fetched from where the platform keeps it; or it is the vendor's own host.
    let id = handler.vendor.map(|vendor| program.catalogue.vendor(vendor).id.as_str());
    let settings = |http: &HttpUse| {
        let reads = http.method.is_none_or(|method| method == "GET");
        http.to.iter().all(|to| match to {
            Destination::Env(name, _) => {
                reads || id.is_some_and(|id| name.to_ascii_lowercase().split('_').any(|word| word == id))
            }
            _ => false,
        })
    };
    let requests = program.requests_at(call);
    if uses.is_empty() && !requests.is_empty() && requests.iter().all(settings) {
        return false;
    }
    if uses.is_empty() && !requests.is_empty() && requests.iter().all(|http| program.asks_sender(handler, http)) {
        return false;
    }
    let same = uses.iter().any(|used| Some(used.vendor) == handler.vendor);
    if same && !matches!(effect, Some(Effect::Send | Effect::Generate)) {
        return false;
    }
    // A token is fetched for a call that is told itself.
    if effect == Some(Effect::Token) {
        return false;
    }
    !program.is_answered_with(entry, call) || effect == Some(Effect::Send)
}

/// Whether public keys stand at a path: `/.well-known/jwks.json`, `/v1/public_key/{}`.
fn is_key_path(path: &str) -> bool {
    let path = path.to_ascii_lowercase().replace(['-', '_'], "");
    ["jwks", "publickey", "/oauth2/v1/certs", "/oauth2/v3/certs"].iter().any(|part| path.contains(part))
}

/// Where it is told of: the last call on the way that stands in the handler's own files.
fn shown(program: &Program, handler: &WebhookHandler, waited: &Waited) -> CallRef {
    let home = program.home_files(handler);
    let mut way = waited.way.iter().map(|edge| edge.call).chain([waited.call]);
    way.rfind(|call| home.contains(&call.file)).unwrap_or(waited.call)
}

/// The call on the way that says what is sent: one request of many may go through the same function.
fn as_asked(program: &Program, waited: &Waited) -> CallRef {
    let hands_on = |at: CallRef| program.requests_at(at).iter().any(|http| http.inner == waited.call);
    let mut way = waited.way.iter().rev().map(|edge| edge.call);
    way.find(|&at| hands_on(at) && program.vendors_at(at).len() == 1).unwrap_or(waited.call)
}

fn tell(program: &Program, report: &mut Report, handler: &WebhookHandler, first: &Waited, all: &[Waited]) {
    let entry = &program.entries[handler.entry];
    let webhook = program.webhook_name(handler);
    let asked = as_asked(program, first);
    let (what, whom) = (program.sent_name(asked), program.sent_to(asked));
    let who = match handler.vendor {
        Some(vendor) => program.catalogue.vendor(vendor).name.clone(),
        None => "the sender".to_owned(),
    };
    let then = match program.webhook_of(handler).is_some_and(|webhook| webhook.never_redelivers) {
        _ if program.is_by_hand(handler) => format!("{who} gives up, and who asked for it is shown an error"),
        true => format!("{who} gives up, and the delivery counts as failed"),
        false => {
            let way: Vec<CallRef> = first.way.iter().map(|edge| edge.call).chain([first.call]).collect();
            match program.held(&way, None) {
                Held::Claimed | Held::Changed | Held::Noted => format!(
                    "{who} gives up and delivers the event again, that is turned away as known, and what was not \
                     finished is never done"
                ),
                Held::Asked => format!("{who} gives up and delivers the event again while the first still runs"),
                Held::Free => format!("{who} gives up and delivers the event again, and the work runs twice"),
            }
        }
    };
    let each = if first.each { ", once for each element of a loop," } else { "" };
    let slow = if whom == who { "that is slow".to_owned() } else { format!("{whom} is slow or down") };
    let message = format!("{webhook} waits for {what}{each} before it answers: when {slow}, {then}");
    let at = shown(program, handler, first);
    let confidence = if handler.vendor.is_none() && handler.by_name { Confidence::Low } else { Confidence::Medium };
    let mut draft =
        report.at(program.call_place(at), what, message).confidence(confidence).help(help(program, entry, handler));
    if at != first.call {
        draft = draft.because(program.call_place(first.call), "what it waits for");
    }
    /// More say nothing more.
    const MOST: usize = 5;
    let mut seen: FxHashSet<Place> = FxHashSet::from_iter([program.call_place(at)]);
    for other in all {
        let place = program.call_place(shown(program, handler, other));
        if seen.len() <= MOST && seen.insert(place) {
            draft = draft.because(place, format!("waits for {} too", program.sent_name(as_asked(program, other))));
        }
    }
    if !first.way.is_empty() {
        let steps =
            program.trace(program.entry_head(entry), "a delivery comes in", &first.way, first.call, "waits here");
        draft = draft.trace(steps);
    }
    for used in program.vendors_at(first.call) {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
    if let Some(vendor) = handler.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

fn help(program: &Program, entry: &Entry, handler: &WebhookHandler) -> String {
    let script = program.facts(entry.function.file).language.is_script();
    let how = match entry.framework {
        _ if !script => "put the work into a queue (`work.delay(stored_id)`) or a row that a job works off",
        "supabase-functions" => {
            "leave the work to `EdgeRuntime.waitUntil(work(stored.id))` or to a job that works off what is stored"
        }
        "next-app" if program.has_no_after(entry.function.file) => {
            "leave the work to `waitUntil(work(stored.id))` from \"@vercel/functions\" or to a job that works off what is stored"
        }
        "next-app" => {
            "leave the work to `after(() => work(stored.id))` from \"next/server\" or to a job that works off what is stored"
        }
        _ => "put the work into a queue, or let a job work off what is stored",
    };
    let by = program.webhook_of(handler).and_then(|webhook| webhook.event_id.as_deref());
    let by = by.filter(|by| !matches!(*by, "id" | "event.id" | "event id")).unwrap_or("its id");
    format!(
        "Store the event where {by} is unique, answer 200, and {how}: what is stored can be done again when it fails."
    )
}
