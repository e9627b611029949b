//! The tool as its daily users meet it: configuration, suppressions, baseline, changes, formats, hooks, packages.

#![allow(clippy::unwrap_used)]

#[path = "shop/actions.rs"]
mod actions;
#[path = "shop/baselines.rs"]
mod baselines;
#[path = "shop/changes.rs"]
mod changes;
#[path = "shop/configuration.rs"]
mod configuration;
#[path = "shop/formats.rs"]
mod formats;
#[path = "shop/hooks.rs"]
mod hooks;
#[path = "shop/packages.rs"]
mod packages;
#[path = "shop/story.rs"]
mod story;
#[path = "shop/suppressions.rs"]
mod suppressions;
#[path = "shop/workbench.rs"]
mod workbench;
