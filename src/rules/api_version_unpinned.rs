//! Calls that leave it to the vendor which version of its API answers.

use crate::catalogue::Tier;
use crate::finding::Confidence;
use crate::program::Program;
use crate::rule;
use crate::rule::Report;

rule! {
    /// A vendor's API is called without saying which version
    ///
    /// Vendors change the answers of their APIs by versions. SDKs name the one they were made for; a request written
    /// by hand names none, so that a setting of the account decides, or whatever the vendor holds for current. Somebody
    /// raises it in a dashboard, for another app even, and fields that checkout reads are gone, with nothing changed
    /// in the code.
    ///
    /// One report for a vendor and file; the other calls are named with it.
    ///
    /// ## Silent when
    ///
    /// - the header or the path names a version, be it from a setting;
    /// - the headers cannot be followed: a spread or a parameter that is not known, a session's own headers;
    /// - the SDK names the version by itself, as current ones do;
    /// - the vendor documents the path without a version: incoming webhooks, OAuth's endpoints;
    /// - the code is tooling, or never deployed.
    ///
    /// ## The cure
    ///
    /// Name the version that the code was written for, and raise it on purpose, after a test.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// Deno.serve(async (req) => {
    ///   const { amount } = await req.json();
    ///   const answer = await fetch("https://api.stripe.com/v1/payment_intents", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${Deno.env.get("STRIPE_SECRET_KEY")}` },
    ///     body: new URLSearchParams({ amount: String(amount), currency: "eur" }),
    ///   });
    ///   return Response.json(await answer.json());
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// Deno.serve(async (req) => {
    ///   const { amount } = await req.json();
    ///   const answer = await fetch("https://api.stripe.com/v1/payment_intents", {
    ///     method: "POST",
    ///     headers: {
    ///       Authorization: `Bearer ${Deno.env.get("STRIPE_SECRET_KEY")}`,
    ///       "Stripe-Version": "2026-09-30.endive",
    ///     },
    ///     body: new URLSearchParams({ amount: String(amount), currency: "eur" }),
    ///   });
    ///   return Response.json(await answer.json());
    /// });
    /// ```
    id: "api-version-unpinned", severity: Warning, confidence: High, section: "Contract drift",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for call in program.unversioned() {
        let Some(&first) = call.places.first() else { continue };
        let who = &program.catalogue.vendor(call.vendor).name;
        let how = match call.what.strip_prefix("npm:") {
            Some(package) => format!("through a major of `{package}` that names no version of the API"),
            None => call.version.how.clone(),
        };
        let message = format!("{who} is called {how}: {}", call.version.then);
        let mut draft =
            report.at(first, call.what.clone(), message).vendor(program.vendor_id(call.vendor)).help(call.cure);
        if matches!(call.version.source.tier, Tier::Secondary | Tier::Convention) {
            draft = draft.confidence(Confidence::Low).auditor_only();
        }
        for &other in &call.places[1..] {
            draft = draft.because(other, "and here");
        }
    }
}
