//! A cure's words and its code, told apart: what is fenced, what is indented, and what follows a line that ends with a
//! colon is code.

use super::paint::clean;

/// A run of lines of a cure.
pub struct Part {
    /// Whether they are code.
    pub is_code: bool,
    /// The lines; of code without the indentation that they share.
    pub lines: Vec<String>,
    /// The language that the fence names; empty when none does.
    pub language: String,
}

/// The parts of a cure.
pub fn cure(help: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = vec![];
    let (mut fenced, mut follows, mut open) = (false, false, false);
    let mut language = String::new();
    for line in clean(help.trim()).lines() {
        let words = line.trim();
        if let Some(named) = words.strip_prefix("```") {
            (fenced, open, follows) = (!fenced, false, false);
            language = named.trim().to_owned();
            continue;
        }
        if words.is_empty() && !fenced {
            (open, follows) = (false, false);
            continue;
        }
        let is_code = fenced || follows || line.starts_with("  ");
        match parts.last_mut().filter(|part| part.is_code == is_code && (open || is_code)) {
            Some(part) => part.lines.push(line.to_owned()),
            None => {
                let language = if fenced { language.clone() } else { String::new() };
                parts.push(Part { is_code, lines: vec![line.to_owned()], language });
            }
        }
        open = true;
        follows = is_code && follows || !is_code && words.ends_with(':');
    }
    for part in parts.iter_mut().filter(|part| part.is_code) {
        let indent = |line: &String| line.len() - line.trim_start_matches(' ').len();
        let shared = part.lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
        part.lines.iter_mut().for_each(|line| *line = line.split_off(shared.min(line.len())));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(help: &str) -> Vec<(bool, String)> {
        cure(help).into_iter().map(|part| (part.is_code, part.lines.join("\n"))).collect()
    }

    #[test]
    fn words_and_code_are_told_apart() {
        let of = |parts: &[(bool, &str)]| parts.iter().map(|(is, text)| (*is, (*text).to_owned())).collect::<Vec<_>>();
        assert_eq!(parts("Give it a limit: `x`."), of(&[(false, "Give it a limit: `x`.")]));
        assert_eq!(
            parts("Stop without it, by its name:\nconst a = 1;\nif (!a) throw new Error();"),
            of(&[(false, "Stop without it, by its name:"), (true, "const a = 1;\nif (!a) throw new Error();")])
        );
        assert_eq!(
            parts("Name it.\n\n    KEY=\n      OTHER=\n\nThen go on."),
            of(&[(false, "Name it."), (true, "KEY=\n  OTHER="), (false, "Then go on.")])
        );
        assert_eq!(parts("So:\n```ts\nlet a;\n\nlet b;\n```"), of(&[(false, "So:"), (true, "let a;\n\nlet b;")]));
    }
}
