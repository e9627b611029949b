//! Vendors that the code depends on and that no document names.

use std::collections::BTreeMap;

use crate::catalogue::VendorId;
use crate::finding::Confidence;
use crate::program::apps::AppId;
use crate::program::{CallRef, Program};
use crate::rule::Report;

crate::rule! {
    /// A vendor that no document names
    ///
    /// Somebody signed up there, somebody pays, somebody gets the mail that says that a version is shut down. When
    /// nothing written says who and what for, nobody looks after it, and whoever meets its outage first has to read
    /// the code to learn that it exists.
    ///
    /// A note for auditors, once a vendor, where it is first called.
    ///
    /// ## Silent when
    ///
    /// - a README, a note or a document of the repository names it
    /// - it is the app's own backend, or only tests and scripts use it
    ///
    /// ## The cure
    ///
    /// Write down what it does for the app, who owns the account, and what to do when it is down.
    ///
    /// ## Example
    ///
    /// ```ts path=src/mail.ts
    /// import { Resend } from "resend";
    ///
    /// const resend = new Resend(process.env.RESEND_API_KEY!);
    ///
    /// export const greet = (to: string) => resend.emails.send({ from: "a@shop.example", to, subject: "Hi", html: "Hi" });
    /// ```
    ///
    /// ```json path=package.json
    /// { "name": "shop", "main": "src/mail.ts", "dependencies": { "resend": "4.0.0" } }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```md path=README.md
    /// | service | what for | who owns it | when it is down |
    /// |---|---|---|---|
    /// | Resend | greeting mails | ops@shop.example | they are sent later |
    /// ```
    id: "integration-undocumented", severity: Note, confidence: Medium, section: "Configuration and ownership",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let clients = program.clients().iter().map(|made| (made.vendor, made.at));
    let uses = program.vendor_uses().iter().map(|used| (used.vendor, used.at));
    let is_documented = |vendor: VendorId, app: AppId| {
        let named = program.documented.get(&vendor);
        named.is_some_and(|files| files.iter().any(|&file| program.is_of_app(file, app)))
    };
    let mut first: BTreeMap<(VendorId, AppId), CallRef> = BTreeMap::new();
    for (vendor, at) in clients.chain(uses) {
        let side = program.side(at.file);
        let counts = !side.tooling && !side.dead && !program.catalogue.vendor(vendor).own_backend;
        if !counts {
            continue;
        }
        for app in program.apps_of(at.file).into_iter().filter(|&app| !is_documented(vendor, app)) {
            let known = first.entry((vendor, app)).or_insert(at);
            *known = (*known).min(at);
        }
    }
    let mut told: Vec<(VendorId, CallRef)> = Vec::new();
    for ((vendor, app), at) in first {
        if told.contains(&(vendor, at)) {
            continue;
        }
        told.push((vendor, at));
        let name = &program.catalogue.vendor(vendor).name;
        let message = format!(
            "the app{0} depends on {name}, and no document of {1} names it: nobody knows who owns the account, and what to do when it is down",
            program.of_which_app(app),
            if program.has_several_apps() { "its own or of the repository" } else { "the repository" }
        );
        report
            .at(program.call_place(at), name.clone(), message)
            .confidence(Confidence::Medium)
            .auditor_only()
            .vendor(program.vendor_id(vendor))
            .help(format!(
                "Name {name} in the README: what it does for the app, who owns the account, and what customers see when it is down."
            ));
    }
}
