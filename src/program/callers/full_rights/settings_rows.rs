//! Rows of the app's own settings, where it keeps its keys: whoever writes them takes the app over.

use crate::catalogue::Effect;
use crate::names::Name;
use crate::program::callers::full_rights::rows::PERSON;
use crate::program::callers::full_rights::{Pick, Touch, any_word};
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{Edge, Program, VendorUse};

impl Program {
    /// A value of the request that goes into the app's own settings, where it keeps its keys.
    pub(super) fn rewired(&self, way: &[Edge], used: &VendorUse) -> Option<Pick> {
        let what = self.table_of(used.at).filter(|table| keeps_settings(table) && self.keeps_keys(*table, used))?;
        let source =
            self.row_written(used.at).into_iter().find_map(|(_, value)| match self.origin_on(way, value, &[]) {
                Origin::Request(source) => Some(source),
                _ => None,
            })?;
        Some(Pick { touch: Touch::Changes, what, by: Name::new("id"), source: Some(source) })
    }

    /// Whether the app reads a key or token out of a table: `settings.value.accessToken`.
    fn keeps_keys(&self, table: Name, used: &VendorUse) -> bool {
        const KEYS: &[&str] = &["token", "secret", "password", "apikey", "credentials"];
        let is_key = |part: &Name| {
            let said = words(part);
            said.iter().any(|word| KEYS.contains(&word.as_str()))
                || said.len() > 1 && said.last().is_some_and(|last| last == "key")
        };
        self.vendor_uses().iter().any(|other| {
            self.operation(other).is_some_and(|of| matches!(of.effect, Effect::Read | Effect::List))
                && self.table_of(other.at) == Some(table)
                && self.share_app(other.at.file, used.at.file)
                && self.looks(other.at).iter().any(|look| look.part.iter().any(is_key))
        })
    }
}

/// Whether a table is where the app keeps how it is set up, by its name.
pub(super) fn keeps_settings(table: &str) -> bool {
    const SETTINGS: &[&str] = &["settings", "setting", "config", "configuration", "integrations", "integration"];
    any_word(table, SETTINGS) && !any_word(table, PERSON)
}
