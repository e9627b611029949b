//! Where an idempotency key goes at a call of an SDK: behind what the call is given, or into the options that it has
//! already, for a second list of options would take the place of the first.

use crate::catalogue::Idempotency;
use crate::facts::{Arg, ExprKind};
use crate::program::{CallRef, ExprRef, Program, Value, VendorUse};

/// How cures say where the key goes when a call is given its payload alone.
const BEHIND: &str = " as the second argument";

impl Program {
    /// A cure that says where in this call the key goes.
    pub(in crate::program) fn placed_key(&self, used: &VendorUse, how: &Idempotency, cure: &str) -> String {
        let facts = self.facts(used.at.file);
        let given: Vec<&Arg> = facts.call(used.at.call).args.iter().filter(|arg| arg.name.is_none()).collect();
        if let Some(options) = cure.strip_suffix(BEHIND) {
            // `createReversal(id, params, options)`
            let id_first = self.has_id_first(used, given.first().map(|arg| ExprRef::new(used.at.file, arg.value)));
            if given.len() < 2 + usize::from(id_first) {
                return if id_first { format!("{options} as the last argument") } else { cure.to_owned() };
            }
            let inner = options.trim_start_matches("{ ").trim_end_matches(" }");
            return format!("{inner} in the options that the call has already");
        }
        if !facts.language.is_script() && how.py.iter().any(|name| name.starts_with("options.")) {
            return self.among_options(used.at, &given, cure);
        }
        cure.to_owned()
    }

    /// Whether a call of an operation is given the id of what it is about before anything else.
    fn has_id_first(&self, used: &VendorUse, first: Option<ExprRef>) -> bool {
        let about_one = self
            .operation(used)
            .is_some_and(|operation| operation.http.iter().any(|form| form.contains('{') || form.contains('*')));
        let is_object = |at: ExprRef| {
            matches!(self.facts(at.file).expr(at.expr), ExprKind::Object(_))
                || matches!(self.value(at), Value::Object(_))
        };
        about_one && first.is_some_and(|at| !is_object(at))
    }

    /// `client.transfers.create(params={..}, options={..})`: the services of a client take options, functions of the
    /// module keywords.
    fn among_options(&self, at: CallRef, given: &[&Arg], cure: &str) -> String {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let keyword = |name: &str| call.args.iter().any(|arg| arg.name.is_some_and(|given| given == name));
        let dict = |arg: &&Arg| matches!(facts.expr(arg.value), ExprKind::Object(_));
        let dicts = given.iter().filter(|arg| dict(arg)).count();
        if !keyword("params") && !keyword("options") && dicts == 0 {
            return cure.to_owned();
        }
        let Some((name, key)) = cure.split_once('=') else { return cure.to_owned() };
        match keyword("options") || dicts > 1 {
            true => format!("\"{name}\": {key} in the options that the call has already"),
            false => format!("options={{\"{name}\": {key}}}"),
        }
    }
}
