//! How long calls may wait by the limits that code sets, and how long platforms let them.

use crate::catalogue::{KnownRole, Said};
use crate::facts::{ExportValue, ExprId, Span};
use crate::finding::Place;
use crate::link::projects::within;
use crate::names::Name;
use crate::program::values::options::Lookup;
use crate::program::{CallRef, Entry, ExprRef, External, HttpUse, Program, Value, VendorUse, Via};

/// How long an entry point may run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lifetime {
    /// Seconds until the platform ends it.
    pub seconds: f64,
    /// Where the project says so; none when the platform itself does.
    pub said: Option<Place>,
}

impl Lifetime {
    /// The longest limit of one call, in seconds, that leaves time to answer.
    pub fn leaves(&self) -> f64 {
        /// Who waits longer than that waits for the end of it anyway.
        const PATIENCE: f64 = 30.0;
        (self.seconds * 0.8).floor().min(PATIENCE.max(self.seconds - 10.0))
    }
}

impl Program {
    /// How long the platform lets an entry point run: what its own file or the project's settings say, else what is
    /// known of the platform. None when neither tells.
    pub fn lifetime(&self, entry: &Entry) -> Option<Lifetime> {
        let file = entry.function.file;
        let facts = self.facts(file);
        let own = facts.exports.iter().find(|export| export.name == "maxDuration").and_then(|export| {
            let ExportValue::Local(value) = export.value else { return None };
            match self.value(ExprRef::new(file, value)) {
                Value::Number(seconds) => Some(Lifetime { seconds, said: Some(Place { file, span: export.span }) }),
                _ => None,
            }
        });
        own.or_else(|| self.configured(&self.file(file).path))
            .or_else(|| self.of_platform(entry))
            .or_else(|| self.of_server(entry))
    }

    /// `functions: { "app/api/**": { maxDuration: 60 } }` in the nearest vercel.json.
    fn configured(&self, path: &str) -> Option<Lifetime> {
        let settings = self.manifests.above(path, "vercel.json").next()?;
        let inner = within(path, settings.folder())?;
        let functions = self.manifests.json(&settings.path)?.get("functions")?.as_object()?;
        let fits = |pattern: &str| match pattern.split_once('*') {
            Some((head, rest)) => {
                inner.starts_with(head) && inner.ends_with(rest.rsplit('*').next().unwrap_or_default())
            }
            None => inner == pattern,
        };
        let found = functions.iter().find(|(pattern, _)| fits(pattern)).map(|(_, settings)| settings)?;
        Some(Lifetime { seconds: found.get("maxDuration")?.as_f64()?, said: None })
    }

    /// What is known of the platform that runs entry points of this kind.
    fn of_platform(&self, entry: &Entry) -> Option<Lifetime> {
        let platform = self.catalogue.platform(entry.framework)?;
        let path = self.file(entry.function.file).path;
        if let Some(settings) = &platform.told_by {
            self.manifests.above(&path, settings).next()?;
        }
        if let Some(said) = &platform.said {
            match self.said_in_code(entry, said) {
                Lookup::Present(Value::Number(seconds)) => {
                    return Some(Lifetime { seconds, said: Some(entry.place) });
                }
                Lookup::Absent => {}
                _ => return None,
            }
        }
        let name = entry.name.map_or("", |name| name.as_str());
        let longer = platform.longer.as_ref().filter(|longer| name.ends_with(&longer.ending));
        Some(Lifetime { seconds: longer.map_or(platform.seconds, |longer| longer.seconds), said: None })
    }

    /// `onRequest({ timeoutSeconds: 300 }, handler)`, `runWith({ timeoutSeconds: 300 }).https.onRequest(handler)`, or
    /// what is said for all functions of the program.
    fn said_in_code(&self, entry: &Entry, said: &Said) -> Lookup {
        let option = Name::new(&said.option);
        let of_call = |at: CallRef| {
            let args = self.facts(at.file).call(at.call).args.iter();
            let values = args.map(|arg| self.value(ExprRef::new(at.file, arg.value)));
            Lookup::of_any(values.map(|value| match value {
                Value::Object(_) | Value::Param(..) | Value::Unknown => self.lookup(&value, option),
                _ => Lookup::Absent,
            }))
        };
        let runs = |at: &CallRef| {
            let args = self.facts(at.file).call(at.call).args.iter();
            let mut values = args.map(|arg| self.value(ExprRef::new(at.file, arg.value)));
            values.any(|value| value.functions().any(|function| function == entry.function))
        };
        let own = |at: &CallRef| self.callee(*at).externals().any(|external| external.package == said.package.as_str());
        let Some(declares) = self.calls_of(entry.place.file).filter(own).find(runs) else { return Lookup::Unknown };
        // The calls before it in the chain are where its callee comes from.
        let before = self.callee(declares).externals().flat_map(|external| external.sites.clone()).collect::<Vec<_>>();
        match Lookup::of_any(std::iter::once(declares).chain(before).map(of_call)) {
            Lookup::Absent => {}
            found => return found,
        }
        let (Some(for_all), Some((_, package))) = (&said.for_all, said.package.split_once(':')) else {
            return Lookup::Absent;
        };
        let uses =
            self.code().filter(|(_, facts)| facts.imports.iter().any(|import| import.specifier.starts_with(package)));
        let uses = uses.filter(|(file, _)| self.share_app(*file, entry.place.file));
        let calls = uses.flat_map(|(file, _)| self.calls_of(file)).filter(|&at| {
            self.callee(at)
                .externals()
                .any(|external| external.last_member().is_some_and(|name| name == for_all.as_str()))
        });
        Lookup::of_any(calls.map(of_call))
    }

    /// What the command says that starts the server; of several the longest, none when one cannot be told.
    fn of_server(&self, entry: &Entry) -> Option<Lifetime> {
        let path = self.file(entry.function.file).path;
        let server = self.catalogue.servers(entry.framework).next()?;
        let mut longest: Option<Lifetime> = None;
        for process in self.manifests.processes() {
            let starts = process.command.contains(&server.command);
            if !starts || within(&path, &process.folder).is_none() {
                continue;
            }
            let seconds = server.seconds_of(&process.command)?;
            if longest.is_none_or(|known| known.seconds < seconds) {
                let said = self.file_at(&process.told_in).map(|file| {
                    let text = self.manifests.text(&process.told_in).unwrap_or_default();
                    let start = text.find(&server.command).unwrap_or(0) as u32;
                    Place { file, span: Span { start, end: start + server.command.len() as u32 } }
                });
                longest = Some(Lifetime { seconds, said });
            }
        }
        longest
    }

    /// Seconds that a request may wait, where its own options or its client's say a number.
    pub fn wait_of_request(&self, http: &HttpUse) -> Option<f64> {
        let client = &self.catalogue.http_clients()[http.client];
        let script = self.facts(http.inner.file).language.is_script();
        let own = client.timeout.iter().map(|name| self.request_option(http, name));
        let shared =
            client.instance_timeout.iter().filter_map(|name| http.instance.map(|instance| self.option(instance, name)));
        own.chain(shared).find_map(|found| self.seconds(found, script))
    }

    /// Seconds that a call of an SDK may wait, where its own options or its client's say a number.
    pub fn wait_of_use(&self, used: &VendorUse) -> Option<f64> {
        let package = self.package_used(used)?;
        let timeout = self.timeout_of(used, package)?;
        let script = self.facts(used.at.file).language.is_script();
        let own = timeout.call.iter().map(|name| self.option_from(used.at, name, timeout.call_from));
        let made = match used.via {
            Via::Sdk(_, made) => made,
            Via::Http(_) => None,
        };
        let shared = timeout
            .client
            .iter()
            .filter_map(|name| made.map(|made| self.client_option(made, name, package.key.as_ref())));
        own.chain(shared).find_map(|found| self.seconds(found, script))
    }

    /// JavaScript counts in milliseconds, Python in seconds.
    fn seconds(&self, found: Lookup, script: bool) -> Option<f64> {
        let Lookup::Present(value) = found else { return None };
        let unit = if script { 1000.0 } else { 1.0 };
        match self.expand(&value) {
            Value::Number(number) => Some(number / unit),
            Value::External(external) => self.seconds_of(&external, unit),
            _ => None,
        }
    }

    /// `AbortSignal.timeout(30_000)`, `httpx.Timeout(60)`, `ClientTimeout(total=300)`.
    fn seconds_of(&self, external: &External, unit: f64) -> Option<f64> {
        let made: CallRef = *external.sites.last()?;
        let limits = self.has_role(made, KnownRole::Timeout)
            || external.last_member().is_some_and(|name| name == "timeout" || name.ends_with("Timeout"));
        let facts = self.facts(made.file);
        let args = &facts.call(made.call).args;
        let total = args.iter().find(|arg| arg.name.is_some_and(|name| name == "total" || name == "timeout"));
        let arg: ExprId = total.or_else(|| args.first().filter(|arg| arg.name.is_none())).filter(|_| limits)?.value;
        match self.value(ExprRef::new(made.file, arg)) {
            Value::Number(number) => Some(number / unit),
            _ => None,
        }
    }
}
