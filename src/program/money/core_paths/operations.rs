//! The calls that core paths exist for: an account is made, someone is logged in, someone pays. Vendors' operations
//! are marked in the catalogue; the app's own are told by what is written: a user with a password, a row in the
//! users or orders table.

use crate::catalogue::{Core, Effect, KnownRole};
use crate::facts::{CallId, ExprId, ExprKind, Facts};
use crate::names::Name;
use crate::program::{CallRef, Program, Value};

/// A call that a core path exists for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreCall {
    /// The call.
    pub at: CallRef,
    /// What it is for.
    pub core: Core,
    /// Whether it needs a name that says so too: a row in a users table may be anything.
    pub weak: bool,
    /// Whether it makes an account for whoever is named, not for the caller alone: an administrator may do that.
    pub for_anyone: bool,
    /// Whether it is a row of the app's own.
    pub own: bool,
    /// Whether it only looks a payment up: on the return from paying, but also wherever else one is shown.
    pub reads: bool,
    /// Whether it only renews the login of who is logged in.
    pub renews: bool,
}

/// Tables whose new rows are accounts.
pub(super) const USERS: &[&str] =
    &["user", "users", "appuser", "appusers", "profile", "profiles", "userprofile", "userprofiles"];

/// Tables whose new rows are orders.
const ORDERS: &[&str] = &["order", "orders"];

/// Keys that hold a password's hash: nothing but an account has one.
const HASHES: &[&str] =
    &["passwordhash", "password_hash", "hashedpassword", "hashed_password", "encrypted_password", "password_digest"];

/// Methods that renew the login of who is logged in.
const RENEWS: &[&str] = &["refreshSession", "refresh_session", "setSession", "set_session"];

/// Methods that make a record.
const MAKERS: &[&str] =
    &["create", "insert", "values", "insertone", "insert_one", "createuser", "create_user", "add", "save", "upsert"];

impl Program {
    /// What a call is to a core path.
    pub(super) fn core_call(&self, at: CallRef) -> Option<CoreCall> {
        let facts = self.facts(at.file);
        for used in self.vendors_at(at) {
            let Some(operation) = self.operation(used) else { continue };
            if let Some(core) = operation.core {
                let for_anyone = core == Core::Signup && used.name.contains("admin");
                let reads = operation.effect == Effect::Read;
                let weak = reads || core == Core::Login;
                let last = used.name.rsplit('.').next().unwrap_or_default();
                let renews = core == Core::Login && RENEWS.contains(&last);
                return Some(CoreCall { at, core, weak, for_anyone, own: false, reads, renews });
            }
        }
        if self.has_role(at, KnownRole::SignIn) {
            let core = Core::Login;
            return Some(CoreCall { at, core, weak: true, for_anyone: false, own: false, reads: false, renews: false });
        }
        // What makes an account may also write down that its address is not verified yet.
        self.made_here(at, facts).or_else(|| {
            let core = self.changes_account(at, facts)?;
            Some(CoreCall { at, core, weak: true, for_anyone: true, own: true, reads: false, renews: false })
        })
    }

    /// What a call is that makes a record of the app's own.
    fn made_here(&self, at: CallRef, facts: &Facts) -> Option<CoreCall> {
        if !self.may_make_record(at, facts) {
            return None;
        }
        let names = names_of(facts, facts.call(at.call).callee);
        let for_anyone = |core| core == Core::Signup;
        let own = |core, weak| {
            let for_anyone = for_anyone(core);
            Some(CoreCall { at, core, weak, for_anyone, own: true, reads: false, renews: false })
        };
        if self.makes_account(at, facts, &names) {
            return own(Core::Signup, false);
        }
        if facts.call(at.call).args.iter().any(|arg| inserts_password(facts, arg.value)) {
            return own(Core::Signup, false);
        }
        let table = table(facts, at.call, &names)?;
        if USERS.contains(&table.as_str()) {
            return own(Core::Signup, true);
        }
        if ORDERS.contains(&table.as_str()) { own(Core::Checkout, true) } else { None }
    }

    /// Whether a call can be one of the app's own that a core path exists for: most are not, by what they call.
    fn may_make_record(&self, at: CallRef, facts: &Facts) -> bool {
        const OTHERS: &[&str] = &["createone", "create_user", "createuserwithpassword", "email", "signup", "sign_up"];
        let call = facts.call(at.call);
        let named =
            |name: Name| is_type(&name) || MAKERS.iter().chain(OTHERS).any(|wanted| name.eq_ignore_ascii_case(wanted));
        call.is_new
            || called(facts, call.callee).next().is_some_and(named)
            || matches!(self.callee(at), Value::Class(_) | Value::Instance(_))
            || call.args.iter().any(|arg| insertion(facts, arg.value).is_some())
    }

    /// Whether a call makes something that has a password, or is a library's function to sign up.
    fn makes_account(&self, at: CallRef, facts: &Facts, names: &[Name]) -> bool {
        let call = facts.call(at.call);
        let Some(last) = names.last() else { return false };
        if matches!(last.as_str(), "create_user" | "createUserWithPassword") {
            return true;
        }
        let signs_up = |name: &Name| matches!(name.as_str(), "signUp" | "sign_up");
        if matches!(last.as_str(), "create" | "email") && names.len() > 1 && signs_up(&names[names.len() - 2]) {
            return true;
        }
        let external = || self.callee(at).externals().any(|external| !external.package.starts_with("global:"));
        if signs_up(last) && external() {
            return true;
        }
        let constructs =
            call.is_new || matches!(self.callee(at), Value::Class(_) | Value::Instance(_)) || is_type(last);
        let makes = MAKERS.contains(&last.to_ascii_lowercase().as_str());
        if !constructs && !makes {
            return false;
        }
        let keys = keys_of(facts, at.call);
        let has = |wanted: &str| keys.iter().any(|key| *key == wanted);
        keys.iter().any(|key| HASHES.contains(&key.to_ascii_lowercase().as_str()))
            || (makes && *last != "add" && has("password") && has("email"))
    }
}

fn is_type(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

/// The names of a callee, outermost last, calls left out: `db.insert(users).values` gives `db insert values`.
pub(super) fn names_of(facts: &Facts, callee: ExprId) -> Vec<Name> {
    let mut names: Vec<Name> = called(facts, callee).collect();
    names.reverse();
    names
}

/// The names of a callee, outermost first.
fn called(facts: &Facts, callee: ExprId) -> impl Iterator<Item = Name> + '_ {
    const FARTHEST: usize = 16;
    let further = |at: &ExprId| match facts.expr(*at) {
        ExprKind::Member(base, _) => Some(*base),
        ExprKind::Call(inner) => Some(facts.call(*inner).callee),
        ExprKind::Await(inner) => Some(*inner),
        _ => None,
    };
    std::iter::successors(Some(callee), further).take(FARTHEST).filter_map(|at| facts.last_name(at))
}

/// The keys of a call's object arguments and keywords, one list deep.
pub(super) fn keys_of(facts: &Facts, call: CallId) -> Vec<Name> {
    let mut keys = Vec::new();
    for arg in &facts.call(call).args {
        keys.extend(arg.name);
        object_keys(facts, arg.value, 3, &mut keys);
    }
    keys
}

fn object_keys(facts: &Facts, value: ExprId, depth: usize, keys: &mut Vec<Name>) {
    if depth == 0 {
        return;
    }
    match facts.expr(value) {
        ExprKind::Object(entries) => {
            for &(key, value) in entries {
                keys.push(key);
                // `prisma.user.create({ data: { .. } })`.
                if key == "data" || key == "create" {
                    object_keys(facts, value, depth - 1, keys);
                }
            }
        }
        ExprKind::List(items) => items.iter().for_each(|&item| object_keys(facts, item, depth - 1, keys)),
        ExprKind::Ref(name, block) => {
            if let Some(def) = facts.lookup(*block, *name) {
                facts.def(def).values.iter().for_each(|&value| object_keys(facts, value, depth - 1, keys));
            }
        }
        _ => {}
    }
}

/// The table that a call puts a row into, in small letters without `_`.
fn table(facts: &Facts, call: CallId, names: &[Name]) -> Option<String> {
    let shape = facts.call(call);
    if let Some(table) = shape.args.iter().find_map(|arg| inserted(facts, arg.value)) {
        return Some(plain(&table));
    }
    let last = names.last()?.to_ascii_lowercase();
    // `User(email=..)`, `new User({ email })`.
    if is_type(names.last()?) && keys_of(facts, call).iter().any(|key| matches!(key.as_str(), "email" | "username")) {
        return Some(plain(&last));
    }
    match last.as_str() {
        "insert" => {
            // `from("profiles").insert(..)`, `db.insert(users)`, `knex("users").insert(..)`.
            let from = match facts.expr(shape.callee) {
                ExprKind::Member(base, _) => match facts.expr(*base) {
                    ExprKind::Call(from) => first_text(facts, *from),
                    _ => None,
                },
                _ => None,
            };
            let named = || match facts.expr(shape.args.first()?.value) {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => Some(name.to_string()),
                _ => None,
            };
            from.or_else(named).map(|table| plain(&table))
        }
        "create" | "insertone" | "insert_one" | "createone" => {
            let mut holders = names.iter().rev().skip(1).filter(|name| **name != "objects");
            holders.next().map(|holder| plain(holder))
        }
        _ => None,
    }
}

pub(super) fn plain(table: &str) -> String {
    table.rsplit('.').next().unwrap_or(table).to_ascii_lowercase().replace('_', "")
}

pub(super) fn first_text(facts: &Facts, call: CallId) -> Option<String> {
    match facts.expr(facts.call(call).args.first()?.value) {
        ExprKind::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

/// The text of a statement, as far as its first hole.
pub(super) fn statement_head(facts: &Facts, value: ExprId) -> Option<Name> {
    let first = match facts.expr(value) {
        ExprKind::Template(parts) => *parts.first()?,
        _ => value,
    };
    match facts.expr(first) {
        ExprKind::Text(text) => Some(*text),
        _ => None,
    }
}

/// The head of a statement that inserts rows.
fn insertion(facts: &Facts, value: ExprId) -> Option<Name> {
    let text = statement_head(facts, value)?;
    let mut words = text.split_whitespace();
    let mut is = |wanted: &str| words.next().is_some_and(|word| word.eq_ignore_ascii_case(wanted));
    (is("insert") && is("into")).then_some(text)
}

/// The table of a statement that inserts rows.
fn inserted(facts: &Facts, value: ExprId) -> Option<String> {
    let text = insertion(facts, value)?;
    let table = text.split_whitespace().nth(2)?.split('(').next()?;
    Some(table.trim_matches(['"', '`', '[', ']', '\'']).to_owned())
}

/// Whether a statement inserts a row with a password's hash.
fn inserts_password(facts: &Facts, value: ExprId) -> bool {
    insertion(facts, value).is_some_and(|text| {
        let text = text.to_ascii_lowercase();
        HASHES.iter().any(|hash| text.contains(hash))
    })
}
