//! Statements in the order they run become a [`History`]. A statement that the database would refuse (it makes what
//! is there, names what is not, drops what others need) changes nothing, as when it is run alone; in a block of
//! procedural code it undoes what the block has done.

use rustc_hash::{FxHashMap, FxHashSet};

use self::blocks::{Done, Kept, refused};
use super::Script;
use super::model::{Held, History, Id, Job, Policy, Request, Routine, RowSecurity, Table, Trigger, View, place};
use super::statement::{
    Action, AlterPolicy, Asks, Column, Constraint, CreatePolicy, CreateTable, Dropped, Function, Given, Grant, GrantOn,
    Rights, Schedule, Statement, ViewChange, What,
};
use crate::facts::Span;
use crate::finding::{FileId, Place};
use crate::names::Name;

mod alter;
mod blocks;
mod dynamic;
mod needs;
mod paths;
mod refers;
mod rows;

/// How deep calls of functions that change the schema are followed.
const CALLS: usize = 4;

/// A history while its files run.
pub(super) struct Fold {
    file: FileId,
    tables: FxHashMap<Id, Kept<Table>>,
    /// The tables and views that some statement makes, now or later.
    made_somewhere: FxHashSet<Id>,
    /// What new tables of `public` grant.
    later: Held,
    /// Switches security on for every new table.
    switches_on: Vec<(Name, Place)>,
    history: History,
    calls: usize,
    /// The schemas in which names that say none are looked for, when the file says which.
    path: Vec<Name>,
}

/// Runs the files of a history. The tables that only scripts beside it make are there before: a migration that changes
/// one could not run otherwise.
pub(super) fn fold(files: &[(FileId, &Script)], beside: &[(FileId, &Script)], mut history: History) -> History {
    let by_hand = match beside {
        [] => vec![],
        _ => fold(beside, &[], History::new("", false, history.exposed)).tables,
    };
    history.files = files.iter().map(|(file, _)| *file).collect();
    let all = Held { anon: Rights::ALL, authenticated: Rights::ALL, public: Rights::default() };
    let mut fold = Fold {
        file: FileId(0),
        tables: FxHashMap::default(),
        made_somewhere: made_somewhere(files),
        later: if history.exposed { all } else { Held::default() },
        switches_on: vec![],
        history,
        calls: 0,
        path: vec![],
    };
    fold.platform();
    for mut table in by_hand {
        // Whether the script that lies there is the one that was run nobody knows: no migration made the table.
        if table.made.take().is_some() && !fold.made_somewhere.contains(&table.id) {
            // Whether a second row is refused is not known either.
            table.constraints.retain(|constraint| !matches!(constraint.asks, Asks::Primary | Asks::Unique));
            table.unique.clear();
            fold.tables.insert(table.id, table.into());
        }
    }
    for (file, script) in files {
        fold.file = *file;
        // Each file has a session of its own.
        fold.path.clear();
        for statement in &script.statements {
            let _ = fold.apply(statement);
        }
    }
    fold.finish()
}

/// What some statement makes or renames something to.
fn made_somewhere(files: &[(FileId, &Script)]) -> FxHashSet<Id> {
    let mut made = FxHashSet::default();
    files.iter().for_each(|(_, script)| made_in(&script.statements, &mut made));
    made
}

fn made_in(statements: &[Statement], made: &mut FxHashSet<Id>) {
    for statement in statements {
        match &statement.what {
            What::CreateTable(table) => {
                made.insert(Id::of(table.name));
            }
            What::CreateView(view) => {
                made.insert(Id::of(view.name));
            }
            What::AlterTable { table, actions } => {
                for action in actions {
                    match action {
                        Action::Rename(name) => made.insert(Id { name: *name, ..Id::of(*table) }),
                        Action::SetSchema(schema) => made.insert(Id { schema: *schema, name: table.name }),
                        _ => false,
                    };
                }
            }
            What::If { then, otherwise, .. } => {
                made_in(then, made);
                made_in(otherwise, made);
            }
            What::Maybe(inner) => made_in(inner, made),
            What::Block(block) => {
                made_in(&block.body, made);
                block.handlers.iter().for_each(|handler| made_in(&handler.body, made));
            }
            _ => {}
        }
    }
}

impl Fold {
    fn at(&self, span: Span) -> Place {
        place(self.file, span)
    }

    /// The tables that the platform has made before the first migration.
    fn platform(&mut self) {
        if !self.history.exposed {
            return;
        }
        for (schema, name) in
            [("auth", "users"), ("storage", "objects"), ("storage", "buckets"), ("realtime", "messages")]
        {
            let id = Id { schema: Name::new(schema), name: Name::new(name) };
            let table = Table { security: RowSecurity::On(None), rights: self.later, ..blank(id) };
            self.tables.insert(id, table.into());
        }
        let people = Id { schema: Name::new("auth"), name: Name::new("users") };
        if let Some(people) = self.tables.get_mut(&people) {
            let kinds = [("id", "uuid"), ("email", "varchar"), ("phone", "text"), ("encrypted_password", "varchar")];
            people.columns.extend(kinds.map(|(name, kind)| Column {
                name: Name::new(name),
                kind: Name::new(kind),
                default: None,
                span: Span { start: 0, end: 0 },
            }));
        }
    }

    fn finish(mut self) -> History {
        let tables: Vec<Table> = self.tables.into_values().map(Kept::into_inner).collect();
        self.history.tables = tables;
        self.history.tables.sort_by_key(|table| table.id);
        self.history.gaps.sort();
        self.history.gaps.dedup();
        self.history
    }

    /// A table that a statement names. One that no migration makes was made by hand: it is there, and nothing is
    /// known of it.
    fn table(&mut self, id: Id) -> Option<&mut Table> {
        if !self.tables.contains_key(&id) {
            if self.made_somewhere.contains(&id) || self.history.views.contains_key(&id) {
                return None;
            }
            self.tables.insert(id, Table { rights: self.later, ..blank(id) }.into());
        }
        self.tables.get_mut(&id).map(|table| &mut **table)
    }

    /// Whether a name stands for a table that is made later: what needs it now is refused.
    fn comes_later(&self, id: Id) -> bool {
        !self.tables.contains_key(&id) && !self.history.views.contains_key(&id) && self.made_somewhere.contains(&id)
    }

    /// A table that a statement cannot do without.
    fn asked(&mut self, id: Id) -> Result<&mut Table, blocks::Stop> {
        if self.comes_later(id) {
            return refused("undefined_table");
        }
        match self.table(id) {
            Some(table) => Ok(table),
            None => refused("wrong_object_type"),
        }
    }

    /// Runs a statement, with the names that it means by now.
    fn apply(&mut self, statement: &Statement) -> Done {
        match self.found_by_path(statement) {
            Some(named) => self.run(&named),
            None => self.run(statement),
        }
    }

    fn run(&mut self, statement: &Statement) -> Done {
        let (at, eased) = (self.at(statement.span), statement.eased);
        match &statement.what {
            What::Maybe(statements) => self.perhaps(statements),
            What::Block(block) => return self.block(block),
            What::Return => return Err(blocks::Stop::Returned),
            What::Refused(why) => return refused(why),
            What::SearchPath(schemas) => self.path.clone_from(schemas),
            What::CreateTable(table) => return self.create_table(table, at, eased),
            What::Drop { kind, names, cascade } => return self.drop(*kind, names, *cascade, eased),
            What::AlterTable { table, actions } => return self.alter_table(Id::of(*table), actions, at, eased),
            What::RenameSchema { from, to } => self.rename_schema(*from, *to),
            What::RenameType { from, to } => self.rename_type(*from, *to),
            What::CreatePolicy(policy) => return self.create_policy(policy, self.at(policy.head)),
            What::AlterPolicy(policy) => return self.alter_policy(policy, at),
            What::DropPolicy { name, table } => return self.drop_policy(*name, Id::of(*table), eased),
            What::CreateIndex(index) => {
                let table = self.asked(Id::of(index.table))?;
                let (name, columns, partial) = (index.name, index.columns.clone(), index.partial);
                if name.is_some() && table.unique.iter().any(|known| known.name == name) {
                    return if eased { Ok(()) } else { refused("duplicate_table") };
                }
                table.unique.push(super::model::UniqueIndex { name, columns, partial });
            }
            What::Grant(grant) => return self.grant(grant),
            What::CreateFunction(function) => self.create_function(function, at),
            What::CreateTrigger(trigger) => {
                let (name, table) = (trigger.name, Id::of(trigger.table));
                if self.comes_later(table) {
                    return refused("undefined_table");
                }
                let there = |known: &Trigger| (known.name, known.table) == (name, table);
                if !eased && self.history.triggers.iter().any(there) {
                    return refused("duplicate_object");
                }
                self.history.triggers.retain(|known| (known.name, known.table) != (name, table));
                let (function, arguments) = (trigger.function, trigger.arguments.clone());
                self.history.triggers.push(Trigger { name, table, function, arguments, place: at });
            }
            What::DropTrigger { name, table } => {
                let table = Id::of(*table);
                self.history.triggers.retain(|known| (known.name, known.table) != (*name, table));
            }
            What::EventTrigger { name, function } => {
                let function = self.history.functions.get(&Id::of(*function));
                if function.is_some_and(|function| switches_on(&function.body)) {
                    self.switches_on.push((*name, at));
                }
            }
            What::CreateView(view) => {
                let id = Id::of(view.name);
                let there = self.history.views.contains_key(&id);
                let is_table = self.tables.get(&id).is_some_and(|table| table.made.is_some());
                if is_table || (there && !eased) {
                    return refused("duplicate_table");
                }
                let (invoker, materialized, query) = (view.invoker, view.materialized, view.query.clone());
                // One that takes the place of another keeps its grants.
                let new = if id.schema == "public" { self.later } else { Held::default() };
                let rights = self.history.views.get(&id).map_or(new, |view| view.rights);
                self.history.views.insert(id, View { invoker, materialized, query, rights, place: at });
            }
            What::AlterView { view, change } => self.alter_view(Id::of(*view), *change),
            What::Buckets(change) => self.buckets(change, at),
            What::Publish { publication, tables, how } => return self.publish(*publication, tables, *how),
            What::Schedule(job) => self.schedule(job, at),
            What::Unschedule(which) => self.unschedule(which),
            What::RenameTrigger { name, table, to } => {
                let of = (*name, Id::of(*table));
                let triggers = self.history.triggers.iter_mut();
                triggers.filter(|known| (known.name, known.table) == of).for_each(|known| known.name = *to);
            }
            What::Each(each) => return self.each(each, at),
            What::If { guard, then, otherwise } => match self.holds(guard) {
                Some(true) => return self.all(then),
                Some(false) => return self.all(otherwise),
                None => self.perhaps(then),
            },
            What::Call { function, arguments } => return self.call(Id::of(*function), arguments, at),
            What::Unread(tables) => {
                self.history.gaps.push(at);
                for table in tables {
                    if let Some(table) = self.table(Id::of(*table)) {
                        table.unsure = Some(at);
                    }
                }
            }
        }
        Ok(())
    }

    fn create_table(&mut self, made: &CreateTable, at: Place, eased: bool) -> Done {
        let id = Id::of(made.name);
        let refers = |constraint: &Constraint| match &constraint.asks {
            Asks::Foreign(of, _) => Id::of(*of) != id && self.comes_later(Id::of(*of)),
            _ => false,
        };
        if made.temporary {
            return Ok(());
        }
        if self.tables.get(&id).is_some_and(|table| table.made.is_some()) {
            return if eased { Ok(()) } else { refused("duplicate_table") };
        }
        if made.constraints.iter().any(refers) {
            return refused("undefined_table");
        }
        let mut table = blank(id);
        (table.made, table.head) = (Some(at), Some(self.at(made.head)));
        table.columns = made.columns.clone();
        table.constraints = made.constraints.clone();
        table.partition_of = made.partition_of.map(Id::of);
        for parent in made.like.iter().filter_map(|like| self.tables.get(&Id::of(*like))) {
            table.columns.extend(parent.columns.iter().cloned());
        }
        if id.schema == "public" {
            table.rights = self.later;
            if let Some((_, place)) = self.switches_on.first() {
                table.security = RowSecurity::On(Some(*place));
            }
        }
        self.tables.insert(id, table.into());
        Ok(())
    }

    fn create_policy(&mut self, made: &CreatePolicy, at: Place) -> Done {
        if made.reads.iter().any(|table| self.comes_later(Id::of(*table))) {
            return refused("undefined_table");
        }
        let table = self.asked(Id::of(made.table))?;
        if table.policies.iter().any(|policy| policy.name == made.name) {
            return refused("duplicate_object");
        }
        let id = Id::of(made.table);
        let conditions = made.using.iter().chain(&made.check);
        if let Some(why) = conditions.filter_map(|text| self.names_nothing(id, text)).next() {
            return refused(why);
        }
        let table = self.asked(id)?;
        table.policies.push(Policy {
            name: made.name,
            permissive: made.permissive,
            command: made.command,
            roles: made.roles.clone(),
            using: made.using.clone(),
            check: made.check.clone(),
            place: at,
            altered: None,
            unsure: None,
        });
        Ok(())
    }

    /// A policy of a table that was made by hand may be there, made by hand as well.
    fn drop_policy(&mut self, name: Name, id: Id, eased: bool) -> Done {
        let later = self.comes_later(id);
        let Some(table) = self.tables.get_mut(&id) else {
            return if later && !eased { refused("undefined_table") } else { Ok(()) };
        };
        if !table.policies.iter().any(|policy| policy.name == name) {
            return if eased || table.made.is_none() { Ok(()) } else { refused("undefined_object") };
        }
        table.policies.retain(|policy| policy.name != name);
        Ok(())
    }

    fn alter_policy(&mut self, made: &AlterPolicy, at: Place) -> Done {
        let table = self.asked(Id::of(made.table))?;
        let by_hand = table.made.is_none();
        let Some(policy) = table.policies.iter_mut().find(|policy| policy.name == made.name) else {
            return if by_hand { Ok(()) } else { refused("undefined_object") };
        };
        policy.altered = Some(at);
        if let Some(name) = made.rename {
            policy.name = name;
        }
        if let Some(roles) = &made.roles {
            policy.roles = roles.clone();
        }
        if made.using.is_some() {
            policy.using = made.using.clone();
        }
        if made.check.is_some() {
            policy.check = made.check.clone();
        }
        Ok(())
    }

    fn grant(&mut self, grant: &Grant) -> Done {
        let change = |held: &mut Held| {
            for role in &grant.roles {
                let of = match role.as_str() {
                    "anon" => &mut held.anon,
                    "authenticated" => &mut held.authenticated,
                    "public" => &mut held.public,
                    _ => continue,
                };
                *of = if grant.gives { of.with(grant.rights) } else { of.without(grant.rights) };
            }
        };
        match &grant.on {
            GrantOn::Tables(tables) => {
                if tables.iter().any(|table| self.comes_later(Id::of(*table))) {
                    return refused("undefined_table");
                }
                for table in tables {
                    let id = Id::of(*table);
                    if let Some(table) = self.tables.get_mut(&id) {
                        change(&mut table.rights);
                    } else if let Some(view) = self.history.views.get_mut(&id) {
                        change(&mut view.rights);
                    }
                }
            }
            GrantOn::AllIn(schemas) => {
                let tables = self.tables.values_mut().filter(|table| schemas.contains(&table.id.schema));
                tables.for_each(|table| change(&mut table.rights));
                let views = self.history.views.iter_mut().filter(|(id, _)| schemas.contains(&id.schema));
                views.for_each(|(_, view)| change(&mut view.rights));
            }
            GrantOn::Later(schema) => {
                if schema.is_some_and(|schema| schema == "public") {
                    change(&mut self.later);
                }
            }
        }
        Ok(())
    }

    fn alter_view(&mut self, id: Id, change: ViewChange) {
        let Some(mut view) = self.history.views.remove(&id) else { return };
        let id = match change {
            ViewChange::Invoker(invoker) => {
                view.invoker = invoker;
                id
            }
            ViewChange::Rename(name) => Id { name, ..id },
            ViewChange::Schema(schema) => Id { schema, ..id },
        };
        self.history.views.insert(id, view);
    }

    fn create_function(&mut self, made: &Function, at: Place) {
        let routine = Routine {
            security_definer: made.security_definer,
            returns_trigger: made.returns_trigger,
            sets_search_path: made.sets_search_path,
            parameters: made.parameters.clone(),
            takes: made.takes.clone(),
            body: made.body.clone(),
            requests: self.requests(&made.requests),
            place: at,
        };
        self.history.functions.insert(Id::of(made.name), routine);
    }

    fn requests(&self, made: &[super::statement::Request]) -> Vec<Request> {
        let request = |made: &super::statement::Request| Request {
            method: made.method,
            url: made.url.clone(),
            headers: made.headers.clone(),
            place: self.at(made.span),
        };
        made.iter().map(request).collect()
    }

    fn schedule(&mut self, made: &Schedule, at: Place) {
        let mut requests = self.requests(&made.requests);
        for function in &made.calls {
            if let Some(function) = self.history.functions.get(&Id::of(*function)) {
                requests.extend(function.requests.iter().cloned());
            }
        }
        // A second job of the same name replaces the first.
        self.history.jobs.retain(|job| job.name.is_none() || job.name != made.name);
        self.history.jobs.push(Job {
            name: made.name,
            schedule: made.schedule.clone(),
            schedule_place: self.at(made.schedule_span),
            command: made.command.clone(),
            requests,
            place: at,
        });
    }

    /// Runs the body of a function that changes the schema.
    fn call(&mut self, function: Id, arguments: &[Option<Given>], at: Place) -> Done {
        let Some(routine) = self.history.functions.get(&function) else { return Ok(()) };
        let body = routine.body.to_ascii_lowercase();
        let matters = ["policy", "row level security", "create table", "drop table", "cron."];
        if self.calls >= CALLS || !matters.iter().any(|words| body.contains(words)) {
            return Ok(());
        }
        let left_out = super::read::defaults(&routine.takes);
        let given = |at: usize| match arguments.get(at) {
            Some(given) => given.clone(),
            None => left_out.get(at).cloned().flatten(),
        };
        let parameters = routine.parameters.iter().enumerate();
        let known: Vec<(Name, Given)> = parameters.filter_map(|(at, name)| Some((*name, given(at)?))).collect();
        let statements = super::read::read_body(&routine.body, at.span, &known);
        self.calls += 1;
        let done = self.all(&statements);
        self.calls -= 1;
        done
    }

    fn drop(&mut self, kind: Dropped, names: &[super::cursor::Qualified], cascade: bool, eased: bool) -> Done {
        let ids: Vec<Id> = names.iter().map(|name| Id::of(*name)).collect();
        match kind {
            Dropped::Table if !eased && ids.iter().any(|id| self.comes_later(*id)) => {
                return refused("undefined_table");
            }
            Dropped::Table => return self.drop_tables(&ids, cascade),
            Dropped::View => ids.iter().for_each(|id| {
                self.history.views.remove(id);
            }),
            Dropped::Function => ids.iter().for_each(|id| self.drop_function(*id, cascade)),
            Dropped::Schema => {
                let schemas: Vec<Name> = names.iter().map(|name| name.name).collect();
                let gone: Vec<Id> = self.tables.keys().filter(|id| schemas.contains(&id.schema)).copied().collect();
                if !cascade && !gone.is_empty() {
                    return refused("dependent_objects_still_exist");
                }
                self.history.functions.retain(|id, _| !schemas.contains(&id.schema));
                return self.drop_tables(&gone, true);
            }
            Dropped::Index => {
                for table in self.tables.values_mut() {
                    table.unique.retain(|index| !index.name.is_some_and(|name| ids.iter().any(|id| id.name == name)));
                }
            }
            Dropped::EventTrigger => {
                self.switches_on.retain(|(name, _)| !ids.iter().any(|id| id.name == *name));
            }
            Dropped::Type => ids.iter().filter(|_| cascade).for_each(|id| self.drop_type(id.name)),
        }
        Ok(())
    }
}

/// Whether the body of an event trigger's function switches security on.
fn switches_on(body: &str) -> bool {
    body.to_ascii_lowercase().contains("enable row level security")
}

/// A table of which nothing is known.
fn blank(id: Id) -> Table {
    Table {
        id,
        made: None,
        head: None,
        columns: vec![],
        constraints: vec![],
        unique: vec![],
        security: RowSecurity::Never,
        forced: false,
        policies: vec![],
        partition_of: None,
        rights: Held::default(),
        unsure: None,
        fields: vec![],
    }
}
