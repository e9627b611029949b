//! Functions and routes that use the app's full rights on whatever the request names, for anyone who asks.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use crate::catalogue::{Core, Effect};
use crate::finding::{Confidence, FileId};
use crate::names::Name;
use crate::program::callers::audience::functions_on;
use crate::program::callers::doors::Door;
use crate::program::callers::full_rights::{Pick, TABLES, Touch};
use crate::program::callers::left_out::LeftOut;
use crate::program::money::spending::{delivers_itself, takes_orders};
use crate::program::origins::Origin;
use crate::program::verify::words;
use crate::program::{Entry, EntryKind, Program, VendorUse};
use crate::rule::Report;

use super::strangers::staff;

crate::rule! {
    /// A function that acts for anyone, with the app's full rights
    ///
    /// The service key and the keys of vendors may do everything: no policy of the database stands behind them. A
    /// function that uses them has to ask who is calling, or it does for any stranger what it does for the owner:
    /// whoever sends another customer's id changes, cancels or reads what is theirs. That the pages only send the
    /// right id helps nobody: the function has an address of its own.
    ///
    /// A platform that asks for a token (`verify_jwt`) stops nobody either: the public key of the app, which is in
    /// every browser, is one. Then the report is of medium confidence.
    ///
    /// That a header is there asks nobody who they are; neither does a token that is read and not verified, or the role
    /// of a user whom the request names.
    ///
    /// ## Silent when
    ///
    /// - a user, a role, a signature, a secret or a captcha is asked for: in the handler, in a helper, a decorator, or
    ///   in middleware that covers the route; also where what cannot be followed may ask
    /// - what picks the row only its owner knows: a token, a code, an order number together with an address
    /// - signing up, logging in and paying as a guest are what it is for
    /// - nothing in the request picks whose rows are meant: forms, waiting lists, public pages
    /// - the client carries the caller's own token: then the policies decide
    /// - a vendor's webhook, or a door to a paid service: other rules report those
    ///
    /// ## The cure
    ///
    /// Look the caller up from the token and use that id, never one of the body.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/close-account/index.ts
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { userId } = await req.json();
    ///   await db.from("profiles").delete().eq("user_id", userId);
    ///   return Response.json({ closed: true });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/close-account/index.ts
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const token = req.headers.get("Authorization")?.replace("Bearer ", "");
    ///   const { data: { user } } = await db.auth.getUser(token);
    ///   if (!user) return new Response("sign in first", { status: 401 });
    ///   await db.from("profiles").delete().eq("user_id", user.id);
    ///   return Response.json({ closed: true });
    /// });
    /// ```
    id: "edge-function-no-auth", severity: Error, confidence: High, section: "Data access of backend-as-a-service vendors",
    security: Some(8.2), since: "0.1.0", check: check
}

/// A way from the outside to what full rights do.
struct Found<'p> {
    used: &'p VendorUse,
    start: Origin,
    pick: Pick,
}

fn check(program: &Program, report: &mut Report) {
    // One function is told once: by its worst.
    let mut doors: BTreeMap<usize, Found<'_>> = BTreeMap::new();
    let covered = LazyCell::new(|| covered(program));
    let signed = program.signed_uploads();
    for used in program.vendor_uses().iter().chain(&signed) {
        if !may_matter(program, used) {
            continue;
        }
        for start in program.origins_of(used.at) {
            if !program.is_public(start.entry) {
                continue;
            }
            let entry = &program.entries[start.entry];
            let Some(pick) = program.pick(&start.way, used) else { continue };
            let functions = functions_on(program, entry, &start, used.at);
            if must_be_told(&pick) && !is_told(program, entry, used, &pick)
                || is_for_anyone(program, entry, &pick)
                || !program.is_offered(entry)
                || entry.kind == EntryKind::ServerAction
                    && covered.iter().any(|&gate| program.share_app(gate, entry.place.file))
                || functions.iter().any(|&function| program.asks_by_two(&start.way, function, used, &pick))
                || functions.into_iter().any(|function| program.asks_what_one_knows(function))
            {
                continue;
            }
            if program.door(&start, program.own_account(start.entry), used.at) == Door::Guarded {
                continue;
            }
            let found = Found { used, start, pick };
            match doors.get(&found.start.entry) {
                Some(known) if (known.pick.touch, known.used.at) <= (found.pick.touch, found.used.at) => {}
                _ => drop(doors.insert(found.start.entry, found)),
            }
        }
    }
    for (entry, found) in doors {
        if !program.pays_for_anyone(entry) {
            tell(program, report, &found);
        }
    }
}

fn may_matter(program: &Program, used: &VendorUse) -> bool {
    program.runs_on_server(used.at.file)
        && (program.signed_path(used.at).is_some()
            || program.operation(used).is_some_and(|operation| {
                let own = program.catalogue.vendor(used.vendor).own_backend;
                matches!(operation.effect, Effect::Delete | Effect::Update | Effect::Read | Effect::List)
                    || operation.refunds
                    || operation.whose.is_some()
                    || !operation.cards.is_empty()
                    || own && matches!(operation.effect, Effect::Create | Effect::Token | Effect::Upload)
            }))
}

/// Whether it is harmful only where the answer says what it finds or makes.
fn must_be_told(pick: &Pick) -> bool {
    matches!(pick.touch, Touch::Reads | Touch::Lists) || pick.what == "link" || pick.by == "link"
}

/// Whether the answer tells what is read.
fn is_told(program: &Program, entry: &Entry, used: &VendorUse, pick: &Pick) -> bool {
    program.is_answered(entry.function, pick, used.at) || pick.what == "files" && program.streams_out(used.at)
}

/// The middleware that asks who is calling and stands before an app's pages, and so before their actions.
fn covered(program: &Program) -> Vec<FileId> {
    let middleware = program.entries.iter().filter(|entry| entry.kind == EntryKind::Middleware);
    let asks = middleware.filter(|entry| program.door_of_function(entry.function, false) == Door::Guarded);
    asks.map(|entry| entry.place.file).collect()
}

/// Whether an entry point is for people who have no account yet, or need none: signing up, logging in, paying.
fn is_for_anyone(program: &Program, entry: &Entry, pick: &Pick) -> bool {
    let names = format!("{} {}", program.entry_name(entry), program.function_name(entry.function));
    // Links in mails and pages that the public may see.
    if words(&names).iter().any(|word| {
        matches!(
            word.as_str(),
            "track"
                | "tracking"
                | "click"
                | "open"
                | "pixel"
                | "public"
                | "share"
                | "shared"
                | "embed"
                | "widget"
                | "newsletter"
                | "waitlist"
                | "unsubscribe"
        )
    }) {
        return true;
    }
    // Nobody signs up to get at what others have.
    if matches!(pick.touch, Touch::TakesOver | Touch::Empowers) {
        return program.asks_for_payment(entry);
    }
    // Nor pays to have it back, or to see what others pay.
    if matches!(pick.touch, Touch::Refunds | Touch::Charges | Touch::Opens) {
        return false;
    }
    // The folder that all of signing in lies in says nothing of who may change the account that an id picks.
    let names = match (pick.touch, pick.what.as_str()) {
        (Touch::Changes, "users") => names.replace("/auth/", "/"),
        _ => names,
    };
    let orders = || pick.touch != Touch::Removes && takes_orders(program, entry);
    if delivers_itself(&names) || orders() {
        return true;
    }
    // Whoever signs up changes no row but their own new one, which no id of the request picks.
    let of_others =
        pick.touch == Touch::Removes || pick.touch == Touch::Changes && words(&pick.by).iter().any(|word| word == "id");
    let invited = words(&pick.what).iter().any(|word| word.starts_with("invit"));
    let mut uses = program.vendors_behind(entry);
    let starts = uses.any(|used| {
        let core = program.operation(used).and_then(|operation| operation.core);
        core.is_some_and(|core| core != Core::Signup || !of_others || invited)
    });
    // That a record is there says nothing of whose it is.
    starts || pick.what != "records" && program.asks_for_payment(entry)
}

fn tell(program: &Program, report: &mut Report, found: &Found<'_>) {
    let Found { used, start, pick } = found;
    let entry = &program.entries[start.entry];
    let name = program.entry_name(entry);
    let gated = program.is_gated(entry.place.file);
    let whom = if gated { "anyone who has the app's public key" } else { "anyone who finds it" };
    let does = does(program, used, pick);
    let is_plain = |said: &&Name| {
        said.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !matches!(
                said.as_str(),
                "body" | "searchParams" | "payload" | "data" | "params" | "requestData" | "input" | "req" | "json"
            )
    };
    let whose = || pick.source.iter().any(|source| source.names.contains(&pick.by)).then_some(pick.by);
    let said = whose().filter(|_| pick.what == "files");
    let said = said.or_else(|| pick.source.as_ref()?.names.iter().find(is_plain).copied());
    let by = match (&pick.source, said) {
        (None, _) => String::new(),
        (_, Some(said)) => format!(" takes `{said}` from the request,"),
        (_, None) => " takes what it does it to from the request,".to_owned(),
    };
    let left_out = program.left_out_of(&functions_on(program, entry, start, used.at));
    let unloaded = program.unloaded_middleware(entry);
    let asks = match left_out {
        _ if unloaded.is_some() => "asks nobody who they are, since Next does not load the middleware".to_owned(),
        Some((_, LeftOut { name, any: true, .. })) => format!("asks nothing of whoever brings any `{name}`"),
        Some((_, LeftOut { noted: true, .. })) => "turns away nobody who is no user".to_owned(),
        Some((_, LeftOut { name, .. })) => format!("asks nothing of whoever leaves `{name}` out"),
        None => "asks nobody who they are".to_owned(),
    };
    let message = format!("{whom} can {does} ({}): {name}{by} has rights that no policy stops, and {asks}", used.name);
    let confidence = if gated { Confidence::Medium } else { Confidence::High };
    let mut draft = report
        .at(program.call_place(used.at), used.name.clone(), message)
        .confidence(confidence)
        .vendor(program.vendor_id(used.vendor));
    if let Some(source) = &pick.source {
        draft = draft.because(program.place(source.read), "comes with the request");
    }
    if let Some((place, left_out)) = left_out {
        draft = draft.because(place, left_out.says());
    }
    if let Some(unloaded) = unloaded {
        draft = draft.because(unloaded.place, "Next does not load this where it lies");
    }
    draft
        .because(entry.place, format!("{name} starts here"))
        .help(
            unloaded
                .map(super::unauthenticated_paid_proxy::moved)
                .or_else(|| super::unauthenticated_paid_proxy::always_asked(left_out.map(|(_, left_out)| left_out)))
                .or_else(|| super::strangers::by_vendor(program, entry))
                .or_else(|| super::strangers::by_callers(program, entry, used.at))
                .or_else(|| {
                    let of_row = pick.source.as_ref().is_some_and(|source| source.is_row_change());
                    of_row.then(|| super::strangers::by_row_change(program, entry, used.at))?
                })
                .unwrap_or_else(|| cure(program, entry, found)),
        )
        .trace(program.trace_from(start, used.at, &format!("{} can {does}", used.name)));
}

/// What a stranger can do.
fn does(program: &Program, used: &VendorUse, pick: &Pick) -> String {
    let does = match pick.touch {
        Touch::TakesOver if pick.what == "link" => return "log in as any user".to_owned(),
        Touch::TakesOver if pick.what == "statements" => return "run any statement in the database".to_owned(),
        _ if pick.what == TABLES => {
            let does = match program.operation(used).map(|operation| operation.effect) {
                Some(Effect::Create) => "add rows to",
                Some(Effect::Update) => "change the rows of",
                Some(Effect::Delete) => "remove the rows of",
                _ => "read the rows of",
            };
            return format!("{does} any table");
        }
        Touch::TakesOver => return "take over any user's account".to_owned(),
        Touch::Empowers => return format!("get any role in {}, an administrator's too", pick.what),
        Touch::Refunds => return "have any customer's payment refunded".to_owned(),
        Touch::Charges => return "charge the card that any customer left".to_owned(),
        Touch::Opens => {
            let vendor = &program.catalogue.vendor(used.vendor).name;
            return format!("open what {vendor} keeps of any customer, and cancel what they pay for");
        }
        Touch::Changes if pick.by == "link" => return "put files in place of other customers'".to_owned(),
        Touch::Adds if pick.what == "files" => return "add files to other customers' folders".to_owned(),
        Touch::Reads if pick.what == "files" && lists(program, used) => {
            return "see which files other customers have".to_owned();
        }
        Touch::Adds => return format!("add rows to {} for any customer", pick.what),
        Touch::Lists if pick.what == "users" => return "read the addresses of all users".to_owned(),
        Touch::Lists if pick.by != "*" => {
            return format!("read the addresses in all rows of {} of one `{}`", pick.what, pick.by);
        }
        Touch::Lists => return format!("read the addresses in all rows of {}", pick.what),
        Touch::Reads if program.answers_secret(used.at) => {
            return format!("read the secrets in any row of {}", pick.what);
        }
        Touch::Removes => "remove",
        Touch::Changes => "change",
        Touch::Reads => "read",
    };
    let theirs = match pick.what.as_str() {
        "users" => "other users' accounts".to_owned(),
        "files" => "other customers' files".to_owned(),
        "records" => format!("other customers' records at {}", program.catalogue.vendor(used.vendor).name),
        function if used.name.ends_with(".rpc") => format!("what {function} keeps of other customers"),
        table if words(&pick.by).iter().all(|word| word == "id") || pick.by == "#" => format!("any row of {table}"),
        table => format!("other customers' rows of {table}"),
    };
    format!("{does} {theirs}")
}

fn lists(program: &Program, used: &VendorUse) -> bool {
    program.operation(used).is_some_and(|operation| operation.effect == Effect::List)
}

fn cure(program: &Program, entry: &Entry, found: &Found<'_>) -> String {
    let whose = words(&found.pick.by).iter().any(|word| word == "user");
    let then = match found.pick.touch {
        Touch::Reads if program.answers_secret(found.used.at) => {
            return "Leave the secret out of the answer, whoever asks: say only whether there is one, and let the code on the \
                    server that needs it read it there. Whatever was handed out has to be replaced."
                .to_owned();
        }
        Touch::TakesOver if found.pick.what == "link" => {
            return "Mail the link to its address and leave it out of the answer: who reads that mail is its owner."
                .to_owned();
        }
        Touch::TakesOver if found.pick.what == "statements" => {
            return "Take this way out: write the statements that are wanted as functions of the database, and let the \
                    request choose among them."
                .to_owned();
        }
        _ if found.pick.what == TABLES => {
            return "Take this way out: name each table that is wanted in the code, look the caller up, and let them at the \
                    rows that are theirs."
                .to_owned();
        }
        Touch::Empowers | Touch::Refunds | Touch::Lists => return staff::let_staff_in(program, entry),
        _ if staff::is_meant_for_staff(program, entry) => return staff::let_staff_in(program, entry),
        // Who sent it in has no account, and it is the app's people who work on it.
        Touch::Changes | Touch::Removes if program.is_of_staff(&found.pick.what) => {
            return staff::let_staff_in(program, entry);
        }
        Touch::TakesOver => "change their own account alone, by `user.id`",
        Touch::Charges | Touch::Opens => "take the customer out of their own row, found by `user.id`",
        _ if whose => "use `user.id` instead of the one in the request",
        _ => "check that it is theirs",
    };
    let of_deal = words(&found.pick.what)
        .iter()
        .any(|word| ["order", "booking", "reservation"].iter().any(|start| word.starts_with(start)));
    let guests = match found.pick.touch {
        Touch::Changes | Touch::Removes if of_deal => {
            " Where guests come here, who have no account, ask for a code that stands in their row and in their mail alone."
        }
        _ => "",
    };
    match super::strangers::refusal(program, entry) {
        Some(refuse) => {
            let key = super::strangers::no_user(program, entry, "public");
            format!("Look the caller up and {then}: {refuse}{key}.{guests}")
        }
        None => format!("Look the caller up, answer 401 when there is none, and {then}.{guests}"),
    }
}
