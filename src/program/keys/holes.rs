//! Which of a call's ids, of the request's words and of the loop's elements an idempotency key is filled with. Where
//! nothing that is safe is at hand, the id is one that the caller brings, and the advice says from where.

use crate::catalogue::{Effect, Operation};
use crate::facts::FunctionId;
use crate::names::Name;
use crate::program::keys::cures::holes;
use crate::program::keys::elements::Element;
use crate::program::keys::things::Thing;
use crate::program::keys::varying::Leaf;
use crate::program::origins::Origin;
use crate::program::repeats::state_checks::Held;
use crate::program::{Edge, EdgeKind, EntryKind, FunctionRef, Program, VendorUse};

/// What a key is made of at a call.
#[derive(Default)]
pub(in crate::program) struct Made {
    /// What is filled in behind the words, in order.
    pub(in crate::program) holes: Vec<String>,
    /// What to add in words.
    pub(in crate::program) advice: Vec<String>,
    /// The whole key is handed in by the callers.
    pub(in crate::program) handed: bool,
}

/// What is known of a call that needs a key.
pub(in crate::program) struct Site<'p> {
    pub(in crate::program) used: &'p VendorUse,
    pub(in crate::program) operation: Option<&'p Operation>,
    /// The function that the call belongs to: the one that is served, or that others call by its name.
    pub(in crate::program) owner: FunctionRef,
    /// The owner is called by others.
    pub(in crate::program) helper: bool,
    pub(in crate::program) origins: Vec<Origin>,
    pub(in crate::program) varying: Vec<Leaf>,
    pub(in crate::program) script: bool,
    pub(in crate::program) sends: bool,
    pub(in crate::program) money: bool,
    pub(in crate::program) refunds: bool,
    /// It is made on the request of somebody outside.
    pub(in crate::program) asked: bool,
    pub(in crate::program) webhook: bool,
    pub(in crate::program) periodic: bool,
    /// What it makes waits for the payer.
    pub(in crate::program) waits: bool,
    /// It makes a record of what is sold, of a price that may change.
    pub(in crate::program) priced: bool,
    /// A queue starts it.
    pub(in crate::program) queued: bool,
}

impl Program {
    /// What is known of a call that needs a key.
    pub(in crate::program) fn site<'p>(&'p self, used: &'p VendorUse) -> Site<'p> {
        let operation = self.operation(used);
        let is = |holds: fn(&Operation) -> bool| operation.is_some_and(holds);
        let owner = self.key_owner(used.at);
        let origins = self.origins_of(used.at);
        Site {
            used,
            operation,
            owner,
            helper: owner.function != FunctionId::MODULE && self.entries_of(owner).is_empty(),
            varying: self.varying(used, owner),
            script: self.facts(used.at.file).language.is_script(),
            sends: is(|operation| operation.effect == Effect::Send),
            money: is(|operation| operation.money),
            // What was paid may be given back part by part.
            refunds: is(|operation| operation.refunds),
            asked: origins.iter().any(|origin| self.is_public(origin.entry)),
            webhook: self.is_webhook_work(used.at, &origins),
            // What nothing in the repository asks, and takes nothing of the request, a clock starts.
            periodic: self.is_periodic(used.at)
                || !origins.is_empty() && origins.iter().all(|origin| self.open_job(origin.entry).is_some()),
            waits: self.waits_for_payer(used)
                || is(|operation| operation.essential.as_deref() == Some("checkout") && !operation.money),
            priced: operation
                .and_then(|operation| operation.key.as_deref())
                .is_some_and(|key| key.contains("product.id") || key.contains("campaign.id")),
            queued: origins.iter().any(|origin| self.entries[origin.entry].kind == EntryKind::Worker),
            origins,
        }
    }

    /// The person whose record a call makes.
    fn made_person(&self, site: &Site<'_>) -> Option<String> {
        let noun = site.operation.and_then(|operation| operation.key.as_deref()).and_then(|key| holes(key).next());
        let person = noun == Some("user.id") || site.operation.is_some_and(|operation| operation.person);
        if person { self.person_of(site.used, site.owner, site.helper) } else { None }
    }

    /// Whether a key is filled with the person whose record a call makes, and nothing else.
    pub(in crate::program) fn is_of_person(&self, site: &Site<'_>, holes: &[String]) -> bool {
        matches!(holes, [only] if self.made_person(site).as_ref() == Some(only))
    }

    /// What a key is filled with.
    pub(in crate::program) fn holes(&self, site: &Site<'_>, element: Option<&Element>) -> Made {
        let mut made = Made::default();
        if let Some(who) = self.made_person(site) {
            return made.with(who);
        }
        if site.priced
            && let Some(subject) = self.subject_of(site.used, site.owner)
        {
            made = made.with(subject);
            made = self.with_amount(site, made);
            // What somebody types in may be typed in otherwise.
            let typed = site.asked && site.varying.iter().any(|leaf| !leaf.is_id() && !leaf.is_amount());
            return if typed || self.says_again(site) { self.with_attempt(site, made) } else { made };
        }
        if site.webhook && !(site.helper && self.best_thing(site).is_some()) {
            let handed = match site.helper {
                true => format!(", handed in to {}", self.function_name(site.owner)),
                false => String::new(),
            };
            made = match self.told_apart_by(&site.origins) {
                // Its deliveries have no id by that name.
                Some(by) => {
                    let event = if site.script { "eventId" } else { "event_id" };
                    let mut made = made.with(event.to_owned());
                    made.advice.push(format!(
                        "where `{event}` stands for {by} of the delivery that the webhook handles{handed}"
                    ));
                    made
                }
                None => {
                    let mut made = made.with("event.id".to_owned());
                    made.advice
                        .push(format!("where `event.id` is the id of the delivery that the webhook handles{handed}"));
                    made
                }
            };
            return self.with_element(site, made, element);
        }
        if let Some(row) = self.asked_row(site) {
            made.holes = row;
            return self.with_element(site, made, element);
        }
        match element {
            Some(Element::Outside) => {
                let whole = self.best_thing(site).filter(|thing| site.uncovered(self, thing).is_empty());
                match whole.filter(|_| !site.sends || self.says_once(site)) {
                    Some(thing) => made.with(thing.text),
                    None => Made { handed: true, ..made },
                }
            }
            Some(element) => self.of_element(site, made, element),
            None if site.refunds => self.of_refund(site, made),
            None => self.of_thing(site, made),
        }
    }

    /// What picks the row that is asked whether it was done before, and that the run changes: once for it is enough.
    fn asked_row(&self, site: &Site<'_>) -> Option<Vec<String>> {
        // What waits for the payer may be asked for again, of another sum.
        if site.refunds || site.waits && !site.is_kept_record() {
            return None;
        }
        let [origin] = &site.origins[..] else { return None };
        let written = self.written_by_entry(origin.entry);
        let row = self.row_asked_before(site.used.at, &written)?;
        // A state comes round again where the same is done again and again; a note of this run does not.
        if row.field && (site.periodic || self.says_again(site)) {
            return None;
        }
        row.picked.into_iter().map(|value| Some(self.printed(site.used.at, value)?.0)).collect()
    }

    /// The key of a round of a loop.
    fn of_element(&self, site: &Site<'_>, mut made: Made, element: &Element) -> Made {
        if site.refunds {
            made = made.with(site.refund_row(self).to_owned());
            made.advice.push(format!("where `{}` is a row that is inserted before", site.refund_row(self)));
            return self.with_element(site, made, Some(element));
        }
        // Only what is paid once stands for itself, and what is sold in a table of prices.
        if !site.sends && (element.is_once() || site.priced) {
            let made = self.with_element(site, made, Some(element));
            return if site.priced || site.waits { self.with_amount(site, made) } else { made };
        }
        if site.money
            && !site.waits
            && let Some(batch) = self.of_batch(site)
        {
            return batch;
        }
        // Whoever starts the run, and however often: the row is due once for its day.
        if site.money
            && let Some(column) = self.due_by(site.used.at)
        {
            made = self.with_element(site, made, Some(element)).with("period".to_owned());
            made.advice.push(format!("where `period` is the day in the row's own `{column}`, by which it is due"));
            return made;
        }
        if site.periodic {
            made = self.with_element(site, made, Some(element)).with("period".to_owned());
            let what = if site.sends { "it is sent for" } else { "is billed" };
            let which = if site.sends { "day, month or step that" } else { "day or month that" };
            made.advice.push(format!("where `period` is the {which} {what}"));
            return made;
        }
        let made = match self.best_thing(site).filter(|thing| site.uncovered(self, thing).is_empty()) {
            // What the whole list is about.
            Some(thing) => made.with(thing.text),
            None if site.helper => return Made { handed: true, ..made },
            None if site.asked => self.with_attempt(site, made),
            None => {
                let run = if site.script { "runId" } else { "run_id" };
                let mut made = made.with(run.to_owned());
                made.advice
                    .push(format!("where `{run}` is the id of what the whole list is about, an order or a campaign"));
                made
            }
        };
        self.with_element(site, made, Some(element))
    }

    pub(in crate::program) fn with_element(&self, site: &Site<'_>, mut made: Made, element: Option<&Element>) -> Made {
        // In a loop within a loop the inner element comes up for each of the outer ones.
        for outer in element.map(|_| self.outer_elements(site.used.at)).unwrap_or_default() {
            made = made.with_new(&outer);
        }
        match element {
            Some(Element::Id(id)) => made = made.with_new(id),
            Some(Element::Row(id)) if made.holes.contains(id) => {}
            Some(Element::Row(id)) => {
                made = made.with(id.clone());
                made.advice.push(format!("where `{id}` is its own id, which has to be read along with it"));
            }
            Some(Element::Index(index)) => {
                made = made.with(index.clone());
                made.advice.push(format!("where `{index}` is the element's place in a list that stays the same"));
            }
            Some(Element::Outside) => {
                let name = self.function_name(site.owner);
                made = made.with("id".to_owned());
                made.advice.push(format!("where `id` is that of the list's element, handed in to {name}"));
            }
            None => {}
        }
        made
    }

    /// What was paid may be given back once, or part by part: each part is a row.
    fn of_refund(&self, site: &Site<'_>, made: Made) -> Made {
        let held = || self.held(&[site.used.at], None) != Held::Free;
        let whole = self.best_thing(site).filter(|thing| !thing.row && site.uncovered(self, thing).is_empty());
        if let Some(thing) = whole.filter(|_| held()) {
            return made.with(thing.text);
        }
        let row = site.refund_row(self);
        let mut made = made.with(row.to_owned());
        let name = row.split('.').next().unwrap_or_default().to_owned();
        made.advice.push(format!("where `{name}` is a row that is inserted before"));
        made
    }

    /// The thing that a call is about and that is paid, booked or handed over once.
    fn best_thing(&self, site: &Site<'_>) -> Option<Thing> {
        let things = self.things(site.used, site.owner);
        let routed = || self.thing_of_route(site.used, site.owner, &site.origins).filter(|thing| thing.once);
        let old = things.iter().find(|thing| thing.once && !thing.row && !thing.far).cloned();
        old.or_else(|| things.iter().find(|thing| thing.once && !thing.row).cloned()).or_else(routed)
    }

    /// The key of a call that runs once in its function.
    fn of_thing(&self, site: &Site<'_>, mut made: Made) -> Made {
        let thing = self.best_thing(site);
        let row = self.things(site.used, site.owner).into_iter().find(|thing| thing.row);
        // What is given the row's id is asked something else as soon as there is another row.
        let by_row = row.as_ref().is_some_and(|row| !row.far);
        if let Some(thing) = thing.as_ref().filter(|_| !by_row) {
            let open = site.uncovered(self, thing);
            if site.sends {
                let kind = self.message_kind(site.used, site.owner);
                let telling: Option<Vec<String>> = open.iter().map(|leaf| leaf.tells()).collect();
                let mut telling = telling.filter(|telling| telling.len() < 4);
                if let (Some(telling), Some(kind)) = (&mut telling, kind)
                    && !telling.contains(&kind)
                {
                    telling.insert(0, kind);
                }
                let which = open.iter().any(|leaf| leaf.is_which())
                    || telling.as_ref().is_some_and(|told| told.len() > open.len());
                if let Some(telling) = telling.filter(|_| which || self.says_once(site)) {
                    made = made.with(thing.text.clone());
                    made.holes.extend(telling);
                    return self.with_period(site, made);
                }
            } else if !self.says_again(site) && (open.is_empty() || !site.waits && open.iter().all(|leaf| leaf.is_id()))
            {
                let made = made.with(thing.text.clone());
                return if site.waits { self.with_amount(site, made) } else { made };
            }
        }
        if let Some(row) = row {
            let name = row.text.rsplit_once('.').map_or(row.text.as_str(), |(name, _)| name).to_owned();
            made = made.with(row.text);
            let by = if site.asked { ", by an id that comes with the request or a unique column" } else { "" };
            made.advice
                .push(format!("where a repeat has to find the row `{name}` again and not insert another one{by}"));
            return made;
        }
        // Something that is sent again and again, picked by what the request says.
        let routed = thing.or_else(|| self.thing_of_route(site.used, site.owner, &site.origins));
        if site.sends
            && let Some(thing) = &routed
        {
            let open = site.uncovered(self, thing);
            let telling: Option<Vec<String>> = open.iter().map(|leaf| leaf.tells()).collect();
            let which = open.iter().any(|leaf| leaf.is_which());
            if let Some(telling) = telling.filter(|telling| which && telling.len() < 4) {
                made = made.with(thing.text.clone());
                made.holes.extend(telling);
                return made;
            }
        }
        let in_entry = !site.helper && site.origins.iter().all(|origin| self.is_planned(origin));
        // The day alone is enough where nothing but the clock says what is sent.
        if site.sends && site.periodic && in_entry && site.varying.is_empty() {
            return self.with_period(site, made);
        }
        if site.helper {
            return Made { handed: true, ..made };
        }
        if let Some(thing) = routed {
            made = made.with(thing.text);
        }
        if site.money || site.waits {
            let amounts = site.varying.iter().filter(|leaf| leaf.is_amount());
            made.holes.extend(amounts.filter_map(|leaf| leaf.text.clone()).take(1));
        }
        self.with_attempt(site, made)
    }

    /// The day beside what else is in a key, where the same is sent again by plan.
    fn with_period(&self, site: &Site<'_>, mut made: Made) -> Made {
        if site.periodic && !made.holes.iter().any(|hole| hole == "period") {
            made = made.with("period".to_owned());
            made.advice.push("where `period` is the day, month or step that it is sent for".to_owned());
        }
        made
    }

    /// The sum beside the thing: what waits for the payer costs nothing twice, and another sum is another request.
    fn with_amount(&self, site: &Site<'_>, mut made: Made) -> Made {
        match self.amount_of(site.used) {
            Some(Some(amount)) => made.with(amount),
            Some(None) => {
                made = made.with("amount".to_owned());
                made.advice.push("where `amount` is the sum that is asked for".to_owned());
                made
            }
            None => made,
        }
    }

    fn with_attempt(&self, site: &Site<'_>, made: Made) -> Made {
        if site.asked && site.origins.iter().all(|origin| self.only_webhooks_ask(origin.entry)) {
            let event = if site.script { "eventId" } else { "event_id" };
            let mut made = made.with(event.to_owned());
            made.advice.push(format!(
                "where `{event}` comes with the request: the webhook that asks hands in the id of its event"
            ));
            return made;
        }
        let attempt = site.attempt();
        let mut made = made.with(attempt.to_owned());
        let declines = site.operation.is_some_and(|operation| operation.declines) && !self.waits_for_payer(site.used);
        let again = if declines { "success or refused payment" } else { "success" };
        let server = site.origins.iter().find_map(|origin| self.asking_server(origin.entry));
        // No page knows the secret that is asked for.
        let by_page = !site.origins.iter().all(|origin| self.brings_own_secret(origin.entry));
        made.advice.push(match site.asked {
            true if let Some(server) = server => {
                let page = if by_page {
                    format!(", and a page draws one when it is opened, a new one after each {again}")
                } else {
                    String::new()
                };
                format!(
                    "where `{attempt}` comes with the request: {server} hands in the id of the order or event that it \
                     asks for{page}; turn away a request that brings none, or all of those get the same key"
                )
            }
            true if !by_page => format!(
                "where `{attempt}` comes with the request: whoever asks hands in the id of the order or event that it asks \
                 for; turn away a request that brings none, or all of those get the same key"
            ),
            true => format!(
                "where `{attempt}` comes with the request: the page draws one when it is opened, a new one after each \
                 {again} and when something in it is changed, and sends the same one with every repeat"
            ),
            false if site.queued => {
                format!("where `{attempt}` is the id of the queue's job, the same on all its tries")
            }
            false => format!("where `{attempt}` is the id of a row that is inserted before the first try"),
        });
        made
    }

    /// Whether the act's name says something that happens once to what it is about: `booking-confirmation`.
    fn says_once(&self, site: &Site<'_>) -> bool {
        const ONCE: &[&str] = &[
            "confirmation",
            "cancellation",
            "receipt",
            "welcome",
            "paid",
            "approval",
            "rejection",
            "acceptance",
            "registration",
            "completion",
            "thank",
            "thanks",
        ];
        const NOT: &[&str] = &["need", "feed", "embed", "seed", "speed", "abandoned", "related", "based"];
        let once = |word: &String| {
            ONCE.contains(&word.as_str()) || word.len() > 4 && word.ends_with("ed") && !NOT.contains(&word.as_str())
        };
        !self.says_again(site) && self.act_of(site.owner).iter().any(once)
    }

    /// Server code that asks an entry point, beside the pages that may: by its path.
    fn asking_server(&self, entry: usize) -> Option<Name> {
        let asks = |edge: &&Edge| edge.kind == EdgeKind::Jump && self.runs_on_server(edge.call.file);
        let edge = self.incoming(self.entries[entry].function).iter().find(asks)?;
        Some(self.file(edge.call.file).path)
    }

    /// Whether the act's name says something that is meant to happen again to the same thing.
    fn says_again(&self, site: &Site<'_>) -> bool {
        const AGAIN: &[&str] = &[
            "update",
            "edit",
            "change",
            "sync",
            "resend",
            "again",
            "test",
            "retry",
            "adjust",
            "extend",
            "extension",
            "renew",
            "renewal",
            "remind",
            "reminder",
            "topup",
            "partial",
            "extra",
            "additional",
            "part",
            "nudge",
        ];
        self.act_of(site.owner).iter().any(|word| AGAIN.contains(&word.as_str()))
    }
}

impl Made {
    /// With what is not in it yet.
    fn with_new(self, hole: &str) -> Self {
        if self.holes.iter().any(|known| known == hole) { self } else { self.with(hole.to_owned()) }
    }

    pub(in crate::program) fn with(mut self, hole: String) -> Self {
        self.holes.push(hole);
        self
    }
}

impl Site<'_> {
    /// Whether it makes a record that is kept, an account with the vendor, and is given nothing but ids: no sum, no price
    /// and no card that the next try may bring otherwise.
    fn is_kept_record(&self) -> bool {
        let plain = self.operation.is_some_and(|operation| {
            let (amounts, prices, cards) = (&operation.amounts, &operation.prices, &operation.cards);
            let costs = operation.money || operation.core.is_some() || operation.open.is_some();
            !costs && amounts.is_empty() && prices.is_empty() && cards.is_empty()
        });
        plain && self.varying.iter().all(Leaf::is_id)
    }

    /// What the id of a try is called.
    pub(in crate::program) fn attempt(&self) -> &'static str {
        if self.script { "attemptId" } else { "attempt_id" }
    }

    /// A row of a refund, under a name that the code does not use for something else.
    fn refund_row(&self, program: &Program) -> &'static str {
        let facts = program.facts(self.used.at.file);
        let taken = facts.defs.iter().any(|def| def.name == "refund");
        match (taken, self.script) {
            (false, _) => "refund.id",
            (true, true) => "refundRow.id",
            (true, false) => "refund_row.id",
        }
    }

    /// What of the request goes into the call and is not fixed by a thing.
    fn uncovered(&self, program: &Program, thing: &Thing) -> Vec<&Leaf> {
        let own = program.varying_in(self.used.at, self.owner, thing.expr);
        let is_row =
            thing.text.rsplit_once('.').is_some_and(|(_, field)| matches!(field, "id" | "_id" | "uuid" | "pk"));
        let covers = |leaf: &&Leaf| {
            leaf.text.as_deref() == Some(thing.text.as_str())
                || own.contains(leaf)
                || own.iter().any(|other| other.name.is_some() && other.name == leaf.name && other.root != leaf.root)
                || is_row && self.helper && leaf.root.is_some() && leaf.root == thing.def
        };
        self.varying.iter().filter(|leaf| !covers(leaf)).collect()
    }
}
