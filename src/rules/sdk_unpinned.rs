//! Vendors' SDKs that change with the next deployment.

use crate::finding::Severity;
use crate::program::Program;
use crate::program::versions::pins::{Loose, Unpinned};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A vendor's SDK is not held to a version
    ///
    /// What runs today was tested today. An import without a version, or a range that allows the next major, takes
    /// whatever the vendor has released by the time of the next deployment: methods are gone, defaults differ, and
    /// checkout breaks on a day on which nobody changed anything.
    ///
    /// ## Silent when
    ///
    /// - a major is named: `@2`, `^1.2`, `~=5.0`, `>=1,<2`
    /// - a lockfile beside the manifest or above it holds a version of it (one that is no text is believed to)
    /// - only types are imported; nothing that is deployed uses the SDK; tests and tooling
    ///
    /// Two majors of one SDK in one unit of deployment are a note.
    ///
    /// ## The cure
    ///
    /// Name the version that was tested, or commit the lockfile.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// import Stripe from "https://esm.sh/stripe?target=deno";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    ///
    /// Deno.serve(async () => Response.json(await stripe.balance.retrieve()));
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// import Stripe from "https://esm.sh/stripe@17?target=deno";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    ///
    /// Deno.serve(async () => Response.json(await stripe.balance.retrieve()));
    /// ```
    id: "sdk-unpinned", severity: Warning, confidence: High, section: "Contract drift",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for sdk in program.unpinned_sdks() {
        let vendor = &program.catalogue.vendor(sdk.vendor).name;
        let (message, help) = told(&sdk, vendor, program.file(sdk.place.file).path.as_str());
        let mut draft =
            report.at(sdk.place, sdk.asked.clone(), message).vendor(program.vendor_id(sdk.vendor)).help(help);
        if matches!(sdk.how, Loose::Two(..)) {
            draft = draft.severity(Severity::Note);
        }
        for place in sdk.others {
            draft = draft.because(place, "and here");
        }
    }
}

fn told(sdk: &Unpinned, vendor: &str, path: &str) -> (String, String) {
    let asked = &sdk.asked;
    match sdk.how {
        Loose::Import => (
            format!(
                "`{asked}` names no version: the next deployment runs on whatever {vendor} has released by then, breaking \
                 changes included"
            ),
            match with_version(sdk) {
                whole if whole.contains("@VERSION") => format!("Name the version that was tested: `{whole}`"),
                major => format!("Name the major version that was tested: `{major}`"),
            },
        ),
        Loose::Tag => (
            format!("`{asked}` names no version: every visitor gets what {vendor} released last, untested by you"),
            format!("Name the version that was tested: `{}`", with_version(sdk)),
        ),
        Loose::Manifest => {
            // Each minor of 0 is a major of its own.
            let zero =
                asked.rsplit(' ').next().is_some_and(|range| range.trim_start_matches(['^', '~']).starts_with('0'));
            let cure = match path.ends_with(".txt") || path.ends_with(".toml") || path.ends_with("Pipfile") {
                true => {
                    let name = sdk.package.split_once(':').map_or(sdk.package.as_str(), |(_, name)| name);
                    format!("Hold the version that was tested: `pip freeze` shows it for {name}; or commit a lockfile")
                }
                false if asked.contains(':') => {
                    format!("Name the major version that was tested: `{}`, or commit the lockfile", with_version(sdk))
                }
                false if zero => "Commit the lockfile, and name the minor that was tested (`^0.60.0`)".to_owned(),
                false => "Commit the lockfile, and name the major version that was tested (`^17.0.0`)".to_owned(),
            };
            let allows = match asked.contains('<') {
                true => "allows releases that may break each other",
                false if zero => "allows any later minor",
                false => "allows any later major",
            };
            let message = format!(
                "`{asked}` {allows}, and no lockfile holds one: the next installation runs on whatever {vendor} has \
                 released by then, breaking changes included"
            );
            (message, cure)
        }
        Loose::Two(here, other) => (
            format!(
                "two majors of {vendor}'s SDK run in one deployment, {here} here and {other} elsewhere: they differ in defaults and types"
            ),
            format!(
                "Import one version everywhere: `{}`",
                asked.replacen(&format!("@{here}"), &format!("@{}", here.max(other)), 1)
            ),
        ),
    }
}

/// The specifier with a place for the version: `https://esm.sh/stripe@MAJOR`.
fn with_version(sdk: &Unpinned) -> String {
    let asked = ["@latest", "@next", "@*"].iter().fold(sdk.asked.clone(), |text, loose| text.replace(loose, ""));
    let name = sdk.package.split_once(':').map_or(sdk.package.as_str(), |(_, name)| name);
    // Deno's registry knows whole versions only.
    let version = if name.starts_with("deno.land/") { "VERSION" } else { "MAJOR" };
    asked.replacen(name, &format!("{name}@{version}"), 1)
}
