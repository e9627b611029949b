//! Cures of policies that let whoever has no session pass: the rest of the condition is what was meant.

use super::statements::quoted_always;
use super::{CAUTION, Case, Cure};
use crate::sql::Command;

/// The policy without that part; none where nothing would be left of it.
pub(in super::super) fn cure(case: &Case<'_>) -> Option<Cure> {
    let rest = case.policy.without_strangers().filter(|rest| !rest.is_empty())?;
    let (name, table) = (quoted_always(&case.policy.name), case.table.id.sql());
    let form = match case.policy.command {
        Command::Insert => format!("with check ({rest})"),
        Command::Select | Command::Delete => format!("using ({rest})"),
        _ => format!("using ({rest})\n      with check ({rest})"),
    };
    let help = format!(
        "Take that part out: the server's own key passes without any policy, and with the public key alone \
         `auth.uid()` is null.\n\n    alter policy {name} on {table}\n      {form};\n\n{CAUTION}\n\n    select policyname, cmd, \
         roles, qual, with_check from pg_policies\n      where schemaname = '{}' and tablename = '{}';",
        case.table.id.schema, case.table.id.name
    );
    Some(Cure { help, needs: None })
}
