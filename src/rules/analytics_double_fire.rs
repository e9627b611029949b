//! Conversions that are counted again with every load of a page, or once in the browser and once on the server.

use crate::catalogue::Tier;
use crate::finding::Confidence;
use crate::names::Name;
use crate::program::repeats::conversions::{Conversion, Repeat};
use crate::program::{CallRef, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A conversion is counted more than once
    ///
    /// A signup or a purchase is one event, but the page that reports it is loaded many times: customers reload the
    /// thank-you page, keep it open, come back to it from their mail. A report that is sent on mount, or on every
    /// rendering, counts each of those as a new customer. The numbers you steer by and the advertising bids that
    /// learn from them are then wrong, and nobody notices, because they are wrong in the pleasant direction. The same
    /// happens where browser and server both report one action and nothing tells the two apart.
    ///
    /// ## Silent when
    ///
    /// - it is sent in a handler, after the action succeeded
    /// - a mark says that it was sent (storage, a ref, the address rewritten), or the page is left
    /// - it carries what tells repeats apart: a `transaction_id`, an event id
    /// - a condition of the app's own decides: nobody can tell whether it holds again
    /// - it is a page view, or an event that only begins something
    ///
    /// ## The cure
    ///
    /// Report where the action succeeds. Where only the page knows, give the event the order's id, or note that it
    /// was sent.
    ///
    /// ## Example
    ///
    /// ```tsx path=src/pages/ThankYou.tsx
    /// import { useEffect } from "react";
    ///
    /// export default function ThankYou({ total }: { total: number }) {
    ///   useEffect(() => {
    ///     window.gtag("event", "purchase", { value: total, currency: "EUR" });
    ///   }, []);
    ///   return <h1>Thank you!</h1>;
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```tsx path=src/pages/ThankYou.tsx
    /// import { useEffect } from "react";
    ///
    /// export default function ThankYou({ total, orderId }: { total: number; orderId: string }) {
    ///   useEffect(() => {
    ///     window.gtag("event", "purchase", { transaction_id: orderId, value: total, currency: "EUR" });
    ///   }, []);
    ///   return <h1>Thank you!</h1>;
    /// }
    /// ```
    id: "analytics-double-fire", severity: Warning, confidence: High, section: "Core paths",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let conversions = program.conversions();
    let mut told: Vec<CallRef> = Vec::new();
    for conversion in conversions.iter().filter(|conversion| !conversion.told_apart) {
        if let Some((at, repeat)) = program.repeats_on_load(conversion) {
            if !told.contains(&at) {
                told.push(at);
                on_load(program, report, conversion, at, repeat);
            }
        } else if let Some(server) = server_twin(program, conversion, &conversions) {
            twice(program, report, conversion, server);
        }
    }
}

fn on_load(program: &Program, report: &mut Report, conversion: &Conversion<'_>, at: CallRef, repeat: Repeat) {
    let when = match repeat {
        Repeat::EveryRender => "after every rendering",
        Repeat::Mount => "each time the page is opened",
        Repeat::Body => "each time the component is rendered",
        Repeat::Document => "with every load of the page",
    };
    let Conversion { event, tracker, .. } = conversion;
    let message =
        format!("`{event}` is reported to {} {when}: one customer who reloads it is counted as several", tracker.name);
    let mut draft = report.at(program.call_place(at), event.as_str(), message).help(cure(conversion, repeat));
    if at != conversion.at {
        draft = draft.because(program.call_place(conversion.at), "the event is named here");
    }
    finish(draft, conversion);
}

fn twice(program: &Program, report: &mut Report, conversion: &Conversion<'_>, server: &Conversion<'_>) {
    let Conversion { event, tracker, .. } = conversion;
    let message = format!(
        "`{event}` is reported to {} by the browser here and by the server too: one customer is counted twice",
        tracker.name
    );
    let help = match (tracker.dedup.first(), server.tracker.dedup.first()) {
        (Some(id), Some(other)) if id != other => format!(
            "Report it in one place, or give both the same id (the order's or account's): `{id}` here, `{other}` on the \
             server."
        ),
        (Some(id), _) => format!("Report it in one place, or give both the same `{id}` (the order's or account's id)."),
        (None, _) => {
            "Report it in one place only: on the server, where the action is known to have succeeded.".to_owned()
        }
    };
    let draft = report.at(program.call_place(conversion.at), event.as_str(), message).help(help);
    finish(draft.because(program.call_place(server.at), "the server reports it here"), conversion);
}

fn finish(mut draft: crate::rule::Draft<'_>, conversion: &Conversion<'_>) {
    if let Some(vendor) = &conversion.tracker.vendor {
        draft = draft.vendor(Name::new(vendor));
    }
    if conversion.tracker.source.tier > Tier::Scanner {
        draft.confidence(Confidence::Low);
    }
}

fn cure(conversion: &Conversion<'_>, repeat: Repeat) -> String {
    let event = conversion.event;
    let is_sale = event.to_ascii_lowercase().contains("purchase");
    match conversion.tracker.dedup.first() {
        Some(id) if is_sale => format!(
            "Report it where the payment succeeds, or give it the order's id, so that a repeat is not counted: \
             `{id}: order.id`."
        ),
        _ if repeat == Repeat::Document => {
            "Report it in the handler of what the customer did, after it succeeded, not in the page itself.".to_owned()
        }
        _ => format!(
            "Report it in the submit handler, after the action succeeded; where only the page knows, note that it was \
             sent.\n\n    if (!sessionStorage.getItem(\"sent:{event}:\" + id)) {{\n      \
             sessionStorage.setItem(\"sent:{event}:\" + id, \"1\");\n      // report it\n    }}"
        ),
    }
}

/// The same event, reported to the same vendor by the server.
fn server_twin<'c, 'p>(
    program: &Program,
    conversion: &Conversion<'_>,
    all: &'c [Conversion<'p>],
) -> Option<&'c Conversion<'p>> {
    let side = program.side(conversion.at.file);
    if !side.client || side.server {
        return None;
    }
    all.iter().find(|other| {
        let side = program.side(other.at.file);
        side.server
            && !side.client
            && other.event == conversion.event
            && program.share_app(other.at.file, conversion.at.file)
            && !other.told_apart
            && other.tracker.counter().is_some()
            && other.tracker.counter() == conversion.tracker.counter()
    })
}
