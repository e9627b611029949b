//! How code of a file is written: what a cure must look like to fit there.

use crate::facts::{ExprId, ExprKind};
use crate::finding::FileId;
use crate::names::Name;
use crate::program::{EntryKind, ExprRef, Program};

impl Program {
    /// How a file reads an environment variable: `Deno.env.get("X")`, `import.meta.env.X`, `os.environ["X"]`,
    /// `process.env.X`. A migration has no environment: the vault of its database holds what is secret.
    pub fn read_of_variable(&self, file: FileId, name: Name) -> String {
        let path = self.file(file).path;
        let side = self.side(file);
        let facts = self.file(file).facts.as_ref();
        match () {
            () if path.ends_with(".sql") => {
                format!("(select decrypted_secret from vault.decrypted_secrets where name = '{name}')")
            }
            () if facts.map_or(path.ends_with(".py"), |facts| !facts.language.is_script()) => {
                format!("os.environ[\"{name}\"]")
            }
            () if self.runs_on_deno(file) => format!("Deno.env.get(\"{name}\")"),
            () if side.client && !side.server && self.projects.of(file).has_script("vite.config") => {
                format!("import.meta.env.{name}")
            }
            () => format!("process.env.{name}"),
        }
    }

    /// How a file of Python reads a variable through an object of settings: `settings.HOOK_SECRET`. Its class may take it
    /// from a file that `os.environ` does not know.
    pub fn read_of_setting(&self, file: FileId, name: Name) -> Option<String> {
        let facts = self.facts(file);
        let reads = |expr: &ExprKind| match expr {
            ExprKind::Member(_, field) => field.eq_ignore_ascii_case(&name),
            _ => false,
        };
        let mut read = facts.exprs.iter().enumerate().filter(|(_, expr)| reads(&expr.kind));
        read.find_map(|(at, _)| {
            let at = ExprRef::new(file, ExprId(at as u32));
            self.value(at).envs().contains(&name).then(|| self.as_written(at))?
        })
    }

    /// Whether a file is run by Deno, as the folders of hosts say.
    pub fn runs_on_deno(&self, file: FileId) -> bool {
        let path = self.file(file).path;
        ["supabase/functions/", "netlify/edge-functions/"].iter().any(|folder| path.contains(folder))
    }

    /// Whether all the server that an app has is functions run by Deno.
    pub fn serves_on_deno_only(&self) -> bool {
        let serves =
            |kind: EntryKind| matches!(kind, EntryKind::Route | EntryKind::EdgeFunction | EntryKind::ServerAction);
        let mut servers = self.entries.iter().filter(|entry| serves(entry.kind)).peekable();
        servers.peek().is_some() && servers.all(|entry| self.runs_on_deno(entry.function.file))
    }
}
