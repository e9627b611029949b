//! What an idempotency key is to be made of: the act, the thing it is about, what the request says of it, and in a loop
//! the element. A vendor refuses a key that came with another operation or other parameters before, so two calls never
//! share one; and an act that is meant to happen again never gets the key of the first.

use crate::catalogue::Idempotency;
use crate::facts::{BlockId, BlockKind, FunctionId};
use crate::names::Name;
use crate::program::keys::elements::Element;
use crate::program::keys::holes::{Made, Site};
use crate::program::origins::Origin;
use crate::program::terms::{Ending, ending};
use crate::program::verify::words;
use crate::program::{CallRef, EntryKind, FunctionRef, Program, VendorUse, Via};

/// The length of an id as databases make them.
const UUID: usize = 36;

/// The length of a day, a month, a count.
const COUNT: usize = 10;

/// What the catalogue's cures write where the key stands.
const SCRIPT_KEY: &str = "order-${order.id}";
const PYTHON_KEY: &str = "order-{order.id}";

impl Program {
    /// What to write to give a key at this call, in its language.
    pub fn key_cure(&self, used: &VendorUse, how: &Idempotency) -> String {
        let script = self.facts(used.at.file).language.is_script();
        let cure = match used.via {
            Via::Sdk(..) if script => self.placed_key(used, how, &how.cure_js),
            Via::Sdk(..) => self.placed_key(used, how, &how.cure_py),
            Via::Http(_) if script => how.cure_http.clone(),
            Via::Http(_) => as_python(&how.cure_http),
        };
        let cure = self.with_key(used, how, cure);
        match (&used.via, how.js_since) {
            // The version is the one that the client was made with.
            (Via::Sdk(package, made), Some(since))
                if script && self.is_older(made.map_or(used.at.file, |made| made.file), *package, since) =>
            {
                let package = package.split_once(':').map_or(package.as_str(), |(_, name)| name);
                format!(
                    "{cure}; first raise `{package}` to {}.{} or later, for the version in use here drops the key",
                    since.0, since.1
                )
            }
            _ => cure,
        }
    }

    /// A cure with this call's key in place of an order's id.
    fn with_key(&self, used: &VendorUse, how: &Idempotency, cure: String) -> String {
        if !cure.contains(SCRIPT_KEY) && !cure.contains(PYTHON_KEY) {
            return self.with_row(used, cure);
        }
        let (key, advice) = self.made_key(used, how.longest);
        let Some(key) = key else {
            let handed = cure
                .replace(&format!("`{SCRIPT_KEY}`"), "key")
                .replace(&format!("f\"{PYTHON_KEY}\""), "key")
                .replace(SCRIPT_KEY, "${key}")
                .replace(PYTHON_KEY, "{key}");
            return handed + &advice;
        };
        let script = key.replace('{', "${");
        cure.replace(SCRIPT_KEY, &script).replace(PYTHON_KEY, &key) + &advice
    }

    /// A cure that names a row of the app's own, with what it is where the code has none of that name.
    fn with_row(&self, used: &VendorUse, cure: String) -> String {
        const ROWS: &[&str] = &["order", "booking", "transfer", "receipt"];
        let facts = self.facts(used.at.file);
        let here = facts.call(used.at.call).block;
        let named = ROWS.iter().find(|row| cure.contains(&format!("{row}.")) || cure.contains(&format!("{row}_")));
        match named {
            Some(row) if self.at_hand(used.at, Name::new(row), here).is_none() => {
                format!("{cure}, where `{row}` is the app's own row that it is made for")
            }
            _ => cure,
        }
    }

    /// The function that a call belongs to, for what it may name: the one that is served, or that others call; what is
    /// written inside it and handed on is a part of it.
    pub(in crate::program) fn key_owner(&self, at: CallRef) -> FunctionRef {
        self.owner_around(self.function_of(at))
    }

    /// The function that is served or called and that another one is a part of.
    pub(in crate::program) fn owner_around(&self, mut owner: FunctionRef) -> FunctionRef {
        loop {
            let shape = self.facts(owner.file).function(owner.function);
            let called = shape.name.is_some() && !self.callers(owner).is_empty();
            let parent = shape.parent.filter(|&parent| parent != FunctionId::MODULE);
            match parent {
                Some(parent) if self.entries_of(owner).is_empty() && !called => {
                    owner = FunctionRef::new(owner.file, parent);
                }
                _ => return owner,
            }
        }
    }

    /// Whether the call stands in a helper that several places call for more than one thing: no key made in it can
    /// tell them apart.
    fn is_shared(&self, site: &Site<'_>) -> bool {
        /// How far helpers of helpers are followed.
        const MOST: usize = 6;
        let mut function = site.owner;
        for _ in 0..MOST {
            if function.function == FunctionId::MODULE || !self.entries_of(function).is_empty() {
                return false;
            }
            let callers = self.callers(function);
            let twice = |&at: &CallRef| {
                let of = |&other: &CallRef| other != at && self.function_of(other) == self.function_of(at);
                callers.iter().any(|other| of(other) && !self.excludes(at, *other))
            };
            match callers {
                [] => return false,
                [only] => function = self.key_owner(*only),
                _ => return site.sends || callers.iter().any(twice),
            }
        }
        false
    }

    /// A key, none where the callers have to hand it in, and what to add in words.
    fn made_key(&self, used: &VendorUse, longest: Option<usize>) -> (Option<String>, String) {
        let site = self.site(used);
        let element = self.element_of(used.at);
        let mut made = match self.is_shared(&site) {
            true => Made { handed: true, ..Made::default() },
            false => self.holes(&site, element.as_ref()),
        };
        let before = self.same_before(used);
        let mut key = match made.handed {
            // Of two operations with one key the second is refused.
            true if site.sends => "{key}".to_owned(),
            true => format!("{}-{{key}}", self.operation_words(used, site.operation)),
            // A person is made once, whichever of the app's doors they come through.
            false if self.is_of_person(&site, &made.holes) => self.operation_words(used, site.operation),
            false => self.act_word(used, site.operation, site.owner),
        };
        if made.handed {
            let name = self.function_name(site.owner);
            let told = format!("where `key` is a parameter of {name} and each caller hands in one of its own");
            let element = element.filter(|element| !matches!(element, Element::Outside));
            made = self.with_element(&site, Made { advice: vec![told], ..Made::default() }, element.as_ref());
            if made.holes.is_empty() && before == 0 && site.sends {
                return (None, format!(", {}", made.advice.join(", and ")));
            }
        }
        for hole in &made.holes {
            if !key.contains(&format!("{{{hole}}}")) {
                key.push_str(&format!("-{{{hole}}}"));
            }
        }
        let mut advice = made.advice;
        let by_page = made.holes.iter().any(|hole| hole == site.attempt());
        let declines = site.operation.is_some_and(|operation| operation.declines);
        if declines && !self.waits_for_payer(used) && !by_page && !key.contains("{key}") {
            key.push_str("-{attempt}");
            advice.push("where `attempt` goes up when a payment was refused".to_owned());
        }
        if before > 0 {
            key.push_str(&format!("-{}", before + 1));
        }
        if let Some(longest) = longest {
            match fitted(&key, longest) {
                Some(short) => key = short,
                None => advice.push(format!(
                    "as no more than {longest} characters are taken, its SHA-256 stands for it: the first {longest} of its \
                     hexadecimal digits"
                )),
            }
        }
        (Some(key), if advice.is_empty() { String::new() } else { format!(", {}", advice.join(", and ")) })
    }

    /// Whether a call runs again for the same thing by plan: each day, each month.
    pub fn is_periodic(&self, at: CallRef) -> bool {
        self.origins_of(at).iter().any(|origin| self.is_planned(origin))
    }

    pub(in crate::program) fn is_planned(&self, origin: &Origin) -> bool {
        const PERIODS: &[&str] =
            &["daily", "weekly", "monthly", "yearly", "nightly", "cron", "overage", "usage", "recurring", "renewal"];
        let entry = &self.entries[origin.entry];
        let names = [self.entry_name(entry), self.file(entry.place.file).path.to_string()];
        entry.kind == EntryKind::Job
            || names.iter().flat_map(|name| words(name)).any(|word| PERIODS.contains(&word.as_str()))
    }

    /// How many calls of the same operation the function makes before this one.
    fn same_before(&self, used: &VendorUse) -> usize {
        let facts = self.facts(used.at.file);
        let start = |at: CallRef| facts.span(facts.call(at.call).expr).start;
        let same = |other: &CallRef| {
            start(*other) < start(used.at)
                && !self.excludes(*other, used.at)
                && self.vendors_at(*other).iter().any(|twin| {
                    (twin.vendor, twin.operation) == (used.vendor, used.operation) && twin.operation.is_some()
                })
        };
        self.calls_in(self.function_of(used.at)).filter(same).count()
    }

    /// Whether of two calls of a function only one runs: they stand in two arms, or the first one's arm leaves.
    pub fn excludes(&self, first: CallRef, second: CallRef) -> bool {
        let facts = self.facts(first.file);
        let second_in: Vec<BlockId> = facts.enclosing(facts.call(second.call).block).map(|(id, _)| id).collect();
        let own = facts.enclosing(facts.call(first.call).block).take_while(|(id, _)| !second_in.contains(id));
        let other_arm = |kind: &BlockKind| {
            second_in.iter().any(|&id| match (kind, &facts.block(id).kind) {
                (BlockKind::Then(one), BlockKind::Else(other)) | (BlockKind::Else(one), BlockKind::Then(other)) => {
                    one == other
                }
                (BlockKind::Case(one, _), BlockKind::Case(other, _)) => one == other,
                _ => false,
            })
        };
        own.into_iter().any(|(id, block)| match block.kind {
            BlockKind::Then(_) | BlockKind::Else(_) | BlockKind::Case(..) => {
                other_arm(&block.kind) || ending(facts, id) != Ending::GoesOn
            }
            _ => false,
        })
    }
}

/// A key that is short enough with ids of 36 characters. Of its ids the last tells most, of its words the first and
/// the last. None where its last id leaves no room for what stands beside it.
fn fitted(key: &str, longest: usize) -> Option<String> {
    /// What is left of a word that says which act it is.
    const STEM: usize = 3;
    if filled_length(key) <= longest {
        return Some(key.to_owned());
    }
    let (said, mut rest) = match key.find("-{") {
        Some(at) if !key.starts_with('{') => (&key[..at], key[at + 1..].to_owned()),
        _ => return None,
    };
    let mut said: Vec<String> = said.split('-').map(str::to_owned).collect();
    let whole = |said: &[String], rest: &str| match said.is_empty() {
        true => rest.to_owned(),
        false => format!("{}-{rest}", said.join("-")),
    };
    // What does not fit with no word at all loses its first ids; then words go.
    while filled_length(&rest) > longest
        && let Some((_, last)) = rest.split_once("-{")
        && holes(&format!("{{{last}")).any(is_long)
    {
        rest = format!("{{{last}");
    }
    while filled_length(&whole(&said, &rest)) > longest {
        match said.len() {
            0 => return None,
            2 if said[0].len() > STEM => said[0].truncate(STEM),
            1 | 2 => drop(said.remove(0)),
            _ => drop(said.remove(1)),
        }
    }
    Some(whole(&said, &rest))
}

/// What a key is filled with, by name.
pub(in crate::program) fn holes(key: &str) -> impl Iterator<Item = &str> {
    key.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

/// Whether what is filled in is an id, rather than a count or a word.
fn is_long(hole: &str) -> bool {
    hole.to_ascii_lowercase().contains("id")
}

/// How long a key is once it is filled.
fn filled_length(key: &str) -> usize {
    let names: usize = holes(key).map(|hole| hole.len() + 2).sum();
    let values: usize = holes(key).map(|hole| if is_long(hole) { UUID } else { COUNT }).sum();
    key.len() - names + values
}

/// A template literal as Python writes it: `f"order-{order.id}"`.
fn as_python(cure: &str) -> String {
    let mut text = String::with_capacity(cure.len());
    let mut inside = false;
    for part in cure.split_inclusive('`') {
        let body = part.trim_end_matches('`');
        text.push_str(&if inside { body.replace("${", "{") } else { body.to_owned() });
        if part.ends_with('`') {
            text.push_str(if inside { "\"" } else { "f\"" });
            inside = !inside;
        }
    }
    text
}
