//! All rules, in the order of the catalogue.

use crate::rule::Rule;

mod create_without_idempotency;
mod missing_timeout;

/// Every rule.
pub static RULES: &[&Rule] = &[&create_without_idempotency::RULE, &missing_timeout::RULE];
