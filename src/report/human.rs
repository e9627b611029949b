//! The report for people: a headline, the code, the way there, the cure; then the figures.

use std::io::{self, Write};

use super::frame::{self, Label};
use super::paint::{Paint, clean, count, text_columns, word, wrap};
use super::{Look, Told};
use crate::finding::{Finding, Place, Severity};
use crate::settle::{By, Counts};

/// Gaps named before the rest is only counted.
const GAPS: usize = 10;

pub fn write(told: &Told<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { told, look, paint: Paint(look.colour) };
    for settled in &told.settled.findings {
        page.finding(&settled.finding, out)?;
    }
    page.ignore_problems(out)?;
    if !look.quiet {
        page.summary(out)?;
    }
    Ok(())
}

struct Page<'a> {
    told: &'a Told<'a>,
    look: Look,
    paint: Paint,
}

impl Page<'_> {
    fn finding(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let name = format!("{}[{}]", word(finding.severity), finding.rule);
        let message = wrap(&clean(&finding.message), text_columns(&name) + 2, self.look.columns());
        writeln!(out, "{}: {}", self.paint.severity(finding.severity, name), self.paint.bold(&message[0]))?;
        for line in &message[1..] {
            writeln!(out, "{}", self.paint.bold(line))?;
        }
        let mut labels = vec![Label { place: finding.place, text: String::new() }];
        let mut elsewhere = vec![];
        for related in &finding.related {
            let label = Label { place: related.place, text: clean(&related.text) };
            if related.place.file == finding.place.file { labels.push(label) } else { elsewhere.push(label) }
        }
        let (frame, rest) = frame::draw(&self.told.texts, labels, finding.severity, self.look);
        match frame {
            Some(frame) => write!(out, "{frame}")?,
            None => writeln!(out, "  {} {}", self.arrow(), self.link(finding.place))?,
        }
        // Without a frame the place itself comes back too: it has been linked above.
        let also: Vec<Label> = rest.into_iter().chain(elsewhere).filter(|label| !label.text.is_empty()).collect();
        if !also.is_empty() {
            writeln!(out, "  {}", self.paint.dim("see also:"))?;
            self.steps(&also, |_| "-".into(), out)?;
        }
        if !finding.trace.is_empty() {
            writeln!(out, "  {}", self.paint.dim("how it gets there:"))?;
            let trace = finding.trace.iter().map(|step| Label { place: step.place, text: clean(&step.text) });
            self.steps(&trace.collect::<Vec<_>>(), |number| format!("{}.", number + 1), out)?;
        }
        self.help(&finding.help, out)?;
        writeln!(out)
    }

    /// A list of places, their words in one column.
    fn steps(&self, steps: &[Label], mark: impl Fn(usize) -> String, out: &mut dyn Write) -> io::Result<()> {
        let links: Vec<String> = steps.iter().map(|step| self.told.texts.link(step.place)).collect();
        let marks: Vec<String> = (0..steps.len()).map(mark).collect();
        let mark_width = marks.iter().map(String::len).max().unwrap_or(0);
        let link_width = links.iter().map(|link| text_columns(link)).max().unwrap_or(0).min(44);
        for ((step, link), mark) in steps.iter().zip(&links).zip(&marks) {
            let indent = 4 + mark_width + 1 + link_width.max(text_columns(link)) + 2;
            let narrow = indent + 24 > self.look.columns();
            let left = if narrow { 8 } else { indent };
            let lines = wrap(&step.text, 0, self.look.columns().saturating_sub(left));
            let padding = " ".repeat(link_width.saturating_sub(text_columns(link)));
            write!(out, "    {mark:>mark_width$} {}", self.paint.cyan(link))?;
            for (number, line) in lines.iter().enumerate() {
                match number {
                    0 if !narrow => writeln!(out, "{padding}  {line}")?,
                    0 => write!(out, "\n{}{line}\n", " ".repeat(left))?,
                    _ => writeln!(out, "{}{line}", " ".repeat(left))?,
                }
            }
        }
        Ok(())
    }

    fn help(&self, help: &str, out: &mut dyn Write) -> io::Result<()> {
        if help.trim().is_empty() {
            return Ok(());
        }
        let mut fenced = false;
        let mut first = true;
        for line in clean(help.trim()).lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
                continue;
            }
            let lines =
                if fenced { vec![format!("  {line}")] } else { wrap(line, 0, self.look.columns().saturating_sub(8)) };
            for line in lines {
                let head = if first { self.paint.cyan("help:") } else { "     ".into() };
                first = false;
                writeln!(out, "{}", format!("  {head} {line}").trim_end())?;
            }
        }
        Ok(())
    }

    fn ignore_problems(&self, out: &mut dyn Write) -> io::Result<()> {
        for problem in &self.told.settled.ignore_problems {
            let name = self.paint.severity(Severity::Warning, "warning");
            writeln!(out, "{name}: {}", clean(&problem.problem.to_string()))?;
            writeln!(out, "  {} {}", self.arrow(), self.link(problem.place))?;
        }
        if !self.told.settled.ignore_problems.is_empty() {
            writeln!(out)?;
        }
        Ok(())
    }

    fn summary(&self, out: &mut dyn Write) -> io::Result<()> {
        let settled = self.told.settled;
        let files = count(self.told.files(), "file");
        if settled.findings.is_empty() {
            writeln!(out, "{}", self.paint.bold(format!("no findings in {files}")))?;
        } else {
            writeln!(out, "{} in {files}", self.paint.bold(self.counts(settled.counts)))?;
        }
        let vendors = self.told.by_vendor();
        let widest = vendors.iter().map(|(vendor, _)| text_columns(vendor)).max().unwrap_or(0);
        for (vendor, counts) in vendors {
            writeln!(out, "  {vendor:widest$}  {}", self.counts(counts))?;
        }
        let mut aside = vec![];
        let by_configuration = settled.suppressed.iter().filter(|it| it.by == By::Configuration).count();
        for (number, what) in [
            (settled.suppressed.len() - by_configuration, "suppressed by comments"),
            (by_configuration, "skipped by the configuration"),
            (settled.hidden_by_baseline.total(), "in the baseline"),
            (settled.hidden_by_change.total(), "that the change does not touch"),
        ] {
            if number > 0 {
                aside.push(format!("{number} {what}"));
            }
        }
        if settled.hidden_by_severity.total() > 0 {
            aside.push(format!("{} below --min-severity", settled.hidden_by_severity.total()));
        }
        if settled.hidden_by_persona.total() > 0 {
            aside.push(format!("{} more for --persona auditor", settled.hidden_by_persona.total()));
        }
        if !aside.is_empty() {
            writeln!(out, "  {}", self.paint.dim(aside.join(", ")))?;
        }
        if settled.mended() > 0 {
            let mended =
                format!("{} of the baseline mended: seamcheck baseline --prune", count(settled.mended(), "finding"));
            writeln!(out, "  {}", self.paint.dim(mended))?;
        }
        for reminder in &settled.reminders {
            writeln!(out, "  {} {}", self.paint.severity(Severity::Warning, "due:"), clean(reminder))?;
        }
        for line in self.told.unheeded().iter().flat_map(|said| wrap(said, 0, self.look.columns().saturating_sub(2))) {
            writeln!(out, "  {}", clean(&line))?;
        }
        self.gaps(out)?;
        if let Some(first) = settled.findings.iter().max_by_key(|it| it.finding.severity) {
            let rule =
                settled.findings.iter().find(|it| it.finding.severity == first.finding.severity).unwrap_or(first);
            let more = format!("more on a rule: seamcheck explain {}", rule.finding.rule);
            writeln!(out, "{}", self.paint.dim(more))?;
        }
        Ok(())
    }

    fn gaps(&self, out: &mut dyn Write) -> io::Result<()> {
        let gaps = self.told.gaps();
        if gaps.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "  {}:",
            self.paint.severity(Severity::Warning, format!("{} not checked in full", count(gaps.len(), "file")))
        )?;
        for gap in gaps.iter().take(GAPS) {
            writeln!(out, "    {}: {}", gap.path, clean(&gap.reason))?;
        }
        if gaps.len() > GAPS {
            writeln!(out, "    and {} more", gaps.len() - GAPS)?;
        }
        Ok(())
    }

    fn counts(&self, counts: Counts) -> String {
        let kinds =
            [(counts.error, Severity::Error), (counts.warning, Severity::Warning), (counts.note, Severity::Note)];
        let kinds = kinds.iter().filter(|(number, _)| *number > 0);
        kinds
            .map(|&(number, severity)| self.paint.severity(severity, count(number, word(severity))))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn link(&self, place: Place) -> String {
        let start = self.told.texts.region(place).start;
        self.paint.cyan(format!("{}:{}:{}", self.told.texts.path(place.file), start.line, start.column))
    }

    fn arrow(&self) -> &'static str {
        if self.look.unicode { "→" } else { "->" }
    }
}
