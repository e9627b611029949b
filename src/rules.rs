//! All rules, in the order of the catalogue.

use crate::rule::Rule;

pub mod webhook_unverified;
pub mod webhook_verification_bypass;

/// Every rule.
pub static RULES: &[&Rule] = &[&webhook_unverified::RULE, &webhook_verification_bypass::RULE];
