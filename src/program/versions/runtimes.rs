//! On which runtime a server's code is started, as far as its project says.

use crate::finding::FileId;
use crate::program::{Entry, Program};

impl Program {
    /// Whether Bun runs an entry point: it serves it, or the project's start command hands it a file.
    pub fn runs_on_bun(&self, entry: &Entry) -> bool {
        entry.framework == "bun" || is_own_server(entry.framework) && self.is_started_by_bun(entry.place.file)
    }

    fn is_started_by_bun(&self, file: FileId) -> bool {
        let Some((_, package)) = self.manifests.package_of(&self.file(file).path) else { return false };
        match package.scripts.iter().find(|(name, _)| name == "start") {
            Some((_, command)) => hands_file_to_bun(command),
            // What is only developed so far.
            None => {
                let mut dev = package.scripts.iter().filter(|(name, _)| matches!(name.as_str(), "dev" | "serve"));
                dev.any(|(_, command)| hands_file_to_bun(command))
            }
        }
    }
}

/// Whether the app itself listens, and no platform or framework's own command starts it.
fn is_own_server(framework: &str) -> bool {
    matches!(framework, "express" | "fastify" | "hono" | "koa" | "elysia" | "nest")
}

/// `bun src/index.ts`, `bun run --hot src/index.ts`; of `bun run start` another script decides.
fn hands_file_to_bun(command: &str) -> bool {
    let mut words = command.split_whitespace().skip_while(|word| *word != "bun").skip(1);
    let file = words.find(|word| *word != "run" && !word.starts_with('-'));
    file.is_some_and(|file| [".ts", ".tsx", ".js", ".mjs"].iter().any(|end| file.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::hands_file_to_bun;

    #[test]
    fn bun_runs_what_it_is_handed_as_a_file() {
        assert!(hands_file_to_bun("bun src/index.ts"));
        assert!(hands_file_to_bun("NODE_ENV=production bun run --hot src/index.ts"));
        assert!(!hands_file_to_bun("bun run build && node dist/index.js"));
        assert!(!hands_file_to_bun("bun install"));
        assert!(!hands_file_to_bun("next start"));
    }
}
