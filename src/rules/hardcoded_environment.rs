//! Addresses of one environment written into code that runs in another.

use super::test_live_mix::{modes, says_mode};
use crate::catalogue::{Category, host_of_url};
use crate::names::Name;
use crate::program::Program;
use crate::program::secrets::configured::Block;
use crate::program::secrets::modes::{Mode, ModeUse};
use crate::program::secrets::returns::{ReturnAddress, comes_back};
use crate::rule;
use crate::rule::Report;

rule! {
    /// An address of a test or development environment is written into deployed code
    ///
    /// What worked on the developer's machine goes out as it is: customers who have paid are sent to `localhost`, a
    /// vendor's callbacks go to a tunnel that was closed weeks ago, and orders are placed in a sandbox that moves no
    /// money. Nothing fails in a way that anybody sees.
    ///
    /// ## Silent when
    ///
    /// - a variable, a condition or the request itself can say something else (a sandbox host as the default of a
    ///   variable is told: it is what runs when the variable is forgotten)
    /// - the configuration is for developers' machines or another environment than production
    /// - it is an allow list, the browser's own origin, a test or a script
    /// - another part of the app uses the live system: then `test-live-mix` tells it
    ///
    /// ## The cure
    ///
    /// Read the address from the environment, and fail at the start when it is missing.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/checkout/route.ts
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST() {
    ///   const session = await stripe.checkout.sessions.create({
    ///     mode: "payment",
    ///     line_items: [{ price: process.env.PRICE_ID!, quantity: 1 }],
    ///     success_url: "http://localhost:3000/thanks",
    ///   });
    ///   return Response.json({ url: session.url });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/checkout/route.ts
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST() {
    ///   const session = await stripe.checkout.sessions.create({
    ///     mode: "payment",
    ///     line_items: [{ price: process.env.PRICE_ID!, quantity: 1 }],
    ///     success_url: `${process.env.APP_URL}/thanks`,
    ///   });
    ///   return Response.json({ url: session.url });
    /// }
    /// ```
    id: "hardcoded-environment", severity: Warning, confidence: High, section: "Configuration and ownership",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let uses = program.mode_uses();
    for used in uses.iter().filter(|used| used.mode == Mode::Test) {
        if super::test_live_mix::opposite(program, used, &uses).is_none() {
            sandbox(program, report, used);
        }
    }
    for block in program.configured_blocks().iter().filter(|block| block.production) {
        configured(program, report, block);
    }
    for address in program.passing_addresses() {
        returned(program, report, &address);
    }
}

fn sandbox(program: &Program, report: &mut Report, used: &ModeUse) {
    let vendor = program.catalogue.vendor(used.vendor);
    let when = if used.by_default { " when its variable is not set" } else { "" };
    let lost = match vendor.category {
        Category::Payments => "customers seem to pay, and no money moves",
        Category::Sms => "messages seem to go out, and reach no customer's phone",
        _ => "customers work with made-up data",
    };
    let message = format!(
        "{} is {}'s test system, and this code talks to it in production too{when}: {lost}",
        used.host, vendor.name
    );
    let variable = format!("{}_BASE_URL", vendor.id.to_ascii_uppercase().replace('-', "_"));
    let live = vendor.live_hosts.first().map_or_else(String::new, |host| format!(" (live: `https://{host}`)"));
    report.at(used.place, used.host.as_str(), message).vendor(program.vendor_id(used.vendor)).help(format!(
        "Read the host from the environment and stop when it is missing: `{}`{live}.",
        program.read_of_variable(used.place.file, Name::new(&variable))
    ));
}

/// Hosts of test systems, and addresses of a developer's machine to come back to, in what production is given.
fn configured(program: &Program, report: &mut Report, block: &Block) {
    let modes = modes(program, block);
    for entry in block.entries.iter().filter(|entry| !says_mode(&entry.name)) {
        if let Some((vendor, Mode::Test)) = program.mode_of_host(entry) {
            // A live key beside it is for `test-live-mix` to tell.
            if modes.iter().any(|other| other.0 == vendor && other.1 == Mode::Live) {
                continue;
            }
            let whose = &program.catalogue.vendor(vendor).name;
            let message = format!(
                "the deployed app is given {whose}'s test system as {}: what customers do there is not real",
                entry.name
            );
            let live = program.catalogue.vendor(vendor).live_hosts.first();
            let cure = live.map_or_else(String::new, |host| format!(": `https://{host}`"));
            report
                .at(entry.place, entry.name.as_str(), message)
                .vendor(program.vendor_id(vendor))
                .help(format!("Give production the live host{cure}, and the test host to other environments alone."));
        } else if let Some(host) = host_of_url(&entry.value)
            && comes_back(&entry.name)
            && program.catalogue.is_passing(host)
        {
            let message = format!(
                "the deployed app is given {host} as {}: customers and the vendor's answers never reach it",
                entry.name
            );
            report
                .at(entry.place, entry.name.as_str(), message)
                .help(format!("Give {} the address that customers know the app by.", entry.name));
        }
    }
}

fn returned(program: &Program, report: &mut Report, address: &ReturnAddress) {
    let message = format!(
        "{} is told to come back to {} ({}): customers and the vendor's answers never reach the deployed app",
        address.told, address.host, address.name
    );
    let mut draft = report.at(address.place, address.name.as_str(), message).help(format!(
        "Build it from the app's own address, read from the environment: `{}`.",
        program.read_of_variable(address.place.file, Name::new("APP_URL"))
    ));
    for &vendor in &address.vendors {
        draft = draft.vendor(program.vendor_id(vendor));
    }
}
