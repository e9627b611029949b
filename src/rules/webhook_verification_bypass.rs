//! Deliveries are verified, but the check can be got around.

use crate::facts::{ExprKind, Step};
use crate::finding::{Place, Severity};
use crate::names::Name;
use crate::program::verify::{Lapse, Verdict, Why};
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{CallRef, Entry, ExprRef, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A webhook's verification fails open
    ///
    /// The check is there, but a delivery gets past it: it runs only while the secret is set and the body is parsed
    /// and trusted otherwise, it is left out outside production or when the signature header is missing, its failure
    /// is caught and the work goes on, its result is never looked at, its promise is never awaited (a promise is
    /// always true), or its secret falls back to a text that anyone can read, or to the blank field of a row. One missing variable on one deployment
    /// and every forged event is taken for real, while everything seems to work.
    ///
    /// ## Silent when
    ///
    /// - a missing secret or header is answered with an error;
    /// - an empty secret is refused by what makes the check of it: a key of the web's crypto, a library that throws;
    /// - what runs in spite of a failed check only answers, or keeps a record of the delivery;
    /// - what is done hangs on what the vendor answers when it is asked for the object, and on nothing else delivered;
    /// - it is done for a request that is not posted: a handshake, a link in a mail;
    /// - whether the check can be skipped cannot be told.
    ///
    /// A skip that needs a setting (`SKIP_CHECK=true`), while the default checks, is a warning.
    ///
    /// ## The cure
    ///
    /// Refuse the delivery whenever it cannot be verified: no secret, no signature, a check that throws or says no.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/webhooks/stripe/route.ts
    /// import Stripe from "stripe";
    /// import { createClient } from "@supabase/supabase-js";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const db = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_SERVICE_ROLE_KEY!);
    ///
    /// export async function POST(req: Request) {
    ///   const body = await req.text();
    ///   const secret = process.env.STRIPE_WEBHOOK_SECRET;
    ///   let event: Stripe.Event;
    ///   if (secret) {
    ///     event = stripe.webhooks.constructEvent(body, req.headers.get("stripe-signature")!, secret);
    ///   } else {
    ///     event = JSON.parse(body);
    ///   }
    ///   if (event.type === "checkout.session.completed") {
    ///     await db.from("profiles").update({ plan: "pro" }).eq("id", event.data.object.client_reference_id);
    ///   }
    ///   return Response.json({ received: true });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/webhooks/stripe/route.ts
    /// import Stripe from "stripe";
    /// import { createClient } from "@supabase/supabase-js";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const db = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_SERVICE_ROLE_KEY!);
    ///
    /// export async function POST(req: Request) {
    ///   const body = await req.text();
    ///   const secret = process.env.STRIPE_WEBHOOK_SECRET;
    ///   if (!secret) {
    ///     return Response.json({ error: "webhook secret is not set" }, { status: 500 });
    ///   }
    ///   const event = stripe.webhooks.constructEvent(body, req.headers.get("stripe-signature")!, secret);
    ///   if (event.type === "checkout.session.completed") {
    ///     await db.from("profiles").update({ plan: "pro" }).eq("id", event.data.object.client_reference_id);
    ///   }
    ///   return Response.json({ received: true });
    /// }
    /// ```
    id: "webhook-verification-bypass", severity: Error, confidence: High, section: "Webhooks",
    security: Some(8.1), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let handlers = program.webhook_handlers();
    let mut told: Vec<Lapse> = vec![];
    for handler in handlers {
        match handler.verdict {
            // One way around a check that several handlers share is one finding.
            Verdict::Bypass(lapse, _) if told.iter().any(|other| other.place == lapse.place) => {}
            Verdict::Bypass(lapse, deed) => {
                told.push(lapse);
                let others = handlers.iter().filter(|other| {
                    other.entry != handler.entry
                        && matches!(other.verdict, Verdict::Bypass(shared, _) if shared.place == lapse.place)
                });
                tell(program, report, handler, lapse, deed, others);
            }
            Verdict::Late(check, deed) => {
                let webhook = program.webhook_name(handler);
                let does = program.call_text(deed);
                let message = format!(
                    "{webhook} verifies who sent the delivery only after {does} has run: {}",
                    program.forgery(handler, deed)
                );
                let entry = &program.entries[handler.entry];
                let draft = report
                    .at(program.call_place(deed), does.clone(), message)
                    .because(check, "the check comes here")
                    .trace(program.trace_to(entry, deed, &format!("runs {does} with nothing verified yet")))
                    .help(format!("Move the check before {does}."));
                if let Some(vendor) = handler.vendor {
                    draft.vendor(Name::new(&program.catalogue.vendor(vendor).id));
                }
            }
            _ => {}
        }
    }
}

fn tell<'h>(
    program: &Program,
    report: &mut Report,
    handler: &WebhookHandler,
    lapse: Lapse,
    deed: CallRef,
    others: impl Iterator<Item = &'h WebhookHandler>,
) {
    let entry = &program.entries[handler.entry];
    let webhook = program.webhook_name(handler);
    let does = program.call_text(deed);
    // Of two ways around it the one that asks for nothing is told.
    let lapse = match lapse.why {
        Why::Ignored | Why::Mode(_) => while_unset(program, lapse, deed).unwrap_or(lapse),
        _ => lapse,
    };
    let forgery = match lapse.why {
        Why::Ignored => program.forgery_past(handler, deed, lapse.check),
        _ => program.forgery(handler, deed),
    };
    let how = match lapse.why {
        Why::Unset(name) => format!("{webhook} is not verified while {name} {} unset", is_or_are(name)),
        Why::Either(name) => format!(
            "{webhook} is not verified while {name} {} unset, nor when the request comes without its signature",
            is_or_are(name)
        ),
        Why::Mode(name) if lapse.safe_default => format!("{name} switches the verification of {webhook} off"),
        Why::Mode(name) => format!("{webhook} is not verified unless {name} is set for production"),
        Why::Flag(name) => format!(
            "{webhook} is not verified unless {name} is set for production, and even then not when the request comes without its signature"
        ),
        Why::Request => format!("{webhook} is not verified when the request comes without a signature, or asks for it"),
        Why::Announced(header) => {
            format!("{webhook} is not verified when the request brings the header {header}, which anybody can send")
        }
        Why::Condition => format!("{webhook} is not verified on every way"),
        Why::Caught => format!("{webhook} catches the failed verification and goes on"),
        Why::Ignored => format!("{webhook} goes on whatever the verification says"),
        Why::NotAwaited => {
            let script = program.facts(entry.function.file).language.is_script();
            let given = if script { "promise" } else { "coroutine" };
            format!("{webhook} does not await its verification, and a {given} is always true")
        }
        Why::Fallback(field) if !is_variable(field) => {
            format!("{webhook} is verified with an empty secret, that everyone knows, while {field} is blank")
        }
        Why::Fallback(name) => format!("{webhook} is verified with a secret that everyone knows while {name} is unset"),
    };
    let severity = if lapse.safe_default { Severity::Warning } else { Severity::Error };
    let subject =
        entry.route.or(entry.name).map_or_else(|| program.function_name(entry.function), |name| name.to_string());
    let mut draft = report
        .at(lapse.place, subject, format!("{how}, and {does} runs all the same: {forgery}"))
        .severity(severity)
        .help(whole_cure(program, handler, entry, lapse.why))
        .trace(program.trace_to(entry, deed, &format!("runs {does}")));
    if lapse.check != lapse.place {
        draft = draft.because(lapse.check, "the check");
    }
    draft = draft.because(program.call_place(deed), "runs unverified");
    for other in others {
        let webhook = program.webhook_name(other);
        draft = draft.because(program.entry_head(&program.entries[other.entry]), format!("{webhook} too"));
    }
    if let Some(vendor) = handler.vendor {
        draft.vendor(Name::new(&program.catalogue.vendor(vendor).id));
    }
}

/// The way around a check that stands open while a variable is unset: `if (secret) { .. }` around it, and no `else`.
fn while_unset(program: &Program, lapse: Lapse, deed: CallRef) -> Option<Lapse> {
    let file = lapse.place.file;
    let facts = program.facts(file);
    let deed = program.call_place(deed);
    facts.blocks.iter().flat_map(|block| &block.steps).find_map(|step| {
        let Step::If { condition, then, otherwise: None } = *step else { return None };
        let inside = facts.block(then).span;
        let around = inside.contains(lapse.place.span) && !(deed.file == file && inside.contains(deed.span));
        let asks = matches!(facts.expr(condition), ExprKind::Ref(..) | ExprKind::Env(_));
        let read = program.value(ExprRef::new(file, condition)).envs();
        let [name] = read[..] else { return None };
        let place = Place { file, span: facts.span(condition) };
        let why = Why::Unset(name);
        (around && asks).then_some(Lapse { place, check: lapse.check, why, safe_default: false })
    })
}

/// Of several variables the name tells: `A and B`, `A and 3 others`.
fn names_several(name: Name) -> bool {
    name.contains(" and ")
}

/// Whether it is an environment variable's name, not a field's.
fn is_variable(name: Name) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn is_or_are(name: Name) -> &'static str {
    if names_several(name) { "are" } else { "is" }
}

fn is_missing(name: Name) -> String {
    if names_several(name) { "none of the secrets is set".to_owned() } else { format!("{name} is not set") }
}

/// The cure, with that of the check itself where no delivery passes it: made always, it would refuse them all.
fn whole_cure(program: &Program, handler: &WebhookHandler, entry: &Entry, why: Why) -> String {
    let cure = cure(program, handler, entry, why);
    match super::webhook_verification_broken::cure_besides(program, handler) {
        Some(besides) if besides != cure => {
            format!("{cure}\nMend the check with it, which refuses every delivery as it is: {besides}")
        }
        _ => cure,
    }
}

fn cure(program: &Program, handler: &WebhookHandler, entry: &Entry, why: Why) -> String {
    let is_script = program.facts(entry.function.file).language.is_script();
    match why {
        Why::Either(name) => format!(
            "Verify every delivery: answer 500 when {}, answer 400 when the signature header is missing, \
             and take the condition off the check. To refuse only the missing secret leaves the way open to whoever \
             sends no signature.",
            is_missing(name)
        ),
        Why::Unset(name) | Why::Fallback(name) => {
            if !is_variable(name) {
                let missing = is_missing(name);
                return format!("Refuse the delivery with a 500 when {missing}, instead of going on without it.");
            }
            let refuse = match entry.framework {
                _ if !is_script => match program.read_of_setting(entry.function.file, name) {
                    Some(read) => {
                        let refuses = match entry.framework {
                            "fastapi" => format!("raise HTTPException(status_code=500, detail=\"{name} is not set\")"),
                            "django" => "return HttpResponse(status=500)".to_owned(),
                            _ => format!("return \"{name} is not set\", 500"),
                        };
                        format!("secret = {read}\nif not secret:\n    {refuses}")
                    }
                    None => format!("secret = os.environ[\"{name}\"]"),
                },
                "supabase-functions" | "edge-functions" => format!(
                    "const secret = Deno.env.get(\"{name}\");\nif (!secret) return new Response(\"{name} is not set\", {{ status: 500 }});"
                ),
                "next-pages" | "express" | "api-folder" => format!(
                    "const secret = process.env.{name};\nif (!secret) return res.status(500).json({{ error: \"{name} is not set\" }});"
                ),
                _ => format!(
                    "const secret = process.env.{name};\nif (!secret) return new Response(\"{name} is not set\", {{ status: 500 }});"
                ),
            };
            format!("Refuse the delivery when the secret is missing, and verify always:\n{refuse}")
        }
        Why::Mode(_) => "Verify in every environment: give development and tests a secret of their own, which the \
                         vendor's dashboard or command line shows."
            .to_owned(),
        Why::Flag(name) => format!(
            "Verify every delivery: take the condition on {name} off the check, and answer 400 when the signature header is \
             missing."
        ),
        Why::Request => "Answer 400 when the signature header is missing, and verify every delivery.".to_owned(),
        Why::Announced(header) => format!(
            "Verify every delivery, whatever {header} says: take the header out of the condition, and answer 400 to what \
             is not signed."
        ),
        Why::Caught => "Answer 400 in the handler of the failed check, so that nothing after it runs.".to_owned(),
        Why::Ignored if is_script => {
            "Answer 401 unless the check says yes: `if (!valid) return` with a status of 401.".to_owned()
        }
        Why::Ignored => "Answer 401 unless the check says yes: `if not valid:` return a status of 401.".to_owned(),
        Why::NotAwaited if is_script => {
            "Await the check before its result is tested: `if (!(await verify(..)))`.".to_owned()
        }
        Why::NotAwaited => "Await the check before its result is tested: `if not await verify(..):`.".to_owned(),
        Why::Condition => program.verify_cure(handler),
    }
}
