//! Finds what leaves the program: requests of HTTP clients, directly and through the program's own wrappers, and
//! uses of vendors' SDKs.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::catalogue::{Catalogue, Effect, Request, Seg};
use crate::facts::{Call, CallId, Facts};
use crate::finding::FileId;
use crate::link::calls::per_file;
use crate::link::eval::Eval;
use crate::names::Name;
use crate::program::by_file::ByFile;
use crate::program::outbound::ClientUse;
pub use crate::program::values::options::Lookup;
use crate::program::{CallRef, Destination, ExprRef, External, HttpUse, Program, Value, VendorUse, Via};

mod callers;
mod kept;

use callers::through_callers;
pub use kept::name_destinations;

/// The method of a request that names none.
const GET: &str = "GET";

/// How many wrappers deep a request is followed to its callers.
const DEEPEST_WRAPPER: usize = 3;

/// Collects everything outbound.
pub fn collect(program: &mut Program) {
    let requests: Vec<Vec<HttpUse>> = per_file(program, requests_in);
    let mut http: Vec<HttpUse> = requests.into_iter().flatten().collect();
    let mut outer = http.clone();
    let mut seen: FxHashSet<(CallRef, CallRef)> = http.iter().map(|http| (http.at, http.inner)).collect();
    for _ in 0..DEEPEST_WRAPPER {
        outer = outer.par_iter().flat_map_iter(|http| through_callers(program, http)).collect();
        // The way with the fewest wrappers says most.
        outer.retain(|http| seen.insert((http.at, http.inner)));
        if outer.is_empty() {
            break;
        }
        http.extend(outer.iter().cloned());
    }
    http.sort_by_key(|http| (http.at, http.inner));
    let sdk: Vec<Vec<VendorUse>> = per_file(program, sdk_uses);
    let runs = |at: CallRef| !program.never_runs(at);
    let http: Vec<HttpUse> = http.into_par_iter().filter(|http| runs(http.at) && runs(http.inner)).collect();
    let sdk = sdk.into_par_iter().flatten_iter();
    let mut vendors: Vec<VendorUse> = sdk.filter(|used| runs(used.at)).collect();
    vendors.extend(http.iter().enumerate().flat_map(|(at, http)| http_uses(&program.catalogue, http, at)));
    vendors.sort_by_key(|used| used.at);
    program.outbound.http = ByFile::new(http, |http| http.at.file);
    program.outbound.vendors = ByFile::new(vendors, |used| used.at.file);
    let clients: Vec<Vec<ClientUse>> = per_file(program, clients_in);
    program.outbound.clients = clients.into_iter().flatten().collect();
}

fn calls(file: FileId, facts: &Facts) -> impl Iterator<Item = (CallRef, &Call)> {
    facts.calls.iter().enumerate().map(move |(at, call)| (CallRef::new(file, CallId(at as u32)), call))
}

// ---- requests -------------------------------------------------------------------------------------------

fn requests_in(program: &Program, file: FileId, facts: &Facts) -> Vec<HttpUse> {
    let mut found = Vec::new();
    for (at, call) in calls(file, facts) {
        for external in program.callee(at).externals() {
            if let Some(matched) = program.catalogue.request(external.package, &external.segs) {
                let instance = matched.instance.and_then(|length| site_of(external, length));
                found.push(request(program, at, call, matched.index, matched.request, instance));
                break;
            }
        }
    }
    found
}

fn request(
    program: &Program,
    at: CallRef,
    call: &Call,
    client: usize,
    shape: &Request,
    instance: Option<CallRef>,
) -> HttpUse {
    let mut eval = Eval::new(program);
    let mut options: Vec<Value> = Vec::new();
    if let Some(index) = shape.options
        && call.args.get(index).is_some_and(|arg| arg.name.is_none())
    {
        options.push(eval.argument(at, index));
    }
    let mut url = match shape.url {
        Some(index) => match eval.argument(at, index) {
            // `axios({ url, method })`, `fetch(new Request(..))` stay what they are.
            Value::Object(object) => {
                options.insert(0, Value::Object(object));
                eval.key(object, Name::new("url")).unwrap_or(Value::Unknown)
            }
            Value::Unknown => keyword(program, at, "url").unwrap_or(Value::Unknown),
            url => url,
        },
        // `axios.request({ url, method })`
        None => match options.first() {
            Some(&Value::Object(object)) => eval.key(object, Name::new("url")).unwrap_or(Value::Unknown),
            _ => Value::Unknown,
        },
    };
    let library = &program.catalogue.http_clients()[client];
    if url.is_unknown()
        && let Some(scheme) = scheme_of_parts(&library.package)
    {
        url = from_parts(program, &options, scheme).unwrap_or(url);
    }
    if !library.base_url.is_empty() && !is_absolute(&url) {
        // The call's own base goes before its client's.
        let mut of_call = library.base_url.iter().flat_map(|name| {
            options.iter().filter_map(|option| match program.lookup(option, Name::new(name)) {
                Lookup::Present(value) => Some(value),
                _ => None,
            })
        });
        let base = of_call
            .next()
            .or_else(|| library.base_url.iter().find_map(|name| option_of_call(program, instance?, &Name::new(name))));
        if let Some(base) = base {
            url = Value::template([base, Value::Text(Name::new("/")), url]);
        }
    }
    let method = match (&shape.method, shape.method_arg) {
        (Some(method), _) => Some(Name::new(method)),
        (None, Some(index)) => method_given(&mut eval, at, index).text().map(upper),
        (None, None) => method_of(program, &options),
    };
    let url = settled(program, &url);
    let body = shape.body.and_then(|index| call.args.get(index)).map(|arg| ExprRef::new(at.file, arg.value));
    let to = program.destinations(&url);
    HttpUse { at, inner: at, client, method, url, to, options, body, instance }
}

/// How the URLs of a client start that is given their parts: `https.request({ hostname, path })`.
fn scheme_of_parts(package: &str) -> Option<&'static str> {
    match package {
        "node:https" => Some("https://"),
        "node:http" => Some("http://"),
        _ => None,
    }
}

/// The URL that options give in parts; none where they name no host.
fn from_parts(program: &Program, options: &[Value], scheme: &str) -> Option<Value> {
    let part = |name: &str| {
        options.iter().find_map(|option| match program.lookup(option, Name::new(name)) {
            Lookup::Present(value) => Some(value),
            _ => None,
        })
    };
    let host = part("hostname").or_else(|| part("host"))?;
    let path = part("path").unwrap_or_else(|| Value::Text(Name::new("/")));
    Some(Value::template([Value::Text(Name::new(scheme)), host, path]))
}

/// A URL with what constructors were handed in, where every object is made with the same: `this.base`.
fn settled(program: &Program, url: &Value) -> Value {
    match url {
        Value::Param(function, _) => {
            let facts = program.facts(function.file).function(function.function);
            let constructs = facts.name.is_some_and(|name| matches!(name.as_str(), "constructor" | "__init__"));
            let given = if constructs { program.expand(url) } else { Value::Unknown };
            let plain = matches!(given, Value::Text(_) | Value::Template(_) | Value::Env(_));
            if plain { given } else { url.clone() }
        }
        Value::Template(parts) => Value::template(parts.iter().map(|part| settled(program, part)).collect::<Vec<_>>()),
        Value::OneOf(parts) => Value::one_of(parts.iter().map(|part| settled(program, part)).collect::<Vec<_>>()),
        other => other.clone(),
    }
}

fn upper(text: Name) -> Name {
    Name::new(&text.to_ascii_uppercase())
}

fn is_absolute(url: &Value) -> bool {
    match url {
        Value::Text(text) => text.contains("://"),
        Value::Template(parts) => parts.first().is_some_and(is_absolute),
        _ => false,
    }
}

/// The method that options name; `GET` when they certainly name none.
fn method_of(program: &Program, options: &[Value]) -> Option<Name> {
    let name = Name::new("method");
    for option in options {
        match program.lookup(option, name) {
            Lookup::Present(Value::Text(method)) => return Some(upper(method)),
            Lookup::Present(_) | Lookup::Unknown => return None,
            Lookup::Absent => {}
        }
    }
    Some(Name::new(GET))
}

/// The method that a call is given at its place, or by its name: `request(method="GET", url=..)`.
fn method_given(eval: &mut Eval<'_>, at: CallRef, index: usize) -> Value {
    match eval.argument(at, index) {
        Value::Unknown => keyword(eval.program(), at, "method").unwrap_or(Value::Unknown),
        given => given,
    }
}

fn keyword(program: &Program, at: CallRef, name: &str) -> Option<Value> {
    let facts = program.facts(at.file);
    let arg = facts.call(at.call).args.iter().find(|arg| arg.name.is_some_and(|given| given == name))?;
    Some(program.value(ExprRef::new(at.file, arg.value)))
}

/// The value of an option of a call that makes something: in any object argument, or a keyword.
fn option_of_call(program: &Program, at: CallRef, name: &Name) -> Option<Value> {
    match program.option(at, name) {
        Lookup::Present(value) => Some(value),
        _ => None,
    }
}

fn http_uses(catalogue: &Catalogue, http: &HttpUse, index: usize) -> Vec<VendorUse> {
    let mut uses: Vec<VendorUse> = Vec::new();
    for to in &http.to {
        let Destination::Vendor(vendor, host, path) = to else { continue };
        if uses.iter().any(|used| used.vendor == *vendor) {
            continue;
        }
        let operation = catalogue.http_operation(*vendor, http.method.map(Name::as_str), host, path);
        let operation = operation.map(|(at, _)| at);
        let method = http.method.map_or("", |method| method.as_str());
        let shown = path.trim_end_matches("{}").trim_end_matches('/');
        // What runs at an address of the app's own setting is known by its path alone.
        let known = host.is_empty() && !shown.is_empty() && !method.is_empty();
        let of = if known { format!(" of {}", catalogue.vendor(*vendor).name) } else { String::new() };
        let name = format!("{method} {host}{shown}{of}").trim().to_owned();
        uses.push(VendorUse { at: http.at, vendor: *vendor, operation, via: Via::Http(index), name });
    }
    uses
}

// ---- SDKs -----------------------------------------------------------------------------------------------

fn sdk_uses(program: &Program, file: FileId, facts: &Facts) -> Vec<VendorUse> {
    let mut found = Vec::new();
    for (at, _) in calls(file, facts) {
        for external in program.callee(at).externals() {
            if let Some(used) = sdk_use(program, at, external) {
                found.push(used);
                break;
            }
        }
    }
    found
}

fn sdk_use(program: &Program, at: CallRef, external: &External) -> Option<VendorUse> {
    let catalogue = &program.catalogue;
    let (package, segs) = (external.package, &external.segs[..]);
    let client = catalogue.client_of(package, segs);
    let matched = catalogue.operation(package, segs);
    if matched.as_ref().is_some_and(|matched| matched.operation.effect == Effect::Local) {
        return None;
    }
    let (vendor, operation) = match matched {
        Some(matched) => (matched.vendor, Some(matched.index)),
        None => {
            // Making a client is no use of it.
            let is_new = program.facts(at.file).call(at.call).is_new;
            let after = external.then(if is_new { Seg::New } else { Seg::Call }, Some(at));
            if catalogue.client_of(package, &after.segs) == Some(after.segs.len()) {
                return None;
            }
            // An operation the catalogue does not list still uses the vendor; what is chained on a result does not.
            let made = client?;
            let chained = segs[made..].iter().any(|seg| !matches!(seg, Seg::Member(_)));
            // `import("sdk").then(..)` waits for the module.
            let loads = matches!(segs, [Seg::Member(name)] if matches!(name.as_str(), "then" | "catch" | "finally"));
            if chained || loads || segs.len() == made || catalogue.sends_nothing(package, segs) {
                return None;
            }
            (catalogue.is_client(package, segs)?, None)
        }
    };
    let made = client.and_then(|length| site_of(external, length));
    Some(VendorUse {
        at,
        vendor,
        operation,
        via: Via::Sdk(package, made),
        name: name_of(external, client.unwrap_or(0), &catalogue.vendor(vendor).id),
    })
}

/// The call that makes the first `length` segments.
fn site_of(external: &External, length: usize) -> Option<CallRef> {
    let calls = external.segs.iter().take(length).filter(|seg| !matches!(seg, Seg::Member(_))).count();
    external.sites.get(calls.checked_sub(1)?).copied()
}

/// What is called, for messages: `stripe.checkout.sessions.create`.
fn name_of(external: &External, client: usize, vendor: &str) -> String {
    let package = external.package.split_once(':').map_or(external.package.as_str(), |(_, name)| name);
    // `@scope/client` says little: whose it is says more.
    let known = match package.starts_with('@') {
        true => vendor,
        false => package.rsplit('/').next().unwrap_or(package).trim_end_matches("-js").trim_end_matches(".js"),
    };
    let mut name = known.to_owned();
    for seg in &external.segs[client..] {
        match seg {
            Seg::Member(member) if *member != "default" => {
                name.push('.');
                name.push_str(member);
            }
            _ => {}
        }
    }
    name
}

fn clients_in(program: &Program, file: FileId, facts: &Facts) -> Vec<ClientUse> {
    let mut found = Vec::new();
    for (at, call) in calls(file, facts) {
        for external in program.callee(at).externals() {
            let made = external.then(if call.is_new { Seg::New } else { Seg::Call }, Some(at));
            let length = program.catalogue.client_of(made.package, &made.segs);
            if length == Some(made.segs.len())
                && let Some(vendor) = program.catalogue.is_client(made.package, &made.segs)
            {
                let package = program.catalogue.packages(made.package, &made.segs).find(|(owner, _)| *owner == vendor);
                let package = package.map_or(made.package, |(_, package)| Name::new(&package.name));
                found.push(ClientUse { at, vendor, package });
                break;
            }
        }
    }
    found
}
