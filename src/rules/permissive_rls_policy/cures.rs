//! Cures that close a policy and keep what the app does with it: who reads and writes the rows by their own rights
//! decides who must still get in.

use super::super::row_security::{CAUTION, own_rows};
use super::{SERVER_ITSELF, promised};
use crate::finding::Place;
use crate::program::Program;
use crate::program::data::row_uses::RowUse;
use crate::sql::{Command, History, Opening, Policy, Rights, Table};

mod named;
mod ownerless;
mod owners;
pub(super) mod statements;
pub(super) mod strangers;

/// A policy that is too wide.
pub(super) struct Case<'a> {
    /// The program.
    pub program: &'a Program,
    /// Where its table is made.
    pub history: &'a History,
    /// Its table.
    pub table: &'a Table,
    /// The policy.
    pub policy: &'a Policy,
    /// What it opens.
    pub opening: Opening,
    /// It may well be meant so.
    pub quiet: bool,
}

/// What to do, and the code that needs the rows.
pub(super) struct Cure {
    /// The advice, the SQL, and how to look at the live database.
    pub help: String,
    /// A place in code that would stop if the policy just went.
    pub needs: Option<(Place, &'static str)>,
}

/// The advice, the SQL that follows it, and what needs the rows.
type Told = (String, String, Option<(Place, &'static str)>);

pub(super) fn cure(case: &Case<'_>) -> Cure {
    let table = case.table;
    let all = if table.id.schema == "public" { case.program.row_uses(case.history, table.id.name) } else { vec![] };
    let covered: Vec<&RowUse> = all.iter().filter(|used| case.opening.commands.any(used.right)).collect();
    let own = own_rows(case.history, table);
    // Adding rows of one's own, and reading and changing them, goes on under a policy for one's own rows.
    let others: Vec<&RowUse> =
        covered.iter().filter(|used| used.right != Rights::INSERT && !used.own).copied().collect();
    let (advice, sql, needs) = match (promised(&case.policy.name), own) {
        (None, Some(_)) if case.program.signs_in_elsewhere(case.history) => elsewhere(case),
        (Some(SERVER_ITSELF), own) => named::server(case, &covered, own.as_deref()),
        (Some(_), own) => named::few(case, own.as_deref(), &covered, &others),
        (None, own) => match (named::lock(case, &covered), own) {
            (Some(told), _) => told,
            (None, Some(own)) => owners::owned(case, &own, &covered, &others),
            (None, None) => ownerless::ownerless(case, &covered, &others),
        },
    };
    let keep = if case.quiet { "Keep it if that is what you want. If not: " } else { "" };
    let help = format!(
        "{keep}{advice}\n\n{sql}\n\n{CAUTION}\n\n    select policyname, cmd, roles, qual, with_check from pg_policies\n      where \
         schemaname = '{}' and tablename = '{}';",
        table.id.schema, table.id.name
    );
    Cure { help, needs }
}

/// Users who have no account of the database's own: no condition of a policy knows them.
fn elsewhere(case: &Case<'_>) -> Told {
    let advice = "The app's users sign in with another service, so that the database does not know who asks: let functions on \
                  the server, which look the user up there, read and write these rows.";
    (advice.to_owned(), case.drop(), None)
}

impl Case<'_> {
    /// Whether another policy lets users do something with what is theirs.
    fn asked_elsewhere(&self, right: Rights) -> bool {
        self.other_policies(right)
            .any(|policy| [&policy.using, &policy.check].into_iter().flatten().any(|text| text.contains("auth.")))
    }

    /// The other policies that let somebody do something.
    fn other_policies(&self, right: Rights) -> impl Iterator<Item = &Policy> {
        self.table.policies.iter().filter(move |policy| {
            let is = match policy.command {
                Command::All => true,
                Command::Select => right == Rights::SELECT,
                Command::Insert => right == Rights::INSERT,
                Command::Update => right == Rights::UPDATE,
                Command::Delete => right == Rights::DELETE,
            };
            is && policy.permissive && policy.name != self.policy.name
        })
    }
}

/// Whether only pages of administrators are among some uses.
fn are_admins(uses: &[&RowUse]) -> bool {
    !uses.is_empty() && uses.iter().all(|used| used.for_admins)
}
