//! Secrets that are made anew for each message: codes and links to sign in, to reset a password, to confirm an address.

use crate::facts::Step;
use crate::program::origins::Origin;
use crate::program::verify::words;
use crate::program::{CallRef, ExprRef, FunctionRef, Program};

/// What makes one, by the first word of its name.
const MAKERS: &[&str] = &["generate", "create", "make", "mint", "issue", "sign", "new", "random"];

/// What one is called, by the last word of its name.
const SECRETS: &[&str] = &["token", "otp", "code", "pin", "passcode", "link", "nonce"];

/// What is called so and stays, or is another's: `createUnsubscribeToken`, `createPaymentLink`.
const OTHERS: &[&str] =
    &["unsubscribe", "access", "payment", "checkout", "session", "csrf", "promo", "coupon", "bearer"];

impl Program {
    /// Whether a function on the way to a message makes a secret that is another one each time: who asks for a second
    /// message wants a second one.
    pub fn brings_new_secret(&self, at: CallRef, origin: Option<&Origin>) -> bool {
        let way = origin.into_iter().flat_map(|origin| &origin.way).map(|edge| self.function_of(edge.call));
        std::iter::once(self.function_of(at)).chain(way).any(|function| self.makes_secret(function))
    }

    fn makes_secret(&self, function: FunctionRef) -> bool {
        let made = self.calls_in(function).any(|call| {
            self.called_name(call).is_some_and(|name| {
                let words = words(&name);
                let first = words.first().is_some_and(|word| MAKERS.contains(&word.as_str()));
                first && says_secret(&words)
            })
        });
        // `const code = Math.floor(Math.random() * 900000)`
        let facts = self.facts(function.file);
        let own = facts.blocks.iter().filter(|block| block.function == function.function);
        made || own.flat_map(|block| &block.steps).any(|step| {
            let Step::Bind(def, value) = step else { return false };
            says_secret(&words(&facts.def(*def).name))
                && self.fresh(&self.value(ExprRef::new(function.file, *value))).is_some_and(|fresh| !fresh.is_time)
        })
    }
}

fn says_secret(words: &[String]) -> bool {
    words.last().is_some_and(|last| SECRETS.contains(&last.as_str()))
        && !words.iter().any(|word| OTHERS.contains(&word.as_str()))
}
