//! Failures that are logged without a word on whose they are.

use crate::finding::Confidence;
use crate::program::Program;
use crate::rule;
use crate::rule::Report;

rule! {
    /// A vendor's failure is logged, but not whose
    ///
    /// "Error: card declined" tells that somebody's payment failed. Without the order, customer, event or request it
    /// belongs to, nobody can find the action again, do it by hand, or answer the customer who writes.
    ///
    /// This is a hint for auditors: whether a line can be tied to its request by other means (a logger with a request's
    /// id, a platform's trace) cannot be told from the code.
    ///
    /// ## Silent when
    ///
    /// - the log names anything besides the failure itself;
    /// - the failure goes to an error tracker, or on to the caller;
    /// - nothing was to be changed: a failed read, or a question to a model, is asked again.
    ///
    /// ## The cure
    ///
    /// Log an id with the failure.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/pay/route.ts
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST(req: Request) {
    ///   const { orderId } = await req.json();
    ///   try {
    ///     await stripe.refunds.create({ payment_intent: orderId });
    ///   } catch (error) {
    ///     console.error("refund failed", error);
    ///   }
    ///   return Response.json({ ok: true });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/pay/route.ts
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST(req: Request) {
    ///   const { orderId } = await req.json();
    ///   try {
    ///     await stripe.refunds.create({ payment_intent: orderId });
    ///   } catch (error) {
    ///     console.error("refund failed", { orderId, error });
    ///   }
    ///   return Response.json({ ok: true });
    /// }
    /// ```
    id: "error-without-context", severity: Note, confidence: Low, section: "Seeing failures",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for (used, log) in program.nameless_failures() {
        let message = format!(
            "a failure of {} is logged without anything that says whose it was: when a customer asks, nobody finds it",
            used.name
        );
        let cure = if program.facts(log.file).language.is_script() {
            "`console.error(\"..\", { orderId, error })`"
        } else {
            "`logger.exception(\"..\", extra={\"order_id\": order_id})`"
        };
        report
            .at(program.call_place(log), used.name.clone(), message)
            .because(program.call_place(used.at), "what fails")
            .help(format!("Log an id with it that finds the action again: {cure}."))
            .vendor(program.vendor_id(used.vendor))
            .confidence(Confidence::Low)
            .auditor_only();
    }
}
