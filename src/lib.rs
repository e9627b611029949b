//! seamcheck finds integration hazards in app repositories: the places where an app meets a vendor.
//!
//! Data flows one way: walk, extract, link, check, settle, report.

pub mod catalogue;
pub mod extract;
pub mod facts;
pub mod finding;
pub mod lang;
pub mod link;
pub mod names;
pub mod program;
pub mod rule;
pub mod rules;
