//! Names that give a vendor away: environment variables, webhook headers, event names.

use rustc_hash::FxHashSet;

use super::{Catalogue, EnvName, VendorId, glob};

impl Catalogue {
    /// The vendor whose credential or setting a variable holds, and whether it must stay on the server.
    pub fn env(&self, name: &str) -> Option<(VendorId, bool)> {
        if let Some(&found) = self.index.envs.get(name) {
            return Some(found);
        }
        let mut globs = self.index.env_globs.iter();
        globs.find(|(form, ..)| glob::matches(form, name)).map(|(_, vendor, secret)| (*vendor, *secret))
    }

    /// The same for a variable that may stand under one of a bundler's public `prefixes`; an entry for the whole
    /// name goes first.
    pub fn env_with_prefixes(&self, name: &str, prefixes: &[&str]) -> Option<(VendorId, bool)> {
        self.env(name).or_else(|| {
            let longest = prefixes.iter().filter(|prefix| !prefix.is_empty() && name.starts_with(**prefix));
            self.env(&name[longest.map(|prefix| prefix.len()).max()?..])
        })
    }

    /// The entry of a variable's name, also when words of the app's own stand around it: `SHOP_STRIPE_SECRET_KEY`,
    /// `STRIPE_SECRET_KEY_LIVE`.
    pub fn env_entry(&self, name: &str) -> Option<(VendorId, &EnvName)> {
        let core = unqualified(name);
        let mut rest = Some(name);
        for _ in 0..3 {
            let here = rest?;
            // A single word is nobody's.
            if here.len() < name.len() && !here.contains('_') {
                return None;
            }
            let shorter = core.get(name.len() - here.len()..).filter(|shorter| !shorter.is_empty());
            for spelling in [Some(here), shorter].into_iter().flatten() {
                if let Some((vendor, _)) = self.env(spelling) {
                    let entries = self.vendor(vendor).envs.iter().filter(|entry| glob::matches(&entry.name, spelling));
                    let entry = entries.max_by_key(|entry| (!glob::is_glob(&entry.name), glob::fixed(&entry.name)))?;
                    return Some((vendor, entry));
                }
            }
            rest = here.split_once('_').map(|(_, rest)| rest);
        }
        None
    }

    /// The vendors that a text names, by name or id.
    pub fn named_in(&self, text: &str) -> Vec<VendorId> {
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> =
            lower.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let known: FxHashSet<&str> = words.iter().copied().collect();
        let says = |form: &str| {
            let form = form.to_ascii_lowercase();
            let parts: Vec<&str> =
                form.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
            known.contains(parts.concat().as_str())
                || !parts.is_empty()
                    && parts.iter().all(|part| known.contains(part))
                    && words.windows(parts.len()).any(|run| run == parts)
        };
        let vendors = self.vendors().iter().enumerate();
        vendors
            .filter(|(_, vendor)| says(&vendor.id) || says(&vendor.name))
            .map(|(at, _)| VendorId(at as u16))
            .collect()
    }

    /// Whether platforms or tools set a variable by themselves.
    pub fn is_injected(&self, variable: &str) -> bool {
        self.injected_envs.iter().any(|form| glob::matches(form, variable))
    }

    /// Whether clients do without an option, by its name.
    pub fn is_optional_option(&self, name: &str) -> bool {
        self.optional_options.iter().any(|option| option == name)
    }

    /// Whether a package keeps failures where somebody looks: a structured logger, tracing.
    pub fn is_watcher(&self, package: &str) -> bool {
        self.watchers.iter().any(|form| glob::matches(form, package))
    }

    /// Whether a host is one of those that stand for a preview or a tunnel.
    pub fn is_passing_host(&self, host: &str) -> bool {
        self.passing_hosts.iter().any(|form| glob::matches(form, host))
    }

    /// Whether an environment variable holds the app's own URL or host.
    pub fn is_own_url(&self, name: &str) -> bool {
        const PREFIXES: &[&str] =
            &["VITE_", "NEXT_PUBLIC_", "REACT_APP_", "EXPO_PUBLIC_", "GATSBY_", "NUXT_PUBLIC_", "PUBLIC_"];
        let bare = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        self.own_urls.iter().any(|form| glob::matches(form, name) || glob::matches(form, bare))
    }

    /// The vendors whose deliveries carry this header.
    pub fn webhook_by_header(&self, header: &str) -> Vec<VendorId> {
        let lower = header.to_ascii_lowercase();
        self.index.headers.get(lower.as_str()).cloned().unwrap_or_default()
    }

    /// The vendors whose forms have a field of this name.
    pub fn webhook_by_field(&self, field: &str) -> &[VendorId] {
        self.index.fields.get(field).map_or(&[], Vec::as_slice)
    }

    /// The vendors that deliver an event of this name.
    pub fn webhook_by_event(&self, event: &str) -> Vec<VendorId> {
        let mut vendors = self.index.events.get(event).cloned().unwrap_or_default();
        for (form, vendor) in &self.index.event_globs {
            if !vendors.contains(vendor) && glob::matches(form, event) {
                vendors.push(*vendor);
            }
        }
        vendors
    }
}

/// A variable's name without what says which of several it is: `_PROD`, `_DEV`, `_2`.
pub fn unqualified(name: &str) -> &str {
    const QUALIFIERS: &[&str] =
        &["PROD", "PRODUCTION", "DEV", "DEVELOPMENT", "TEST", "LIVE", "STAGING", "SANDBOX", "B64", "BASE64", "JSON"];
    let mut name = name;
    while let Some((rest, last)) = name.rsplit_once('_') {
        let version = last.strip_prefix('V').unwrap_or(last);
        if !QUALIFIERS.contains(&last) && !version.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        name = rest;
    }
    name
}
