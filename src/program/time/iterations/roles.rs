//! Rows that are asked for by a role that few hold: the app's administrators, those who run one organisation.

use crate::facts::{ExprId, ExprKind, Op};
use crate::program::verify::words;
use crate::program::{CallRef, ExprRef, FunctionRef, Program, Value};

/// Roles that an app gives to a few.
const ADMINS: &[&str] = &["admin", "admins", "administrator", "superadmin", "superuser", "moderator"];

/// Roles that every organisation gives to a few.
const LEADERS: &[&str] = &["owner", "manager", "supervisor", "director", "coordinator", "lead", "leader"];

/// Roles of those who work for an organisation: more than a few, and never a thousand.
const STAFF: &[&str] =
    &["staff", "employee", "tech", "technician", "sales", "agent", "dispatcher", "operator", "driver", "instructor"];

/// What organisations are called where a column or a keyword holds one.
const BODIES: &[&str] = &["org", "organization", "organisation", "tenant", "company", "team", "workspace", "account"];

/// What a query asks of roles.
#[derive(Default)]
struct Asked {
    admins: bool,
    leaders: bool,
    /// Those who work for an organisation, or run it.
    staff: bool,
    /// Administrators are among those asked for: roles of the app, not of each organisation in it.
    of_app: bool,
    /// The rows of one organisation, project, place.
    within: bool,
}

impl Asked {
    fn note(&mut self, column: &str, values: &[String]) {
        let column = words(column);
        let last = column.last().map(String::as_str);
        let is = |value: &String, of: &[&str]| words(value).iter().any(|word| of.contains(&word.as_str()));
        if column.iter().any(|word| word == "role" || word == "roles") {
            let leads = |value: &String| is(value, ADMINS) || is(value, LEADERS);
            if values.is_empty() || !values.iter().all(|value| leads(value) || is(value, STAFF)) {
                return;
            }
            self.staff = true;
            self.of_app = values.iter().any(|value| is(value, ADMINS));
            if !values.iter().all(leads) {
                return;
            }
            if values.iter().all(|value| is(value, ADMINS)) {
                self.admins = true;
            }
            self.leaders = true;
        } else if column.len() > 1 && last == Some("id") || column.iter().any(|word| BODIES.contains(&word.as_str())) {
            self.within = true;
        }
    }

    /// Administrators, or those who run one organisation.
    fn are_few(&self) -> bool {
        self.admins || self.leaders && self.within
    }
}

impl Program {
    /// Whether a query asks for those who hold a role that few hold, or for the staff of one organisation; `at` is any
    /// of its calls.
    pub fn is_asked_by_role(&self, at: CallRef) -> bool {
        let asked = self.asked_of_roles(self.chain(at).last().map_or(at, |(outer, _)| outer));
        asked.are_few() || asked.staff && (asked.within || asked.of_app)
    }

    /// `.eq("role", "admin")`; `.eq("org_id", org).in("role", ["owner", "manager"])`, with the calls it is chained to.
    pub(super) fn is_of_a_role(&self, call: CallRef) -> bool {
        self.asked_of_roles(call).are_few()
    }

    fn asked_of_roles(&self, call: CallRef) -> Asked {
        let facts = self.facts(call.file);
        let mut asked = Asked::default();
        let mut at = Some(facts.call(call.call));
        for _ in 0..12 {
            let Some(shape) = at else { break };
            let ExprKind::Member(base, method) = *facts.expr(shape.callee) else { break };
            let args: Vec<ExprId> = shape.args.iter().map(|arg| arg.value).collect();
            match (method.as_str(), &args[..]) {
                ("eq" | "in" | "in_" | "contains" | "overlaps", &[column, value]) => {
                    if let ExprKind::Text(column) = facts.expr(column) {
                        asked.note(column, &self.texts_at(ExprRef::new(call.file, value)));
                    }
                }
                _ => {
                    for arg in &shape.args {
                        match arg.name {
                            Some(name) => asked.note(&name, &self.texts_at(ExprRef::new(call.file, arg.value))),
                            None => self.note_condition(ExprRef::new(call.file, arg.value), &mut asked, 6),
                        }
                    }
                }
            }
            at = match facts.expr(base) {
                ExprKind::Call(inner) => Some(facts.call(*inner)),
                _ => None,
            };
        }
        asked
    }

    /// `eq(users.role, "admin")`, `User.role == "admin"`, `(user) => user.role === "admin"`, `{ where: { role: .. } }`.
    fn note_condition(&self, at: ExprRef, asked: &mut Asked, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let facts = self.facts(at.file);
        let next = |expr: ExprId| ExprRef::new(at.file, expr);
        match facts.expr(at.expr) {
            ExprKind::Op(Op::And, parts) => {
                for &part in parts {
                    self.note_condition(next(part), asked, depth);
                }
            }
            // Either of two roles: `role === "owner" || role === "manager"`.
            ExprKind::Op(Op::Or, parts) => {
                let mut each = parts.iter().map(|&part| {
                    let mut one = Asked::default();
                    self.note_condition(next(part), &mut one, depth);
                    one
                });
                asked.leaders |= each.all(|one| one.leaders);
            }
            ExprKind::Op(Op::Equal, parts) => {
                if let [column, value] = parts[..]
                    && let ExprKind::Member(_, name) = facts.expr(column)
                {
                    asked.note(name, &self.texts_at(next(value)));
                }
            }
            ExprKind::Call(call) => {
                let shape = facts.call(*call);
                let name = facts.last_name(shape.callee);
                let args: Vec<ExprId> = shape.args.iter().map(|arg| arg.value).collect();
                match (name.as_ref().map(|name| name.as_str()), &args[..]) {
                    (Some("and"), parts) => {
                        for &part in parts {
                            self.note_condition(next(part), asked, depth);
                        }
                    }
                    (Some("eq" | "inArray"), &[column, value]) => {
                        if let ExprKind::Member(_, name) = facts.expr(column) {
                            asked.note(name, &self.texts_at(next(value)));
                        }
                    }
                    // `User.role.in_([Role.OWNER])`
                    (Some("in_"), &[value]) => {
                        if let ExprKind::Member(column, _) = facts.expr(shape.callee)
                            && let ExprKind::Member(_, name) = facts.expr(*column)
                        {
                            asked.note(name, &self.texts_at(next(value)));
                        }
                    }
                    _ => {}
                }
            }
            ExprKind::Object(entries) => {
                for (key, value) in entries {
                    match (key.as_str(), facts.expr(*value)) {
                        ("where" | "AND", _) => self.note_condition(next(*value), asked, depth),
                        // `role: { in: ["owner", "manager"] }`
                        (_, ExprKind::Object(inner)) => {
                            for (_, value) in inner {
                                asked.note(key, &self.texts_at(next(*value)));
                            }
                        }
                        _ => asked.note(key, &self.texts_at(next(*value))),
                    }
                }
            }
            ExprKind::Function(function) => {
                for returned in self.returns_of(FunctionRef::new(at.file, *function)) {
                    self.note_condition(returned, asked, depth);
                }
            }
            _ => {}
        }
    }

    /// The texts that a value, or each element of a list, is; none when one of them is not known.
    fn texts_at(&self, at: ExprRef) -> Vec<String> {
        let facts = self.facts(at.file);
        let one = |expr: ExprId| match (facts.expr(expr), self.value(ExprRef::new(at.file, expr))) {
            // What a constant stands for may be a letter: `Role.OWNER`.
            (ExprKind::Member(_, name), _) if !name.contains(|c: char| c.is_lowercase()) => Some(name.to_string()),
            (_, Value::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let found = match facts.expr(at.expr) {
            ExprKind::List(items) => items.iter().map(|&item| one(item)).collect::<Option<Vec<_>>>(),
            _ => match self.value(at) {
                Value::List(list) if list != at => Some(self.texts_at(list)),
                _ => one(at.expr).map(|text| vec![text]),
            },
        };
        found.unwrap_or_default()
    }
}
