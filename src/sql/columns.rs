//! What columns hold, by their names, types and references: who owns a row, what is personal, what opens doors.

use super::model::{Id, Table};
use super::statement::{Asks, Column};
use crate::names::Name;

/// Names of columns that say whose row it is.
const OWNERS: &[&str] = &[
    "user_id",
    "owner_id",
    "owner",
    "profile_id",
    "author_id",
    "uid",
    "auth_user_id",
    "account_owner_id",
    "customer_user_id",
    "created_by",
    "created_by_id",
    "member_id",
    "sender_id",
    "buyer_id",
    "seller_id",
    "client_user_id",
    "student_id",
    "teacher_id",
    "coach_id",
    "player_id",
    "patient_id",
    "host_id",
    "guest_id",
];

/// Tables whose rows are people that sign in.
const PEOPLE: &[&str] = &["users", "profiles", "user_profiles", "profile", "user", "accounts", "members", "customers"];

/// Parts of names that say something of a person's private life.
const PERSONAL: &[&str] = &[
    "email",
    "phone",
    "mobile",
    "telephone",
    "birth",
    "birthday",
    "dob",
    "ssn",
    "passport",
    "iban",
    "national_id",
    "tax_id",
    "salary",
    "card_number",
    "bank_account",
    "account_number",
    "routing_number",
    "home_address",
    "emergency_contact",
];

/// Words in the names of tables whose rows are places that people come to: how to reach them is for all to see.
const PLACES: &[&str] = &[
    "restaurant",
    "restaurants",
    "shop",
    "shops",
    "store",
    "stores",
    "branch",
    "branches",
    "location",
    "locations",
    "venue",
    "venues",
    "salon",
    "salons",
    "clinic",
    "clinics",
    "hotel",
    "hotels",
    "gym",
    "gyms",
    "studio",
    "studios",
    "outlet",
    "outlets",
    "warehouse",
    "warehouses",
    "pharmacy",
    "pharmacies",
    "hospital",
    "hospitals",
];

/// Words beside them that do not make the rows those of somebody.
const OF_PLACES: &[&str] =
    &["info", "infos", "details", "delivery", "pickup", "partner", "directory", "public", "listing"];

/// How somebody is reached.
const CONTACTS: &[&str] = &["email", "phone", "mobile", "telephone"];

/// Columns that say whether something is paid, and whether their value is a state, a switch or a time.
const PAID: &[&str] = &["payment_status", "payment_state", "is_paid", "paid", "paid_at"];

/// States in which nothing is paid yet.
const UNPAID: &[&str] = &[
    "pending",
    "unpaid",
    "open",
    "new",
    "awaiting",
    "awaiting_payment",
    "pending_payment",
    "created",
    "none",
    "draft",
];

/// Parts of names that say the same where a row is about a person.
const OF_PERSON: &[&str] = &["diagnosis", "medical"];

/// Words in the names of columns that others have no business with.
const PRIVATE: &[&str] = &[
    "bank",
    "payout",
    "payouts",
    "address",
    "street",
    "zip",
    "postal",
    "postcode",
    "income",
    "earnings",
    "balance",
    "note",
    "notes",
    "token",
    "secret",
    "hash",
    "key",
    "pin",
    "ip",
    "device",
    "latitude",
    "longitude",
    "lat",
    "lng",
    "account",
    "customer",
    "details",
    "metadata",
    "meta",
    "settings",
    "preferences",
    "vat",
    "legal",
    "licence",
    "license",
    "insurance",
    "allergies",
    "emergency",
    "religion",
    "ethnicity",
];

/// Words in the names of columns that a page may show of somebody.
const HARMLESS: &[&str] = &[
    "id", "name", "username", "nickname", "nick", "handle", "slug", "avatar", "image", "photo", "picture", "logo",
    "banner", "bio", "about", "headline", "title", "country", "rank", "score", "points", "level", "badge", "badges",
    "rating", "verified", "created", "role",
];

/// Parts of names that open doors.
const CREDENTIALS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "api_key",
    "key_hash",
    "access_token",
    "refresh_token",
    "session_token",
    "auth_token",
    "reset_token",
    "invite_token",
    "invitation_token",
    "verification_code",
    "otp",
    "otp_code",
    "pin_code",
    "pin_hash",
    "pin_salt",
    "private_key",
    "gateway_token",
    "bot_token",
    "instance_token",
    "whatsapp_token",
    "integration_token",
    "bearer_token",
];

/// Parts of names that say that a column only counts or switches what they name, or that it is a firm's, for all to
/// see.
const ABOUT: &[&str] = &[
    "min",
    "max",
    "range",
    "error",
    "errors",
    "method",
    "preference",
    "preferences",
    "listing",
    "support",
    "business",
    "company",
    "office",
    "public",
    "verified",
    "sent",
    "enabled",
    "count",
    "opt",
    "notifications",
    "template",
    "subject",
    "status",
    "at",
    "required",
    "type",
    "provider",
    "is",
    "has",
    "show",
    "allow",
    "notify",
    "protected",
    "confirmed",
    "section",
    "category",
    "specialty",
    "disclaimer",
];

impl Id {
    /// Whether the rows of a table of this name are people that sign in.
    pub(super) fn name_means_people(self) -> bool {
        PEOPLE.contains(&self.name.as_str())
    }
}

impl Table {
    /// The column that says whose row it is.
    pub fn owner(&self) -> Option<Name> {
        let refers = |column: &Column| {
            self.constraints.iter().any(|constraint| {
                constraint.columns == [column.name]
                    && matches!(&constraint.asks, Asks::Foreign(of, _) if Id::of(*of).name_means_people())
            })
        };
        let named = OWNERS.iter().find_map(|name| self.column(name));
        // Who wrote a row last, or looked at it, does not own it.
        let acts = |column: &&Column| {
            let name = column.name.as_str();
            !name.split('_').any(|part| part == "by") || name.starts_with("created_by")
        };
        let referred = self.columns.iter().filter(acts).find(|column| refers(column));
        named.or(referred).map(|column| column.name)
    }

    /// The columns that hold something personal.
    pub fn personal(&self) -> Vec<Name> {
        let about_person = self.is_about_person();
        let of_place = self.is_of_places();
        let says = |column: &&Column| {
            let contact = of_place && is_among(&column.name, CONTACTS);
            let personal = is_among(&column.name, PERSONAL) || about_person && is_among(&column.name, OF_PERSON);
            personal && !contact && !only_switches(column)
        };
        self.columns.iter().filter(says).map(|column| column.name).collect()
    }

    /// Whether the rows are places, and nobody's: whose phone a shop's is, when a user stands beside it, is not known.
    fn is_of_places(&self) -> bool {
        let lower = snake(&self.id.name);
        let mut parts = lower.split('_');
        let named = lower.split('_').any(|part| PLACES.contains(&part));
        named && parts.all(|part| PLACES.contains(&part) || OF_PLACES.contains(&part)) && self.owner().is_none()
    }

    /// The column that says whether a row is paid for, and the condition that it is not yet, where that can be told.
    pub fn paid(&self) -> Option<(Name, Option<String>)> {
        let column = PAID.iter().find_map(|name| self.column(name))?;
        let name = column.name;
        let unpaid = match name.as_str() {
            "is_paid" | "paid" if column.kind == "boolean" || column.kind == "bool" => {
                Some(format!("{name} is not true"))
            }
            "paid_at" => Some("paid_at is null".to_owned()),
            "is_paid" | "paid" => return None,
            _ => {
                let default = column.default.as_deref().unwrap_or_default();
                let state = default.split("::").next().unwrap_or_default().trim();
                let known = UNPAID.contains(&state.trim_matches('\'').to_ascii_lowercase().as_str());
                known.then(|| format!("{name} = {state}"))
            }
        };
        Some((name, unpaid))
    }

    /// Which of some names, of columns that no migration tells, are those of something personal or of what opens doors.
    pub fn telling(&self, names: &[Name]) -> Vec<Name> {
        let says = |name: &&Name| is_among(name, CREDENTIALS) || (!self.is_of_places() && is_among(name, PERSONAL));
        let mut found: Vec<Name> = names.iter().filter(says).copied().collect();
        found.sort();
        found.dedup();
        found
    }

    /// Whether a name is that of something that opens doors.
    pub fn opens_doors(name: &str) -> bool {
        is_among(name, CREDENTIALS)
    }

    /// Whether the rows speak of a person each, rather than of an exam, a catalogue, a place.
    fn is_about_person(&self) -> bool {
        let named = ["first_name", "last_name", "full_name", "patient_name", "name", "patient_id", "birth_date"];
        self.owner().is_some() || named.iter().any(|name| self.column(name).is_some()) || {
            let plain = |column: &Column| !only_switches(column) && is_among(&column.name, PERSONAL);
            self.columns.iter().any(plain)
        }
    }

    /// Whether columns are such as a page may show of anybody.
    pub fn are_harmless(&self, columns: &[Name]) -> bool {
        columns.iter().all(|name| is_said(name, HARMLESS) && !is_said(name, PRIVATE))
    }

    /// The columns that a view for others may show: nothing personal, nothing that opens doors, no money or whereabouts
    /// of somebody, nothing that holds who knows what. `read`: what pages read by name; of people that and what is
    /// harmless is all.
    pub fn showable(&self, read: &[Name]) -> Vec<Name> {
        let hidden = [self.credentials(), self.personal()].concat();
        let people = self.id.name_means_people() || self.owner().is_some_and(|owner| owner == "id");
        let told = |name: &Name| !people || read.contains(name) || is_said(name, HARMLESS);
        let loose = |column: &Column| matches!(column.kind.as_str(), "json" | "jsonb") && !read.contains(&column.name);
        let fine = |column: &&Column| {
            !hidden.contains(&column.name) && !is_said(&column.name, PRIVATE) && !loose(column) && told(&column.name)
        };
        self.columns.iter().filter(fine).map(|column| column.name).collect()
    }

    /// The columns that hold what opens doors.
    pub fn credentials(&self) -> Vec<Name> {
        // `zapi_token`: of an interface, whoever's it is.
        let of_api = |name: &str| snake(name).strip_suffix("_token").is_some_and(|of| of.ends_with("api"));
        let opens = |name: &str| is_among(name, CREDENTIALS) || of_api(name) || is_of_pass(&self.id.name, name);
        self.columns
            .iter()
            .filter(|column| !only_switches(column) && opens(&column.name))
            .map(|column| column.name)
            .collect()
    }
}

/// Whether a column can hold no more than a setting: `auto_email_on_payment boolean`.
fn only_switches(column: &Column) -> bool {
    matches!(column.kind.as_str(), "bool" | "boolean" | "interval")
}

/// Whether a name holds one of some words, and is not only about it.
fn is_among(name: &str, words: &[&str]) -> bool {
    let lower = snake(name);
    let parts: Vec<&str> = lower.split('_').collect();
    if parts.iter().any(|part| ABOUT.contains(part)) {
        return false;
    }
    // `email_id` leads to a row, `tax_id` is one of a person's own.
    let refers = parts.last() == Some(&"id");
    words.iter().filter(|word| !refers || word.ends_with("_id")).any(|word| {
        let wanted: Vec<&str> = word.split('_').collect();
        parts.windows(wanted.len()).any(|window| window == wanted)
    })
}

/// Whether a name holds one of some words.
fn is_said(name: &str, words: &[&str]) -> bool {
    snake(name).split('_').any(|part| words.contains(&part))
}

/// Whether a column of a table of passes is what opens: `token` of `reset_tokens`.
fn is_of_pass(table: &str, column: &str) -> bool {
    let table = snake(table);
    let says = |words: &[&str]| table.split('_').any(|part| words.contains(&part));
    match column {
        "token" | "pin" => {
            says(&["token", "tokens", "invitation", "invitations", "invite", "invites", "reset", "resets"])
        }
        "code" | "otp" => says(&["verification", "verifications", "otp", "otps", "reset", "resets", "login"]),
        _ => false,
    }
}

/// `firstName` as `first_name`.
fn snake(name: &str) -> String {
    let mut said = String::new();
    let mut small = false;
    for char in name.chars() {
        if char.is_ascii_uppercase() && small {
            said.push('_');
        }
        small = char.is_ascii_lowercase();
        said.push(char.to_ascii_lowercase());
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_column_holds() {
        for name in ["email", "contact_email", "phoneNumber", "date_of_birth", "home_address"] {
            assert!(is_among(name, PERSONAL), "{name}");
        }
        let public = ["salary_min", "listing_agent_phone", "support_email", "email_error", "display_name", "title"];
        let about = ["email_verified", "email_count", "emails_sent", "birth_chart_enabled"];
        for name in public.into_iter().chain(about) {
            assert!(!is_among(name, PERSONAL), "{name}");
        }
        assert!(is_among("tax_id", PERSONAL) && !is_among("email_id", PERSONAL));
        assert!(is_among("password_hash", CREDENTIALS) && is_among("pin_salt", CREDENTIALS));
        assert!(!is_among("password_protected", CREDENTIALS));
    }
}
