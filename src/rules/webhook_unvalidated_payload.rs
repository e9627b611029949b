//! Fields of a delivery that are written though nobody looked whether they are there.

use rustc_hash::FxHashSet;

use crate::catalogue::Category;
use crate::finding::Place;
use crate::program::Program;
use crate::program::repeats::Again;
use crate::program::verify::Verdict;
use crate::rule;
use crate::rule::Report;

rule! {
    /// A webhook writes fields of its payload that nobody checked
    ///
    /// What comes in is whatever the sender sends: a field that is missing or named otherwise in another event is
    /// written as nothing, and the row looks like an order without a customer. Nobody notices until somebody asks where
    /// it went.
    ///
    /// ## Silent when
    ///
    /// - the vendor's SDK verified the delivery and gave an event of its own types, or the signature of a known vendor
    ///   was checked: it has the fields that the vendor's documentation says;
    /// - a schema checks the payload (zod, valibot, yup, joi, pydantic);
    /// - one of the fields written is asked for before, or has a fallback;
    /// - the write only keeps the delivery as it came.
    ///
    /// ## The cure
    ///
    /// Check the form once, right after the signature, and answer 400 when it does not hold.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/webhooks/shipments/route.ts
    /// import { PrismaClient } from "@prisma/client";
    ///
    /// const prisma = new PrismaClient();
    ///
    /// export async function POST(req: Request) {
    ///   if (req.headers.get("x-webhook-secret") !== process.env.SHIPMENTS_WEBHOOK_SECRET) {
    ///     return new Response("no", { status: 401 });
    ///   }
    ///   const body = await req.json();
    ///   await prisma.shipment.create({ data: { order: body.order.id, carrier: body.carrier } });
    ///   return new Response("ok");
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/webhooks/shipments/route.ts
    /// import { PrismaClient } from "@prisma/client";
    /// import { z } from "zod";
    ///
    /// const prisma = new PrismaClient();
    /// const Shipped = z.object({ order: z.object({ id: z.string() }), carrier: z.string() });
    ///
    /// export async function POST(req: Request) {
    ///   if (req.headers.get("x-webhook-secret") !== process.env.SHIPMENTS_WEBHOOK_SECRET) {
    ///     return new Response("no", { status: 401 });
    ///   }
    ///   const body = Shipped.safeParse(await req.json());
    ///   if (!body.success) return new Response("not a shipment", { status: 400 });
    ///   await prisma.shipment.create({ data: { order: body.data.order.id, carrier: body.data.carrier } });
    ///   return new Response("ok");
    /// }
    /// ```
    id: "webhook-unvalidated-payload", severity: Note, confidence: Medium, section: "Webhooks",
    security: Some(3.0), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<Place> = FxHashSet::default();
    for handler in program.webhook_handlers() {
        // What a known vendor has signed has the fields that its documentation says.
        let signed = handler.verdict == Verdict::Fine
            && handler.vendor.is_some_and(|vendor| program.catalogue.vendor(vendor).category != Category::Webhooks);
        if signed || program.delivery_has_form(handler) {
            continue;
        }
        for written in program.writes_of(handler) {
            let fields = program.unseen_fields(handler, &written);
            let Some((at, _)) = fields.first() else { continue };
            let place = program.call_place(written.at);
            if !told.insert(place) {
                continue;
            }
            let mut names: Vec<String> =
                fields.iter().map(|(at, name)| program.as_written(*at).unwrap_or_else(|| name.to_string())).collect();
            names.dedup();
            names.truncate(3);
            let webhook = program.webhook_name(handler);
            let call = program.call_text(written.at);
            let harm = match program.again(written.at) {
                Again::Row { .. } | Again::Record => "a row is written with nothing in it",
                _ => "what is missing is written as nothing, or left as it was",
            };
            let message = format!(
                "{webhook} hands {} to {call} though nobody checked that the delivery has it: {harm}, and nobody is told",
                names.join(", ")
            );
            let help = match program.facts(written.at.file).language.is_script() {
                true => format!(
                    "Check the form once after the signature, `const checked = Schema.safeParse({})`, and answer 400 when it does not hold.",
                    held(&names).unwrap_or("body")
                ),
                false => {
                    "Check the form once after the signature, `body = Payload.model_validate_json(await request.body())`, and answer 400 when it does not hold.".to_owned()
                }
            };
            let mut draft = report.at(program.place(*at), call, message).help(help);
            draft = draft.because(place, "written here").trace(program.trace_to(
                &program.entries[handler.entry],
                written.at,
                "writes it",
            ));
            if let Some(vendor) = handler.vendor {
                draft.vendor(program.vendor_id(vendor));
            }
            // One a handler: the cure is one.
            break;
        }
    }
}

/// What holds the delivery where its first field is read: `event` of `event.data.id`, `req.body` of `req.body.id`.
fn held(names: &[String]) -> Option<&str> {
    let name = names.first()?;
    let body = name.find(".body.").map(|at| &name[..at + ".body".len()]);
    let root = || name.split_once('.').map(|(root, _)| root);
    body.or_else(root).filter(|held| held.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$')))
}
