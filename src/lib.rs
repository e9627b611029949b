//! seamcheck finds integration hazards in app repositories: the places where an app meets a vendor.
//!
//! Data flows one way: walk, extract, link, check, settle, report.

pub mod extract;
pub mod facts;
pub mod lang;
pub mod names;
