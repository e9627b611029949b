//! Retries around calls that create or send, with nothing that makes the second one harmless.

use crate::catalogue::{Effect, Operation};
use crate::program::keys::Key;
use crate::program::repeats::retries::{How, Repeated, Retry};
use crate::program::{Program, VendorUse};
use crate::rule::Report;

crate::rule! {
    /// A retry repeats a call that creates or sends
    ///
    /// A request that failed has not always failed: a timeout, a broken connection or a 502 often come after the
    /// vendor has done the work. A retry then does it again: the customer is charged twice, the order exists twice,
    /// the same message arrives three times. A flag that is set after success does not help: there was no success.
    ///
    /// ## Silent when
    ///
    /// - only reads are repeated, or a model is asked again
    /// - the call has an idempotency key that all attempts share
    /// - something is written before the call that the next attempt finds, or the vendor is asked first what it has
    /// - only refusals are tried again (429): nothing was done yet
    /// - the next round tries another provider
    ///
    /// ## The cure
    ///
    /// Give the call a key made of the order's or event's id. Where the vendor takes none, write down the attempt
    /// before the call and look for its result before the next one, or repeat only what was refused.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// import Stripe from "npm:stripe@17";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { order } = await req.json();
    ///   for (let attempt = 1; attempt <= 3; attempt++) {
    ///     try {
    ///       const intent = await stripe.paymentIntents.create({ amount: order.total, currency: "eur" });
    ///       return Response.json({ secret: intent.client_secret });
    ///     } catch (error) {
    ///       if (attempt === 3) throw error;
    ///       await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** attempt));
    ///     }
    ///   }
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// import Stripe from "npm:stripe@17";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { order } = await req.json();
    ///   for (let attempt = 1; attempt <= 3; attempt++) {
    ///     try {
    ///       const intent = await stripe.paymentIntents.create(
    ///         { amount: order.total, currency: "eur" },
    ///         { idempotencyKey: `order-${order.id}` },
    ///       );
    ///       return Response.json({ secret: intent.client_secret });
    ///     } catch (error) {
    ///       if (attempt === 3) throw error;
    ///       await new Promise((resolve) => setTimeout(resolve, 300 * 2 ** attempt));
    ///     }
    ///   }
    /// });
    /// ```
    id: "retry-duplicates", severity: Error, confidence: High, section: "Writes and duplicates",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told = Vec::new();
    for retry in program.retries() {
        if retry.only_refused || !program.runs_on_server(retry.place.file) {
            continue;
        }
        for repeated in program.repeated(retry) {
            let Some((used, operation)) = harmful(program, retry, &repeated) else { continue };
            // Of several calls in one place the first is told.
            if !told.contains(&repeated.place) {
                told.push(repeated.place);
                tell(program, report, retry, &repeated, used, operation);
            }
        }
    }
}

/// The vendor's operation that a repetition does twice.
fn harmful<'p>(program: &'p Program, retry: &Retry, repeated: &Repeated) -> Option<(&'p VendorUse, &'p Operation)> {
    program.uses_of(repeated).into_iter().find_map(|used| {
        let operation = program.operation(used)?;
        let repeats = matches!(operation.effect, Effect::Create | Effect::Send)
            || operation.effect == Effect::Update && operation.money;
        if !repeats || operation.harmless {
            return None;
        }
        if !program.can_fail(retry, repeated, used) {
            return None;
        }
        // A key that is given is right, or another rule's.
        let keyless = match program.idempotency(used) {
            Some(how) => program.idempotency_key(used, how) == Key::Absent,
            None => true,
        };
        (keyless && !program.is_claimed_before(repeated, used, retry.region)).then_some((used, operation))
    })
}

fn tell(
    program: &Program,
    report: &mut Report,
    retry: &Retry,
    repeated: &Repeated,
    used: &VendorUse,
    operation: &Operation,
) {
    let origins = program.origins(repeated.function);
    if program.is_run_by_hand(&origins) {
        return;
    }
    let vendor = &program.catalogue.vendor(used.vendor).name;
    let by = match retry.how {
        _ if repeated.handed_by.is_some() => format!("by {}", program.function_name(retry.function)),
        How::Loop(_) => "in a loop".to_owned(),
        How::Recursion(_) => format!("by {} itself", program.function_name(retry.function)),
        How::Handler(_) => "when it failed".to_owned(),
        How::Helper(_) | How::Decorator(_) => "by a retry helper".to_owned(),
        How::Engine(_) => format!("whenever {} fails", program.function_name(retry.function)),
    };
    let message = format!(
        "{} is tried again {by}: when {vendor} did the work and only its answer was lost, it {} twice{}",
        used.name,
        operation.does,
        match operation.effect {
            _ if operation.money => ", and money can move twice",
            Effect::Send => ", and people get it twice",
            _ => "",
        }
    );
    let help = match program.idempotency(used) {
        Some(how) => {
            format!("Give all tries one key, made of the order's or event's id: {}.", program.key_cure(used, how))
        }
        None => format!(
            "{vendor} takes no idempotency key here: write down the attempt before the call and look for its result \
             before the next one, or try again only what was refused (429)."
        ),
    };
    let mut draft =
        report.at(repeated.place, used.name.clone(), message).vendor(program.vendor_id(used.vendor)).help(help);
    if program.call_place(repeated.call) != repeated.place {
        let once = matches!(retry.how, How::Handler(_));
        let text = if once { "what is made once more" } else { "made again on every attempt" };
        draft = draft.because(program.call_place(repeated.call), text);
    }
    if repeated.handed_by.is_some() {
        draft.because(retry.place, "tries again here");
    }
}
