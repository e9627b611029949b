//! What calls let through: conversions, slices, masks, own functions.

use super::Secret;
use super::cuts::cut_of;
use super::names::{identifies, says_credential};
use super::walk::{Known, Walker};
use crate::catalogue::KnownRole;
use crate::facts::{Call, ExprId, ExprKind};
use crate::names::Name;
use crate::program::{CallRef, EdgeKind, ExprRef, FunctionRef};

/// Functions that write their first argument in another way.
const CONVERSIONS: &[&str] = &[
    "JSON.stringify",
    "json.dumps",
    "str",
    "repr",
    "dict",
    "list",
    "String",
    "Object.fromEntries",
    "Object.entries",
    "Object.values",
    "structuredClone",
    "util.inspect",
    "inspect",
    "Deno.inspect",
    "Buffer.from",
    "buffer.Buffer.from",
    "btoa",
    "base64.b64encode",
    "base64.urlsafe_b64encode",
    "encodeURIComponent",
    "pprint.pformat",
    "bytes",
    "String.fromCharCode",
    "Array.from",
    "Uint8Array",
];

/// Methods that give what they are called on, written in another way.
const SAME: &[&str] = &[
    "toString",
    "trim",
    "toLowerCase",
    "toUpperCase",
    "valueOf",
    "normalize",
    "encode",
    "decode",
    "strip",
    "lower",
    "entries",
    "items",
    "raw",
    "toJSON",
    "values",
    "getAll",
    "copy",
];

/// Words in the names of functions that hide what they are given.
const HIDING: &[&str] = &["mask", "redact", "sanitize", "sanitise", "hash", "obfuscate", "scrub", "hide", "truncate"];

impl Walker<'_> {
    pub(super) fn call(&mut self, at: ExprRef, call: CallRef, path: &mut Vec<Name>) -> Known {
        let program = self.program;
        let facts = program.facts(call.file);
        let shape = facts.call(call.call);
        let first = shape.args.first().map(|arg| ExprRef::new(call.file, arg.value));
        if let Some(known) = self.of_library(at, call) {
            return known;
        }
        if self.gives_cookies(call) {
            return self.cookies(at, path);
        }
        let last = facts.last_name(shape.callee).unwrap_or(Name::new(""));
        let small = last.to_ascii_lowercase();
        if HIDING.iter().any(|word| small.contains(word)) {
            return Known::Harmless;
        }
        let dotted = program.external(call).map(|external| external.dotted()).unwrap_or_default();
        if CONVERSIONS.contains(&dotted.as_str()) {
            return self.converted(call, shape, &dotted, path);
        }
        if small.ends_with("error") || small.ends_with("exception") {
            return shape.args.iter().fold(Known::Harmless, |known, arg| {
                let one = self.walk(ExprRef::new(call.file, arg.value), &mut vec![]);
                known.and(one)
            });
        }
        if matches!(dotted.as_str(), "Deno.env.toObject" | "Boolean" | "bool" | "len" | "Number" | "Object.keys") {
            return if dotted == "Deno.env.toObject" { self.environment(at, path) } else { Known::Harmless };
        }
        let direct: Vec<FunctionRef> =
            program.edges(call).iter().filter(|edge| edge.kind == EdgeKind::Direct).map(|edge| edge.target).collect();
        if !direct.is_empty() {
            return if shape.is_new { Known::Harmless } else { self.own(call, &direct, path) };
        }
        match *facts.expr(shape.callee) {
            ExprKind::Member(base, method) => self.method(call, ExprRef::new(call.file, base), method, first, path),
            _ => Known::Open,
        }
    }

    /// MACs, signed tokens, digests.
    fn of_library(&mut self, at: ExprRef, call: CallRef) -> Option<Known> {
        let program = self.program;
        let known = program
            .callee(call)
            .externals()
            .find_map(|external| program.catalogue.known(external.package, &external.segs))?;
        match known.role {
            KnownRole::Mac if known.keyless => Some(Known::Harmless),
            KnownRole::Mac => {
                let compared = program.comes_to_comparison(at, 14);
                let whole = self.head.is_none_or(|head| head >= 32);
                Some(if compared && whole { self.note(Secret::Signature, at) } else { Known::Harmless })
            }
            KnownRole::Sign => Some(Known::Open),
            _ => None,
        }
    }

    /// `hmac.new(..).hexdigest()`: whether what is digested is a MAC that a signature is compared with.
    fn is_expected(&mut self, base: ExprRef) -> bool {
        let facts = self.program.facts(base.file);
        let made = match facts.expr(base.expr) {
            ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| &facts.def(def).values[..]) {
                Some(&[only]) => only,
                _ => return false,
            },
            _ => base.expr,
        };
        let ExprKind::Call(call) = *facts.expr(made) else { return false };
        self.of_library(ExprRef::new(base.file, made), CallRef::new(base.file, call)) == Some(Known::Secret)
    }

    fn converted(&mut self, call: CallRef, shape: &Call, dotted: &str, path: &mut Vec<Name>) -> Known {
        let facts = self.program.facts(call.file);
        let replaced = dotted == "JSON.stringify"
            && shape.args.get(1).is_some_and(|arg| !matches!(facts.expr(arg.value), ExprKind::Null));
        let (Some(arg), false) = (shape.args.first(), replaced) else { return Known::Harmless };
        let text = u32::from(matches!(dotted, "str" | "String" | "repr"));
        self.texts += text;
        let known = self.walk(ExprRef::new(call.file, arg.value), path);
        self.texts -= text;
        known
    }

    /// What functions of the program give back.
    fn own(&mut self, call: CallRef, direct: &[FunctionRef], path: &mut Vec<Name>) -> Known {
        const DEEPEST: usize = 5;
        let mut known = Known::Harmless;
        for &target in direct {
            if self.entered.len() >= DEEPEST || self.entered.iter().any(|(active, _)| *active == target) {
                return Known::Open;
            }
            let facts = self.program.facts(target.file);
            let returned: Vec<ExprId> = facts.returned(target.function).collect();
            if returned.is_empty() {
                return Known::Open;
            }
            self.entered.push((target, call));
            for value in returned {
                known = known.and(self.walk(ExprRef::new(target.file, value), path));
            }
            self.entered.pop();
        }
        known
    }

    fn method(
        &mut self,
        call: CallRef,
        base: ExprRef,
        method: Name,
        first: Option<ExprRef>,
        path: &mut Vec<Name>,
    ) -> Known {
        let facts = self.program.facts(call.file);
        let args = &facts.call(call.call).args;
        match method.as_str() {
            "slice" | "substring" | "substr" => self.cut(cut_of(facts, args.iter().map(|arg| arg.value)), base, path),
            "digest" | "hexdigest" if self.is_expected(base) => Known::Secret,
            "repeat" | "startsWith" | "endsWith" | "includes" | "match" | "test" | "keys" | "has" | "filter"
            | "digest" | "charAt" | "indexOf" => Known::Harmless,
            "replace" | "replaceAll" => {
                let by = args.get(1).map(|arg| facts.expr(arg.value));
                if matches!(by, Some(ExprKind::Text(text)) if text.is_empty()) {
                    self.walk(base, path)
                } else {
                    Known::Harmless
                }
            }
            "removeprefix" | "lstrip" | "padEnd" | "padStart" => self.walk(base, path),
            "split" => self.walk(base, path),
            name if SAME.contains(&name) && args.len() < 2 => self.walk(base, path),
            "map" => self.each_cookie(call, base, path).unwrap_or(Known::Open),
            "get" | "header" => self.asked_header(call, base, first, path),
            _ => Known::Open,
        }
    }

    /// `req.headers.get("authorization")`, `req.header("Authorization")`, `data.get("access_token")`
    fn asked_header(&mut self, call: CallRef, base: ExprRef, first: Option<ExprRef>, path: &[Name]) -> Known {
        let facts = self.program.facts(call.file);
        let at = ExprRef::new(call.file, facts.call(call.call).expr);
        let Some(&ExprKind::Text(name)) = first.map(|first| self.program.facts(first.file).expr(first.expr)) else {
            return Known::Open;
        };
        let of_headers = matches!(facts.expr(base.expr), ExprKind::Member(of, member)
            if *member == "headers" && self.is_request(ExprRef::new(base.file, *of)));
        if of_headers || self.is_request(base) && identifies(&name) {
            return self.header(at, &[name]);
        }
        if path.is_empty() && says_credential(&name) { self.named(name, at) } else { Known::Open }
    }
}
