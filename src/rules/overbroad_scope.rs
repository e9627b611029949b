//! Permissions broader than the app needs.

use crate::catalogue::Tier;
use crate::finding::Confidence;
use crate::program::Program;
use crate::rule;
use crate::rule::Report;

rule! {
    /// The app asks for a permission broader than it needs
    ///
    /// What customers grant is what a stolen token can do. A scope that covers a whole mailbox or a whole drive turns
    /// one leaked row of your database into the loss of everything your customers keep there. It also costs you
    /// customers at the consent screen, and vendors demand a security assessment before they let such an app go live.
    ///
    /// ## Silent when
    ///
    /// - there is no narrower scope, or the app uses what only the broad one allows (IMAP and SMTP need the whole
    ///   mailbox)
    /// - it is a test, a script or dead code
    ///
    /// What is known of a scope at second hand only is shown to auditors.
    ///
    /// ## The cure
    ///
    /// Ask for the narrowest scope that covers the calls the app makes; ask for more when a customer uses the feature
    /// that needs it.
    ///
    /// ## Example
    ///
    /// ```ts path=server/drive.ts
    /// import { google } from "googleapis";
    ///
    /// const client = new google.auth.OAuth2(process.env.GOOGLE_ID, process.env.GOOGLE_SECRET, process.env.GOOGLE_REDIRECT);
    ///
    /// export const consent = (state: string) =>
    ///   client.generateAuthUrl({ access_type: "offline", state, scope: ["https://www.googleapis.com/auth/drive"] });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=server/drive.ts
    /// import { google } from "googleapis";
    ///
    /// const client = new google.auth.OAuth2(process.env.GOOGLE_ID, process.env.GOOGLE_SECRET, process.env.GOOGLE_REDIRECT);
    ///
    /// export const consent = (state: string) =>
    ///   client.generateAuthUrl({ access_type: "offline", state, scope: ["https://www.googleapis.com/auth/drive.file"] });
    /// ```
    id: "overbroad-scope", severity: Warning, confidence: High, section: "Vendor credentials and permissions",
    security: Some(5.0), since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    for asked in program.broad_scopes() {
        let vendor = program.catalogue.vendor(asked.vendor);
        let scope = asked.scope;
        let message = format!(
            "the app asks {} for `{}`: whoever gets hold of such a token can {}",
            vendor.name, scope.scope, scope.grants
        );
        let draft = report
            .at(asked.place, scope.scope.as_str(), message)
            .vendor(program.vendor_id(asked.vendor))
            .help(format!("Ask for the narrowest scope that covers what the app does: {}.", scope.narrower));
        if scope.source.as_ref().unwrap_or(&vendor.source).tier > Tier::Scanner {
            draft.confidence(Confidence::Low);
        }
    }
}
