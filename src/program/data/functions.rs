//! Functions of the app's own database that code runs, and whether they change anything.

use crate::finding::FileId;
use crate::names::Name;
use crate::program::verify::words;
use crate::program::{CallRef, ExprRef, Program};

impl Program {
    /// The function of the own database that a call runs: `db.rpc("name")`, a request to `../rpc/name`.
    pub(crate) fn database_function(&self, at: CallRef) -> Option<Name> {
        let facts = self.facts(at.file);
        if self.called_name(at).is_some_and(|name| name == "rpc") {
            return self.value(ExprRef::new(at.file, facts.call(at.call).args.first()?.value)).text();
        }
        self.requests_at(at).iter().flat_map(|http| &http.to).find_map(|to| {
            let path = to.path()?;
            let (_, named) = path.split_once("/rest/v1/rpc/")?;
            Some(Name::new(named))
        })
    }

    /// Whether a call runs a function of the own database whose body, in the migrations, changes nothing.
    pub(in crate::program) fn is_read_by_function(&self, at: CallRef) -> bool {
        self.database_function(at).is_some_and(|name| self.is_known_to_read(&name, at.file) == Some(true))
    }

    /// Whether a function of the database changes nothing: by its body, or by its name where no migration makes it.
    pub(in crate::program) fn only_reads(&self, name: &str, near: FileId) -> bool {
        self.is_known_to_read(name, near).unwrap_or_else(|| {
            words(name).first().is_some_and(|first| {
                matches!(
                    first.as_str(),
                    "get" | "check" | "is" | "has" | "list" | "fetch" | "search" | "count" | "find"
                )
            })
        })
    }

    /// Whether the bodies of a function of the database change nothing; none where no migration makes it.
    fn is_known_to_read(&self, name: &str, near: FileId) -> Option<bool> {
        let histories = self.database().histories.iter().filter(|history| self.is_database_of(history, near));
        let functions = histories.flat_map(|history| &history.functions).filter(|(id, _)| id.name == *name);
        let mut bodies = functions.map(|(_, function)| changes_nothing(&function.body)).peekable();
        bodies.peek()?;
        Some(bodies.all(|reads| reads))
    }
}

/// Whether a body changes no rows, and runs no other function that would by its name.
fn changes_nothing(body: &str) -> bool {
    const CHANGES: &[&str] = &["insert", "update", "delete", "create", "set", "add", "remove", "increment", "http"];
    let body = body.to_ascii_lowercase();
    let writes = ["insert into", "update ", "delete from", "perform ", "execute "];
    let called = body.match_indices('(').filter_map(|(at, _)| {
        let name = body[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
        words(name).into_iter().next()
    });
    !writes.iter().any(|word| body.contains(word)) && !called.into_iter().any(|verb| CHANGES.contains(&verb.as_str()))
}

#[cfg(test)]
mod tests {
    use super::changes_nothing;

    #[test]
    fn bodies_say_whether_they_change_something() {
        assert!(changes_nothing("select coalesce(name, '') into v from shops where id = p_id; return v;"));
        assert!(!changes_nothing("update shops set name = p_name; return true;"));
        assert!(!changes_nothing("select vault.update_secret(p_id, p_text); return true;"));
        assert!(!changes_nothing("select net.http_post(url := p_url);"));
    }
}
