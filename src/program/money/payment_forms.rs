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
        let forms: Vec<Form<'_>> = self.catalogue.widgets().iter().map(Form::new).collect();
        for (file, facts) in self.code().filter(|(file, _)| self.side(*file).client) {
            for (widget, callback) in callbacks(self, &forms, file, facts) {
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

/// A payment form, and how what opens it is written: `Popup.setup`.
struct Form<'p> {
    widget: &'p Widget,
    of: Option<Name>,
    last: Name,
}

impl<'p> Form<'p> {
    fn new(widget: &'p Widget) -> Self {
        let (of, last) =
            widget.call.rsplit_once('.').map_or((None, widget.call.as_str()), |(of, last)| (Some(of), last));
        Self { widget, of: of.map(Name::new), last: Name::new(last) }
    }

    /// Whether a call opens it: by how it is written, or by what made what it calls.
    fn is_opened_by(&self, facts: &Facts, callee: ExprId) -> bool {
        if !self.widget.gives {
            return self.is_written(facts, callee);
        }
        let ExprKind::Ref(name, block) = facts.expr(callee) else { return false };
        facts.lookup(*block, *name).is_some_and(|def| {
            facts.def(def).values.iter().any(|&value| match facts.expr(value) {
                ExprKind::Call(made) => self.is_written(facts, facts.call(*made).callee),
                _ => false,
            })
        })
    }

    fn is_written(&self, facts: &Facts, callee: ExprId) -> bool {
        facts.last_name(callee) == Some(self.last)
            && self.of.is_none_or(|of| match facts.expr(callee) {
                ExprKind::Member(base, _) => facts.last_name(*base) == Some(of),
                _ => false,
            })
    }
}

/// The functions of a file that its payment forms call after paying.
fn callbacks<'p>(program: &Program, forms: &[Form<'p>], file: FileId, facts: &Facts) -> Vec<(&'p Widget, FunctionRef)> {
    let mut found = Vec::new();
    // What gives an opener is called in the file itself.
    let gives =
        |form: &&Form<'_>| !form.widget.gives || facts.calls.iter().any(|call| form.is_written(facts, call.callee));
    let here: Vec<&Form<'_>> = forms.iter().filter(gives).collect();
    for at in program.calls_of(file) {
        let call = facts.call(at.call);
        let opened = here.iter().find(|form| form.is_opened_by(facts, call.callee));
        let Some(&&Form { widget, .. }) = opened else { continue };
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
        let shown = forms.iter().find(|form| form.of.is_none() && tag == Some(form.last));
        let Some(&Form { widget, .. }) = shown else { continue };
        for &(_, value) in
            element.attributes.iter().filter(|(name, _)| widget.paid.iter().any(|paid| name == paid.as_str()))
        {
            found.extend(program.value(ExprRef::new(file, value)).functions().map(|function| (widget, function)));
        }
    }
    found
}

/// The functions under the options that a form calls after paying.
fn held(program: &Program, options: ExprRef, widget: &Widget) -> Vec<FunctionRef> {
    let Value::Object(object) = program.value(options) else { return vec![] };
    let under = |name: &String| key(program, object, Name::new(name));
    let values = widget.paid.iter().filter_map(under);
    values.flat_map(|value| program.value(value).functions().collect::<Vec<_>>()).collect()
}
