//! The little markdown that rule docs use, set for a terminal: headings, paragraphs, lists, code.

use std::io::{self, Write};

use super::Look;
use super::paint::{Paint, text_columns, wrap};

/// Renders a text.
pub fn render(text: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { look, paint: Paint(look.colour), out, open: None, fenced: false };
    for line in text.lines() {
        page.line(line)?;
    }
    page.close()
}

struct Page<'o> {
    look: Look,
    paint: Paint,
    out: &'o mut dyn Write,
    /// A paragraph or list item being gathered: what it starts with, and its words.
    open: Option<(String, String)>,
    fenced: bool,
}

impl Page<'_> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        let words = line.trim();
        if words.starts_with("```") {
            self.close()?;
            self.fenced = !self.fenced;
            return Ok(());
        }
        if self.fenced {
            let code = format!("    {line}");
            return writeln!(self.out, "{}", self.paint.dim(code.trim_end()));
        }
        if words.is_empty() {
            self.close()?;
            return writeln!(self.out);
        }
        if let Some(heading) = words.strip_prefix('#') {
            self.close()?;
            return writeln!(self.out, "{}", self.paint.bold(self.inline(heading.trim_start_matches('#').trim())));
        }
        if let Some((mark, rest)) = self.item(line) {
            self.close()?;
            self.open = Some((mark, rest.to_owned()));
            return Ok(());
        }
        match &mut self.open {
            Some((_, text)) => {
                text.push(' ');
                text.push_str(words);
            }
            None => self.open = Some((String::new(), words.to_owned())),
        }
        Ok(())
    }

    /// A list item: its indented mark and its first words.
    fn item<'l>(&self, line: &'l str) -> Option<(String, &'l str)> {
        let indent = &line[..line.len() - line.trim_start().len()];
        let words = line.trim_start();
        let bullet = if self.look.unicode { "•" } else { "-" };
        if let Some(rest) = words.strip_prefix("- ").or_else(|| words.strip_prefix("* ")) {
            return Some((format!("{indent}  {bullet} "), rest));
        }
        let (number, rest) = words.split_once(". ")?;
        (number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| (format!("{indent}  {number}. "), rest))
    }

    fn close(&mut self) -> io::Result<()> {
        let Some((mark, text)) = self.open.take() else { return Ok(()) };
        let hang = " ".repeat(text_columns(&mark));
        for (number, line) in wrap(&text, 0, self.look.columns().saturating_sub(hang.len())).iter().enumerate() {
            let lead = if number == 0 { &mark } else { &hang };
            let line = self.inline(line);
            writeln!(self.out, "{lead}{line}")?;
        }
        Ok(())
    }

    /// Code spans and strong words: coloured, or as they are written.
    fn inline(&self, text: &str) -> String {
        if !self.look.colour {
            return text.replace("**", "");
        }
        let mut out = String::new();
        for (number, part) in text.split('`').enumerate() {
            if number % 2 == 1 {
                out.push_str(&self.paint.cyan(part));
                continue;
            }
            for (number, part) in part.split("**").enumerate() {
                out.push_str(&if number % 2 == 1 { self.paint.bold(part) } else { part.to_owned() });
            }
        }
        out
    }
}
