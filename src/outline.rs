//! Facts for people: what `seamcheck facts` prints.

use std::io::{self, Write};

use crate::facts::Facts;

/// Writes an outline of a file's facts.
pub fn write(facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{facts:#?}")
}
