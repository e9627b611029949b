//! All rules, in the order of the catalogue.

use crate::rule::Rule;

mod browser_secrets;
mod client_controlled_amount;
mod core_path;
mod create_without_idempotency;
mod floating_vendor_call;
mod missing_timeout;
mod retry_duplicates;
mod retry_without_backoff;
mod returned_error_ignored;
mod secret_in_client;
mod secret_in_public_env;
mod status_unchecked;
mod swallowed_vendor_error;
mod unauthenticated_paid_proxy;
mod unbounded_fan_out;
mod unbounded_retry;
mod unstable_idempotency_key;
mod vendor_on_checkout_path;
mod vendor_on_signup_path;
mod vendor_sdk_in_browser;
mod webhook_acks_failure;
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
    &webhook_no_dedup::RULE,
    &webhook_acks_failure::RULE,
    &create_without_idempotency::RULE,
    &unstable_idempotency_key::RULE,
    &retry_duplicates::RULE,
    &missing_timeout::RULE,
    &retry_without_backoff::RULE,
    &unbounded_retry::RULE,
    &unbounded_fan_out::RULE,
    &floating_vendor_call::RULE,
    &vendor_on_signup_path::RULE,
    &vendor_on_checkout_path::RULE,
    &status_unchecked::RULE,
    &returned_error_ignored::RULE,
    &swallowed_vendor_error::RULE,
    &client_controlled_amount::RULE,
    &unauthenticated_paid_proxy::RULE,
];
