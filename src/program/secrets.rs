//! Credentials and settings: where they come from, where they go, and who can read them.

pub mod bundling;
pub mod configured;
pub mod credentials;
pub mod defaults;
pub mod disclosure;
pub mod environment;
pub mod exposure;
mod for_pages;
pub mod modes;
pub mod overridden;
pub mod personal;
pub mod returns;
pub mod unchecked;
pub mod unread;
pub mod unset;
pub mod url_keys;
