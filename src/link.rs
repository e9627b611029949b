//! Facts and catalogue become one program: modules, values, calls, entry points, what leaves.

pub mod builtins;
pub mod calls;
pub mod eval;
pub mod modules;
pub mod outbound;
pub mod urls;
