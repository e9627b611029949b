//! All rules, in the order of the catalogue.

use crate::rule::Rule;

mod browser_secrets;
pub mod secret_in_client;
pub mod secret_in_public_env;
pub mod vendor_sdk_in_browser;

/// Every rule.
pub static RULES: &[&Rule] = &[&secret_in_client::RULE, &secret_in_public_env::RULE, &vendor_sdk_in_browser::RULE];
