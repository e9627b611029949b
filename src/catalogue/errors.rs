//! What the exceptions of HTTP clients tell.

use serde::{Deserialize, Serialize};

/// How the exceptions of an HTTP client tell the URL that was asked for, with all its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorTells {
    /// The message of each says it.
    Text,
    /// The message of those says it that are raised for a status, when the code asks for them.
    Status,
    /// They hold it: whoever prints the exception itself, or makes JSON of it, prints it.
    Whole,
}
