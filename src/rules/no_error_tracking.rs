//! Vendors are called on the server, and nothing tells anybody when they fail.

use crate::catalogue::{Category, VendorId};
use crate::facts::{ExprKind, ImportId, Span};
use crate::finding::{FileId, Place};
use crate::program::apps::AppId;
use crate::program::{CallRef, Destination, Program, Target, VendorUse};
use crate::rule;
use crate::rule::Report;

rule! {
    /// Nothing reports the failures of the vendors that the server calls
    ///
    /// Vendors fail now and then, each in its own way. Without an error tracker, tracing or a structured logger such a
    /// failure leaves a line in a console that nobody reads and that the host keeps for a day. You then learn from
    /// customers that payments, mails or answers stopped, days after they did.
    ///
    /// ## Silent when
    ///
    /// Fewer than two vendors are called on the server, or the repository uses an error tracker, OpenTelemetry or a
    /// structured logger anywhere. Shown to auditors, once a repository.
    ///
    /// ## The cure
    ///
    /// Add an error tracker to the server, start it before anything else, and send it what handlers catch.
    ///
    /// ## Example
    ///
    /// ```ts path=server/index.ts
    /// import express from "express";
    /// import Stripe from "stripe";
    /// import { Resend } from "resend";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const resend = new Resend(process.env.RESEND_API_KEY!);
    /// const app = express();
    ///
    /// app.post("/refund", async (req, res) => {
    ///   const refund = await stripe.refunds.create({ charge: req.body.charge });
    ///   await resend.emails.send({ from: "a@shop.example", to: req.body.to, subject: "Refund", text: refund.id });
    ///   res.json({ ok: true });
    /// });
    /// app.listen(3000);
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=server/index.ts
    /// import * as Sentry from "@sentry/node";
    /// import express from "express";
    /// import Stripe from "stripe";
    /// import { Resend } from "resend";
    ///
    /// Sentry.init({ dsn: process.env.SENTRY_DSN });
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    /// const resend = new Resend(process.env.RESEND_API_KEY!);
    /// const app = express();
    ///
    /// app.post("/refund", async (req, res) => {
    ///   const refund = await stripe.refunds.create({ charge: req.body.charge });
    ///   await resend.emails.send({ from: "a@shop.example", to: req.body.to, subject: "Refund", text: refund.id });
    ///   res.json({ ok: true });
    /// });
    /// Sentry.setupExpressErrorHandler(app);
    /// app.listen(3000);
    /// ```
    id: "no-error-tracking", severity: Note, confidence: High, section: "Seeing failures",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told: Vec<Place> = Vec::new();
    for app in program.apps() {
        look(program, app, &mut told, report);
    }
}

fn look(program: &Program, app: AppId, told: &mut Vec<Place>, report: &mut Report) {
    let own = |used: &&VendorUse| program.is_of_app(used.at.file, app) && program.runs_on_server(used.at.file);
    let mut used: Vec<(VendorId, CallRef)> = Vec::new();
    for vendor in program.vendor_uses().iter().filter(own) {
        if !used.iter().any(|(known, _)| *known == vendor.vendor)
            && !program.catalogue.vendor(vendor.vendor).own_backend
        {
            used.push((vendor.vendor, vendor.at));
        }
    }
    let Some(&(_, first)) = used.first().filter(|_| used.len() >= 2) else { return };
    let place = place(program, app, first);
    // Two apps may be told to mend one manifest.
    if told.contains(&place) || is_watched(program, app) {
        return;
    }
    told.push(place);
    let names: Vec<&str> = used.iter().map(|(vendor, _)| program.catalogue.vendor(*vendor).name.as_str()).collect();
    let shown = if names.len() > 4 { format!("{} and others", names[..4].join(", ")) } else { names.join(", ") };
    let message = format!(
        "the server{} calls {} vendors ({shown}), and no error tracker or structured log takes their failures: you \
         learn of an outage from your customers",
        program.of_which_app(app),
        names.len()
    );
    let mut draft = report
        .at(place, "error tracking", message)
        .help(
            "Add an error tracker or OpenTelemetry to the server, start it before anything else, and send it what \
             handlers catch.",
        )
        .auditor_only();
    for (vendor, at) in used.into_iter().take(6) {
        let text = format!("{} is called here", program.catalogue.vendor(vendor).name);
        draft = draft.because(program.call_place(at), text).vendor(program.vendor_id(vendor));
    }
}

/// Whether anything in an app reports failures: a package that does, or requests to such a vendor.
fn is_watched(program: &Program, app: AppId) -> bool {
    let code = || program.code().filter(|(file, _)| program.is_of_app(*file, app));
    if program.has_own_logger() {
        return true;
    }
    let reports = |package: &str| {
        program.catalogue.is_watcher(package)
            || program
                .catalogue
                .packages(crate::names::Name::new(package), &[])
                .any(|(vendor, _)| program.catalogue.vendor(vendor).category == Category::Monitoring)
    };
    let imported = code().any(|(file, facts)| {
        (0..facts.imports.len()).any(|at| match program.modules.target(file, ImportId(at as u32)) {
            Target::Package { name, .. } => reports(name),
            _ => false,
        })
    });
    let depended_on = || {
        program.manifests.packages().any(|(manifest, package)| {
            program.file_at(&manifest.path).is_none_or(|file| program.is_of_app(file, app))
                && package.dependencies.iter().any(|dependency| reports(&format!("npm:{}", dependency.name)))
        })
    };
    let asked = || {
        let own = program.requests().iter().filter(|http| program.is_of_app(http.at.file, app));
        own.flat_map(|http| &http.to).any(|to| {
            matches!(to, Destination::Vendor(vendor, ..) if program.catalogue.vendor(*vendor).category == Category::Monitoring)
        })
    };
    let tagged = || {
        code().flat_map(|(_, facts)| &facts.script_tags).any(|tag| {
            let vendor = program.catalogue.vendor_of_url(&tag.src);
            vendor.is_some_and(|vendor| program.catalogue.vendor(vendor).category == Category::Monitoring)
        })
    };
    // `{"()": "package.module.Formatter"}`: a setting names it.
    let named = || {
        code().filter(|(_, facts)| !facts.language.is_script()).any(|(_, facts)| {
            facts.exprs.iter().any(|expr| match &expr.kind {
                ExprKind::Text(text) => text.split_once('.').is_some_and(|(package, rest)| {
                    !rest.contains(' ') && program.catalogue.is_watcher(&format!("pypi:{package}"))
                }),
                _ => false,
            })
        })
    };
    imported || depended_on() || asked() || tagged() || named()
}

/// Where the cure goes: the manifest of the project that calls vendors first, else that call.
fn place(program: &Program, app: AppId, call: CallRef) -> Place {
    let path = program.path_in_app(call.file, app);
    let names = if program.file(call.file).path.ends_with(".py") {
        ["requirements.txt", "pyproject.toml"]
    } else {
        ["package.json", "deno.json"]
    };
    let manifest: Option<FileId> = names.iter().find_map(|name| {
        let manifest = program.manifests.above(&path, name).next()?;
        program.file_at(&manifest.path)
    });
    match manifest {
        Some(file) => Place { file, span: Span { start: 0, end: 1 } },
        None => program.call_place(call),
    }
}
