//! Conditions of branches: what the database's own lists answer, and what is known as it is written.

use super::lists::over;
use super::templates::Vars;
use crate::names::Name;
use crate::sql::cursor::Cursor;
use crate::sql::lex::{Kind, text_of};
use crate::sql::openness::parts;
use crate::sql::statement::{Filter, Guard, Over, Test};

/// How deep conditions may lie in conditions.
const DEPTH: usize = 8;

/// A condition as `if` asks it; none when it is not wholly understood.
pub(super) fn guard(cursor: Cursor<'_>, vars: &Vars) -> Option<Guard> {
    any_of(cursor, vars, DEPTH)
}

fn any_of(cursor: Cursor<'_>, vars: &Vars, depth: usize) -> Option<Guard> {
    let depth = depth.checked_sub(1)?;
    let each = parts(cursor, "or").into_iter().map(|part| all_of(part, vars, depth)).collect();
    together(each, false)
}

fn all_of(cursor: Cursor<'_>, vars: &Vars, depth: usize) -> Option<Guard> {
    let each = parts(cursor, "and").into_iter().map(|part| one(part, vars, depth)).collect();
    together(each, true)
}

/// Conditions of which all must hold, or one: what is known of them may settle the rest.
fn together(each: Vec<Option<Guard>>, all: bool) -> Option<Guard> {
    let known = |guard: &Option<Guard>| guard.as_ref().is_some_and(|guard| matches!(guard.over, Over::Certain));
    let settles = |guard: &Option<Guard>| known(guard) && guard.as_ref().is_some_and(|guard| guard.wanted != all);
    if each.iter().any(settles) {
        return Some(certain(!all));
    }
    let mut open: Vec<Option<Guard>> = each.into_iter().filter(|guard| !known(guard)).collect();
    match open.len() {
        0 => Some(certain(all)),
        1 => open.remove(0),
        _ => None,
    }
}

fn one(mut cursor: Cursor<'_>, vars: &Vars, depth: usize) -> Option<Guard> {
    let whole = cursor;
    if let Some(inner) = cursor.group()
        && cursor.is_done()
    {
        return any_of(inner, vars, depth);
    }
    cursor = whole;
    if cursor.eat("not") {
        let Guard { wanted, over } = one(cursor, vars, depth.checked_sub(1)?)?;
        return Some(Guard { wanted: !wanted, over });
    }
    if cursor.eat("exists") {
        let inner = cursor.group()?;
        let over = over(inner, &|_| None, &|name| vars.text(name));
        let is_whole = match &over {
            Over::Tables(filter) | Over::Policies(filter) | Over::Columns(filter) | Over::Jobs(filter) => filter.whole,
            Over::Names(_) | Over::Certain | Over::Unknown => false,
        };
        return (is_whole && cursor.is_done()).then_some(Guard { wanted: true, over });
    }
    // `to_regclass('public.t') is not null`
    if cursor.eat("to_regclass") {
        let name = cursor.group()?.string()?;
        let (schema, name) = name.split_once('.').unwrap_or(("public", &name));
        let wanted = is_not(&mut cursor, "null")?;
        let test = |column: &str, value: &str| {
            vec![Test { column: Name::new(column), wanted: true, values: vec![value.trim_matches('"').to_owned()] }]
        };
        let filter = Filter { tests: vec![test("schemaname", schema), test("tablename", name)], whole: true };
        return cursor.is_done().then_some(Guard { wanted, over: Over::Tables(filter) });
    }
    if cursor.tokens.len() == 1 && (cursor.is("true") || cursor.is("false")) {
        return Some(certain(cursor.is("true")));
    }
    of_variable(cursor, vars)
}

/// `flag`, `flag is true`, `flag = false`, `name is null`, `mode = 'open'`.
fn of_variable(mut cursor: Cursor<'_>, vars: &Vars) -> Option<Guard> {
    let name = cursor.ident()?;
    let truth = |wanted: bool| {
        let said = vars.settled(name).and_then(|text| match text.as_str() {
            "true" | "t" => Some(certain(wanted)),
            "false" | "f" => Some(certain(!wanted)),
            _ => None,
        });
        said.or_else(|| {
            let Guard { wanted: own, over } = vars.truth(name)?;
            Some(Guard { wanted: own == wanted, over })
        })
    };
    if cursor.is_done() {
        return truth(true);
    }
    if cursor.is("is") {
        let mut of_null = cursor;
        if let Some(there) = is_not(&mut of_null, "null") {
            let null = vars.is_null(name)?;
            return of_null.is_done().then(|| certain(null != there));
        }
        for (word, wanted) in [("true", true), ("false", false)] {
            let mut of_truth = cursor;
            if let Some(negated) = is_not(&mut of_truth, word) {
                return truth(wanted != negated).filter(|_| of_truth.is_done());
            }
        }
        return None;
    }
    let equal = if cursor.sign(b'=') {
        true
    } else {
        let differs = (cursor.sign(b'<') && cursor.sign(b'>')) || (cursor.sign(b'!') && cursor.sign(b'='));
        if !differs {
            return None;
        }
        false
    };
    let [only] = cursor.tokens else { return None };
    match only.kind {
        Kind::Text => {
            let same = vars.settled(name)? == text_of(*only, cursor.text);
            Some(certain(same == equal))
        }
        Kind::Word if cursor.is("true") || cursor.is("false") => truth(cursor.is("true") == equal),
        _ => None,
    }
}

/// `is null` as false, `is not null` as true.
fn is_not(cursor: &mut Cursor<'_>, word: &str) -> Option<bool> {
    if !cursor.eat("is") {
        return None;
    }
    let negated = cursor.eat("not");
    cursor.eat(word).then_some(negated)
}

fn certain(holds: bool) -> Guard {
    Guard { wanted: holds, over: Over::Certain }
}
