//! What a value is used for: a salt, the second half of a vendor's credential, a key that is empty.

use super::{Purpose, text};
use crate::facts::{DefId, ExprId, ExprKind, Step};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::secrets::defaults::EnvDefault;
use crate::program::values::readers::Use;
use crate::program::{CallRef, ExprRef, Program, Value};

/// Whether a default goes into a digest of who visits a page, by their address or browser: a salt, with which nobody
/// signs in.
pub(super) fn salts_visitors(program: &Program, default: EnvDefault) -> bool {
    const VISITORS: &[&str] = &[
        "remote_addr",
        "remoteaddress",
        "user_agent",
        "useragent",
        "user-agent",
        "x-forwarded-for",
        "x-real-ip",
        "ip",
        "ip_address",
        "ipaddress",
        "client_ip",
        "clientip",
    ];
    const DIGESTS: &[&str] = &["sha1", "sha256", "sha512", "md5", "blake2b", "createHash", "digest"];
    const SIGNS: &[&str] = &["hmac", "createHmac", "jwt", "sign", "compare_digest", "timingSafeEqual", "encode_token"];
    let at = default.fallback;
    let facts = program.facts(at.file);
    let span = facts.span(at.expr);
    let around = program.functions(at.file).map(|function| facts.function(function.function));
    let Some(function) = around.filter(|function| function.span.contains(span)).last() else { return false };
    let inside = || facts.exprs.iter().filter(|expr| function.span.contains(expr.span));
    let named = |any: &[&str], exact: bool| {
        inside().any(|expr| match &expr.kind {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) | ExprKind::Text(name) => {
                let name = if exact { name.to_string() } else { name.to_ascii_lowercase() };
                any.contains(&name.as_str())
            }
            _ => false,
        })
    };
    named(VISITORS, false) && named(DIGESTS, true) && !named(SIGNS, true)
}

/// What tokens are signed with an empty text for, while a variable is unset: `os.getenv("JWT_SECRET", "")`. Libraries of
/// Python take it; those of JavaScript throw.
pub(super) fn empty_key(
    program: &Program,
    default: EnvDefault,
    handed: &[(ExprRef, Option<Name>, Purpose)],
) -> Option<Purpose> {
    let at = default.fallback;
    let facts = program.facts(at.file);
    let is_empty = !facts.language.is_script() && text(facts, at.expr).is_some_and(|text| text.is_empty());
    if !is_empty || !program.runs_on_server(at.file) || program.is_for_development(at) {
        return None;
    }
    let mut signing =
        handed.iter().filter(|&&(key, _, purpose)| purpose == Purpose::Signs && takes_empty(program, key));
    let signed = signing.any(|&(key, ..)| {
        let value = program.value(key);
        // What else stands in for it is told by that.
        let is_part = |value: &Value| match value {
            Value::Env(name) => *name == default.name,
            Value::Text(text) => text.is_empty(),
            _ => false,
        };
        value.alternatives().len() == 2 && value.alternatives().iter().all(is_part)
    });
    // `if settings.jwt_secret: claims = decode(..)`
    let asks = |&(key, ..): &(ExprRef, Option<Name>, Purpose)| {
        let facts = program.facts(key.file);
        let of_name = |part: ExprId| program.value(ExprRef::new(key.file, part)).envs().contains(&default.name);
        facts.blocks.iter().flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, .. } => {
                let span = facts.span(*condition);
                let parts = (0..).map(ExprId).zip(&facts.exprs).filter(|(_, expr)| span.contains(expr.span));
                parts.into_iter().any(|(part, _)| of_name(part))
            }
            _ => false,
        })
    };
    (signed && !handed.iter().any(asks)).then_some(Purpose::Signs)
}

/// Whether what a key is handed to signs with an empty one, in the version that is in use.
fn takes_empty(program: &Program, key: ExprRef) -> bool {
    let facts = program.facts(key.file);
    let is_handed = |at: &CallRef| facts.call(at.call).args.iter().any(|arg| arg.value == key.expr);
    let Some(call) = program.calls_of(key.file).find(is_handed) else { return true };
    program.callee(call).externals().all(|external| {
        let known = program.catalogue.known(external.package, &external.segs);
        let refuses = known.and_then(|known| known.refuses_empty.as_ref());
        refuses.is_none_or(|refuses| program.is_older(key.file, Name::new(&refuses.package), refuses.since))
    })
}

/// Whether a value is only ever handed to calls beside an API key: the second half of a vendor's credential.
pub(super) fn is_handed_with_key(program: &Program, file: FileId, def: DefId) -> bool {
    let facts = program.facts(file);
    let readers = program.readers(file);
    let is_key = |name: &str| name.to_ascii_lowercase().replace('_', "").ends_with("apikey");
    let beside_key = |&read: &ExprId| {
        let mut uses = readers.uses(read).iter();
        uses.any(|used| match used {
            Use::Arg(call, _) => facts.call(*call).args.iter().any(|arg| {
                arg.name.is_some_and(|name| is_key(&name))
                    || facts.last_name(arg.value).is_some_and(|name| is_key(&name))
            }),
            _ => false,
        })
    };
    let reads = readers.reads(def);
    !reads.is_empty() && reads.iter().all(beside_key)
}
