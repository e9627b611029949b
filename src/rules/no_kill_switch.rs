//! Vendors that signup, login or checkout wait for, could do without, and cannot be turned off.

use std::collections::BTreeMap;

use crate::catalogue::{Core, VendorId};
use crate::finding::Confidence;
use crate::names::Name;
use crate::program::money::core_paths::{CoreUse, Weight};
use crate::program::{CallRef, Program};
use crate::rule::Report;

crate::rule! {
    /// A vendor on a core path that nothing turns off
    ///
    /// When a vendor that signing up or paying could do without is down, slow, or answers nonsense, the quickest
    /// cure is to do without it for an hour. Without a flag or a setting that takes a change of code and a deployment,
    /// while customers cannot get in.
    ///
    /// A note for auditors, once a vendor, where it is called.
    ///
    /// ## Silent when
    ///
    /// - a flag, a setting, or a key that may be missing decides that it is called, anywhere on the way
    /// - the path is that vendor's work, or it delivers what the path is for
    /// - it is called after the answer, or by a queue
    ///
    /// ## The cure
    ///
    /// Ask for a setting before the call, and go on without it.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/signup/route.ts
    /// import { createClient } from "@supabase/supabase-js";
    ///
    /// const db = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
    ///
    /// export async function POST(request: Request) {
    ///   const { email, password } = await request.json();
    ///   const { data, error } = await db.auth.signUp({ email, password });
    ///   if (error) return Response.json({ error: error.message }, { status: 400 });
    ///   await fetch("https://api.hubapi.com/crm/v3/objects/contacts", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${process.env.HUBSPOT_TOKEN}` },
    ///     body: JSON.stringify({ properties: { email } }),
    ///   });
    ///   return Response.json({ id: data.user?.id });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/signup/route.ts
    /// import { createClient } from "@supabase/supabase-js";
    ///
    /// const db = createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_ANON_KEY!);
    ///
    /// export async function POST(request: Request) {
    ///   const { email, password } = await request.json();
    ///   const { data, error } = await db.auth.signUp({ email, password });
    ///   if (error) return Response.json({ error: error.message }, { status: 400 });
    ///   if (process.env.CRM_ENABLED === "true") {
    ///     await fetch("https://api.hubapi.com/crm/v3/objects/contacts", {
    ///       method: "POST",
    ///       headers: { Authorization: `Bearer ${process.env.HUBSPOT_TOKEN}` },
    ///       body: JSON.stringify({ properties: { email } }),
    ///     });
    ///   }
    ///   return Response.json({ id: data.user?.id });
    /// }
    /// ```
    id: "no-kill-switch", severity: Note, confidence: Medium, section: "Core paths",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut found: BTreeMap<VendorId, Vec<CoreUse<'_>>> = BTreeMap::new();
    for used in program.core_uses(&Core::ALL) {
        let vendor = used.out.vendor_id().filter(|&vendor| !program.catalogue.vendor(vendor).own_backend);
        if let Some(vendor) = vendor.filter(|_| used.weight == Weight::Other && !is_switched(program, &used)) {
            found.entry(vendor).or_default().push(used);
        }
    }
    for (vendor, uses) in found {
        let Some(first) = uses.first() else { continue };
        let name = &program.catalogue.vendor(vendor).name;
        let path = match first.core {
            Core::Signup => "signing up",
            Core::Login => "logging in",
            Core::Checkout => "paying",
            Core::Verification => "verifying an address",
            Core::Reset => "resetting a password",
        };
        let message = format!(
            "nothing turns {name} off: while it is down, {path} waits for it or fails until the app is changed and deployed again"
        );
        let mut draft = report
            .at(program.call_place(first.out.sender()), name.clone(), message)
            .confidence(Confidence::Medium)
            .auditor_only()
            .vendor(program.vendor_id(vendor))
            .help(format!(
                "Ask for a setting before {name} is called, and go on without it: `{}`.",
                switch(program, first.out.sender(), name)
            ));
        let mut others: Vec<CallRef> = uses.iter().map(|other| other.out.sender()).collect();
        others.dedup();
        for other in others.into_iter().filter(|other| *other != first.out.sender()).take(6) {
            draft = draft.because(program.call_place(other), "called here too");
        }
    }
}

/// Whether a flag or setting decides, on the way to a call or in the wrapper that sends it.
fn is_switched(program: &Program, used: &CoreUse<'_>) -> bool {
    let on_way = used.way.iter().map(|edge| edge.call);
    let starts = used.starts.iter().flat_map(|start| start.way.iter().map(|edge| edge.call));
    program.is_switched(on_way.chain(starts).chain([used.out.at, used.on_path, used.out.sender()]))
}

fn switch(program: &Program, at: CallRef, vendor: &str) -> String {
    let variable: String = vendor.chars().filter(char::is_ascii_alphanumeric).collect();
    let variable = format!("{}_ENABLED", variable.to_ascii_uppercase());
    let is_script = program.facts(at.file).language.is_script();
    if !is_script {
        return format!("if os.environ.get(\"{variable}\") == \"true\":");
    }
    format!("if ({} === \"true\")", program.read_of_variable(at.file, Name::new(&variable)))
}
