//! `secret-in-repo`: a live credential stands in a file that git keeps.

use std::collections::BTreeMap;

use super::browser_secrets::{harm, home, id, named, variable_for, vendor_of, with_article};
use super::insecure_secret_default::{harm_of_own, lets_in};
use super::secret_in_client::{Exposure, exposure, is_handed, is_in_code};
use crate::catalogue::Vendor;
use crate::facts::{Token, TokenKind};
use crate::finding::{FileId, Place, Severity};
use crate::link::sides::names::{self, Use};
use crate::names::Name;
use crate::program::Program;
use crate::program::verify::words;
use crate::rule;
use crate::rule::Report;

rule! {
    /// A live credential is written in the repository
    ///
    /// A secret key, a database URL with its password or a private key stands in a file that git keeps: in server
    /// code, in settings, in a migration, in notes, in an environment file. Everyone who ever gets to see the
    /// repository has it (contractors, the builder's own tools, a fork, the day it becomes public), and deleting the
    /// line does not take it out of the history.
    ///
    /// What counts is told by the format, and by its checksum, decoded claims or randomness where it has them.
    /// Secrets of services whose format nobody knows are told by the name right before them (`.._CLIENT_SECRET`,
    /// `AUTH_TOKEN`) and by having been drawn at random. A key's name without its secret beside it is a warning.
    /// Publishable keys, and test-mode keys outside the auditor's report, do not count.
    /// Google's keys all look alike: one counts when code hands it to a vendor that takes only secrets (Gemini).
    ///
    /// ## Silent when
    ///
    /// - the value is a placeholder, a hash, an id, or a key that is public anyway (a local demo key)
    /// - the database is on this machine or in a container beside it
    /// - the file is a test, or an example of an environment file; or git does not keep it
    /// - the code reaches browsers, or the variable is inlined there: `secret-in-client` and `secret-in-public-env`
    ///   tell of it
    ///
    /// ## The cure
    ///
    /// Revoke the key at its vendor and make a new one; that comes first, since the old one stays in the history.
    /// Keep the new one in the platform's secrets, and read it from the environment.
    ///
    /// ## Example
    ///
    /// ```py path=scripts/export.py
    /// import psycopg2
    ///
    /// DATABASE = "postgresql://shop_owner:Kd82-harbour-91xq@db.harbourshop.net:5432/shop"
    ///
    /// rows = psycopg2.connect(DATABASE).cursor()
    /// ```
    ///
    /// ## Repair
    ///
    /// ```py path=scripts/export.py
    /// import os
    ///
    /// import psycopg2
    ///
    /// rows = psycopg2.connect(os.environ["DATABASE_URL"]).cursor()
    /// ```
    id: "secret-in-repo", severity: Error, confidence: High, section: "Secrets",
    security: Some(8.5), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    // The places of each value, by a number that says nothing of it.
    let mut values: BTreeMap<u64, Vec<(FileId, Token)>> = BTreeMap::new();
    // What the shape alone does not tell: the same kind of key opens a map for everybody and a model on the bill.
    let mut uses = None;
    for (file, token) in program.credentials() {
        let secret = match token.kind {
            TokenKind::Secret | TokenKind::TestSecret => true,
            TokenKind::Publishable => false,
            TokenKind::ByUse => {
                let uses = uses.get_or_insert_with(|| program.server_key_uses());
                is_setting(program, file, token) || is_handed(program, uses, token)
            }
        };
        if secret {
            values.entry(token.hash).or_default().push((file, *token));
        }
    }
    let mut found: Vec<Vec<(FileId, Token)>> = values.into_values().collect();
    for places in &mut found {
        if places.iter().any(|(file, token)| is_told_elsewhere(program, *file, token)) {
            places.clear();
        }
        places.retain(|(file, token)| is_kept(program, *file) && !is_of_app(program, *file, token));
        // Code says best what the value is for.
        places.sort_by_key(|(file, token)| (program.file(*file).facts.is_none(), *file, token.span));
    }
    found.retain(|places| !places.is_empty());
    found.sort_by_key(|places| (places[0].0, places[0].1.span));
    for places in found {
        tell(program, &places, report);
    }
}

/// Whether a rule on what browsers get tells of a credential.
fn is_told_elsewhere(program: &Program, file: FileId, token: &Token) -> bool {
    if let Some(facts) = &program.file(file).facts {
        // Comments do not reach browsers, except those of a page.
        let exposed = exposure(program, file, facts);
        return exposed.is_some_and(|exposure| exposure == Exposure::Page || is_in_code(facts, token.span));
    }
    let env = program.manifests.env(&program.file(file).path);
    let entry = env.and_then(|env| env.entries.iter().find(|entry| entry.value_span.contains(token.span)));
    entry.is_some_and(|entry| program.inlined_name(file, entry.name).is_some())
}

/// Whether a secret of code is the app's own, by the name it is given: `insecure-secret-default` and the rules on webhooks
/// tell of what signs, guards or comes in.
fn is_of_app(program: &Program, file: FileId, token: &Token) -> bool {
    let nameless = program.catalogue.vendor_named(&token.vendor).is_some_and(|v| program.catalogue.vendor(v).nameless);
    let variable = Name::new(&variable_for(token));
    let words = words(&variable);
    nameless
        && program.file(file).facts.is_some()
        && (harm_of_own(program, variable).is_some()
            || words.iter().any(|word| matches!(word.as_str(), "webhook" | "hook" | "whsec")))
}

/// Whether a key of a service that nobody knows stands in the settings of a server: in code, and under names of what
/// browsers get, anybody may see it.
fn is_setting(program: &Program, file: FileId, token: &Token) -> bool {
    const SEEN: &[&str] = &[
        "public",
        "publishable",
        "client",
        "browser",
        "anon",
        "site",
        "search",
        "map",
        "maps",
        "vite",
        "react",
        "expo",
        "gatsby",
        "nuxt",
        "test",
        "demo",
        "dev",
        "local",
    ];
    token.kind == TokenKind::ByUse
        && program.catalogue.vendor_named(&token.vendor).is_some_and(|vendor| program.catalogue.vendor(vendor).nameless)
        && program.file(file).facts.is_none()
        && !words(&token.credential).iter().any(|word| SEEN.contains(&word.as_str()))
}

/// Whether git keeps a file, and it is meant to hold what is real.
fn is_kept(program: &Program, file: FileId) -> bool {
    let path = program.file(file).path.as_str();
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let is_example = ["example", "sample", "template"].iter().any(|word| name.contains(word));
    program.is_tracked(file) && !is_example && names::of(path) != Use::Test
}

/// The variable that is to hold the credential.
fn variable(token: &Token, vendor: Option<&Vendor>) -> String {
    let formats = vendor.into_iter().flat_map(|vendor| &vendor.credentials);
    if let Some(name) =
        formats.filter(|format| token.credential == format.name.as_str()).find_map(|format| format.variable.clone())
    {
        return name;
    }
    // What no API of one vendor takes is named after what it is.
    match vendor.filter(|vendor| vendor.hosts.is_empty()) {
        Some(vendor) => vendor
            .envs
            .first()
            .map_or_else(|| token.credential.to_ascii_uppercase().replace(' ', "_"), |env| env.name.clone()),
        None => variable_for(token),
    }
}

/// How the credential is read from the environment where it stands.
fn read(program: &Program, file: FileId, token: &Token, vendor: Option<&Vendor>) -> String {
    let variable = variable(token, vendor);
    match &program.file(file).facts {
        // A page's key is for the server to hold.
        Some(_) if program.side(file).client && !program.side(file).server => home(program, file, &variable).read,
        _ => format!("`{}`", program.read_of_variable(file, Name::new(&variable))),
    }
}

/// The other half that a key needs to open anything, where it does not stand in the same file.
fn half<'p>(program: &'p Program, file: FileId, token: &Token) -> Option<&'p str> {
    let vendor = program.catalogue.vendor_named(&token.vendor)?;
    let formats = &program.catalogue.vendor(vendor).credentials;
    let format = formats.iter().find(|format| token.credential == format.name.as_str())?;
    let other = format.opens_with.as_deref()?;
    // Whatever else is secret there may be it.
    let beside = program.credentials().any(|(at, beside)| {
        at == file && beside.hash != token.hash && matches!(beside.kind, TokenKind::Secret | TokenKind::ByUse)
    });
    (!beside).then_some(other)
}

/// What whoever holds a token can do, where the catalogue says so.
fn allows<'p>(vendor: Option<&'p Vendor>, token: &Token) -> Option<&'p str> {
    let format = vendor?.credentials.iter().find(|format| token.credential == format.name.as_str())?;
    format.allows.as_deref()
}

fn tell(program: &Program, places: &[(FileId, Token)], report: &mut Report) {
    let Some(&(file, token)) = places.first() else { return };
    let vendor = vendor_of(program, &token).map(|vendor| program.catalogue.vendor(vendor));
    let what = with_article(&named(program, &token));
    let test = token.kind == TokenKind::TestSecret;
    let missing = half(program, file, &token);
    let named_after = Name::new(&variable_for(&token));
    let own = harm_of_own(program, named_after)
        .or_else(|| lets_in(program, named_after).then_some("get in where only you should"))
        .filter(|_| vendor.is_none());
    let message = if test {
        format!(
            "{what} of test mode, {}, is written in the repository: where it stands, the live one comes to stand",
            token.masked
        )
    } else if let Some(other) = missing {
        format!(
            "{what}, {}, is written in the repository: with its {other}, which is not beside it, it opens the account",
            token.masked
        )
    } else {
        format!(
            "{what}, {}, is written in the repository: whoever sees it, today or in its history, can {}",
            token.masked,
            match own {
                Some(own) => own,
                None if let Some(allows) = allows(vendor, &token) => allows,
                None if token.credential.to_ascii_lowercase().contains("webhook") => {
                    "send the app events that never happened"
                }
                None => harm(vendor),
            }
        )
    };
    let path = program.file(file).path.as_str();
    let issuer = vendor.filter(|vendor| !vendor.hosts.is_empty()).map_or("its issuer", |vendor| vendor.name.as_str());
    let keep = if program.manifests.env(path).is_some() {
        format!("take {path} out of git (`git rm --cached {path}`) and list it in .gitignore")
    } else if path.ends_with(".sql") {
        let read = read(program, file, &token, vendor);
        format!(
            "keep the new one in the vault of the database (`select vault.create_secret(..)`) and read it by {read}"
        )
    } else if path.ends_with(".ipynb") {
        format!("keep the new one in the environment and read it as `os.environ[\"{}\"]`", variable(&token, vendor))
    } else if program.file(file).facts.is_none() {
        // Settings of hosts, documents and exports have no way of their own to read the environment.
        let variable = variable(&token, vendor);
        format!(
            "keep the new one among the secrets of the host that needs it, as {variable}, and take it out of {path}"
        )
    } else {
        format!("keep the new one in the environment and read it as {}", read(program, file, &token, vendor))
    };
    let place = |&(file, token): &(FileId, Token)| Place { file, span: token.span };
    let subject = format!("{}:{}", token.vendor, token.credential);
    let mut draft = report.at(place(&places[0]), subject, message).help(match own {
        // It was drawn here: nobody issued it.
        Some(_) => format!("Draw a new one (`openssl rand -base64 32`), since git keeps what was written; {keep}."),
        None if token.credential.ends_with("connection string") => {
            format!("Change the password where the database is hosted, since git keeps what was written; {keep}.")
        }
        None => format!("Revoke it at {issuer} and make a new one, since git keeps what was written; {keep}."),
    });
    if test {
        draft = draft.auditor_only();
    }
    if missing.is_some() {
        draft = draft.severity(Severity::Warning);
    }
    if let Some(vendor) = vendor {
        draft = draft.vendor(id(vendor));
    }
    for other in places[1..].iter().take(20) {
        draft = draft.because(place(other), "the same value stands here");
    }
}
