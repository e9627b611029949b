//! What the rules on open doors say alike: how a handler refuses strangers, in the way its kind answers, and whom else it
//! must let in.

use crate::catalogue::{Core, Effect};
use crate::facts::{ExprKind, FunctionId};
use crate::names::Name;
use crate::program::value::Value;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, ExprRef, Program, VendorUse};

mod signed_in;
pub(super) mod staff;

use signed_in::{LookUp, look_up};

/// How a handler answers with an error.
enum Style {
    /// It gives a `Response` back.
    Response,
    /// `res.status(401).json(..)`: the names of the request and of the answer.
    Status(Name, Name),
    /// `reply.code(401).send(..)`.
    Reply(Name, Name),
    /// `c.json(.., 401)`.
    Context(Name),
    /// `{ statusCode: 401, body }`.
    Object,
    /// What it gives back is a value: it throws.
    Throws,
    /// It throws an error with a code of its own, and is told who calls.
    Coded(Name),
}

/// Whether a handler has to ask the backend whose token it was brought: the platform lets its public key in.
pub(super) fn looks_user_up(program: &Program, entry: &Entry) -> bool {
    entry.kind == EntryKind::EdgeFunction
        && program.manifests.token_gate(&program.file(entry.place.file).path).is_some()
}

/// What is easily taken for a user, in brackets: the key that is in every page. Only where users are the backend's.
pub(super) fn no_user(program: &Program, entry: &Entry, key: &str) -> String {
    match looks_user_up(program, entry) && matches!(look_up(program, entry), LookUp::Backend) {
        true => format!(" (the {key} key is no user)"),
        false => String::new(),
    }
}

/// The code with which a handler turns strangers away, between backticks; none in Python.
pub(super) fn refusal(program: &Program, entry: &Entry) -> Option<String> {
    let style = style(program, entry)?;
    let asks = match &style {
        Style::Response if looks_user_up(program, entry) => {
            let gated = program.is_gated(entry.function.file);
            return Some(match look_up(program, entry) {
                LookUp::Backend => "`const { data: { user } } = await client.auth.getUser(token); if (!user) return new Response(\"sign in first\", { status: 401 })`".to_owned(),
                LookUp::Own(helper, caller) => {
                    let gate = match gated && !program.is_gated(caller.file) {
                        true => ", and with `verify_jwt = false` as there",
                        false => "",
                    };
                    format!("`{helper}(..)`, as {} does{gate}", program.file(caller.file).path)
                }
                LookUp::Vendor(vendor) => format!("verify the token of {vendor} that it is brought, and answer 401 without one"),
            });
        }
        Style::Status(request, _) | Style::Reply(request, _) => format!("!{request}.user"),
        Style::Context(context) => format!("!{context}.get(\"user\")"),
        Style::Coded(request) => format!("!{request}.auth"),
        Style::Response | Style::Object | Style::Throws => "!session?.user".to_owned(),
    };
    Some(format!("`if ({asks}) {}`", said(&style, 401, "sign in first")))
}

/// The statement with which a handler answers with an error; none in Python.
pub(super) fn answer(program: &Program, entry: &Entry, status: u16, text: &str) -> Option<String> {
    Some(said(&style(program, entry)?, status, text))
}

fn said(style: &Style, status: u16, text: &str) -> String {
    match style {
        Style::Response => format!("return new Response(\"{text}\", {{ status: {status} }})"),
        Style::Status(_, answer) => format!("return {answer}.status({status}).json({{ error: \"{text}\" }})"),
        Style::Reply(_, reply) => format!("return {reply}.code({status}).send({{ error: \"{text}\" }})"),
        Style::Context(context) => format!("return {context}.json({{ error: \"{text}\" }}, {status})"),
        Style::Object => format!("return {{ statusCode: {status}, body: \"{text}\" }}"),
        Style::Throws => format!("throw new Error(\"{text}\")"),
        Style::Coded(_) if status == 401 => format!("throw new HttpsError(\"unauthenticated\", \"{text}\")"),
        Style::Coded(_) => format!("throw new HttpsError(\"invalid-argument\", \"{text}\")"),
    }
}

fn style(program: &Program, entry: &Entry) -> Option<Style> {
    let facts = program.facts(entry.function.file);
    if !facts.language.is_script() {
        return None;
    }
    if matches!(entry.kind, EntryKind::ServerAction | EntryKind::Procedure) {
        return Some(Style::Throws);
    }
    let shape = facts.function(entry.function.function);
    let param = |at: usize| shape.params.get(at).and_then(|param| param.name);
    let named = |name: Option<Name>, any: &[&str]| name.filter(|name| any.contains(&name.trim_start_matches('_')));
    let within = |kind: &dyn Fn(&ExprKind) -> bool| {
        entry.function.function != FunctionId::MODULE
            && facts.exprs.iter().any(|expr| shape.span.contains(expr.span) && kind(&expr.kind))
    };
    let request = param(0).unwrap_or_else(|| Name::new("req"));
    if let Some(answer) = named(param(1), &["res", "response"]) {
        return Some(Style::Status(request, answer));
    }
    if let Some(reply) = named(param(1), &["reply", "rep"]) {
        return Some(Style::Reply(request, reply));
    }
    // Its handlers may leave the second parameter out.
    if entry.framework == "fastify" && param(1).is_none() {
        return Some(Style::Reply(request, Name::new("reply")));
    }
    let answers_by_it = |name: Name| {
        within(&|kind| match kind {
            ExprKind::Member(base, member) if matches!(member.as_str(), "json" | "text" | "body") => {
                matches!(facts.expr(*base), ExprKind::Ref(of, _) if *of == name)
            }
            _ => false,
        })
    };
    if let Some(context) = named(param(0), &["c", "ctx", "context"]).filter(|&context| answers_by_it(context)) {
        return Some(Style::Context(context));
    }
    if within(&|kind| matches!(kind, ExprKind::Ref(name, _) if *name == "HttpsError")) {
        return Some(Style::Coded(request));
    }
    if within(&|kind| matches!(kind, ExprKind::Object(entries) if entries.iter().any(|(key, _)| *key == "statusCode")))
    {
        return Some(Style::Object);
    }
    Some(Style::Response)
}

/// The cure for what a vendor asks, which brings no user: it goes on with what is answered here.
pub(super) fn by_vendor(program: &Program, entry: &Entry) -> Option<String> {
    let vendor = program.catalogue.vendor(program.answers_vendor(entry)?);
    let webhook = vendor.webhooks.first()?;
    let script = program.facts(entry.function.file).language.is_script();
    let how = match &webhook.cure_edge {
        _ if !script => webhook.cure_py.clone(),
        Some(edge) if program.runs_on_edge(entry) => edge.clone(),
        _ => program.as_read_by(entry, &webhook.cure_js),
    };
    Some(format!("{} calls it, and brings no user: let in what it has signed, and nobody else. {how}", vendor.name))
}

/// The cure for what the app's own code asks with no user of its own: servers, a link that somebody opens, or the page
/// where the account is made.
pub(super) fn by_callers(program: &Program, entry: &Entry, at: CallRef) -> Option<String> {
    if let Some(link) = program.opened_by_link(entry) {
        return Some(format!(
            "It is opened by a link ({}:{}), which brings no user: make a random token for each link, keep it with what the \
             link is for, put it into the link in place of the id, and act only on what that token finds: \
             `.eq(\"token\", token)`.",
            program.file(link.file).path,
            program.line(link)
        ));
    }
    let callers: Vec<CallRef> = program
        .incoming(entry.function)
        .iter()
        .filter(|edge| edge.kind == EdgeKind::Jump && !program.side(edge.call.file).tooling)
        .map(|edge| edge.call)
        .collect();
    let of_server = |&&caller: &&CallRef| {
        let side = program.side(caller.file);
        side.server && !side.client
    };
    let servers: Vec<CallRef> = callers.iter().filter(of_server).copied().collect();
    if callers.is_empty() {
        return by_database(program, entry, at);
    }
    if let Some(caller) = callers.iter().find(|&&caller| is_before_session(program, caller)) {
        return Some(format!(
            "It is called right after the account is made ({}), when there is no session yet: let a hook of the sign-up or a \
             trigger of the database call it with a secret that only the app's servers have, and refuse everybody else.",
            place(program, *caller)
        ));
    }
    let script = program.facts(at.file).language.is_script();
    let edge = script && looks_user_up(program, entry);
    let without = servers.iter().find(|&&caller| brings_key(program, caller) == Some(false));
    let first = without.map_or(String::new(), |caller| {
        format!(" First send that key where it is called with the public one ({}).", place(program, *caller))
    });
    let header = format!(
        "{}.headers.get(\"Authorization\") !== `Bearer ${{Deno.env.get(\"SUPABASE_SERVICE_ROLE_KEY\")}}`",
        request_of(program, entry)
    );
    if servers.len() == callers.len() {
        let how = match edge {
            true => {
                let bring =
                    if without.is_some() { "" } else { " (they bring that key when their client is made with it)" };
                format!("`if ({header}) return new Response(\"not for you\", {{ status: 401 }})`{bring}")
            }
            false => "answer 401 unless a header holds a secret that only the app's servers have".to_owned(),
        };
        return Some(format!(
            "Only the app's own servers call it, and they bring no user: let them in and nobody else: {how}.{first}"
        ));
    }
    // Pages and servers: either of the two.
    let server = servers.first().filter(|_| edge)?;
    let role = staff::only_staff(program, entry).filter(|_| staff::is_meant_for_staff(program, entry));
    let role = role.map_or(String::new(), |asks| format!("; {asks}"));
    Some(format!(
        "Pages call it, and the app's own servers ({}), which bring no user: let in either: `if ({header}) {{ const {{ data: {{ user }} }} = await \
         client.auth.getUser(token); if (!user) return new Response(\"sign in first\", {{ status: 401 }}){role} }}` (the public key is no \
         user).{first}",
        place(program, *server)
    ))
}

/// The cure for what pages ask once somebody has signed in: there is a session, and its user has an address.
pub(super) fn once_signed_in(program: &Program, entry: &Entry) -> Option<String> {
    let caller = program.asked_once_signed_in(entry)?;
    let refuses = refusal(program, entry)?;
    Some(format!(
        "It is called once somebody has signed in ({}), so ask whose session it is, and write to the address of that user, \
         not to one of the request: {refuses}.",
        place(program, caller)
    ))
}

/// The name by which a handler has its request: `_req`; the usual one where it takes none, `request` where it takes it
/// apart: `({ request }) =>`.
pub(super) fn request_of(program: &Program, entry: &Entry) -> String {
    let facts = program.facts(entry.function.file);
    match facts.function(entry.function.function).params.first() {
        Some(param) => param.name.map_or("request".to_owned(), |name| name.to_string()),
        None => "req".to_owned(),
    }
}

/// The secret that clocks bring.
const SECRET: &str = "CRON_SECRET";

/// The cure for what the database asks and nobody else does.
fn by_database(program: &Program, entry: &Entry, at: CallRef) -> Option<String> {
    let sent = sent_by_database(program, entry, SECRET)?;
    let asks = asks_secret(program, entry, at, SECRET, "x-cron-secret")?;
    Some(format!(
        "The database asks it, and brings no user: let in whoever brings a secret that the two of them have, and nobody \
         else:\n{asks}{sent}"
    ))
}

/// The cure for what a clock starts, which may be set up where no file says so: it sends or changes something rather
/// than answer whoever asks.
pub(super) fn by_clock(program: &Program, entry: &Entry, at: CallRef) -> Option<String> {
    let works = |used: &VendorUse| match program.operation(used).map(|operation| operation.effect) {
        Some(Effect::Send) => true,
        Some(Effect::Create | Effect::Update | Effect::Delete) => program.catalogue.vendor(used.vendor).own_backend,
        _ => false,
    };
    if !program.looks_like_job(entry) || !program.vendors_behind(entry).any(works) {
        return None;
    }
    let asks = asks_secret(program, entry, at, SECRET, "x-cron-secret")?;
    Some(format!(
        "Nothing in the repository calls it, and it takes no input, so a clock may start it, which brings no user: let in \
         whoever brings a secret, and send that from whatever starts it, before this is deployed:\n{asks}"
    ))
}

/// The cure for what the database hands the rows to that have changed: it brings no user, and its row is not believed.
pub(super) fn by_row_change(program: &Program, entry: &Entry, at: CallRef) -> Option<String> {
    let called = program.incoming(entry.function).iter().any(|edge| edge.kind == EdgeKind::Jump);
    let asks = asks_secret(program, entry, at, "ROW_CHANGE_SECRET", "x-row-secret").filter(|_| !called)?;
    Some(format!(
        "It takes the row that has changed, so the database calls it, which brings no user: let in whoever brings a secret, \
         and put that into the headers of the database's webhook before this is deployed. Then read the row anew by its \
         id, and go by what stands there:\n{asks}"
    ))
}

/// The check of a secret that no user brings.
fn asks_secret(program: &Program, entry: &Entry, at: CallRef, secret: &str, header: &str) -> Option<String> {
    let read = program.read_of_variable(at.file, Name::new(secret));
    let refuses = answer(program, entry, 401, "not for you")?;
    let request = request_of(program, entry);
    let brought = match program.is_gated(entry.function.file) {
        true => format!("{request}.headers.get(\"{header}\") !== secret"),
        false => format!("{request}.headers.get(\"Authorization\") !== `Bearer ${{secret}}`"),
    };
    let given = match program.facts(entry.function.file).function(entry.function.function).params.is_empty() {
        true => format!("// give the handler its request: ({request}) => ..\n"),
        false => String::new(),
    };
    Some(format!("{given}const secret = {read};\nif (!secret || {brought}) {{\n  {refuses};\n}}"))
}

/// How the database comes to send the secret, from its jobs and functions alike, and what tells how the live one does it.
/// What they send besides stays as it is: an endpoint reads it.
pub(super) fn sent_by_database(program: &Program, entry: &Entry, secret: &str) -> Option<String> {
    let requests = program.asked_by_database(entry);
    if requests.is_empty() {
        return None;
    }
    let kept = secret.to_ascii_lowercase();
    let lines: Vec<String> = requests
        .iter()
        .map(|asked| {
            let place = format!("{}:{}", program.file(asked.place.file).path, program.line(asked.place));
            match (asked.function, asked.job) {
                (Some(function), _) => format!("    {place}  the function {function}"),
                (None, Some(job)) => format!("    {place}  the job {job}"),
                (None, None) => format!("    {place}"),
            }
        })
        .collect();
    let mut jobs: Vec<String> = requests.iter().filter_map(|asked| asked.job).map(|job| format!("'{job}'")).collect();
    jobs.sort();
    jobs.dedup();
    let live = match (&jobs[..], entry.name) {
        ([], name) => {
            let name = name.map_or_else(|| "net.http_post".to_owned(), |name| name.to_string());
            format!("select proname, prosrc from pg_proc where prosrc like '%{name}%';")
        }
        _ => format!("select jobname, schedule, command from cron.job where jobname in ({});", jobs.join(", ")),
    };
    // The platform's gate takes a token of its own in `Authorization`, and refuses anything else there.
    let held = format!("(select decrypted_secret from\n      vault.decrypted_secrets where name = '{kept}')");
    let headers = if program.is_gated(entry.function.file) {
        format!("add to what `headers` holds already, its Authorization among it:\n    'x-cron-secret', {held}")
    } else {
        format!(
            "headers :=\n      jsonb_build_object('Content-Type', 'application/json', 'Authorization', 'Bearer ' ||\n      {held})"
        )
    };
    Some(format!(
        "\n\nThe database takes it from where it keeps secrets, for a migration is read by everyone who reads the \
         repository. Once, by hand:\n    select vault.create_secret('a long random text', '{kept}');\nThen, in a new \
         migration, write what posts to it again as it stands, with its address and its body, and change `headers` \
         alone (`cron.schedule` with the same name replaces a job, `create or replace` a function):\n{}\n    {headers}\nThis is what the migrations say; the live database may differ. \
         Ask it:\n    {live}",
        lines.join("\n")
    ))
}

/// Whether a call brings a key that only servers have; none where that cannot be seen.
fn brings_key(program: &Program, caller: CallRef) -> Option<bool> {
    let uses = program.vendors_at(caller);
    if uses.iter().any(|used| program.has_full_rights(used)) {
        return Some(true);
    }
    let facts = program.facts(caller.file);
    let variables = facts.call(caller.call).args.iter().flat_map(|arg| {
        let within = facts.span(arg.value);
        let inner = (0..facts.exprs.len() as u32).map(crate::facts::ExprId);
        inner.filter(move |&expr| within.contains(facts.span(expr))).flat_map(|expr| match facts.expr(expr) {
            ExprKind::Env(name) => vec![*name],
            ExprKind::Ref(..) => {
                let value = program.value(ExprRef::new(caller.file, expr));
                let parts = program.ingredients(&value).into_iter();
                parts.filter_map(|part| if let Value::Env(name) = part { Some(name) } else { None }).collect()
            }
            _ => vec![],
        })
    });
    let says = |name: &Name, any: &[&str]| words(name).iter().any(|word| any.contains(&word.as_str()));
    let mut public = false;
    for name in variables {
        if says(&name, &["service", "secret"]) {
            return Some(true);
        }
        public |= says(&name, &["anon", "publishable"]);
    }
    public.then_some(false)
}

/// Whether a call stands behind the call that makes an account, in the same function.
fn is_before_session(program: &Program, caller: CallRef) -> bool {
    let facts = program.facts(caller.file);
    let start = facts.span(facts.call(caller.call).expr).start;
    program.calls_in(program.function_of(caller)).any(|other| {
        facts.span(facts.call(other.call).expr).end <= start
            && program
                .vendors_at(other)
                .iter()
                .any(|used| program.operation(used).is_some_and(|operation| operation.core == Some(Core::Signup)))
    })
}

/// `src/pages/Auth.tsx:12`
fn place(program: &Program, call: CallRef) -> String {
    let place = program.call_place(call);
    format!("{}:{}", program.file(place.file).path, program.line(place))
}
