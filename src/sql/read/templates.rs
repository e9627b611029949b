//! Text that a body puts together before it runs it: `'..' || quote_ident(t)`, `format('..%I', t)`.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::names::Name;
use crate::sql::cursor::Cursor;
use crate::sql::lex::Kind;
use crate::sql::statement::{Guard, Hole, Template};

/// What the variables of a body hold.
#[derive(Default)]
pub(super) struct Vars {
    texts: FxHashMap<Name, Template>,
    lists: FxHashMap<Name, Vec<String>>,
    /// Those that hold nothing.
    nulls: FxHashSet<Name>,
    /// Those that hold whether a condition held.
    truths: FxHashMap<Name, Guard>,
    /// Those that were set in a branch: what they hold hangs on whether it ran.
    unsettled: FxHashSet<Name>,
    /// How many branches and loops what is read stands in.
    pub depth: usize,
}

impl Vars {
    pub fn set(&mut self, name: Name, template: Template) {
        self.forget(name);
        self.texts.insert(name, template);
    }

    pub fn set_null(&mut self, name: Name) {
        self.forget(name);
        self.nulls.insert(name);
    }

    pub fn set_truth(&mut self, name: Name, truth: Guard) {
        self.forget(name);
        self.truths.insert(name, truth);
    }

    /// Something else is put into it.
    pub fn forget(&mut self, name: Name) {
        self.texts.remove(&name);
        self.nulls.remove(&name);
        self.truths.remove(&name);
        if self.depth > 0 {
            self.unsettled.insert(name);
        }
    }

    /// Whether it holds nothing; none where that is not known.
    pub fn is_null(&self, name: Name) -> Option<bool> {
        let known = !self.unsettled.contains(&name);
        let null = self.nulls.contains(&name);
        (known && (null || self.text(name).is_some())).then_some(null)
    }

    /// What it says of a condition.
    pub fn truth(&self, name: Name) -> Option<Guard> {
        self.truths.get(&name).filter(|_| !self.unsettled.contains(&name)).cloned()
    }

    /// The text that it holds whatever ran before.
    pub fn settled(&self, name: Name) -> Option<String> {
        if self.unsettled.contains(&name) { None } else { self.text(name) }
    }

    pub fn set_list(&mut self, name: Name, list: Vec<String>) {
        self.lists.insert(name, list);
    }

    pub fn get(&self, name: Name) -> Option<&Template> {
        self.texts.get(&name)
    }

    pub fn restore(&mut self, name: Name, kept: Option<Template>) {
        match kept {
            Some(template) => self.texts.insert(name, template),
            None => self.texts.remove(&name),
        };
    }

    pub fn list(&self, name: Name) -> Option<Vec<String>> {
        self.lists.get(&name).cloned()
    }

    pub fn text(&self, name: Name) -> Option<String> {
        self.texts.get(&name)?.text()
    }
}

impl Template {
    /// Text without holes.
    pub fn of(text: &str) -> Self {
        Self { texts: vec![text.to_owned()], holes: vec![] }
    }

    fn unknown() -> Self {
        Self { texts: vec![String::new(); 2], holes: vec![Hole::Unknown] }
    }

    /// The whole text, when nothing is missing.
    pub fn text(&self) -> Option<String> {
        self.holes.is_empty().then(|| self.texts.concat())
    }

    /// Whether something in it is not known.
    pub fn has_unknown(&self) -> bool {
        self.holes.iter().any(|hole| matches!(hole, Hole::Unknown))
    }

    /// Whether it speaks of what the model holds.
    pub fn matters(&self) -> bool {
        let text = self.texts.join(" ").to_ascii_lowercase();
        ["policy", "row level security", "create table", "drop table", "rename to", "set schema"]
            .iter()
            .any(|words| text.contains(words))
    }

    /// The text with something in each hole.
    pub fn filled(&self, fill: impl Fn(&Hole) -> String) -> String {
        let mut said = String::new();
        for (at, text) in self.texts.iter().enumerate() {
            said.push_str(text);
            if let Some(hole) = self.holes.get(at) {
                said.push_str(&fill(hole));
            }
        }
        said
    }

    fn push(&mut self, other: Self) {
        let mut texts = other.texts.into_iter();
        if let (Some(last), Some(first)) = (self.texts.last_mut(), texts.next()) {
            last.push_str(&first);
        }
        self.texts.extend(texts);
        self.holes.extend(other.holes);
    }

    /// As a name in SQL.
    fn into_name(mut self) -> Self {
        if let [text] = &mut self.texts[..] {
            *text = quoted(text);
        }
        for hole in &mut self.holes {
            if let Hole::Field { quoted, .. } = hole {
                *quoted = true;
            }
        }
        self
    }

    fn into_literal(mut self) -> Self {
        if let [text] = &mut self.texts[..] {
            *text = format!("'{}'", text.replace('\'', "''"));
        }
        self
    }
}

/// A name as SQL quotes it.
pub fn quoted(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// What an expression makes.
pub(super) fn template(expression: Cursor<'_>, vars: &Vars) -> Template {
    let mut whole = Template::of("");
    for part in expression.split(|token| token.kind == Kind::Sign(b'|')) {
        if !part.is_done() {
            whole.push(piece(part, vars));
        }
    }
    whole
}

fn piece(mut part: Cursor<'_>, vars: &Vars) -> Template {
    if let Some(text) = part.string() {
        return Template::of(&text);
    }
    if let Some(inner) = part.group() {
        return template(inner, vars);
    }
    if part.eat("format") {
        return part.group().map_or_else(Template::unknown, |inner| formatted(inner, vars));
    }
    if part.eat("quote_ident") {
        return part.group().map_or_else(Template::unknown, |inner| template(inner, vars).into_name());
    }
    if part.eat("quote_literal") {
        return part.group().map_or_else(Template::unknown, |inner| template(inner, vars).into_literal());
    }
    if part.is("chr") || part.is("e") {
        return Template::of("\n");
    }
    let Some(name) = part.ident() else { return Template::unknown() };
    if part.at_sign(b'(') {
        return Template::unknown();
    }
    let field = if part.sign(b'.') { part.ident() } else { None };
    match (vars.get(name), field) {
        (Some(Template { holes, .. }), field) if matches!(holes[..], [Hole::Field { field: None, .. }]) => {
            Template { texts: vec![String::new(); 2], holes: vec![Hole::Field { field, quoted: false }] }
        }
        (Some(known), _) => known.clone(),
        _ => Template::unknown(),
    }
}

/// `format(text, ..)` with `%s`, `%I`, `%L`, `%%` and `%1$I`.
fn formatted(inside: Cursor<'_>, vars: &Vars) -> Template {
    let mut items = inside.items().into_iter();
    let Some(text) = items.next().and_then(|text| template(text, vars).text()) else { return Template::unknown() };
    let values: Vec<Template> = items.map(|item| template(item, vars)).collect();
    let mut whole = Template::of("");
    let (mut rest, mut next) = (text.as_str(), 0);
    while let Some((before, after)) = rest.split_once('%') {
        whole.push(Template::of(before));
        if let Some(after) = after.strip_prefix('%') {
            whole.push(Template::of("%"));
            rest = after;
            continue;
        }
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let numbered = after[digits..].starts_with('$').then(|| after[..digits].parse::<usize>().ok()).flatten();
        let after = if numbered.is_some() { &after[digits + 1..] } else { &after[digits..] };
        let at = numbered.map_or(next, |number| number.saturating_sub(1));
        next = at + 1;
        let value = values.get(at).cloned().unwrap_or_else(Template::unknown);
        let mut chars = after.chars();
        whole.push(match chars.next() {
            Some('I') => value.into_name(),
            Some('L') => value.into_literal(),
            _ => value,
        });
        rest = chars.as_str();
    }
    whole.push(Template::of(rest));
    whole
}
