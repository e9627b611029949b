//! What the rules on secrets in browsers say alike: whose a key is, what it allows, where it belongs.

use crate::catalogue::{Category, Vendor, VendorId};
use crate::facts::{Token, TokenKind};
use crate::finding::{FileId, Place, Remark};
use crate::names::Name;
use crate::program::Program;
use crate::program::secrets::bundling::Nature;
use crate::program::verify::words;

/// What whoever holds a vendor's secret can do with it.
pub fn harm(vendor: Option<&Vendor>) -> &'static str {
    let Some(vendor) = vendor else { return "act as your server with it" };
    match vendor.category {
        Category::Payments => "charge, refund and read your customers",
        Category::Email => "send mail in your name",
        Category::Sms => "send messages at your cost",
        Category::Llm => "run up your bill",
        Category::Crm => "read and change your contacts",
        Category::Chat => "post and read in your name",
        Category::Data if vendor.own_backend && vendor.hosts.is_empty() => {
            "read and change all that the database holds"
        }
        Category::Data | Category::Auth if vendor.own_backend => "read and change every row, past all policies",
        Category::Auth => "read and change every user",
        _ => "use your account as if they were your server",
    }
}

/// What whoever holds a secret can do with it, by its own name first: a webhook's secret opens no account.
pub fn harm_of(name: &str, vendor: Option<&Vendor>) -> &'static str {
    let name = name.to_ascii_uppercase();
    let says = |any: &[&str]| any.iter().any(|word| name.contains(word));
    let password = says(&["PASSWORD", "PASSWD", "_PASS"]);
    if says(&["WEBHOOK", "WHSEC"]) && !name.contains("URL") {
        "send your app events that never happened"
    } else if password && says(&["SMTP", "MAIL"]) {
        "send mail in your name"
    } else if password && says(&["DATABASE", "POSTGRES", "MYSQL", "MONGO", "DB_"]) {
        "read and change all that the database holds"
    } else {
        harm(vendor)
    }
}

/// Whether a vendor's API takes keys of one kind only, and those are secret: then any variable handed to it is one.
pub fn takes_only_secrets(vendor: &Vendor) -> bool {
    let is_key = |name: &str| (name.contains("KEY") || name.contains("TOKEN")) && !name.contains("WEBHOOK");
    let mut keys = vendor.envs.iter().filter(|env| is_key(&env.name)).peekable();
    keys.peek().is_some() && keys.all(|env| env.secret)
}

/// Whether a variable that `vendor` is given holds a secret: by its name, else by whose it is.
pub fn is_secret_for(program: &Program, name: &str, vendor: &Vendor) -> bool {
    match program.variable(name).0 {
        Nature::Secret => true,
        Nature::Public => false,
        Nature::ByUse | Nature::Unknown => takes_only_secrets(vendor),
    }
}

/// Whether a token must stay on the server whatever its use.
pub fn is_secret(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Secret | TokenKind::TestSecret)
}

/// The vendor of a token; none where nothing but the name that code gives it tells what it is.
pub fn vendor_of(program: &Program, token: &Token) -> Option<VendorId> {
    program.catalogue.vendor_named(&token.vendor).filter(|&vendor| !program.catalogue.vendor(vendor).nameless)
}

/// Whether a text is a name of code rather than words: `ACME_SECRET`, `clientSecret`, `x-cron-secret`.
fn is_name(text: &str) -> bool {
    let inner = || text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    !text.contains(' ') && (text.contains(['_', '-']) || text.starts_with(|c: char| c.is_ascii_lowercase()) && inner())
}

/// A key as messages name it: `Stripe secret key`.
pub fn named(program: &Program, token: &Token) -> String {
    let vendor = vendor_of(program, token).map(|vendor| program.catalogue.vendor(vendor).name.as_str());
    match vendor {
        Some(vendor) if !token.credential.starts_with(vendor) => format!("{vendor} {}", token.credential),
        _ => token.credential.to_string(),
    }
}

/// The server's name for a key: `STRIPE_SECRET_KEY`.
pub fn variable_for(token: &Token) -> String {
    if is_name(&token.credential) {
        let words = words(&token.credential);
        // A header's.
        let own = usize::from(words.len() > 2 && words[0] == "x");
        return words[own..].join("_").to_ascii_uppercase();
    }
    let credential = token.credential.trim_start_matches("old ").split(" in a ").next().unwrap_or_default();
    let whole = format!("{}_{credential}", token.vendor);
    whole.to_ascii_uppercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Where this app runs code that browsers do not get.
pub struct Home {
    /// In words: `an edge function`.
    pub place: &'static str,
    /// How a variable is read there.
    pub read: String,
}

/// Where the app of a file has a server for it, and how `variable` is read there.
pub fn home(program: &Program, near: FileId, variable: &str) -> Home {
    let project = program.projects.of(near);
    let (place, read) = if project.uses("next") {
        ("a route handler or server action", format!("`process.env.{variable}`"))
    } else if project.uses("@sveltejs/kit") {
        ("a `+server.ts` route", format!("`{variable}` of `$env/static/private`"))
    } else if project.uses("nuxt") {
        ("a route in `server/api`", format!("`process.env.{variable}`"))
    } else if program.serves_on_deno_only() {
        ("an edge function", format!("`Deno.env.get(\"{variable}\")`"))
    } else {
        ("a server route", format!("`process.env.{variable}`"))
    };
    Home { place, read }
}

/// `a key`, `an API key`.
pub fn with_article(name: &str) -> String {
    if is_name(name) {
        return name.to_owned();
    }
    let vowel = name.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}

/// How a file comes to the browser, for a trace; empty when it is what the browser loads first.
pub fn way_to_browser(program: &Program, file: FileId, last: Place, text: &str) -> Vec<Remark> {
    let chain = program.client_chain(file);
    if chain.len() < 2 {
        return vec![];
    }
    let mut steps: Vec<Remark> = chain
        .windows(2)
        .filter_map(|pair| {
            let (next, place) = (program.file(pair[1].0).path, pair[0].1?);
            Some(Remark { place, text: format!("brings {next} to the browser") })
        })
        .collect();
    steps.push(Remark { place: last, text: text.to_owned() });
    steps
}

/// The vendor's id as a finding keeps it.
pub fn id(vendor: &Vendor) -> Name {
    Name::new(&vendor.id)
}

/// Where a credential stands besides: in code, documents and settings that git keeps, a place a line.
pub(super) fn same_value(program: &Program, hash: u64, told: &[Place]) -> Vec<Place> {
    let line = |place: Place| (place.file, program.line(place));
    let mut lines: Vec<_> = told.iter().map(|&place| line(place)).collect();
    let mut found = Vec::new();
    for (file, token) in program.credentials().filter(|(_, token)| token.hash == hash) {
        let place = Place { file, span: token.span };
        if program.is_tracked(file) && !lines.contains(&line(place)) {
            lines.push(line(place));
            found.push(place);
        }
    }
    found.sort();
    found
}
