//! All rules, in the order of the catalogue.

use crate::rule::Rule;

/// Every rule.
pub static RULES: &[&Rule] = &[];
