//! What a loop goes over: names that are written, or rows of the database's own lists of tables and policies.

use crate::names::Name;
use crate::sql::cursor::{Cursor, Qualified};
use crate::sql::lex::Kind;
use crate::sql::statement::{Filter, Over, Test};

/// The most numbers of a range that are gone through.
const RANGE: i64 = 200;

/// What stands for a name: the variables that are known.
pub(super) type Known<'k> = &'k dyn Fn(Name) -> Option<String>;

/// The strings of `array['a', 'b']`, `('a'), ('b')`, `'{a,b}'`; none when anything else is among them.
pub(super) fn strings(cursor: Cursor<'_>) -> Option<Vec<String>> {
    let mut found = vec![];
    for (at, token) in cursor.tokens.iter().enumerate() {
        match token.kind {
            Kind::Text => found.push(crate::sql::lex::text_of(*token, cursor.text)),
            Kind::Sign(b'[' | b']' | b'(' | b')' | b',' | b':') => {}
            // `array`, and the type behind `::`.
            Kind::Word if cursor.is_at(at, "array") => {}
            Kind::Word if at > 0 && cursor.tokens[at - 1].kind == Kind::Sign(b':') => {}
            _ => return None,
        }
    }
    if let [only] = &found[..]
        && let Some(list) = only.strip_prefix('{').and_then(|list| list.strip_suffix('}'))
    {
        return Some(list.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect());
    }
    (!found.is_empty()).then_some(found)
}

/// What stands between `in` and `loop`.
pub(super) fn over(mut cursor: Cursor<'_>, lists: &dyn Fn(Name) -> Option<Vec<String>>, known: Known<'_>) -> Over {
    if let Some(range) = range(cursor) {
        return Over::Names(range);
    }
    if let Some(inner) = cursor.group().filter(|_| cursor.is_done()) {
        return over(inner, lists, known);
    }
    if cursor.tokens.len() == 1
        && let Some(list) = { cursor }.ident().and_then(lists)
    {
        return Over::Names(list);
    }
    if let Some(names) = strings(cursor) {
        return Over::Names(names);
    }
    if !cursor.is("select") && !cursor.is("values") {
        return Over::Unknown;
    }
    let Some(from) = source(cursor) else {
        // `select unnest(array['a', 'b'])`
        let mut rest = cursor;
        rest.next();
        return unnested(rest, lists).map_or(Over::Unknown, Over::Names);
    };
    let (mut from, condition) = from;
    let mut list = from;
    if let Some(name) = list.name() {
        if is_jobs(name) {
            return Over::Jobs(filter(condition, known));
        }
        let list = name.name.as_str();
        match list {
            "columns" => return Over::Columns(filter(condition, known)),
            "pg_policies" | "pg_policy" => return Over::Policies(filter(condition, known)),
            "pg_tables" | "tables" | "pg_class" | "pg_stat_user_tables" => {
                return Over::Tables(filter(condition, known));
            }
            _ => {}
        }
    }
    if let Some(values) = from.group() {
        let mut values = values;
        if values.eat("values")
            && let Some(names) = strings(values)
        {
            return Over::Names(names);
        }
        return Over::Unknown;
    }
    unnested(from, lists).map_or(Over::Unknown, Over::Names)
}

fn unnested(mut cursor: Cursor<'_>, lists: &dyn Fn(Name) -> Option<Vec<String>>) -> Option<Vec<String>> {
    if !cursor.eat("unnest") {
        return None;
    }
    let mut inner = cursor.group()?;
    if inner.tokens.len() == 1
        && let Some(list) = inner.ident().and_then(lists)
    {
        return Some(list);
    }
    strings(inner)
}

/// `1..12`.
fn range(cursor: Cursor<'_>) -> Option<Vec<String>> {
    let plain = cursor.plain().replace(' ', "");
    let (from, to) = plain.split_once("..")?;
    let (from, to): (i64, i64) = (from.trim_end_matches('.').parse().ok()?, to.trim_matches('.').parse().ok()?);
    (to - from < RANGE).then(|| (from..=to).map(|number| number.to_string()).collect())
}

/// What a select reads from, and its condition.
fn source(mut cursor: Cursor<'_>) -> Option<(Cursor<'_>, Cursor<'_>)> {
    cursor.until(&["from"]);
    if !cursor.eat("from") {
        return None;
    }
    let from = cursor.until(&["where", "order", "group", "limit"]);
    let condition =
        if cursor.eat("where") { cursor.until(&["order", "group", "limit"]) } else { Cursor::new(cursor.text, &[]) };
    Some((from, condition))
}

fn is_jobs(name: Qualified) -> bool {
    name.schema.is_some_and(|schema| schema == "cron") && name.name == "job"
}

/// The scheduled jobs that a statement asks for, or deletes: `from cron.job where jobname = 'x'`.
pub(super) fn jobs(cursor: Cursor<'_>) -> Option<Filter> {
    let mut rest = cursor;
    while !rest.is_done() {
        let mut after = rest;
        if after.eat("from") && after.name().is_some_and(is_jobs) {
            let mut depth = 0usize;
            let end = after.tokens.iter().position(|token| match token.kind {
                Kind::Sign(b'(') => {
                    depth += 1;
                    false
                }
                Kind::Sign(b')') if depth == 0 => true,
                Kind::Sign(b')') => {
                    depth -= 1;
                    false
                }
                _ => false,
            });
            let mut inside = Cursor::new(cursor.text, &after.tokens[..end.unwrap_or(after.tokens.len())]);
            inside.until(&["where"]);
            inside.eat("where");
            return Some(filter(inside.until(&["order", "group", "limit", "returning"]), &|_| None));
        }
        rest.next();
    }
    None
}

fn filter(condition: Cursor<'_>, known: Known<'_>) -> Filter {
    let mut filter = Filter { tests: vec![], whole: true };
    let mut rest = condition;
    while !rest.is_done() {
        let part = rest.until(&["and"]);
        rest.eat("and");
        match one_of(part, known) {
            Some(tests) if tests.is_empty() => {}
            Some(tests) => filter.tests.push(tests),
            None => filter.whole = false,
        }
    }
    filter
}

/// Conditions of which one must hold; none when one of them is not understood, empty when it always holds.
fn one_of(mut part: Cursor<'_>, known: Known<'_>) -> Option<Vec<Test>> {
    let whole = part;
    if let Some(inner) = part.group().filter(|_| part.is_done()) {
        return one_of(inner, known);
    }
    let mut rest = whole;
    let mut tests = vec![];
    while !rest.is_done() {
        let one = rest.until(&["or"]);
        rest.eat("or");
        match test(one, known)? {
            Some(test) => tests.push(test),
            None => return Some(vec![]),
        }
    }
    Some(tests)
}

/// One condition; none when it is not understood, nothing in it when it holds for every table that matters.
fn test(mut part: Cursor<'_>, known: Known<'_>) -> Option<Option<Test>> {
    if let Some(inner) = part.group().filter(|_| part.is_done()) {
        return test(inner, known);
    }
    let negated = part.eat("not");
    let column = part.name()?.name;
    if matches!(
        column.as_str(),
        "rowsecurity" | "relrowsecurity" | "table_type" | "relkind" | "table_catalog" | "oid" | "relnamespace"
    ) && !part.is("in")
    {
        let namespace = column == "relnamespace";
        let said = crate::sql::lex::text_of;
        let schema = part.tokens.iter().find(|token| token.kind == Kind::Text).map(|token| said(*token, part.text));
        let test = |schema| Test { column: Name::new("nspname"), wanted: true, values: vec![schema] };
        return Some(schema.filter(|_| namespace).map(test));
    }
    let value = |mut cursor: Cursor<'_>| -> Option<Vec<String>> {
        if let Some(name) = cursor.tokens.first().filter(|_| cursor.tokens.len() == 1).and_then(|_| cursor.ident()) {
            return known(name).map(|text| vec![text]);
        }
        strings(cursor)
    };
    let not = part.eat("not");
    let (wanted, values) = if part.eat("in") || part.eat("like") || part.eat("ilike") {
        (!not, value(part)?)
    } else if part.sign(b'=') {
        if part.eat("any") { (true, strings(part)?) } else { (true, value(part)?) }
    } else if (part.sign(b'<') && part.sign(b'>')) || (part.sign(b'!') && part.sign(b'=')) {
        part.eat("all");
        (false, value(part)?)
    } else {
        return None;
    };
    Some(Some(Test { column, wanted: wanted != negated, values }))
}
