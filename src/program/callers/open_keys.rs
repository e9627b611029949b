//! Keys that are written in the code, and that requests are let in by: whoever reads the code brings one.

use crate::facts::{BlockId, ExprId, ExprKind, Facts, Op, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::callers::believed::turns_away;
use crate::program::terms::{Ending, ending};
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{ExprRef, FunctionRef, Program, Value};

/// The shortest text that is meant to be a key.
const SHORTEST: usize = 6;

/// A key in the code that a request is compared with.
#[derive(Debug, Clone, Copy)]
pub struct OpenKey {
    /// The text.
    pub written: ExprRef,
    /// The name of what the request brings, or of what holds the text.
    pub name: Name,
    /// The name that holds the text, if one does.
    pub held: Option<Name>,
    /// The same text in code that browsers load.
    pub shipped: Option<ExprRef>,
}

impl Program {
    /// The keys in the code without which a request is turned away.
    pub fn open_keys(&self) -> Vec<OpenKey> {
        let mut found: Vec<OpenKey> = Vec::new();
        for (file, facts) in self.code().filter(|(file, _)| self.runs_on_server(*file)) {
            for block in &facts.blocks {
                for step in &block.steps {
                    let Step::If { condition, then, otherwise } = *step else { continue };
                    let function = FunctionRef::new(file, block.function);
                    for (written, name, held) in asked(self, file, facts, (condition, then, otherwise)) {
                        if !found.iter().any(|known| known.written == written) && !self.serves_webhook(function) {
                            found.push(OpenKey { written, name, held, shipped: shipped(self, written) });
                        }
                    }
                }
            }
        }
        found
    }

    /// Whether a function is, or is called, a webhook: its secret is another rule's concern.
    fn serves_webhook(&self, function: FunctionRef) -> bool {
        let named = format!("{} {}", self.function_name(function), self.file(function.file).path);
        words(&named).iter().any(|word| matches!(word.as_str(), "webhook" | "webhooks" | "hook" | "hooks" | "ipn"))
            || self
                .webhook_handlers()
                .iter()
                .any(|handler| self.entries[handler.entry].function == function && !handler.serves_others)
    }
}

/// The texts that a condition wants, where the request is turned away that brings another.
fn asked(
    program: &Program,
    file: FileId,
    facts: &Facts,
    (condition, then, otherwise): (ExprId, BlockId, Option<BlockId>),
) -> Vec<(ExprRef, Name, Option<Name>)> {
    let away = |block: BlockId| ending(facts, block) != Ending::GoesOn && turns_away(facts, block);
    let mut found = Vec::new();
    if away(then) {
        wanted(program, file, facts, condition, true, &mut found);
    }
    if otherwise.is_some_and(away) {
        wanted(program, file, facts, condition, false, &mut found);
    }
    found
}

/// The texts beside which a part of a condition holds (or does not) when something else is brought.
fn wanted(
    program: &Program,
    file: FileId,
    facts: &Facts,
    condition: ExprId,
    refuses: bool,
    found: &mut Vec<(ExprRef, Name, Option<Name>)>,
) {
    match facts.expr(condition) {
        ExprKind::Op(Op::Not, parts) => wanted(program, file, facts, parts[0], !refuses, found),
        ExprKind::Op(Op::And | Op::Or, parts) => {
            parts.iter().for_each(|&part| wanted(program, file, facts, part, refuses, found));
        }
        ExprKind::Op(op @ (Op::Equal | Op::Unequal), parts) if (*op == Op::Unequal) == refuses => {
            for (key, brought) in [(parts[0], parts[1]), (parts[1], parts[0])] {
                let Some((written, held)) = key_text(program, ExprRef::new(file, key)) else { continue };
                let Some(name) = brought_as(program, ExprRef::new(file, brought)) else { continue };
                let lets_in = |name: &Name| says_key(name) || says_invitation(name) && makes_staff(program, file);
                let named = [Some(name), held].into_iter().flatten().find(lets_in);
                found.extend(named.map(|name| (written, name, held)));
            }
        }
        _ => {}
    }
}

/// The text that a key is, and the name that holds it.
fn key_text(program: &Program, at: ExprRef) -> Option<(ExprRef, Option<Name>)> {
    let facts = program.facts(at.file);
    let fits = |text: &str| {
        let text = text.strip_prefix("Bearer ").unwrap_or(text);
        // A public token of a backend says of itself what it may.
        text.len() >= SHORTEST
            && !text.starts_with("eyJ")
            && !text.contains("publishable")
            && !text.contains(['/', ' ', '<'])
            && !matches!(text.to_ascii_lowercase().as_str(), "undefined" | "bearer" | "application" | "service_role")
            && (text
                .bytes()
                .any(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'_' || byte.is_ascii_uppercase()))
    };
    match facts.expr(at.expr) {
        ExprKind::Text(text) => fits(text).then_some((at, None)),
        ExprKind::Ref(name, block) => {
            let def = facts.def(facts.lookup(*block, *name)?);
            let [only] = def.values[..] else { return None };
            match facts.expr(only) {
                ExprKind::Text(text) => fits(text).then_some((ExprRef::new(at.file, only), Some(*name))),
                ExprKind::Imported(..) => match program.value(at) {
                    Value::Text(text) if fits(&text) => Some((at, Some(*name))),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a value that the request brings is called.
fn brought_as(program: &Program, at: ExprRef) -> Option<Name> {
    let facts = program.facts(at.file);
    let header = program.header_of(at).is_some();
    if !header && !matches!(program.origin_on(&[], at, &[]), Origin::Request(_)) {
        return None;
    }
    facts.last_name(at.expr).filter(|name| *name != "get" && *name != "header").or_else(|| {
        let ExprKind::Call(call) = facts.expr(at.expr) else { return None };
        let first = facts.call(*call).args.first()?.value;
        match facts.expr(first) {
            ExprKind::Text(name) => Some(*name),
            _ => None,
        }
    })
}

/// Whether a name says that what it holds lets somebody in.
fn says_key(name: &str) -> bool {
    let words = words(name);
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    !has(&["csrf", "verify", "type", "event", "public", "webhook", "promo", "coupon", "country", "language", "zip"])
        && (has(&["key", "apikey", "secret", "password", "passcode", "passphrase", "token", "authorization", "auth"])
            || has(&["code", "pin"]) && has(&["admin", "access", "secret", "staff", "setup", "master"]))
}

/// Whether a name says that who was asked to come brings what it holds.
fn says_invitation(name: &str) -> bool {
    words(name).iter().any(|word| matches!(word.as_str(), "invite" | "invitation" | "code" | "pin"))
}

/// Whether a file makes those who work for the app, by its path: `functions/create-admin/index.ts`.
fn makes_staff(program: &Program, file: FileId) -> bool {
    let words = words(&program.file(file).path);
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    has(&["admin", "admins", "staff", "superuser"])
        && has(&["create", "make", "register", "signup", "setup", "add", "promote", "grant"])
}

/// The same text in code that browsers load.
fn shipped(program: &Program, written: ExprRef) -> Option<ExprRef> {
    let ExprKind::Text(key) = program.facts(written.file).expr(written.expr) else { return None };
    program.code().filter(|(file, _)| program.side(*file).client).find_map(|(file, facts)| {
        let (at, _) = facts.texts().find(|(_, text)| text == key)?;
        Some(ExprRef::new(file, at))
    })
}
