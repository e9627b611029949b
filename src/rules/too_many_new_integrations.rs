//! Changes that bring several vendors at once, or one onto a core path.

use crate::catalogue::{Core, VendorId};
use crate::program::Program;
use crate::program::added::Added;
use crate::rule;
use crate::rule::Report;

rule! {
    /// A change brings several vendors at once, or one onto a core path
    ///
    /// Every vendor is a way to fail that the app did not have: a key that can leak, an outage that is not yours, a
    /// webhook that strangers may call. Two that come in one change cannot be told apart when something breaks on the
    /// next day, and cannot be taken back one at a time. One that comes onto signup, login or checkout decides from now
    /// on whether customers get in and pay.
    ///
    /// The rule looks at changes only: `--staged`, `--changed`, `--since`, `--diff`. It names what the change brings:
    /// the vendors, the secrets they need, the webhooks they send, the entry points that lead to them.
    ///
    /// ## Silent when
    ///
    /// The change brings one vendor, and not onto a core path that could do without it: of a checkout the payment is
    /// the vendor's work, of a login the account; the vendor was in use before, also under lines that only moved;
    /// what comes are services of one company; it is the app's own backend, or watches over the app (error tracking);
    /// only tests and scripts use it; no change is looked at.
    ///
    /// ## The cure
    ///
    /// Split the change: one vendor a pull request. Put each behind a switch that turns it off without a deployment,
    /// and onto a core path only what the path cannot do without.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/invite/index.ts
    /// Deno.serve(async (req) => {
    ///   const { email } = await req.json();
    ///   const sent = await fetch("https://api.resend.com/emails", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${Deno.env.get("RESEND_API_KEY")}` },
    ///     body: JSON.stringify({ from: "team@shop.example", to: email, subject: "Hello", text: "Hello" }),
    ///     signal: AbortSignal.timeout(10_000),
    ///   });
    ///   const told = await fetch("https://slack.com/api/chat.postMessage", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${Deno.env.get("SLACK_BOT_TOKEN")}` },
    ///     body: JSON.stringify({ channel: "#invites", text: email }),
    ///     signal: AbortSignal.timeout(10_000),
    ///   });
    ///   return new Response(sent.ok && told.ok ? "ok" : "failed");
    /// });
    /// ```
    ///
    /// A change that adds the whole file:
    ///
    /// ```text path=change.txt
    /// supabase/functions/invite/index.ts
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/invite/index.ts
    /// Deno.serve(async (req) => {
    ///   const { email } = await req.json();
    ///   const sent = await fetch("https://api.resend.com/emails", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${Deno.env.get("RESEND_API_KEY")}` },
    ///     body: JSON.stringify({ from: "team@shop.example", to: email, subject: "Hello", text: "Hello" }),
    ///     signal: AbortSignal.timeout(10_000),
    ///   });
    ///   return new Response(sent.ok ? "ok" : "failed");
    /// });
    /// ```
    id: "too-many-new-integrations", severity: Warning, confidence: High, section: "Configuration and ownership",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let added = program.added_vendors();
    let onto: Vec<&Added> = added.iter().filter(|added| !added.onto.is_empty()).collect();
    let Some(first) = onto.first().copied().or(added.first()) else { return };
    let name = |vendor: VendorId| program.catalogue.vendor(vendor).name.as_str();
    let names: Vec<&str> = added.iter().map(|added| name(added.vendor)).collect();
    let companies = names.iter().filter(|name| !names.iter().any(|of| is_service_of(name, of))).count();
    if companies < 2 && onto.is_empty() {
        return;
    }
    let core = onto.iter().flat_map(|added| added.onto.iter().map(|(core, _)| (name(added.vendor), path_name(*core))));
    let core: Vec<String> = core.map(|(vendor, path)| format!("{path} depends on {vendor}")).collect();
    let message = match (added.len(), core.is_empty()) {
        (1, _) => format!("this change brings {} onto a core path: from now on {}", names[0], core.join(", ")),
        (number, true) => format!(
            "this change brings {number} vendors at once ({}): when something breaks afterwards, nobody can tell which \
             of them it is, nor take one back alone",
            names.join(", ")
        ),
        (number, false) => format!(
            "this change brings {number} vendors at once ({}), and from now on {}",
            names.join(", "),
            core.join(", ")
        ),
    };
    let at = first.onto.first().map(|(_, call)| *call).or(first.calls.first().copied());
    let Some(at) = at else { return };
    let help = match added.len() {
        1 => format!(
            "Answer first and call {} afterwards, or put it behind a switch that turns it off without a deployment.",
            names[0]
        ),
        _ => "Split the change: one vendor a pull request, each behind a switch that turns it off without a \
              deployment."
            .to_owned(),
    };
    let mut draft = report.at(program.call_place(at), "new vendors", message).help(help);
    for added in &added {
        let vendor = name(added.vendor);
        if let Some(call) = added.onto.first().map(|(_, call)| *call).or(added.calls.first().copied()) {
            let from = program.entry_point_of(call).map(|entry| match entry.starts_with("runs ") {
                true => entry,
                false => format!("reached from {entry}"),
            });
            let said = match from {
                Some(from) if call == at => from,
                Some(from) => format!("{vendor} is called here, {from}"),
                None => format!("{vendor} is called here"),
            };
            draft = draft.because(program.call_place(call), said);
        }
        for (secret, place) in &added.secrets {
            draft = draft.because(*place, format!("{vendor} needs the secret {secret}"));
        }
        for &place in &added.webhooks {
            draft = draft.because(place, format!("{vendor} delivers webhooks here"));
        }
        draft = draft.vendor(program.vendor_id(added.vendor));
    }
}

/// Whether a vendor's name is that of another with more behind it: one company's service.
fn is_service_of(name: &str, of: &str) -> bool {
    name.strip_prefix(of).is_some_and(|rest| rest.starts_with(' '))
}

fn path_name(core: Core) -> &'static str {
    match core {
        Core::Signup => "signup",
        Core::Login => "login",
        Core::Checkout => "checkout",
        Core::Verification => "email verification",
        Core::Reset => "password reset",
    }
}
