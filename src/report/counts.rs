//! Figures for scripts: a name, `=`, a number, one a line.

use std::io::{self, Write};

use super::Told;

pub fn write(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let settled = told.settled;
    for (name, number) in [
        ("findings", settled.counts.total()),
        ("errors", settled.counts.error),
        ("warnings", settled.counts.warning),
        ("notes", settled.counts.note),
        ("suppressed", settled.suppressed.len()),
        ("baseline", settled.hidden_by_baseline.total()),
        ("mended", settled.mended()),
        ("gaps", told.gaps().len()),
    ] {
        writeln!(out, "{name}={number}")?;
    }
    Ok(())
}
