//! The folders of a store that belong to one customer each, and what a request does in them with full rights: lays files
//! there, or has them listed.

use super::rows::PERSON;
use super::{Pick, Touch, any_word, only_one_knows};
use crate::catalogue::Effect;
use crate::facts::{ExprId, ExprKind};
use crate::names::Name;
use crate::program::values::options::Lookup;
use crate::program::values::requested::{Origin, Source};
use crate::program::verify::words;
use crate::program::{CallRef, Edge, ExprRef, Program, Value, VendorUse};

impl Program {
    /// The customer whose folder a call lists or lays a file into, where the request says whose: `${userId}/${name}`.
    /// What visitors send in lies in a folder of nobody's.
    pub(super) fn folder_of(&self, way: &[Edge], used: &VendorUse, effect: Effect) -> Option<Pick> {
        let path = self.facts(used.at.file).call(used.at.call).args.first().filter(|arg| arg.name.is_none())?.value;
        let (by, source) =
            self.parts_of(ExprRef::new(used.at.file, path), 4).into_iter().find_map(|part| {
                match self.origin_on(way, part, &[]) {
                    Origin::Request(source) if !only_one_knows(&source) => Some((says_whose(&source)?, source)),
                    _ => None,
                }
            })?;
        let stays = self.fresh(&self.value(ExprRef::new(used.at.file, path))).is_none();
        let replaces = || {
            ["upsert", "file_options.upsert"].iter().any(|option| match self.option(used.at, option) {
                Lookup::Present(Value::Bool(on)) => on,
                Lookup::Present(Value::Text(on)) => on == "true",
                _ => false,
            })
        };
        let touch = match effect {
            Effect::List => Touch::Reads,
            _ if stays && replaces() => Touch::Changes,
            // Whoever lays it there gets its link: it is theirs, whatever the folder is called.
            _ if self.makes_link(used.at) => return None,
            _ => Touch::Adds,
        };
        Some(Pick { touch, what: Name::new("files"), by, source: Some(source) })
    }

    /// Whether the function of an upload also makes a link to a file.
    fn makes_link(&self, upload: CallRef) -> bool {
        self.calls_in(self.function_of(upload)).filter_map(|at| self.called_name(at)).any(|name| {
            matches!(name.as_str(), "getPublicUrl" | "createSignedUrl" | "get_public_url" | "create_signed_url")
        })
    }

    /// What a path is put together from.
    fn parts_of(&self, at: ExprRef, depth: usize) -> Vec<ExprRef> {
        let facts = self.facts(at.file);
        let further = |parts: &[ExprId]| {
            parts.iter().flat_map(|&part| self.parts_of(ExprRef::new(at.file, part), depth - 1)).collect()
        };
        match facts.expr(at.expr) {
            ExprKind::Template(parts) if depth > 0 => further(parts),
            ExprKind::Ref(name, block) if depth > 0 => {
                match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
                    Some([only]) if matches!(facts.expr(*only), ExprKind::Template(_)) => further(&[*only]),
                    _ => vec![at],
                }
            }
            _ => vec![at],
        }
    }
}

/// The name by which a value of the request says which person is meant: `userId`, `customer_id`.
fn says_whose(source: &Source) -> Option<Name> {
    let said = [source.field, source.leaf].into_iter().flatten().chain(source.names.iter().copied());
    said.into_iter().find(|name| {
        let is_id = words(name).last().is_some_and(|last| matches!(last.as_str(), "id" | "uid" | "userid"));
        is_id && any_word(name, PERSON)
    })
}
