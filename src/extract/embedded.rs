//! Where the scripts are in files that only carry them: HTML and templates of it, Vue, Svelte, Astro.
//!
//! A byte scanner that finds `<script>` elements and Astro's front matter. Several scripts are one module, but for
//! Astro's: its head and each of its scripts are modules of their own.

use crate::facts::{Language, Span};
use crate::walk::names::is_page;

/// The scripts of a file.
#[derive(Debug, PartialEq)]
pub struct Scripts {
    /// Their language.
    pub language: Language,
    /// Where they stand, an Astro page's head among them.
    pub spans: Vec<Span>,
    /// The head of an Astro page, which runs on the server.
    pub head: Option<Span>,
    /// Each script is a module of its own.
    pub apart: bool,
}

/// The language and the places of the scripts in a file; none when such files carry no scripts.
pub fn scripts(path: &str, text: &str) -> Option<Scripts> {
    let extension = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    let astro = extension == "astro";
    if !astro && !is_page(path) && !matches!(extension.as_str(), "vue" | "svelte") {
        return None;
    }
    let mut scan = Scan { text: text.as_bytes(), at: 0, spans: vec![], language: Language::JavaScript };
    let mut head = None;
    if astro {
        // Both the front matter and the scripts are TypeScript unless told otherwise.
        scan.language = Language::TypeScript;
        scan.front_matter();
        head = scan.spans.first().copied();
    }
    scan.run();
    Some(Scripts { language: scan.language, spans: scan.spans, head, apart: astro })
}

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    spans: Vec<Span>,
    language: Language,
}

impl<'t> Scan<'t> {
    /// Astro's head: between two lines of three dashes.
    fn front_matter(&mut self) {
        let start =
            self.text.iter().position(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xEF | 0xBB | 0xBF));
        let Some(start) = start.filter(|&start| self.text[start..].starts_with(b"---")) else { return };
        let body = start + 3;
        let mut line = body;
        while let Some(next) = self.text[line..].iter().position(|&byte| byte == b'\n') {
            line += next + 1;
            if self.text[line..].trim_ascii_start().starts_with(b"---") {
                let end = self.text.len() - self.text[line..].trim_ascii_start().len();
                self.push(body, end);
                self.at = end + 3;
                return;
            }
        }
    }

    fn push(&mut self, start: usize, end: usize) {
        if !self.text[start..end].trim_ascii().is_empty() {
            self.spans.push(Span { start: start as u32, end: end as u32 });
        }
    }

    fn run(&mut self) {
        while let Some(open) = self.text[self.at..].iter().position(|&byte| byte == b'<') {
            self.at += open;
            if self.text[self.at..].starts_with(b"<!--") {
                self.at = self.find(b"-->").map_or(self.text.len(), |end| end + 3);
            } else if self.tag(b"<script") {
                self.at += b"<script".len();
                let code = self.attributes();
                let start = self.at;
                let end = self.find(b"</script").unwrap_or(self.text.len());
                if code {
                    self.push(start, end);
                }
                self.at = end;
            } else {
                self.at += 1;
            }
        }
    }

    /// Whether a tag of this name starts here.
    fn tag(&self, name: &[u8]) -> bool {
        let rest = &self.text[self.at..];
        rest.len() > name.len()
            && rest[..name.len()].eq_ignore_ascii_case(name)
            && (rest[name.len()].is_ascii_whitespace() || matches!(rest[name.len()], b'>' | b'/'))
    }

    /// Where the next `what` stands, in any case.
    fn find(&self, what: &[u8]) -> Option<usize> {
        let rest = &self.text[self.at..];
        rest.windows(what.len()).position(|window| window.eq_ignore_ascii_case(what)).map(|found| self.at + found)
    }

    /// Reads attributes up to the end of the tag. Whether what follows is code of ours.
    fn attributes(&mut self) -> bool {
        let mut code = true;
        loop {
            self.skip(|byte| byte.is_ascii_whitespace() || byte == b'/');
            if self.text.get(self.at).is_none_or(|&byte| byte == b'>') {
                self.at = (self.at + 1).min(self.text.len());
                return code;
            }
            let name = self.skip(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'>' | b'/'));
            self.skip(|byte| byte.is_ascii_whitespace());
            let mut value: &[u8] = b"";
            if self.text.get(self.at) == Some(&b'=') {
                self.at += 1;
                self.skip(|byte| byte.is_ascii_whitespace());
                value = match self.text.get(self.at) {
                    Some(&quote @ (b'"' | b'\'')) => {
                        self.at += 1;
                        let value = self.skip(|byte| byte != quote);
                        self.at = (self.at + 1).min(self.text.len());
                        value
                    }
                    _ => self.skip(|byte| !byte.is_ascii_whitespace() && byte != b'>'),
                };
            } else if name.is_empty() {
                // A stray sign: step over it.
                self.at += 1;
            }
            if name.eq_ignore_ascii_case(b"type") {
                code &= self.kind(value);
            } else if name.eq_ignore_ascii_case(b"lang") {
                self.kind(value);
            }
        }
    }

    /// Whether a `type` or `lang` is code of ours; notes the language.
    fn kind(&mut self, value: &[u8]) -> bool {
        let value = value.trim_ascii().to_ascii_lowercase();
        match value.as_slice() {
            b"ts" | b"typescript" | b"text/typescript" | b"application/typescript" => {
                if self.language == Language::JavaScript {
                    self.language = Language::TypeScript;
                }
                true
            }
            b"tsx" | b"text/tsx" => {
                self.language = Language::Tsx;
                true
            }
            b"" | b"module" | b"js" | b"jsx" | b"text/babel" | b"text/jsx" => true,
            other => other.ends_with(b"javascript") || other.ends_with(b"ecmascript"),
        }
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) -> &'t [u8] {
        let start = self.at;
        while self.text.get(self.at).is_some_and(|&byte| wanted(byte)) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }
}
