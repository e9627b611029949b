//! `secret-in-client`: a vendor's secret token stands in what browsers get.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::browser_secrets::{
    harm_of, home, id, named, same_value, takes_only_secrets, variable_for, vendor_of, way_to_browser, with_article,
};
use crate::catalogue::Category;
use crate::facts::{ExprKind, Facts, Span, Token, TokenKind};
use crate::finding::{Confidence, FileId, Place, Severity};
use crate::program::secrets::credentials::{KeyUse, Way};
use crate::program::{CallRef, External, Program, Value};
use crate::rule;
use crate::rule::Report;
use crate::walk::names::is_page;

rule! {
    /// A server credential is shipped to the browser
    ///
    /// A secret key is written into code that visitors download. Minified or not, it is one search away: bots look
    /// for exactly these formats. Whoever finds it can charge and refund, send mail in your name, read every
    /// customer or run up the bill, and the vendor takes them for your server.
    ///
    /// Reported are tokens of the vendors' secret formats, after their checksum or decoded claims (a JWT of the
    /// database counts only when its role is the service role), in client modules, in pages, and in any module
    /// that client code imports; the trace shows by which imports it gets there. A test-mode key is a warning.
    ///
    /// ## Silent when
    ///
    /// The key is made for browsers: publishable and anon keys, Firebase web config, map loader keys, site keys,
    /// DSNs, client ids, price ids. Placeholders, tests and documentation are left alone, and so is code that stays
    /// on the server.
    ///
    /// ## The cure
    ///
    /// Revoke the key first: it has been public since the first deploy. Put the new one into the server's
    /// environment and let the browser ask a server function that uses it.
    ///
    /// ## Example
    ///
    /// ```tsx path=app/shop.tsx
    /// "use client";
    ///
    /// // Base64 hides nothing.
    /// const key = atob("c2tfbGl2ZV81MU54VDdyS3EyTG1OejRSdDdZYjFWYzlIZDNKZjZQZzBTYTJVZUI4V2s1WHk=");
    ///
    /// export function chargeNow(customer: string) {
    ///   const headers = { Authorization: `Bearer ${key}` };
    ///   return fetch("/pay-proxy", { method: "POST", headers, body: customer });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```tsx path=app/shop.tsx
    /// "use client";
    ///
    /// export function chargeNow(customer: string) {
    ///   return fetch("/api/charge", { method: "POST", body: customer });
    /// }
    /// ```
    id: "secret-in-client", severity: Error, confidence: High, section: "Secrets",
    security: Some(9.1), since: "0.1.0", check: check
}

/// How a file reaches people.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Exposure {
    /// It is a page: comments and attributes are served too.
    Page,
    /// It is part of what the bundler builds.
    Bundle,
    /// It is written for the browser, but nothing imports it today.
    Dormant,
}

/// A token, where it stands and how that reaches people.
struct Leak {
    place: Place,
    token: Token,
    exposure: Exposure,
}

fn check(program: &Program, report: &mut Report) {
    let mut leaks: Vec<Leak> = Vec::new();
    for (file, facts) in program.code() {
        let Some(exposure) = exposure(program, file, facts) else { continue };
        let hidden = if exposure == Exposure::Bundle { program.kept_on_server(file) } else { vec![] };
        let written = facts.tokens.iter().copied();
        let written = written.filter(|token| exposure == Exposure::Page || is_in_code(facts, token.span));
        for token in written.chain(encoded(program, file, facts)) {
            if !hidden.iter().any(|kept| kept.contains(token.span)) && counts(program, &token) {
                leaks.push(Leak { place: Place { file, span: token.span }, token, exposure });
            }
        }
    }
    // What really ships is told first; one value is one finding.
    leaks.sort_by_key(|leak| (leak.exposure == Exposure::Dormant, leak.place));
    for (at, leak) in leaks.iter().enumerate() {
        if !leaks[..at].iter().any(|earlier| earlier.token.hash == leak.token.hash) {
            let others = leaks[at + 1..].iter().filter(|other| other.token.hash == leak.token.hash);
            tell(program, leak, others.map(|other| other.place).collect(), report);
        }
    }
}

/// How a file reaches people; none when it stays on the server.
pub(super) fn exposure(program: &Program, file: FileId, facts: &Facts) -> Option<Exposure> {
    let side = program.side(file);
    let path = program.file(file).path.as_str();
    if side.tooling {
        return None;
    }
    if is_page(path) {
        return (!side.dead).then_some(Exposure::Page);
    }
    if side.client {
        return Some(Exposure::Bundle);
    }
    let is_for_browsers = || facts.elements().next().is_some();
    (side.dead && is_for_browsers()).then_some(Exposure::Dormant)
}

/// Whether a place belongs to a text of the code; comments do not reach a bundle.
pub(super) fn is_in_code(facts: &Facts, span: Span) -> bool {
    let holds = |kind: &ExprKind| matches!(kind, ExprKind::Text(_) | ExprKind::Template(_));
    facts.exprs.iter().any(|expr| expr.span.contains(span) && holds(&expr.kind))
}

/// Keys that are written encoded and decoded when the page runs: `atob("..")`.
fn encoded(program: &Program, file: FileId, facts: &Facts) -> Vec<Token> {
    let mut found = Vec::new();
    for (at, call) in facts.calls.iter().enumerate() {
        let at = CallRef::new(file, crate::facts::CallId(at as u32));
        let decodes = |external: &External| match external.package.as_str() {
            "global:atob" => external.segs.is_empty(),
            "global:window" | "global:Buffer" => matches!(external.dotted().as_str(), "window.atob" | "Buffer.from"),
            _ => false,
        };
        if !program.callee(at).externals().any(decodes) {
            continue;
        }
        let Some(arg) = call.args.first() else { continue };
        let text = match facts.expr(arg.value) {
            ExprKind::Text(text) => *text,
            _ => continue,
        };
        let decoded = STANDARD.decode(text.as_str()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let tokens = decoded.map(|decoded| program.catalogue.tokens(&decoded)).unwrap_or_default();
        found.extend(tokens.into_iter().map(|token| Token { span: facts.span(call.expr), ..token }));
    }
    found
}

/// Whether a token is a secret: by its format, or by what the code does with it.
fn counts(program: &Program, token: &Token) -> bool {
    match token.kind {
        TokenKind::Secret | TokenKind::TestSecret => true,
        TokenKind::Publishable => false,
        TokenKind::ByUse => is_handed(program, program.key_uses(), token),
    }
}

/// Whether one of these uses hands a token to a vendor whose keys are all secret.
pub(super) fn is_handed(program: &Program, uses: &[KeyUse], token: &Token) -> bool {
    uses.iter().any(|used| takes_only_secrets(program.catalogue.vendor(used.vendor)) && holds(program, used, token))
}

/// Whether a use hands over this very token.
fn holds(program: &Program, used: &KeyUse, token: &Token) -> bool {
    let secret_way = !matches!(used.way, Way::Client(crate::catalogue::Runs::Browser, _));
    secret_way && used.key.iter().any(|part| {
        matches!(part, Value::Text(text) if program.catalogue.tokens(text).iter().any(|other| other.hash == token.hash))
    })
}

fn tell(program: &Program, leak: &Leak, others: Vec<Place>, report: &mut Report) {
    let Leak { place, token, exposure } = leak;
    let vendor = vendor_of(program, token).map(|vendor| program.catalogue.vendor(vendor));
    let name = with_article(&named(program, token));
    let (harm, masked) = (harm_of(&token.credential, vendor), token.masked);
    let test = token.kind == TokenKind::TestSecret;
    let message = match (exposure, test) {
        (Exposure::Dormant, _) => format!(
            "{name}, {masked}, is in browser code that nothing imports today: the first import ships it to every visitor, and whoever reads the repository has it already"
        ),
        (_, true) => format!(
            "visitors download {name} of test mode, {masked}: the live one goes to the same place, and then anyone can {harm}"
        ),
        (Exposure::Page, _) => format!("this page serves {name}, {masked}: any visitor can copy it and {harm}"),
        (Exposure::Bundle, _) => {
            format!("visitors download {name}, {masked}, with the app: any of them can copy it and {harm}")
        }
    };
    let issuer = vendor.map_or("the vendor", |vendor| vendor.name.as_str());
    let home = home(program, place.file, &variable_for(token));
    let mut draft = report
        .at(*place, format!("{}:{}", token.vendor, token.credential), message)
        .trace(way_to_browser(program, place.file, *place, "the key"))
        .help(format!(
            "Revoke the key at {issuer}, read its successor in {} as {}, and let the browser call that.",
            home.place, home.read
        ));
    let besides = same_value(program, token.hash, &[&others[..], &[*place]].concat());
    for other in others {
        draft = draft.because(other, "the same key again");
    }
    for other in besides {
        draft = draft.because(other, "the same key stands here");
    }
    if let Some(vendor) = vendor {
        draft = draft.vendor(id(vendor));
        // An address to post to is abused, but opens no account.
        if vendor.category == Category::Automation {
            draft = draft.severity(Severity::Warning).confidence(Confidence::Low);
        }
    }
    if test {
        draft = draft.severity(Severity::Warning);
    }
    if *exposure == Exposure::Dormant {
        draft.confidence(Confidence::Medium);
    }
}
