//! Keys in the query string of requests whose vendor also takes a header.

use crate::catalogue::VendorId;
use crate::facts::Language;
use crate::names::Name;
use crate::program::secrets::url_keys::UrlKey;
use crate::program::{Destination, HttpUse, Program};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A key travels in a URL though the vendor takes a header
    ///
    /// URLs are written down everywhere: in access logs of proxies and hosts, in traces, in error messages of HTTP
    /// clients, in the browser's history. A key in the query string ends in all of them; in a header it does not.
    ///
    /// ## Silent when
    ///
    /// - the vendor takes its key in the URL only (the older Maps web services, most weather and search APIs), or the
    ///   catalogue does not know that it takes a header;
    /// - the key is publishable;
    /// - the request leaves from a browser: there the key itself is the problem (see `vendor-sdk-in-browser`).
    ///
    /// ## The cure
    ///
    /// Move it into the header.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/summarize/index.ts
    /// Deno.serve(async () => {
    ///   const key = Deno.env.get("GEMINI_API_KEY");
    ///   const answer = await fetch(
    ///     `https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent?key=${key}`,
    ///     { method: "POST", body: "{}" },
    ///   );
    ///   return new Response(await answer.text());
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/summarize/index.ts
    /// Deno.serve(async () => {
    ///   const key = Deno.env.get("GEMINI_API_KEY")!;
    ///   const answer = await fetch(
    ///     "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
    ///     { method: "POST", headers: { "x-goog-api-key": key }, body: "{}" },
    ///   );
    ///   return new Response(await answer.text());
    /// });
    /// ```
    id: "token-in-url", severity: Note, confidence: Medium, section: "Secrets",
    security: Some(4.0), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let mut told = Vec::new();
    for http in program.requests() {
        // Of a wrapper's callers only where the wrapper cannot tell.
        if !program.runs_on_server(http.at.file) || told.contains(&http.inner) {
            continue;
        }
        if let Some((vendor, host)) = asked(http)
            && tell(program, report, http, vendor, host)
        {
            told.push(http.inner);
        }
    }
}

fn asked(http: &HttpUse) -> Option<(VendorId, Name)> {
    http.to.iter().find_map(|to| match to {
        Destination::Vendor(vendor, host, _) => Some((*vendor, *host)),
        _ => None,
    })
}

fn tell(program: &Program, report: &mut Report, http: &HttpUse, id: VendorId, host: Name) -> bool {
    let vendor = program.catalogue.vendor(id);
    if vendor.key_headers.is_empty() {
        return false;
    }
    let keys = program.url_keys(http);
    let fitting = keys.iter().filter_map(|key| {
        let parameter = key.parameter?;
        let header = vendor.key_headers.iter().find(|header| header.replaces(&host, &parameter))?;
        Some((key, parameter, header))
    });
    // Of several that a wrapper can hold the vendor's own.
    let own = |key: &UrlKey| key.variable.is_some_and(|name| program.variable(&name).1 == Some(id));
    let Some((key, parameter, header)) = fitting.max_by_key(|(key, ..)| own(key)) else { return false };
    let name = key.variable.map_or_else(|| "the key".to_owned(), |name| name.to_string());
    let message = format!(
        "{name} goes to {} as `{parameter}` in the URL, which logs, proxies and error messages write down: whoever reads \
         them can use it as if they were this app",
        vendor.name
    );
    let field = header.header.split(':').next().unwrap_or_default();
    let cure = match program.facts(http.inner.file).language {
        Language::Python => format!("headers={{\"{field}\": key}}"),
        _ => format!("headers: {{ \"{field}\": key }}"),
    };
    report
        .at(program.call_place(http.inner), format!("{host} {parameter}"), message)
        .help(format!(
            "Send it in the header that {} takes, and drop `{parameter}` from the URL: `{cure}`.",
            vendor.name
        ))
        .vendor(program.vendor_id(id));
    true
}
