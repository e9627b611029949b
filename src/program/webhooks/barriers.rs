//! What stands before a webhook and asks for something that its vendor does not bring: a token of the platform,
//! a session, a field of the app's forms.

use crate::catalogue::KnownRole;
use crate::facts::ExprKind;
use crate::finding::{FileId, Place};
use crate::link::entries::django_views::external_of;
use crate::manifest::TokenGate;
use crate::program::callers::passage::Passage;
use crate::program::webhooks::handlers::WebhookHandler;
use crate::program::{EdgeKind, Entry, ExprRef, FunctionRef, Gate, Program};

mod forms;

/// What a delivery does not pass.
pub enum Barrier {
    /// The platform asks for a token: the configuration that says so or says nothing, and whether there is one.
    Token {
        /// The configuration that opens it.
        config: String,
        /// What it says now.
        says: TokenGate,
    },
    /// Middleware asks who is logged in.
    Session(Place),
    /// Middleware that covers routes by their path does.
    Middleware(Place),
    /// A check against forged forms covers every route.
    Forms(Place),
}

impl Program {
    /// What stands before a webhook and asks for something that no vendor brings.
    pub fn barrier(&self, handler: &WebhookHandler) -> Option<Barrier> {
        barrier(self, handler, &self.entries[handler.entry])
    }

    /// Whether an entry asks for the header that carries tokens: its sender is set up to bring one.
    pub fn reads_authorization(&self, entry: &Entry) -> bool {
        reads_authorization(self, entry)
    }
}

fn barrier(program: &Program, handler: &WebhookHandler, entry: &Entry) -> Option<Barrier> {
    let path = program.file(entry.place.file).path;
    match program.manifests.token_gate(&path) {
        Some((TokenGate::Open, _)) => return None,
        Some(_) if program.manifests.is_said_open(&path) => return None,
        Some((says, config)) => return Some(Barrier::Token { config, says }),
        None => {}
    }
    // Signed deliveries only: a name alone may be a route of the app's own.
    if handler.by_name {
        return None;
    }
    // What covers a whole app decides by path.
    let covers_all = |file: FileId| {
        let name = program.file(file).path.rsplit('/').next().unwrap_or_default();
        let stem = name.split('.').next().unwrap_or(name);
        entry.framework.starts_with("next") && matches!(stem, "middleware" | "proxy") && file != entry.place.file
    };
    let session = entry.middleware.iter().find_map(|gate| match *gate {
        Gate::Library(ExprRef { file, .. }) | Gate::Function(FunctionRef { file, .. }) if covers_all(file) => None,
        Gate::Library(expr) => is_authentication(program, expr).then(|| program.place(expr)),
        Gate::Function(function) if asks_for_user(program, function) => Some(program.function_head(function)),
        Gate::Function(function) => program.turns_deliveries_away(entry, function),
        Gate::Unknown => None,
    });
    let by_path = || turned_away(program, entry, covers_all).map(Barrier::Middleware);
    let forms = || forms::check(program, entry).map(Barrier::Forms);
    session.map(Barrier::Session).or_else(by_path).or_else(forms)
}

/// Where middleware that covers the route by its path turns away whoever has no session.
fn turned_away(program: &Program, entry: &Entry, covers: impl Fn(FileId) -> bool) -> Option<Place> {
    let route = entry.route?;
    let method = entry.methods.first().map_or("POST", |method| method.as_str());
    let mut files: Vec<FileId> = Vec::new();
    for gate in &entry.middleware {
        match *gate {
            Gate::Library(ExprRef { file, .. }) | Gate::Function(FunctionRef { file, .. }) => files.push(file),
            // It may not run for this route at all.
            Gate::Unknown => return None,
        }
    }
    files.retain(|&file| covers(file));
    files.dedup();
    files.into_iter().find_map(|file| match program.passage(file, &route, method) {
        Passage::TurnedAway(place) => Some(place),
        Passage::Passes | Passage::Unknown => None,
    })
}

fn is_authentication(program: &Program, gate: ExprRef) -> bool {
    // `"rest.permissions.SignedIn"`: settings name what they ask by text.
    let named = || {
        let external = program.value(gate).text().and_then(|dotted| external_of(&dotted));
        external.is_some_and(|external| {
            let known = program.catalogue.known(external.package, &external.segs);
            known.is_some_and(|known| known.role == KnownRole::Authenticate)
        })
    };
    program.role_of_made(gate) == Some(KnownRole::Authenticate) || named()
}

/// Whether middleware looks the user up and refuses without one, whatever the path.
fn asks_for_user(program: &Program, function: FunctionRef) -> bool {
    let facts = program.facts(function.file);
    let span = facts.function(function.function).span;
    let inside = || facts.exprs.iter().filter(|expr| span.contains(expr.span));
    let by_path = inside().any(|expr| match &expr.kind {
        ExprKind::Text(text) => text.starts_with('/'),
        ExprKind::Member(_, name) => matches!(name.as_str(), "path" | "originalUrl" | "pathname" | "baseUrl"),
        _ => false,
    });
    let refuses =
        inside().any(|expr| matches!(expr.kind, ExprKind::Number(status) if status == 401.0 || status == 403.0));
    let looks_up = program.with_inner(function).iter().flat_map(|&inner| program.calls_in(inner)).any(|at| {
        program.has_role(at, KnownRole::Authenticate)
            || matches!(facts.expr(facts.call(at.call).callee), ExprKind::Member(_, name) if *name == "isAuthenticated")
    });
    refuses && looks_up && !by_path
}

/// Whether the handler asks for the header that the gate wants.
fn reads_authorization(program: &Program, entry: &Entry) -> bool {
    let reach = program.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
    reach.stops.iter().any(|stop| {
        let facts = program.facts(stop.function.file);
        program.calls_in(stop.function).any(|at| {
            let call = facts.call(at.call);
            matches!(facts.expr(call.callee), ExprKind::Member(_, name) if matches!(name.as_str(), "get" | "header"))
                && call.args.first().is_some_and(|arg| {
                    matches!(facts.expr(arg.value), ExprKind::Text(text) if text.eq_ignore_ascii_case("authorization"))
                })
        })
    })
}
