//! Answers of vendors that are taken for what they should be.

use crate::catalogue::Effect;
use crate::facts::{ExprId, ExprKind, Span};
use crate::finding::{Confidence, FileId, Severity};
use crate::program::{CallRef, EntryKind, ExprRef, HttpUse, Leaves, Program, Value, VendorUse};
use crate::rule;
use crate::rule::Report;

rule! {
    /// A vendor's answer is used without a look at its form
    ///
    /// A model that is told to answer in JSON does so most of the time. Then it adds "Here you are:", or the answer is
    /// cut off at the token limit, and `JSON.parse` throws: the customer sees an error for a request that was paid for.
    /// The same with `data.items[0].id` of a list that is empty for this one customer.
    ///
    /// ## Silent when
    ///
    /// - a `try` around it, here or in every caller, meets the failure;
    /// - a schema checks what was parsed, or the form of the answer;
    /// - something in the body is asked before it is used, or it is reached by `?.`;
    /// - the vendor was given a schema that it keeps to;
    /// - the answer is that of a typed SDK.
    ///
    /// What is reached into inside a `try` is shown to auditors only: the failure is met, if without its cause.
    ///
    /// ## The cure
    ///
    /// Parse and check in one place, and say what happens when it does not hold.
    ///
    /// ## Example
    ///
    /// ```ts path=app/api/plan/route.ts
    /// import OpenAI from "openai";
    ///
    /// const openai = new OpenAI({ timeout: 20_000 });
    ///
    /// export async function POST(req: Request) {
    ///   const { goal } = await req.json();
    ///   const answer = await openai.chat.completions.create({
    ///     model: "gpt-4.1-mini",
    ///     messages: [{ role: "user", content: `A plan as JSON for: ${goal}` }],
    ///   });
    ///   const plan = JSON.parse(answer.choices[0].message.content!);
    ///   return Response.json(plan);
    /// }
    /// ```
    ///
    /// ## Repair
    ///
    /// ```ts path=app/api/plan/route.ts
    /// import OpenAI from "openai";
    /// import { z } from "zod";
    ///
    /// const openai = new OpenAI({ timeout: 20_000 });
    /// const Plan = z.object({ steps: z.array(z.string()) });
    ///
    /// export async function POST(req: Request) {
    ///   const { goal } = await req.json();
    ///   const answer = await openai.chat.completions.create({
    ///     model: "gpt-4.1-mini",
    ///     messages: [{ role: "user", content: `A plan as JSON for: ${goal}` }],
    ///   });
    ///   try {
    ///     const plan = Plan.parse(JSON.parse(answer.choices[0].message.content!));
    ///     return Response.json(plan);
    ///   } catch {
    ///     return Response.json({ error: "the model gave no plan, try again" }, { status: 502 });
    ///   }
    /// }
    /// ```
    id: "response-unvalidated", severity: Note, confidence: Medium, section: "Contract drift",
    security: None, since: "0.1.0", check: check
}

fn check(program: &Program, report: &mut Report) {
    let runs = |call: CallRef| {
        let side = program.side(call.file);
        (side.server || side.client) && !side.tooling && !side.dead
    };
    for used in program.vendor_uses().iter().filter(|used| runs(used.at)) {
        if program.operation(used).is_some_and(|operation| operation.effect == Effect::Generate) {
            model(program, report, used);
        }
    }
    for http in program.requests().iter().filter(|http| http.at == http.inner && runs(http.at)) {
        if program.leaves(http) == Leaves::Yes || program.through(http).any(|http| program.leaves(http) == Leaves::Yes)
        {
            reached(program, report, http);
        }
    }
}

/// What a model wrote is parsed, and nothing meets the failure.
fn model(program: &Program, report: &mut Report, used: &VendorUse) {
    // A wrapper of the program: its own call is looked at by itself.
    if program.request_of(used).is_some_and(|http| http.at != http.inner) || has_schema(program, used.at) {
        return;
    }
    for parse in program.parsed_as_json(used.at) {
        if spread(program, report, used, parse) {
            continue;
        }
        if program.failure_is_met(parse) || program.form_is_checked(parse) || hands_schema(program, used.at, parse) {
            continue;
        }
        let origins = program.origins_of(parse);
        let Some(origin) = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script) else {
            continue;
        };
        let who = program.entry_name(&program.entries[origin.entry]);
        let text = program.call_text(parse);
        let message = format!(
            "{text} of what {} gives throws when the model writes anything but JSON or is cut off: {who} then fails, and the customer gets an error for an answer that was paid for",
            used.name
        );
        let help = match program.facts(parse.file).language.is_script() {
            true => {
                "Parse inside `try`, check the form (`Schema.parse(JSON.parse(text))`), and ask once more or answer with an error of its own when it does not hold."
            }
            false => {
                "Parse inside `try` / `except json.JSONDecodeError`, check the form (`Model.model_validate_json(text)`), and ask once more or answer with an error of its own when it does not hold."
            }
        };
        report
            .at(program.call_place(parse), used.name.clone(), message)
            .severity(Severity::Warning)
            .confidence(Confidence::High)
            .help(help)
            .because(program.call_place(used.at), "what the model writes comes from here")
            .trace(program.trace_from(origin, parse, "throws here"))
            .vendor(program.vendor_id(used.vendor));
    }
}

/// What a model wrote chooses the columns of a row; whether it does.
fn spread(program: &Program, report: &mut Report, used: &VendorUse, parse: CallRef) -> bool {
    if program.form_is_checked(parse) || hands_schema(program, used.at, parse) {
        return false;
    }
    let Some(row) = program.spread_into_row(parse) else { return false };
    let origins = program.origins_of(row.write);
    let Some(origin) = origins.iter().find(|origin| program.entries[origin.entry].kind != EntryKind::Script) else {
        return false;
    };
    let over = row.over.map_or_else(String::new, |column| format!(", `{column}` too, which stands before it"));
    let message = format!(
        "all that a model writes ({}) is put into a row as it comes: whoever speaks to the model chooses the columns and what is in \
         them{over}; and one column that is not there loses the whole row",
        used.name
    );
    let help = match program.facts(parse.file).language.is_script() {
        true => {
            "Take the columns one by one, or check the form first: `const row = Schema.parse(JSON.parse(text))`, with a \
             schema that holds these columns only."
        }
        false => {
            "Take the columns one by one, or check the form first: `Model.model_validate_json(text)`, with a model that \
             holds these columns only."
        }
    };
    report
        .at(program.place(row.at), used.name.clone(), message)
        .severity(Severity::Warning)
        .confidence(Confidence::High)
        .help(help)
        .because(program.call_place(parse), "what the model wrote is parsed here")
        .trace(program.trace_from(origin, row.write, "is stored here"))
        .vendor(program.vendor_id(used.vendor));
    true
}

/// Whether the vendor was given a schema for its answer: what it writes then has that form.
fn has_schema(program: &Program, call: CallRef) -> bool {
    let facts = program.facts(call.file);
    let span = facts.span(facts.call(call.call).expr);
    names_schema(program, call.file, span, 2)
}

/// Whether a part of a file, or an object that it names, holds a schema for an answer.
fn names_schema(program: &Program, file: FileId, span: Span, depth: usize) -> bool {
    let facts = program.facts(file);
    let inside = facts.exprs.iter().enumerate().filter(|(_, expr)| span.contains(expr.span));
    inside.into_iter().any(|(at, expr)| match &expr.kind {
        ExprKind::Text(text) => *text == "json_schema",
        ExprKind::Object(entries) => entries.iter().any(|(key, _)| {
            matches!(key.as_str(), "responseSchema" | "response_schema" | "responseJsonSchema" | "json_schema")
        }),
        ExprKind::Ref(..) if depth > 0 => match program.value(ExprRef::new(file, ExprId(at as u32))) {
            Value::Object(of) => names_schema(program, of.file, program.facts(of.file).span(of.expr), depth - 1),
            _ => false,
        },
        _ => false,
    })
}

/// Whether the schema is handed to a function of the program's own that asks the model.
fn hands_schema(program: &Program, used: CallRef, parse: CallRef) -> bool {
    let function = program.function_of(parse);
    function != program.function_of(used) && program.calls_in(function).any(|call| has_schema(program, call))
}

/// The first element of a list that may be empty.
fn reached(program: &Program, report: &mut Report, http: &HttpUse) {
    let Some((at, look)) = program.reached_into(http) else { return };
    if program.falls_back(http.inner, look.at) {
        return;
    }
    let origins = program.origins_of(http.at);
    if program.is_run_by_hand(&origins) {
        return;
    }
    let whom = std::iter::once(http).chain(program.through(http)).find_map(|http| program.destination_name(http));
    let whom = whom.unwrap_or_else(|| "the service".to_owned());
    let script = program.facts(http.at.file).language.is_script();
    let (kept, lets_in) = (program.is_kept(look.at), program.lets_in(look.at));
    let then = match (kept, lets_in) {
        (true, _) => "the code throws, and what should be stored or paid is not",
        (false, true) => "the code throws, and who is to be let in or turned away gets an error that says neither",
        (false, false) => "the code throws, and the customer gets an error that says nothing",
    };
    let message = format!(
        "the code takes the first item in the answer of {whom} without checking that there is one: when the list is empty or named otherwise, {then}"
    );
    let help = match script {
        true => {
            "Check the form first (`Schema.parse(await res.json())`), or take it by `?.[0]?.` and say what happens when it is missing."
        }
        false => {
            "Check the form first (`Model.model_validate(response.json())`), or ask whether the list holds anything and say what happens when it does not."
        }
    };
    let met = program.failure_is_met(http.inner);
    let mut draft = report.at(program.place(at), whom, message).help(help);
    if kept || lets_in {
        draft = draft.severity(Severity::Warning);
    }
    if met {
        draft = draft.auditor_only().confidence(Confidence::Low).severity(Severity::Note);
    }
    draft = draft.because(program.call_place(http.at), "the answer comes from here");
    for used in program.vendors_at(http.at) {
        draft = draft.vendor(program.vendor_id(used.vendor));
    }
}
