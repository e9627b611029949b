//! Text that a loop makes and runs for each table or policy there is by then.

use super::super::model::{Id, Job, Policy, RowSecurity, Table};
use super::super::read::read_made;
use super::super::statement::{Action, Column, Command, Each, Filter, Guard, Hole, Over, Template, What};
use super::Fold;
use super::blocks::Done;
use crate::finding::Place;
use crate::names::Name;

/// Stands for a name that is not known.
const SOME: &str = "some_unknown_name";

/// One row of a list of the database.
struct Row<'r> {
    schema: Name,
    table: Name,
    column: Option<Name>,
    policy: Option<&'r Policy>,
    job: Option<&'r Job>,
}

impl<'r> Row<'r> {
    fn field(&self, field: Option<Name>) -> Option<&'r str> {
        let policy = self.policy;
        match field.as_ref().map(|field| field.as_str()) {
            Some("schemaname" | "table_schema" | "nspname") => Some(self.schema.as_str()),
            Some("policyname" | "polname") => policy.map(|policy| policy.name.as_str()),
            Some("tablename" | "table_name" | "relname") => Some(self.table.as_str()),
            Some("column_name" | "attname") => self.column.map(Name::as_str),
            Some("cmd") => policy.map(|policy| command(policy.command)),
            Some("jobname") => self.job.and_then(|job| job.name).map(|name| name.as_str()),
            Some("schedule") => self.job.and_then(|job| job.schedule.as_deref()),
            Some("command") => self.job.map(|job| &*job.command),
            Some("qual") => policy.map(|policy| policy.using.as_deref().unwrap_or("")),
            Some("with_check") => policy.map(|policy| policy.check.as_deref().unwrap_or("")),
            None => policy.map(|policy| policy.name.as_str()).or(Some(self.table.as_str())),
            Some(_) => None,
        }
    }

    /// Whether it fits; none when a column is asked for that is not known.
    fn fits(&self, filter: &Filter) -> Option<bool> {
        for tests in &filter.tests {
            let mut any = false;
            for test in tests {
                let said = self.field(Some(test.column))?;
                any |= test.values.iter().any(|value| like(said, value)) == test.wanted;
            }
            if !any {
                return Some(false);
            }
        }
        Some(true)
    }
}

fn job_row(job: &Job) -> Row<'_> {
    Row { schema: Name::new("cron"), table: Name::new("job"), column: None, policy: None, job: Some(job) }
}

fn command(command: Command) -> &'static str {
    match command {
        Command::All => "ALL",
        Command::Select => "SELECT",
        Command::Insert => "INSERT",
        Command::Update => "UPDATE",
        Command::Delete => "DELETE",
    }
}

/// Whether a text fits a value, in which `%` stands for anything. Letters' case tells nothing apart here.
fn like(text: &str, value: &str) -> bool {
    let (text, value) = (text.to_ascii_lowercase(), value.to_ascii_lowercase());
    let mut parts = value.split('%');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut open = false;
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        open = true;
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    open || rest.is_empty()
}

impl Fold {
    /// Whether a condition holds by now; none where that cannot be told.
    pub(super) fn holds(&self, guard: &Guard) -> Option<bool> {
        let (rows, filter) = match &guard.over {
            Over::Tables(filter) => (self.table_rows(), filter),
            Over::Policies(filter) => (self.policy_rows(), filter),
            Over::Columns(filter) => (self.column_rows(), filter),
            Over::Jobs(filter) => (self.job_rows(), filter),
            Over::Certain => return Some(guard.wanted),
            Over::Names(_) | Over::Unknown => return None,
        };
        let mut any = false;
        for row in rows {
            any |= row.fits(filter)?;
        }
        Some(any == guard.wanted)
    }

    pub(super) fn each(&mut self, each: &Each, at: Place) -> Done {
        let (rows, filter) = match &each.over {
            Over::Tables(filter) => (self.table_rows(), filter),
            Over::Policies(filter) => (self.policy_rows(), filter),
            Over::Columns(filter) => (self.column_rows(), filter),
            Over::Jobs(filter) => (self.job_rows(), filter),
            Over::Names(_) | Over::Certain | Over::Unknown => {
                self.unknown(each, at);
                return Ok(());
            }
        };
        let fitting: Option<Vec<bool>> = rows.iter().map(|row| row.fits(filter)).collect();
        let Some(fitting) = fitting.filter(|_| filter.whole) else {
            self.unknown(each, at);
            return Ok(());
        };
        let mut texts = vec![];
        for (row, _) in rows.iter().zip(fitting).filter(|(_, fits)| *fits) {
            texts.extend(each.templates.iter().map(|template| filled(template, row)));
        }
        for text in texts {
            self.all(&read_made(&text, at.span))?;
        }
        Ok(())
    }

    fn table_rows(&self) -> Vec<Row<'_>> {
        let row = |id: &Id| Row { schema: id.schema, table: id.name, column: None, policy: None, job: None };
        let mut rows: Vec<Row<'_>> = self.tables.keys().map(row).collect();
        rows.sort_by_key(|row| (row.schema, row.table));
        rows
    }

    fn policy_rows(&self) -> Vec<Row<'_>> {
        let of = |table: &'_ Table| (table.id.schema, table.id.name);
        let mut tables: Vec<&Table> = self.tables.values().map(|table| &**table).collect();
        tables.sort_by_key(|table| table.id);
        let each = tables.into_iter().flat_map(|table| table.policies.iter().map(move |policy| (of(table), policy)));
        each.map(|((schema, table), policy)| Row { schema, table, column: None, policy: Some(policy), job: None })
            .collect()
    }

    fn column_rows(&self) -> Vec<Row<'_>> {
        let mut tables: Vec<&Table> = self.tables.values().map(|table| &**table).collect();
        tables.sort_by_key(|table| table.id);
        let each = tables.into_iter().flat_map(|table| table.columns.iter().map(move |column| (table.id, column)));
        let row = |(id, column): (Id, &Column)| Row {
            schema: id.schema,
            table: id.name,
            column: Some(column.name),
            policy: None,
            job: None,
        };
        each.map(row).collect()
    }

    fn job_rows(&self) -> Vec<Row<'_>> {
        self.history.jobs.iter().map(job_row).collect()
    }

    /// Takes out the jobs that fit.
    pub(super) fn unschedule(&mut self, which: &Filter) {
        if which.whole {
            self.history.jobs.retain(|job| job_row(job).fits(which) != Some(true));
        }
    }

    /// Nobody knows for which names the text is run: what it could change is no longer sure.
    fn unknown(&mut self, each: &Each, at: Place) {
        self.history.gaps.push(at);
        for template in &each.templates {
            let text = template.filled(|_| SOME.to_owned());
            for statement in read_made(&text, at.span) {
                match statement.what {
                    What::AlterTable { table, actions }
                        if table.name == SOME
                            && actions.iter().any(|action| matches!(action, Action::RowSecurity(true))) =>
                    {
                        let off = |security| !matches!(security, RowSecurity::On(_));
                        for table in self.tables.values_mut().filter(|table| off(table.security)) {
                            table.unsure = Some(at);
                        }
                    }
                    What::DropPolicy { name, table } => self.may_drop(name, Id::of(table), at),
                    other if !names_nothing(&other) => {
                        let _ = self.apply(&super::Statement { span: at.span, what: other, eased: false });
                    }
                    _ => {}
                }
            }
        }
    }

    fn may_drop(&mut self, name: Name, table: Id, at: Place) {
        let tables = self.tables.values_mut().filter(|known| table.name == SOME || known.id == table);
        for policy in tables.flat_map(|table| &mut table.policies) {
            if name == SOME || policy.name == name {
                policy.unsure = Some(at);
            }
        }
    }
}

fn filled(template: &Template, row: &Row<'_>) -> String {
    template.filled(|hole| match hole {
        Hole::Field { field, quoted } => {
            let name = row.field(*field).unwrap_or(SOME);
            if *quoted { super::super::read::templates::quoted(name) } else { name.to_owned() }
        }
        Hole::Unknown => SOME.to_owned(),
    })
}

/// Whether a statement is about the name that is not known.
fn names_nothing(what: &What) -> bool {
    match what {
        What::CreateTable(table) => table.name.name.contains(SOME),
        What::AlterTable { table, .. } => table.name.contains(SOME),
        What::CreatePolicy(policy) => policy.table.name.contains(SOME) || policy.name.contains(SOME),
        What::Drop { names, .. } => names.iter().any(|name| name.name.contains(SOME)),
        _ => true,
    }
}
