//! What is known of scripts that pages load from others.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source, glob};

/// A script that others serve to pages.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PageScript {
    /// Where it is: host and path without the scheme, `*` for any run of characters: `js.example.com/*`.
    pub url: String,
    /// What it is, for messages: `Acme Pay's form`.
    pub name: String,
    /// It has to run before the page does, or its documentation asks for a plain tag.
    #[serde(default)]
    pub first: bool,
    /// What to do rather than to load it before the page, when that is more than `defer`.
    pub cure: Option<String>,
    /// Where it comes from.
    pub source: Source,
}

impl Catalogue {
    /// What is known of the script at an absolute URL.
    pub fn page_script(&self, url: &str) -> Option<&PageScript> {
        let (_, bare) = url.split_once("//")?;
        let bare = bare.split(['?', '#']).next().unwrap_or(bare);
        self.page_scripts.iter().find(|script| glob::matches(&script.url, bare))
    }
}
