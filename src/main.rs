//! The `seamcheck` command.

fn main() {}
