//! Code frames: a few lines of a file with labels, drawn by miette.
//!
//! What is shown is decided here: which lines, cut to the width, secrets starred out, tabs and control characters
//! made harmless. miette is handed the finished excerpt and draws it.

use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};

use super::Look;
use super::paint::{columns, is_unprintable, text_columns, wrap};
use crate::finding::{FileId, Place, Severity};
use crate::masking;
use crate::texts::{Text, Texts};

/// Lines of a long span that are shown before it is cut short.
const SPAN_LINES: u32 = 4;
/// Places further apart than this get frames of their own.
const APART: u32 = 5;

/// A label to be drawn. An empty text underlines only.
pub struct Label {
    pub place: Place,
    pub text: String,
}

/// Draws `labels`, all of one file, the first being what the frame is about. The labels that could not be drawn
/// (too far away, or over another one) are given back. No frame without a text.
pub fn draw(texts: &Texts<'_>, labels: Vec<Label>, severity: Severity, look: Look) -> (Option<String>, Vec<Label>) {
    let Some((primary, text)) = labels.first().and_then(|label| Some((label.place, texts.of(label.place.file)?)))
    else {
        return (None, labels);
    };
    let at = text.region(primary.span);
    let bottom = at.end.line.min(at.start.line + SPAN_LINES - 1);
    let mut shown = at.start.line..bottom + 1;
    let (mut near, mut rest) = (vec![], vec![]);
    for label in labels {
        let line = text.line_of(label.place.span.start);
        let far = line + APART < shown.start || line > shown.end + APART;
        let covered = near.iter().any(|other: &Label| overlaps(&text, other.place, label.place));
        if far || covered {
            rest.push(label);
        } else {
            shown = shown.start.min(line)..shown.end.max(line + 1);
            near.push(label);
        }
    }
    // One line around for orientation, unless it is blank.
    if shown.start > 1 && !text.line(shown.start - 1).trim().is_empty() {
        shown.start -= 1;
    }
    let last_label = near.iter().map(|label| text.line_of(label.place.span.start)).max().unwrap_or(shown.start);
    while shown.end > last_label + 1 && text.line(shown.end - 1).trim().is_empty() {
        shown.end -= 1;
    }
    let cut_short = at.end.line > bottom;
    if !cut_short && shown.end <= text.line_count() && !text.line(shown.end).trim().is_empty() {
        shown.end += 1;
    }
    let excerpt = Excerpt::new(texts, primary.file, &text, shown, &near, look);
    (Some(excerpt.render(severity, look)), rest)
}

/// Whether two labels would be drawn over each other: labels are drawn on the first line of their place.
fn overlaps(text: &Text, a: Place, b: Place) -> bool {
    let (a, b) = (first_line(text, a), first_line(text, b));
    a.0 == b.0 && a.1.start < b.1.end.max(b.1.start + 1) && b.1.start < a.1.end.max(a.1.start + 1)
}

/// The part of a place on its first line: the line and the bytes within it.
fn first_line(text: &Text, place: Place) -> (u32, Range<usize>) {
    let line = text.line_of(place.span.start);
    let start = text.line_start(line).unwrap_or(0);
    let length = text.line(line).trim_end().len();
    let from = (text.clamp(place.span.start) - start).min(length);
    let to = text.clamp(place.span.end).saturating_sub(start).clamp(from, length);
    (line, from..to)
}

#[derive(Debug)]
struct Excerpt {
    name: &'static str,
    text: String,
    first: u32,
    labels: Vec<(Range<usize>, String)>,
    severity: Severity,
    /// Zero-based line and column of what the frame is about, for its title.
    title: (usize, usize),
}

impl Excerpt {
    fn new(texts: &Texts<'_>, file: FileId, text: &Text, lines: Range<u32>, labels: &[Label], look: Look) -> Self {
        let name = texts.path(file);
        let facts = texts.facts(file);
        let title = labels.first().map_or((0, 0), |label| {
            let at = text.position(label.place.span.start);
            (at.line as usize - 1, at.column as usize - 1)
        });
        let room = look.columns().saturating_sub(lines.end.to_string().len() + 5);
        let placed: Vec<_> = labels.iter().map(|label| first_line(text, label.place)).collect();
        let mut excerpt =
            Self { name, text: String::new(), first: lines.start, labels: vec![], severity: Severity::Note, title };
        for line in lines {
            let whole = text.line(line);
            let hidden = masking::hidden(whole, text.line_start(line).unwrap_or(0), facts);
            let here: Vec<_> = placed.iter().enumerate().filter(|(_, (at, _))| *at == line).collect();
            let cells = Cells::new(whole, &hidden);
            let keep = cells.window(here.iter().map(|(_, (_, bytes))| bytes), room);
            let offset = excerpt.text.len();
            let ellipsis = if look.unicode { "…" } else { "..." };
            let spans = cells.push(&mut excerpt.text, keep, ellipsis, here.iter().map(|(_, (_, bytes))| bytes));
            for ((label, _), span) in here.iter().zip(spans) {
                let width = room.saturating_sub(text_columns(&excerpt.text[offset..span.start]) + 6).max(24);
                excerpt.labels.push((span, wrap(&labels[*label].text, 0, width).join("\n")));
            }
            excerpt.text.push('\n');
        }
        excerpt
    }

    fn render(mut self, severity: Severity, look: Look) -> String {
        self.severity = severity;
        let theme = GraphicalTheme {
            characters: if look.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
            styles: if look.colour { ThemeStyles::ansi() } else { ThemeStyles::none() },
        };
        let handler =
            GraphicalReportHandler::new_themed(theme).with_width(look.columns()).without_syntax_highlighting();
        let mut drawn = String::new();
        // Writing to a string cannot fail, and the excerpt answers for every span.
        let _ = handler.render_report(&mut drawn, &self);
        // miette opens with the message, which the report has told already in its own words.
        let frame = drawn.split_once('\n').map_or("", |(_, frame)| frame);
        frame.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

/// A line of source, character by character as it will be shown.
struct Cells {
    /// The byte each character stood at, and what stands for it.
    cells: Vec<(usize, String)>,
    length: usize,
}

impl Cells {
    fn new(line: &str, hidden: &[Range<usize>]) -> Self {
        let mut column = 0;
        let cell = |(at, char): (usize, char)| {
            let shown = match char {
                _ if hidden.iter().any(|range| range.contains(&at)) => "*".to_owned(),
                '\t' => " ".repeat(4 - column % 4),
                char if is_unprintable(char) => "\u{fffd}".to_owned(),
                char => char.to_string(),
            };
            column += text_columns(&shown);
            (at, shown)
        };
        Self { cells: line.char_indices().map(cell).collect(), length: line.len() }
    }

    fn cell_at(&self, byte: usize) -> usize {
        self.cells.partition_point(|(at, _)| *at < byte)
    }

    /// Which cells to keep so that the line fits and the labels are in sight.
    fn window<'r>(&self, labels: impl Iterator<Item = &'r Range<usize>>, room: usize) -> Range<usize> {
        let widths: Vec<usize> = self.cells.iter().map(|(_, shown)| shown.chars().map(columns).sum()).collect();
        let all = 0..self.cells.len();
        if widths.iter().sum::<usize>() <= room {
            return all;
        }
        let room = room.saturating_sub(6).max(8);
        let first = labels.map(|bytes| self.cell_at(bytes.start)).min().unwrap_or(0);
        // The place begins a third in, when it does not fit from the line's start.
        let lead: usize = widths[..first].iter().sum();
        let mut start = 0;
        if lead > room * 2 / 3 {
            let mut before = 0;
            start = first;
            while start > 0 && before + widths[start - 1] <= room / 3 {
                start -= 1;
                before += widths[start];
            }
        }
        let (mut end, mut used) = (start, 0);
        while end < widths.len() && used + widths[end] <= room {
            used += widths[end];
            end += 1;
        }
        start..end
    }

    /// Appends the kept cells and tells where the labels are now; an empty label gets one column to stand on.
    fn push<'r>(
        &self,
        out: &mut String,
        keep: Range<usize>,
        ellipsis: &str,
        labels: impl Iterator<Item = &'r Range<usize>>,
    ) -> Vec<Range<usize>> {
        if keep.start > 0 {
            out.push_str(ellipsis);
        }
        let mut starts = vec![];
        for (_, shown) in &self.cells[keep.clone()] {
            starts.push(out.len());
            out.push_str(shown);
        }
        let end = out.len();
        out.push_str(if keep.end < self.cells.len() { ellipsis } else { " " });
        let at = |byte: usize| {
            let cell = if byte >= self.length { self.cells.len() } else { self.cell_at(byte) };
            starts.get(cell.saturating_sub(keep.start)).copied().unwrap_or(end)
        };
        labels.map(|bytes| at(bytes.start)..at(bytes.end).max(at(bytes.start) + 1)).collect()
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Excerpt {}

impl Diagnostic for Excerpt {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().map(|(span, text)| {
            LabeledSpan::new(Some(text.clone()).filter(|text| !text.is_empty()), span.start, span.len())
        })))
    }
}

impl SourceCode for Excerpt {
    /// The excerpt is what is to be drawn, whatever context is asked for; without context, the title is asked for.
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (line, column) = if before + after == 0 { self.title } else { (self.first as usize - 1, 0) };
        let span = SourceSpan::from((0, self.text.len()));
        let lines = self.text.lines().count();
        let data = self.text.as_bytes();
        Ok(Box::new(MietteSpanContents::new_named(self.name.to_owned(), data, span, line, column, lines)))
    }
}
