//! The floor: walk, read and parse, nothing else.

fn main() {}
