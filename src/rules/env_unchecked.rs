//! Credentials out of the environment that go out whether they are set or not.

use super::integration_breaks_boot::{is_one_of_many, made_when_used};
use crate::facts::FunctionId;
use crate::names::Name;
use crate::program::Program;
use crate::program::secrets::unchecked::{Instead, Unchecked, Way};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A credential is sent whether it is set or not
    ///
    /// A new deployment, a preview, a typo in the dashboard: the variable is unset, and the app starts as if nothing
    /// were wrong. Each request then goes out with `Bearer undefined`, the vendor answers 401 to your customers'
    /// every action, and the logs tell of an authentication error in place of the missing variable.
    ///
    /// ## Silent when
    ///
    /// - something hangs on the variable: it is asked for on the way, by a guard such as `isConfigured()`, or at the
    ///   start by a schema or a list of what must be set (a warning in the log alone stops nothing)
    /// - the read fails by itself, as `os.environ["X"]` does
    /// - the SDK refuses an absent key, and no text stands in for it
    /// - the platform sets the variable; the value is publishable
    ///
    /// ## The cure
    ///
    /// Ask for the variable where it is used, and stop with its name. Not when a file is loaded that the rest of the
    /// app needs, too: that would stop all of it.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/invite/route.ts
    /// export async function POST(req: Request) {
    ///   const { to } = await req.json();
    ///   const res = await fetch("https://api.resend.com/emails", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${process.env.RESEND_API_KEY}` },
    ///     body: JSON.stringify({ from: "hi@example.com", to, subject: "Hi", text: "Join us" }),
    ///   });
    ///   return Response.json({ ok: res.ok });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/invite/route.ts
    /// export async function POST(req: Request) {
    ///   const key = process.env.RESEND_API_KEY;
    ///   if (!key) throw new Error("RESEND_API_KEY is not set");
    ///   const { to } = await req.json();
    ///   const res = await fetch("https://api.resend.com/emails", {
    ///     method: "POST",
    ///     headers: { Authorization: `Bearer ${key}` },
    ///     body: JSON.stringify({ from: "hi@example.com", to, subject: "Hi", text: "Join us" }),
    ///   });
    ///   return Response.json({ ok: res.ok });
    /// }
    /// ```
    id: "env-unchecked", severity: Warning, confidence: Medium, section: "Configuration and ownership",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for (used, others) in program.unchecked_credentials() {
        let variable = used.variable;
        let script = program.facts(used.at.file).language.is_script();
        let message = format!(
            "while {variable} is unset, {} is asked with {}: it turns every request away, and nothing says that the \
             variable is missing",
            used.whom,
            sent(&used, script)
        );
        let mut draft =
            report.at(program.call_place(used.at), variable.to_string(), message).help(help(program, &used));
        if let Some(vendor) = used.vendor {
            draft = draft.vendor(program.vendor_id(vendor));
        }
        if let Some(place) = used.put {
            draft = draft.because(place, "the key is put in here");
        }
        for place in others {
            draft = draft.because(place, "and here");
        }
    }
}

/// What goes out in place of the credential.
fn sent(used: &Unchecked, script: bool) -> String {
    let nothing = if script { "undefined" } else { "None" };
    let value = match used.instead {
        Instead::Nothing => nothing.to_owned(),
        Instead::Empty => String::new(),
        Instead::StandIn(text) => text.to_string(),
    };
    match (used.way, used.instead) {
        (Way::Client(_), Instead::StandIn(text)) => format!("the stand-in \"{text}\" for a key"),
        (Way::Client(_), _) => "no key at all".to_owned(),
        (Way::Header(name, _), Instead::Empty) => format!("an empty {name} header"),
        (Way::Header(_, scheme), _) if scheme == "Basic" => format!("the password `{value}`"),
        (Way::Header(name, scheme), _) => {
            format!("`{name}: {scheme}{}{value}`", if scheme.is_empty() { "" } else { " " })
        }
        (Way::Basic, Instead::Empty) => "an empty password".to_owned(),
        (Way::Basic, _) => format!("the password `{value}`"),
        (Way::Query(name), _) => format!("`{name}={value}`"),
    }
}

fn help(program: &Program, used: &Unchecked) -> String {
    let (variable, facts) = (used.variable, program.facts(used.at.file));
    let at_load = facts.function_of(facts.call(used.at.call).block) == FunctionId::MODULE;
    let one_of_many = is_one_of_many(program, used.at.file);
    if at_load && one_of_many && matches!(used.way, Way::Client(_)) {
        // A key that is put into a package has no client to make.
        if facts.call(used.at.call).dropped {
            return format!(
                "Stop without {variable}, by its name, in what uses it, so that only that feature fails:\n{}",
                stop(program, used)
            );
        }
        let read = program.read_of_variable(used.at.file, variable);
        let made = made_when_used(facts.language.is_script(), &read, variable.as_str());
        return format!(
            "Stop without {variable}, by its name, when the client is first used, so that only that feature fails:\n{made}"
        );
    }
    format!("Stop without {variable}, by its name:\n{}", stop(program, used))
}

/// How to read a variable so that its absence is told.
fn stop(program: &Program, used: &Unchecked) -> String {
    let (file, variable) = (used.at.file, used.variable);
    if !program.facts(file).language.is_script() {
        return format!("{} = os.environ[\"{variable}\"]", local(variable).to_lowercase());
    }
    let key = local(variable);
    format!(
        "const {key} = {};\nif (!{key}) throw new Error(\"{variable} is not set\");",
        program.read_of_variable(file, variable)
    )
}

/// A name for what a variable holds: `apiKey` for `RESEND_API_KEY`.
fn local(variable: Name) -> &'static str {
    let has = |word: &str| variable.contains(word);
    match () {
        () if has("TOKEN") => "token",
        () if has("SECRET") => "secret",
        () if has("PASS") => "password",
        () => "key",
    }
}
