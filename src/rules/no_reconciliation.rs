//! State that only a vendor's deliveries keep, and that nothing compares with the vendor.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::catalogue::{Category, Effect, VendorId};
use crate::facts::BlockKind;
use crate::finding::Confidence;
use crate::program::apps::AppId;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{EdgeKind, EntryKind, FunctionRef, Program, VendorUse};
use crate::rule::Report;

crate::rule! {
    /// State that comes from webhooks alone
    ///
    /// Deliveries get lost: an outage, a deployment, an endpoint that a vendor switched off after errors. What the app
    /// keeps of payments, subscriptions or accounts then differs from what the vendor knows, and nobody notices: a
    /// customer has paid and gets nothing, another keeps what they no longer pay for.
    ///
    /// A note for auditors, once a vendor, at its handler.
    ///
    /// ## Silent when
    ///
    /// - something on the server or in a script lists the vendor's records, or a job, a queue or a script fetches them;
    ///   lists of prices and products, of what is sold, do not count
    /// - the handler keeps nothing
    /// - nothing is known of how to list this vendor's records
    ///
    /// ## The cure
    ///
    /// A job that lists the vendor's records once a day and compares them with what is kept.
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
    ///   const subscription = event.data.object as Stripe.Subscription;
    ///   await db.from("plans").update({ state: subscription.status }).eq("subscription_id", subscription.id);
    ///   return new Response("ok");
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/compare-plans/index.ts
    /// import Stripe from "npm:stripe@17";
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async () => {
    ///   for await (const subscription of stripe.subscriptions.list({ status: "all" })) {
    ///     await db.from("plans").update({ state: subscription.status }).eq("subscription_id", subscription.id);
    ///   }
    ///   return new Response("ok");
    /// });
    /// ```
    id: "no-reconciliation", severity: Note, confidence: Medium, section: "Seeing failures",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut kept: BTreeMap<(VendorId, AppId), &WebhookHandler> = BTreeMap::new();
    for handler in program.webhook_handlers() {
        let Some(vendor) = handler.vendor.filter(|&vendor| can_be_compared(program, vendor)) else { continue };
        let mut apps = program.apps_of(program.entries[handler.entry].function.file);
        apps.retain(|&app| !kept.contains_key(&(vendor, app)));
        if !apps.is_empty() && !program.writes_of(handler).is_empty() {
            kept.extend(apps.into_iter().map(|app| ((vendor, app), handler)));
        }
    }
    if kept.is_empty() {
        return;
    }
    let within = delivered(program);
    let mut told: Vec<(VendorId, usize)> = Vec::new();
    for ((vendor, app), handler) in kept {
        if told.contains(&(vendor, handler.entry)) || is_compared(program, vendor, app, &within) {
            continue;
        }
        told.push((vendor, handler.entry));
        let entry = &program.entries[handler.entry];
        let name = &program.catalogue.vendor(vendor).name;
        let message = format!(
            "what the app keeps of {name} comes from its deliveries alone: one that is lost stays lost, and nobody notices until a customer does"
        );
        report
            .at(program.entry_head(entry), name.clone(), message)
            .confidence(Confidence::Medium)
            .auditor_only()
            .vendor(program.vendor_id(vendor))
            .help(format!(
                "Add a job that lists the records of {name} once a day, page by page, and compares them with what is kept."
            ));
    }
}

/// Whether a vendor keeps records that matter and that can be listed.
fn can_be_compared(program: &Program, vendor: VendorId) -> bool {
    let vendor = program.catalogue.vendor(vendor);
    let matters = matches!(vendor.category, Category::Payments | Category::Commerce | Category::Auth | Category::Crm);
    !vendor.own_backend && matters && vendor.calls.iter().any(|call| call.effect == Effect::List)
}

/// The functions that deliveries make run.
fn delivered(program: &Program) -> FxHashSet<FunctionRef> {
    let starts = program.webhook_handlers().iter().map(|handler| program.entries[handler.entry].function);
    starts
        .flat_map(|start| program.reach(start, |edge| edge.kind != EdgeKind::Jump).stops)
        .flat_map(|stop| program.with_inner(stop.function))
        .collect()
}

/// Whether a list is one of what the app sells, or of how it is set up.
fn lists_offers(program: &Program, used: &VendorUse) -> bool {
    let offers = &program.catalogue.vendor(used.vendor).offers;
    let mut words = used.name.split(['.', '/', ' ', '?']).map(|word| word.to_ascii_lowercase().replace('_', ""));
    words.any(|word| offers.contains(&word))
}

/// Whether an app lists records of a vendor outside of its deliveries, or fetches them by a job.
fn is_compared(program: &Program, vendor: VendorId, app: AppId, within: &FxHashSet<FunctionRef>) -> bool {
    let own = |used: &&VendorUse| used.vendor == vendor && program.is_of_app(used.at.file, app);
    program.vendor_uses().iter().filter(own).any(|used| {
        let function = program.function_of(used.at);
        let Some(operation) = program.operation(used) else { return false };
        match operation.effect {
            Effect::List => !within.contains(&function) && !lists_offers(program, used),
            // What goes through the open ones and asks for each compares as well.
            Effect::Read
                if !within.contains(&function)
                    && program.runs_within(used.at, |kind| matches!(kind, BlockKind::Loop(Some(_)))) =>
            {
                true
            }
            Effect::Read => program.origins(function).iter().any(|start| {
                matches!(program.entries[start.entry].kind, EntryKind::Job | EntryKind::Worker | EntryKind::Script)
            }),
            _ => false,
        }
    })
}
