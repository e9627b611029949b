//! Policies that let everyone, or everyone who is signed in, at the rows of others.

use super::row_security::who;
use crate::finding::{Confidence, Place, Severity};
use crate::names::Name;
use crate::program::Program;
use crate::program::verify::words;
use crate::rule;
use crate::rule::{Draft, Report};
use crate::sql::{History, Opening, Opens, Policy, Rights, RowSecurity, Table};
use cures::Case;

mod any_group;
mod buckets;
mod by_rows;
mod cures;
mod own_role;
mod read_by_rows;
mod views;

rule! {
    /// A policy lets people at the rows of others
    ///
    /// Row level security is on, and a policy takes it back: `using (true)` lets everyone who has the app's public key
    /// change and delete every row, a policy "for the service role" without `to service_role` does the same (the
    /// service role needs no policy at all), and a `select` of everything hands the e-mail addresses of all users to
    /// whoever asks.
    ///
    /// A membership that is asked for in general does not keep tenants apart either: in `exists (select 1 from members m
    /// where m.org_id = org_id and m.user_id = auth.uid())` the bare `org_id` is that of `m` itself, and whoever is in any
    /// organization passes for all.
    ///
    /// The policies that are left after all migrations count. Migrations are not the live database: what was changed
    /// in the dashboard is not seen here.
    ///
    /// A bucket that is made with `public = false` holds what not everybody is to see: a policy on `storage.objects` that
    /// asks for the bucket's name alone hands each customer's files to all others. That signed-in users only read them is
    /// a note for the auditor.
    ///
    /// A policy that asks whose row it is, and not which role stands in it, lets users make themselves administrators; and
    /// one that shows the rows that are "active" to everybody shows the tokens in them.
    ///
    /// Reading content that is public, rows that signed-in users share, intake that cannot be read back (a contact
    /// form, a waiting list; none where a row says that it is paid), policies of a table that only a script beside the
    /// migrations makes, and changes that hang on what is in the row and not on who asks (`for update using (status =
    /// 'pending')`) are notes for the auditor; an error where whoever comes may say so that something is paid (`using
    /// (payment_status = 'pending') with check (payment_status in ('paid', 'pending'))`).
    ///
    /// ## Silent when
    ///
    /// - the condition looks at the row or the user, or the policy is for the service role alone
    /// - a trigger or a further condition looks at the role, or nothing asks for one
    /// - a later migration drops or narrows it, or its table is gone
    /// - phone and mail are those of shops, branches and other places, with no user beside them
    /// - row level security is off (`table-without-rls` tells), or the roles hold no right to begin with
    ///
    /// ## The cure
    ///
    /// Ask for the row's owner; name the roles; drop policies that are meant for the server, which passes without one.
    ///
    /// ## Example
    ///
    /// ```sql path=supabase/migrations/20260102090000_payments.sql
    /// create table public.payments (
    ///   id uuid primary key default gen_random_uuid(),
    ///   user_id uuid not null references auth.users (id),
    ///   status text not null
    /// );
    /// alter table public.payments enable row level security;
    /// create policy "Service role manages payments" on public.payments for all using (true);
    /// ```
    ///
    /// ## Repair
    ///
    /// ```sql path=supabase/migrations/20260102090000_payments.sql
    /// create table public.payments (
    ///   id uuid primary key default gen_random_uuid(),
    ///   user_id uuid not null references auth.users (id),
    ///   status text not null
    /// );
    /// alter table public.payments enable row level security;
    /// create policy "Service role manages payments" on public.payments for all to service_role using (true);
    /// ```
    id: "permissive-rls-policy", severity: Error, confidence: High, section: "Data access of backend-as-a-service vendors",
    security: Some(8.5), since: "0.1.0", check: check
}

/// Whom a name means that speaks of code.
const SERVER_ITSELF: &str = "the server";
/// Words in a policy's name that mean code of the app, not its users.
const SERVER: &[&str] = &[
    "system",
    "server",
    "backend",
    "edge",
    "function",
    "functions",
    "webhook",
    "webhooks",
    "cron",
    "trigger",
    "triggers",
    "internal",
    "automation",
];
/// What workers work on that are code: `queue worker`, no worker of a cleaning firm.
const WORKS_ON: &[&str] = &["background", "queue", "job", "jobs", "task", "tasks", "cron"];
/// Words behind `service` where that is code, and not what a salon or a workshop offers.
const SERVICE_DOES: &[&str] = &[
    "role", "roles", "account", "accounts", "key", "keys", "can", "may", "manage", "manages", "insert", "inserts",
    "update", "updates", "delete", "deletes", "write", "writes", "full", "all", "only", "access", "bypass",
];
/// Words with which the name of a policy for everybody begins.
const EVERYBODY: &[&str] =
    &["anyone", "anybody", "everyone", "everybody", "customers", "guests", "visitors", "clients"];
/// Words in a policy's name that mean some people only.
const FEW: &[&str] = &["admin", "admins", "staff", "owner", "owners", "manager", "managers"];

fn check(program: &Program, report: &mut Report) {
    for history in &program.database().histories {
        for table in &history.tables {
            let files = history.exposed && table.id.schema == "storage" && table.id.name == "objects";
            if !history.reaches(table) && !files {
                continue;
            }
            // Without a statement about it: made by hand, as its policies then were written for.
            let by_script = table.made.is_none() && table.head.is_some();
            let unused = by_script && !program.uses_rows(history, table.id.name);
            let off = matches!(table.security, RowSecurity::Off(_))
                || (table.security == RowSecurity::Never && table.head.is_some() && !unused);
            if off {
                continue;
            }
            for policy in &table.policies {
                let by_hand = is_of_script(history, policy);
                match policy.opening(table) {
                    _ if by_hand && unused => {}
                    Some(opening) => look(program, history, table, policy, opening, report),
                    None if by_hand => {}
                    None if files && buckets::look(program, history, table, policy, report) => {}
                    None if any_group::look(history, table, policy, report) => {}
                    None if own_role::look(program, history, table, policy, report) => {}
                    None if read_by_rows::look(program, history, table, policy, report) => {}
                    None => by_rows::look(program, history, table, policy, report),
                }
            }
        }
        for (id, view) in &history.views {
            views::look(program, history, *id, view, report);
        }
    }
}

/// Whether a script beside the migrations makes a policy, and none of them.
fn is_of_script(history: &History, policy: &Policy) -> bool {
    !history.files.contains(&policy.place.file)
}

/// How loud a case is.
struct Verdict {
    severity: Severity,
    confidence: Confidence,
    quiet: bool,
    why: String,
}

fn look(program: &Program, history: &History, table: &Table, policy: &Policy, opening: Opening, report: &mut Report) {
    let Some(verdict) = judge(program, history, table, policy, opening) else { return };
    let case = Case { program, history, table, policy, opening, quiet: verdict.quiet };
    let cure = if passes_strangers(policy, opening) { cures::strangers::cure(&case) } else { None };
    let cure = cure.unwrap_or_else(|| cures::cure(&case));
    let (table_name, name) = (table.id.sql(), &policy.name);
    let message = format!("{} can {} {table_name}: {}", who(opening.to), can(opening.commands), verdict.why);
    let place: Place = policy.altered.unwrap_or(policy.place);
    let mut draft: Draft<'_> = report
        .at(place, format!("{table_name} \"{name}\""), message)
        .severity(verdict.severity)
        .confidence(verdict.confidence)
        .help(cure.help);
    if let Some((place, why)) = cure.needs {
        draft = draft.because(place, why);
    }
    if policy.altered.is_some() {
        draft = draft.because(policy.place, "made here");
    }
    if let Some(place) = policy.unsure {
        draft = draft
            .confidence(Confidence::Low)
            .auditor_only()
            .because(place, "a statement that is not understood: it may drop the policy");
    } else if table.narrows(opening.commands) {
        draft = draft.confidence(Confidence::Low).auditor_only();
    } else if is_of_script(history, policy) {
        // Which of the scripts ran last nobody knows.
        draft = draft.confidence(Confidence::Low).auditor_only();
    } else if !history.ordered || (table.made.is_none() && table.security == RowSecurity::Never) {
        draft = draft.confidence(verdict.confidence.min(Confidence::Medium));
    }
    if verdict.quiet {
        draft.auditor_only();
    }
}

fn judge(program: &Program, history: &History, table: &Table, policy: &Policy, opening: Opening) -> Option<Verdict> {
    let writes = opening.commands.without(Rights::SELECT);
    let changes = writes.without(Rights::INSERT);
    let promised = promised(&policy.name);
    if changes == Rights::default() && writes == Rights::default() {
        return read(program, history, table, policy, opening);
    }
    let by_true = match opening.to {
        _ if passes_strangers(policy, opening) => "its policy lets whoever has no session pass (`auth.uid() is null`)",
        Opens::Everyone if asks_in_vain(policy) => "its policy's condition holds for every row",
        Opens::SignedIn => "its policy asks for nothing but a session",
        _ if policy.roles.is_empty() => "its policy holds for everyone, since it has no TO and asks for nothing",
        _ => "its policy asks for nothing",
    };
    let owner = history.owner_of(table);
    let verdict = |severity, confidence, quiet, why: String| Some(Verdict { severity, confidence, quiet, why });
    if let Some(meant) = promised {
        let why = match policy.roles.is_empty() {
            true => format!("its policy means {meant} by its name, but has no TO and so holds for everyone"),
            false => format!("its policy means {meant} by its name, but asks for nothing of the kind"),
        };
        return verdict(Severity::Error, Confidence::High, false, why);
    }
    if opening.to == Opens::Everyone {
        if changes.any(Rights::ALL) {
            return verdict(Severity::Error, Confidence::High, false, by_true.to_owned());
        }
        let paid = table.paid().map(|(column, _)| column);
        let why = match (owner, paid) {
            (Some(owner), _) => format!("nothing checks that {owner} is the one who asks"),
            (None, Some(paid)) => format!("nothing checks what their {paid} says, so that they may count as paid"),
            (None, None) => by_true.to_owned(),
        };
        let intake = owner.is_none() && paid.is_none() && !is_read_back(table, opening.to);
        let severity = if intake { Severity::Note } else { Severity::Warning };
        return verdict(severity, Confidence::High, intake, why);
    }
    let private = owner.or_else(|| table.personal().first().copied());
    match (private, changes.any(Rights::ALL)) {
        (Some(column), true) => {
            let why = match owner {
                Some(_) => format!("its policy asks for a session, not for the row's {column}"),
                None => format!("its policy asks for nothing but a session, and the rows hold {column}"),
            };
            let confidence = if owner.is_some() { Confidence::High } else { Confidence::Medium };
            verdict(Severity::Error, confidence, false, why)
        }
        (Some(column), false) if owner.is_some() && !opening.asks_session => {
            let why = format!("nothing checks that {column} is the one who asks");
            verdict(Severity::Warning, Confidence::Medium, false, why)
        }
        _ => verdict(Severity::Note, Confidence::High, true, by_true.to_owned()),
    }
}

/// Whether a policy has a condition that looks like a question: `visitor = visitor`, `id is not null`.
fn asks_in_vain(policy: &Policy) -> bool {
    let text = policy.using.as_deref().or(policy.check.as_deref()).unwrap_or_default().to_ascii_lowercase();
    let words = words(&text);
    !words.iter().any(|word| matches!(word.as_str(), "true" | "auth" | "current"))
        && text.contains(|c: char| c.is_alphabetic())
}

/// Whether a policy is open because it says so of those who have no session.
fn passes_strangers(policy: &Policy, opening: Opening) -> bool {
    opening.to == Opens::Everyone && policy.without_strangers().is_some()
}

/// Rows that everyone reads: it matters what is in them.
fn read(program: &Program, history: &History, table: &Table, policy: &Policy, opening: Opening) -> Option<Verdict> {
    let mut credentials = table.credentials();
    let inside = program.columns_with_credentials(history, table);
    let held = inside.chunk_by(|(column, _), (next, _)| column == next).map(|keys| {
        let names: Vec<Name> = keys.iter().map(|&(_, key)| key).collect();
        Name::new(&format!("{} (with {} in it)", keys[0].0, list(&names)))
    });
    credentials.extend(held);
    let mut personal = table.personal();
    // No migration tells its columns: what code asks of it by name is there.
    if table.columns.is_empty() && table.made.is_none() {
        let uses = program.row_uses(history, table.id.name);
        let named: Vec<Name> = uses
            .into_iter()
            .flat_map(|used| used.columns.unwrap_or_default().into_iter().chain(used.picked_by))
            .collect();
        personal = table.telling(&named);
    }
    let told: Vec<Name> = credentials.iter().chain(&personal).copied().collect();
    if told.is_empty() {
        let why = "its policy asks for nothing; right where all of it is public".to_owned();
        return Some(Verdict { severity: Severity::Note, confidence: Confidence::High, quiet: true, why });
    }
    let confidence = match (opening.to, credentials.is_empty()) {
        (Opens::Everyone, _) | (_, false) => Confidence::High,
        _ => Confidence::Medium,
    };
    let since = match passes_strangers(policy, opening) {
        true => "its policy lets whoever has no session pass (`auth.uid() is null`)",
        false => "its policy asks for nothing",
    };
    let why = format!("{} of every row with it, since {since}", list(&told));
    // What the server itself takes out of them to ask a vendor with opens that vendor to everybody.
    let severity = if inside.is_empty() { Severity::Warning } else { Severity::Error };
    Some(Verdict { severity, confidence, quiet: false, why })
}

/// Whether who adds rows reads them too.
fn is_read_back(table: &Table, to: Opens) -> bool {
    table
        .policies
        .iter()
        .filter_map(|policy| policy.opening(table))
        .any(|opening| opening.commands.any(Rights::SELECT) && opening.to >= to)
}

/// Whom a policy's name says it is for.
fn promised(name: &str) -> Option<&'static str> {
    let words = words(name);
    let any = |of: &[&str]| words.iter().any(|word| of.contains(&word.as_str()));
    if words.first().is_some_and(|word| EVERYBODY.contains(&word.as_str())) {
        return None;
    }
    let service = words
        .iter()
        .zip(words.iter().skip(1).map(Some).chain([None]))
        .any(|(word, next)| word == "service" && next.is_none_or(|next| SERVICE_DOES.contains(&next.as_str())));
    let worker = words
        .windows(2)
        .any(|pair| WORKS_ON.contains(&pair[0].as_str()) && matches!(pair[1].as_str(), "worker" | "workers"));
    if service || worker || any(SERVER) {
        return Some(SERVER_ITSELF);
    }
    // `own or lecture owner` is whose row it is.
    let own = any(&["own", "their", "my"]);
    let few = |word: &String| FEW.contains(&word.as_str()) && !(own && word.starts_with("owner"));
    words.iter().any(few).then_some("a few people")
}

fn can(commands: Rights) -> String {
    let words =
        [(Rights::SELECT, "read"), (Rights::INSERT, "add"), (Rights::UPDATE, "change"), (Rights::DELETE, "delete")];
    let words: Vec<&str> = words.iter().filter(|(right, _)| commands.any(*right)).map(|(_, word)| *word).collect();
    match &words[..] {
        ["add"] => "add rows to".to_owned(),
        ["read"] => "read every row of".to_owned(),
        [only] => format!("{only} any row of"),
        [first @ .., last] => format!("{} and {last} any row of", first.join(", ")),
        [] => "reach".to_owned(),
    }
}

fn list(names: &[Name]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(|name| name.as_str()).collect();
    match &shown[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => shown.concat(),
    }
}
