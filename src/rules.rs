//! All rules, in the order of the catalogue.

use crate::rule::Rule;

mod browser_secrets;
mod core_path;
mod create_without_idempotency;
mod missing_timeout;
mod secret_in_client;
mod secret_in_public_env;
mod vendor_on_checkout_path;
mod vendor_on_signup_path;
mod vendor_sdk_in_browser;
mod webhook_acks_failure;
mod webhook_behind_auth;
mod webhook_no_dedup;
mod webhook_unverified;

mod webhook_verification_broken;
mod webhook_verification_bypass;
mod webhook_weak_compare;

/// Every rule.
pub static RULES: &[&Rule] = &[
    &secret_in_client::RULE,
    &secret_in_public_env::RULE,
    &vendor_sdk_in_browser::RULE,
    &webhook_unverified::RULE,
    &webhook_verification_bypass::RULE,
    &webhook_weak_compare::RULE,
    &webhook_verification_broken::RULE,
    &webhook_behind_auth::RULE,
    &webhook_no_dedup::RULE,
    &webhook_acks_failure::RULE,
    &create_without_idempotency::RULE,
    &missing_timeout::RULE,
    &vendor_on_signup_path::RULE,
    &vendor_on_checkout_path::RULE,
];
