//! Signs in the code that a vendor calls it: signature headers read, verifiers called, event names asked for.

use rustc_hash::FxHashMap;

use crate::catalogue::VendorId;
use crate::facts::{BlockKind, ExprId, ExprKind, Facts, FunctionId, Op, Span, Step};
use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::{FunctionRef, Program};

/// Something in a function that a webhook handler does.
#[derive(Clone)]
pub(super) struct Sign {
    pub(super) function: FunctionRef,
    pub(super) vendors: Vec<VendorId>,
    pub(super) place: Place,
    pub(super) text: String,
    /// What is delivered says it, not what is asked of its sender.
    pub(super) of_body: bool,
    /// The signature header that is read.
    pub(super) header: Option<Name>,
}

/// Methods that read a header by its name.
pub(super) const READERS: &[&str] = &["get", "header", "headers", "getHeader", "get_header", "getheader", "getlist"];

/// The signs of a file.
pub(super) fn signs(program: &Program, file: FileId) -> Vec<Sign> {
    let side = program.side(file);
    let in_browsers = side.client && !side.server;
    let mut found = Vec::new();
    if let (Some(facts), false) = (&program.file(file).facts, side.tooling || side.dead || in_browsers) {
        let mut names = Names { program, headers: FxHashMap::default(), events: FxHashMap::default() };
        verifiers(program, file, &mut found);
        headers(&mut names, file, facts, &mut found);
        found.extend(events(&mut names, file, facts));
        fields(program, file, facts, &mut found);
    }
    found
}

/// What names of headers and events say, each asked once a file.
struct Names<'p> {
    program: &'p Program,
    headers: FxHashMap<Name, Option<Vec<VendorId>>>,
    events: FxHashMap<Name, Vec<VendorId>>,
}

impl Names<'_> {
    /// The vendors that sign with a header; none when it is no such header.
    fn header(&mut self, name: Name) -> Option<Vec<VendorId>> {
        let catalogue = &self.program.catalogue;
        let found = self.headers.entry(name).or_insert_with(|| {
            if name.len() > 60 || name.contains([' ', ',', '/', ':']) {
                return None;
            }
            if !name.contains('-') && !name.starts_with("HTTP_") {
                return None;
            }
            let small = name.to_ascii_lowercase().replace('_', "-");
            let small = small.strip_prefix("http-").unwrap_or(&small);
            let signs = ["sig", "hash", "token", "webhook", "transmission", "hmac"];
            if !signs.iter().any(|part| small.contains(part)) {
                return None;
            }
            let vendors = catalogue.webhook_by_header(small);
            let says = small.contains("webhook") || small.starts_with("x-") && small.contains("signature");
            (!vendors.is_empty() || says && small.contains('-')).then_some(vendors)
        });
        found.clone()
    }

    fn event(&mut self, name: Name) -> &[VendorId] {
        let catalogue = &self.program.catalogue;
        self.events.entry(name).or_insert_with(|| {
            let fits = name.len() < 60 && name.contains(['.', '_', ':']) && !name.contains([' ', '/']);
            if fits || name.chars().any(|c| c.is_ascii_uppercase()) {
                catalogue.webhook_by_event(&name)
            } else {
                vec![]
            }
        })
    }
}

fn verifiers(program: &Program, file: FileId, found: &mut Vec<Sign>) {
    for call in program.calls_of(file) {
        for external in program.callee(call).externals() {
            if let Some(matched) = program.catalogue.verifier(external.package, &external.segs)
                && let Some(vendor) = matched.vendor
            {
                let text = "verifies a delivery".to_owned();
                let (function, place) = (program.function_of(call), program.call_place(call));
                found.push(Sign { function, vendors: vec![vendor], place, text, of_body: false, header: None });
            }
        }
    }
}

fn headers(names: &mut Names<'_>, file: FileId, facts: &Facts, found: &mut Vec<Sign>) {
    let mut note = |names: &mut Names<'_>, name: Name, span: Span| {
        if let Some(vendors) = names.header(name) {
            let function = innermost(file, facts, span);
            let text = format!("reads the header {}", name.to_ascii_lowercase());
            found.push(Sign {
                function,
                vendors,
                place: Place { file, span },
                text,
                of_body: false,
                header: Some(name),
            });
        }
    };
    for call in &facts.calls {
        let reads = matches!(facts.expr(call.callee), ExprKind::Ref(name, _) | ExprKind::Member(_, name)
            if READERS.contains(&name.as_str()));
        // `res.header("X-Signature", made)` writes it.
        let writes = call.args.len() > 1 && facts.last_name(call.callee).is_some_and(|name| name == "header");
        if let (true, Some(arg)) = (reads && !writes, call.args.first())
            && let ExprKind::Text(text) = facts.expr(arg.value)
        {
            note(names, *text, facts.span(arg.value));
        }
    }
    for (at, (_, name)) in facts.members() {
        if may_be_header(name) && !is_written(facts, at) {
            note(names, name, facts.span(at));
        }
    }
    for function in &facts.functions {
        for param in &function.params {
            let from_header = param.default.is_some_and(|default| match facts.expr(default) {
                ExprKind::Call(call) => {
                    matches!(facts.expr(facts.call(*call).callee), ExprKind::Ref(name, _) if *name == "Header")
                }
                _ => false,
            });
            if let (true, Some(name), Some(default)) = (from_header, param.name, param.default) {
                note(names, Name::new(&name.replace('_', "-")), facts.span(default));
            }
        }
    }
}

/// Whether the name of a member is one that headers have: no other identifier holds a dash.
fn may_be_header(name: Name) -> bool {
    let bytes = name.as_bytes();
    bytes.len() >= 6 && (bytes.contains(&b'-') || bytes.starts_with(b"HTTP_"))
}

/// Whether something is put where an expression says: `headers["X-Signature"] = made` is how deliveries are sent.
fn is_written(facts: &Facts, at: ExprId) -> bool {
    let steps = facts.blocks.iter().flat_map(|block| &block.steps);
    let mut targets = steps.filter_map(|step| if let Step::Assign(target, _) = step { Some(*target) } else { None });
    targets.any(|target| target == at)
        || facts.operations().any(|(_, (op, parts))| op == Op::Assign && parts.first() == Some(&at))
}

/// Fields of a vendor's forms: `form.get("CallSid")`, `req.body.CallSid`, `CallSid: str = Form(..)`.
fn fields(program: &Program, file: FileId, facts: &Facts, found: &mut Vec<Sign>) {
    let mut note = |name: Name, span: Span| {
        // Names of these forms are few: whether it is one is asked of no other.
        let is_long = name.len() > 11 && name.contains(|c: char| c.is_ascii_uppercase());
        if !is_long && !name.starts_with(|first: char| first.is_ascii_uppercase()) {
            return;
        }
        let vendors = program.catalogue.webhook_by_field(&name);
        if !vendors.is_empty() {
            let (function, place) = (innermost(file, facts, span), Place { file, span });
            let text = format!("reads the field {name}");
            found.push(Sign { function, vendors: vendors.to_vec(), place, text, of_body: true, header: None });
        }
    };
    for call in &facts.calls {
        if let ExprKind::Member(_, reader) = facts.expr(call.callee)
            && matches!(reader.as_str(), "get" | "getlist" | "getAll")
            && let Some(arg) = call.args.first()
            && let ExprKind::Text(text) = facts.expr(arg.value)
        {
            note(*text, facts.span(arg.value));
        }
    }
    for expr in &facts.exprs {
        match &expr.kind {
            ExprKind::Member(_, name) => note(*name, expr.span),
            ExprKind::Index(_, key) => {
                if let ExprKind::Text(text) = facts.expr(*key) {
                    note(*text, expr.span);
                }
            }
            _ => {}
        }
    }
    for function in &facts.functions {
        for param in &function.params {
            let of_form = param.default.filter(|&default| match facts.expr(default) {
                ExprKind::Call(call) => facts.last_name(facts.call(*call).callee).is_some_and(|name| name == "Form"),
                _ => false,
            });
            if let (Some(name), Some(default)) = (param.name, of_form) {
                note(name, facts.span(default));
            }
        }
    }
}

fn events(names: &mut Names<'_>, file: FileId, facts: &Facts) -> Vec<Sign> {
    let mut found = Vec::new();
    let mut compared: Vec<ExprId> = Vec::new();
    for expr in &facts.exprs {
        match &expr.kind {
            ExprKind::Op(Op::Equal | Op::Unequal, parts) => compared.extend(parts.iter()),
            ExprKind::Op(Op::In, parts) => {
                if let Some(ExprKind::List(items)) = parts.get(1).map(|&list| facts.expr(list)) {
                    compared.extend(items.iter());
                }
            }
            ExprKind::Call(call) => {
                let call = facts.call(*call);
                if let ExprKind::Member(base, name) = facts.expr(call.callee)
                    && name == "includes"
                    && let ExprKind::List(items) = facts.expr(*base)
                {
                    compared.extend(items.iter());
                }
            }
            ExprKind::Object(entries) => {
                for &(key, value) in entries {
                    let runs =
                        matches!(facts.expr(value), ExprKind::Function(_) | ExprKind::Ref(..) | ExprKind::Member(..));
                    if runs && key.contains('.') && !names.event(key).is_empty() {
                        push_event(names, key, file, facts, facts.span(value), &mut found);
                    }
                }
            }
            _ => {}
        }
    }
    for block in &facts.blocks {
        if let BlockKind::Case(_, Some(value)) = block.kind {
            compared.push(value);
        }
    }
    for expr in compared {
        if let ExprKind::Text(text) = facts.expr(expr)
            && !names.event(*text).is_empty()
        {
            push_event(names, *text, file, facts, facts.span(expr), &mut found);
        }
    }
    // One common name may be anybody's, an action of the app's own above all: the vendor is to be seen elsewhere.
    let texts: Vec<(Vec<VendorId>, String)> =
        found.iter().map(|sign: &Sign| (sign.vendors.clone(), sign.text.clone())).collect();
    for sign in &mut found {
        let plain = sign.text.matches('.').count() < 2;
        let alone = |vendor: VendorId| texts.iter().all(|(of, text)| *text == sign.text || !of.contains(&vendor));
        sign.vendors.retain(|&vendor| !plain || !alone(vendor) || is_named(names.program, vendor));
    }
    found.retain(|sign| !sign.vendors.is_empty());
    found
}

/// Whether a program has to do with a vendor: it asks it, or a setting or a file is named after it.
fn is_named(program: &Program, vendor: VendorId) -> bool {
    let id = program.vendor_id(vendor).as_str();
    let main = id.split('-').next().unwrap_or(id);
    let says = |name: &str| name.to_ascii_lowercase().contains(main);
    program.vendor_uses().iter().any(|used| used.vendor == vendor)
        || program.clients().iter().any(|client| client.vendor == vendor)
        || program.file_ids().any(|file| says(&program.file(file).path))
        || program.code().any(|(_, facts)| {
            let said = |kind: &ExprKind| matches!(kind, ExprKind::Env(name) | ExprKind::Text(name) if says(name));
            facts.exprs.iter().any(|expr| said(&expr.kind))
                || facts.imports.iter().any(|import| says(&import.specifier))
        })
}

fn push_event(names: &mut Names<'_>, name: Name, file: FileId, facts: &Facts, span: Span, found: &mut Vec<Sign>) {
    let vendors = names.event(name).to_vec();
    let text = format!("asks for the event {name}");
    let function = innermost(file, facts, span);
    found.push(Sign { function, vendors, place: Place { file, span }, text, of_body: true, header: None });
}

/// The function that a span stands in.
fn innermost(file: FileId, facts: &Facts, span: Span) -> FunctionRef {
    let holding = facts.functions.iter().enumerate().filter(|(at, function)| *at == 0 || function.span.contains(span));
    let narrowest = holding.min_by_key(|(at, function)| match at {
        0 => u32::MAX,
        _ => function.span.end - function.span.start,
    });
    FunctionRef::new(file, FunctionId(narrowest.map_or(0, |(at, _)| at as u32)))
}
