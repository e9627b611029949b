//! What the catalogue knows, told: the vendors as a table, one of them in full, with the source of each fact.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;

use super::Look;
use super::json::print;
use super::paint::{Paint, wrap};
use crate::catalogue::{Catalogue, Effect, Reports, Source, Vendor};
use crate::error::count;

/// `seamcheck vendors`: one line a vendor, category by category.
pub fn table(catalogue: &Catalogue, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint(look.colour);
    let vendors = catalogue.vendors();
    let widest = vendors.iter().map(|vendor| vendor.id.len()).max().unwrap_or(0);
    let named = vendors.iter().map(|vendor| vendor.name.chars().count()).max().unwrap_or(0);
    let mut categories: BTreeMap<String, Vec<&Vendor>> = BTreeMap::new();
    for vendor in vendors {
        categories.entry(lower(vendor.category)).or_default().push(vendor);
    }
    for (category, mut vendors) in categories {
        writeln!(out, "{}", paint.bold(&category))?;
        vendors.sort_by(|one, other| one.id.cmp(&other.id));
        for vendor in vendors {
            writeln!(out, "  {:widest$}  {:named$}  {}", vendor.id, vendor.name, paint.dim(known(vendor)))?;
        }
        writeln!(out)?;
    }
    let clients = catalogue.http_clients().len();
    let numbers = format!("{} and {}", count(vendors.len(), "vendor"), count(clients, "HTTP client"));
    writeln!(out, "{}", paint.dim(format!("{numbers}; all that is known of one: seamcheck vendors NAME")))
}

/// How much is known of a vendor.
fn known(vendor: &Vendor) -> String {
    let parts = [
        (vendor.packages.len(), "SDK"),
        (vendor.calls.len(), "operation"),
        (vendor.credentials.len(), "token format"),
        (vendor.webhooks.len(), "webhook scheme"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(*number, noun)).collect();
    parts.join(", ")
}

/// `seamcheck vendors NAME`: everything that is known of one, and where from.
pub fn one(vendor: &Vendor, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { vendor, paint: Paint(look.colour), columns: look.columns(), out };
    writeln!(page.out, "{}  {}", page.paint.bold(&vendor.name), page.paint.dim(lower(vendor.category)))?;
    let source = format!("{}, unless an entry names another source", cited(&vendor.source));
    page.fact("source", &source, None)?;
    if !vendor.hosts.is_empty() {
        page.fact("hosts", &vendor.hosts.join(", "), None)?;
    }
    if vendor.own_backend {
        page.fact("role", "the app's own backend: its calls are not outbound", None)?;
    }
    page.packages()?;
    page.credentials()?;
    page.operations()?;
    page.webhooks()?;
    for note in &vendor.notes {
        page.section("note")?;
        page.fact("", &note.fact, note.source.as_ref())?;
    }
    Ok(())
}

struct Page<'o> {
    vendor: &'o Vendor,
    paint: Paint,
    columns: usize,
    out: &'o mut dyn Write,
}

impl Page<'_> {
    fn section(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.out, "\n{}", self.paint.bold(title))
    }

    /// A fact under a label; a source of its own stands below it.
    fn fact(&mut self, label: &str, text: &str, source: Option<&Source>) -> io::Result<()> {
        const LABEL: usize = 14;
        let lines = wrap(text, 0, self.columns.saturating_sub(LABEL + 4).max(24));
        for (at, line) in lines.iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            writeln!(self.out, "  {label:LABEL$}  {line}")?;
        }
        match source {
            Some(source) if *source != self.vendor.source => {
                writeln!(self.out, "  {:LABEL$}  {}", "", self.paint.dim(cited(source)))
            }
            _ => Ok(()),
        }
    }

    fn packages(&mut self) -> io::Result<()> {
        for package in &self.vendor.packages {
            self.section(&format!("SDK {}", package.name))?;
            self.fact("runs", &lower(package.runs), package.source.as_ref())?;
            if !package.clients.is_empty() {
                self.fact("clients", &package.clients.join(", "), None)?;
            }
            for timeout in package.timeout.iter().chain(&package.older_timeout) {
                let given = if timeout.default_s == 0.0 {
                    "none by default".to_owned()
                } else {
                    format!("{} s by default", timeout.default_s)
                };
                let cure = timeout.cure.as_ref().map(|cure| format!("; set one: {cure}")).unwrap_or_default();
                let until = timeout.until.map(|major| format!(" before version {major}")).unwrap_or_default();
                self.fact("time limit", &format!("{given}{until}{cure}"), timeout.source.as_ref())?;
            }
            if package.returns_errors {
                self.fact("errors", "returned, not thrown", None)?;
            }
            if let Some(below) = &package.errors_below {
                let how = match below.are {
                    Reports::Thrown => "thrown",
                    Reports::Returned => "returned, not thrown",
                    Reports::Answered => "handed over as if they were answers",
                };
                self.fact("errors", &format!("{how} before version {}", below.major), Some(&below.source))?;
            }
        }
        Ok(())
    }

    fn credentials(&mut self) -> io::Result<()> {
        if self.vendor.credentials.is_empty() && self.vendor.envs.is_empty() {
            return Ok(());
        }
        self.section("credentials")?;
        for credential in &self.vendor.credentials {
            let prefix = credential.prefix.as_ref().map(|prefix| format!(", starts with {prefix}")).unwrap_or_default();
            let text = format!("{}: {}{prefix}", credential.name, lower(credential.kind));
            self.fact("format", &text, credential.source.as_ref())?;
        }
        for env in &self.vendor.envs {
            let kind = match (env.secret, env.by_use) {
                (_, true) => "decided by its use",
                (true, false) => "secret",
                (false, false) => "publishable",
            };
            self.fact("variable", &format!("{}: {kind}", env.name), None)?;
        }
        Ok(())
    }

    fn operations(&mut self) -> io::Result<()> {
        if self.vendor.calls.is_empty() {
            return Ok(());
        }
        self.section("operations")?;
        for call in &self.vendor.calls {
            let forms: Vec<&str> = call.sdk.iter().chain(&call.http).map(String::as_str).collect();
            let mut text = forms.join(", ");
            if call.money && call.effect != Effect::Read {
                text.push_str("; moves money");
            }
            if call.idempotency.is_some() {
                text.push_str("; takes an idempotency key");
            }
            self.fact(&lower(call.effect), &text, call.source.as_ref())?;
        }
        for way in &self.vendor.idempotency {
            self.fact("key", &way.cure_js, Some(&way.source))?;
        }
        Ok(())
    }

    fn webhooks(&mut self) -> io::Result<()> {
        for webhook in &self.vendor.webhooks {
            self.section("webhook")?;
            let headers =
                if webhook.headers.is_empty() { String::new() } else { format!(", in {}", webhook.headers.join(", ")) };
            let raw = if webhook.raw_body { ", over the raw bytes" } else { "" };
            self.fact("proof", &format!("{}{headers}{raw}", lower(webhook.scheme)), Some(&webhook.source))?;
            if !webhook.verify.is_empty() {
                self.fact("verified by", &webhook.verify.join(", "), None)?;
            }
            let again = if webhook.never_redelivers { "not delivered again" } else { "delivered again" };
            self.fact("on failure", again, None)?;
        }
        Ok(())
    }
}

/// `seamcheck vendors --format json`, of all or of one.
pub fn json(vendors: &[&Vendor], out: &mut dyn Write) -> io::Result<()> {
    print(&json!({ "version": super::json::VERSION, "vendors": vendors }), out)
}

/// A source in a few words.
fn cited(source: &Source) -> String {
    format!("{} ({}, {})", source.src, lower(source.tier), source.date)
}

/// The name of a variant, as the catalogue's files write it.
fn lower(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
