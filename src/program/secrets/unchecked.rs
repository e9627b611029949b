//! Credentials out of the environment that are handed over though nothing makes sure that they are set.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::{Key, Package, VendorId};
use crate::facts::ExprKind;
use crate::finding::{FileId, Place};
use crate::link::sides::units::UnitId;
use crate::manifest::{EnvEntry, EnvValue};
use crate::names::Name;
use crate::program::secrets::credentials::{encodes, in_query};
use crate::program::values::assigned::Holder;
use crate::program::values::options::Lookup;
use crate::program::verify::words;
use crate::program::{CallRef, Destination, ExprRef, HttpUse, Program, Value, Via};
use asked::Asked;

mod asked;

/// How far values and conditions are followed.
const FARTHEST: usize = 6;

/// A credential that goes out as it is, set or not.
#[derive(Debug, Clone)]
pub struct Unchecked {
    /// The variable, first of those of one header.
    pub variable: Name,
    /// The call that takes it.
    pub at: CallRef,
    /// Whose it is, where that is known.
    pub vendor: Option<VendorId>,
    /// Who is asked, for messages.
    pub whom: String,
    /// How it is handed over.
    pub way: Way,
    /// What goes out in its place while it is unset.
    pub instead: Instead,
    /// Where it is put into the package, when the call does not hand it over itself.
    pub put: Option<Place>,
}

/// How a credential is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the client of a package that takes anything.
    Client(Name),
    /// In a header, after the word that says how: `Bearer`; empty when there is none.
    Header(Name, Name),
    /// As a name and a password.
    Basic,
    /// In a parameter of the URL.
    Query(Name),
}

/// What goes out while a variable is unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// `undefined`, `None`.
    Nothing,
    /// An empty text.
    Empty,
    /// A text that stands in for a credential.
    StandIn(Name),
}

impl Program {
    /// The credentials that deployed code hands over unchecked, one a variable and unit of deployment: the first use,
    /// and the places of the others.
    pub fn unchecked_credentials(&self) -> Vec<(Unchecked, Vec<Place>)> {
        let mut handed = Vec::new();
        for http in self.requests().iter().filter(|http| http.at == http.inner && self.is_deployed(http.at.file)) {
            in_request(self, http, &mut handed);
        }
        to_clients(self, &mut handed);
        handed.sort_by_key(|used| used.at);
        let mut asked = Asked::new(self);
        // Of a name and its password one that is asked for is enough.
        let covered: Vec<(CallRef, Way)> =
            handed.iter().filter(|used| asked.covers(used)).map(|used| (used.at, used.way)).collect();
        handed.retain(|used| !covered.contains(&(used.at, used.way)));
        type Where<'p> = (&'p [UnitId], Name);
        let mut first: BTreeMap<Where<'_>, (Unchecked, Vec<Place>)> = BTreeMap::new();
        for used in handed {
            if self.is_publishable(used.variable)
                || self.catalogue.is_injected(&used.variable)
                || self.is_set_for(used.at.file, used.variable)
            {
                continue;
            }
            match first.get_mut(&(self.units(used.at.file), used.variable)) {
                None => {
                    first.insert((self.units(used.at.file), used.variable), (used, vec![]));
                }
                Some((known, others)) => {
                    let place = self.call_place(used.at);
                    if known.at != used.at && !others.contains(&place) {
                        others.push(place);
                    }
                }
            }
        }
        let mut found: Vec<(Unchecked, Vec<Place>)> = first.into_values().collect();
        found.sort_by_key(|(used, _)| (used.at, used.variable));
        // A name and its password go out together: one is enough.
        found.dedup_by_key(|(used, _)| used.at);
        found
    }

    fn is_deployed(&self, file: FileId) -> bool {
        let side = self.side(file);
        (side.server || side.client) && !side.tooling && !side.dead
    }

    /// Whether the repository itself sets a variable for what a file is deployed with: a tracked file of variables, a platform's
    /// settings.
    pub(super) fn is_set_for(&self, file: FileId, name: Name) -> bool {
        const ELSEWHERE: &[&str] = &["example", "sample", "template", "dist", "dev", "development", "test", "local"];
        let in_file = self.manifests.env_files().any(|(path, env)| {
            let own = path.rsplit('/').next().unwrap_or_default();
            let deployed = !own.split(['.', '-', '_']).any(|part| ELSEWHERE.contains(&part));
            let tracked = || self.file_at(&path).is_some_and(|env| self.is_tracked(env) && self.share_app(env, file));
            let has_value =
                |entry: &EnvEntry| matches!(entry.value, EnvValue::Plain | EnvValue::Random | EnvValue::Switch(_));
            deployed && env.entries.iter().any(|entry| entry.name == name && has_value(entry)) && tracked()
        });
        let set = |table: &[&str]| {
            let keys: Vec<&str> = table.iter().copied().chain([name.as_str()]).collect();
            let own = |path: &str| self.file_at(path).is_none_or(|settings| self.share_app(settings, file));
            self.manifests.iter().any(|manifest| manifest.setting(&keys).is_some() && own(&manifest.path))
        };
        in_file || [&["vars"][..], &["env"], &["build", "environment"]].iter().any(|table| set(table))
    }

    /// Whether a variable holds what anyone may see, and nothing that a header proves somebody by.
    fn is_publishable(&self, name: Name) -> bool {
        let publishable = words(&name).iter().any(|word| {
            matches!(word.as_str(), "anon" | "publishable" | "id" | "sid" | "url" | "email" | "user" | "username")
        });
        publishable || self.catalogue.env_entry(&name).is_some_and(|(_, entry)| !entry.secret && !entry.by_use)
    }
}

// ---- what is handed over --------------------------------------------------------------------------------

fn in_request(program: &Program, http: &HttpUse, found: &mut Vec<Unchecked>) {
    if http.to.iter().all(|to| *to == Destination::Local) {
        return;
    }
    let vendor = http.to.iter().find_map(|to| match to {
        Destination::Vendor(vendor, ..) => Some(*vendor),
        _ => None,
    });
    let whom = program.destination_name(http).unwrap_or_else(|| "the other side".to_owned());
    let mut note = |way: Way, value: &Value| {
        let mut absent = Vec::new();
        take_apart(program, value, FARTHEST, &mut absent);
        for (variable, instead) in absent {
            // Of two that may be asked, the one whose key it is.
            let owner = program.catalogue.env_entry(&variable).map(|(owner, _)| owner).filter(|owner| {
                http.to.iter().any(|to| matches!(to, Destination::Vendor(vendor, ..) if vendor == owner))
            });
            let whom = owner
                .filter(|&owner| Some(owner) != vendor)
                .map_or_else(|| whom.clone(), |owner| program.catalogue.vendor(owner).name.clone());
            let vendor = owner.or(vendor);
            found.push(Unchecked { variable, at: http.at, vendor, whom, way, instead, put: None });
        }
    };
    for (name, value) in headers(program, http) {
        let lower = name.to_ascii_lowercase();
        if ["auth", "key", "token", "secret"].iter().any(|word| lower.contains(word)) {
            note(Way::Header(name, scheme(&value)), &value);
        }
    }
    for value in settings(program, http, "auth") {
        let pair = program.entries(&value).into_iter().map(|(_, at)| at).collect::<Vec<_>>();
        for at in pair.into_iter().chain(items(program, &value)) {
            note(Way::Basic, &program.expand(&program.value(at)));
        }
    }
    for url in http.url.alternatives() {
        in_query(url, |name, value| note(Way::Query(name), &program.expand(&value)));
    }
    for params in settings(program, http, "params") {
        for (name, at) in program.entries(&params) {
            let lower = name.to_ascii_lowercase();
            if ["key", "token", "secret"].iter().any(|word| lower.contains(word)) {
                note(Way::Query(name), &program.expand(&program.value(at)));
            }
        }
    }
}

/// The word before a credential: `Bearer`, `Basic`.
fn scheme(value: &Value) -> Name {
    let text = value.alternatives().iter().find_map(|value| match value {
        Value::Template(parts) => parts.first().and_then(Value::text),
        _ => None,
    });
    Name::new(text.as_ref().map_or("", |text| text.trim()))
}

/// What an option of a request, or of the instance that sends it, is.
fn settings(program: &Program, http: &HttpUse, name: &str) -> Vec<Value> {
    let own = program.request_option(http, name);
    let shared = http.instance.map_or(Lookup::Absent, |instance| program.option(instance, name));
    let present = |found| match found {
        Lookup::Present(value) => Some(program.expand(&value)),
        _ => None,
    };
    present(own).into_iter().chain(present(shared)).collect()
}

/// The headers that a request sends, as far as they can be seen.
fn headers(program: &Program, http: &HttpUse) -> Vec<(Name, Value)> {
    let mut found = Vec::new();
    let value = |at: ExprRef| program.expand(&program.value(at));
    for headers in settings(program, http, "headers") {
        found.extend(program.entries(&headers).into_iter().map(|(name, at)| (name, value(at))));
        for object in headers.alternatives() {
            if let Value::Object(object) = object {
                let puts = program.puts(Holder::Object(*object)).iter();
                found.extend(puts.filter_map(|put| Some((put.name, value(put.value?)))));
            }
        }
    }
    if let Some(instance) = http.instance {
        for put in program.puts(Holder::Made(instance)) {
            let name = put.name.as_str();
            if let (Some(at), Some((way, header))) = (put.value, name.rsplit_once('.'))
                && way.contains("headers")
            {
                found.push((Name::new(header), value(at)));
            }
        }
    }
    found
}

fn items(program: &Program, value: &Value) -> Vec<ExprRef> {
    let lists = value.alternatives().iter().filter_map(|value| match value {
        Value::List(list) => Some(*list),
        _ => None,
    });
    lists
        .flat_map(|list| match program.facts(list.file).expr(list.expr) {
            ExprKind::List(items) => items.iter().map(|&item| ExprRef::new(list.file, item)).collect(),
            _ => vec![],
        })
        .collect()
}

/// Clients of packages that take an absent key as well as any, or what stands in for one.
fn to_clients(program: &Program, found: &mut Vec<Unchecked>) {
    let mut note = |at: CallRef, vendor: VendorId, package: &Package, name: Name, key: &Value| {
        let mut absent = Vec::new();
        take_apart(program, &program.expand(key), FARTHEST, &mut absent);
        let Some(&(variable, instead)) = absent.first() else { return };
        let major = program.major_of(at.file, name);
        let takes_any = package.without_key.as_ref().is_some_and(|fact| fact.holds_for(major));
        let taker = if takes_any { Some(vendor) } else { taker(program, at, vendor, package.key.as_ref(), variable) };
        let Some(vendor) = taker else { return };
        // One that refuses an absent key cannot tell a text that stands in for one.
        let goes_out = match instead {
            Instead::Nothing => takes_any,
            Instead::Empty => {
                takes_any
                    || package.throws_without_key.as_ref().and_then(|throws| throws.refuses_empty(major)) == Some(false)
            }
            Instead::StandIn(_) => true,
        };
        if goes_out {
            let whom = program.catalogue.vendor(vendor).name.clone();
            let way = Way::Client(name);
            found.push(Unchecked { variable, at, vendor: Some(vendor), whom, way, instead, put: None });
        }
    };
    for client in program.clients().iter().filter(|client| program.is_deployed(client.at.file)) {
        let mut packages = program.catalogue.packages(client.package, &[]);
        let Some((_, package)) = packages.find(|(vendor, _)| *vendor == client.vendor) else { continue };
        let Some(key) = &package.key else { continue };
        let args = &program.facts(client.at.file).call(client.at.call).args;
        let value = match &key.option {
            Some(option) => match program.option(client.at, option) {
                Lookup::Present(value) => Some(value),
                _ => None,
            },
            None => args.get(key.arg).map(|arg| program.value(ExprRef::new(client.at.file, arg.value))),
        };
        if let Some(value) = value {
            note(client.at, client.vendor, package, client.package, &value);
        }
    }
    let mut put: FxHashMap<CallRef, Place> = FxHashMap::default();
    for used in program.vendor_uses().iter().filter(|used| program.is_deployed(used.at.file)) {
        let Via::Sdk(name, None) = used.via else { continue };
        let mut packages = program.catalogue.packages(name, &[]);
        let Some((_, package)) = packages.find(|(vendor, _)| *vendor == used.vendor) else { continue };
        // `stripe.api_key = ..`, once for the whole app: what else is put there may take its place.
        let Some(attribute) = package.key.as_ref().and_then(|key| key.attribute.as_ref()) else { continue };
        let puts = program.puts(Holder::Package(name)).iter().filter(|put| put.name == attribute.as_str());
        let values: Vec<ExprRef> = puts.filter_map(|put| put.value).collect();
        if let [only] = values[..]
            && program.is_deployed(only.file)
            && program.units(only.file).iter().any(|unit| program.units(used.at.file).contains(unit))
            && program.option(used.at, attribute) == Lookup::Absent
        {
            note(used.at, used.vendor, package, name, &program.value(only));
            put.insert(used.at, program.place(only));
        }
    }
    let setters: FxHashSet<&str> = program
        .catalogue
        .vendors()
        .iter()
        .flat_map(|vendor| &vendor.packages)
        .filter(|package| package.without_key.is_some())
        .filter_map(|package| package.key.as_ref()?.attribute.as_deref())
        .collect();
    for (file, facts) in program.code().filter(|(file, _)| program.is_deployed(*file)) {
        for call in program.calls_of(file) {
            let shape = facts.call(call.call);
            if !matches!(facts.expr(shape.callee), ExprKind::Member(_, name) if setters.contains(name.as_str())) {
                continue;
            }
            let Some(external) = program.external(call) else { continue };
            for (vendor, package) in program.catalogue.packages(external.package, &[]) {
                let (Some(_), Some(key)) = (&package.without_key, &package.key) else { continue };
                let is_setter =
                    external.last_member().is_some_and(|last| key.attribute.as_deref() == Some(last.as_str()));
                if let (true, Some(arg)) = (is_setter, shape.args.get(key.arg)) {
                    note(call, vendor, package, external.package, &program.value(ExprRef::new(file, arg.value)));
                }
            }
        }
    }
    for used in found.iter_mut().filter(|used| matches!(used.way, Way::Client(_))) {
        used.put = put.get(&used.at).copied();
    }
}

/// Who gets the key of a client: where it is led to another host, whose key it is by its name; none where that is
/// not known (a model of one's own takes any text), or where it is the app's own backend.
fn taker(program: &Program, at: CallRef, vendor: VendorId, key: Option<&Key>, variable: Name) -> Option<VendorId> {
    const HOSTS: &[&str] =
        &["baseURL", "baseUrl", "base_url", "basePath", "apiUrl", "host", "endpoint", "serverURL", "azure_endpoint"];
    if program.catalogue.vendor(vendor).own_backend {
        return None;
    }
    let own = HOSTS.iter().all(|name| program.client_option(at, name, key) == Lookup::Absent);
    let named = || program.catalogue.env_entry(&variable).map(|(owner, _)| owner).filter(|owner| *owner != vendor);
    if own { Some(vendor) } else { named() }
}

/// The variables that a value is made of and that nothing real stands in for.
fn take_apart(program: &Program, value: &Value, depth: usize, found: &mut Vec<(Name, Instead)>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Env(name) => found.push((*name, Instead::Nothing)),
        Value::Member(..) => found.extend(binding(program, value).map(|name| (name, Instead::Nothing))),
        Value::Template(parts) => parts.iter().for_each(|part| take_apart(program, part, depth, found)),
        Value::OneOf(parts) => {
            let parts: Vec<Value> =
                parts.iter().map(|part| binding(program, part).map_or_else(|| part.clone(), Value::Env)).collect();
            let plain = |part: &Value| matches!(part, Value::Env(_) | Value::Text(_));
            if !parts.iter().any(plain) {
                parts.iter().for_each(|part| take_apart(program, part, depth, found));
                return;
            }
            let mut instead = Instead::Nothing;
            for part in parts.iter() {
                match part {
                    Value::Env(_) => {}
                    Value::Text(text) if text.is_empty() => instead = Instead::Empty,
                    Value::Text(text) if stands_in(text) => instead = Instead::StandIn(*text),
                    _ => return,
                }
            }
            let variables =
                parts.iter().filter_map(|part| if let Value::Env(name) = part { Some(*name) } else { None });
            let mut variables: Vec<Name> = variables.collect();
            variables.dedup();
            // `INTERNAL_SECRET || SERVICE_ROLE_KEY`: the other one stands in.
            if let [only] = variables[..] {
                found.push((only, instead));
            }
        }
        Value::External(external) if encodes(&external.dotted()) => {
            let Some(site) = external.sites.first() else { return };
            if let Some(arg) = program.facts(site.file).call(site.call).args.first() {
                let value = program.expand(&program.value(ExprRef::new(site.file, arg.value)));
                take_apart(program, &value, depth, found);
            }
        }
        _ => {}
    }
}

/// The variable of a platform that hands them in with the request: `env.API_TOKEN`, `c.env.API_TOKEN`.
fn binding(program: &Program, value: &Value) -> Option<Name> {
    let Value::Member(base, name) = value else { return None };
    let is_variable = name.contains('_') && !name.chars().any(|c| c.is_ascii_lowercase());
    let holds = match &**base {
        Value::Member(_, env) => matches!(env.as_str(), "env" | "Bindings"),
        Value::Param(function, position) => {
            let function = program.facts(function.file).function(function.function);
            function.params.get(*position as usize).and_then(|param| param.name).is_some_and(|name| name == "env")
        }
        _ => false,
    };
    (is_variable && holds).then_some(*name)
}

/// Whether a default is no credential but a text in its place: `your-key`, `sk_test_dev`, `dummy`.
fn stands_in(text: &str) -> bool {
    const STAND_INS: &[&str] = &[
        "dummy",
        "placeholder",
        "your",
        "changeme",
        "example",
        "fake",
        "missing",
        "default",
        "none",
        "not",
        "todo",
        "unset",
        "undefined",
        "invalid",
    ];
    let words = words(text);
    let short = text.len() < 24 && words.iter().any(|word| matches!(word.as_str(), "dev" | "test" | "demo" | "mock"));
    short || words.iter().any(|word| STAND_INS.contains(&word.as_str()))
}
