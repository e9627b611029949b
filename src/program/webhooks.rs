//! What vendors deliver: which entry points take it, and what becomes of a delivery.

pub mod acknowledged;
pub mod barriers;
pub mod deliveries;
pub mod event_keys;
pub(super) mod first_rows;
pub mod form_bodies;
pub mod handlers;
pub mod marked_handled;
pub mod recorded_early;
pub mod recorded_failed;
pub(super) mod recorded_in_database;
pub mod remembered;
pub mod shadowed;
pub mod shelved;
pub(super) mod signed_headers;
pub mod unasked;
pub mod unknown_rows;
