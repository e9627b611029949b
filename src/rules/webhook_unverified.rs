//! Nothing checks who sent a delivery before it is acted on.

use crate::finding::Confidence;
use crate::program::Program;
use crate::program::verify::Verdict;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::rule;
use crate::rule::Report;

rule! {
    /// A webhook acts before anything checks who sent it
    ///
    /// A webhook's URL is public, and what arrives there is only a request: anyone can send one. When the handler
    /// writes, pays, mails or grants before it has verified the signature, a forged `payment succeeded` opens the
    /// paid plan, a forged message speaks in a customer's name, a forged `user.deleted` removes an account. Testing
    /// that a signature header is *there*, an empty branch, or a call of a verify function that does not exist
    /// checks nothing.
    ///
    /// ## Silent when
    ///
    /// - the vendor's verify function, Svix or Standard Webhooks, an HMAC compared with a header, an asymmetric
    ///   signature or a signed token is checked first: in the handler, in a helper or class of any file, in a
    ///   decorator, or in middleware on the route;
    /// - the vendor's own scheme is a static token or basic auth, and it is compared;
    /// - the object is fetched from the vendor by its id before it is acted on;
    /// - the handler only acknowledges;
    /// - all it does is to post to a hook of somebody else, whose URL is a setting: it sends, and only its name says hook;
    /// - something on the way may check but cannot be followed.
    ///
    /// ## The cure
    ///
    /// Call the vendor's verify function on the raw body before the first effect, and answer 400 or 401 when it fails.
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
    ///   const event = await req.json();
    ///   if (event.type === "checkout.session.completed") {
    ///     await db.from("profiles").update({ plan: "pro" }).eq("id", event.data.object.client_reference_id);
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
    ///   let event: Stripe.Event;
    ///   try {
    ///     const signature = req.headers.get("stripe-signature")!;
    ///     const secret = Deno.env.get("STRIPE_WEBHOOK_SECRET")!;
    ///     event = await stripe.webhooks.constructEventAsync(await req.text(), signature, secret);
    ///   } catch {
    ///     return new Response("bad signature", { status: 400 });
    ///   }
    ///   if (event.type === "checkout.session.completed") {
    ///     await db.from("profiles").update({ plan: "pro" }).eq("id", event.data.object.client_reference_id);
    ///   }
    ///   return new Response("ok");
    /// });
    /// ```
    id: "webhook-unverified", severity: Error, confidence: High, section: "Webhooks",
    security: Some(8.6), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for handler in program.webhook_handlers() {
        if let Verdict::Unverified { deed, records_only, .. } = handler.verdict {
            tell(program, report, handler, deed, records_only);
        }
    }
}

fn tell(
    program: &Program,
    report: &mut Report,
    handler: &WebhookHandler,
    deed: crate::program::CallRef,
    records_only: bool,
) {
    let entry = &program.entries[handler.entry];
    let webhook = program.webhook_name(handler);
    let does = program.call_text(deed);
    let forgery = program.forgery(handler, deed);
    let undefined = handler.account.undefined.first();
    let message = match undefined {
        Some((_, name)) => format!(
            "{webhook} runs {does} unchecked: `{name}` is neither defined nor imported, so nothing verifies who sent \
             the delivery; {forgery}"
        ),
        None => format!("{webhook} runs {does} before anything verifies who sent it: {forgery}"),
    };
    let subject =
        entry.route.or(entry.name).map_or_else(|| program.function_name(entry.function), |name| name.to_string());
    // A store of deliveries, or a route that only its name shows, is less than sure.
    let confidence = match (records_only, handler.vendor) {
        (true, _) => Confidence::Low,
        (false, Some(_)) => Confidence::High,
        (false, None) => Confidence::Medium,
    };
    let mut draft = report
        .at(program.entry_head(entry), subject, message)
        .confidence(confidence)
        .help(program.verify_cure(handler))
        .trace(program.trace_to(entry, deed, &format!("runs {does} with nothing verified")));
    if let Some((place, name)) = undefined {
        draft = draft.because(*place, format!("`{name}` does not exist"));
    }
    draft = draft.because(program.call_place(deed), "the first effect");
    if let Some(behind) = program.shadowed_by(entry) {
        draft = draft.because(behind.place, "never reached: the first handler of this path answers");
    }
    if let Some(sign) = handler.evidence.first() {
        draft = draft.because(sign.place, sign.text.clone());
    }
    if let Some(vendor) = handler.vendor {
        draft.vendor(crate::names::Name::new(&program.catalogue.vendor(vendor).id));
    }
}
