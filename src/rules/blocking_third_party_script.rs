//! Scripts of others that every page waits for before it shows anything.

use crate::finding::{Confidence, Remark};
use crate::names::Name;
use crate::program::Program;
use crate::program::page_scripts::HoldingScript;
use crate::rule;
use crate::rule::Report;

rule! {
    /// A third-party script in the head holds the whole page up
    ///
    /// A browser that meets a plain `<script src>` in the head stops reading the page until that script has come and
    /// has run. When it is on another host, that host decides when your customers see anything: while it is slow they
    /// look at a white page, and when its connections hang they do so for a minute or more, although your own server
    /// answered at once.
    ///
    /// ## Silent when
    ///
    /// - the tag has `async`, `defer` or `type="module"`, or stands in the body
    /// - the script is the app's own, or its place is not known
    /// - the script has to run first by its own documentation: payment forms, consent managers, embedded apps' bridges
    /// - the page is not deployed, or nothing serves it that can be seen (this is for auditors)
    ///
    /// ## The cure
    ///
    /// Write `defer` (or `async` where nothing else on the page uses it), and let code that uses the script wait until
    /// the page is read. A library that the page cannot do without belongs on your own origin, in your own bundle.
    ///
    /// ## Example
    ///
    /// ```html path=index.html
    /// <!doctype html>
    /// <html>
    ///   <head>
    ///     <title>Bookings</title>
    ///     <script src="https://widget.chatty.example/loader.js"></script>
    ///   </head>
    ///   <body><div id="root"></div></body>
    /// </html>
    /// ```
    ///
    /// ## Repair
    ///
    /// ```html path=index.html
    /// <!doctype html>
    /// <html>
    ///   <head>
    ///     <title>Bookings</title>
    ///     <script async src="https://widget.chatty.example/loader.js"></script>
    ///   </head>
    ///   <body><div id="root"></div></body>
    /// </html>
    /// ```
    id: "blocking-third-party-script", severity: Warning, confidence: High, section: "Core paths",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let scripts = program.holding_scripts();
    let mut told: Vec<(usize, &str)> = Vec::new();
    for script in &scripts {
        let page = script.place.file.index();
        if told.contains(&(page, script.host)) {
            continue;
        }
        told.push((page, script.host));
        tell(program, report, script, &scripts);
    }
}

/// One finding a page and host: the others of that host are mended the same way.
fn tell(program: &Program, report: &mut Report, script: &HoldingScript, all: &[HoldingScript]) {
    let known = program.catalogue.page_script(&script.src);
    let name = known.map_or_else(|| short(&script.src), |known| known.name.clone());
    let message = match script.by_strategy {
        // The server has sent the page: it is there to see.
        true => format!(
            "the page waits for {name} before it comes to life: while {} is slow or down, no button on it works",
            script.host
        ),
        false => format!(
            "the page waits for {name} before it shows anything: while {} is slow or down, customers look at a blank \
             page",
            script.host
        ),
    };
    let mut draft =
        report.at(script.place, short(&script.src), message).help(match known.and_then(|it| it.cure.clone()) {
            Some(cure) => cure,
            None => cure(script),
        });
    if !program.is_served_page(script.place.file) {
        draft = draft.auditor_only().confidence(Confidence::Low);
    }
    if let Some(vendor) = program.catalogue.vendor_of_host(script.host) {
        draft = draft.vendor(program.vendor_id(vendor));
    }
    let others = all.iter().filter(|other| {
        other.place.file == script.place.file && other.host == script.host && other.place != script.place
    });
    for Remark { place, text } in
        others.take(8).map(|other| Remark { place: other.place, text: format!("so it does for {}", short(&other.src)) })
    {
        draft = draft.because(place, text);
    }
}

fn cure(script: &HoldingScript) -> String {
    if script.by_strategy {
        return "Load it once the page is usable: `strategy=\"afterInteractive\"` (or `lazyOnload` for chat and the \
                like)."
            .to_owned();
    }
    format!(
        "Write `defer`, and let code that uses it wait for `DOMContentLoaded` (`async` where nothing on the page uses \
         it); a library that the page needs to show itself belongs into your own bundle.\n\n    <script defer \
         src=\"{}\"></script>",
        script.src
    )
}

/// Host and path, without the query.
fn short(src: &Name) -> String {
    let bare = src.split_once("//").map_or(src.as_str(), |(_, bare)| bare);
    bare.split(['?', '#']).next().unwrap_or(bare).trim_end_matches('/').to_owned()
}
