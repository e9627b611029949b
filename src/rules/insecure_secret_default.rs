//! Secrets that sign or guard, and that anyone who reads the code knows.

use std::collections::BTreeMap;

use crate::catalogue::{Key, KnownRole};
use crate::facts::{ExprId, ExprKind, Facts, Op, Step};
use crate::finding::{Place, Severity};
use crate::names::Name;
use crate::program::callers::open_keys::OpenKey;
use crate::program::secrets::defaults::EnvDefault;
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, ExprRef, Program};
use crate::rule;
use crate::rule::Report;

mod uses;

use uses::{empty_key, is_handed_with_key, salts_visitors};

rule! {
    /// A secret that signs or guards is written in the code
    ///
    /// `process.env.JWT_SECRET || "dev-secret"` starts in production just as well when nobody has set the variable,
    /// and nothing tells. Everyone who has seen the repository (or guesses `dev-secret`) can then sign a token for
    /// any customer, open the endpoints that the secret guards, or read what it encrypts.
    ///
    /// A variable counts when its name says that it signs, encrypts or guards (`JWT_SECRET`, `SESSION_SECRET`,
    /// `ENCRYPTION_KEY`, `ADMIN_PASSWORD`, `CRON_SECRET`), when it is handed to a function that signs, or when what
    /// requests bring is compared with it (`req.body.pin === APP_PIN`). A literal counts when it is handed to such a
    /// function, set as a framework's secret key, or when requests that bring no such key are answered 401 or 403.
    ///
    /// ## Silent when
    ///
    /// - the app refuses to start without the variable, or with the default, in production;
    /// - the default stands in a branch, class or file for development, or in a class whose heir for production reads
    ///   the variable alone;
    /// - the secret is a webhook's own (see `webhook-verification-bypass`) or a vendor's key;
    /// - the default is drawn at random when the process starts: a note for auditors, because every restart logs
    ///   everyone out;
    /// - the default stands in a field of a settings class that no code reads: a note for auditors.
    ///
    /// ## The cure
    ///
    /// Stop without the variable. Where the default was in use, set a new secret: the old one is known.
    ///
    /// ## Example
    ///
    /// ```ts path=server/auth.ts
    /// import express from "express";
    /// import jwt from "jsonwebtoken";
    ///
    /// const app = express();
    /// const JWT_SECRET = process.env.JWT_SECRET || "change-me-later";
    ///
    /// app.post("/login", (req, res) => {
    ///   res.json({ token: jwt.sign({ id: req.body.id }, JWT_SECRET) });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=server/auth.ts
    /// import express from "express";
    /// import jwt from "jsonwebtoken";
    ///
    /// const app = express();
    /// const JWT_SECRET = process.env.JWT_SECRET;
    /// if (!JWT_SECRET) throw new Error("JWT_SECRET is not set");
    ///
    /// app.post("/login", (req, res) => {
    ///   res.json({ token: jwt.sign({ id: req.body.id }, JWT_SECRET) });
    /// });
    /// ```
    id: "insecure-secret-default", severity: Error, confidence: High, section: "Secrets",
    security: Some(8.0), since: "0.1.0", check: check
}

/// How far a secret is followed to where it is written.
const FARTHEST: usize = 6;

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Signs,
    Seals,
    Derives,
    Encrypts,
    Guards,
    Delivers,
}

fn check(program: &Program, report: &mut Report) {
    let mut told: Vec<Place> = Vec::new();
    let mut variables: BTreeMap<Name, (Purpose, Vec<EnvDefault>)> = BTreeMap::new();
    for &default in program.env_defaults() {
        let purpose = purpose(program, default.name).or_else(|| asked_of_callers(program, default));
        if let Some(purpose) = purpose.filter(|_| is_live(program, default) && !salts_visitors(program, default)) {
            variables.entry(default.name).or_insert((purpose, vec![])).1.push(default);
        }
    }
    let mut literals: Vec<(ExprRef, Option<Name>, Purpose)> = Vec::new();
    let handed = handed_over(program);
    for (at, set_as, purpose) in handed.iter().copied().chain(set(program)) {
        let Some(Written { at: written, held, instead_of }) = written(program, at, FARTHEST) else { continue };
        // What it is set as is demanded, or is what a variable would be called.
        if set_as.is_some_and(|name| program.is_demanded(name, at.file)) {
            continue;
        }
        let name = set_as.filter(|name| is_variable(name)).or(held).or(set_as);
        let default = program.env_defaults().iter().find(|default| default.fallback == written).copied();
        match default.or(instead_of.map(|name| EnvDefault { name, fallback: written })) {
            Some(default) if is_own_by_use(program, default, purpose) && is_live(program, default) => {
                let (_, places) = variables.entry(default.name).or_insert((purpose, vec![]));
                if !places.contains(&default) {
                    places.push(default);
                }
            }
            Some(_) => {}
            None => literals.push((written, name, purpose)),
        }
    }
    for &default in program.env_defaults() {
        // Another default tells more.
        if let Some(purpose) = empty_key(program, default, &handed)
            && !variables.contains_key(&default.name)
        {
            variables.insert(default.name, (purpose, vec![default]));
        }
    }
    for key in program.open_keys() {
        let place = program.place(key.written);
        if !told.contains(&place) && !program.is_for_development(key.written) {
            told.push(place);
            tell_open_key(program, report, key);
        }
    }
    for (&name, (purpose, places)) in &mut variables {
        places.retain(|default| !program.is_demanded(name, default.fallback.file));
        if places.is_empty() {
            continue;
        }
        told.extend(places.iter().map(|default| program.place(default.fallback)));
        tell_default(program, report, name, *purpose, places);
    }
    for (at, name, purpose) in literals {
        let place = program.place(at);
        let demanded = name.is_some_and(|name| program.is_demanded(Name::new(&variable_name(name)), at.file));
        if !demanded
            && !told.contains(&place)
            && program.runs_on_server(at.file)
            && !program.is_for_development(at)
            && !program.is_overridden_in_production(at)
        {
            told.push(place);
            tell_literal(program, report, place, name, purpose);
        }
    }
}

/// Whether a default can be in use on a deployed server, and is a text or drawn at random.
fn is_live(program: &Program, default: EnvDefault) -> bool {
    let at = default.fallback;
    program.runs_on_server(at.file)
        && !program.is_for_development(at)
        && !program.is_overridden_in_production(at)
        && (text(program.facts(at.file), at.expr).is_some_and(|text| !text.is_empty()) || is_drawn(program, at))
}

fn is_drawn(program: &Program, at: ExprRef) -> bool {
    program.fresh(&program.value(at)).is_some_and(|fresh| !fresh.is_time)
}

/// Whether a name is written as variables of the environment are.
fn is_variable(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// A constant text.
fn text(facts: &Facts, at: ExprId) -> Option<Name> {
    match facts.expr(at) {
        ExprKind::Text(text) => Some(*text),
        _ => None,
    }
}

/// Words of names of settings that are about a secret, and no secrets.
const NO_SECRETS: &[&str] = &[
    "public",
    "publishable",
    "id",
    "name",
    "header",
    "prefix",
    "url",
    "length",
    "size",
    "hours",
    "days",
    "minutes",
    "seconds",
    "mins",
    "secs",
    "ms",
    "ttl",
    "expiry",
    "expires",
    "expire",
    "expiration",
    "lifetime",
    "duration",
    "age",
    "rotation",
    "rounds",
    "cost",
    "limit",
    "max",
    "min",
    "algorithm",
    "alg",
    "issuer",
    "audience",
    "enabled",
    "count",
    "interval",
    "attempts",
    "retries",
    "version",
];

/// What a variable guards that requests are compared with: a password of the app's own, by its name and its use.
fn asked_of_callers(program: &Program, default: EnvDefault) -> Option<Purpose> {
    let words = words(&default.name);
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    let secret = has(&["secret", "key", "password", "passphrase", "passcode", "pass", "passwd", "pwd", "token", "pin"]);
    let other = has(NO_SECRETS) || has(&["verify", "verification", "csrf", "price", "plan"]);
    if !secret || other || !is_own(program, default.name) || !is_live(program, default) {
        return None;
    }
    let file = default.fallback.file;
    let facts = program.facts(file);
    let here = |part: ExprId| ExprRef::new(file, part);
    let compares = facts.operations().any(|(_, operation)| {
        let (Op::Equal | Op::Unequal, parts) = operation else { return false };
        let held = parts.iter().position(|&part| program.value(here(part)).envs().contains(&default.name));
        held.is_some_and(|held| {
            let mut others = parts.iter().enumerate().filter(|(at, _)| *at != held);
            others.any(|(_, &other)| {
                program.header_of(here(other)).is_some()
                    || matches!(program.origin_on(&[], here(other), &[]), Origin::Request(_))
            })
        })
    });
    compares.then_some(Purpose::Guards)
}

/// What whoever knows a secret can do with it that the app itself signs or guards with, by its name; none for others.
pub(super) fn harm_of_own(program: &Program, name: Name) -> Option<&'static str> {
    harm(purpose(program, name)?).strip_prefix("whoever reads the code can ")
}

/// Whether a variable's secret is what the app's own clock or staff come in by, by its name.
pub(super) fn lets_in(program: &Program, name: Name) -> bool {
    purpose(program, name) == Some(Purpose::Guards)
}

/// What a variable's secret is for, by its name.
fn purpose(program: &Program, name: Name) -> Option<Purpose> {
    let words = words(&name);
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    let secret = has(&["secret", "secrets", "key", "password", "passphrase", "passcode", "pass", "passwd", "pwd"]);
    if !is_own(program, name) || has(NO_SECRETS) {
        return None;
    }
    let token = secret || has(&["token"]);
    match () {
        () if has(&["encryption", "encrypt", "cipher", "aes", "fernet"]) && secret => Some(Purpose::Encrypts),
        () if has(&["admin", "cron", "internal", "master", "superadmin", "superuser"]) && token => {
            Some(Purpose::Guards)
        }
        () if has(&["jwt", "session", "cookie", "nextauth", "csrf", "signing", "hmac", "token", "auth"]) && secret => {
            // `AUTH_KEY`, `TOKEN_KEY` may be the name under which something is kept.
            (has(&["secret", "jwt", "signing", "hmac"]) || words.len() > 2).then_some(Purpose::Signs)
        }
        // What codes, links and passwords of customers are made with.
        () if words.last().is_some_and(|word| word == "secret" || word == "pepper")
            && has(&[
                "otp", "password", "passcode", "magic", "link", "hash", "hashing", "reset", "invite", "pepper",
            ]) =>
        {
            Some(Purpose::Derives)
        }
        () if matches!(name.as_str(), "SECRET" | "SECRET_KEY" | "APP_SECRET" | "APP_KEY" | "SECRET_KEY_BASE") => {
            Some(Purpose::Signs)
        }
        () if has(&["flask", "django"]) && has(&["secret"]) => Some(Purpose::Signs),
        () => None,
    }
}

/// The same where it is known what it is used for: a webhook's secret may have the name too (`SIGNING_SECRET`), but where
/// no webhook comes in the app makes what it signs.
fn is_own_by_use(program: &Program, default: EnvDefault, purpose: Purpose) -> bool {
    let takes_deliveries = || {
        let mut handlers = program.webhook_handlers().iter();
        handlers.any(|handler| program.entries[handler.entry].function.file == default.fallback.file)
    };
    let signs = matches!(purpose, Purpose::Signs | Purpose::Seals);
    is_own(program, default.name) || signs && !is_foreign(program, default.name) && !takes_deliveries()
}

/// Whether a variable is the app's own: no vendor's credential, no webhook's secret.
fn is_own(program: &Program, name: Name) -> bool {
    !is_foreign(program, name) && program.catalogue.env_entry(&name).is_none()
}

/// Whether the words of a name are those of a vendor, a webhook or a store.
fn is_foreign(program: &Program, name: Name) -> bool {
    words(&name).iter().any(|word| {
        matches!(
            word.as_str(),
            "webhook" | "webhooks" | "hook" | "whsec" | "client" | "oauth" | "db" | "database" | "email" | "smtp"
        ) || program.catalogue.vendor_named(word).is_some()
    })
}

/// The secrets handed to functions that sign, check or compute with them.
fn handed_over(program: &Program) -> Vec<(ExprRef, Option<Name>, Purpose)> {
    let mut found = Vec::new();
    for (file, _) in program.code().filter(|(file, _)| program.runs_on_server(*file)) {
        for call in program.calls_of(file) {
            for external in program.callee(call).externals() {
                let known = program.catalogue.known(external.package, &external.segs);
                if let Some((known, key)) = known.and_then(|known| Some((known, known.secret.as_ref()?)))
                    && let Some(at) = given(program, call, key)
                    && (known.role != KnownRole::Mac || sounds_secret(program.facts(file), at.expr))
                {
                    let seals = known.role == KnownRole::Mac && !is_of_sessions(program, call, at);
                    found.push((at, None, if seals { Purpose::Seals } else { Purpose::Signs }));
                } else if known.is_none() && program.catalogue.verifier(external.package, &external.segs).is_some() {
                    let facts = program.facts(file);
                    let args = facts.call(call.call).args.iter().skip(1).map(|arg| arg.value);
                    let secrets = args.filter(|&arg| sounds_secret(facts, arg));
                    found.extend(secrets.map(|arg| (ExprRef::new(file, arg), None, Purpose::Delivers)));
                }
            }
        }
    }
    found
}

/// Whether a code made with a key is what logs somebody in, by the names around it.
fn is_of_sessions(program: &Program, call: CallRef, key: ExprRef) -> bool {
    let facts = program.facts(call.file);
    let held = match facts.expr(key.expr) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.to_string(),
        _ => String::new(),
    };
    let names = format!("{held} {} {}", program.function_name(program.function_of(call)), program.file(call.file).path);
    words(&names).iter().any(|word| {
        matches!(
            word.as_str(),
            "jwt" | "session" | "sessions" | "auth" | "login" | "token" | "tokens" | "cookie" | "cookies" | "user"
        )
    })
}

/// The argument, keyword or option in which a call takes its secret.
fn given(program: &Program, call: CallRef, key: &Key) -> Option<ExprRef> {
    let args = &program.facts(call.file).call(call.call).args;
    let keyword = |name: &str| args.iter().find(|arg| arg.name.is_some_and(|given| given == name));
    let positional = || args.get(key.arg).filter(|arg| arg.name.is_none());
    let Some(option) = &key.option else { return positional().map(|arg| ExprRef::new(call.file, arg.value)) };
    if let Some(arg) = keyword(option) {
        return Some(ExprRef::new(call.file, arg.value));
    }
    let arg = positional()?;
    let value = program.value(ExprRef::new(call.file, arg.value));
    let entry = program.entries(&value).into_iter().find(|(name, _)| name == option.as_str());
    let is_script = program.facts(call.file).language.is_script();
    entry.map(|(_, at)| at).or_else(|| (!is_script).then(|| ExprRef::new(call.file, arg.value)))
}

/// Secrets of Python frameworks that are set by name: `app.secret_key = ..`, `SECRET_KEY = ..`.
fn set(program: &Program) -> Vec<(ExprRef, Option<Name>, Purpose)> {
    const NAMES: &[&str] = &["secret_key", "SECRET_KEY", "JWT_SECRET_KEY", "JWT_SECRET"];
    let mut found = Vec::new();
    for (file, facts) in program.code().filter(|(_, facts)| !facts.language.is_script()) {
        for step in facts.blocks.iter().flat_map(|block| &block.steps) {
            let (name, value) = match step {
                Step::Assign(target, value) => match facts.expr(*target) {
                    // What an object keeps of its own is set on no framework.
                    ExprKind::Member(base, _) if matches!(facts.expr(*base), ExprKind::Ref(base, _) if *base == "self") =>
                    {
                        continue;
                    }
                    ExprKind::Member(_, name) => (*name, *value),
                    _ => continue,
                },
                // `secret_key = "YOUR_SECRET_KEY"`, handed to a broker's client: frameworks read no such name.
                Step::Bind(def, value)
                    if is_variable(&facts.def(*def).name) && !is_handed_with_key(program, file, *def) =>
                {
                    (facts.def(*def).name, *value)
                }
                _ => continue,
            };
            if NAMES.contains(&name.as_str()) {
                found.push((ExprRef::new(file, value), Some(name), Purpose::Signs));
            }
        }
    }
    found
}

/// Whether an expression names a secret, or is a text itself.
fn sounds_secret(facts: &Facts, at: ExprId) -> bool {
    let said = |name: &str| words(name).iter().any(|word| matches!(word.as_str(), "secret" | "key" | "signing"));
    match facts.expr(at) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => said(name),
        _ => false,
    }
}

/// The text that a secret is.
struct Written {
    /// Where it stands.
    at: ExprRef,
    /// The name that holds it.
    held: Option<Name>,
    /// The variable that it is used in place of: `secret = environ.get("X")`, then `secret = DEFAULT`.
    instead_of: Option<Name>,
}

/// The text that a secret is, where it is written, and the name that holds it.
fn written(program: &Program, at: ExprRef, depth: usize) -> Option<Written> {
    let depth = depth.checked_sub(1)?;
    let facts = program.facts(at.file);
    let next = |expr: ExprId| written(program, ExprRef::new(at.file, expr), depth);
    match facts.expr(at.expr) {
        ExprKind::Text(text) => (text.len() > 3).then_some(Written { at, held: None, instead_of: None }),
        ExprKind::Ref(name, block) => {
            let def = facts.def(facts.lookup(*block, *name)?);
            let found = def.values.iter().find_map(|&value| next(value))?;
            let mut others = def.values.iter().filter(|_| def.values.len() > 1);
            let read = others.find_map(|&value| program.value(ExprRef::new(at.file, value)).envs().into_iter().next());
            Some(Written { held: found.held.or(Some(*name)), instead_of: found.instead_of.or(read), ..found })
        }
        ExprKind::Op(Op::Or | Op::Nullish, parts) => next(*parts.last()?),
        ExprKind::Await(inner) => next(*inner),
        // `new TextEncoder().encode(secret)`, `Buffer.from(secret)`
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            let ExprKind::Member(base, name) = facts.expr(call.callee) else { return None };
            match name.as_str() {
                "encode" if call.args.is_empty() => next(*base),
                "encode" | "from" => next(call.args.first()?.value),
                _ => None,
            }
        }
        _ => None,
    }
}

fn harm(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Signs => "whoever reads the code can sign in as any customer",
        Purpose::Seals => "whoever reads the code can make the seals and signatures that only the app should make",
        Purpose::Derives => "whoever reads the code can work out the codes, links and passwords that are made with it",
        Purpose::Encrypts => "whoever reads the code can decrypt what it protects",
        Purpose::Guards => "whoever reads the code gets in where only you should",
        Purpose::Delivers => "whoever reads the code can forge deliveries, a payment that never happened among them",
    }
}

fn tell_default(program: &Program, report: &mut Report, name: Name, purpose: Purpose, places: &[EnvDefault]) {
    let Some(first) = places.first() else { return };
    let drawn = |default: &EnvDefault| is_drawn(program, default.fallback);
    let constant = places.iter().find(|default| !drawn(default));
    let default = constant.unwrap_or(first);
    let is_empty = |default: &EnvDefault| {
        text(program.facts(default.fallback.file), default.fallback.expr).is_some_and(|text| text.is_empty())
    };
    let message = match constant {
        Some(default) if is_empty(default) => {
            format!("while {name} is unset, an empty text takes its place: anybody can sign in as any customer")
        }
        Some(_) => format!("while {name} is unset, a text in the code takes its place: {}", harm(purpose)),
        None => format!(
            "while {name} is unset, every process draws its own: each restart and each further instance turns away what \
             the others signed"
        ),
    };
    let help = format!("Stop without {name}, in place of the default:\n{}", refuse(program, default.fallback, name));
    if places.iter().all(|default| program.is_unread_setting(*default)) {
        let place = program.place(default.fallback);
        let message = format!("{name} has a text in the code as its default, and nothing reads it so far");
        let help =
            format!("Take {name} out of the settings. Whoever comes to sign with it later would find the default.");
        report.at(place, name.to_string(), message).help(help).severity(Severity::Note).auditor_only();
        return;
    }
    let mut draft = report.at(program.place(default.fallback), name.to_string(), message).help(help);
    if constant.is_none() {
        draft = draft.severity(Severity::Note).auditor_only();
    }
    for other in places.iter().filter(|other| *other != default && drawn(other) == drawn(default)) {
        draft = draft.because(program.place(other.fallback), "and here");
    }
}

/// How to read a variable so that its absence stops the app.
fn refuse(program: &Program, at: ExprRef, name: Name) -> String {
    let facts = program.facts(at.file);
    if !facts.language.is_script() {
        return format!("secret = os.environ[\"{name}\"]");
    }
    let read = program.read_of_variable(at.file, name);
    format!("const secret = {read};\nif (!secret) throw new Error(\"{name} is not set\");")
}

/// The variable that would hold it: `_INSECURE_JWT_DEFAULT` stands for `JWT`.
fn variable_name(name: Name) -> String {
    const BESIDES: &[&str] = &["insecure", "default", "fallback", "dev", "unsafe", "placeholder"];
    let all = words(&name);
    let plain: Vec<String> = all.iter().filter(|word| !BESIDES.contains(&word.as_str())).cloned().collect();
    let words = if plain.is_empty() { all } else { plain };
    words.join("_").to_ascii_uppercase()
}

fn tell_literal(program: &Program, report: &mut Report, place: Place, name: Option<Name>, purpose: Purpose) {
    let what = name.map_or_else(|| "the secret".to_owned(), |name| name.to_string());
    let variable = name.map_or_else(|| "APP_SECRET".to_owned(), variable_name);
    let at = program.facts(place.file).exprs.iter().position(|expr| expr.span == place.span).unwrap_or(0);
    let refuse = refuse(program, ExprRef::new(place.file, ExprId(at as u32)), Name::new(&variable));
    report
        .at(place, what.clone(), format!("{what} is written in the code: {}", harm(purpose)))
        .help(format!("Make a new secret, keep it in the environment only, and stop without it:\n{refuse}"));
}

fn tell_open_key(program: &Program, report: &mut Report, key: OpenKey) {
    let OpenKey { written, name, held, shipped } = key;
    let who = if shipped.is_some() {
        "every browser that loads the app gets it, and gets in where only you should"
    } else {
        "whoever reads the code gets in where only you should"
    };
    let variable = Name::new(variable_name(held.unwrap_or(name)).trim_start_matches("X_"));
    let asks = match shipped {
        // A key that pages send is no secret, wherever it is kept.
        Some(_) => {
            "Ask for a user and their role instead: what a page sends, its visitor reads. Until then everyone can call it."
                .to_owned()
        }
        None => {
            let refuse = refuse(program, written, variable);
            format!("Make a new key, keep it in the environment only, and refuse everyone while it is not set:\n{refuse}")
        }
    };
    let message = format!("requests are let in by `{name}`, and the right one is written in the code: {who}");
    let draft = report.at(program.place(written), name.to_string(), message).help(asks);
    if let Some(shipped) = shipped {
        draft.because(program.place(shipped), "loaded by browsers here");
    }
}
