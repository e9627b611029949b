//! Payment forms that vendors open in the browser, and what they call once somebody has paid there.

use serde::{Deserialize, Serialize};

use super::{Catalogue, Source};

/// A payment form of a vendor's, opened by browser code.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Widget {
    /// The vendor's id in the catalogue.
    pub vendor: String,
    /// How the call that opens it, or the component that shows it, is written at its end: `Popup.setup`.
    pub call: String,
    /// The call gives the function that opens it: `useForm(config)`, then `open({ onSuccess })`.
    #[serde(default)]
    pub gives: bool,
    /// The options, or attributes, that hold what is called after paying.
    pub paid: Vec<String>,
    /// Where it comes from.
    pub source: Source,
}

impl Catalogue {
    /// Every payment form that browser code opens.
    pub fn widgets(&self) -> &[Widget] {
        &self.widgets
    }
}
