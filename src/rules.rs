//! All rules, in the order of the catalogue.

use crate::rule::Rule;

mod analytics_double_fire;
mod api_version_unpinned;
mod blocking_third_party_script;
mod browser_secrets;
mod client_controlled_amount;
mod core_path;
mod create_without_idempotency;
mod duplicate_customer;
mod edge_function_no_auth;
mod env_unchecked;
mod env_undocumented;
mod error_without_context;
mod firebase_open_rules;
mod floating_vendor_call;
mod fulfil_on_redirect;
mod hardcoded_environment;
mod insecure_secret_default;
mod integration_breaks_boot;
mod integration_undocumented;
mod long_timeout;
mod missing_endpoint;
mod missing_timeout;
mod no_error_tracking;
mod no_kill_switch;
mod no_reconciliation;
mod oauth_no_refresh;
mod oauth_no_state;
mod overbroad_scope;
mod partial_write;
mod permissive_rls_policy;
mod personal_credential;
mod render_depends_on_vendor;
mod response_unvalidated;
mod retired_api;
mod retry_duplicates;
mod retry_ignores_limits;
mod retry_without_backoff;
mod returned_error_ignored;
mod row_security;
mod sdk_unpinned;
mod secret_in_client;
mod secret_in_log;
mod secret_in_public_env;
mod secret_in_repo;
mod status_unchecked;
mod strangers;
mod swallowed_vendor_error;
mod table_without_rls;
mod test_live_mix;
mod token_in_url;
mod too_many_new_integrations;
mod top_of_hour_cron;
mod unauthenticated_paid_proxy;
mod unbounded_fan_out;
mod unbounded_retry;
mod unpaginated_list;
mod unprotected_cron_endpoint;
mod unstable_idempotency_key;
mod vendor_id_discarded;
mod vendor_on_checkout_path;
mod vendor_on_signup_path;
mod vendor_sdk_in_browser;
mod webhook_acks_failure;
mod webhook_behind_auth;
mod webhook_inline_work;
mod webhook_no_dedup;
mod webhook_out_of_order;
mod webhook_unvalidated_payload;
mod webhook_unverified;
mod webhook_verification_broken;
mod webhook_verification_bypass;
mod webhook_weak_compare;

/// Every rule.
pub static RULES: &[&Rule] = &[
    &secret_in_client::RULE,
    &secret_in_public_env::RULE,
    &vendor_sdk_in_browser::RULE,
    &secret_in_repo::RULE,
    &insecure_secret_default::RULE,
    &secret_in_log::RULE,
    &token_in_url::RULE,
    &webhook_unverified::RULE,
    &webhook_verification_bypass::RULE,
    &webhook_weak_compare::RULE,
    &webhook_verification_broken::RULE,
    &webhook_behind_auth::RULE,
    &webhook_no_dedup::RULE,
    &webhook_acks_failure::RULE,
    &webhook_inline_work::RULE,
    &webhook_unvalidated_payload::RULE,
    &webhook_out_of_order::RULE,
    &create_without_idempotency::RULE,
    &unstable_idempotency_key::RULE,
    &retry_duplicates::RULE,
    &duplicate_customer::RULE,
    &vendor_id_discarded::RULE,
    &partial_write::RULE,
    &missing_timeout::RULE,
    &long_timeout::RULE,
    &retry_without_backoff::RULE,
    &unbounded_retry::RULE,
    &retry_ignores_limits::RULE,
    &unbounded_fan_out::RULE,
    &top_of_hour_cron::RULE,
    &floating_vendor_call::RULE,
    &unpaginated_list::RULE,
    &render_depends_on_vendor::RULE,
    &integration_breaks_boot::RULE,
    &vendor_on_signup_path::RULE,
    &vendor_on_checkout_path::RULE,
    &no_kill_switch::RULE,
    &analytics_double_fire::RULE,
    &blocking_third_party_script::RULE,
    &status_unchecked::RULE,
    &returned_error_ignored::RULE,
    &response_unvalidated::RULE,
    &missing_endpoint::RULE,
    &api_version_unpinned::RULE,
    &retired_api::RULE,
    &sdk_unpinned::RULE,
    &oauth_no_refresh::RULE,
    &oauth_no_state::RULE,
    &overbroad_scope::RULE,
    &personal_credential::RULE,
    &swallowed_vendor_error::RULE,
    &error_without_context::RULE,
    &no_error_tracking::RULE,
    &no_reconciliation::RULE,
    &env_unchecked::RULE,
    &env_undocumented::RULE,
    &hardcoded_environment::RULE,
    &test_live_mix::RULE,
    &integration_undocumented::RULE,
    &too_many_new_integrations::RULE,
    &table_without_rls::RULE,
    &permissive_rls_policy::RULE,
    &edge_function_no_auth::RULE,
    &firebase_open_rules::RULE,
    &unprotected_cron_endpoint::RULE,
    &client_controlled_amount::RULE,
    &unauthenticated_paid_proxy::RULE,
    &fulfil_on_redirect::RULE,
];
