//! What an operation of a vendor does.

use serde::{Deserialize, Serialize};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Makes a record; a repeat makes two.
    Create,
    /// Sends something to a person or a channel; a repeat sends twice.
    Send,
    /// Changes a record; a repeat does the same again.
    Update,
    /// Removes or cancels.
    Delete,
    /// Fetches one thing.
    Read,
    /// Fetches many, by pages.
    List,
    /// Asks a model: costs money, creates nothing.
    Generate,
    /// Exchanges or refreshes a token, signs in.
    Token,
    /// Verifies a webhook or token.
    Verify,
    /// Runs locally, sends nothing.
    Local,
    /// Sends analytics.
    Track,
    /// Shows a sign that nothing hangs on: that somebody is typing.
    Sign,
    /// Uploads bytes.
    Upload,
    /// Runs a function of the app's own backend by name: the first text argument, or the last path segment.
    Invoke,
}

impl Effect {
    /// Whether something is another afterwards: made, sent, changed, paid for.
    pub fn changes_something(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Send | Self::Update | Self::Delete | Self::Upload | Self::Generate | Self::Invoke
        )
    }
}
