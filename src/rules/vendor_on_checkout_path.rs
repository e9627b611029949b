//! Checkout that waits for a vendor it could do without.

use crate::catalogue::Core;
use crate::program::Program;
use crate::rule;
use crate::rule::Report;

rule! {
    /// Checkout or order placement waits for a vendor that it could do without
    ///
    /// Between "pay" and the payment page stands every call that the handler awaits. A mail, a CRM entry, a chat alert
    /// or an address lookup on that way makes every customer wait for it, and while that vendor is down nobody can
    /// pay: its outage costs you sales that have nothing to do with it. Where its failure can stop the checkout this
    /// is an error; where it is caught but still awaited it is a warning.
    ///
    /// The trace leads from the button, route or action through every function and request to the call.
    ///
    /// ## Silent when
    ///
    /// The call is deferred or not waited for; it is the payment vendor, the vendor that places the order, or the
    /// app's own backend; it runs in a payment webhook or a job, or where a merchant sends an invoice or stands at the
    /// counter. What only some customers wait for, because a stored setting, plan or link to a service says so, is the
    /// auditor's.
    ///
    /// ## The cure
    ///
    /// Start the payment, answer, and do the rest afterwards: in the payment webhook's queue, with
    /// `EdgeRuntime.waitUntil`, `after`, `BackgroundTasks`, or from an outbox table. Give the deferred call a time
    /// limit and catch its failure.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/checkout/route.ts
    /// import Stripe from "stripe";
    /// import { Resend } from "resend";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const resend = new Resend(process.env.RESEND_API_KEY);
    ///
    /// export async function POST(req: Request) {
    ///   const { email, price } = await req.json();
    ///   const session = await stripe.checkout.sessions.create({ mode: "payment", line_items: [{ price, quantity: 1 }] });
    ///   try {
    ///     await resend.emails.send({ from: "shop@example.com", to: "sales@example.com", subject: "New order", text: email });
    ///   } catch (error) {
    ///     console.error(error);
    ///   }
    ///   return Response.json({ url: session.url });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/checkout/route.ts
    /// import { after } from "next/server";
    /// import Stripe from "stripe";
    /// import { Resend } from "resend";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const resend = new Resend(process.env.RESEND_API_KEY);
    ///
    /// export async function POST(req: Request) {
    ///   const { email, price } = await req.json();
    ///   const session = await stripe.checkout.sessions.create({ mode: "payment", line_items: [{ price, quantity: 1 }] });
    ///   after(() => resend.emails.send({ from: "shop@example.com", to: "sales@example.com", subject: "New order", text: email }));
    ///   return Response.json({ url: session.url });
    /// }
    /// ```
    id: "vendor-on-checkout-path",
    severity: Error,
    confidence: High,
    section: "Core paths",
    security: None,
    since: "0.1.0",
    check: check
}

fn check(program: &Program, report: &mut Report) {
    super::core_path::check(program, report, &[Core::Checkout]);
}
