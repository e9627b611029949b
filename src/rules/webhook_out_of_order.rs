//! State overwritten from events in whatever order they come.

use rustc_hash::FxHashSet;

use crate::finding::Place;
use crate::program::{Program, webhooks::deliveries};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A webhook overwrites state in the order deliveries come
    ///
    /// Vendors do not promise the order: a delivery that failed is sent again an hour later, after newer ones. When the
    /// handler writes whatever an event says, the older event wins: a customer who has just come back is set to
    /// "cancelled", and one who left keeps the plan.
    ///
    /// ## Silent when
    ///
    /// - the time or version of the event is compared with what is kept;
    /// - what is kept is compared before, or in the write's own condition;
    /// - the vendor is asked for the present state, and that is written;
    /// - the event tells of something that happens once.
    ///
    /// It is a note for auditors: most apps live with it, and it is rare.
    ///
    /// ## The cure
    ///
    /// Keep the time of the last event and skip older ones, or fetch the object from the vendor and write what it says.
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
    ///   const secret = Deno.env.get("STRIPE_WEBHOOK_SECRET")!;
    ///   const event = await stripe.webhooks.constructEventAsync(await req.text(), req.headers.get("stripe-signature")!, secret);
    ///   if (event.type === "customer.subscription.updated") {
    ///     const plan = event.data.object;
    ///     await db.from("plans").update({ status: plan.status }).eq("subscription", plan.id);
    ///   }
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
    ///   if (event.type === "customer.subscription.updated") {
    ///     const plan = await stripe.subscriptions.retrieve(event.data.object.id);
    ///     await db.from("plans").update({ status: plan.status }).eq("subscription", plan.id);
    ///   }
    ///   return new Response("ok");
    /// });
    /// ```
    id: "webhook-out-of-order", severity: Note, confidence: Low, section: "Webhooks",
    security: Some(3.0), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<Place> = FxHashSet::default();
    for handler in program.webhook_handlers() {
        let home = program.home_files(handler);
        let mut found = Vec::new();
        for written in program.writes_of(handler) {
            if program.runs_once(written.way.iter().map(|edge| edge.call).chain([written.at])) {
                continue;
            }
            let Some(event) = program.overwrites_in_any_order(handler, &written) else { continue };
            let mut way = written.way.iter().map(|edge| edge.call).chain([written.at]);
            let at = way.rfind(|call| home.contains(&call.file)).unwrap_or(written.at);
            found.push((at, written, event));
        }
        // What ends a thing is seldom told before something else of it: a change says more.
        found.sort_by_key(|(.., event)| deliveries::ends(event));
        let others: Vec<Place> = found.iter().skip(1).map(|(at, ..)| program.call_place(*at)).collect();
        let Some((at, written, event)) = found.into_iter().next() else { continue };
        if !told.insert(program.call_place(at)) {
            continue;
        }
        let (webhook, call) = (program.webhook_name(handler), program.call_text(written.at));
        let message = format!(
            "{webhook} writes what {event} says ({call}) without a look at when it was said: two deliveries that arrive in the wrong order leave the older state"
        );
        let mut draft = report.at(program.call_place(at), call, message).auditor_only().help(
            "Keep the time of the last event beside the state and skip events that are older, or fetch the object from the vendor and write what it says now.",
        );
        let mut seen = FxHashSet::from_iter([program.call_place(at)]);
        for other in others.into_iter().filter(|other| seen.insert(*other)).take(5) {
            draft = draft.because(other, "overwritten here too");
        }
        draft = draft.trace(program.trace_to(&program.entries[handler.entry], written.at, "overwrites the state"));
        if let Some(vendor) = handler.vendor {
            draft.vendor(program.vendor_id(vendor));
        }
    }
}
