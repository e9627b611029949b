//! Mail that a framework sends by what its settings say, and mail that is sent to a server of mail outright.

use crate::catalogue::Settings;
use crate::facts::{DefKind, FunctionId};
use crate::finding::Place;
use crate::names::Name;
use crate::program::{ExprRef, HttpUse, Program, Value};

impl Program {
    /// Whether a request hands a message to a server of mail, and its failure is not told to be silent.
    pub fn sends_mail(&self, http: &HttpUse) -> bool {
        self.hands_mail(http) && !self.is_silent(http)
    }

    /// Whether a request hands a message to a server of mail: not where the settings name none, or another way.
    pub fn hands_mail(&self, http: &HttpUse) -> bool {
        let client = self.http_client(http);
        client.always_outbound
            && http.method.is_some_and(|method| method == "SEND")
            && client
                .settings
                .as_ref()
                .is_none_or(|settings| !self.setting(&settings.host).is_empty() && self.chooses(settings))
    }

    /// Whether a request is told to throw nothing when it fails, or may be: `fail_silently=True`.
    pub fn is_silent(&self, http: &HttpUse) -> bool {
        let facts = self.facts(http.inner.file);
        self.http_client(http).silenced_by.as_ref().is_some_and(|keyword| {
            facts.call(http.inner.call).args.iter().any(|arg| {
                arg.name.is_some_and(|name| name == keyword.as_str())
                    && self.value(ExprRef::new(http.inner.file, arg.value)) != Value::Bool(false)
            })
        })
    }

    /// Whether the settings choose the way that they describe: by its name, by naming none, or by a variable whose
    /// default is for development, where its password is set.
    pub fn chooses(&self, settings: &Settings) -> bool {
        let chosen = self.setting(&settings.chosen_by);
        let is_for_development = |text: &str| settings.developing.iter().any(|way| text.contains(way));
        chosen.is_empty()
            || chosen.iter().any(|(_, text)| text.contains(&settings.chosen))
            || settings.password.as_ref().is_some_and(|password| !self.setting(password).is_empty())
                && chosen.iter().any(|(place, text)| is_for_development(text) && self.reads_variable(*place))
    }

    /// Whether a definition at a place reads an environment variable.
    fn reads_variable(&self, place: Place) -> bool {
        let mut defs = self.facts(place.file).defs.iter().filter(|def| def.span == place.span);
        defs.any(|def| def.values.iter().any(|&value| !self.value(ExprRef::new(place.file, value)).envs().is_empty()))
    }

    /// Where modules of the app define a setting, and the constant texts it gets.
    pub fn setting(&self, name: &str) -> Vec<(Place, String)> {
        let name = Name::new(name);
        let mut found = Vec::new();
        for (file, facts) in self.code() {
            let body = facts.function(FunctionId::MODULE).body;
            let Some(def) = facts.defined_in(body, name).map(|def| facts.def(def)) else { continue };
            if def.kind == DefKind::Variable && !self.side(file).dead && !self.side(file).tooling {
                let values = def.values.iter().map(|&value| self.value(crate::program::ExprRef::new(file, value)));
                let texts: Vec<String> = values
                    .flat_map(|value| {
                        value
                            .alternatives()
                            .iter()
                            .filter_map(|one| one.text())
                            .map(|text| text.to_string())
                            .collect::<Vec<_>>()
                    })
                    .collect();
                found.push((Place { file, span: def.span }, texts.join(" ")));
            }
        }
        found
    }
}
