//! What a Supabase project says of its edge functions: whether the platform lets a request through without a token.

use super::{Manifest, Manifests, Setting};

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

    /// Whether a script deploys a function without the gate: `supabase functions deploy NAME --no-verify-jwt`.
    fn is_deployed_open(&self, name: &str) -> bool {
        self.packages().flat_map(|(_, package)| &package.scripts).any(|(_, script)| {
            script.split("&&").any(|command| {
                let words: Vec<&str> = command.split_whitespace().collect();
                let named =
                    words.iter().skip_while(|word| **word != "deploy").skip(1).find(|word| !word.starts_with('-'));
                words.contains(&"--no-verify-jwt") && named.is_none_or(|named| *named == name)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Name;
    use crate::walk::{SourceFile, kind_of};

    fn read(path: &str, text: &str) -> Manifest {
        let file = SourceFile {
            path: Name::new(path),
            kind: kind_of(path),
            size: text.len() as u64,
            tracked: true,
            named: false,
            generated: false,
        };
        Manifest::read(&file, text, |_| vec![]).unwrap()
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
