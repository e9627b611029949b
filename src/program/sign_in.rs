//! Customers' accounts at vendors: how they are tied to the app, and what it may do there.

pub mod oauth;
pub mod scopes;
