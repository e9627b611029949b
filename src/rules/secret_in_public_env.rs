//! `secret-in-public-env`: a secret is kept under a name that bundlers write into the code.

use rustc_hash::FxHashMap;

use super::browser_secrets::{harm_of, home, id, is_secret, is_secret_for, named, same_value, with_article};
use crate::catalogue::{Category, Runs, Vendor, VendorId};
use crate::facts::{ExprId, Facts, Op, Step, Token, TokenKind};
use crate::finding::{Confidence, Place, Severity};
use crate::manifest::{EnvEntry, EnvValue};
use crate::names::Name;
use crate::program::Program;
use crate::program::secrets::bundling::{Inlined, Nature};
use crate::program::secrets::credentials::{KeyUse, Way};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A secret is under a name that the bundler inlines
    ///
    /// Variables that begin with `VITE_`, `NEXT_PUBLIC_`, `REACT_APP_`, `EXPO_PUBLIC_`, `GATSBY_`, `NUXT_PUBLIC_` or,
    /// in Astro and SvelteKit, `PUBLIC_` are not read when the app runs: the build writes their values into the
    /// JavaScript that everyone downloads. The same do Vite's `define`, a project's own `envPrefix` and the `env` of a
    /// Next.js config. A secret there is a published secret, however well the host guards its settings.
    ///
    /// A variable counts as secret by the value in a committed environment file, by what the code does with it (it
    /// is the key of a server SDK, or the `Authorization` of a vendor's API), or by a name that says so. All its
    /// places are one finding.
    ///
    /// ## Silent when
    ///
    /// The value is made for browsers: anon and publishable keys, site keys, DSNs, client and measurement ids,
    /// Firebase web config, map keys. Also when only server code reads the variable, and for placeholders in example
    /// files.
    ///
    /// ## The cure
    ///
    /// Rename the variable without the prefix, read it on the server only, and revoke the value that was built in.
    ///
    /// ## Example
    ///
    /// ```tsx path=app/shop.tsx
    /// "use client";
    ///
    /// const token = process.env.NEXT_PUBLIC_OPENAI_API_KEY;
    ///
    /// export function complete(prompt: string) {
    ///   return fetch("https://api.openai.com/v1/responses", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${token}` },
    ///     body: JSON.stringify({ model: "gpt-5-mini", input: prompt }),
    ///   });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```tsx path=app/shop.tsx
    /// "use client";
    ///
    /// export function complete(prompt: string) {
    ///   return fetch("/api/complete", { method: "POST", body: JSON.stringify({ prompt }) });
    /// }
    /// ```
    id: "secret-in-public-env", severity: Error, confidence: High, section: "Secrets",
    security: Some(9.0), since: "0.1.0", check: check
}

/// Everything known of one variable.
#[derive(Default)]
struct Variable<'p> {
    /// Where client code reads it.
    reads: Vec<Place>,
    /// Where code reads it that nothing imports.
    dormant: Vec<Place>,
    /// Where it is read but not shipped: on the server, or only asked whether it is set.
    harmless: Vec<Place>,
    /// What client code does with it.
    uses: Vec<&'p KeyUse>,
    /// Where a committed file gives it a value.
    given: Vec<(Place, EnvEntry, Option<Token>)>,
    /// Where a configuration writes it into the code.
    inlined: Vec<&'p Inlined>,
}

fn check(program: &Program, report: &mut Report) {
    let mut variables: FxHashMap<Name, Variable<'_>> = FxHashMap::default();
    reads(program, &mut variables);
    configured(program, &mut variables);
    for used in program.key_uses() {
        for name in used.variables().map(|name| program.variable_behind(name)) {
            if let Some(variable) = variables.get_mut(&name) {
                variable.uses.push(used);
            }
        }
    }
    given(program, &mut variables);
    let mut names: Vec<Name> = variables.keys().copied().collect();
    names.sort();
    for name in names {
        tell(program, name, &variables[&name], report);
    }
    for inlined in program.bundling().inlined.iter().filter(|inlined| inlined.whole) {
        tell_whole(inlined, report);
    }
}

/// Reads of inlined variables.
fn reads<'p>(program: &'p Program, variables: &mut FxHashMap<Name, Variable<'p>>) {
    for (file, facts) in program.code() {
        let side = program.side(file);
        for (at, name) in facts.env_reads() {
            if side.tooling || program.inlined_name(file, name).is_none() {
                continue;
            }
            let variable = variables.entry(name).or_default();
            let place = Place { file, span: facts.span(at) };
            if side.dead {
                variable.dormant.push(place);
            } else if program.is_client_code(file, place.span) && !only_asked(facts, at) {
                variable.reads.push(place);
            } else {
                variable.harmless.push(place);
            }
        }
    }
}

/// Whether code asks only if a value is set: what is built of that is `true` or `false`.
fn only_asked(facts: &Facts, value: ExprId) -> bool {
    let as_condition = facts.operations().any(|(_, operation)| match operation {
        (Op::Not | Op::TypeOf, of) => of.contains(&value),
        (Op::Choose | Op::And, of) => of.first() == Some(&value),
        _ => false,
    });
    let steps = || facts.blocks.iter().flat_map(|block| &block.steps);
    as_condition || steps().any(|step| matches!(step, Step::If { condition, .. } if *condition == value))
}

/// What configurations inline, with the reads of what they replace.
fn configured<'p>(program: &'p Program, variables: &mut FxHashMap<Name, Variable<'p>>) {
    for inlined in &program.bundling().inlined {
        for &name in &inlined.variables {
            // What has a public prefix is inlined anyway.
            if program.inlined_name(inlined.place.file, name).is_none() {
                variables.entry(name).or_default().inlined.push(inlined);
            }
        }
    }
}

/// Values in committed environment files, of variables that are inlined.
fn given<'p>(program: &'p Program, variables: &mut FxHashMap<Name, Variable<'p>>) {
    for (path, env) in program.manifests.env_files() {
        let Some(file) = program.file_at(&path).filter(|file| program.is_tracked(*file)) else { continue };
        for entry in &env.entries {
            if program.inlined_name(file, entry.name).is_none() && !variables.contains_key(&entry.name) {
                continue;
            }
            let token = env.tokens_of(entry).find(|token| is_secret(token)).copied();
            let filled = matches!(entry.value, EnvValue::Random | EnvValue::Plain) && !is_example(&path);
            if token.is_some() || filled {
                let place = Place { file, span: entry.span };
                variables.entry(entry.name).or_default().given.push((place, *entry, token));
            }
        }
    }
}

/// Whether a file shows how the real one is to look.
fn is_example(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    ["example", "sample", "template", "dist", "schema"].iter().any(|word| name.contains(word))
}

/// Why a variable is known to hold a secret.
struct Proof<'p> {
    /// Whose it is.
    vendor: Option<&'p Vendor>,
    /// What it is, for the message.
    what: String,
    test: bool,
}

fn proof<'p>(program: &'p Program, bare: &str, variable: &Variable<'p>) -> Option<Proof<'p>> {
    let vendor = |id: VendorId| program.catalogue.vendor(id);
    if let Some(token) = variable.given.iter().find_map(|(_, _, token)| token.as_ref()) {
        let owner = program.catalogue.vendor_named(&token.vendor).map(vendor);
        let what = with_article(&named(program, token));
        return Some(Proof { vendor: owner, what, test: token.kind == TokenKind::TestSecret });
    }
    let (nature, owner) = program.variable(bare);
    if nature == Nature::Public {
        return None;
    }
    let used = variable.uses.iter().find(|used| {
        !matches!(used.way, Way::Client(Runs::Browser, _)) && is_secret_for(program, bare, vendor(used.vendor)) && {
            // A client for either side takes keys of both kinds: there the name must say it.
            !matches!(used.way, Way::Client(Runs::Both, _)) || nature == Nature::Secret
        }
    });
    if let Some(used) = used {
        let vendor = vendor(used.vendor);
        return Some(Proof { vendor: Some(vendor), what: secret_of(bare, vendor), test: false });
    }
    if nature != Nature::Secret {
        return None;
    }
    let owner = owner.map(vendor);
    let what = owner.map_or("a secret".to_owned(), |vendor| secret_of(bare, vendor));
    // In a file alone a name does not make `true` or a number a secret; a password may be any word.
    let only_given = variable.reads.is_empty() && variable.inlined.is_empty() && !variable.given.is_empty();
    let says =
        |(_, entry, _): &(Place, EnvEntry, Option<Token>)| entry.value == EnvValue::Random || bare.contains("PASS");
    (!only_given || variable.given.iter().any(says)).then_some(Proof { vendor: owner, what, test: false })
}

/// `the Stripe secret`, `the Stripe webhook secret`.
fn secret_of(bare: &str, vendor: &Vendor) -> String {
    let kind = if bare.contains("WEBHOOK") { "webhook secret" } else { "secret" };
    format!("the {} {kind}", vendor.name)
}

fn tell(program: &Program, name: Name, variable: &Variable<'_>, report: &mut Report) {
    let Some(&first) = first_place(variable).as_ref() else { return };
    let bare = program.inlined_name(first.file, name).unwrap_or(name.as_str());
    let Some(proof) = proof(program, bare, variable) else {
        return hint(program, name, bare, variable, report);
    };
    let harm = harm_of(bare, proof.vendor);
    let shipped = !variable.reads.is_empty()
        || variable.uses.iter().any(|used| used.variables().any(|n| program.variable_behind(n) == name));
    let message = match (variable.inlined.first(), shipped) {
        (Some(inlined), true) => format!(
            "`{}` writes `{name}` into the code that visitors download: {} is public, and anyone can {harm}",
            inlined.setting, proof.what
        ),
        (Some(inlined), false) => format!(
            "`{}` makes the build write `{name}` wherever client code names `{}`: one import ships {}, and anyone can {harm}",
            inlined.setting, inlined.replaced, proof.what
        ),
        (None, true) => format!(
            "the build writes `{name}` into the code that visitors download: {} is public, and anyone can {harm}",
            proof.what
        ),
        (None, false) if variable.given.is_empty() && variable.dormant.is_empty() => format!(
            "`{name}` names {} so that the build makes it public: today only server code needs it, the first read in client code ships it, and anyone can {harm}",
            proof.what
        ),
        (None, false) if variable.given.is_empty() => format!(
            "`{name}` is read in code that nothing imports today: once client code does, {} is public, and anyone can {harm}",
            proof.what
        ),
        (None, false) => format!(
            "`{name}` holds {} under a name that the build makes public: the first read in client code ships it, and anyone can {harm}",
            proof.what
        ),
    };
    let mut draft = report.at(first, name.as_str(), message).help(cure(program, first, bare, variable));
    for place in variable.reads.iter().chain(&variable.dormant).filter(|place| **place != first) {
        draft = draft.because(*place, "read here too");
    }
    for used in &variable.uses {
        let vendor = program.catalogue.vendor(used.vendor);
        let text = match &used.way {
            Way::Client(..) => format!("it is the key of this {} client", vendor.name),
            Way::Header(header) => format!("it goes to {} as `{header}`", vendor.name),
            Way::Query(parameter) => format!("it goes to {} as `{parameter}` in the URL", vendor.name),
        };
        draft = draft.because(program.call_place(used.at), text);
    }
    for inlined in variable.inlined.iter().filter(|inlined| inlined.place != first) {
        draft = draft.because(inlined.place, format!("`{}` inlines it", inlined.setting));
    }
    for (place, _, _) in variable.given.iter().filter(|(place, ..)| *place != first) {
        draft = draft.because(*place, "its value is in the repository");
    }
    let told: Vec<Place> = variable.given.iter().map(|(place, ..)| *place).chain([first]).collect();
    let mut values: Vec<u64> = variable.given.iter().filter_map(|(.., token)| Some(token.as_ref()?.hash)).collect();
    values.sort_unstable();
    values.dedup();
    for place in values.into_iter().flat_map(|hash| same_value(program, hash, &told)) {
        draft = draft.because(place, "the same value stands here");
    }
    if let Some(vendor) = proof.vendor {
        draft = draft.vendor(id(vendor));
        if vendor.category == Category::Automation {
            draft = draft.severity(Severity::Warning).confidence(Confidence::Low);
        }
    }
    if proof.test {
        draft = draft.severity(Severity::Warning);
    }
    if !shipped && variable.given.is_empty() {
        let nobody = variable.dormant.is_empty() && variable.inlined.is_empty();
        draft.confidence(if nobody { Confidence::Low } else { Confidence::Medium });
    }
}

fn cure(program: &Program, first: Place, bare: &str, variable: &Variable<'_>) -> String {
    let home = home(program, first.file, bare);
    let first_step = match variable.inlined.first() {
        Some(inlined) => format!("Take it out of `{}`", inlined.setting),
        None => format!("Rename it to `{bare}`"),
    };
    // One that somebody types in is compared; one that logs the app in somewhere is used.
    let login = ["SMTP", "MAIL", "DATABASE", "POSTGRES", "MYSQL", "MONGO", "DB_", "FTP", "REDIS"];
    let typed = bare.contains("PASSW") && !login.iter().any(|word| bare.contains(word));
    let then = if typed {
        format!("compare with {} in {}, where nobody sees it", home.read, home.place)
    } else if bare.contains("WEBHOOK") && !bare.contains("URL") {
        format!("check deliveries with {} in {}, where they come in", home.read, home.place)
    } else {
        format!("read it in {} as {}, let the browser call that", home.place, home.read)
    };
    format!("{first_step}, {then}, and revoke the value that was built in.")
}

/// A key of unknown kind in client code: for auditors.
fn hint(program: &Program, name: Name, bare: &str, variable: &Variable<'_>, report: &mut Report) {
    let is_key = ["API_KEY", "ACCESS_TOKEN", "ENCRYPTION_KEY"].iter().any(|end| bare.ends_with(end));
    let browser = variable.uses.iter().any(|used| matches!(used.way, Way::Client(Runs::Browser | Runs::Both, _)));
    let known = program.variable(bare).0 == Nature::Public;
    let given = variable.given.iter().find(|(_, entry, _)| entry.value == EnvValue::Random).map(|(place, ..)| place);
    if let (Some(&first), true, false, false) = (variable.reads.first().or(given), is_key, browser, known) {
        let message = format!(
            "the build writes `{name}` into the code that reads it in the browser; whether it is a secret cannot be told from its use"
        );
        report
            .at(first, name.as_str(), message)
            .help("Make sure that the vendor means this key for browsers, and restrict it to your site.")
            .confidence(Confidence::Low);
    }
}

/// The environment as a whole in the bundle.
fn tell_whole(inlined: &Inlined, report: &mut Report) {
    report
        .at(
            inlined.place,
            inlined.replaced.as_str(),
            format!(
                "`{}` writes the whole environment of the build into the code that visitors download, wherever it or a library names `{}`: every secret of the build machine is public",
                inlined.setting, inlined.replaced
            ),
        )
        .help("Define only the values the browser needs, one by one: `\"process.env.NODE_ENV\": JSON.stringify(mode)`.");
}

/// Where to report: the read beside a use, else the first read, the configuration, the value, a read that is not
/// shipped yet.
fn first_place(variable: &Variable<'_>) -> Option<Place> {
    let beside = variable.reads.iter().find(|read| variable.uses.iter().any(|used| used.at.file == read.file));
    let read = beside.or(variable.reads.first()).copied();
    let inlined = || variable.inlined.first().map(|inlined| inlined.place);
    let given = || variable.given.first().map(|(place, ..)| *place);
    let unshipped = || variable.dormant.first().or(variable.harmless.first()).copied();
    read.or_else(inlined).or_else(given).or_else(unshipped)
}
