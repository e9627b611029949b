//! How often, how long and when code runs.

pub mod iterations;
pub mod lifetimes;
pub mod pages;
pub mod schedules;
pub mod timing;
pub mod unscheduled;
pub mod waiting;
