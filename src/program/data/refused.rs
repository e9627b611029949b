//! Writes that the rules of the database refuse whoever is no staff.

use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, Program};
use crate::sql::{Command, Policy, RowSecurity};

impl Program {
    /// Whether only staff may write with the rights of the app's users what a call writes: the final policies of its
    /// table all ask for a role.
    pub fn only_staff_may(&self, write: CallRef, command: Command) -> bool {
        let Some(table) = self.table_of(write) else { return false };
        let mut made = self.database().tables(&table).filter(|(history, _)| self.is_database_of(history, write.file));
        let Some((_, table)) = made.next() else { return false };
        let known = made.next().is_none() && table.unsure.is_none() && matches!(table.security, RowSecurity::On(_));
        let meant =
            |policy: &&Policy| policy.permissive && (policy.command == command || policy.command == Command::All);
        let mut policies = table.policies.iter().filter(meant).peekable();
        // Without a policy the command changes nothing; but one may be made by hand.
        known
            && policies.peek().is_some()
            && policies.all(|policy| policy.unsure.is_none() && asks_staff(policy, command))
    }
}

/// Whether a policy lets nobody write but those who have a role.
fn asks_staff(policy: &Policy, command: Command) -> bool {
    let of_server = |role: &Name| matches!(role.as_str(), "service_role" | "postgres" | "supabase_admin");
    if !policy.roles.is_empty() && policy.roles.iter().all(of_server) {
        return true;
    }
    let text = if command == Command::Insert { &policy.check } else { &policy.using };
    let Some(text) = text.as_deref() else { return false };
    let words = words(text);
    let staff = |word: &String| matches!(word.as_str(), "admin" | "admins" | "staff" | "superadmin" | "moderator");
    let either =
        text.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == "or");
    let negated = text.contains("<>") || text.contains("!=") || words.iter().any(|word| word == "not");
    words.iter().any(staff) && !either && !negated
}
