//! First pages that are used as if they were everything.

use crate::finding::Confidence;
use crate::program::Program;
use crate::rule;
use crate::rule::Report;

rule! {
    /// The first page of a list is used as if it were everything
    ///
    /// Vendors and databases give lists by pages: ten, a hundred, a thousand at a time. While there is little data
    /// one page holds all of it, and nobody notices. Later the rest is left out without an error: customers get no
    /// message, totals are too low, a record that exists is not found and made a second time.
    ///
    /// ## Silent when
    ///
    /// - the pages are followed: a cursor, `has_more`, the SDK's own iteration
    /// - the list is limited on purpose, or belongs to one customer or order
    /// - one page is what is shown
    /// - what is left over comes with the next run: rows that wait for a state, or for a time until the job changes them
    /// - what is added up is of a day or a month: rows since some moment are for auditors
    ///
    /// A query of the own backend counts in a job, where something is sent for each row, and in totals; and only of
    /// tables that grow with the customers, by their names. Rules, plans and settings stay few: those are for auditors.
    ///
    /// ## The cure
    ///
    /// Follow the pages until there are no more.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/sync/route.ts
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST() {
    ///   const subscriptions = await stripe.subscriptions.list({ limit: 100 });
    ///   let total = 0;
    ///   for (const subscription of subscriptions.data) total += subscription.items.data.length;
    ///   return Response.json({ total });
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/sync/route.ts
    /// import Stripe from "stripe";
    ///
    /// const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!);
    ///
    /// export async function POST() {
    ///   let total = 0;
    ///   for await (const subscription of stripe.subscriptions.list({ limit: 100 })) {
    ///     total += subscription.items.data.length;
    ///   }
    ///   return Response.json({ total });
    /// }
    /// ```
    id: "unpaginated-list", severity: Warning, confidence: Medium, section: "Timeouts, retries, limits",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for page in program.first_pages() {
        let vendor = program.catalogue.vendor(page.vendor);
        let script = program.facts(page.at.file).language.is_script();
        let left_out = match page.adds_up {
            true => "is not counted, and the total is too low",
            false => "is left out",
        };
        let message = match page.own {
            true if let Some(wanted) = page.wanted => format!(
                "{} asks for {wanted} rows and gets a thousand, the most that the API gives at a time: what comes after them {left_out}, \
                 without an error",
                page.name
            ),
            true if page.adds_up => format!(
                "{} gives a thousand rows at most, and nothing asks for the rest: what comes after the first thousand is \
                 not counted, and the total is too low, without an error",
                page.name
            ),
            true => format!(
                "{} gives a thousand rows at most, and nothing asks for the rest: whoever comes after the first thousand is \
                 left out, without an error",
                page.name
            ),
            false => format!(
                "{} gives {}'s first {} alone, and that is used as if it were everything: what comes after is left out, \
                 without an error",
                page.name,
                vendor.name,
                match page.first {
                    Some(1) => "one".to_owned(),
                    Some(first) => first.to_string(),
                    None => "page".to_owned(),
                }
            ),
        };
        let help = match (page.own, script) {
            (true, true) if page.counts => {
                "Let the database count, which no page limits: `.select(\"id\", { count: \"exact\", head: true })`, and take \
                 `count`. To count what differs, ask a database function."
            }
            (true, true) if page.adds_up => {
                "Let a database function add up; or ask for the rows page by page, in a fixed order, until a page is not \
                 full:\nfor (let from = 0; ; from += 1000) {\n  const { data } = await query.order(\"id\").range(from, from + \
                 999);\n  // ..\n  if ((data?.length ?? 0) < 1000) break;\n}"
            }
            (true, true) => {
                "Ask for the rows page by page, in a fixed order, until a page is not full:\nfor (let from = 0; ; from += \
                 1000) {\n  const { data } = await query.order(\"id\").range(from, from + 999);\n  // ..\n  if ((data?.length \
                 ?? 0) < 1000) break;\n}"
            }
            (true, false) if page.counts => {
                "Let the database count, which no page limits: `.select(\"id\", count=\"exact\", head=True).execute().count`. To \
                 count what differs, ask a database function."
            }
            (true, false) if page.adds_up => {
                "Let a database function add up; or ask for the rows page by page, in a fixed order, until a page is not \
                 full:\nrows = query.order(\"id\").range(start, start + 999).execute().data"
            }
            (true, false) => {
                "Ask for the rows page by page, in a fixed order, until a page is not full:\nrows = \
                 query.order(\"id\").range(start, start + 999).execute().data"
            }
            (false, _) => {
                "Follow the pages until there are no more: the SDK's own iteration where it has one, else the cursor that the \
                 answer brings"
            }
        };
        let help = match &page.page_of {
            Some(asked) => page_after_page(&page.name, asked, page.looks_up),
            None if page.wanted.is_some() => {
                format!(
                    "{help}\nNothing is lost where the project's setting of the most rows was raised to that number."
                )
            }
            None => help.to_owned(),
        };
        let draft = report
            .at(program.call_place(page.at), page.name.clone(), message)
            .vendor(program.vendor_id(page.vendor))
            .because(page.used, "taken for everything here")
            .help(help);
        if !page.grows {
            draft.confidence(Confidence::Low);
        }
    }
}

/// The cure of a list that takes the number of a page.
fn page_after_page(name: &str, asked: &str, looks_up: bool) -> String {
    let call = name.rsplit('.').next().unwrap_or(name);
    let pages = format!("Ask for page after page (`{call}({asked})`, `page` from 1 on), until one is not full");
    match looks_up {
        true => format!(
            "{pages}. Where one person is looked for, keep what identifies people in a table of your own, and ask for that row alone."
        ),
        false => pages + ".",
    }
}
