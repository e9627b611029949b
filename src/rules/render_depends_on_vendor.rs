//! Pages rendered on the server that a vendor's outage makes blank.

use rustc_hash::FxHashSet;

use crate::catalogue::{Category, Effect};
use crate::facts::{ExportValue, ExprKind};
use crate::finding::Place;
use crate::names::Name;
use crate::program::time::waiting::Waited;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, Edge, EdgeKind, Entry, EntryKind, ExprRef, Program, Value};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A page is rendered only when a vendor answers
    ///
    /// The page is made on the server, and on the way it asks a vendor. When the vendor is down, there is no page: the
    /// customer sees "something went wrong" in place of everything else that stands on it. When it is slow, so is every
    /// visit.
    ///
    /// ## Silent when
    ///
    /// - the failure is caught, and the page does without;
    /// - the answer is cached, or the page is made beforehand;
    /// - an error page stands beside or above it;
    /// - the vendor says who the visitor is.
    ///
    /// ## The cure
    ///
    /// Catch the failure and show the page without that part, and keep the answer for a while.
    ///
    /// ## Example
    ///
    /// ```ts path=app/account/page.tsx
    /// import { cookies } from "next/headers";
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export default async function Account() {
    ///   const customer = (await cookies()).get("customer")!.value;
    ///   const invoices = await stripe.invoices.list({ customer, limit: 10 });
    ///   return <main>{invoices.data.length} invoices</main>;
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/account/page.tsx
    /// import { cookies } from "next/headers";
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export default async function Account() {
    ///   const customer = (await cookies()).get("customer")!.value;
    ///   const invoices = await stripe.invoices.list({ customer, limit: 10 }).catch(() => null);
    ///   return <main>{invoices ? `${invoices.data.length} invoices` : "Invoices are not to be had right now"}</main>;
    /// }
    /// ```
    id: "render-depends-on-vendor", severity: Warning, confidence: Medium, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told: FxHashSet<Place> = FxHashSet::default();
    let renders = |entry: &&Entry| matches!(entry.kind, EntryKind::Page | EntryKind::Middleware);
    for entry in program.entries.iter().filter(renders) {
        let side = program.side(entry.function.file);
        if side.tooling || side.dead || !side.server || !is_live(program, entry) || has_error_page(program, entry) {
            continue;
        }
        let waited = program.waited_for(entry);
        let Some(first) = waited.iter().find(|waited| is_needed(program, waited)) else { continue };
        let place = program.call_place(first.call);
        if told.insert(place) {
            tell(program, report, entry, first);
        }
    }
}

/// Whether a page is made for each visit: it asks who visits, or what for.
fn is_live(program: &Program, entry: &Entry) -> bool {
    if entry.kind == EntryKind::Middleware {
        return true;
    }
    let facts = program.facts(entry.function.file);
    let exported = |name: &str| facts.exports.iter().find(|export| export.name == name);
    if ["revalidate", "generateStaticParams", "getStaticProps", "ErrorBoundary"]
        .iter()
        .any(|name| exported(name).is_some())
    {
        return false;
    }
    let beforehand = exported("prerender").map(|export| match export.value {
        ExportValue::Local(value) => program.value(ExprRef::new(entry.function.file, value)) != Value::Bool(false),
        ExportValue::From(..) => true,
    });
    if beforehand == Some(true) {
        return false;
    }
    let dynamic = exported("dynamic").and_then(|export| match export.value {
        ExportValue::Local(value) => match facts.expr(value) {
            ExprKind::Text(text) => Some(*text),
            _ => None,
        },
        ExportValue::From(..) => None,
    });
    match dynamic {
        Some(how) => how == "force-dynamic",
        None if entry.framework == "next-app" => {
            let asks = program.with_inner(entry.function).into_iter().any(|function| {
                program.calls_in(function).any(|at| {
                    program.external(at).is_some_and(|external| {
                        matches!(external.dotted().rsplit('.').next(), Some("cookies" | "headers"))
                    })
                })
            });
            let segment = entry.route.is_some_and(|route| route.contains(':'));
            asks || segment
        }
        // `getStaticProps` and what stands beside it run when the app is built.
        None if entry.framework == "next-pages" => entry.name.as_deref() == Some("getServerSideProps"),
        // Loaders and server functions of pages run for each visit; documents are made beforehand unless they say so.
        None => matches!(entry.framework, "remix" | "svelte-kit") || entry.framework == "astro" && beforehand.is_some(),
    }
}

/// Whether a file is a layout: what stands around pages.
fn is_frame(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("layout.") || name.starts_with("+layout.")
}

/// Whether an error page of the app's own stands beside a page or above it.
fn has_error_page(program: &Program, entry: &Entry) -> bool {
    if entry.kind == EntryKind::Middleware {
        return false;
    }
    let path = program.file(entry.function.file).path;
    let mut folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    // What stands beside a layout stands inside it: only what is above it is there when it fails.
    if is_frame(path.as_str()) {
        let above = ["global-error.tsx", "global-error.jsx", "global-error.js", "global-error.ts"];
        let beside = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        if above.iter().any(|name| program.file_at(&format!("{beside}{name}")).is_some()) {
            return true;
        }
        match folder.rsplit_once('/') {
            Some((outer, _)) => folder = outer,
            None => return false,
        }
    }
    loop {
        let at = |name: &str| program.file_at(&format!("{folder}/{name}")).is_some();
        if ["error.tsx", "error.jsx", "error.js", "error.ts", "+error.svelte"].iter().any(|name| at(name)) {
            return true;
        }
        match folder.rsplit_once('/') {
            Some((outer, _)) => folder = outer,
            None => break,
        }
    }
    // Its root says it for all of them.
    entry.framework == "remix"
        && ["app/root.tsx", "app/root.jsx"].iter().filter_map(|path| program.file_at(path)).any(|file| {
            program
                .file(file)
                .facts
                .as_ref()
                .is_some_and(|facts| facts.exports.iter().any(|export| export.name == "ErrorBoundary"))
        })
}

/// Whether a page fails with what it waits for.
fn is_needed(program: &Program, waited: &Waited) -> bool {
    let calls: Vec<CallRef> = waited.way.iter().map(|edge| edge.call).chain([waited.call]).collect();
    if calls.iter().any(|&at| !program.guards(at).is_empty()) {
        return false;
    }
    let is_cache = |at: CallRef| program.call_text(at).to_ascii_lowercase().contains("cache");
    let is_kept = |edge: &Edge| is_cache(edge.call) || program.is_cached(edge.target);
    if waited.way.iter().any(|edge| edge.kind != EdgeKind::Direct || is_kept(edge)) {
        return false;
    }
    let cached = program.requests_at(waited.call).iter().any(|http| {
        http.options.iter().any(|options| {
            let cache = program.lookup(options, Name::new("cache"));
            let stores =
                matches!(cache, Lookup::Present(ref value) if value.text().is_none_or(|how| how != "no-store"));
            stores || !matches!(program.lookup(options, Name::new("next")), Lookup::Absent)
        })
    });
    let uses = program.vendors_at(waited.call);
    let known = uses.iter().any(|used| {
        let vendor = program.catalogue.vendor(used.vendor);
        let effect = program.operation(used).map(|operation| operation.effect);
        !vendor.own_backend
            && vendor.category != Category::Auth
            && effect != Some(Effect::Token)
            && !program.gives_errors(used)
    });
    known && !cached
}

fn tell(program: &Program, report: &mut Report, entry: &Entry, first: &Waited) {
    let (what, whom) = (program.sent_name(first.call), program.sent_to(first.call));
    let page = program.entry_name(entry);
    let message = match entry.kind {
        EntryKind::Middleware => {
            format!("{page} waits for {what}: while {whom} is down, none of the pages that it covers opens")
        }
        _ => format!(
            "the page {page} waits for {what}: while {whom} is down, visitors get an error in place of the page"
        ),
    };
    let help = match entry.kind {
        EntryKind::Middleware => {
            "Catch the failure and let visitors through, or ask what your own database kept of it; leave what must be \
             asked live to the pages that need it."
        }
        _ if is_frame(program.file(entry.function.file).path.as_str()) => {
            "Catch the failure and render the frame without that part (`.catch(() => null)`), and keep the answer for a \
             while where it may be old. An error page beside a layout does not stand in for it, only one above it does."
        }
        // Its error page is one for the whole app.
        _ if entry.framework == "next-pages" => {
            "Catch the failure and render the page without that part (`.catch(() => null)`), and keep the answer for a \
             while where it may be old."
        }
        _ => {
            "Catch the failure and render the page without that part (`.catch(() => null)`), keep the answer for a \
             while where it may be old, and put an error page beside it."
        }
    };
    let mut draft = report.at(program.call_place(first.call), what, message).help(help);
    if !first.way.is_empty() {
        let steps = program.trace(program.entry_head(entry), &page, &first.way, first.call, "waits here");
        draft = draft.trace(steps);
    }
    for used in program.vendors_at(first.call) {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
}
