//! Deliveries never reach the handler: what stands before it asks for something a vendor does not bring.

use crate::catalogue::{Category, KnownRole, Seg};
use crate::facts::{ExprId, ExprKind, Facts, FunctionId, ImportId, Span, Step};
use crate::finding::{Confidence, FileId, Place};
use crate::manifest::TokenGate;
use crate::program::handlers::WebhookHandler;
use crate::program::passage::Passage;
use crate::program::verify::Verdict;
use crate::program::{CallRef, EdgeKind, Entry, ExprRef, FunctionRef, Gate, Program, Target, Value};
use crate::rule;
use crate::rule::Report;
use crate::rules::webhook_verification_broken::is_broken;

rule! {
    /// A webhook behind a gate that its vendor cannot pass
    ///
    /// A vendor brings its signature and nothing else: no session, no token of the app's users, no field of its
    /// forms. Where something in front of the handler asks for those, every delivery is refused before the handler
    /// runs. Payments go through, and the app never hears of them.
    ///
    /// An edge function of Supabase asks for a user's or the project's token unless its configuration says
    /// `verify_jwt = false`: to say nothing means that it asks.
    ///
    /// ## Silent when
    ///
    /// - the configuration, or the script that deploys it, opens the function;
    /// - the handler reads the `Authorization` header: its sender is set up to bring one;
    /// - the sender is the app's own backend;
    /// - the route is exempt from the check; middleware that covers routes by their path is gone through for this one,
    ///   and where that cannot be told, nothing is said;
    /// - nothing verifies the deliveries, or the check can be got around or not be passed: other rules tell of that.
    ///
    /// ## The cure
    ///
    /// Open the gate for this one route; the signature says who is calling.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/stripe-webhook/index.ts
    /// import Stripe from "npm:stripe@17";
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const secret = Deno.env.get("STRIPE_WEBHOOK_SECRET")!;
    ///   const event = await stripe.webhooks.constructEventAsync(await req.text(), req.headers.get("stripe-signature")!, secret);
    ///   await db.from("profiles").update({ plan: "pro" }).eq("id", event.data.object.client_reference_id);
    ///   return new Response("ok");
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```toml path=supabase/config.toml
    /// [functions.stripe-webhook]
    /// verify_jwt = false
    /// ```
    id: "webhook-behind-auth", severity: Error, confidence: High, section: "Webhooks",
    security: Some(7.5), since: "0.1.0", check: check
}

/// What a delivery does not pass.
enum Barrier {
    /// The platform asks for a token: the configuration that says so or says nothing, and whether there is one.
    Token { config: String, says: TokenGate },
    /// Middleware asks who is logged in.
    Session(Place),
    /// Middleware that covers routes by their path does.
    Middleware(Place),
    /// A check against forged forms covers every route.
    Forms(Place),
}

fn check(program: &Program, report: &mut Report) {
    for handler in program.webhook_handlers() {
        let entry = &program.entries[handler.entry];
        if !matches!(handler.verdict, Verdict::Fine | Verdict::Unknown) || is_from_home(program, handler) {
            continue;
        }
        let Some(barrier) = barrier(program, handler, entry) else { continue };
        if !reads_authorization(program, entry) && !is_broken(program, handler) {
            tell(program, report, handler, &barrier);
        }
    }
}

/// Whether the app's own backend sends it, which brings its own token.
fn is_from_home(program: &Program, handler: &WebhookHandler) -> bool {
    handler.vendor.is_some_and(|vendor| program.catalogue.vendor(vendor).own_backend)
}

fn barrier(program: &Program, handler: &WebhookHandler, entry: &Entry) -> Option<Barrier> {
    let path = program.file(entry.place.file).path;
    match program.manifests.token_gate(&path) {
        Some((TokenGate::Open, _)) => return None,
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
        Gate::Function(function) => asks_for_user(program, function).then(|| program.function_head(function)),
        Gate::Unknown => None,
    });
    let by_path = || turned_away(program, entry, covers_all).map(Barrier::Middleware);
    let forms = || forms_check(program, entry).or_else(|| double_submit(program, entry)).map(Barrier::Forms);
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

fn role_of(program: &Program, at: ExprRef) -> Option<KnownRole> {
    program.value(at).externals().find_map(|external| {
        let mut segs = &external.segs[..];
        while let [rest @ .., Seg::Call | Seg::New] = segs {
            segs = rest;
        }
        Some(program.catalogue.known(external.package, segs)?.role)
    })
}

fn is_authentication(program: &Program, gate: ExprRef) -> bool {
    role_of(program, gate) == Some(KnownRole::Authenticate)
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

/// The check against forged forms that covers an entry.
fn forms_check(program: &Program, entry: &Entry) -> Option<Place> {
    if entry.framework.starts_with("django") {
        return middleware_of_forms(program, entry);
    }
    let of_form = matches!(entry.framework, "flask");
    if !of_form {
        return None;
    }
    let found: Vec<(CallRef, KnownRole)> = program
        .code()
        .filter(|(file, facts)| !facts.language.is_script() && program.runs_on_server(*file))
        .flat_map(|(file, _)| program.calls_of(file))
        .filter_map(|at| {
            let role =
                [KnownRole::CsrfCheck, KnownRole::CsrfExempt].into_iter().find(|&role| program.has_role(at, role));
            Some((at, role?))
        })
        .collect();
    let mut exemptions = found.iter().filter(|(_, role)| *role == KnownRole::CsrfExempt);
    if exemptions.any(|&(at, _)| !exempts_other(program, at, entry)) {
        return None;
    }
    let facts = program.facts(entry.function.file);
    let exempt = facts.function(entry.function.function).decorators.iter().any(|&decorator| {
        let at = ExprRef::new(entry.function.file, decorator);
        role_of(program, at) == Some(KnownRole::CsrfExempt)
            || matches!(facts.expr(decorator), ExprKind::Member(_, name) if *name == "exempt")
    });
    let (check, _) = found.iter().find(|(_, role)| *role == KnownRole::CsrfCheck)?;
    (!exempt).then(|| program.call_place(*check))
}

/// Whether a call exempts something that is known not to be this entry: another blueprint, another view.
fn exempts_other(program: &Program, at: CallRef, entry: &Entry) -> bool {
    let facts = program.facts(at.file);
    let Some(given) = facts.call(at.call).args.first() else { return false };
    let given = program.value(ExprRef::new(at.file, given.value));
    if given.functions().next().is_some() {
        return given.functions().all(|function| function != entry.function);
    }
    let made = |value: &Value| -> Vec<CallRef> {
        value.externals().filter_map(|external| external.sites.first().copied()).collect()
    };
    // `@orders.route(..)`: the blueprint that the entry is registered on.
    let view = program.facts(entry.function.file);
    let decorators = view.function(entry.function.function).decorators.iter();
    let on: Vec<CallRef> = decorators
        .filter_map(|&decorator| match view.expr(decorator) {
            ExprKind::Call(call) => match view.expr(view.call(*call).callee) {
                ExprKind::Member(base, _) => Some(ExprRef::new(entry.function.file, *base)),
                _ => None,
            },
            _ => None,
        })
        .flat_map(|base| made(&program.value(base)))
        .collect();
    let exempted = made(&given);
    !exempted.is_empty() && !on.is_empty() && exempted.iter().all(|site| !on.contains(site))
}

/// Middleware that compares a token of the request with a cookie, and refuses a request that has none of both.
fn double_submit(program: &Program, entry: &Entry) -> Option<Place> {
    let route = entry.route?.to_ascii_lowercase();
    entry.middleware.iter().find_map(|gate| {
        let Gate::Function(function) = *gate else { return None };
        let facts = program.facts(function.file);
        if facts.language.is_script() {
            return None;
        }
        let shape = facts.function(function.function);
        let inside = || facts.exprs.iter().filter(|expr| shape.span.contains(expr.span));
        let named = |wanted: &str| {
            inside().any(|expr| match &expr.kind {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.to_ascii_lowercase().contains(wanted),
                _ => false,
            })
        };
        let says = |wanted: &str| {
            inside()
                .any(|expr| matches!(&expr.kind, ExprKind::Text(text) if text.to_ascii_lowercase().contains(wanted)))
        };
        let refuses =
            inside().any(|expr| matches!(expr.kind, ExprKind::Number(status) if status == 403.0)) || named("http_403");
        // What is said of this route, of a part of it, or of requests that bring no cookie may let it pass.
        let covers = |text: &str| text.len() > 2 && route.contains(text.to_ascii_lowercase().trim_end_matches('*'));
        let said = facts.exprs.iter().any(|expr| match &expr.kind {
            ExprKind::Text(text) => (shape.span.contains(expr.span) || text.starts_with('/')) && covers(text),
            _ => false,
        });
        let exempt =
            said || inside().any(|expr| match &expr.kind {
                ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
                    names_exemptions(name) && may_hold(program, function.file, expr.span, &covers)
                }
                _ => false,
            }) || passes_without_cookie(facts, function.function);
        let checks = says("csrf") && named("cookies") && named("headers") && refuses;
        (checks && !exempt).then(|| program.function_head(function))
    })
}

/// Whether a name is that of a list of what is let through.
fn names_exemptions(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["exempt", "skip", "public", "allow", "white", "exclu", "ignore", "open"].iter().any(|part| name.contains(part))
}

/// Whether a list holds what covers the route, or what it holds cannot be told.
fn may_hold(program: &Program, file: FileId, span: Span, covers: &dyn Fn(&str) -> bool) -> bool {
    let facts = program.facts(file);
    let Some(at) = facts.exprs.iter().position(|expr| expr.span == span) else { return true };
    let Value::List(list) = program.value(ExprRef::new(file, ExprId(at as u32))) else { return true };
    let facts = program.facts(list.file);
    let ExprKind::List(items) = facts.expr(list.expr) else { return true };
    items.iter().any(|&item| program.value(ExprRef::new(list.file, item)).text().is_none_or(|text| covers(&text)))
}

/// `if "session" not in request.cookies: return await call_next(request)`
fn passes_without_cookie(facts: &Facts, function: FunctionId) -> bool {
    let steps = facts.blocks.iter().filter(|block| block.function == function).flat_map(|block| &block.steps);
    let mut tests = steps.filter_map(|step| match step {
        Step::If { condition, then, .. } => Some((*condition, *then)),
        _ => None,
    });
    tests.any(|(condition, then)| {
        let asked = facts.span(condition);
        let of_cookie = facts.exprs.iter().any(|expr| match &expr.kind {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => {
                asked.contains(expr.span) && {
                    let name = name.to_ascii_lowercase();
                    name.contains("cookie") || name.contains("session") || name.contains("auth")
                }
            }
            _ => false,
        });
        let passes = facts.block(then).steps.iter().any(|step| match step {
            Step::Return(Some(value)) => {
                let given = facts.span(*value);
                facts.calls.iter().any(|call| {
                    given.contains(facts.span(call.expr))
                        && matches!(facts.expr(call.callee), ExprKind::Ref(name, _) if name.contains("next"))
                })
            }
            _ => false,
        });
        of_cookie && passes
    })
}

/// The framework's own check against forged forms, where its settings have it and nothing exempts the view.
fn middleware_of_forms(program: &Program, entry: &Entry) -> Option<Place> {
    const CHECK: &str = "django.middleware.csrf.CsrfViewMiddleware";
    // An exemption may be written at the view, at the route, or come with another kind of view.
    let may_exempt = [entry.function.file, entry.place.file].into_iter().any(|file| {
        let facts = program.facts(file);
        let named = facts.exprs.iter().any(|expr| match &expr.kind {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => name.contains("exempt"),
            ExprKind::Text(text) => text.contains("exempt"),
            _ => false,
        });
        let foreign = (0..facts.imports.len()).any(|at| {
            matches!(program.modules.target(file, ImportId(at as u32)), Target::Package { name, .. }
                if matches!(name.as_str(), "pypi:rest_framework" | "pypi:ninja" | "pypi:ninja_extra" | "pypi:strawberry"))
        });
        named || foreign
    });
    if may_exempt || program.facts(entry.function.file).language.is_script() {
        return None;
    }

    program.code().filter(|(file, _)| !program.side(*file).dead).find_map(|(file, facts)| {
        let is_list = facts.exprs.iter().find(|expr| matches!(&expr.kind, ExprKind::Text(text) if *text == CHECK))?;
        Some(Place { file, span: is_list.span })
    })
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

fn tell(program: &Program, report: &mut Report, handler: &WebhookHandler, barrier: &Barrier) {
    let entry = &program.entries[handler.entry];
    let webhook = program.webhook_name(handler);
    let who = match handler.vendor {
        Some(vendor) => program.catalogue.vendor(vendor).name.clone(),
        None => "its sender".to_owned(),
    };
    let lost = "every delivery is refused before this runs, and what it tells is lost";
    let name = entry.name.map_or_else(|| program.function_name(entry.function), |name| name.to_string());
    let (message, help, confidence) = match barrier {
        Barrier::Token { config, says } => (
            format!("the platform asks {who} for a token of the app before {webhook} runs, and {who} has none: {lost}"),
            format!(
                "Open this function in {config}, its signature is checked:\n[functions.{name}]\nverify_jwt = false"
            ),
            if *says == TokenGate::Asked { Confidence::High } else { Confidence::Medium },
        ),
        Barrier::Session(_) => (
            format!("{webhook} is behind a check of who is logged in, and {who} has no session: {lost}"),
            "Register this route before the check, or outside the router that has it: its signature is checked."
                .to_owned(),
            Confidence::High,
        ),
        Barrier::Middleware(at) => (
            format!(
                "{} turns away whoever is not logged in, and {who} has no session when it calls {webhook}: {lost}",
                program.file(at.file).path
            ),
            format!(
                "Let {} through in {}: name it among the paths that need no session, or leave it out of the matcher. \
                 Its signature is checked.",
                entry.route.map_or_else(String::new, |route| route.to_string()),
                program.file(at.file).path
            ),
            Confidence::High,
        ),
        Barrier::Forms(_) => (
            format!("{webhook} is behind the check against forged forms, and {who} brings no token of one: {lost}"),
            match entry.framework.starts_with("django") {
                true => "Put @csrf_exempt over this view: its signature is checked.".to_owned(),
                false if entry.framework == "flask" => {
                    "Exempt this route from the check, with @csrf.exempt under its route: its signature is checked."
                        .to_owned()
                }
                false => {
                    let route = entry.route.map_or_else(String::new, |route| route.to_string());
                    format!(
                        "Let {route:?} pass in this middleware before the token is asked for: its signature is checked."
                    )
                }
            },
            Confidence::High,
        ),
    };
    // A scheme that many senders share does not say which one it is: the app's own backend may be it.
    let shared = handler.vendor.is_none_or(|vendor| program.catalogue.vendor(vendor).category == Category::Webhooks);
    let confidence = if shared || handler.by_name { Confidence::Low } else { confidence };
    let mut draft = report.at(program.entry_head(entry), name, message).confidence(confidence).help(help);
    match barrier {
        Barrier::Session(place) => draft = draft.because(*place, "asks who is logged in"),
        Barrier::Middleware(place) => draft = draft.because(*place, "turns it away here"),
        Barrier::Forms(place) => draft = draft.because(*place, "covers every route that is not exempt"),
        Barrier::Token { .. } => {}
    }
    if let Some(sign) = handler.evidence.first() {
        draft = draft.because(sign.place, sign.text.clone());
    }
    if let Some(vendor) = handler.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}
