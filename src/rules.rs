//! All rules, in the order of the catalogue.

use crate::rule::Rule;

mod browser_secrets;
mod core_path;
pub mod secret_in_client;
pub mod secret_in_public_env;
pub mod vendor_on_checkout_path;
pub mod vendor_on_signup_path;
pub mod vendor_sdk_in_browser;

/// Every rule.
pub static RULES: &[&Rule] = &[
    &secret_in_client::RULE,
    &secret_in_public_env::RULE,
    &vendor_sdk_in_browser::RULE,
    &vendor_on_signup_path::RULE,
    &vendor_on_checkout_path::RULE,
];
