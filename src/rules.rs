//! All rules, in the order of the catalogue.

use crate::rule::Rule;

mod core_path;
pub mod vendor_on_checkout_path;
pub mod vendor_on_signup_path;

/// Every rule.
pub static RULES: &[&Rule] = &[&vendor_on_signup_path::RULE, &vendor_on_checkout_path::RULE];
