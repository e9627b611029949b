//! Credentials and mailboxes of persons on which an integration runs.

use crate::catalogue::{Mailboxes, VendorId};
use crate::facts::{ExprId, ExprKind, Facts, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::values::options::Lookup;
use crate::program::{ExprRef, Program, Value};

/// Something of a person's that an integration runs on.
#[derive(Debug, Clone)]
pub struct Personal<'p> {
    /// Where.
    pub at: ExprRef,
    /// What it is.
    pub what: Whose<'p>,
    /// It is used whatever the settings say.
    pub certain: bool,
}

/// What of a person's it is.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'p> {
    /// A token made for a person, by the name of its variable.
    Token(Name, Option<VendorId>),
    /// A mailbox that mail is sent through.
    Mailbox(&'p Mailboxes),
    /// An account in whose name a service account acts.
    Subject(Name),
}

/// Ends of the names of variables that hold a person's token.
const TOKENS: &[&str] = &["_PAT", "PERSONAL_ACCESS_TOKEN", "PERSONAL_TOKEN", "PERSONAL_API_KEY", "PERSONAL_API_TOKEN"];

/// Settings that name the server for outgoing mail.
const SERVERS: &[&str] =
    &["MAIL_SERVER", "EMAIL_HOST", "SMTP_HOST", "SMTP_SERVER", "smtp_host", "smtp_server", "smtpHost", "smtp_hostname"];

/// Settings that name who sends mail.
const SENDERS: &[&str] =
    &["MAIL_USERNAME", "EMAIL_HOST_USER", "SMTP_USER", "SMTP_USERNAME", "smtp_user", "smtp_username", "smtpUser"];

impl Program {
    /// What of persons' deployed server code runs on, by place.
    pub fn personal(&self) -> Vec<Personal<'_>> {
        let mut found = Vec::new();
        for (file, facts) in self.code().filter(|(file, _)| self.runs_on_server(*file)) {
            self.personal_expressions(file, facts, &mut found);
            self.personal_mailers(file, facts, &mut found);
            for (name, at) in settings(facts) {
                let at = ExprRef::new(file, at);
                if SERVERS.contains(&name.as_str()) {
                    found.extend(self.mailbox(at, &self.value(at)));
                } else if SENDERS.contains(&name.as_str()) {
                    found.extend(self.sender(at, &self.value(at)));
                }
            }
        }
        found
    }

    fn personal_expressions<'p>(&'p self, file: FileId, facts: &'p Facts, found: &mut Vec<Personal<'p>>) {
        for (at, expr) in facts.exprs.iter().enumerate() {
            let at = ExprRef::new(file, ExprId(at as u32));
            match &expr.kind {
                ExprKind::Env(name) if TOKENS.iter().any(|end| name.ends_with(end)) => {
                    let vendor = self.catalogue.env_entry(name).map(|(vendor, _)| vendor);
                    found.push(Personal { at, what: Whose::Token(*name, vendor), certain: true });
                }
                ExprKind::Object(entries) => {
                    let subject = entries.iter().find(|(key, _)| matches!(key.as_str(), "subject" | "sub"));
                    // A mail has a subject too: of an account's it is an address.
                    if let Some(&(_, value)) = subject
                        && let ExprKind::Text(text) = facts.expr(value)
                        && self.catalogue.mailboxes_of_address(text).is_some()
                    {
                        let at = ExprRef::new(file, value);
                        found.push(Personal { at, what: Whose::Subject(*text), certain: true });
                    }
                }
                _ => {}
            }
        }
    }

    /// `createTransport({ service: "gmail" })`, `smtplib.SMTP("smtp.gmail.com")`
    fn personal_mailers<'p>(&'p self, file: FileId, facts: &'p Facts, found: &mut Vec<Personal<'p>>) {
        for call in self.calls_of(file) {
            let shape = facts.call(call.call);
            let Some(name) = facts.last_name(shape.callee) else { continue };
            let at = ExprRef::new(file, shape.expr);
            match name.as_str() {
                "createTransport" | "createTransporter" => {
                    if let Lookup::Present(service) = self.option(call, "service") {
                        let texts = service.alternatives().iter().filter_map(Value::text);
                        let mut known = texts.filter_map(|text| self.catalogue.mailboxes_of_service(&text));
                        if let Some(mailboxes) = known.next() {
                            let certain = service.text().is_some();
                            found.push(Personal { at, what: Whose::Mailbox(mailboxes), certain });
                            continue;
                        }
                    }
                    let of_host = match self.option(call, "host") {
                        Lookup::Present(host) => self.mailbox(at, &host),
                        _ => None,
                    };
                    let of_sender = || match self.option(call, "auth") {
                        Lookup::Present(auth) => match self.lookup(&auth, Name::new("user")) {
                            Lookup::Present(user) => self.sender(at, &user),
                            _ => None,
                        },
                        _ => None,
                    };
                    found.extend(of_host.or_else(of_sender));
                }
                "login" if self.external(call).is_some_and(|of| of.package.starts_with("py:smtplib")) => {
                    let user = shape.args.first().map(|arg| self.value(ExprRef::new(file, arg.value)));
                    found.extend(user.and_then(|user| self.sender(at, &user)));
                }
                "SMTP" | "SMTP_SSL" if !facts.language.is_script() => {
                    let named = shape
                        .args
                        .iter()
                        .find(|arg| arg.name.is_some_and(|name| matches!(name.as_str(), "host" | "hostname")));
                    let first = named.or_else(|| shape.args.first().filter(|arg| arg.name.is_none()));
                    if let Some(arg) = first {
                        let host = self.expand(&self.value(ExprRef::new(file, arg.value)));
                        found.extend(self.mailbox(at, &host));
                    }
                }
                "with_subject" | "create_delegated" => {
                    let first = shape.args.first().map(|arg| self.value(ExprRef::new(file, arg.value)));
                    found.extend(first.and_then(|first| self.subject(at, &first)));
                }
                // `from_service_account_file(.., subject="somebody@..")`
                name if name.starts_with("from_service_account") || name.ends_with("Credentials") => {
                    let named = shape.args.iter().find(|arg| arg.name.is_some_and(|name| name == "subject"));
                    let value = named.map(|arg| self.value(ExprRef::new(file, arg.value)));
                    found.extend(value.and_then(|value| self.subject(at, &value)));
                }
                _ => {}
            }
        }
    }

    /// A service account that acts as somebody with an address at a service for persons.
    fn subject(&self, at: ExprRef, address: &Value) -> Option<Personal<'_>> {
        let Value::Text(text) = address else { return None };
        self.catalogue.mailboxes_of_address(text)?;
        Some(Personal { at, what: Whose::Subject(*text), certain: true })
    }

    /// A mailbox that is known by who signs in to send, whatever its server is called.
    fn sender(&self, at: ExprRef, user: &Value) -> Option<Personal<'_>> {
        let mut texts = user.alternatives().iter().filter_map(Value::text);
        let mailboxes = texts.find_map(|text| {
            let known = self.catalogue.mailboxes_of_address(&text)?;
            (!is_sample(&text)).then_some(known)
        })?;
        Some(Personal { at, what: Whose::Mailbox(mailboxes), certain: user.text().is_some() })
    }

    fn mailbox(&self, at: ExprRef, host: &Value) -> Option<Personal<'_>> {
        let mut texts = host.alternatives().iter().filter_map(Value::text);
        let mailboxes = texts.find_map(|text| self.catalogue.mailboxes_of_server(&text))?;
        Some(Personal { at, what: Whose::Mailbox(mailboxes), certain: host.text().is_some() })
    }
}

/// Whether an address stands for one that is to be filled in: `your-email@..`.
fn is_sample(address: &str) -> bool {
    let name = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    ["your", "example", "test", "user", "me", "email", "name", "sample", "xxx"].iter().any(|word| {
        name.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_lowercase()))
            || *word == "your" && name.starts_with(word)
    })
}

/// Settings that a file gives a value: names, fields and keys of configurations.
fn settings(facts: &Facts) -> Vec<(Name, ExprId)> {
    let mut found: Vec<(Name, ExprId)> = Vec::new();
    for step in facts.blocks.iter().flat_map(|block| &block.steps) {
        match step {
            Step::Bind(def, value) => found.push((facts.def(*def).name, *value)),
            Step::Assign(target, value) => {
                if let ExprKind::Member(_, name) = *facts.expr(*target) {
                    found.push((name, *value));
                }
            }
            _ => {}
        }
    }
    let fields = facts.classes.iter().flat_map(|class| &class.fields);
    found.extend(fields.filter_map(|field| Some((field.name, field.value?))));
    found
}
