//! What a vendor's call is given: where the value under a name of its payload comes from.

use crate::facts::{ExprId, ExprKind, Facts, Step};
use crate::names::Name;
use crate::program::values::requested::Origin;
use crate::program::{CallRef, Edge, ExprRef, HttpUse, Program, Value, VendorUse, Via};

/// Arguments of SDKs and clients that hold the payload as a whole.
const WHOLE: &[&str] = &["params", "data", "body", "json", "**", "request"];

impl Program {
    /// Where the value under a (dotted) name of a call's payload comes from: `line_items[].price_data.unit_amount`.
    /// None when nothing is given under it.
    pub fn payload_origin(&self, used: &VendorUse, field: &str) -> Option<Origin> {
        self.payload_origin_on(&[], used, field)
    }

    /// The same as one way gets there: parameters are what the calls on it hand over.
    pub fn payload_origin_on(&self, way: &[Edge], used: &VendorUse, field: &str) -> Option<Origin> {
        let found = self.payload_origins(way, used, field)?;
        // What is not there, and what the program's text says, is nobody else's choice.
        found.into_iter().filter(|origin| *origin != Origin::Constant).max_by_key(|origin| match origin {
            Origin::Request(_) => 2,
            Origin::Unknown => 1,
            _ => 0,
        })
    }

    /// Whether the program's own text or settings say what stands under a name of a call's payload.
    pub fn is_payload_constant(&self, way: &[Edge], used: &VendorUse, field: &str) -> bool {
        let found = self.payload_origins(way, used, field).unwrap_or_default();
        !found.is_empty() && found.iter().all(|origin| *origin == Origin::Constant)
    }

    fn payload_origins(&self, way: &[Edge], used: &VendorUse, field: &str) -> Option<Vec<Origin>> {
        let path = segments(field);
        Some(match used.via {
            Via::Sdk(..) => {
                let operation = self.operation(used)?;
                // `subscriptions.update(id, { .. })`: the first argument says which one.
                let by_id = operation.http.iter().any(|form| form.contains("{id}"));
                // `createCheckout(store, variant, { .. })`: what is a price has no fields.
                let is_price = |position: usize| operation.prices.iter().any(|price| *price == format!("#{position}"));
                self.given_to(way, used.at, &path, |position| by_id && position == 0 || is_price(position))
            }
            Via::Http(_) => self.given_in(way, self.request_of(used)?, &path),
        })
    }

    /// Whether a request is a message whose client says where its recipients are.
    pub fn is_message(&self, http: &HttpUse) -> bool {
        !self.recipients_of(http).is_empty()
    }

    fn recipients_of(&self, http: &HttpUse) -> &[String] {
        let facts = self.facts(http.inner.file);
        let called = facts.last_name(facts.call(http.inner.call).callee);
        let requests = &self.http_client(http).requests;
        let request = requests.iter().find(|request| {
            let last = request.path.rsplit('.').next();
            called.is_some_and(|called| last == Some(called.as_str()))
        });
        request.map_or(&[], |request| &request.recipients)
    }

    /// Where the addresses that a message goes to come from, on one way to it.
    pub fn message_origins(&self, way: &[Edge], http: &HttpUse) -> Vec<Origin> {
        let at = http.inner;
        let facts = self.facts(at.file);
        let args = &facts.call(at.call).args;
        let mut found = Vec::new();
        for place in self.recipients_of(http) {
            let Some(position) = place.strip_prefix('#') else {
                let named = args.iter().filter(|arg| arg.name.is_some_and(|name| name == place.as_str()));
                found.extend(named.map(|arg| self.origin_on(way, ExprRef::new(at.file, arg.value), &[])));
                continue;
            };
            let (position, header) = position.split_once('.').map_or((position, None), |(at, key)| (at, Some(key)));
            let arg = position.parse::<usize>().ok().and_then(|position| args.get(position));
            let Some(arg) = arg.filter(|arg| arg.name.is_none()) else { continue };
            match header {
                Some(header) => found.extend(
                    put_under(facts, arg.value, header)
                        .map(|value| self.origin_on(way, ExprRef::new(at.file, value), &[])),
                ),
                None => found.push(self.origin_on(way, ExprRef::new(at.file, arg.value), &[])),
            }
        }
        found
    }

    fn given_to(&self, way: &[Edge], at: CallRef, path: &[Name], is_scalar: impl Fn(usize) -> bool) -> Vec<Origin> {
        let facts = self.facts(at.file);
        // `#1`: the second argument as a whole; `#2.price`: a field of the third, and of no other.
        if let Some(position) = path[0].strip_prefix('#').and_then(|position| position.parse::<usize>().ok()) {
            let arg = facts.call(at.call).args.get(position).filter(|arg| arg.name.is_none());
            let origin = |value| self.origin_on(way, ExprRef::new(at.file, value), &path[1..]);
            return arg.map(|arg| origin(arg.value)).into_iter().collect();
        }
        let origin = |value, path: &[Name]| self.origin_on(way, ExprRef::new(at.file, value), path);
        let args = facts.call(at.call).args.iter().enumerate();
        args.filter_map(|(position, arg)| match arg.name {
            None if is_scalar(position) => None,
            None => Some(origin(arg.value, path)),
            Some(name) if name == path[0] => Some(origin(arg.value, &path[1..])),
            Some(name) if WHOLE.contains(&name.as_str()) => Some(origin(arg.value, path)),
            Some(_) => None,
        })
        .collect()
    }

    fn given_in(&self, way: &[Edge], http: &HttpUse, path: &[Name]) -> Vec<Origin> {
        let mut found: Vec<Origin> = http.body.iter().map(|&body| self.origin_on(way, body, path)).collect();
        for option in http.options.iter().flat_map(Value::alternatives) {
            let object = match option {
                Value::Object(object) => Some(*object),
                // `fetch(url, init)`: as whoever calls the wrapper hands it in.
                Value::Param(..) | Value::Member(..) => self.handed_as(http.inner, option),
                _ => None,
            };
            let Some(object) = object else { continue };
            for whole in ["body", "data", "json"] {
                let mut inside = vec![Name::new(whole)];
                inside.extend(path);
                found.push(self.origin_on(way, object, &inside));
            }
        }
        if !self.facts(http.inner.file).language.is_script() {
            let facts = self.facts(http.inner.file);
            let args = facts.call(http.inner.call).args.iter();
            let bodies = args.filter(|arg| arg.name.is_some_and(|name| WHOLE.contains(&name.as_str())));
            found.extend(bodies.map(|arg| self.origin_on(way, ExprRef::new(http.inner.file, arg.value), path)));
        }
        found
    }
}

impl Program {
    /// The argument of a call that is a value.
    fn handed_as(&self, call: CallRef, value: &Value) -> Option<ExprRef> {
        let args = self.facts(call.file).call(call.call).args.iter().filter(|arg| arg.name.is_none());
        args.map(|arg| ExprRef::new(call.file, arg.value)).find(|&arg| self.value(arg) == *value)
    }
}

impl Program {
    /// The fields of what a vendor's call is given, with what stands in them.
    pub(in crate::program) fn payload_fields(&self, used: &VendorUse) -> Vec<(Name, ExprRef)> {
        match used.via {
            Via::Sdk(..) => self.row_written(used.at),
            Via::Http(_) => self.request_of(used).map(|http| self.body_fields(http)).unwrap_or_default(),
        }
    }

    /// The fields of what a request brings to whom it asks.
    pub(in crate::program) fn body_fields(&self, http: &HttpUse) -> Vec<(Name, ExprRef)> {
        let options = http.options.iter().flat_map(|option| self.entries(option));
        let whole = options.filter(|(key, _)| matches!(key.as_str(), "body" | "data" | "json"));
        let bodies = http.body.into_iter().chain(whole.map(|(_, value)| value));
        bodies.flat_map(|body| self.entries(&self.value(unwrapped(self, body)))).collect()
    }

    /// What stands under a (dotted) name of a call's payload.
    pub(in crate::program) fn payload_at(&self, used: &VendorUse, field: &str) -> Option<ExprRef> {
        let mut fields = self.payload_fields(used);
        // What Python's SDKs and clients take by name.
        let http = self.request_of(used);
        let at = http.map_or(used.at, |http| http.inner);
        let named = self.facts(at.file).call(at.call).args.iter();
        for (name, value) in named.filter_map(|arg| Some((arg.name?, ExprRef::new(at.file, arg.value)))) {
            match WHOLE.contains(&name.as_str()) {
                true => fields.extend(self.entries(&self.value(value))),
                false if http.is_none() => fields.push((name, value)),
                false => {}
            }
        }
        let mut found = None;
        for part in segments(field) {
            let (_, value) = fields.into_iter().find(|(key, _)| *key == part)?;
            fields = self.entries(&self.value(value));
            found = Some(value);
        }
        found
    }
}

/// What is turned into text: `JSON.stringify({ to })`.
fn unwrapped(program: &Program, body: ExprRef) -> ExprRef {
    let facts = program.facts(body.file);
    let ExprKind::Call(call) = *facts.expr(body.expr) else { return body };
    let call = facts.call(call);
    match (facts.last_name(call.callee), call.args.first()) {
        (Some(name), Some(arg)) if name == "stringify" => ExprRef::new(body.file, arg.value),
        _ => body,
    }
}

/// What is put under a key of what a name holds: `message["To"] = address`.
fn put_under<'f>(facts: &'f Facts, holder: ExprId, key: &'f str) -> impl Iterator<Item = ExprId> + 'f {
    let holder = match *facts.expr(holder) {
        ExprKind::Ref(name, block) => facts.lookup(block, name),
        _ => None,
    };
    facts.blocks.iter().flat_map(|block| &block.steps).filter_map(move |step| {
        let Step::Assign(target, value) = step else { return None };
        let (base, is_key) = match facts.expr(*target) {
            ExprKind::Member(base, name) => (base, name.eq_ignore_ascii_case(key)),
            ExprKind::Index(base, index) => {
                (base, matches!(facts.expr(*index), ExprKind::Text(text) if text.eq_ignore_ascii_case(key)))
            }
            _ => return None,
        };
        let ExprKind::Ref(name, block) = *facts.expr(*base) else { return None };
        (is_key && holder.is_some() && facts.lookup(block, name) == holder).then_some(*value)
    })
}

/// `line_items[].price` and `line_items[0][price]` as the members to take.
pub(crate) fn segments(field: &str) -> Vec<Name> {
    let parts = field.split(['.', '[']).map(|part| part.trim_end_matches(']'));
    let is_element = |part: &str| part.is_empty() || part.bytes().all(|byte| byte.is_ascii_digit());
    parts.map(|part| Name::new(if is_element(part) { "[]" } else { part })).collect()
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn fields_fall_into_members() {
        let names = |field: &str| segments(field).iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names("line_items[].price_data.unit_amount"), ["line_items", "[]", "price_data", "unit_amount"]);
        assert_eq!(names("line_items[0][price]"), ["line_items", "[]", "price"]);
        assert_eq!(names("amount"), ["amount"]);
    }
}
