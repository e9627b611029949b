//! Changes of a user's row by which somebody gets back into an account, has an address verified, or gets a code to log
//! in with. They say so by their fields; that they do it for whoever asks, only names around them say.

use super::entries::words;
use super::operations::{USERS, first_text, names_of, plain, statement_head};
use crate::catalogue::Core;
use crate::facts::{ExprId, ExprKind, Facts, FunctionId, Step};
use crate::program::{CallRef, Program};

/// Methods that change a row.
const CHANGES: &[&str] = &[
    "update",
    "updateone",
    "update_one",
    "findoneandupdate",
    "findbyidandupdate",
    "find_one_and_update",
    "set",
    "updateuser",
    "update_user",
];

/// Methods that store what was put into a row before.
const STORES: &[&str] = &["save", "commit", "flush"];

impl Program {
    /// What a change of a user's row is for.
    pub(super) fn changes_account(&self, at: CallRef, facts: &Facts) -> Option<Core> {
        let call = facts.call(at.call);
        let last = facts.last_name(call.callee).map(|name| name.to_ascii_lowercase());
        match last.as_deref() {
            Some(last) if STORES.contains(&last) => put_before(facts, facts.function_of(call.block)),
            Some(last) if CHANGES.contains(&last) && is_of_users(facts, at) => {
                // The first of two says which row.
                let skip = usize::from(call.args.len() > 1 && call.args.iter().all(|arg| arg.name.is_none()));
                let keyword = |name: &str| of_field(name);
                let args = || call.args.iter().skip(skip);
                args()
                    .find_map(|arg| arg.name.and_then(|name| keyword(&name)))
                    .or_else(|| args().find_map(|arg| in_object(facts, arg.value, 3)))
            }
            _ => call.args.first().and_then(|arg| of_statement(facts, arg.value)),
        }
    }
}

/// Whether a call changes users: `prisma.user.update`, `from("users").update`, `db.update(users).set`.
fn is_of_users(facts: &Facts, at: CallRef) -> bool {
    let callee = facts.call(at.call).callee;
    let is_users = |name: &str| USERS.contains(&plain(name).as_str());
    let names = names_of(facts, callee);
    let auth = names.iter().any(|name| *name == "auth") && names.last().is_some_and(|name| name.starts_with("update"));
    let from = || {
        let ExprKind::Member(base, _) = facts.expr(callee) else { return false };
        let ExprKind::Call(from) = facts.expr(*base) else { return false };
        let named = facts.call(*from).args.first().and_then(|arg| facts.last_name(arg.value));
        first_text(facts, *from).is_some_and(|table| is_users(&table)) || named.is_some_and(|name| is_users(&name))
    };
    auth || names.iter().rev().skip(1).any(|name| is_users(name)) || from()
}

/// What an object of new values is for.
fn in_object(facts: &Facts, value: ExprId, depth: usize) -> Option<Core> {
    let depth = depth.checked_sub(1)?;
    match facts.expr(value) {
        ExprKind::Object(entries) => entries.iter().find_map(|&(key, value)| match key.as_str() {
            // `update({ where: .., data: .. })`
            "data" | "$set" => in_object(facts, value, depth),
            "where" => None,
            key => of_field(key),
        }),
        ExprKind::Ref(name, block) => {
            let def = facts.lookup(*block, *name)?;
            facts.def(def).values.iter().find_map(|&value| in_object(facts, value, depth))
        }
        _ => None,
    }
}

/// What is put into a user's row in a function: `user.password_hash = ..`, `user.set_password(..)`.
fn put_before(facts: &Facts, function: FunctionId) -> Option<Core> {
    let is_user = |base: ExprId| {
        let said = facts.last_name(base).map(|name| words(&name)).unwrap_or_default();
        said.last().is_some_and(|last| matches!(last.as_str(), "user" | "account" | "profile"))
            // Who is signed in has come in already.
            && !said.iter().any(|word| word == "current")
    };
    let own = facts.blocks.iter().filter(|block| block.function == function);
    own.flat_map(|block| &block.steps).find_map(|step| match *step {
        Step::Assign(target, _) => match *facts.expr(target) {
            ExprKind::Member(base, field) if is_user(base) => of_field(&field),
            _ => None,
        },
        Step::Eval(expr) => {
            let ExprKind::Call(call) = facts.expr(expr) else { return None };
            match *facts.expr(facts.call(*call).callee) {
                ExprKind::Member(base, name) => {
                    let sets = matches!(name.as_str(), "set_password" | "setPassword");
                    (sets && is_user(base)).then_some(Core::Reset)
                }
                _ => None,
            }
        }
        _ => None,
    })
}

/// What a statement that changes users is for: `update users set reset_token = $1 where ..`.
fn of_statement(facts: &Facts, value: ExprId) -> Option<Core> {
    let text = statement_head(facts, value)?;
    let mut said = text.split_whitespace();
    let mut is = |wanted: &str| said.next().filter(|word| word.eq_ignore_ascii_case(wanted)).is_some();
    if !is("update") {
        return None;
    }
    let table = said.next()?.trim_matches(['"', '`', '[', ']']);
    if !USERS.contains(&plain(table).as_str()) {
        return None;
    }
    let until_where = said.take_while(|word| !word.eq_ignore_ascii_case("where"));
    let changed: Vec<&str> = until_where.collect();
    changed.join(" ").split(['=', ',']).find_map(|part| of_field(part.rsplit(' ').find(|word| !word.is_empty())?))
}

/// What a field of a user's row is changed for.
fn of_field(name: &str) -> Option<Core> {
    let said = words(name);
    let has = |any: &[&str]| said.iter().any(|word| any.contains(&word.as_str()));
    let (joined, is_key) = (said.concat(), has(&["token", "code", "otp", "hash", "key", "link"]));
    match joined.as_str() {
        "password" | "passwordhash" | "hashedpassword" | "encryptedpassword" | "passworddigest" => Some(Core::Reset),
        "otp" | "otpcode" | "otphash" | "logincode" | "logintoken" | "magictoken" | "magiclinktoken" => {
            Some(Core::Login)
        }
        _ if is_key && has(&["reset", "recovery", "forgot"]) => Some(Core::Reset),
        _ if is_key && has(&["verification", "verify", "confirmation", "activation"]) => Some(Core::Verification),
        _ if has(&["email", "mail"]) && has(&["verified", "confirmed"]) => Some(Core::Verification),
        _ => None,
    }
}
