//! Signup, onboarding and login that wait for a vendor they could do without.

use crate::catalogue::Core;
use crate::program::Program;
use crate::rule;
use crate::rule::Report;

rule! {
    /// Signup, onboarding or login waits for a vendor that it could do without
    ///
    /// A customer who wants an account waits for every call between the button and the answer. A CRM, a newsletter,
    /// a chat alert or a language model on that way adds its latency to every signup, and its outage to your own:
    /// while it is down, nobody can create an account or log in, although nothing of yours is broken. Where its
    /// failure can stop the path this is an error; where the failure is caught but the call is still awaited it is a
    /// warning, for a vendor that hangs holds the customer just the same. "Fire and forget" in a comment with an
    /// `await` in the code is the usual form.
    ///
    /// To verify an address is a part of signing up, and to reset a password of logging in.
    ///
    /// The trace leads from the form, route, action or auth hook through every function and request to the call.
    ///
    /// ## Silent when
    ///
    /// The call is deferred or not waited for; it is the auth provider or the app's own backend; it is a browser
    /// analytics SDK that queues by itself; it runs in a webhook, a job, or where an administrator makes accounts for
    /// others; or it brings in what somebody asked for (`if (importContacts)`). A mail that delivers what the path is for
    /// (a verification link, a login code) is a warning at most, and one that is all that was asked for (a reset link) the
    /// auditor's. What only some customers wait for, because a stored setting, plan or link to a service says so, is the
    /// auditor's; so is what a login makes once.
    ///
    /// ## The cure
    ///
    /// Make the account, answer, and do the rest afterwards: `EdgeRuntime.waitUntil`, `after`, `BackgroundTasks`, a
    /// queue, an outbox table. Give the deferred call a time limit and catch its failure. On serverless hosts do not
    /// merely drop the `await`: the call may then never run.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/register/index.ts
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// Deno.serve(async (req) => {
    ///   const { email, password } = await req.json();
    ///   const supabase = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_ANON_KEY")!);
    ///   const { error } = await supabase.auth.signUp({ email, password });
    ///   if (error) return new Response(error.message, { status: 400 });
    ///   await fetch("https://api.hubapi.com/crm/v3/objects/contacts", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${Deno.env.get("HUBSPOT_TOKEN")}` },
    ///     body: JSON.stringify({ properties: { email } }),
    ///   });
    ///   return new Response("welcome");
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/register/index.ts
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// Deno.serve(async (req) => {
    ///   const { email, password } = await req.json();
    ///   const supabase = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_ANON_KEY")!);
    ///   const { error } = await supabase.auth.signUp({ email, password });
    ///   if (error) return new Response(error.message, { status: 400 });
    ///   EdgeRuntime.waitUntil(
    ///     fetch("https://api.hubapi.com/crm/v3/objects/contacts", {
    ///       method: "POST",
    ///       headers: { Authorization: `Bearer ${Deno.env.get("HUBSPOT_TOKEN")}` },
    ///       body: JSON.stringify({ properties: { email } }),
    ///       signal: AbortSignal.timeout(10_000),
    ///     }).catch(console.error),
    ///   );
    ///   return new Response("welcome");
    /// });
    /// ```
    id: "vendor-on-signup-path",
    severity: Error,
    confidence: High,
    section: "Core paths",
    security: None,
    since: "0.1.0",
    check: check
}

fn check(program: &Program, report: &mut Report) {
    super::core_path::check(program, report, &[Core::Signup, Core::Login, Core::Verification, Core::Reset]);
}
