//! Jobs whose clock does not stand in the repository: it was set up in the platform's dashboard.

use crate::catalogue::Effect;
use crate::facts::ExprKind;
use crate::manifest::TokenGate;
use crate::program::callers::doors::Door;
use crate::program::origins::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, Entry, EntryKind, Program};

/// Words of what somebody runs once, by hand, or to try something out.
const BY_HAND: &[&str] = &[
    "seed",
    "setup",
    "init",
    "initialize",
    "bootstrap",
    "install",
    "migrate",
    "migration",
    "backfill",
    "import",
    "demo",
    "test",
    "debug",
    "health",
    "ping",
    "admin",
    "fix",
    "create",
    "reset",
];

/// First words of what is asked for its answer.
const ANSWERS: &[&str] = &["get", "list", "fetch", "public", "read", "load", "search"];

/// Words of tables that note what was done, or keep what was asked for.
const NOTES: &[&str] = &["log", "logs", "event", "events", "audit", "history", "cache", "metrics", "stats", "runs"];

impl Program {
    /// What an edge function does for whoever calls it, where it looks like a job: nothing in the repository asks it, it
    /// takes nothing of the request, and it changes rows with the app's full rights or sends messages, all the same
    /// for everybody. Behind the platform's gate, which the app's public key passes, only messages count that each run
    /// sends anew.
    pub fn open_job(&self, at: usize) -> Option<CallRef> {
        let entry = &self.entries[at];
        let gate = self.manifests.token_gate(&self.file(entry.function.file).path);
        let open = matches!(gate, Some((TokenGate::Open, _)));
        let fits = entry.kind == EntryKind::EdgeFunction
            && gate.is_some()
            && (open || !self.marks_rows(entry))
            && self.is_public(at)
            && self.looks_like_job(entry)
            && self.asked_by_database(entry).is_empty();
        if !fits {
            return None;
        }
        let account = self.own_account(at);
        let vendors = self.vendors_behind(entry).filter(|used| {
            let Some(operation) = self.operation(used) else { return false };
            let own = self.catalogue.vendor(used.vendor).own_backend;
            match operation.effect {
                Effect::Update | Effect::Delete => open && own && self.has_full_rights(used),
                Effect::Create if open => {
                    let table = self.named_table(used).map(|table| words(&table)).unwrap_or_default();
                    let is_noted = table.iter().any(|word| NOTES.contains(&word.as_str()));
                    own && self.has_full_rights(used) && !table.is_empty() && !is_noted
                }
                Effect::Send => !own,
                _ => false,
            }
        });
        let reach = self.reach(entry.function, |edge| edge.kind != EdgeKind::Jump);
        let functions = reach.stops.iter().flat_map(|stop| self.with_inner(stop.function));
        let messages =
            functions.flat_map(|function| self.calls_in(function)).filter(|&call| self.may_message_phones(call));
        vendors
            .map(|used| used.at)
            .chain(messages)
            .filter(|&deed| {
                let mut ways = self.origins_of(deed).into_iter();
                ways.any(|way: Origin| way.entry == at && self.door(&way, account, deed) == Door::Open)
            })
            .min()
    }

    /// Whether an edge function looks like a job: nothing in the repository asks it, and it takes nothing of the request.
    pub fn looks_like_job(&self, entry: &Entry) -> bool {
        entry.kind == EntryKind::EdgeFunction
            && entry.name.is_some_and(|name| {
                let words = words(&name);
                !words.iter().any(|word| BY_HAND.contains(&word.as_str()))
                    && !words.first().is_some_and(|first| ANSWERS.contains(&first.as_str()))
            })
            && self.is_left_to_a_clock(entry)
            && self.opened_by_link(entry).is_none()
            && !self.is_spoken_of(entry)
    }

    /// Whether a route asks for the secret of the app's clock, which is set up where no file says so: `CRON_SECRET`.
    pub fn asks_for_clock(&self, entry: &Entry) -> bool {
        let facts = self.facts(entry.function.file);
        let span = facts.function(entry.function.function).span;
        let is_clock =
            |name: &str| name.contains("CRON") && ["SECRET", "TOKEN", "KEY"].iter().any(|of| name.contains(of));
        let mut inside = facts.exprs.iter().filter(|expr| span.contains(expr.span));
        entry.kind == EntryKind::Route && inside.any(|expr| matches!(expr.kind, ExprKind::Env(name) if is_clock(&name)))
    }

    /// Whether code outside a function's own folder says its name: what asks it may not have been followed.
    fn is_spoken_of(&self, entry: &Entry) -> bool {
        let Some(name) = entry.name else { return false };
        let path = self.file(entry.function.file).path;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.code()
            .filter(|(file, _)| !self.file(*file).path.starts_with(folder))
            .any(|(_, facts)| facts.texts().any(|(_, text)| *text == *name || text.ends_with(&format!("/{name}"))))
    }
}
