//! Facts and catalogue become one program: modules, values, calls, entry points, what leaves.

pub mod modules;
