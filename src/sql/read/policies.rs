//! Policies.

use super::Reader;
use crate::facts::Span;
use crate::names::Name;
use crate::sql::cursor::{Cursor, Qualified};
use crate::sql::statement::{AlterPolicy, Command, CreatePolicy, What};

impl Reader<'_> {
    /// A policy. What the database refuses makes none: `create policy if not exists`, several commands in one.
    pub(super) fn create_policy(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        if cursor.are("if not exists") {
            return self.refused(span);
        }
        let from = cursor;
        let Some(name) = cursor.ident() else { return };
        if !cursor.eat("on") {
            return;
        }
        let Some(table) = cursor.name() else { return self.unread(span, vec![]) };
        let mut policy = CreatePolicy {
            name,
            table,
            head: self.head(span, from, cursor),
            permissive: true,
            command: Command::All,
            roles: vec![],
            using: None,
            check: None,
            reads: vec![],
        };
        if cursor.eat("as") {
            policy.permissive = !cursor.eat("restrictive");
            cursor.eat("permissive");
        }
        if cursor.eat("for") {
            match command(&mut cursor) {
                Some(command) => policy.command = command,
                None => return self.refused(span),
            }
        }
        policy.reads = read_by(cursor);
        let Some((roles, using, check)) = rest(&mut cursor) else { return };
        (policy.roles, policy.using, policy.check) = (roles.unwrap_or_default(), using, check);
        // The database refuses a condition that the command cannot have.
        let refused = match policy.command {
            Command::Insert => policy.using.is_some(),
            Command::Select | Command::Delete => policy.check.is_some(),
            Command::All | Command::Update => false,
        };
        if refused {
            return self.refused(span);
        }
        self.add(span, What::CreatePolicy(Box::new(policy)));
    }

    pub(super) fn alter_policy(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        let Some(name) = cursor.ident() else { return };
        if !cursor.eat("on") {
            return;
        }
        let Some(table) = cursor.name() else { return self.unread(span, vec![]) };
        let rename = if cursor.eat("rename to") { cursor.ident() } else { None };
        let Some((roles, using, check)) = rest(&mut cursor) else { return };
        self.add(span, What::AlterPolicy(Box::new(AlterPolicy { name, table, rename, roles, using, check })));
    }

    pub(super) fn drop_policy(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        cursor.eat("if exists");
        let Some(name) = cursor.ident() else { return };
        if !cursor.eat("on") {
            return;
        }
        let Some(table) = cursor.name() else { return self.unread(span, vec![]) };
        cursor.eat("cascade");
        cursor.eat("restrict");
        if cursor.is_done() {
            self.add(span, What::DropPolicy { name, table });
        }
    }
}

fn command(cursor: &mut Cursor<'_>) -> Option<Command> {
    Some(match cursor.eat_any(&["all", "select", "insert", "update", "delete"])? {
        "select" => Command::Select,
        "insert" => Command::Insert,
        "update" => Command::Update,
        "delete" => Command::Delete,
        _ => Command::All,
    })
}

/// The tables behind `from` and `join`.
fn read_by(mut cursor: Cursor<'_>) -> Vec<Qualified> {
    let mut found = vec![];
    while !cursor.is_done() {
        if cursor.eat("from") || cursor.eat("join") {
            found.extend(cursor.name().filter(|_| !cursor.at_sign(b'(')));
        } else {
            cursor.next();
        }
    }
    found
}

type Rest = (Option<Vec<Name>>, Option<Box<str>>, Option<Box<str>>);

/// The roles and conditions; none when the database would refuse them.
fn rest(cursor: &mut Cursor<'_>) -> Option<Rest> {
    let roles = if cursor.eat("to") {
        let mut roles = vec![];
        loop {
            cursor.eat("group");
            roles.push(cursor.ident()?);
            if !cursor.sign(b',') {
                break;
            }
        }
        // Everyone is everyone: the database keeps no other role beside it.
        if roles.iter().any(|role| *role == "public") {
            roles = vec![Name::new("public")];
        }
        Some(roles)
    } else {
        None
    };
    let using = if cursor.eat("using") { Some(cursor.group()?.plain().into()) } else { None };
    let check = if cursor.eat("with check") { Some(cursor.group()?.plain().into()) } else { None };
    cursor.is_done().then_some((roles, using, check))
}
