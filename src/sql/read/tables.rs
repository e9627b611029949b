//! `create table`, `alter table`, `create index`.

use super::Reader;
use crate::facts::Span;
use crate::names::Name;
use crate::sql::cursor::Cursor;
use crate::sql::statement::{Action, Asks, Column, Constraint, CreateIndex, CreateTable, What};

/// Words behind a column's type that say more of it.
const BEHIND_TYPE: &[&str] = &[
    "constraint",
    "not",
    "null",
    "default",
    "primary",
    "unique",
    "references",
    "check",
    "generated",
    "collate",
    "deferrable",
    "initially",
    "storage",
    "compression",
    "autoincrement",
    "auto_increment",
    "on",
    "match",
    "using",
];

impl Reader<'_> {
    pub(super) fn create_table(&mut self, mut cursor: Cursor<'_>, span: Option<Span>, temporary: bool) {
        cursor.eat("if not exists");
        let from = cursor;
        let Some(name) = cursor.name() else { return self.unread(span, vec![]) };
        let head = self.head(span, from, cursor);
        let mut table = CreateTable {
            name,
            head,
            temporary,
            columns: vec![],
            constraints: vec![],
            like: vec![],
            partition_of: None,
        };
        if cursor.eat("partition of") {
            let Some(parent) = cursor.name() else { return self.unread(span, vec![name]) };
            table.partition_of = Some(parent);
            table.like.push(parent);
        } else if let Some(parts) = cursor.group() {
            // `create table t (a, b) as select ..` names columns alone: they read as columns without a type.
            for part in parts.items() {
                self.table_part(part, &mut table);
            }
            if cursor.eat("inherits")
                && let Some(mut parents) = cursor.group()
            {
                table.like.extend(parents.names());
            }
        } else if !cursor.is("as") && !cursor.is("of") && !cursor.is("using") && !cursor.is("with") {
            return self.unread(span, vec![name]);
        }
        // Another statement that follows without a semicolon makes both of them fail.
        let follows = cursor.until(&["create", "alter", "drop", "insert", "grant", "comment"]);
        if !cursor.is_done() && !follows.is("as") {
            return self.unread(span, vec![name]);
        }
        self.add(span, What::CreateTable(Box::new(table)));
    }

    fn table_part(&self, mut part: Cursor<'_>, table: &mut CreateTable) {
        if part.eat("like") {
            table.like.extend(part.name());
            return;
        }
        if let Some(constraint) = self.constraint(part, table.name.name) {
            table.constraints.push(constraint);
        } else if let Some((column, constraints)) = self.column(part, table.name.name) {
            table.columns.push(column);
            table.constraints.extend(constraints);
        }
    }

    /// A constraint that stands beside the columns; none when it is a column.
    fn constraint(&self, mut cursor: Cursor<'_>, table: Name) -> Option<Constraint> {
        let span = self.place(cursor.span()?);
        let given = if cursor.eat("constraint") { cursor.ident() } else { None };
        let (asks, end) = match cursor.eat_any(&["primary key", "unique", "foreign key", "check", "exclude"])? {
            "primary key" => (Asks::Primary, "pkey"),
            "unique" => (Asks::Unique, "key"),
            "foreign key" => (Asks::Other, "fkey"),
            _ => (Asks::Other, "check"),
        };
        cursor.eat("nulls not distinct");
        cursor.eat("nulls distinct");
        // `unique key one (a)`
        let given = if cursor.eat_any(&["key", "index"]).is_some() { cursor.ident().or(given) } else { given };
        let index = if cursor.eat("using index") { cursor.ident() } else { None };
        let columns = cursor.group().map(columns_of).unwrap_or_default();
        let asks = if end == "fkey" { references(&mut cursor).unwrap_or(Asks::Other) } else { asks };
        let name = given.or(index).or_else(|| Some(made_up(table, &asks, &columns, end)));
        Some(Constraint { name, asks, columns, index, span })
    }

    fn column(&self, mut cursor: Cursor<'_>, table: Name) -> Option<(Column, Vec<Constraint>)> {
        let span = self.place(cursor.span()?);
        let name = cursor.ident()?;
        let kind = cursor.until(BEHIND_TYPE).name().map_or(Name::new(""), |kind| kind.name);
        let (mut constraints, mut default, mut given) = (vec![], None, None);
        while !cursor.is_done() {
            let (asks, end) = if cursor.eat("constraint") {
                given = cursor.ident();
                continue;
            } else if cursor.eat("primary key") {
                (Asks::Primary, "pkey")
            } else if cursor.eat("unique") {
                (Asks::Unique, "key")
            } else if cursor.is("references") {
                (references(&mut cursor).unwrap_or(Asks::Other), "fkey")
            } else if cursor.eat("check") {
                (Asks::Other, "check")
            } else {
                if cursor.eat("default") {
                    default = Some(cursor.until(BEHIND_TYPE).plain().into());
                }
                cursor.next();
                continue;
            };
            let columns = vec![name];
            let made = given.take().unwrap_or_else(|| made_up(table, &asks, &columns, end));
            constraints.push(Constraint { name: Some(made), asks, columns, index: None, span });
        }
        Some((Column { name, kind, default, span }, constraints))
    }

    pub(super) fn alter_table(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        cursor.eat("if exists");
        cursor.eat("only");
        let Some(table) = cursor.name() else { return self.unread(span, vec![]) };
        cursor.sign(b'*');
        let mut actions = vec![];
        for item in cursor.items() {
            match self.action(item, table.name) {
                Read::Does(action) => actions.push(action),
                Read::Nothing => {}
                Read::Unread => return self.unread(span, vec![table]),
                Read::Fails => return self.refused(span),
            }
        }
        if !actions.is_empty() {
            self.add(span, What::AlterTable { table, actions });
        }
    }

    fn action(&self, mut cursor: Cursor<'_>, table: Name) -> Read {
        let all = cursor;
        let security = [
            ("enable row level security", Action::RowSecurity(true)),
            ("disable row level security", Action::RowSecurity(false)),
            ("force row level security", Action::Force(true)),
            ("no force row level security", Action::Force(false)),
        ];
        for (words, action) in security {
            if cursor.eat(words) {
                return if cursor.is_done() { Read::Does(action) } else { Read::Unread };
            }
        }
        if cursor.eat("add") {
            return self.added(cursor, table);
        }
        if cursor.eat("drop") {
            let constraint = cursor.eat("constraint");
            if !constraint {
                cursor.eat("column");
            }
            let if_there = cursor.eat("if exists");
            let Some(name) = cursor.ident() else { return Read::Unread };
            let cascade = cursor.eat("cascade");
            cursor.eat("restrict");
            return match (cursor.is_done(), constraint) {
                (false, _) => Read::Unread,
                (true, true) => Read::Does(Action::DropConstraint(name)),
                (true, false) => Read::Does(Action::DropColumn { name, cascade, if_there }),
            };
        }
        if cursor.eat("rename") {
            return renamed(cursor).map_or(Read::Unread, Read::Does);
        }
        if cursor.eat("set schema") {
            return cursor.ident().map_or(Read::Unread, |schema| Read::Does(Action::SetSchema(schema)));
        }
        if cursor.eat("attach partition") {
            return cursor.name().map_or(Read::Unread, |part| Read::Does(Action::Attach(part)));
        }
        const NOTHING_OF_OURS: &[&str] = &[
            "alter",
            "owner to",
            "replica identity",
            "validate constraint",
            "enable",
            "disable",
            "set",
            "reset",
            "cluster on",
            "inherit",
            "no inherit",
            "detach partition",
            "of",
            "not of",
        ];
        if NOTHING_OF_OURS.iter().any(|words| all.are(words)) { Read::Nothing } else { Read::Unread }
    }

    fn added(&self, mut cursor: Cursor<'_>, table: Name) -> Read {
        // The database knows no such form: the statement fails.
        if cursor.are("constraint if not exists") {
            return Read::Fails;
        }
        if let Some(constraint) = self.constraint(cursor, table) {
            return Read::Does(Action::AddConstraint(constraint, cursor.is("constraint")));
        }
        cursor.eat("column");
        let unless_there = cursor.eat("if not exists");
        match self.column(cursor, table) {
            Some((column, constraints)) => Read::Does(Action::AddColumn(column, constraints, unless_there)),
            None => Read::Unread,
        }
    }

    pub(super) fn create_index(&mut self, mut cursor: Cursor<'_>, span: Option<Span>) {
        let unique = cursor.eat("unique");
        cursor.eat("index");
        cursor.eat("concurrently");
        cursor.eat("if not exists");
        let name = if cursor.is("on") { None } else { cursor.name().map(|name| name.name) };
        if !cursor.eat("on") {
            return;
        }
        cursor.eat("only");
        let Some(table) = cursor.name() else { return };
        if cursor.eat("using") {
            cursor.next();
        }
        let Some(over) = cursor.group() else { return };
        let plain = over.items().into_iter().map(|mut item| {
            let column = item.ident();
            column.filter(|_| !item.at_sign(b'(') && !item.at_sign(b'.'))
        });
        let columns = plain.collect::<Option<Vec<Name>>>();
        cursor.until(&["where"]);
        let partial = cursor.eat("where");
        if unique {
            self.add(span, What::CreateIndex(Box::new(CreateIndex { name, table, columns, partial })));
        }
    }
}

/// What came of an action.
enum Read {
    Does(Action),
    /// It changes nothing that the model holds.
    Nothing,
    /// The database refuses it.
    Fails,
    /// It is not understood.
    Unread,
}

fn renamed(mut cursor: Cursor<'_>) -> Option<Action> {
    let action = if cursor.eat("to") {
        Action::Rename(cursor.ident()?)
    } else if cursor.eat("constraint") {
        let from = cursor.ident()?;
        cursor.eat("to");
        Action::RenameConstraint(from, cursor.ident()?)
    } else {
        cursor.eat("column");
        let from = cursor.ident()?;
        cursor.eat("to");
        Action::RenameColumn(from, cursor.ident()?)
    };
    cursor.is_done().then_some(action)
}

fn references(cursor: &mut Cursor<'_>) -> Option<Asks> {
    if !cursor.eat("references") {
        return None;
    }
    let table = cursor.name()?;
    Some(Asks::Foreign(table, cursor.group().map(columns_of).unwrap_or_default()))
}

fn columns_of(inside: Cursor<'_>) -> Vec<Name> {
    inside.items().into_iter().filter_map(|mut item| item.ident()).collect()
}

/// The name that the database gives a constraint that has none.
fn made_up(table: Name, asks: &Asks, columns: &[Name], end: &str) -> Name {
    let of: Vec<&str> = match asks {
        Asks::Primary => vec![],
        _ => columns.iter().map(|name| name.as_str()).collect(),
    };
    let parts: Vec<&str> = std::iter::once(table.as_str()).chain(of).chain([end]).collect();
    Name::new(&parts.join("_"))
}
