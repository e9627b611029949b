//! What the failure of a call means: whether it comes as a value, who looks at it, and what hangs on it.

use crate::catalogue::{Effect, Package, Reports, Seg};
use crate::facts::{BlockKind, ExprId, ExprKind, Op, Step};
use crate::names::Name;
use crate::program::money::core_paths::says::{answers_error, tells_failure};
use crate::program::origins::Origin;
use crate::program::terms::{Ending, ending};
use crate::program::values::answers::{Deed, Look};
use crate::program::values::readers::Use;
use crate::program::verify::words;
use crate::program::{CallRef, EdgeKind, EntryKind, FunctionRef, Program, VendorUse, Via};

pub mod flagged;
pub mod floating;
pub mod nameless;
pub mod partial_writes;
pub mod reporting;
pub mod stands;
pub mod statuses;
pub mod swallowing;

/// Whether a name is that of a function for what happened to a customer, of which a vendor tells: `handlePaymentFailed`.
/// Nothing of the app's own has failed when it runs.
fn hears_of_failure(name: &str) -> bool {
    const EVENTS: &[&str] =
        &["payment", "charge", "invoice", "subscription", "renewal", "payout", "refund", "transfer", "delivery"];
    let words = words(name);
    words.first().is_some_and(|first| matches!(first.as_str(), "handle" | "on" | "process"))
        && words.iter().any(|word| EVENTS.contains(&word.as_str()))
}

impl Program {
    /// Whether the SDK behind a call gives its errors instead of throwing them, and was not told to throw.
    pub fn gives_errors(&self, used: &VendorUse) -> bool {
        if !matches!(used.via, Via::Sdk(..)) {
            return false;
        }
        let Some((package, _)) = self.giver_of_errors(used.at) else { return false };
        let throws = |name: &str| package.throws_after.iter().any(|other| other == name);
        let before = self
            .callee(used.at)
            .externals()
            .any(|external| external.segs.iter().any(|seg| matches!(seg, Seg::Member(name) if throws(name))));
        !before && !self.chain(used.at).any(|(_, name)| throws(&name))
    }

    /// The package behind a call whose version in use gives its errors, and how it gives them.
    pub fn giver_of_errors(&self, call: CallRef) -> Option<(&Package, Reports)> {
        self.callee(call).externals().find_map(|external| {
            let packages = self.catalogue.packages(external.package, &external.segs).map(|(_, package)| package);
            let reports = |package: &Package| package.reports(|| self.package_major(call.file, external));
            packages.map(|package| (package, reports(package))).find(|(_, reports)| *reports != Reports::Thrown)
        })
    }

    /// The method that makes the SDK behind a call throw, when a query of a table takes one.
    pub fn throws_after(&self, used: &VendorUse) -> Option<&str> {
        let external = self.external(used.at)?;
        let is_query =
            matches!(external.segs[..], [.., Seg::Call | Seg::New, Seg::Member(_), Seg::Call, Seg::Member(_)]);
        self.giver_of_errors(used.at)?.0.throws_after.first().filter(|_| is_query).map(String::as_str)
    }

    /// Whether somebody looks at the error that a call gives: itself, the answer as a whole, or whether there is
    /// anything beside it. Of an SDK that gives what the vendor answered, error or not, whoever looks at the answer
    /// sees it.
    pub fn error_is_seen(&self, call: CallRef) -> bool {
        let looks = self.looks_until(call, shows_error);
        let answered = || self.giver_of_errors(call).is_some_and(|(_, reports)| reports == Reports::Answered);
        looks.last().is_some_and(shows_error) || !looks.is_empty() && answered()
    }

    /// Whether the answer of a call, error or not, only goes into the log as a whole: `console.log("sent", result)`.
    pub fn is_only_logged(&self, call: CallRef) -> bool {
        let looks = self.looks(call);
        let whole = |look: &Look| look.part.is_empty() && matches!(look.deed, Deed::Logged);
        looks.iter().any(whole) && looks.iter().all(|look| whole(look) || !shows_error(look))
    }

    /// Whether the answer of a call, error or not, only goes into the log or into what is answered as a whole: `json({
    /// success: true, result })`.
    pub fn is_only_told(&self, call: CallRef) -> bool {
        let looks = self.looks(call);
        let whole =
            |look: &Look| look.part.is_empty() && (matches!(look.deed, Deed::Logged) || self.is_in_answer(look));
        looks.iter().any(whole) && looks.iter().all(|look| whole(look) || !shows_error(look))
    }

    /// Whether all that anybody asks of a call's error is whether it is one that is known, so that any other is lost:
    /// `if (error?.code === "23505") ..`.
    pub fn one_error_is_seen(&self, call: CallRef) -> bool {
        let looks = self.looks(call);
        let compared = |look: &Look| {
            let facts = self.facts(look.at.file);
            let constant = |part: &ExprId| matches!(facts.expr(*part), ExprKind::Text(_) | ExprKind::Number(_));
            self.readers(look.at.file).uses(look.at.expr).iter().any(|used| match used {
                Use::In(outer) => {
                    matches!(facts.expr(*outer), ExprKind::Op(Op::Equal, parts) if parts.iter().any(constant))
                }
                _ => false,
            })
        };
        let mut shown = looks.iter().filter(|look| shows_error(look)).peekable();
        shown.peek().is_some()
            && shown.all(|look| {
                let is_code = matches!(&look.part[..], [error, code] if error.starts_with("error") && *code == "code");
                is_code && look.deed == Deed::Tested && compared(look)
            })
    }

    /// Whether a call asks a function of the database, by its name, for what it gives: as far as is seen a read.
    pub fn asks_function(&self, used: &VendorUse) -> bool {
        let facts = self.facts(used.at.file);
        let first = facts.call(used.at.call).args.first();
        let names = first.is_some_and(|arg| matches!(facts.expr(arg.value), ExprKind::Text(_)));
        let changes = self.operation(used).is_some_and(|operation| operation.effect == Effect::Update);
        names && changes && self.looks(used.at).iter().any(|look| look.part.first().is_some_and(|part| *part == "data"))
    }

    /// Whether a call stands where something has failed already: in a handler, or on the arm of a failure.
    pub fn is_after_failure(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let function = self.function_of(call);
        let handles = self.incoming(function).iter().any(|edge| {
            let shape = self.facts(edge.call.file).call(edge.call.call);
            let is_catch =
                matches!(self.facts(edge.call.file).expr(shape.callee), ExprKind::Member(_, name) if *name == "catch");
            edge.kind == EdgeKind::Callback && is_catch
        });
        let names = ["rollback", "cleanup", "fail", "error"];
        let is_named = || {
            let Some(name) = facts.function(function.function).name else { return false };
            names.iter().any(|word| name.to_ascii_lowercase().contains(word)) && !hears_of_failure(&name)
        };
        handles || is_named() || self.is_in_failing_arm(call)
    }

    fn is_in_failing_arm(&self, call: CallRef) -> bool {
        let facts = self.facts(call.file);
        let own = facts.call(call.call).block;
        let function = facts.function_of(own);
        facts.enclosing(own).take_while(|(_, block)| block.function == function).any(|(id, block)| match block.kind {
            BlockKind::Catch(_) => true,
            BlockKind::Then(condition) | BlockKind::Else(condition) => {
                let truth = matches!(block.kind, BlockKind::Then(_));
                let ends = match ending(facts, id) {
                    Ending::Throws => true,
                    Ending::Returns(Some(value)) => answers_error(self, call.file, value),
                    _ => false,
                };
                // Right on an arm that leaves the turn of a loop; one with arms of its own may try another way.
                let leaves = || id == own && matches!(facts.block(id).steps.last(), Some(Step::Jump | Step::Break));
                ends || tells_failure(facts, condition, truth) && (ending(facts, id) != Ending::GoesOn || leaves())
            }
            _ => false,
        })
    }

    /// The table, bucket or function that a call of a backend's SDK names: the first text on the way to it, or its
    /// own.
    pub fn named_table(&self, used: &VendorUse) -> Option<Name> {
        let external = self.external(used.at)?;
        external.sites.iter().skip(1).chain([&used.at]).find_map(|site| {
            let facts = self.facts(site.file);
            match facts.call(site.call).args.first().map(|arg| facts.expr(arg.value)) {
                Some(ExprKind::Text(text)) if text.len() < 60 => Some(*text),
                _ => None,
            }
        })
    }

    /// Whether one of the origins of a call is a webhook handler, and the call is part of what it does with deliveries.
    pub fn is_webhook_work(&self, at: CallRef, origins: &[Origin]) -> bool {
        origins.iter().any(|origin| {
            let entry = self.entries[origin.entry].function;
            self.webhook_handlers().iter().any(|handler| {
                let here = |branch| self.is_in_branch(entry, branch, &origin.way, at);
                handler.entry == origin.entry && handler.branch.is_none_or(here)
            })
        })
    }

    /// What tells the deliveries of the webhook from each other that starts some code, where they have no `id` of their own
    /// in their body.
    pub fn told_apart_by(&self, origins: &[Origin]) -> Option<&str> {
        let mut handlers =
            self.webhook_handlers().iter().filter(|handler| origins.iter().any(|origin| handler.entry == origin.entry));
        let by = self.webhook_of(handlers.next()?)?.event_id.as_deref()?;
        (!matches!(by, "id" | "event.id" | "event id")).then_some(by)
    }

    /// Whether all that is known to start a function are webhook handlers.
    pub fn serves_only_webhooks(&self, function: FunctionRef) -> bool {
        let origins = self.origins(function);
        let handlers = self.webhook_handlers();
        !origins.is_empty() && origins.iter().all(|origin| handlers.iter().any(|handler| handler.entry == origin.entry))
    }

    /// Whether the app's own webhooks ask for an entry point, and nobody else in the program.
    pub fn only_webhooks_ask(&self, entry: usize) -> bool {
        let edges = self.incoming(self.entries[entry].function).iter();
        let mut asking = edges
            .filter(|edge| edge.kind == EdgeKind::Jump && !self.side(edge.call.file).tooling)
            .map(|edge| self.function_of(edge.call))
            .peekable();
        asking.peek().is_some() && asking.all(|function| self.serves_only_webhooks(function))
    }

    /// Whether a deployed entry point that answers or works for somebody leads to some code.
    pub fn is_served(&self, origins: &[Origin]) -> bool {
        origins.iter().any(|origin| {
            matches!(
                self.entries[origin.entry].kind,
                EntryKind::Route
                    | EntryKind::EdgeFunction
                    | EntryKind::ServerAction
                    | EntryKind::Procedure
                    | EntryKind::Hook
                    | EntryKind::Job
                    | EntryKind::Worker
            )
        })
    }

    /// Whether a function makes the step that a core path exists for.
    pub fn is_core_step(&self, function: FunctionRef) -> bool {
        self.calls_in(function).any(|call| {
            self.vendors_at(call).iter().any(|used| self.operation(used).is_some_and(|op| op.core.is_some()))
        })
    }

    /// Whether what a call makes run elsewhere sends something or makes a record at a vendor.
    pub fn leads_to_vendor(&self, call: CallRef) -> bool {
        self.edges(call).iter().filter(|edge| edge.kind != EdgeKind::Deferred).any(|edge| {
            let reach = self.reach(edge.target, |edge| edge.kind != EdgeKind::Deferred);
            reach.stops.iter().take(200).any(|stop| {
                self.calls_in(stop.function).any(|call| {
                    self.vendors_at(call).iter().any(|used| {
                        !self.catalogue.vendor(used.vendor).own_backend
                            && self.operation(used).is_some_and(|op| matches!(op.effect, Effect::Send | Effect::Create))
                    })
                })
            })
        })
    }
}

fn shows_error(look: &Look) -> bool {
    match look.part.first() {
        Some(part) if part.starts_with("error") => true,
        Some(part) => {
            matches!(part.as_str(), "data" | "status" | "count" | "statusCode" | "statusText")
                && look.deed == Deed::Tested
        }
        None => !matches!(look.deed, Deed::Tested | Deed::Called),
    }
}
