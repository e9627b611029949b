//! Access rules of a backend service that let anyone in, or will soon let nobody in.

use crate::finding::{Confidence, FileId, Place};
use crate::manifest::access_rules::{AccessRules, Allow, Holds};
use crate::program::Program;
use crate::program::verify::words;
use crate::rule::{Draft, Report};

crate::rule! {
    /// Access rules that let anyone read and write
    ///
    /// The browser talks to the database by itself: nothing but these rules stands between a stranger and what the
    /// app keeps. The project's id is in every page, so `if true` means that anyone reads, changes and deletes what
    /// customers have entered, with a few lines and without the app.
    ///
    /// The test mode that a console offers is the same for thirty days (`request.time < timestamp.date(..)`), and
    /// after that day the opposite: every request is refused, and the app stops for everybody.
    ///
    /// Rules are read as the files say them; what is deployed may differ. Compare with the console before and after.
    ///
    /// ## Silent when
    ///
    /// - the condition asks for anything: who is calling, what is written, another document
    /// - only reading is open, and not of everything: public content, pictures (of people's records: a
    ///   note for auditors)
    /// - only new documents may be written, to one collection: a contact form, a waiting list
    /// - a `firebase.json` names other files; a file whose name says that it is for tests or an emulator is not deployed
    ///
    /// ## The cure
    ///
    /// Let each collection be touched by those whose it is.
    ///
    /// ## Example
    ///
    /// ```txt path=firestore.rules
    /// rules_version = '2';
    /// service cloud.firestore {
    ///   match /databases/{database}/documents {
    ///     match /{document=**} {
    ///       allow read, write: if true;
    ///     }
    ///   }
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```txt path=firestore.rules
    /// rules_version = '2';
    /// service cloud.firestore {
    ///   match /databases/{database}/documents {
    ///     match /trips/{trip} {
    ///       allow read, update, delete: if request.auth.uid == resource.data.owner;
    ///       allow create: if request.auth.uid == request.resource.data.owner;
    ///     }
    ///   }
    /// }
    /// ```
    id: "firebase-open-rules", severity: Error, confidence: High, section: "Data access of backend-as-a-service vendors",
    security: Some(9.1), since: "0.1.0", check: check
}

/// Words of collections that hold what is known of people.
const PERSONAL: &[&str] =
    &["user", "profile", "customer", "client", "order", "payment", "message", "chat", "patient", "booking", "invoice"];

/// What a statement lets strangers do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Open {
    /// Read, change and delete.
    Writes,
    /// Read everything there is.
    ReadsAll,
    /// Read what is known of people.
    ReadsPeople,
}

fn check(program: &Program, report: &mut Report) {
    for (path, rules) in program.manifests.access_rules() {
        let Some(file) = program.file_at(&path) else { continue };
        let mut open: Vec<(Open, &Allow)> = rules
            .allows
            .iter()
            .filter_map(|allow| Some((opens(allow, &program.as_of, kept(rules) == "files")?, allow)))
            .collect();
        open.sort_by_key(|(what, allow)| (*what, !allow.is_about_all(), allow.span.start));
        let is_small = |what: Open| what == Open::ReadsPeople;
        for small in [false, true] {
            let these: Vec<(Open, &Allow)> =
                open.iter().filter(|(what, _)| is_small(*what) == small).copied().collect();
            if let Some(draft) = tell(report, file, rules, &these)
                && small
            {
                draft.confidence(Confidence::Low).auditor_only();
            }
        }
        if open.is_empty() {
            tell_closed(program, report, file, rules);
        }
    }
}

/// What a statement lets strangers do today.
fn opens(allow: &Allow, today: &str, is_store: bool) -> Option<Open> {
    let now = match &allow.holds {
        Holds::Always => true,
        Holds::Until(day) => day.as_str() > today,
        Holds::Never | Holds::Asks => false,
    };
    let has = |method: &str| allow.methods.contains(&method);
    let about_all = allow.is_about_all();
    let personal = allow.about().is_some_and(|about| {
        words(about).iter().any(|word| PERSONAL.iter().any(|known| word.trim_end_matches('s') == *known))
    });
    match now {
        false => None,
        true if has("update") || has("delete") || has("create") && about_all => Some(Open::Writes),
        true if has("list") && about_all && !is_store => Some(Open::ReadsAll),
        true if has("list") && personal => Some(Open::ReadsPeople),
        true => None,
    }
}

fn place(file: FileId, allow: &Allow) -> Place {
    Place { file, span: allow.span }
}

fn kept(rules: &AccessRules) -> &'static str {
    if rules.service.contains("storage") { "files" } else { "documents" }
}

fn tell<'r>(report: &'r mut Report, file: FileId, rules: &AccessRules, open: &[(Open, &Allow)]) -> Option<Draft<'r>> {
    let ((what, first), others) = open.split_first()?;
    let kept = kept(rules);
    let all = first.is_about_all();
    let whole = if all { format!("all {kept}") } else { format!("the {kept} in {}", first.about().unwrap_or("it")) };
    let reads = first.methods.contains(&"list")
        || rules.allows.iter().any(|other| other.holds == Holds::Always && reads_same(first, other));
    let can = match what {
        Open::Writes if reads => "read, change and delete",
        Open::Writes => "change and delete",
        Open::ReadsAll | Open::ReadsPeople => "read",
    };
    let until = match &first.holds {
        Holds::Until(day) => format!("until {day}, and from then on every request is refused"),
        _ => "without the app and without an account".to_owned(),
    };
    let more = match others.len() {
        0 => String::new(),
        1 => "; one more statement is as open".to_owned(),
        count => format!("; {count} more statements are as open"),
    };
    let message = format!("anyone can {can} {whole}, {until}{more}");
    let mut draft = report.at(place(file, first), first.path.clone(), message).help(cure(rules, first));
    for (_, other) in others.iter().take(8) {
        draft = draft.because(place(file, other), format!("open too: {}", other.about().unwrap_or("everything")));
    }
    Some(draft)
}

fn reads_same(first: &Allow, other: &Allow) -> bool {
    first.path == other.path && other.methods.contains(&"list")
}

/// Rules whose test window is over, and that allow nothing else.
fn tell_closed(program: &Program, report: &mut Report, file: FileId, rules: &AccessRules) {
    let over = |allow: &&Allow| matches!(&allow.holds, Holds::Until(day) if *day.as_str() <= *program.as_of);
    let nothing_else = rules.allows.iter().all(|allow| over(&allow) || allow.holds == Holds::Never);
    let Some(first) = rules.allows.iter().find(over).filter(|_| nothing_else) else { return };
    let Holds::Until(day) = &first.holds else { return };
    let kept = kept(rules);
    let message = format!(
        "since {day} every request is refused, as the test window of these rules is over: customers can neither read nor write {kept}"
    );
    report.at(place(file, first), first.path.clone(), message).help(cure(rules, first));
}

fn cure(rules: &AccessRules, allow: &Allow) -> String {
    let compare = "Compare with the rules in the console, which may differ.";
    let code = if rules.service == "database" {
        "\"$uid\": { \".read\": \"auth.uid === $uid\", \".write\": \"auth.uid === $uid\" }".to_owned()
    } else if rules.service.contains("storage") {
        "match /users/{uid}/{file=**} {\n  allow read, write: if request.auth.uid == uid;\n}".to_owned()
    } else {
        let about = allow.about().filter(|about| *about != "documents").unwrap_or("trips");
        format!(
            "match /{about}/{{id}} {{\n  allow read, update, delete: if request.auth.uid == resource.data.userId;\n  allow create: if request.auth.uid == request.resource.data.userId;\n}}"
        )
    };
    format!("Let only those in whose data it is, and deploy that. {compare}\n{code}")
}
