//! One vendor in two modes: what one part of the app makes, the other does not know.

use crate::catalogue::VendorId;
use crate::finding::{FileId, Place};
use crate::manifest::EnvFile;
use crate::names::Name;
use crate::program::Program;
use crate::program::secrets::configured::{Block, Configured};
use crate::program::secrets::modes::{Mode, ModeUse};
use crate::program::secrets::unset::Fallen;
use crate::rule;
use crate::rule::{Draft, Report};

rule! {
    /// One vendor is used in test mode and in live mode at once
    ///
    /// A vendor's test mode and live mode are two separate worlds. An order made in one does not exist in the other.
    /// When one function asks the sandbox and another the live system, customers pay and the check does not find their
    /// payment; or nobody pays at all, and every check passes. A secret key of one mode beside a publishable key of
    /// the other fails at the first payment. A switch for tests that is committed as it was turned last goes live with
    /// the next deployment: nobody is asked to pay.
    ///
    /// ## Silent when
    ///
    /// - every part of the app chooses its mode in the same way
    /// - the variables' own names say which mode each key is of
    /// - each environment of the configuration has a block of its own, with keys and hosts of one mode
    /// - the file is an example, the code a test or a script, or the hosts stand in an allow list
    ///
    /// ## The cure
    ///
    /// Decide the mode in one place, and take host, keys and ids from there.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// const BASE = Deno.env.get("APP_ENV") === "production" ? "https://api-m.paypal.com" : "https://api-m.sandbox.paypal.com";
    ///
    /// Deno.serve(async (req) => {
    ///   const answer = await fetch(`${BASE}/v2/checkout/orders`, { method: "POST", body: await req.text() });
    ///   return new Response(answer.body, { status: answer.status });
    /// });
    /// ```
    ///
    /// ```ts path=supabase/functions/check/index.ts
    /// const BASE = "https://api-m.sandbox.paypal.com";
    ///
    /// Deno.serve(async (req) => {
    ///   const { id } = await req.json();
    ///   const answer = await fetch(`${BASE}/v2/checkout/orders/${id}`);
    ///   return new Response(answer.body, { status: answer.status });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// const BASE = Deno.env.get("APP_ENV") === "production" ? "https://api-m.paypal.com" : "https://api-m.sandbox.paypal.com";
    ///
    /// Deno.serve(async (req) => {
    ///   const answer = await fetch(`${BASE}/v2/checkout/orders`, { method: "POST", body: await req.text() });
    ///   return new Response(answer.body, { status: answer.status });
    /// });
    /// ```
    ///
    /// ```ts path=supabase/functions/check/index.ts
    /// const BASE = Deno.env.get("APP_ENV") === "production" ? "https://api-m.paypal.com" : "https://api-m.sandbox.paypal.com";
    ///
    /// Deno.serve(async (req) => {
    ///   const { id } = await req.json();
    ///   const answer = await fetch(`${BASE}/v2/checkout/orders/${id}`);
    ///   return new Response(answer.body, { status: answer.status });
    /// });
    /// ```
    id: "test-live-mix", severity: Error, confidence: High, section: "Configuration and ownership",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let uses = program.mode_uses();
    for used in uses.iter().filter(|used| used.mode == Mode::Test) {
        if let Some(other) = opposite(program, used, &uses) {
            hosts(program, report, used, other);
        }
    }
    fallen(program, report, &program.fallen_modes(&uses));
    for (path, env) in program.manifests.env_files() {
        if let Some(file) = program.file_at(&path)
            && !["example", "sample", "template", "test"].iter().any(|word| path.contains(word))
        {
            given(program, report, file, env);
        }
    }
    for block in program.configured_blocks() {
        configured(program, report, &block);
    }
    for switch in program.payment_switches() {
        let name = switch.name;
        let message = format!(
            "{name} is committed as it stands here, and with it nobody is asked to pay: deployed like this, customers \
             get for nothing what they should buy"
        );
        report.at(switch.set, name.as_str(), message).because(switch.asked, "decided here").help(format!(
            "Take {name} out of the repository: let a variable that only your own machine sets decide, and refuse it in \
             production."
        ));
    }
}

/// Another part of the same project that talks to the live system, or can, where this one cannot.
pub(super) fn opposite<'u>(program: &Program, used: &ModeUse, all: &'u [ModeUse]) -> Option<&'u ModeUse> {
    let project = |used: &ModeUse| program.projects.index(used.place.file);
    all.iter().find(|other| {
        other.vendor == used.vendor
            && other.place.file != used.place.file
            && project(other) == project(used)
            && (other.mode == Mode::Live || (other.mode == Mode::Either && !used.by_default))
    })
}

fn hosts(program: &Program, report: &mut Report, used: &ModeUse, other: &ModeUse) {
    let vendor = &program.catalogue.vendor(used.vendor).name;
    let unset = if used.by_default { " unless a variable says otherwise" } else { "" };
    let message = format!(
        "{vendor} is asked in test mode here{unset}, and {} elsewhere: what is made in one is unknown in the other",
        if other.mode == Mode::Live { "in live mode" } else { "in the mode of the environment" }
    );
    let help = format!(
        "Decide {vendor}'s mode in one place that every part of the app imports, and take host, keys and ids from there."
    );
    let said = if other.mode == Mode::Live { "live mode here" } else { "the environment decides here" };
    report
        .at(used.place, used.host.as_str(), message)
        .because(other.place, said)
        .vendor(program.vendor_id(used.vendor))
        .help(help);
}

/// Two modules that a variable decides for, and that fall to opposite modes while it is unset.
fn fallen(program: &Program, report: &mut Report, all: &[Fallen]) {
    let project = |one: &Fallen| program.projects.index(one.place.file);
    for test in all.iter().filter(|one| one.mode == Mode::Test) {
        let live = all.iter().find(|other| {
            other.mode == Mode::Live
                && other.vendor == test.vendor
                && other.variable == test.variable
                && other.place.file != test.place.file
                && project(other) == project(test)
        });
        let Some(live) = live else { continue };
        let (vendor, variable) = (&program.catalogue.vendor(test.vendor).name, test.variable);
        let message = format!(
            "while {variable} is unset, {vendor} is asked in test mode here and in live mode elsewhere: what is made in \
             one is unknown in the other"
        );
        let help = format!(
            "Read {variable} in one place that every part of the app imports, stop when it is unset, and take host, \
             keys and ids from there."
        );
        report
            .at(test.place, variable.as_str(), message)
            .because(live.place, "live mode here")
            .vendor(program.vendor_id(test.vendor))
            .help(help);
    }
}

/// What a variable of a file of variables is of, by its value.
struct Given {
    vendor: VendorId,
    mode: Mode,
    name: Name,
    place: Place,
    is_key: bool,
}

/// The keys and hosts of one vendor in one file of variables, of both modes.
fn given(program: &Program, report: &mut Report, file: FileId, env: &EnvFile) {
    let mut seen: Vec<Given> = Vec::new();
    for entry in &env.entries {
        // The last of several lines counts, and a name may say the mode itself.
        let counts = env.get(&entry.name).is_some_and(|last| last.line == entry.line);
        if !counts || says_mode(&entry.name) {
            continue;
        }
        let (name, place) = (entry.name, Place { file, span: entry.span });
        for token in env.tokens_of(entry) {
            if let (Some(test), Some(vendor)) = (token.test, program.catalogue.vendor_named(&token.vendor)) {
                seen.push(Given {
                    vendor,
                    mode: if test { Mode::Test } else { Mode::Live },
                    name,
                    place,
                    is_key: true,
                });
            }
        }
        if let Some((vendor, mode)) = entry.host.and_then(|host| program.mode_of(&host)) {
            seen.push(Given { vendor, mode, name, place, is_key: false });
        }
    }
    // Two keys say it more plainly than a key and a host.
    seen.sort_by_key(|given| !given.is_key);
    let mut told: Vec<VendorId> = Vec::new();
    for test in seen.iter().filter(|given| given.mode == Mode::Test) {
        let live = seen.iter().find(|other| other.vendor == test.vendor && other.mode == Mode::Live);
        let Some(live) = live.filter(|_| !told.contains(&test.vendor)) else { continue };
        told.push(test.vendor);
        let whose = &program.catalogue.vendor(test.vendor).name;
        let draft = if test.is_key && live.is_key {
            let message = format!(
                "{} holds a test key of {whose} beside a live one in {}: the first payment fails, for one does not \
                 know what the other makes",
                test.name, live.name
            );
            let help = format!(
                "Give {} and {} keys of the same mode; keep each mode's keys in a file of its own.",
                test.name, live.name
            );
            report.at(test.place, test.name.as_str(), message).because(live.place, "a live key").help(help)
        } else {
            beside(report, whose, (test.name, test.place), (live.name, live.place))
        };
        draft.vendor(program.vendor_id(test.vendor));
    }
}

/// A variable of a vendor's test mode beside one of its live mode.
fn beside<'r>(report: &'r mut Report, whose: &str, test: (Name, Place), live: (Name, Place)) -> Draft<'r> {
    let (name, other) = (test.0, live.0);
    let message = format!(
        "{name} is of {whose}'s test mode, and {other} beside it is of the live one: the first payment fails, for one \
         does not know what the other makes"
    );
    report
        .at(test.1, name.as_str(), message)
        .because(live.1, "of live mode")
        .help(format!("Give {name} and {other} values of the same mode."))
}

/// What the variables of one block of configuration reach: each with its vendor and mode.
pub(super) fn modes<'b>(program: &Program, block: &'b Block) -> Vec<(VendorId, Mode, &'b Configured)> {
    let mut found = Vec::new();
    for entry in block.entries.iter().filter(|entry| !says_mode(&entry.name)) {
        for token in program.tokens_of(entry) {
            if let (Some(test), Some(vendor)) = (token.test, program.catalogue.vendor_named(&token.vendor)) {
                found.push((vendor, if test { Mode::Test } else { Mode::Live }, entry));
            }
        }
        found.extend(program.mode_of_host(entry).map(|(vendor, mode)| (vendor, mode, entry)));
    }
    found
}

/// The keys and hosts of one vendor in one block of configuration, of both modes.
fn configured(program: &Program, report: &mut Report, block: &Block) {
    let modes = modes(program, block);
    let mut told: Vec<VendorId> = Vec::new();
    for &(vendor, _, entry) in modes.iter().filter(|(_, mode, _)| *mode == Mode::Test) {
        let live = modes.iter().find(|other| other.0 == vendor && other.1 == Mode::Live);
        let Some(&(_, _, live)) = live.filter(|_| !told.contains(&vendor)) else { continue };
        told.push(vendor);
        let whose = &program.catalogue.vendor(vendor).name;
        beside(report, whose, (entry.name, entry.place), (live.name, live.place)).vendor(program.vendor_id(vendor));
    }
}

pub(super) fn says_mode(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    upper.split('_').any(|word| matches!(word, "TEST" | "LIVE" | "SANDBOX" | "PROD" | "PRODUCTION" | "DEV"))
}
