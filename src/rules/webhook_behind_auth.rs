//! Deliveries never reach the handler: what stands before it asks for something a vendor does not bring.

use std::collections::BTreeMap;

use crate::catalogue::Category;
use crate::finding::{Confidence, Place};
use crate::manifest::TokenGate;
use crate::program::verify::{Standing, Verdict};
use crate::program::webhooks::barriers::Barrier;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{Gate, Program};
use crate::rule;
use crate::rule::Report;
use crate::rules::webhook_verification_broken::is_broken;

rule! {
    /// A webhook behind a gate that its vendor cannot pass
    ///
    /// A vendor brings its signature and nothing else: no session, no token of the app's users, no field of its
    /// forms. Where something in front of the handler asks for those, every delivery is refused before the handler
    /// runs. Payments go through, and the app never hears of them.
    ///
    /// An edge function of Supabase asks for a user's or the project's token unless its configuration says
    /// `verify_jwt = false`: to say nothing means that it asks.
    ///
    /// What servers run before each request is gone through in thought, for a delivery that brings no session, no cookie
    /// and no token of the app's users: only where it is refused on every way, whatever else it brings, is that told.
    ///
    /// ## Silent when
    ///
    /// - the configuration or the script that deploys it opens the function, or notes say that it is deployed open;
    /// - the handler reads the `Authorization` header: its sender is set up to bring one;
    /// - the sender is the app's own backend;
    /// - the route is exempt from the check; middleware that covers routes by their path is gone through for this one,
    ///   and where that cannot be told, nothing is said;
    /// - nothing verifies the deliveries, or the check can be got around or not be passed: other rules tell of that.
    ///
    /// ## The cure
    ///
    /// Open the gate for this one route; the signature says who is calling.
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
    ///   await db.from("profiles").update({ plan: "pro" }).eq("id", event.data.object.client_reference_id);
    ///   return new Response("ok");
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```toml path=supabase/config.toml
    /// [functions.stripe-webhook]
    /// verify_jwt = false
    /// ```
    id: "webhook-behind-auth", severity: Error, confidence: High, section: "Webhooks",
    security: Some(7.5), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    // Where no configuration tells of any function, one mend opens them all: one finding.
    let mut unsaid: BTreeMap<String, Vec<&WebhookHandler>> = BTreeMap::new();
    for handler in program.webhook_handlers() {
        if !matches!(handler.verdict, Verdict::Fine | Verdict::Unknown) || is_from_home(program, handler) {
            continue;
        }
        let Some(barrier) = program.barrier(handler) else { continue };
        // What other branches read there the vendor does not bring.
        if handler.branch.is_none() && program.reads_authorization(&program.entries[handler.entry])
            || is_broken(program, handler)
        {
            continue;
        }
        match barrier {
            Barrier::Token { config, says: TokenGate::AskedByDefault } if !is_vague(program, handler) => {
                unsaid.entry(config).or_default().push(handler);
            }
            barrier => tell(program, report, handler, &barrier, &[]),
        }
    }
    for (config, handlers) in unsaid {
        if let [first, others @ ..] = &handlers[..] {
            tell(program, report, first, &Barrier::Token { config, says: TokenGate::AskedByDefault }, others);
        }
    }
}

/// Whether the app's own backend sends it, which brings its own token.
fn is_from_home(program: &Program, handler: &WebhookHandler) -> bool {
    handler.vendor.is_some_and(|vendor| program.catalogue.vendor(vendor).own_backend)
}

/// Whether nothing says who sends it: of a scheme that many senders share, the app's own backend may be one.
fn is_vague(program: &Program, handler: &WebhookHandler) -> bool {
    // Who asks the vendor again about what the delivery names knows its sender.
    let asked = handler.account.deeds.iter().any(|deed| matches!(deed.standing, Standing::Asked(_)));
    handler.by_name && !asked
        || handler.vendor.is_none_or(|vendor| program.catalogue.vendor(vendor).category == Category::Webhooks)
}

/// Whether the handler, or what stands in front of it beside a check of who is logged in, may verify who sends it.
fn is_checked(program: &Program, handler: &WebhookHandler) -> bool {
    let entry = &program.entries[handler.entry];
    let of_gate = |place: Place| {
        entry.middleware.iter().any(|gate| match *gate {
            Gate::Function(function) => {
                let span = program.facts(function.file).function(function.function).span;
                function.file == place.file && span.contains(place.span)
            }
            Gate::Library(expr) => program.place(expr) == place,
            Gate::Unknown => false,
        })
    };
    let may_check = |standing: Standing| match standing {
        Standing::Verified(place) | Standing::Rejected(place) | Standing::Unknown(place) => !of_gate(place),
        Standing::Asked(_) | Standing::Open(_) => true,
        Standing::Unverified => false,
    };
    handler.account.checks.iter().any(|&place| !of_gate(place))
        || handler.account.deeds.is_empty()
        || handler.account.deeds.iter().any(|deed| may_check(deed.standing))
}

fn name_of(program: &Program, handler: &WebhookHandler) -> String {
    let entry = &program.entries[handler.entry];
    entry.name.map_or_else(|| program.function_name(entry.function), |name| name.to_string())
}

/// What is wrong, and the cure.
fn words(
    program: &Program,
    handler: &WebhookHandler,
    barrier: &Barrier,
    others: &[&WebhookHandler],
) -> (String, String) {
    let entry = &program.entries[handler.entry];
    let webhook = program.webhook_name(handler);
    let who = match handler.vendor {
        Some(vendor) => program.catalogue.vendor(vendor).name.clone(),
        None => "its sender".to_owned(),
    };
    let route = entry.route.map_or_else(String::new, |route| route.to_string());
    let lost = "every delivery is refused before this runs, and what it tells is lost";
    match barrier {
        Barrier::Token { config, .. } => {
            let also = match others.len() {
                0 => String::new(),
                1 => "; another webhook is refused too".to_owned(),
                count => format!("; {count} other webhooks are refused too"),
            };
            let all = std::iter::once(handler).chain(others.iter().copied());
            let opened = all.map(|one| format!("[functions.{}]\nverify_jwt = false", name_of(program, one)));
            let opened = opened.collect::<Vec<_>>().join("\n");
            let (which, signed) = match others {
                [] => ("this function", "its signature is checked"),
                _ => ("these functions", "their signatures are checked"),
            };
            (
                format!(
                    "the platform asks {who} for a token of the app before {webhook} runs, and {who} has none: {lost}{also}"
                ),
                format!("Open {which} in {config}, {signed}:\n{opened}{}", other_actions(handler, others)),
            )
        }
        Barrier::Session(_) => (
            format!("{webhook} is behind a check of who is logged in, and {who} has no session: {lost}"),
            "Register this route before the check, or outside the router that has it: its signature is checked."
                .to_owned(),
        ),
        Barrier::Middleware(at) => {
            let path = program.file(at.file).path;
            (
                format!(
                    "{path} turns away whoever is not logged in, and {who} has no session when it calls {webhook}: {lost}"
                ),
                format!(
                    "Let {route} through in {path}: name it among the paths that need no session, or leave it out of the \
                     matcher. Its signature is checked."
                ),
            )
        }
        Barrier::Forms(_) => (
            format!("{webhook} is behind the check against forged forms, and {who} brings no token of one: {lost}"),
            match entry.framework {
                django if django.starts_with("django") => {
                    "Put @csrf_exempt over this view: its signature is checked.".to_owned()
                }
                "flask" => {
                    "Exempt this route from the check, with @csrf.exempt under its route: its signature is checked."
                        .to_owned()
                }
                _ => format!(
                    "Let {route:?} pass in this middleware before the token is asked for: its signature is checked."
                ),
            },
        ),
    }
}

fn tell(
    program: &Program,
    report: &mut Report,
    handler: &WebhookHandler,
    barrier: &Barrier,
    others: &[&WebhookHandler],
) {
    let (message, help) = words(program, handler, barrier, others);
    let all = || std::iter::once(handler).chain(others.iter().copied());
    // Opened unverified, it would take whatever anybody sends.
    let help = match all().find(|one| !is_checked(program, one)) {
        Some(one) => {
            let help = help
                .replace(": its signature is checked", "")
                .replace(", its signature is checked", "")
                .replace(", their signatures are checked", "")
                .replace(" Its signature is checked.", "");
            format!(
                "Verify first who sends it, for nothing here does: {}\nThen open it. {help}",
                program.verify_cure(one)
            )
        }
        None => help,
    };
    let confidence = match barrier {
        _ if is_vague(program, handler) => Confidence::Low,
        Barrier::Token { says: TokenGate::AskedByDefault, .. } => Confidence::Medium,
        _ => Confidence::High,
    };
    let head = program.entry_head(&program.entries[handler.entry]);
    let mut draft = report.at(head, name_of(program, handler), message).confidence(confidence).help(help);
    match barrier {
        Barrier::Session(place) => draft = draft.because(*place, "asks who is logged in"),
        Barrier::Middleware(place) => draft = draft.because(*place, "turns it away here"),
        Barrier::Forms(place) => draft = draft.because(*place, "covers every route that is not exempt"),
        Barrier::Token { .. } => {}
    }
    if let Some(sign) = handler.evidence.first() {
        draft = draft.because(sign.place, sign.text.clone());
    }
    for other in others {
        draft = draft.because(program.entry_head(&program.entries[other.entry]), "refused too");
    }
    if let Some(vendor) = handler.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

/// What opening a function does to those of its actions that pages ask for.
fn other_actions(handler: &WebhookHandler, others: &[&WebhookHandler]) -> &'static str {
    if handler.branch.is_some() || others.iter().any(|other| other.branch.is_some()) {
        "\nFirst see that each other action of it asks `getUser` who is calling: the platform asks nobody then."
    } else {
        ""
    }
}
