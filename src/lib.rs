//! seamcheck finds integration hazards in app repositories: the places where an app meets a vendor.
//!
//! Data flows one way: walk, extract, link, check, settle, report.

pub mod cli;
pub mod config;
pub mod run;

pub mod walk;

pub mod manifest;

pub mod lang;

pub mod cache;
pub mod extract;
pub mod facts;

pub mod catalogue;

pub mod sql;

pub mod link;
pub mod program;

pub mod finding;
pub mod rule;
pub mod rules;

pub mod settle;

pub mod baseline;
pub mod diff;

pub mod masking;
pub mod report;
pub mod texts;

pub mod contain;
pub mod day;
pub mod error;
pub mod names;
pub mod pipeline;
pub mod progress;

pub use error::Error;
pub use pipeline::{Options, Outcome, scan};
