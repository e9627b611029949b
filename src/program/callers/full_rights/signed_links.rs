//! Links by which whoever holds them puts a file into a store, signed with the app's own key: for a path that the
//! request gives, they put it in the place of any other.

use super::{Pick, Touch};
use crate::facts::{ExprId, ExprKind, Facts};
use crate::names::Name;
use crate::program::{CallRef, Edge, Program, VendorUse, Via};

impl Program {
    /// What a request has a link signed for, to upload a file by; none where the path is not the request's.
    pub(super) fn signed_upload(&self, way: &[Edge], used: &VendorUse) -> Option<Pick> {
        let path = self.signed_path(used.at)?;
        let found = self.file_named(way, used, path, Touch::Changes)?;
        Some(Pick { by: Name::new("link"), ..found })
    }

    /// Every call of a vendor's package that signs an upload: it sends nothing, and is no use of the vendor by itself.
    pub fn signed_uploads(&self) -> Vec<VendorUse> {
        let mut found = Vec::new();
        for (file, _) in self.code().filter(|(file, _)| self.runs_on_server(*file)) {
            for at in self.calls_of(file).filter(|&at| self.signed_path(at).is_some()) {
                let callee = self.callee(at);
                let of = callee.externals().find_map(|external| {
                    let (vendor, _) = self.catalogue.package(external.package)?;
                    Some((vendor, external.package))
                });
                let Some((vendor, package)) = of else { continue };
                let name = self.called_name(at).map_or_else(String::new, |name| name.to_string());
                found.push(VendorUse { at, vendor, operation: None, via: Via::Sdk(package, None), name });
            }
        }
        found
    }

    /// The path of the file that a call signs an upload for.
    pub fn signed_path(&self, at: CallRef) -> Option<ExprId> {
        let facts = self.facts(at.file);
        let call = facts.call(at.call);
        let named =
            |name: &str| call.args.iter().find(|arg| arg.name.is_some_and(|given| given == *name)).map(|arg| arg.value);
        let plain = |place: usize| call.args.get(place).filter(|arg| arg.name.is_none()).map(|arg| arg.value);
        match facts.last_name(call.callee)?.as_str() {
            // `getSignedUrl(client, new PutObjectCommand({ Bucket, Key }))`
            "getSignedUrl" => {
                let ExprKind::Call(command) = *facts.expr(sole(facts, plain(1)?)) else { return None };
                let command = facts.call(command);
                facts.last_name(command.callee).filter(|name| *name == "PutObjectCommand")?;
                entry(facts, command.args.first()?.value, "Key")
            }
            // `s3.generate_presigned_url("put_object", Params={"Bucket": .., "Key": ..})`
            "generate_presigned_url" => {
                let what = plain(0).or_else(|| named("ClientMethod"))?;
                matches!(facts.expr(what), ExprKind::Text(text) if *text == "put_object").then_some(())?;
                entry(facts, named("Params").or_else(|| plain(1))?, "Key")
            }
            "generate_presigned_post" => named("Key").or_else(|| plain(1)),
            _ => None,
        }
    }
}

/// What a name stands for, where it is one thing only.
fn sole(facts: &Facts, expr: ExprId) -> ExprId {
    match facts.expr(expr) {
        ExprKind::Ref(name, block) => match facts.lookup(*block, *name).map(|def| facts.def(def).values.as_slice()) {
            Some([only]) => *only,
            _ => expr,
        },
        _ => expr,
    }
}

fn entry(facts: &Facts, object: ExprId, wanted: &str) -> Option<ExprId> {
    let ExprKind::Object(entries) = facts.expr(sole(facts, object)) else { return None };
    entries.iter().find(|(key, _)| *key == *wanted).map(|&(_, value)| value)
}
