//! Whom an entry point serves: customers, those who work for the app, or machines.

use crate::catalogue::{Effect, Operation, Seg};
use crate::facts::{ExportValue, ExprId, ExprKind, Facts, FunctionId, Op, Step};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::callers::full_rights::{is_power, role_in_list};
use crate::program::origins::Origin as Start;
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, ExprRef, FunctionRef, Gate, Program, Value, VendorUse};

/// Words of pages, endpoints and roles of those who work for the app.
const STAFF: &[&str] =
    &["admin", "admins", "administrator", "staff", "backoffice", "superadmin", "superuser", "moderator", "operator"];

/// Words of what somebody may do for the app.
const RIGHTS: &[&str] = &["role", "roles", "permission", "permissions"];

/// Words of others than the app's own customers: who sells by it, and what the clock or a developer starts.
const NO_CUSTOMERS: &[&str] = &["merchant", "seller", "cron", "seed"];

/// Words of what is written to those who work for the app, or reaches them: `renderAdminNote`, `adminPhone`.
const TO_STAFF: &[&str] = &[
    "email",
    "emails",
    "mail",
    "mails",
    "phone",
    "phones",
    "number",
    "sms",
    "address",
    "url",
    "link",
    "chat",
    "channel",
    "message",
    "note",
    "notice",
    "notification",
    "alert",
    "content",
    "html",
    "text",
    "body",
    "subject",
    "template",
    "summary",
    "name",
];

/// First words of functions that make or tell something, and ask nobody.
const MAKES: &[&str] = &[
    "create", "make", "notify", "send", "generate", "render", "build", "format", "compose", "log", "alert", "email",
    "queue", "enqueue",
];

/// Whether a word means those who work for the app.
pub fn works_for_the_app(word: &str) -> bool {
    STAFF.contains(&word)
}

/// Whether a word means others than the app's customers: those who work for it or sell by it, its clock.
pub fn is_staff_word(word: &str) -> bool {
    STAFF.contains(&word) || NO_CUSTOMERS.contains(&word)
}

impl Program {
    /// Whether anyone outside may start it by a request: no job, no hook, no script, no webhook of a vendor.
    pub fn is_public(&self, entry: usize) -> bool {
        let kinds = [EntryKind::Route, EntryKind::EdgeFunction, EntryKind::ServerAction, EntryKind::Procedure];
        let shape = &self.entries[entry];
        kinds.contains(&shape.kind)
            && self.runs_on_server(shape.function.file)
            && !self.webhook_handlers().iter().any(|handler| handler.entry == entry && !handler.serves_others)
            && !says_webhook(&words(&self.entry_name(shape)))
    }

    /// Whether a server action may be called from outside: only what pages or client modules import gets an id that a
    /// browser can learn.
    pub fn is_offered(&self, entry: &Entry) -> bool {
        let function = entry.function;
        let facts = self.facts(function.file);
        let shape = facts.function(function.function);
        if entry.kind != EntryKind::ServerAction || shape.parent.is_some_and(|parent| parent != FunctionId::MODULE) {
            return true;
        }
        let shows = |file: FileId| {
            let facts = self.facts(file);
            self.side(file).client || facts.elements().next().is_some()
        };
        let named = |name: &Name| *name == "*" || *name == "default" || shape.name.is_some_and(|own| own == *name);
        shows(function.file)
            || self.modules.importers(function.file).iter().any(|&(file, import)| {
                let Some(facts) = &self.file(file).facts else { return true };
                let imports = facts.imports[import.index()].names.iter().any(named);
                let hands_on = facts
                    .exports
                    .iter()
                    .any(|export| matches!(export.value, ExportValue::From(from, _) if from == import));
                hands_on || imports && shows(file)
            })
    }

    /// Whether whoever calls has to bring a secret of the app's servers: `token !== process.env.API_TOKEN`.
    pub fn brings_own_secret(&self, entry: usize) -> bool {
        self.own_account(entry).checks.iter().any(|check| {
            let facts = self.facts(check.file);
            facts.operations().any(|(at, (op, parts))| {
                facts.span(at) == check.span
                    && matches!(op, Op::Equal | Op::Unequal)
                    && parts.iter().any(|&part| !self.value(ExprRef::new(check.file, part)).envs().is_empty())
            })
        })
    }

    /// Whether all that is known to ask an entry point is code of the app on servers.
    pub fn serves_own_servers(&self, entry: &Entry) -> bool {
        let mut asked = false;
        for edge in self.incoming(entry.function).iter().filter(|edge| edge.kind == EdgeKind::Jump) {
            let side = self.side(edge.call.file);
            if side.client || !side.server || side.tooling {
                return false;
            }
            asked = true;
        }
        asked
    }

    /// Whether a way is for those who work for the app: by its names, by what stands in front, by a role that is
    /// asked for on it.
    pub fn is_for_staff(&self, origin: &Start, last: CallRef) -> bool {
        let entry = &self.entries[origin.entry];
        let functions = functions_on(self, entry, origin, last);
        let named = entry.route.iter().chain(&entry.name).any(|name| says_staff(name))
            || functions.iter().any(|&function| {
                says_staff(&self.function_name(function)) || says_staff(&self.file(function.file).path)
            });
        named || self.is_kept_for_staff(origin, last)
    }

    /// The same by what is asked on the way alone: a name keeps nobody out.
    pub fn is_kept_for_staff(&self, origin: &Start, last: CallRef) -> bool {
        let entry = &self.entries[origin.entry];
        let functions = functions_on(self, entry, origin, last);
        entry.middleware.iter().any(|gate| match gate {
            Gate::Function(function) => {
                // `Depends(require_permission("payments.create"))`: what it made is the gate.
                let made_by = self.facts(function.file).function(function.function).parent;
                let makers = made_by.map(|parent| FunctionRef::new(function.file, parent));
                let mut names = std::iter::once(*function).chain(makers).map(|function| self.function_name(function));
                names.any(|name| says_staff(&name) || asks_by_name(&name))
            }
            Gate::Library(expr) => gate_says_staff(self.facts(expr.file), expr.expr, 4),
            Gate::Unknown => false,
        }) || functions.iter().any(|&function| asks_role(self, function))
    }
}

/// The functions on the way from an entry point to a call.
pub fn functions_on(program: &Program, entry: &Entry, origin: &Start, last: CallRef) -> Vec<FunctionRef> {
    let mut functions = vec![entry.function];
    functions.extend(origin.way.iter().map(|edge| edge.target));
    functions.push(program.function_of(last));
    functions.dedup();
    functions
}

fn says_staff(name: &str) -> bool {
    words(name).iter().any(|word| is_staff_word(word))
}

fn gate_says_staff(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Ref(name, _) => says_staff(name) || words(name).iter().any(|word| RIGHTS.contains(&word.as_str())),
        ExprKind::Member(base, name) => says_staff(name) || gate_says_staff(facts, *base, depth),
        ExprKind::Text(text) => says_staff(text),
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            gate_says_staff(facts, call.callee, depth)
                || call.args.iter().any(|arg| gate_says_staff(facts, arg.value, depth))
        }
        ExprKind::List(items) => items.iter().any(|&item| gate_says_staff(facts, item, depth)),
        _ => false,
    }
}

/// Whether a function decides by a role: `if (user.role !== "admin")`, `if (!isAdmin)`, `requireAdmin(req)`.
fn asks_role(program: &Program, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    // What whoever brings something goes past asks nobody.
    let is_asked = |at: ExprId| !program.is_left_out(Place { file: function.file, span: facts.span(at) });
    let called = program.calls_in(function).filter(|at| is_asked(facts.call(at.call).expr)).any(|at| {
        // `admin().from("orders")` opens a database.
        matches!(facts.expr(facts.call(at.call).callee), ExprKind::Ref(name, _) | ExprKind::Member(_, name)
            if asks_by_name(name) && !(words(name).len() == 1 && program.chain(at).next().is_some()))
    });
    let blocks = facts.blocks.iter().filter(|block| block.function == function.function);
    called
        || blocks.flat_map(|block| &block.steps).any(|step| match step {
            Step::If { condition, .. } => {
                is_asked(*condition) && decides_by_role(program, ExprRef::new(function.file, *condition))
            }
            _ => false,
        })
}

/// Whether a function's name says that it asks who may: `requireAdmin`, no `createAdminClient`, which opens a database,
/// and no `renderAdminNote`.
fn asks_by_name(name: &str) -> bool {
    let words = words(name);
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    let makes = has(&["client", "supabase", "firebase", "firestore", "db", "database", "sdk", "service"])
        || has(TO_STAFF)
        || words.first().is_some_and(|first| MAKES.contains(&first.as_str()));
    has(RIGHTS) || has(&["admin", "staff"]) && !makes
}

/// Whether a condition asks for the role of whoever calls.
pub fn decides_by_role(program: &Program, condition: ExprRef) -> bool {
    says_role(program, condition, 5, false) && !is_given_role(program, condition) || is_staff_kind(program, condition)
}

/// Whether a condition holds something of who is signed in against a word for those who build or run the app:
/// `current_user.user_type != "developer"`.
fn is_staff_kind(program: &Program, condition: ExprRef) -> bool {
    const KINDS: &[&str] =
        &["developer", "dev", "internal", "support", "system", "superuser", "root", "admin", "staff"];
    let facts = program.facts(condition.file);
    let ExprKind::Op(Op::Equal | Op::Unequal, parts) = facts.expr(condition.expr) else { return false };
    let of_staff = |part: &ExprId| matches!(facts.expr(*part), ExprKind::Text(text) if KINDS.contains(&text.as_str()));
    let of_caller = |part: &ExprId| match *facts.expr(*part) {
        ExprKind::Member(base, _) => program.is_signed_in(ExprRef::new(condition.file, base)),
        _ => false,
    };
    parts.iter().any(of_staff) && parts.iter().any(of_caller)
}

/// `if (!role)`, where `role` comes with the request, or was looked up for a user that the request names: which one is
/// wanted, whoever asks.
fn is_given_role(program: &Program, condition: ExprRef) -> bool {
    let facts = program.facts(condition.file);
    let at = |expr: ExprId| ExprRef::new(condition.file, expr);
    let given = |value: ExprId| is_of_request(program, at(value)) || is_of_named(program, at(value), 9);
    match facts.expr(condition.expr) {
        // `!["admin", "member"].includes(role)`: which of them is wanted.
        ExprKind::Op(Op::Not, parts) if parts.iter().any(|&part| is_wanted_role(program, at(part))) => true,
        ExprKind::Op(Op::Not | Op::Or, parts) => parts.iter().all(|&part| is_given_role(program, at(part))),
        // `found && found.length > 0`
        ExprKind::Op(Op::And, parts) => {
            let mut says = parts.iter().filter(|&&part| says_role(program, at(part), 4, false));
            says.all(|&part| is_given_role(program, at(part)))
        }
        ExprKind::Ref(name, block) => {
            let def = facts.lookup(*block, *name).map(|def| facts.def(def));
            def.is_some_and(|def| !def.values.is_empty() && def.values.iter().all(|&value| given(value)))
        }
        ExprKind::Member(..) => given(condition.expr),
        // `profile.role !== "admin"`
        ExprKind::Op(Op::Equal | Op::Unequal, parts) => {
            let is_constant =
                |&part: &ExprId| matches!(facts.expr(part), ExprKind::Text(_) | ExprKind::Null | ExprKind::Bool(_));
            let asked: Vec<ExprId> = parts.iter().copied().filter(|part| !is_constant(part)).collect();
            !asked.is_empty() && asked.into_iter().all(|part| is_of_named(program, at(part), 9))
        }
        _ => false,
    }
}

/// Whether a value is looked for in a list of roles with the highest one in it, and comes with the request.
fn is_wanted_role(program: &Program, at: ExprRef) -> bool {
    let facts = program.facts(at.file);
    let asked = match facts.expr(at.expr) {
        ExprKind::Call(call) => facts.call(*call).args.first().map(|arg| arg.value),
        ExprKind::Op(Op::In, parts) => parts.first().copied(),
        _ => None,
    };
    let lists = role_in_list(program, at).is_some_and(|(_, texts)| texts.iter().any(|text| is_power(text)));
    // A header may be what middleware found out.
    let wanted = |asked: ExprId| {
        let asked = ExprRef::new(at.file, asked);
        program.header_of(asked).is_none() && is_of_request(program, asked)
    };
    lists && asked.is_some_and(wanted)
}

/// Whether a value was looked up for a user that the request names: anybody may name an administrator.
fn is_of_named(program: &Program, of: ExprRef, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(of.file);
    let at = |expr: ExprId| ExprRef::new(of.file, expr);
    let says_user = |name: Name| {
        let words = words(&name);
        let who =
            |word: &String| matches!(word.as_str(), "user" | "admin" | "profile" | "member" | "requester" | "caller");
        words.iter().any(|word| word == "uid") || words.iter().any(who) && words.iter().any(|word| word == "id")
    };
    let names_user = |value: ExprId| match facts.expr(value) {
        // `rpc("has_role", { _user_id: body.userId })`
        ExprKind::Object(entries) => {
            entries.iter().any(|&(key, value)| says_user(key) && is_of_request(program, at(value)))
        }
        _ => facts.last_name(value).is_some_and(says_user) && is_of_request(program, at(value)),
    };
    match facts.expr(of.expr) {
        ExprKind::Await(base) | ExprKind::Member(base, _) | ExprKind::Index(base, _) => {
            is_of_named(program, at(*base), depth)
        }
        ExprKind::Ref(name, block) => {
            let def = facts.lookup(*block, *name).map(|def| facts.def(def));
            def.is_some_and(|def| {
                !def.values.is_empty() && def.values.iter().all(|&value| is_of_named(program, at(value), depth))
            })
        }
        ExprKind::Op(Op::Equal | Op::Nullish | Op::Or, parts) => {
            parts.first().is_some_and(|&part| is_of_named(program, at(part), depth))
        }
        ExprKind::Call(call) => {
            let made = CallRef::new(of.file, *call);
            let call = facts.call(*call);
            // `eq("user_id", body.id)`
            let by_user = || match &*call.args {
                [column, value] => {
                    matches!(facts.expr(column.value), ExprKind::Text(name) if says_user(Name::new(name)))
                        && (is_of_request(program, at(value.value)) || is_of_named(program, at(value.value), depth))
                }
                _ => false,
            };
            call.args.iter().any(|arg| names_user(arg.value))
                || by_user()
                || program.found_in_list(&[], made).is_some()
                || is_of_named(program, at(call.callee), depth)
        }
        _ => false,
    }
}

/// Whether a value comes with the request: `(await req.json()).role`, `req.body.role`, `data.get("role")`.
fn is_of_request(program: &Program, at: ExprRef) -> bool {
    matches!(program.origin_on(&[], at, &[]), Origin::Request(_))
}

/// Whether a value names a side of a chat, or lists them.
fn speaks(facts: &Facts, expr: ExprId) -> bool {
    match facts.expr(expr) {
        ExprKind::Text(text) => {
            matches!(text.as_str(), "user" | "assistant" | "system" | "tool" | "model" | "bot" | "human" | "ai")
        }
        ExprKind::List(items) => !items.is_empty() && items.iter().all(|&item| speaks(facts, item)),
        _ => false,
    }
}

/// Whether a condition speaks of a role; `compared` within what is held against something else.
fn says_role(program: &Program, condition: ExprRef, depth: usize, compared: bool) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let facts = program.facts(condition.file);
    let says = |part: ExprId, compared: bool| says_role(program, ExprRef::new(condition.file, part), depth, compared);
    match facts.expr(condition.expr) {
        // `if (!SERVICE_ROLE_KEY)`, `if (!ADMIN_EMAIL)`: whether a setting is there.
        ExprKind::Ref(..) | ExprKind::Member(..) if !compared && is_setting(facts, condition.expr, 4) => false,
        // `if (!supabaseAdmin) return 500`: whether a client could be made.
        ExprKind::Ref(..) if !compared && is_client(program, condition) => false,
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
            let words = words(name);
            let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
            // `if (adminPhone)`: whether somebody is to be told.
            let role = has(&["role", "roles"]) || has(&["admin", "staff", "superuser"]) && (compared || !has(TO_STAFF));
            role && !is_failure(program, condition)
        }
        // `message.role === "user"`: who speaks in a chat.
        ExprKind::Op(Op::Equal | Op::Unequal | Op::In, parts) if parts.iter().any(|&part| speaks(facts, part)) => false,
        ExprKind::Op(op @ (Op::Not | Op::And | Op::Or | Op::Equal | Op::Unequal | Op::In | Op::Nullish), parts) => {
            let compared = compared || matches!(op, Op::Equal | Op::Unequal | Op::In);
            parts.iter().any(|&part| says(part, compared))
        }
        ExprKind::Call(call) => {
            let call = facts.call(*call);
            says(call.callee, true) || call.args.iter().any(|arg| says(arg.value, true))
        }
        ExprKind::Await(inner) => says(*inner, compared),
        _ => false,
    }
}

/// Whether a value is the failure of a write, whatever it is called: `const { error: roleError } = await insert(..)`. That
/// of a look-up may say that nobody with the role was found.
fn is_failure(program: &Program, at: ExprRef) -> bool {
    let facts = program.facts(at.file);
    let ExprKind::Ref(name, block) = facts.expr(at.expr) else { return false };
    let Some(def) = facts.lookup(*block, *name) else { return false };
    let of_write = |value: ExprId| {
        let ExprKind::Member(base, part) = *facts.expr(value) else { return false };
        let span = facts.span(base);
        let calls = program.calls_of(at.file).filter(|call| span.contains(facts.span(facts.call(call.call).expr)));
        // A function of the database may ask who is calling, and fail.
        let runs = |operation: &Operation| {
            operation.effect == Effect::Invoke || operation.http.iter().any(|form| form.contains("/rpc/"))
        };
        let writes = |used: &VendorUse| {
            let operation = program.operation(used);
            operation.is_some_and(|operation| operation.effect.changes_something() && !runs(operation))
        };
        part == "error" && calls.flat_map(|call| program.vendors_at(call)).any(writes)
    };
    let values = &facts.def(def).values;
    !values.is_empty() && values.iter().all(|&value| of_write(value))
}

/// Whether a value is a vendor's client, where one could be made.
fn is_client(program: &Program, at: ExprRef) -> bool {
    let value = program.value(at);
    let made = |value: &Value| match value {
        Value::External(external) => {
            matches!(external.segs.last(), Some(Seg::Call | Seg::New))
                && external.sites.last().is_some_and(|site| program.clients().iter().any(|client| client.at == *site))
        }
        _ => false,
    };
    let all = value.alternatives();
    all.iter().any(made) && all.iter().all(|value| made(value) || *value == Value::Null)
}

/// Whether a value is what an environment variable holds.
fn is_setting(facts: &Facts, expr: ExprId, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    match facts.expr(expr) {
        ExprKind::Env(_) => true,
        ExprKind::Op(Op::Or | Op::Nullish, parts) => parts.first().is_some_and(|&part| is_setting(facts, part, depth)),
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
            Some([only]) => is_setting(facts, *only, depth),
            _ => false,
        },
        _ => false,
    }
}

/// Whether names say that a vendor calls; `/api/test-webhook` stands in for it, and anybody may.
fn says_webhook(names: &[String]) -> bool {
    let is = |wanted: &[&str]| names.iter().any(|word| wanted.contains(&word.as_str()));
    is(&["webhook", "webhooks", "ipn"]) && !is(&["test", "debug", "simulate", "simulated", "manual"])
}
