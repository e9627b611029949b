//! Charges whose amount, currency or price the request decides.

use std::collections::BTreeMap;

use crate::facts::{ExprKind, Facts, Span};
use crate::finding::{Remark, Severity};
use crate::names::Name;
use crate::program::callers::audience::functions_on;
use crate::program::origins::Origin as Start;
use crate::program::values::requested::asked::Asked;
use crate::program::values::requested::{Origin, Source, outermost, says_amount, says_discount};
use crate::program::verify::words;
use crate::program::{CallRef, Destination, Entry, ExprRef, FunctionRef, Program, Value, VendorUse};
use crate::rule::Report;

crate::rule! {
    /// A charge whose amount the request decides
    ///
    /// What a browser sends, anyone can change: the amount in the body of the request that starts a payment is a
    /// wish, not a price. Whoever opens the developer tools buys the year's plan for a cent, and the order looks paid.
    /// The same holds for a currency (the number stays, the money is worth less) and, as a warning, for the id of a
    /// price or plan that is handed on without a look: the payer picks another one of the account, a cheaper, an old
    /// or a test one; and for the length of a free trial. Where the app pays out, whoever asks empties its account.
    ///
    /// ## Silent when
    ///
    /// - the amount comes from the database, from the vendor or from a table on the server, whatever id picks it
    /// - the server works it out: its own price times the quantity asked for
    /// - the amount or the id is compared with, or looked up in, what the server knows before the call
    /// - the schema of the request lists the plans that are allowed
    /// - it is charged with a key or for an account out of the caller's own row: whoever calls is paid, and does not pay
    /// - staff sets it: admin routes, roles that are asked for, and what vendors and jobs start
    /// - a donation, a tip or a top-up, where the payer is meant to choose (a note for auditors)
    ///
    /// ## The cure
    ///
    /// Take only ids from the request, and look the price up on the server.
    ///
    /// ## Example
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// import Stripe from "npm:stripe@17";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { amount, orderId } = await req.json();
    ///   const intent = await stripe.paymentIntents.create({ amount, currency: "eur", metadata: { orderId } });
    ///   return Response.json({ secret: intent.client_secret });
    /// });
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=supabase/functions/pay/index.ts
    /// import Stripe from "npm:stripe@17";
    /// import { createClient } from "npm:@supabase/supabase-js@2";
    ///
    /// const stripe = new Stripe(Deno.env.get("STRIPE_SECRET_KEY")!);
    /// const db = createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_SERVICE_ROLE_KEY")!);
    ///
    /// Deno.serve(async (req) => {
    ///   const { orderId } = await req.json();
    ///   const { data: order } = await db.from("orders").select("total").eq("id", orderId).single();
    ///   const intent = await stripe.paymentIntents.create({ amount: order.total, currency: "eur", metadata: { orderId } });
    ///   return Response.json({ secret: intent.client_secret });
    /// });
    /// ```
    id: "client-controlled-amount", severity: Error, confidence: High, section: "Money and abuse",
    security: Some(8.0), since: "0.1.0", check: check
}

/// What of a charge the request decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Trial,
    Price,
    Currency,
    Amount,
}

/// A charge that the request decides over.
struct Decided {
    what: What,
    source: Source,
    bounded: bool,
}

fn check(program: &Program, report: &mut Report) {
    // A request is told once, where it is written, however many wrappers lead to it.
    let mut told: BTreeMap<CallRef, Vec<&VendorUse>> = BTreeMap::new();
    for used in program.vendor_uses() {
        let Some(operation) = program.operation(used) else { continue };
        let says_price = !(operation.amounts.is_empty() && operation.prices.is_empty() && operation.trials.is_empty());
        if !says_price || !program.runs_on_server(used.at.file) {
            continue;
        }
        told.entry(program.request_of(used).map_or(used.at, |http| http.inner)).or_default().push(used);
    }
    let mut said: Vec<(What, ExprRef, FunctionRef, String)> = Vec::new();
    for (_, mut uses) in told {
        if uses.iter().any(|used| says_itself(program, used)) {
            uses.retain(|used| says_itself(program, used));
        }
        let found = uses.into_iter().find_map(|used| Some((used, decided(program, used)?)));
        let Some((used, decided)) = found else { continue };
        // Whoever sends an invoice with their own key is paid by it.
        if program.pays_caller(used) {
            continue;
        }
        let Some(start) = start(program, used.at, &decided.source) else { continue };
        // `account ? create(data, { stripeAccount: account }) : create(data)` is one charge.
        let same = (decided.what, decided.source.read, program.function_of(used.at), used.name.clone());
        if said.contains(&same) {
            continue;
        }
        said.push(same);
        tell(program, report, used, &decided, &start);
    }
}

/// Whether the operation is written at this place, rather than handed through it by a caller.
fn says_itself(program: &Program, used: &VendorUse) -> bool {
    program.request_of(used).is_none_or(|http| {
        program.destinations_as_written(&http.url).iter().any(|to| match to {
            Destination::Vendor(vendor, host, path) => {
                let operation = program.catalogue.http_operation(*vendor, http.method.map(Name::as_str), host, path);
                operation.map(|(at, _)| at) == used.operation
            }
            _ => false,
        })
    })
}

/// What the request decides of a charge: the worst of it.
fn decided(program: &Program, used: &VendorUse) -> Option<Decided> {
    let operation = program.operation(used)?;
    let amounts = operation.amounts.iter().map(|field| {
        let last = words(field.rsplit('.').next().unwrap_or(field));
        (if last.iter().any(|word| word == "currency") { What::Currency } else { What::Amount }, field)
    });
    let fields = amounts
        .chain(operation.prices.iter().map(|field| (What::Price, field)))
        .chain(operation.trials.iter().map(|field| (What::Trial, field)));
    let found = fields.filter_map(|(what, field)| {
        let Some(Origin::Request(source)) = program.payload_origin(used, field) else { return None };
        let open = |source: &Source| match program.is_asked_for(source, used.at) {
            Asked::Checked => None,
            // Of a price that the server sets only so much is taken off.
            _ if what == What::Trial && is_short(program, used.at, source) => None,
            Asked::Bounded if is_taken_off(source) => None,
            asked => Some(Decided { what, source: source.clone(), bounded: asked == Asked::Bounded }),
        };
        open(&source).or_else(|| open(source.off.as_deref()?))
    });
    found.max_by_key(|decided| decided.what)
}

/// Whether a value of the request is what is taken off a price.
fn is_taken_off(source: &Source) -> bool {
    let leaf = source.leaf.is_some_and(|name| says_amount(&name) && !says_discount(&name));
    !leaf && source.names.iter().any(|name| says_discount(name))
}

/// Whether no more than a month is given, whatever the request says: `Math.min(body.trialDays, 14)`.
fn is_short(program: &Program, at: CallRef, source: &Source) -> bool {
    /// The days of a month.
    const MONTH: f64 = 31.0;
    let facts = program.facts(at.file);
    program.calls_in(program.function_of(at)).any(|call| {
        let shape = facts.call(call.call);
        let is_min = facts.last_name(shape.callee).is_some_and(|name| name == "min");
        let short = |value: &Value| matches!(value, Value::Number(number) if *number <= MONTH);
        is_min
            && shape.args.iter().any(|arg| short(&program.value(ExprRef::new(at.file, arg.value))))
            && shape.args.iter().any(|arg| {
                let within = facts.span(arg.value);
                facts.exprs.iter().any(|expr| {
                    within.contains(expr.span)
                        && matches!(expr.kind, ExprKind::Ref(name, _) | ExprKind::Member(_, name) if source.names.contains(&name))
                })
            })
    })
}

/// The entry point by which a customer gets to the charge with what the request says; none when only others do.
fn start(program: &Program, at: CallRef, source: &Source) -> Option<Start> {
    let mut origins = program.origins_of(at);
    // Of several that lead to the charge, only that one decides whose request is read.
    let reads = |origin: &Start| {
        let place = program.place(source.read);
        let on_the_way = functions_on(program, &program.entries[origin.entry], origin, at);
        on_the_way.iter().any(|function| {
            function.file == place.file
                && program.facts(function.file).function(function.function).span.contains(place.span)
        })
    };
    if origins.iter().any(reads) {
        origins.retain(reads);
    }
    let by_seller = |origin: &Start| says_seller(&program.entry_name(&program.entries[origin.entry]));
    origins.into_iter().find(|origin| {
        program.is_public(origin.entry)
            && !by_seller(origin)
            && !program.is_for_staff(origin, at)
            && !program.pays_caller_on(&origin.way)
    })
}

/// Whether a name says that the seller writes what the buyer is to pay: a bill, an offer, a till.
fn says_seller(name: &str) -> bool {
    const SELLER: &[&str] = &["invoice", "quote", "estimate", "terminal", "manual", "walkup", "proposal", "bill", "po"];
    words(name).iter().any(|word| SELLER.contains(&word.trim_end_matches('s')))
}

/// Beginnings of words of payments whose amount is the payer's to choose, in several languages.
const CHOSEN: &[&str] = &[
    "donat",
    "donor",
    "donac",
    "doac",
    "spende",
    "tip",
    "contribut",
    "pledge",
    "sponsor",
    "topup",
    "wallet",
    "carteira",
    "monedero",
    "billetera",
    "portemonnaie",
    "geldbörse",
    "recharg",
    "recarg",
    "recarreg",
    "auflad",
    "fundrais",
    "pwyw",
    "tithe",
    "charity",
    "zakat",
    "refill",
    "giftcard",
    "giftvoucher",
    "gutschein",
    "geschenkkarte",
];

/// Whether two words say that money is put into a wallet: `add funds`, `adicionar saldo`, `deposit balance`.
fn fills(one: &str, other: &str) -> bool {
    const ADDS: &[&str] =
        &["add", "load", "buy", "deposit", "adicionar", "depositar", "agregar", "cargar", "comprar", "ajouter"];
    const FUNDS: &[&str] = &["funds", "balance", "saldo", "guthaben", "creditos", "crédito", "créditos", "fondos"];
    ADDS.contains(&one) && FUNDS.contains(&other)
}

/// Whether two words name what is worth what is paid for it: `gift card`.
fn is_gift(one: &str, other: &str) -> bool {
    one == "gift" && ["card", "certificate", "voucher"].contains(&other.trim_end_matches('s'))
}

/// Whether a payment is one whose amount the payer is meant to choose, by its names and what it says of itself.
fn is_chosen(program: &Program, at: CallRef, source: &Source, start: &Start) -> bool {
    let says = |text: &str| {
        let words = words(text);
        let begins = |word: &String| match word.as_str() {
            "tips" | "tip" => true,
            word => CHOSEN.iter().any(|start| *start != "tip" && word.starts_with(start)),
        };
        words.iter().any(begins)
            || words.windows(2).any(|pair| {
                pair[0] == "top" && pair[1] == "up" || fills(&pair[0], &pair[1]) || is_gift(&pair[0], &pair[1])
            })
    };
    let facts = program.facts(at.file);
    let span = facts.function(outermost(program, program.function_of(at)).function).span;
    let said = facts.exprs.iter().filter(|expr| span.contains(expr.span)).any(|expr| match &expr.kind {
        ExprKind::Text(text) => {
            text.len() < 80 && says(text) && !names_tip_beside(text) && !is_of_another_line(facts, expr.span, source)
        }
        // A tip goes along with what is paid (`tipAmount`), or is the amount itself.
        ExprKind::Object(entries) => {
            entries.iter().any(|(key, _)| says(key) && !words(key).iter().any(|it| it == "tip"))
        }
        _ => false,
    });
    said || says(&program.entry_name(&program.entries[start.entry]))
        || says(&program.file(at.file).path)
        || source.names.iter().any(|name| says(name))
}

/// Whether a text stands in a line of its own, beside that whose amount is asked for:
/// `{ price_data: { product_data: { name: "Tip" }, unit_amount: tip }, quantity: 1 }`.
fn is_of_another_line(facts: &Facts, text: Span, source: &Source) -> bool {
    let amount_in = |within: Span| {
        facts.objects().flat_map(|(_, entries)| entries).any(|&(key, value)| {
            let scalar = !matches!(facts.expr(value), ExprKind::Object(_) | ExprKind::List(_));
            scalar && within.contains(facts.span(value)) && says_amount(&key)
        })
    };
    let around = facts.exprs.iter().filter(|expr| matches!(expr.kind, ExprKind::Object(_)) && expr.span.contains(text));
    let lines = around.filter(|expr| amount_in(expr.span));
    let Some(line) = lines.min_by_key(|expr| expr.span.end - expr.span.start) else { return false };
    !facts.exprs.iter().any(|expr| {
        line.span.contains(expr.span)
            && matches!(expr.kind, ExprKind::Ref(name, _) | ExprKind::Member(_, name) if source.names.contains(&name))
    })
}

/// Whether a tip is only named beside something else that is paid: `Cleaning, tip included`.
fn names_tip_beside(text: &str) -> bool {
    let words = words(text);
    let is_tip = |word: &String| matches!(word.as_str(), "tip" | "tips");
    let adds = |word: &String| matches!(word.as_str(), "with" | "plus" | "and" | "incl" | "including" | "included");
    let begins = words.first().is_some_and(is_tip) && text.starts_with(char::is_alphabetic);
    words.iter().any(is_tip)
        && !begins
        && (words.len() > 3 || words.iter().any(adds) || text.contains(['+', ',', '&', '(']))
}

/// Whether what is paid is what is credited: a key of what goes along with the charge says a credit, and holds the
/// amount itself.
fn credited(program: &Program, at: CallRef, source: &Source) -> bool {
    let facts = program.facts(at.file);
    let call = facts.call(at.call);
    let inside =
        |expr: &crate::facts::ExprId| call.args.iter().any(|arg| facts.span(arg.value).contains(facts.span(*expr)));
    let is_credit = |key: &str| {
        let words = words(key);
        let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
        has(&["credit", "credits", "credited", "balance", "guthaben", "saldo"]) && !has(&["card", "price", "count"])
    };
    let holds_amount = |value: crate::facts::ExprId| {
        let within = facts.span(value);
        let inside = || facts.exprs.iter().filter(|expr| within.contains(expr.span));
        // `body.credits` is not the amount because that comes out of `body` too.
        let is_base = |span: Span| {
            inside().any(|expr| matches!(expr.kind, ExprKind::Member(base, _) | ExprKind::Index(base, _) if facts.span(base) == span))
        };
        inside().any(|expr| match expr.kind {
            ExprKind::Ref(name, _) | ExprKind::Member(_, name) => source.names.contains(&name) && !is_base(expr.span),
            _ => false,
        })
    };
    let mut objects = facts.exprs.iter().filter_map(|expr| match &expr.kind {
        ExprKind::Object(entries) => Some(entries),
        _ => None,
    });
    objects.any(|entries| entries.iter().any(|(key, value)| inside(value) && is_credit(key) && holds_amount(*value)))
}

fn tell(program: &Program, report: &mut Report, used: &VendorUse, decided: &Decided, start: &Start) {
    let Decided { what, source, bounded } = decided;
    let name = called(program, used, source, *what);
    let pays_out = *what == What::Amount && program.operation(used).is_some_and(|operation| operation.pays_out);
    let message = match what {
        What::Amount if pays_out => {
            format!("{} pays out the `{name}` that the request brings: whoever asks decides what they get", used.name)
        }
        What::Amount if says_discount(&name) => format!(
            "{} charges what is left after the `{name}` that the request brings: whoever pays decides what is taken off",
            used.name
        ),
        What::Amount => {
            format!("{} charges the `{name}` that the request brings: whoever pays decides what it costs", used.name)
        }
        What::Currency => format!(
            "{} charges in the `{name}` that the request brings: whoever pays picks one in which the same number is worth less",
            used.name
        ),
        What::Trial => format!(
            "{} gives the free trial of the `{name}` that the request brings: whoever pays decides how long nothing is to be paid",
            used.name
        ),
        What::Price => format!(
            "{} takes the `{name}` of the request as it comes: whoever pays picks any other active price of the account, cheaper ones too",
            used.name
        ),
    };
    let mut steps =
        vec![Remark { place: program.place(source.read), text: format!("`{name}` comes out of the request here") }];
    steps.extend(
        source
            .calls
            .iter()
            .rev()
            .map(|&call| Remark { place: program.call_place(call), text: "and is handed on here".to_owned() }),
    );
    steps.push(Remark {
        place: program.call_place(used.at),
        text: format!("{} {}", used.name, if pays_out { "pays it out" } else { "charges it" }),
    });
    let chosen =
        *what == What::Amount && (is_chosen(program, used.at, source, start) || credited(program, used.at, source));
    let draft = report
        .at(program.call_place(used.at), used.name.clone(), message)
        .severity(if matches!(what, What::Price | What::Trial) { Severity::Warning } else { Severity::Error })
        .vendor(program.vendor_id(used.vendor))
        .because(
            program.entries[start.entry].place,
            format!("{} starts it", program.entry_name(&program.entries[start.entry])),
        )
        .help(match pays_out {
            true => OWED.to_owned(),
            false => cure(program, used.at, &program.entries[start.entry], *what, &name),
        })
        .trace(steps);
    if chosen {
        let draft = draft.severity(Severity::Note).auditor_only();
        if *bounded {
            draft.help("The payer is meant to choose, and within bounds: credit what the vendor says was paid, never what the request says.");
        } else {
            draft.help("Keep the amount within bounds before the call: at least the vendor's minimum, at most what a payer can mean.");
        }
    }
}

/// The cure where the app pays.
const OWED: &str = "Take only ids from the request and pay what the server's own rows say is owed. Where whoever asks may choose, take the amount off their balance first, in one statement that fails when it is not covered.";

/// What the value is called where it is used.
fn called(program: &Program, used: &VendorUse, source: &Source, what: What) -> Name {
    let fits = |name: &&Name| match what {
        What::Amount => says_amount(name) || says_discount(name),
        What::Currency => words(name).iter().any(|word| word == "currency"),
        What::Trial => words(name).iter().any(|word| matches!(word.as_str(), "trial" | "days")),
        What::Price => words(name).iter().any(|word| matches!(word.as_str(), "price" | "plan" | "product" | "variant")),
    };
    let named = source.names.iter().rev().find(fits).copied();
    // What is taken out of the request, or the last name on the way, may be that of all that came: `body`.
    let field = || source.field.or_else(|| source.names.last().copied());
    let handed = || if what == What::Amount { handed(program, used) } else { None };
    named.or_else(handed).or_else(field).unwrap_or_else(|| Name::new("body"))
}

/// What the amount is called where it is handed over: `{ amount: worth }`.
fn handed(program: &Program, used: &VendorUse) -> Option<Name> {
    let facts = program.facts(used.at.file);
    let call = facts.call(used.at.call);
    let amounts = &program.operation(used)?.amounts;
    let is_amount = |key: &str| amounts.iter().any(|field| field == key);
    let objects = call.args.iter().filter_map(|arg| match facts.expr(arg.value) {
        ExprKind::Object(entries) => Some(entries),
        _ => None,
    });
    let given = objects.flatten().find(|(key, _)| is_amount(key)).map(|&(_, value)| value);
    let named = || call.args.iter().find(|arg| arg.name.is_some_and(|name| is_amount(&name))).map(|arg| arg.value);
    match facts.expr(given.or_else(named)?) {
        ExprKind::Ref(name, _) | ExprKind::Member(_, name) => Some(*name),
        _ => None,
    }
}

fn cure(program: &Program, at: CallRef, entry: &Entry, what: What, name: &str) -> String {
    let script = program.facts(at.file).language.is_script();
    match (what, script) {
        (What::Amount, _) if says_discount(name) => "Take only the code of a discount from the request, and look up on the server what it takes off and whether it still holds.".to_owned(),
        (What::Amount, true) => "Take only ids from the request and look the amount up on the server: `const order = await loadOrder(orderId)`, then charge `order.total`.".to_owned(),
        (What::Amount, false) => "Take only ids from the request and look the amount up on the server: `order = load_order(order_id)`, then charge `order.total`.".to_owned(),
        (What::Currency, _) => "Set the currency on the server, or pick it from a list together with the price in it.".to_owned(),
        (What::Trial, _) => format!("Set the length of a trial on the server: a constant, or what the plan's row says, instead of `{name}`; and look up whether this customer had one before."),
        (What::Price, true) => {
            let refuse = super::strangers::answer(program, entry, 400, "unknown plan")
                .unwrap_or_else(|| "throw new Error(\"unknown plan\")".to_owned());
            format!("Look it up in the server's own list first: `const price = PRICES[plan]; if (!price) {refuse}`, instead of `{name}` as it comes.")
        }
        (What::Price, false) => format!("Look it up in the server's own list first: `price = PRICES.get(plan)`, and refuse when there is none, instead of `{name}` as it comes."),
    }
}
