//! What a Supabase project says of its edge functions: whether the platform lets a request through without a token.

use serde::{Deserialize, Serialize};

use super::{Manifest, Manifests, Setting};
use crate::names::Name;

/// What deploys a function without the gate.
const FLAG: &str = "--no-verify-jwt";

/// A function that is deployed without the gate, or is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Which; none where the command takes whichever there are, or names it by a variable.
    pub name: Option<Name>,
    /// People are told to: what stands in notes and comments may never have been done.
    pub in_notes: bool,
}

/// The functions that a script, a workflow, notes or a function's own comments deploy without the gate.
pub fn opened_in(path: &str, text: &str) -> Vec<Opened> {
    if !text.contains(FLAG) || path.ends_with("package.json") {
        return vec![];
    }
    let is_code = crate::lang::language_of(path).is_some();
    let notes = is_code || [".md", ".mdx", ".txt", ".rst"].iter().any(|ending| path.ends_with(ending));
    let own = is_code.then(|| path.split_once("supabase/functions/")).flatten();
    if let Some(name) = own.and_then(|(_, inner)| inner.split('/').next()) {
        return vec![Opened { name: Some(Name::new(name)), in_notes: true }];
    }
    let lines = text.replace("\\\n", " ");
    let commands = lines.split(['\n', ';', '|', '`']).flat_map(|line| line.split("&&"));
    let opened = commands.filter_map(opened_by).map(|name| Opened { name, in_notes: notes });
    opened.collect()
}

/// What a command deploys without the gate: a function by its name, or any.
fn opened_by(command: &str) -> Option<Option<Name>> {
    if !command.contains(FLAG) {
        return None;
    }
    let mut words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'', ',']));
    words.find(|word| *word == "functions")?;
    words.find(|word| *word == "deploy")?;
    while let Some(word) = words.next() {
        if matches!(word, "--project-ref" | "--import-map" | "--workdir" | "--profile" | "-j" | "--jobs") {
            words.next();
        } else if !word.starts_with('-') {
            let is_name = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            return Some(is_name.then(|| Name::new(word)));
        }
    }
    Some(None)
}

/// Whether the platform asks for a token before a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenGate {
    /// It does: the configuration says so, or tells of other functions and not of this one.
    Asked,
    /// It does by default: no configuration tells of any function.
    AskedByDefault,
    /// It does not.
    Open,
}

/// A configuration with a section that is written twice, or is broken, which is no TOML but is found: section by
/// section, the last of each counts. None when no section can be read.
pub(super) fn by_sections(text: &str) -> Option<toml::Value> {
    let starts = text.match_indices('[').map(|(at, _)| at).filter(|&at| at == 0 || text.as_bytes()[at - 1] == b'\n');
    let mut starts: Vec<usize> = std::iter::once(0).chain(starts).chain([text.len()]).collect();
    starts.dedup();
    let sections = starts.windows(2).filter_map(|pair| text[pair[0]..pair[1]].parse::<toml::Table>().ok());
    let mut whole = toml::Table::new();
    sections.for_each(|section| merge(&mut whole, section));
    (!whole.is_empty()).then_some(toml::Value::Table(whole))
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(more)) => merge(there, more),
            (Some(toml::Value::Array(there)), toml::Value::Array(more)) => there.extend(more),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

impl Manifests {
    /// Whether the platform asks for a token before the edge function in `file` runs, by the configuration beside
    /// the folder of functions; none when the file is no edge function.
    pub fn token_gate(&self, file: &str) -> Option<(TokenGate, String)> {
        let at = file.find("supabase/functions/").filter(|&at| at == 0 || file.as_bytes()[at - 1] == b'/')?;
        let folder = &file[..at];
        let name = file[at + "supabase/functions/".len()..].split('/').next()?;
        let config = format!("{folder}supabase/config.toml");
        if self.is_deployed_open(name) {
            return Some((TokenGate::Open, config));
        }
        let said = |manifest: &Manifest, keys: &[&str]| match manifest.setting(keys)? {
            Setting::Bool(false) => Some(TokenGate::Open),
            _ => Some(TokenGate::Asked),
        };
        let of_all = self.get(&config);
        if let Some(gate) = of_all.and_then(|manifest| said(manifest, &["functions", name, "verify_jwt"])) {
            return Some((gate, config));
        }
        // A configuration in the function's own folder says what it is meant to be.
        let own = format!("{folder}supabase/functions/{name}/config.toml");
        if let Some(gate) = self.get(&own).and_then(|manifest| {
            said(manifest, &["functions", name, "verify_jwt"]).or_else(|| said(manifest, &["verify_jwt"]))
        }) {
            return Some((gate, own));
        }
        let tells_of_functions = of_all.is_some_and(|manifest| manifest.setting(&["functions"]).is_some());
        let gate = if tells_of_functions { TokenGate::Asked } else { TokenGate::AskedByDefault };
        Some((gate, config))
    }

    /// Whether notes or comments say that the edge function in `file` is deployed without the gate. What the
    /// configuration says of this very function outweighs what they say of any.
    pub fn is_said_open(&self, file: &str) -> bool {
        let Some((folder, inner)) = file.split_once("supabase/functions/") else { return false };
        let name = inner.split('/').next().unwrap_or(inner);
        let config = format!("{folder}supabase/config.toml");
        let set = self.get(&config).is_some_and(|it| it.setting(&["functions", name, "verify_jwt"]).is_some());
        let mut notes = self.opened.iter().filter(|opened| opened.in_notes);
        notes.any(|opened| opened.name.map_or(!set, |opened| opened == name))
    }

    /// Whether a script deploys a function without the gate: `supabase functions deploy NAME --no-verify-jwt`.
    fn is_deployed_open(&self, name: &str) -> bool {
        let mut scripts = self.opened.iter().filter(|opened| !opened.in_notes);
        let by_script = scripts.any(|opened| opened.name.is_none_or(|opened| opened == name));
        let in_packages = self.packages().flat_map(|(_, package)| &package.scripts).any(|(_, script)| {
            script.split("&&").any(|command| {
                let words: Vec<&str> = command.split_whitespace().collect();
                let named =
                    words.iter().skip_while(|word| **word != "deploy").skip(1).find(|word| !word.starts_with('-'));
                words.contains(&FLAG) && named.is_none_or(|named| *named == name)
            })
        });
        by_script || in_packages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> Manifest {
        Manifest::of_text(path, text).unwrap()
    }

    #[test]
    fn a_section_written_twice_hides_no_other() {
        let text = "project_id = \"x\"\n[functions.hook]\nverify_jwt = false\n[functions.a]\n[functions.a]\nverify_jwt = true\n";
        let manifests = Manifests::new(vec![read("supabase/config.toml", text)]);
        let gate = |path: &str| manifests.token_gate(path).map(|(gate, _)| gate);
        assert_eq!(gate("supabase/functions/hook/index.ts"), Some(TokenGate::Open));
        assert_eq!(gate("supabase/functions/a/index.ts"), Some(TokenGate::Asked));
    }

    #[test]
    fn commands_open_functions() {
        let opened = |path: &str, text: &str| -> Vec<(Option<&str>, bool)> {
            opened_in(path, text).iter().map(|one| (one.name.map(|name| name.as_str()), one.in_notes)).collect()
        };
        let script =
            "set -e\nsupabase functions deploy pay-hook \\\n  --no-verify-jwt\nsupabase functions deploy other\n";
        assert_eq!(opened("deploy.sh", script), [(Some("pay-hook"), false)]);
        let referred = "npx supabase functions deploy --project-ref $REF \"hook\" --no-verify-jwt && echo done";
        assert_eq!(opened("Makefile", referred), [(Some("hook"), false)]);
        assert_eq!(
            opened(".github/workflows/d.yml", "run: supabase functions deploy --no-verify-jwt"),
            [(None, false)]
        );
        assert_eq!(
            opened("d.sh", "for f in a b; do supabase functions deploy $f --no-verify-jwt; done"),
            [(None, false)]
        );
        assert_eq!(
            opened("README.md", "Run `supabase functions deploy hook --no-verify-jwt`."),
            [(Some("hook"), true)]
        );
        assert_eq!(opened("docs/help.md", "the flag `--no-verify-jwt` helps"), []);
        let own = "// deploy with --no-verify-jwt: the vendor has no token\n";
        assert_eq!(opened("supabase/functions/hook/index.ts", own), [(Some("hook"), true)]);
    }

    #[test]
    fn gates_are_closed_unless_opened() {
        let config = read("app/supabase/config.toml", "[functions.open]\nverify_jwt = false\n[functions.shut]\n");
        let package = read("package.json", r#"{"scripts":{"d":"supabase functions deploy flagged --no-verify-jwt"}}"#);
        let own = read("supabase/functions/own/config.toml", "verify_jwt = false\n");
        let manifests = Manifests::new(vec![config, package, own]);
        let gate = |path: &str| manifests.token_gate(path).map(|(gate, _)| gate);
        assert_eq!(gate("app/supabase/functions/open/index.ts"), Some(TokenGate::Open));
        assert_eq!(gate("app/supabase/functions/shut/index.ts"), Some(TokenGate::Asked));
        assert_eq!(gate("app/supabase/functions/other/index.ts"), Some(TokenGate::Asked));
        assert_eq!(gate("supabase/functions/other/index.ts"), Some(TokenGate::AskedByDefault));
        assert_eq!(gate("app/supabase/functions/flagged/index.ts"), Some(TokenGate::Open));
        assert_eq!(gate("supabase/functions/own/index.ts"), Some(TokenGate::Open));
        assert_eq!(gate("app/src/index.ts"), None);
    }
}
