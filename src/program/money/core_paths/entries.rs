//! Which entry points lead to a function, and whether they belong to a customer's own path: no webhooks, no jobs,
//! no administrators who make accounts for others.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Core, KnownRole};
use crate::facts::{BlockKind, ExprKind, FunctionId};
use crate::finding::Place;
use crate::program::money::core_paths::CoreCall;
use crate::program::values::requested::touched::Touch;
use crate::program::{CallRef, Edge, EdgeKind, Entry, EntryKind, FunctionRef, Gate, Program};

/// Where a path starts.
#[derive(Debug, Clone)]
pub struct Start {
    /// The entry: index into the program's; none when nothing is known to start the function.
    pub entry: Option<usize>,
    /// Where it is.
    pub place: Place,
    /// What it is, for the trace.
    pub text: String,
    /// The way to the function.
    pub way: Vec<Edge>,
    /// What the entry itself is called: route, name and function.
    pub label: String,
    /// Names of all functions and files on the way.
    pub names: String,
}

/// Who calls whom, backwards, without registrations: handing a handler to a router does not run it.
pub struct Callers {
    edges: FxHashMap<FunctionRef, Vec<Edge>>,
    entries: FxHashMap<FunctionRef, Vec<usize>>,
}

impl Callers {
    /// Reads the graph.
    pub fn new(program: &Program) -> Self {
        let mut entries: FxHashMap<FunctionRef, Vec<usize>> = FxHashMap::default();
        for (at, entry) in program.entries.iter().enumerate() {
            entries.entry(entry.function).or_default().push(at);
        }
        let mut edges: FxHashMap<FunctionRef, Vec<Edge>> = FxHashMap::default();
        for &edge in &program.graph.edges {
            let registers = edge.kind == EdgeKind::Callback && entries.contains_key(&edge.target);
            if edge.kind != EdgeKind::Deferred && !registers {
                edges.entry(edge.target).or_default().push(edge);
            }
        }
        Self { edges, entries }
    }

    /// The calls that make a function run.
    pub fn of(&self, function: FunctionRef) -> &[Edge] {
        self.edges.get(&function).map_or(&[], Vec::as_slice)
    }

    /// Whether an edge only registers what it leads to.
    pub fn registers(&self, edge: Edge) -> bool {
        edge.kind == EdgeKind::Callback && self.entries.contains_key(&edge.target)
    }

    /// The starts of a function, nearest first. Empty when only others than customers start it.
    pub fn starts(&self, program: &Program, function: FunctionRef) -> Vec<Start> {
        const MOST_FUNCTIONS: usize = 400;
        const MOST_STARTS: usize = 6;
        let mut towards: FxHashMap<FunctionRef, Edge> = FxHashMap::default();
        let mut seen = FxHashSet::from_iter([function]);
        let mut open = VecDeque::from([function]);
        let (mut starts, mut roots, mut others) = (vec![], vec![], false);
        while let Some(at) = open.pop_front() {
            if seen.len() > MOST_FUNCTIONS || starts.len() >= MOST_STARTS {
                break;
            }
            let way = way(&towards, at);
            if let Some(entries) = self.entries.get(&at) {
                for &entry in entries {
                    match is_customers(&program.entries[entry]) {
                        true => starts.push(start_of(program, entry, way.clone())),
                        false => others = true,
                    }
                }
                // What else calls an entry's function starts it too, over HTTP above all.
            }
            let callers = self.of(at);
            if callers.is_empty() && !self.entries.contains_key(&at) {
                roots.push((at, way));
            }
            for &edge in callers {
                let caller = program.function_of(edge.call);
                if seen.insert(caller) {
                    towards.insert(caller, edge);
                    open.push_back(caller);
                }
            }
        }
        if starts.is_empty() && !others {
            let live = |function: FunctionRef| function.function != FunctionId::MODULE && is_live(program, function);
            starts.extend(
                roots.into_iter().filter(|(root, _)| live(*root)).map(|(root, way)| unstarted(program, root, way)),
            );
        }
        starts
    }
}

fn way(towards: &FxHashMap<FunctionRef, Edge>, from: FunctionRef) -> Vec<Edge> {
    let mut way = Vec::new();
    let mut at = from;
    while let Some(&edge) = towards.get(&at) {
        way.push(edge);
        at = edge.target;
    }
    way
}

/// Whether code of a file runs for customers.
pub fn is_live(program: &Program, function: FunctionRef) -> bool {
    let side = program.side(function.file);
    !side.dead && !side.tooling
}

fn start_of(program: &Program, at: usize, way: Vec<Edge>) -> Start {
    let entry = &program.entries[at];
    let name = entry.name.map_or_else(|| program.function_name(entry.function), |name| name.to_string());
    let route = entry.route.map_or(name.clone(), |route| route.to_string());
    let methods: Vec<&str> = entry.methods.iter().map(|method| method.as_str()).collect();
    let text = match entry.kind {
        EntryKind::Route => format!("{} {route}", methods.join("/")).trim().to_owned(),
        EntryKind::EdgeFunction => format!("the edge function {name}"),
        EntryKind::ServerAction => format!("the server action {name}"),
        EntryKind::Procedure => format!("the procedure {name}"),
        EntryKind::Hook => format!("the auth hook {name}"),
        EntryKind::Event => format!("the form or button: {name}"),
        EntryKind::Effect => "runs when the page is shown".to_owned(),
        _ => format!("the page {route}"),
    };
    let label = format!("{route} {name} {}", program.function_name(entry.function));
    let names = format!("{route} {name} {}", names_on(program, entry.function, &way));
    Start { entry: Some(at), place: entry.place, text, way, label, names }
}

fn unstarted(program: &Program, root: FunctionRef, way: Vec<Edge>) -> Start {
    let name = program.function_name(root);
    let names = names_on(program, root, &way);
    Start { entry: None, place: program.function_place(root), label: name.clone(), text: name, way, names }
}

/// The names and files of the functions on a way.
fn names_on(program: &Program, first: FunctionRef, way: &[Edge]) -> String {
    let mut names = String::new();
    for function in std::iter::once(first).chain(way.iter().map(|edge| edge.target)) {
        let path = program.file(function.file).path;
        names.push_str(&format!("{} {path} ", program.function_name(function)));
    }
    names
}

/// Whether customers start it: forms, routes, actions, hooks of auth libraries.
fn is_customers(entry: &Entry) -> bool {
    use EntryKind::{EdgeFunction, Effect, Event, Hook, Page, Procedure, Route, ServerAction};
    matches!(entry.kind, Event | Effect | Route | EdgeFunction | ServerAction | Procedure | Hook | Page)
}

/// Words of a text: letters only, in small letters, camel case taken apart.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut last_small = false;
    for c in text.chars() {
        let ends = !c.is_alphabetic() || (c.is_uppercase() && last_small);
        if ends && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphabetic() {
            word.extend(c.to_lowercase());
        }
        last_small = c.is_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Words of what machines start.
const MACHINES: &[&str] = &[
    "webhook",
    "webhooks",
    "ipn",
    "cron",
    "seed",
    "seeds",
    "demo",
    "test",
    "tests",
    "simulate",
    "sync",
    "auto",
    "automation",
    "automations",
    "scheduler",
    "scheduled",
    "batch",
    "backfill",
    "followup",
    "inbound",
    "daily",
    "weekly",
    "nightly",
];

/// Words of what staff does for others.
const STAFF: &[&str] =
    &["admin", "admins", "staff", "employee", "employees", "team", "import", "bulk", "provision", "impersonate"];

/// Words of what a merchant does, or what comes after a payment.
const MERCHANT: &[&str] = &[
    "admin", "invoice", "invoices", "quote", "quotes", "reminder", "dunning", "refund", "refunds", "cancel", "payout",
    "payouts", "manual", "walkup", "pos", "terminal", "send", "resend", "coach",
];

/// Whether names say that a machine or a member of staff starts the path, not the customer.
pub fn is_for_others(start: &Start, core: Core, for_anyone: bool) -> bool {
    let (label, names) = (words(&start.label), words(&start.names));
    let holds = |among: &[String], wanted: &[&str]| among.iter().any(|word| wanted.contains(&word.as_str()));
    if holds(&names, MACHINES) {
        return true;
    }
    match core {
        Core::Signup if holds(&names, &["superadmin", "backoffice"]) => true,
        Core::Signup if for_anyone => {
            let invites = holds(&names, &["invite", "invitation", "invites", "invitations"])
                && !holds(&names, &["accept", "accepted", "join"]);
            // `POST /api/users` of a table of users, with nothing that says sign-up.
            let table =
                holds(&label, &["users", "members", "clients", "customers", "profiles"]) && !says(core, &start.label);
            // `AddUserModal`: who is signed in makes it for somebody else.
            let adds = label.windows(2).chain(names.windows(2)).any(|pair| {
                pair[0] == "add" && matches!(pair[1].as_str(), "user" | "member" | "client" | "customer" | "patient")
            });
            holds(&names, STAFF) || invites || table || adds
        }
        Core::Reset | Core::Verification if holds(&names, STAFF) => true,
        // `POST /api/users/[id]/force-reset`: somebody else's.
        Core::Reset
            if holds(&label, &["force", "forced"]) || label.windows(2).any(|pair| is_one_of(&pair[0], &pair[1])) =>
        {
            true
        }
        // Who changes a password is signed in.
        Core::Login | Core::Reset => {
            label.windows(2).any(|pair| matches!(pair[0].as_str(), "change" | "update") && pair[1] == "password")
        }
        Core::Checkout => holds(&label, MERCHANT) || holds(&names, &["admin", "custom", "manual", "walkup"]),
        _ => false,
    }
}

/// Whether two words of a route name one row of a table of people: `/users/[id]`.
fn is_one_of(table: &str, id: &str) -> bool {
    matches!(table, "user" | "users" | "members" | "clients" | "customers") && id == "id"
}

/// Whether names of functions say that the customer stands at a counter: whoever sells waits, not who buys.
pub fn says_counter(names: &str) -> bool {
    let words = words(names);
    let pair = |one: &str, two: &str| words.windows(2).any(|pair| pair[0] == one && pair[1] == two);
    words.iter().any(|word| word == "walkup") || pair("walk", "up") || pair("walk", "in")
}

/// Whether names say what the path is for, in the languages that routes and functions are named in.
pub fn says(core: Core, names: &str) -> bool {
    let text = format!(" {} ", words(names).join(" "));
    let hints: &[&str] = match core {
        Core::Signup => &[
            " signup",
            " sign up",
            " regist",
            " onboard",
            " join",
            " create account",
            " auth",
            " welcome",
            " claim",
            " account",
            " inscri",
            " cadastr",
            " konto",
            " cuenta",
            " compte",
            " verify",
        ],
        Core::Login => &[
            " login",
            " log in ",
            " signin",
            " sign in ",
            " auth",
            " session",
            " otp",
            " signup",
            " sign up",
            " verify email",
            " verify mail",
            " email verif",
            " confirm email",
            " anmeld",
            " connexion",
            " entrar",
            " password",
            " passwort",
        ],
        // A row of a user changes for many ends: only names say that it is for this one.
        Core::Verification => &[" verify", " verif", " confirm", " activate", " bestaetig", " bestätig"],
        Core::Reset => &[
            " reset",
            " forgot",
            " recover",
            " lost password",
            " zuruecksetz",
            " zurücksetz",
            " vergessen",
            " esqueci",
            " redefin",
            " olvid",
            " restablec",
            " oubli",
        ],
        Core::Checkout => &[
            " checkout",
            " order",
            " payment",
            " pay ",
            " subscribe",
            " subscription",
            " purchase",
            " cart ",
            " billing",
            " upgrade",
            " buy",
            " zahlung",
            " bezahl",
            " kasse",
            " bestell",
            " pago",
            " paiement",
            " compra",
            " commande",
            " pagamento",
            " pedido",
        ],
    };
    // To verify a payment is no part of making an account, though the guest who paid gets a row.
    let of_payment = core == Core::Signup && says(Core::Checkout, names);
    hints.iter().any(|hint| text.contains(hint) && !(of_payment && *hint == " verify"))
}

/// What an entry's name alone says it is for: an auth library's hook, or a route, function or action of that name
/// that handles a password or a price.
pub fn named(program: &Program, at: usize) -> Option<Core> {
    let entry = &program.entries[at];
    if let Some(core) = program.core_path_said(entry) {
        return Some(core);
    }
    let name = entry.name.map_or("", |name| name.as_str());
    if entry.kind == EntryKind::Hook {
        let text = words(name).join(" ");
        let made = ["create user", "user create", "sign up", "signup", "link account", "register"];
        return Some(if made.iter().any(|made| text.contains(made)) { Core::Signup } else { Core::Login });
    }
    use EntryKind::{EdgeFunction, Procedure, Route, ServerAction};
    let reads = !entry.methods.is_empty() && entry.methods.iter().all(|method| *method == "GET" || *method == "HEAD");
    if reads || !matches!(entry.kind, EdgeFunction | Procedure | Route | ServerAction) {
        return None;
    }
    let segment = entry.route.map(|route| route.as_str().rsplit('/').find(|part| !part.is_empty()).unwrap_or_default());
    let said = words(segment.unwrap_or(name)).concat();
    let mentions = |wanted: &[&str]| mentions(program, entry.function, wanted);
    match said.as_str() {
        "signup" | "register" | "registeruser" | "createaccount" if mentions(&["password"]) => Some(Core::Signup),
        "login" | "signin" | "loginuser" if mentions(&["password"]) => Some(Core::Login),
        // Nothing else is called so.
        "placeorder" | "submitorder" => Some(Core::Checkout),
        "checkout" | "createpayment" | "createpaymentintent" | "createcheckoutsession" | "createcheckout"
            if mentions(&["price", "amount", "total", "cart", "items"]) =>
        {
            Some(Core::Checkout)
        }
        _ => None,
    }
}

/// Whether a function's own code reads or writes something of one of these names.
fn mentions(program: &Program, function: FunctionRef, wanted: &[&str]) -> bool {
    let facts = program.facts(function.file);
    let span = facts.function(function.function).span;
    let is = |name: &str| words(name).iter().any(|word| wanted.contains(&word.as_str()));
    facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
        ExprKind::Member(_, name) | ExprKind::Ref(name, _) => is(name),
        _ => false,
    })
}

/// Whether the caller was looked up before: who is logged in makes an account for somebody else.
pub fn is_authenticated(program: &Program, start: &Start, before: CallRef) -> bool {
    let looks_up = |call: CallRef| {
        program.has_role(call, KnownRole::Authenticate)
            || program.vendors_at(call).iter().any(|used| {
                program.operation(used).is_some_and(|operation| operation.effect == crate::catalogue::Effect::Verify)
            })
    };
    let in_function =
        |function: FunctionRef| program.calls_in(function).take_while(|call| *call != before).any(looks_up);
    if in_function(program.function_of(before))
        || start.way.iter().any(|edge| in_function(program.function_of(edge.call)))
    {
        return true;
    }
    let is_guarded = |entry: usize| {
        program.entries[entry].middleware.iter().any(|gate| match gate {
            // What covers every route lets the public ones through, whatever it looks up; one password for the whole
            // site says nothing of who it is.
            Gate::Function(function) => {
                let named = words(&program.function_name(*function));
                let says = |wanted: &[&str]| named.iter().any(|word| wanted.contains(&word.as_str()));
                says(GUARDS) && !says(&["password", "passcode"])
            }
            Gate::Library(library) => program.role_of_made(*library) == Some(KnownRole::Authenticate),
            Gate::Unknown => false,
        })
    };
    // A button leads over HTTP to the route that asks.
    let served = start.way.iter().filter(|edge| edge.kind == EdgeKind::Jump);
    start.entry.is_some_and(is_guarded)
        || served.flat_map(|edge| program.entries_of(edge.target)).any(|&entry| is_guarded(entry))
}

/// Whether a path only works off what is due, and nobody waits for it: the payments stand in a loop, and nothing but the
/// head of the request is read.
pub fn sweeps(program: &Program, start: &Start, reached: &[CoreCall]) -> bool {
    let Some(entry) = start.entry.map(|entry| &program.entries[entry]) else { return false };
    let served = matches!(entry.kind, EntryKind::Route | EntryKind::EdgeFunction);
    let facts = program.facts(entry.function.file);
    let takes = facts.function(entry.function.function).params.len();
    let head = |touch: Touch| matches!(touch, Touch::Part(name) if matches!(name.as_str(), "method" | "headers"));
    let in_loop = |call: &CoreCall| {
        let facts = program.facts(call.at.file);
        facts
            .enclosing(facts.call(call.at.call).block)
            .take_while(|(_, block)| block.function == facts.function_of(facts.call(call.at.call).block))
            .any(|(_, block)| matches!(block.kind, BlockKind::Loop(_)))
    };
    served
        && facts.language.is_script()
        && takes == 1
        && program.touches(entry.function, 0).all(head)
        && !reached.is_empty()
        && reached.iter().all(in_loop)
}

/// Words of functions that let only known users through.
const GUARDS: &[&str] =
    &["auth", "authenticate", "authenticated", "admin", "require", "required", "protect", "protected", "jwt"];
