//! Tokens of customers' accounts that end, and that nothing renews.

use std::collections::BTreeMap;

use crate::catalogue::{KnownRole, Offline, VendorId};
use crate::facts::ExprKind;
use crate::finding::Confidence;
use crate::names::Name;
use crate::program::sign_in::oauth::offline::Unrenewable;
use crate::program::sign_in::oauth::tokens::unasked::Unasked;
use crate::program::sign_in::oauth::tokens::{Ending, Ends};
use crate::program::{CallRef, ExprRef, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A customer's connection that stops when its token ends
    ///
    /// Most vendors' access tokens last an hour or less. An app that keeps one and never asks for the next works in
    /// the demonstration and fails for every customer the same afternoon; the customer connects again, and again.
    ///
    /// Reported are exchanges of a code whose access token is kept while nothing in the app asks that vendor for a new
    /// one, and a provider's token that a login's library hands on and that is kept without what renews it, or used in a
    /// request later without a look whether it is still there; and refresh tokens that are kept, or used, and never come,
    /// as customers are sent to authorize without the permission or parameter that asks the vendor for one. That a
    /// token ends is known from the vendor's documentation, or from the code: it reads `expires_in`. Where it
    /// only gets a `refresh_token` the auditor is told: some vendors give one with tokens that last.
    ///
    /// ## Silent when
    ///
    /// - some code asks the vendor with `grant_type: "refresh_token"`, or a library does (`googleapis`, NextAuth ...);
    /// - the token is used at once and not kept;
    /// - the vendor's tokens do not end.
    ///
    /// ## The cure
    ///
    /// Keep the refresh token and when the access token ends; ask for a new one shortly before, and once on a 401.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/hubspot/callback/route.ts
    /// import { PrismaClient } from "@prisma/client";
    ///
    /// const prisma = new PrismaClient();
    ///
    /// export async function connect(userId: string, code: string) {
    ///   const answer = await fetch("https://api.hubapi.com/oauth/v1/token", {
    ///     method: "POST",
    ///     body: new URLSearchParams({ grant_type: "authorization_code", code, client_id: process.env.HUBSPOT_ID! }),
    ///   });
    ///   const tokens = await answer.json();
    ///   await prisma.connection.create({ data: { userId, accessToken: tokens.access_token } });
    /// }
    ///
    /// export async function GET(req: Request) {
    ///   await connect("u1", new URL(req.url).searchParams.get("code")!);
    ///   return new Response("connected");
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/hubspot/callback/route.ts
    /// import { PrismaClient } from "@prisma/client";
    ///
    /// const prisma = new PrismaClient();
    ///
    /// export async function connect(userId: string, code: string) {
    ///   const answer = await fetch("https://api.hubapi.com/oauth/v1/token", {
    ///     method: "POST",
    ///     body: new URLSearchParams({ grant_type: "authorization_code", code, client_id: process.env.HUBSPOT_ID! }),
    ///   });
    ///   const tokens = await answer.json();
    ///   const expiresAt = new Date(Date.now() + tokens.expires_in * 1000);
    ///   await prisma.connection.create({
    ///     data: { userId, accessToken: tokens.access_token, refreshToken: tokens.refresh_token, expiresAt },
    ///   });
    /// }
    ///
    /// export async function renew(refreshToken: string) {
    ///   const answer = await fetch("https://api.hubapi.com/oauth/v1/token", {
    ///     method: "POST",
    ///     body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken }),
    ///   });
    ///   return answer.json();
    /// }
    ///
    /// export async function GET(req: Request) {
    ///   await connect("u1", new URL(req.url).searchParams.get("code")!);
    ///   return new Response("connected");
    /// }
    /// ```
    id: "oauth-no-refresh", severity: Warning, confidence: High, section: "Vendor credentials and permissions",
    security: Some(3.0), since: "0.1.0", check: check
}

/// Further places that a finding names: more say nothing more.
const MOST: usize = 8;

fn check(program: &Program, report: &mut Report) {
    let mut told: Vec<ExprRef> = Vec::new();
    for ending in program.ending_tokens() {
        if !told.contains(&ending.exchange) {
            told.push(ending.exchange);
            tell(program, report, &ending);
        }
    }
    for one in program.unrenewable_authorizations() {
        tell_unrenewable(program, report, &one);
    }
    for unasked in program.unasked_renewals() {
        tell_unasked(program, report, &unasked);
    }
    // Each app forgets it once, wherever it keeps the token.
    let mut forgotten: BTreeMap<(usize, VendorId, Name), Vec<ExprRef>> = BTreeMap::new();
    for (at, vendor, renewed_by) in program.passed_on_tokens() {
        forgotten.entry((program.projects.index(at.file), vendor, renewed_by)).or_default().push(at);
    }
    for ((_, vendor, renewed_by), kept) in forgotten {
        tell_passed_on(program, report, vendor, renewed_by, &kept);
    }
    let mut late: BTreeMap<(usize, VendorId, Name), Vec<ExprRef>> = BTreeMap::new();
    for (at, vendor, renewed_by) in program.late_tokens() {
        late.entry((program.projects.index(at.file), vendor, renewed_by)).or_default().push(at);
    }
    for ((_, vendor, renewed_by), used) in late {
        tell_late(program, report, vendor, renewed_by, &used);
    }
}

fn tell_unrenewable(program: &Program, report: &mut Report, one: &Unrenewable<'_>) {
    let (name, scope) = (&program.catalogue.vendor(one.vendor).name, &one.offline.scope);
    let message = format!(
        "customers are sent to {name} without `{scope}` among the scopes, and get no refresh token then: when the first \
         access token ends, what would renew it has nothing to renew it with, and every connection stops"
    );
    let help = format!("Add `{scope}` to the scopes. Who has connected before must connect once more.");
    report
        .at(program.place(one.at), scope.clone(), message)
        .help(help)
        .vendor(program.vendor_id(one.vendor))
        .because(program.place(one.renewal), "would renew it");
}

fn tell_unasked(program: &Program, report: &mut Report, unasked: &Unasked<'_>) {
    let vendor = program.catalogue.vendor(unasked.vendor);
    let Offline { parameter, value, again, .. } = unasked.offline;
    let message = format!(
        "customers are sent to {} without `{parameter}={value}`: no refresh token comes back, what is kept of it stays \
         empty, and every connection stops when its first token ends",
        vendor.name
    );
    let help = format!(
        "Ask with `{parameter}: \"{value}\"`, and with {again}, so that a refresh token also comes for customers who \
         agreed before."
    );
    report
        .at(program.place(unasked.at), parameter.as_str(), message)
        .because(program.place(unasked.kept), "the refresh token is kept here")
        .help(help)
        .vendor(program.vendor_id(unasked.vendor));
}

fn tell_late(program: &Program, report: &mut Report, vendor: VendorId, renewed_by: Name, used: &[ExprRef]) {
    let [at, others @ ..] = used else { return };
    let name = &program.catalogue.vendor(vendor).name;
    let token =
        program.facts(at.file).last_name(at.expr).map_or_else(|| "the token".to_owned(), |name| name.to_string());
    let message = format!(
        "`{token}` is used here long after the login, and {name} does not renew it: about an hour after the customer signed \
         in it has ended or is gone, and the request is refused until they sign in again"
    );
    let help = format!(
        "Keep `{token}` and `{renewed_by}` at the login (they come once), on the server, and ask the provider itself for \
         a new token with `grant_type: \"refresh_token\"`. Until then ask whether it is there, and send the customer to \
         the login again where it is not."
    );
    let mut draft = report.at(program.place(*at), token, message).help(help).vendor(program.vendor_id(vendor));
    for other in others.iter().take(MOST) {
        draft = draft.because(program.place(*other), "and here");
    }
}

fn tell_passed_on(program: &Program, report: &mut Report, vendor: VendorId, renewed_by: Name, kept: &[ExprRef]) {
    let [at, others @ ..] = kept else { return };
    let name = &program.catalogue.vendor(vendor).name;
    let facts = program.facts(at.file);
    let token = facts.last_name(at.expr).map_or_else(|| "the token".to_owned(), |name| name.to_string());
    let message = format!(
        "`{token}` is kept without `{renewed_by}`, and {name} does not renew it: when it ends, about an hour after the \
         login, what the app does in the customer's name fails"
    );
    let help = format!(
        "Keep `{renewed_by}` beside it at the login (it comes once), and ask the provider itself for a new token \
         with `grant_type: \"refresh_token\"`."
    );
    let mut draft = report.at(program.place(*at), token, message).help(help).vendor(program.vendor_id(vendor));
    for other in others.iter().take(MOST) {
        draft = draft.because(program.place(*other), "and here");
    }
}

fn tell(program: &Program, report: &mut Report, ending: &Ending) {
    let whose = match (ending.vendor, ending.host) {
        (Some(vendor), _) => program.catalogue.vendor(vendor).name.clone(),
        (None, Some(host)) => host.to_string(),
        (None, None) => "the vendor".to_owned(),
    };
    let after = match &ending.ends {
        Ends::After(long) => format!("after {long}"),
        Ends::AsRead => "when `expires_in` is over".to_owned(),
        Ends::AsAsked => "and comes with a `refresh_token`".to_owned(),
    };
    let message = format!(
        "the access token of {whose} that is kept here ends {after}, and nothing asks for the next one: every customer's \
         connection stops and must be made again by hand"
    );
    let keep = if ending.renewable { "" } else { "Keep `refresh_token` and when the token ends beside it. " };
    let python = !program.facts(ending.exchange.file).language.is_script();
    let body = if python {
        "data={\"grant_type\": \"refresh_token\", \"refresh_token\": connection.refresh_token, ...}"
    } else {
        "body: new URLSearchParams({ grant_type: \"refresh_token\", refresh_token: connection.refreshToken, ... })"
    };
    let by_library = match *program.facts(ending.exchange.file).expr(ending.exchange.expr) {
        ExprKind::Call(call) => program.has_role(CallRef::new(ending.exchange.file, call), KnownRole::Exchange),
        _ => false,
    };
    let how = if ending.renewable { "" } else { " in the way the vendor's documents say; of most, by" };
    let help = if by_library {
        format!(
            "{keep}Hand `refresh_token` to the library's client wherever it calls in the customer's name: then it asks for \
             the next token by itself."
        )
    } else {
        format!("{keep}Before a call, when it ends within a minute, and once on a 401, ask for the next{how}:\n{body}")
    };
    let draft = report
        .at(program.place(ending.exchange), "refresh", message)
        .because(program.place(ending.kept), "the token is kept here")
        .help(help);
    let draft = match ending.ends {
        Ends::AsAsked => draft.confidence(Confidence::Low).auditor_only(),
        _ => draft,
    };
    if let Some(vendor) = ending.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}
