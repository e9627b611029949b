//! Who reaches a piece of code, and what is known of them there.

pub(super) mod announced;
pub mod audience;
pub mod believed;
pub mod branches;
pub(super) mod brought;
pub mod covered;
pub mod doors;
pub mod full_rights;
pub(super) mod given;
pub mod known_addresses;
pub mod left_out;
pub mod links;
pub mod open_keys;
pub mod own_work;
pub mod passage;
pub mod signed_in;
mod strangers;
pub mod unloaded;
