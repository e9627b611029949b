//! The catalogue: its own files are sound, users' files are checked, and its questions get the right answers.

#![allow(clippy::unwrap_used)]

#[path = "catalogue/builtin.rs"]
mod builtin;
#[path = "catalogue/errors.rs"]
mod errors;
#[path = "catalogue/names.rs"]
mod names;
#[path = "catalogue/paths.rs"]
mod paths;
#[path = "catalogue/tokens.rs"]
mod tokens;
#[path = "catalogue/user.rs"]
mod user;

use seamcheck::catalogue::{Catalogue, Seg, VendorId};
use seamcheck::names::Name;

/// The built-in catalogue with these vendor files.
fn catalogue(files: &[&str]) -> Catalogue {
    let files =
        files.iter().enumerate().map(|(at, text)| (format!(".seamcheck/vendors/{at}.toml"), (*text).to_owned()));
    Catalogue::load(files.collect()).unwrap_or_else(|reports| panic!("{reports:?}"))
}

/// The head of a vendor's file.
fn head(id: &str) -> String {
    format!(
        "id = \"{id}\"\nname = \"{id}\"\ncategory = \"payments\"\n\
         source = {{ src = \"https://{id}.test/docs\", tier = \"doc\", date = \"2026-01-31\" }}\n"
    )
}

/// A vendor's id as text.
fn id(catalogue: &Catalogue, vendor: Option<VendorId>) -> Option<&str> {
    vendor.map(|vendor| catalogue.vendor(vendor).id.as_str())
}

/// Steps of a path: `new`, `()` and members, with spaces between.
fn segs(text: &str) -> Vec<Seg> {
    text.split_whitespace()
        .map(|word| match word {
            "new" => Seg::New,
            "()" => Seg::Call,
            name => Seg::Member(Name::new(name)),
        })
        .collect()
}
