//! Integrations that run on a person's account.

use std::collections::BTreeMap;

use crate::finding::Confidence;
use crate::program::secrets::personal::{Personal, Whose};
use crate::program::{ExprRef, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// An integration runs on a person's account
    ///
    /// A personal access token or a private mailbox works like any credential until its owner leaves, changes the
    /// password, turns on a second factor or reaches the daily limit of a mailbox: then the app's mails or syncs stop,
    /// and only that person can mend it. Everything the app does appears in his name, with all his rights.
    ///
    /// Reported are variables for personal access tokens, mail sent through a mail service for persons, and service
    /// accounts that act in the name of a private address. Where the mailbox is only what is used while a setting is
    /// unset, it is a hint for auditors.
    ///
    /// ## Silent when
    ///
    /// - the mail server comes from a setting alone;
    /// - the address only receives, or belongs to a customer;
    /// - scripts, tests, and tokens written into files (see `secret-in-repo`).
    ///
    /// ## The cure
    ///
    /// A service account, an app's own key, or a mail service that sends for your domain.
    ///
    /// ## Example
    ///
    /// ```ts path=server/mail.ts
    /// import nodemailer from "nodemailer";
    /// import express from "express";
    ///
    /// const app = express();
    /// const mailer = nodemailer.createTransport({
    ///   service: "gmail",
    ///   auth: { user: process.env.GMAIL_USER, pass: process.env.GMAIL_APP_PASSWORD },
    /// });
    /// app.post("/send", async (req, res) => {
    ///   await mailer.sendMail({ to: req.body.to, subject: "Hi", text: "Hello" });
    ///   res.json({ ok: true });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=server/mail.ts
    /// import nodemailer from "nodemailer";
    /// import express from "express";
    ///
    /// const app = express();
    /// const mailer = nodemailer.createTransport({
    ///   host: process.env.SMTP_HOST,
    ///   auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASSWORD },
    /// });
    /// app.post("/send", async (req, res) => {
    ///   await mailer.sendMail({ to: req.body.to, subject: "Hi", text: "Hello" });
    ///   res.json({ ok: true });
    /// });
    /// ```
    id: "personal-credential", severity: Note, confidence: Medium, section: "Vendor credentials and permissions",
    security: Some(2.0), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    // One finding for each token, mailbox or person of a project.
    let mut found: BTreeMap<(usize, String), Vec<Personal<'_>>> = BTreeMap::new();
    for personal in program.personal() {
        let key = match personal.what {
            Whose::Token(name, _) => name.to_string(),
            Whose::Mailbox(mailboxes) => mailboxes.name.clone(),
            Whose::Subject(address) => address.to_string(),
        };
        found.entry((program.projects.index(personal.at.file), key)).or_default().push(personal);
    }
    for ((_, key), places) in &mut found {
        places.sort_by_key(|personal| (!personal.certain, personal.at));
        tell(program, report, key, places);
    }
}

fn tell(program: &Program, report: &mut Report, key: &str, places: &[Personal<'_>]) {
    let Some(first) = places.first() else { return };
    let (message, help) = match first.what {
        Whose::Token(name, _) => (
            format!(
                "{name} is a person's token: when that person leaves or withdraws it, what runs on it stops, and until \
                 then it may do all that the person may"
            ),
            "Use a key of the app's own instead: a service account, an app registered with the vendor, or a token with \
             only the rights it needs."
                .to_owned(),
        ),
        Whose::Mailbox(mailboxes) => (
            format!(
                "mail goes out through a mailbox of {}, which belongs to a person: its daily limit, a changed password or a \
                 second factor stops the mails to your customers, and many will find them in the spam",
                mailboxes.name
            ),
            "Send through a mail service for apps, from an address of your own domain (with SPF and DKIM), and keep its \
             server in a setting."
                .to_owned(),
        ),
        Whose::Subject(address) => (
            format!("the service account acts as {}: its rights and its end are that person's", hidden(&address)),
            "Let it act as an account made for the app, or share with the service account what it needs.".to_owned(),
        ),
    };
    let mut draft = report.at(place(program, first.at), key, message).help(help);
    for other in &places[1..] {
        draft = draft.because(place(program, other.at), "and here");
    }
    if let Whose::Token(_, Some(vendor)) = first.what {
        draft = draft.vendor(program.vendor_id(vendor));
    }
    if !first.certain {
        draft.confidence(Confidence::Low);
    }
}

fn place(program: &Program, at: ExprRef) -> crate::finding::Place {
    program.place(at)
}

/// An address of which only the service is shown.
fn hidden(address: &str) -> String {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    format!("a private address at {domain}")
}
