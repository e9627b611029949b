//! OAuth without a `state` that nobody else can know and somebody compares.

use crate::finding::{FileId, Place};
use crate::names::Name;
use crate::program::sign_in::oauth::callbacks::Callback;
use crate::program::sign_in::oauth::{Authorization, State};
use crate::program::{Entry, ExprRef, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// An OAuth connection that somebody else can begin
    ///
    /// The callback of an OAuth connection takes a `code` from whoever brings one. Without a `state` that this app
    /// drew at random, kept with the browser's session and compares, an attacker begins the connection himself, stops
    /// at the callback, and sends the link to a customer: the customer's account is then connected to the attacker's,
    /// and what the app stores there (mails, payouts, files) goes to the attacker; where the `state` says whose
    /// account it is, the attacker simply writes another customer's id.
    ///
    /// Reported are the redirect whose `state` is missing, always the same, or made of what anyone can know (a user's
    /// id, a time, base64 of either), and the callback that never compares it. A vendor's own signature on the callback
    /// (an HMAC over its parameters) says that the vendor sent the customer, not that he began here.
    ///
    /// ## Silent when
    ///
    /// - `state` is random or signed, or a PKCE verifier goes with the request;
    /// - the callback compares `state`, looks it up, or hands it to something that verifies it;
    /// - a library does it: NextAuth, passport, openid-client, Supabase's and Clerk's own login;
    /// - the code does not come off the URL of the server's own callback: whether the page that took it compared the
    ///   `state` cannot be told there.
    ///
    /// ## The cure
    ///
    /// Draw it, keep it in an `httpOnly` cookie (or a row with the user's id and an end), compare it once, throw it away.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/hubspot/connect/route.ts
    /// export async function GET(req: Request) {
    ///   const userId = new URL(req.url).searchParams.get("userId");
    ///   const params = new URLSearchParams({
    ///     client_id: process.env.HUBSPOT_CLIENT_ID!,
    ///     redirect_uri: `${process.env.APP_URL}/api/hubspot/callback`,
    ///     scope: "crm.objects.contacts.read",
    ///     state: btoa(JSON.stringify({ userId })),
    ///   });
    ///   return Response.redirect(`https://app.hubspot.com/oauth/authorize?${params}`);
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/hubspot/connect/route.ts
    /// import { cookies } from "next/headers";
    ///
    /// export async function GET() {
    ///   const state = crypto.randomUUID();
    ///   (await cookies()).set("hubspot_state", state, { httpOnly: true, secure: true, sameSite: "lax", maxAge: 600 });
    ///   const params = new URLSearchParams({
    ///     client_id: process.env.HUBSPOT_CLIENT_ID!,
    ///     redirect_uri: `${process.env.APP_URL}/api/hubspot/callback`,
    ///     scope: "crm.objects.contacts.read",
    ///     state,
    ///   });
    ///   return Response.redirect(`https://app.hubspot.com/oauth/authorize?${params}`);
    /// }
    /// ```
    id: "oauth-no-state", severity: Error, confidence: High, section: "Vendor credentials and permissions",
    security: Some(7.5), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let callbacks = program.trusting_callbacks();
    let mut told: Vec<ExprRef> = Vec::new();
    for authorization in program.authorizations() {
        if matches!(authorization.state, State::Fine | State::Unknown) {
            continue;
        }
        let own: Vec<&Callback> =
            callbacks.iter().filter(|callback| belongs(program, &authorization, callback)).collect();
        told.extend(own.iter().map(|callback| callback.exchange));
        tell_redirect(program, report, &authorization, &own);
    }
    for callback in callbacks.iter().filter(|callback| !told.contains(&callback.exchange)) {
        tell_callback(program, report, callback);
    }
}

/// Whether a callback is the one that an authorization leads back to: of the same vendor or site, and in the same
/// folder or file when nothing else tells several apart.
fn belongs(program: &Program, authorization: &Authorization, callback: &Callback) -> bool {
    let site = |host: Option<Name>| {
        host.map(|host| {
            let labels: Vec<&str> = host.rsplit('.').take(2).collect();
            labels.join(".")
        })
    };
    let vendor = authorization.vendor.is_some() && authorization.vendor == callback.vendor;
    let host = authorization.host.is_some() && site(authorization.host) == site(callback.host);
    let same_file = authorization.at.file == callback.exchange.file;
    let folder = |at: ExprRef| {
        let path = program.file(at.file).path;
        path.rsplit_once('/').and_then(|(folder, _)| folder.rsplit_once('/')).map(|(folder, _)| folder.to_owned())
    };
    let apart = authorization.host.is_some() && callback.host.is_some() && !host && !vendor;
    // A folder named after the vendor holds both.
    let named = folder(authorization.at).is_some_and(|folder| {
        let last = folder.rsplit('/').next().unwrap_or_default();
        !matches!(last, "api" | "auth" | "oauth" | "functions" | "routes" | "integrations" | "src" | "server" | "app")
    });
    let apart = apart && !named;
    vendor || host || same_file || folder(authorization.at) == folder(callback.exchange) && !apart
}

fn whose(program: &Program, authorization: &Authorization) -> String {
    match (authorization.vendor, authorization.host) {
        (Some(vendor), _) => program.catalogue.vendor(vendor).name.clone(),
        (None, Some(host)) => host.to_string(),
        (None, None) => "the vendor".to_owned(),
    }
}

fn tell_redirect(program: &Program, report: &mut Report, authorization: &Authorization, own: &[&Callback]) {
    let whose = whose(program, authorization);
    let lacks = match authorization.state {
        State::Absent => "without a `state`".to_owned(),
        State::Constant(text) if text.is_empty() => "with an empty `state`".to_owned(),
        State::Constant(_) => "with a `state` that is always the same".to_owned(),
        State::Predictable(what) => format!("with a `state` that is only {what}"),
        State::Fine | State::Unknown => return,
    };
    let message = format!(
        "the customer is sent to {whose} {lacks}: an attacker's link to the callback connects the attacker's account \
         there to a customer, or a customer's to the attacker"
    );
    let mut draft = report.at(program.place(authorization.at), "state", message).help(cure(program, authorization.at));
    if let Some(state_at) = authorization.state_at
        && state_at != authorization.at
    {
        draft = draft.because(program.place(state_at), "this is its `state`");
    }
    for callback in own {
        draft = draft.because(program.place(callback.exchange), "and the callback takes the code without a comparison");
    }
    if let Some(vendor) = authorization.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

fn tell_callback(program: &Program, report: &mut Report, callback: &Callback) {
    let entry = &program.entries[callback.entry];
    let whose = match (callback.vendor, callback.host) {
        (Some(vendor), _) => program.catalogue.vendor(vendor).name.clone(),
        (None, Some(host)) => host.to_string(),
        (None, None) => "the vendor".to_owned(),
    };
    let how = match callback.state_at {
        Some(_) => "reads `state` and never compares it with what was stored",
        None => "never looks at `state`",
    };
    let message = format!(
        "{} takes a code of {whose} and {how}: an attacker's link connects the attacker's account there to whoever opens \
         it",
        program.entry_name(entry)
    );
    let place: Place = program.place(callback.exchange);
    let mut draft = report.at(place, "callback", message).help(compare(program, callback.exchange));
    if let Some(state_at) = callback.state_at {
        draft = draft.because(program.place(state_at), "read here");
    }
    if let Some(vendor) = callback.vendor {
        draft.vendor(program.vendor_id(vendor));
    }
}

fn cure(program: &Program, at: ExprRef) -> String {
    if !program.facts(at.file).language.is_script() {
        let words = PythonWords::near(program, at.file);
        return format!(
            "Draw it, keep it in the session{}, compare it in the callback:\n{}[\"oauth_state\"] = state = \
             secrets.token_urlsafe(32)\n# in the callback\n{}",
            words.needs,
            words.session,
            words.comparison()
        );
    }
    if !program.runs_on_server(at.file) {
        return "Draw it, keep it in this browser, compare it when the customer comes back:\nconst state = \
                crypto.randomUUID();\nsessionStorage.setItem(\"oauth_state\", state);"
            .to_owned();
    }
    "Draw it, keep it where only this customer's session finds it (an httpOnly cookie, or a row with the user's id and an \
     end), compare it in the callback and throw it away:\nconst state = crypto.randomUUID();"
        .to_owned()
}

fn compare(program: &Program, at: ExprRef) -> String {
    if program.facts(at.file).language.is_script() {
        "Compare it before the exchange with what the redirect stored, and throw that away:\nif (!state || state !== \
         storedState) return new Response(\"invalid state\", { status: 400 });"
            .to_owned()
    } else {
        let words = PythonWords::near(program, at.file);
        format!("Compare it before the exchange{}:\n{}", words.needs, words.comparison())
    }
}

/// How a framework of Python keeps a session, reads a query and refuses.
struct PythonWords {
    session: &'static str,
    query: &'static str,
    refuses: &'static str,
    needs: &'static str,
}

impl PythonWords {
    /// As the entry points of a file, or else of its app, are served.
    fn near(program: &Program, file: FileId) -> Self {
        let is_python = |entry: &&Entry| !program.facts(entry.place.file).language.is_script();
        let served = |entry: &&Entry| is_python(entry) && entry.route.is_some();
        let own = program.entries.iter().filter(served).find(|entry| entry.place.file == file);
        let near = || program.entries.iter().filter(served).find(|entry| program.share_app(entry.place.file, file));
        match own.or_else(near).map_or("", |entry| entry.framework) {
            django if django.starts_with("django") => Self {
                session: "request.session",
                query: "request.GET.get",
                refuses: "return HttpResponse(status=400)",
                needs: "",
            },
            fastapi if fastapi.starts_with("fastapi") => Self {
                session: "request.session",
                query: "request.query_params.get",
                refuses: "raise HTTPException(status_code=400)",
                needs: " (Starlette's SessionMiddleware gives `request` one)",
            },
            _ => Self { session: "session", query: "request.args.get", refuses: "abort(400)", needs: "" },
        }
    }

    /// A session without one refuses, too: nothing is equal to nothing.
    fn comparison(&self) -> String {
        let Self { session, query, refuses, .. } = self;
        format!(
            "expected = {session}.pop(\"oauth_state\", None)\nif not expected or not hmac.compare_digest(expected, \
             {query}(\"state\", \"\")):\n    {refuses}"
        )
    }
}
