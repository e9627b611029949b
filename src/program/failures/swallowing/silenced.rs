//! Calls that are told to throw nothing when they fail: `send_mail(.., fail_silently=True)`.

use crate::names::Name;
use crate::program::{ExprRef, Program, Value};

use super::{Failing, Instead, Swallowed};

impl Program {
    /// The calls whose failure their own keyword swallows. What only tells the owners may be lost.
    pub(super) fn silenced(&self) -> Vec<Swallowed> {
        let mut found = Vec::new();
        for http in self.requests().iter().filter(|http| http.at == http.inner) {
            let Some(keyword) = &self.catalogue.http_clients()[http.client].silenced_by else { continue };
            let facts = self.facts(http.at.file);
            let args = &facts.call(http.at.call).args;
            let told = args.iter().find(|arg| {
                arg.name.is_some_and(|name| name == keyword.as_str())
                    && self.value(ExprRef::new(http.at.file, arg.value)) == Value::Bool(true)
            });
            let to_owners = self.called_name(http.at).is_some_and(|name| name.starts_with("mail_"));
            if told.is_none() || to_owners {
                continue;
            }
            found.push(Swallowed {
                place: self.call_place(http.at),
                function: self.function_of(http.at),
                instead: Instead::Option(Name::new(keyword)),
                failing: vec![(http.at, Failing { at: http.at, webhook: false })],
                decides: None,
            });
        }
        found
    }
}
