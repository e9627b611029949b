//! Checks against forged forms: a framework's own, an extension's, and those that compare a token of the request
//! with a cookie.

use crate::catalogue::KnownRole;
use crate::facts::{ExprId, ExprKind, Facts, FunctionId, ImportId, Span, Step};
use crate::finding::{FileId, Place};
use crate::program::{CallRef, Entry, ExprRef, Gate, Program, Target, Value};

/// The check against forged forms that covers an entry.
pub(super) fn check(program: &Program, entry: &Entry) -> Option<Place> {
    of_framework(program, entry).or_else(|| double_submit(program, entry))
}

/// The framework's own check, or an extension's.
fn of_framework(program: &Program, entry: &Entry) -> Option<Place> {
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
        .filter(|(file, _)| program.share_app(*file, entry.function.file))
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
        program.role_of_made(at) == Some(KnownRole::CsrfExempt)
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

    let own = |file: FileId| !program.side(file).dead && program.share_app(file, entry.function.file);
    program.code().filter(|(file, _)| own(*file)).find_map(|(file, facts)| {
        let is_list = facts.exprs.iter().find(|expr| matches!(&expr.kind, ExprKind::Text(text) if *text == CHECK))?;
        Some(Place { file, span: is_list.span })
    })
}
