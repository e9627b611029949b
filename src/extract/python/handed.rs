//! Functions that are handed on to be run at once, on a thread: `await asyncio.to_thread(send, mail)` is a call of
//! `send` that is waited for.

use tree_sitter::Node;

use super::imports::Known;
use super::{Visitor, span};
use crate::facts::{Arg, ExprId, ExprKind};

/// What waits for the calls that it is handed, or leaves them to run, as it would for coroutines.
const TAKERS: &[&str] = &["wait_for", "gather", "shield", "create_task", "ensure_future"];

impl<'t> Visitor<'_, '_, 't> {
    /// The call that a call runs on a thread. Only where it is seen who waits for it: what is kept by a name, or thrown
    /// away, goes on beside the rest.
    pub(super) fn handed(&mut self, node: Node<'t>, callee: ExprId, args: &[Arg]) -> Option<ExprId> {
        let (function, rest) = match *self.builder.kind(callee) {
            // `sync_to_async(send)(mail)`
            ExprKind::Call(made) => {
                let made = self.builder.made(made);
                let function = made.args.first()?.value;
                (self.known_value(made.callee)? == Known::OnThread).then_some((function, args.to_vec()))?
            }
            // `loop.run_in_executor(None, send, mail)`
            ExprKind::Member(_, name) if name == "run_in_executor" => (args.get(1)?.value, args[2..].to_vec()),
            _ => {
                let known = matches!(self.known_value(callee)?, Known::ToThread);
                (known && args.first()?.name.is_none()).then(|| (args[0].value, args[1..].to_vec()))?
            }
        };
        if !self.is_waited_for(node) {
            return None;
        }
        let (function, args) = self.bound(function, rest);
        let is_name = matches!(self.builder.kind(function), ExprKind::Ref(..) | ExprKind::Member(..));
        is_name.then(|| self.builder.call(span(node), function, args, false, false))
    }

    /// `partial(send, mail)` is `send` with its first arguments.
    fn bound(&self, function: ExprId, rest: Vec<Arg>) -> (ExprId, Vec<Arg>) {
        if let ExprKind::Call(made) = *self.builder.kind(function) {
            let made = self.builder.made(made);
            if self.known_value(made.callee) == Some(Known::Partial)
                && let [first, bound @ ..] = &made.args[..]
            {
                return (first.value, bound.iter().chain(&rest).cloned().collect());
            }
        }
        (function, rest)
    }

    fn is_waited_for(&self, node: Node<'t>) -> bool {
        let Some(parent) = node.parent() else { return false };
        match parent.kind() {
            "await" => true,
            "argument_list" => parent.prev_sibling().is_some_and(|taker| {
                let name = self.source(taker);
                TAKERS.contains(&name.rsplit('.').next().unwrap_or(name))
            }),
            _ => false,
        }
    }
}
