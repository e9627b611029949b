//! What browser code does once a vendor's payment form says that somebody has paid: the form runs in the browser, and so
//! does whoever only says that they have paid.

use rustc_hash::FxHashMap;

use crate::catalogue::{VendorId, Widget};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::finding::FileId;
use crate::link::entries::handlers::key;
use crate::names::Name;
use crate::program::{EdgeKind, ExprRef, FunctionRef, Program, Value};

/// The functions that run when a payment form says so, with whose form it is.
pub type AfterForm = FxHashMap<FunctionRef, VendorId>;

impl Program {
    /// What browser code runs after a vendor's payment form says that somebody has paid there.
    pub fn after_forms(&self) -> AfterForm {
        let mut found = AfterForm::default();
        for (file, facts) in self.code().filter(|(file, _)| self.side(*file).client) {
            for (widget, callback) in callbacks(self, file, facts) {
                let Some(vendor) = self.catalogue.vendor_named(&widget.vendor) else { continue };
                let mut run = self.with_inner(callback);
                let reach =
                    self.reach(callback, |edge| edge.kind == EdgeKind::Direct || edge.kind == EdgeKind::Callback);
                run.extend(reach.stops.iter().flat_map(|stop| self.with_inner(stop.function)));
                found.extend(run.into_iter().map(|function| (function, vendor)));
            }
        }
        found
    }
}

/// The functions of a file that its payment forms call after paying.
fn callbacks<'p>(program: &'p Program, file: FileId, facts: &Facts) -> Vec<(&'p Widget, FunctionRef)> {
    let mut found = Vec::new();
    let widgets = program.catalogue.widgets();
    for at in program.calls_of(file) {
        let call = facts.call(at.call);
        let Some(widget) = widgets.iter().find(|widget| opens(facts, call.callee, widget)) else { continue };
        for arg in &call.args {
            found.extend(held(program, ExprRef::new(at.file, arg.value), widget).into_iter().map(|f| (widget, f)));
            // `open(onSuccess, onClose)`
            let first = widget.gives && call.args.first().is_some_and(|first| first.value == arg.value);
            if first && !matches!(facts.expr(arg.value), ExprKind::Object(_)) {
                let value = program.value(ExprRef::new(at.file, arg.value));
                found.extend(value.functions().map(|function| (widget, function)));
            }
        }
    }
    for (_, element) in facts.elements() {
        let tag = facts.last_name(element.tag);
        let Some(widget) = widgets.iter().find(|widget| tag.is_some_and(|tag| tag == widget.call.as_str())) else {
            continue;
        };
        for &(_, value) in
            element.attributes.iter().filter(|(name, _)| widget.paid.iter().any(|paid| name == paid.as_str()))
        {
            found.extend(program.value(ExprRef::new(file, value)).functions().map(|function| (widget, function)));
        }
    }
    found
}

/// Whether a call opens a form: by how it is written, or by what made what it calls.
fn opens(facts: &Facts, callee: ExprId, widget: &Widget) -> bool {
    if !widget.gives {
        return is_written(facts, callee, &widget.call);
    }
    let ExprKind::Ref(name, block) = facts.expr(callee) else { return false };
    facts.lookup(*block, *name).is_some_and(|def| {
        facts.def(def).values.iter().any(|&value| match facts.expr(value) {
            ExprKind::Call(made) => is_written(facts, facts.call(*made).callee, &widget.call),
            _ => false,
        })
    })
}

fn is_written(facts: &Facts, callee: ExprId, call: &str) -> bool {
    let (of, last) = call.rsplit_once('.').map_or((None, call), |(of, last)| (Some(of), last));
    facts.last_name(callee).is_some_and(|name| name == last)
        && of.is_none_or(|of| match facts.expr(callee) {
            ExprKind::Member(base, _) => facts.last_name(*base).is_some_and(|name| name == of),
            _ => false,
        })
}

/// The functions under the options that a form calls after paying.
fn held(program: &Program, options: ExprRef, widget: &Widget) -> Vec<FunctionRef> {
    let Value::Object(object) = program.value(options) else { return vec![] };
    let under = |name: &String| key(program, object, Name::new(name));
    let values = widget.paid.iter().filter_map(under);
    values.flat_map(|value| program.value(value).functions().collect::<Vec<_>>()).collect()
}
