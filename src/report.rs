//! Stub: the report helper's module replaces it.

use std::io;

use crate::program::Program;
use crate::settle::Settled;
use crate::walk::Repository;

/// How reports are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// For programs
    Json,
    /// For code scanning
    Sarif,
}

/// Writes a report.
pub fn write(
    format: Format,
    settled: &Settled,
    program: &Program,
    repository: &Repository,
    out: &mut dyn io::Write,
    _colour: bool,
) -> io::Result<()> {
    if format != Format::Human {
        let findings: Vec<_> = settled.findings.iter().map(|finding| &finding.message).collect();
        return writeln!(out, "{:#}", serde_json::json!({ "findings": findings, "gaps": repository.gaps }));
    }
    for finding in &settled.findings {
        let path = program.file(finding.place.file).path;
        writeln!(out, "{path}:{}: {} [{}]", program.line(finding.place), finding.message, finding.rule)?;
    }
    writeln!(out, "{} findings", settled.findings.len())?;
    for gap in &repository.gaps {
        writeln!(out, "not read: {}: {}", gap.path, gap.reason)?;
    }
    Ok(())
}
