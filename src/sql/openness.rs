//! Whom a policy lets through: everyone, everyone who is signed in, or only who its condition picks out.

use super::cursor::Cursor;
use super::lex::{Kind, Lexer, Token, text_of};
use super::model::{Policy, Table};
use super::statement::{Asks, Command, Rights};
use crate::facts::Span;
use crate::names::Name;

/// Whom something is open to, the narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opens {
    /// Some: the condition looks at the row, or asks for a role of the server.
    Some,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever has the app's public key.
    Everyone,
}

/// What a policy opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// To whom.
    pub to: Opens,
    /// Which commands.
    pub commands: Rights,
    /// The condition itself asks for a session, so that somebody thought of one.
    pub asks_session: bool,
}

impl Policy {
    /// What it opens to all rows; none when it lets through only whom its condition picks out, or narrows.
    pub fn opening(&self, table: &Table) -> Option<Opening> {
        if !self.permissive {
            return None;
        }
        let reach = self.reach();
        let about = About { table: Some(table), strangers: reach == Opens::Everyone };
        let using = self.using.as_deref().map_or(Opens::Some, |text| about.condition(text));
        // Without a condition of its own a new row is held against the other one.
        let check = self.check.as_deref().map_or(using, |text| about.condition(text));
        let each = [
            (Command::Select, Rights::SELECT, using),
            (Command::Insert, Rights::INSERT, check),
            (Command::Update, Rights::UPDATE, using),
            (Command::Delete, Rights::DELETE, using),
        ];
        let mut found: Option<Opening> = None;
        for (command, right, condition) in each {
            if self.command != Command::All && self.command != command {
                continue;
            }
            let to = condition.min(reach).min(table.holders(right));
            if to == Opens::Some {
                continue;
            }
            match &mut found {
                Some(opening) if opening.to == to => opening.commands = opening.commands.with(right),
                Some(opening) if opening.to > to => {}
                _ => found = Some(Opening { to, commands: right, asks_session: condition == Opens::SignedIn }),
            }
        }
        found
    }

    /// What it lets people change by what is in the rows alone, whoever asks: `for update using (status = 'pending')`.
    pub fn opening_by_rows(&self, table: &Table) -> Option<Opening> {
        let rights = match self.command {
            Command::All => Rights::ALL,
            Command::Update => Rights::UPDATE,
            Command::Delete => Rights::DELETE,
            Command::Select | Command::Insert => return None,
        };
        let changes = if self.command == Command::Delete { Rights::DELETE } else { Rights::UPDATE };
        let to = self.reach().min(table.holders(changes));
        let by_rows = self.permissive && to != Opens::Some && asks_rows_only(self.using.as_deref()?, table);
        by_rows.then_some(Opening { to, commands: rights, asks_session: false })
    }

    /// To whom it shows rows by what is in them alone, whoever asks, and whether that only asks whether something is
    /// there: `for select using (is_active)`, `using (phone is not null)`.
    pub fn reading_by_rows(&self, table: &Table) -> Option<(Opening, bool)> {
        if self.command != Command::Select || !self.permissive {
            return None;
        }
        let text = self.using.as_deref()?;
        let to = self.reach().min(table.holders(Rights::SELECT));
        if to == Opens::Some || !asks_rows_only(text, table) {
            return None;
        }
        let plain: String = text.to_ascii_lowercase().split_whitespace().collect();
        let bare = plain.replace(['(', ')', '"'], "");
        let there = bare.strip_suffix("isnotnull").is_some_and(|column| table.column(column).is_some());
        Some((Opening { to, commands: Rights::SELECT, asks_session: false }, there))
    }

    /// Which bucket's files it opens, and to whom, when it asks for the bucket, and for a session at most.
    pub fn opening_of_bucket(&self, table: &Table) -> Option<(Opening, Name)> {
        let rights = match self.command {
            Command::All => Rights::SELECT.with(Rights::UPDATE).with(Rights::DELETE),
            Command::Select => Rights::SELECT,
            Command::Update => Rights::UPDATE,
            Command::Delete => Rights::DELETE,
            Command::Insert => return None,
        };
        let text = self.using.as_deref().filter(|_| self.permissive)?;
        let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
        let mut whole = Cursor::new(text, &tokens);
        while let Some(inner) = Some(whole).and_then(|mut cursor| cursor.group().filter(|_| cursor.is_done())) {
            whole = inner;
        }
        let (mut bucket, mut to) = (None, Opens::Everyone);
        for part in parts(whole, "and") {
            match bucket_of(part) {
                Some(name) if bucket.is_none() => bucket = Some(name),
                Some(_) => return None,
                None => to = to.min(About { table: None, strangers: false }.one(part, 16)),
            }
        }
        let to = to.min(self.reach()).min(table.holders(rights));
        (to != Opens::Some).then_some((Opening { to, commands: rights, asks_session: false }, bucket?))
    }

    /// Its condition without the part that lets whoever has no session pass: what is left of `auth.uid() is null or ..`;
    /// an empty text where nothing is left. None where no part does.
    pub fn without_strangers(&self) -> Option<String> {
        let text = self.using.as_deref().or(self.check.as_deref())?;
        let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
        let mut whole = Cursor::new(text, &tokens);
        while let Some(inner) = Some(whole).and_then(|mut cursor| cursor.group().filter(|_| cursor.is_done())) {
            whole = inner;
        }
        let all = parts(whole, "or");
        let (strangers, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|part| is_stranger(*part));
        let kept: Vec<String> = others.into_iter().map(|part| part.plain()).collect();
        (!strangers.is_empty()).then(|| kept.join(" or "))
    }

    /// Whom its roles name.
    pub(super) fn reach(&self) -> Opens {
        let names = |wanted: &[&str]| self.roles.iter().any(|role| wanted.contains(&role.as_str()));
        if self.roles.is_empty() || names(&["anon", "public"]) {
            Opens::Everyone
        } else if names(&["authenticated"]) {
            Opens::SignedIn
        } else {
            Opens::Some
        }
    }
}

impl Table {
    /// Who holds a right by grants: without one no policy helps.
    pub fn holders(&self, right: Rights) -> Opens {
        if self.rights.anon.with(self.rights.public).any(right) {
            Opens::Everyone
        } else if self.rights.authenticated.any(right) {
            Opens::SignedIn
        } else {
            Opens::Some
        }
    }

    /// Whether a restrictive policy narrows a command for everyone alike.
    pub fn narrows(&self, commands: Rights) -> bool {
        let right = |command: Command| match command {
            Command::All => Rights::ALL,
            Command::Select => Rights::SELECT,
            Command::Insert => Rights::INSERT,
            Command::Update => Rights::UPDATE,
            Command::Delete => Rights::DELETE,
        };
        let closed = |text: &Option<Box<str>>| text.as_deref().is_some_and(|text| condition(text) == Opens::Some);
        let narrow = self.policies.iter().filter(|policy| !policy.permissive && right(policy.command).any(commands));
        narrow.into_iter().any(|policy| closed(&policy.using) || closed(&policy.check))
    }
}

/// Whom a condition lets through, whatever it is on.
fn condition(text: &str) -> Opens {
    About { table: None, strangers: true }.condition(text)
}

/// What a condition is on.
#[derive(Clone, Copy)]
struct About<'t> {
    /// The table whose rows it picks.
    table: Option<&'t Table>,
    /// Whoever has no session is asked, too.
    strangers: bool,
}

pub(super) fn parts<'t>(mut cursor: Cursor<'t>, word: &str) -> Vec<Cursor<'t>> {
    let mut found = vec![];
    while !cursor.is_done() {
        found.push(cursor.until(&[word]));
        cursor.eat(word);
    }
    found
}

impl About<'_> {
    fn condition(self, text: &str) -> Opens {
        let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
        self.any_of(Cursor::new(text, &tokens), 16)
    }

    fn any_of(self, cursor: Cursor<'_>, depth: usize) -> Opens {
        let parts = parts(cursor, "or");
        parts.into_iter().map(|part| self.all_of(part, depth)).max().unwrap_or(Opens::Some)
    }

    fn all_of(self, cursor: Cursor<'_>, depth: usize) -> Opens {
        let parts = parts(cursor, "and");
        parts.into_iter().map(|part| self.one(part, depth)).min().unwrap_or(Opens::Some)
    }

    fn one(self, mut cursor: Cursor<'_>, depth: usize) -> Opens {
        let Some(depth) = depth.checked_sub(1) else { return Opens::Some };
        let whole = cursor;
        if let Some(inner) = cursor.group()
            && cursor.is_done()
        {
            return self.any_of(inner, depth);
        }
        let plain: String = whole.plain().to_ascii_lowercase().split_whitespace().collect();
        let plain = plain.trim_end_matches("::boolean").trim_end_matches("::bool");
        if matches!(plain, "true" | "1=1" | "'t'" | "'true'" | "notfalse") || self.always_holds(plain) {
            return Opens::Everyone;
        }
        if is_stranger(whole) {
            return if self.strangers { Opens::Everyone } else { Opens::Some };
        }
        // `(select auth.uid())` says the same as `auth.uid()`.
        let bare: String = plain.replace("(select", "").replace(['(', ')'], "");
        if bare == "auth.uidisnotnull" || bare == "auth.jwtisnotnull" {
            return Opens::SignedIn;
        }
        let asks_role = bare.starts_with("auth.role")
            || bare.starts_with("current_user")
            || (bare.starts_with("auth.jwt") && bare.contains("'role'"));
        if asks_role && !bare.contains("<>") && !bare.contains("!=") {
            let names = |role: &str| {
                whole.tokens.iter().any(|token| token.kind == Kind::Text && text_of(*token, whole.text) == role)
            };
            if names("anon") {
                return Opens::Everyone;
            }
            if names("authenticated") {
                return Opens::SignedIn;
            }
        }
        Opens::Some
    }

    /// Whether a condition, in small letters and without spaces, holds for every row: a column compared with itself, a
    /// key that is there.
    fn always_holds(self, plain: &str) -> bool {
        let is_name = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'"'))
                && text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
        };
        let own = |text: &str| match text.rsplit_once('.') {
            Some((table, column)) => {
                let known = self
                    .table
                    .is_some_and(|of| table == of.id.name.as_str() || table.ends_with(&format!(".{}", of.id.name)));
                (known && is_name(column)).then(|| column.to_owned())
            }
            None => is_name(text).then(|| text.to_owned()),
        };
        if let Some((left, right)) = plain.split_once('=') {
            return own(left).is_some_and(|left| own(right) == Some(left));
        }
        let key = plain.strip_suffix("isnotnull").and_then(own);
        key.zip(self.table).is_some_and(|(column, table)| {
            let mut keys = table.constraints.iter().filter(|constraint| constraint.asks == Asks::Primary);
            keys.any(|key| key.columns.iter().any(|of| of.as_str() == column))
        })
    }
}

/// `auth.uid() is null`: whoever has no session.
fn is_stranger(part: Cursor<'_>) -> bool {
    let plain: String = part.plain().to_ascii_lowercase().split_whitespace().collect();
    plain.replace("(select", "").replace(['(', ')'], "") == "auth.uidisnull"
}

/// The bucket that `bucket_id = 'x'` names.
fn bucket_of(part: Cursor<'_>) -> Option<Name> {
    let plain: String = part.plain().split_whitespace().collect();
    let bare = plain.trim_matches(['(', ')']).trim_end_matches("::text").replace('"', "");
    let named = bare.strip_prefix("storage.").unwrap_or(&bare);
    let named = named.strip_prefix("objects.").unwrap_or(named);
    let name = named.strip_prefix("bucket_id=")?.trim_matches(['(', ')']).trim_end_matches("::text");
    let name = name.strip_prefix('\'')?.strip_suffix('\'')?;
    (!name.contains('\'')).then(|| Name::new(name))
}

/// Whether a condition speaks of nothing but columns and constants.
fn asks_rows_only(text: &str, table: &Table) -> bool {
    const WORDS: &[&str] = &[
        "and",
        "or",
        "not",
        "is",
        "null",
        "in",
        "true",
        "false",
        "any",
        "array",
        "between",
        "like",
        "ilike",
        "distinct",
        "from",
        "now",
        "interval",
        "current_date",
        "current_timestamp",
        "coalesce",
        "lower",
        "upper",
    ];
    // The platform's own table of files, which no migration makes.
    let files: &[&str] = if table.id.schema == "storage" { &["bucket_id", "name", "metadata"] } else { &[] };
    let tokens: Vec<Token> = Lexer::new(text, Span { start: 0, end: text.len() as u32 }).collect();
    let (mut columns, mut after_cast) = (0, false);
    let plain = tokens.iter().all(|token| {
        let cast = std::mem::replace(&mut after_cast, token.kind == Kind::Sign(b':'));
        match token.kind {
            Kind::Word | Kind::Quoted if !cast => {
                let word = text[token.span.start as usize..token.span.end as usize].replace('"', "");
                let is_column = table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&word))
                    || files.contains(&word.to_ascii_lowercase().as_str());
                columns += usize::from(is_column);
                let own = word.eq_ignore_ascii_case(&table.id.name) || word.eq_ignore_ascii_case(&table.id.schema);
                is_column || own || WORDS.contains(&word.to_ascii_lowercase().as_str())
            }
            Kind::Parameter | Kind::Dollar => false,
            _ => true,
        }
    });
    plain && columns > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_let_through_whom_they_say() {
        for text in [
            "true",
            "((true))",
            "true OR user_id = auth.uid()",
            "(1 = 1)",
            "session_id = session_id",
            "auth.uid() is null or auth.uid() = user_id",
            "((select auth.uid()) is null) or ((select auth.uid()) is not null)",
        ] {
            assert_eq!(condition(text), Opens::Everyone, "{text}");
        }
        for text in [
            "auth.uid() is not null",
            "(select auth.uid()) IS NOT NULL",
            "auth.role() = 'authenticated'",
            "auth.role() = 'authenticated'::text and true",
            "auth.role() in ('authenticated', 'service_role')",
        ] {
            assert_eq!(condition(text), Opens::SignedIn, "{text}");
        }
        for text in [
            "auth.uid() = user_id",
            "auth.role() = 'service_role'",
            "true and is_admin()",
            "auth.jwt() ->> 'role' = 'service_role'",
            "false",
            "auth.role() <> 'anon'",
            "auth.uid() is null and user_id is null",
            "id is not null",
            "a.id = id",
            "",
        ] {
            assert_eq!(condition(text), Opens::Some, "{text}");
        }
    }
}
