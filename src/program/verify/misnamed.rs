//! Checks by a name that the vendor's SDK does not have: `stripe.webhook.constructEvent`, without the `s`.

use crate::catalogue::Seg;
use crate::program::verify::words;
use crate::program::{CallRef, Program};

impl Program {
    /// The path under which a vendor's SDK has the check that a call asks for somewhere else: the call throws, whatever
    /// it is given.
    pub fn misnamed_verifier(&self, at: CallRef) -> Option<&str> {
        if !self.facts(at.file).language.is_script() {
            return None;
        }
        self.callee(at).externals().find_map(|external| {
            let [.., Seg::Member(of), Seg::Member(name)] = external.segs[..] else { return None };
            // `verify` may be anywhere.
            let is_own = words(&name).len() > 1;
            if !is_own || self.catalogue.verifier(external.package, &external.segs).is_some() {
                return None;
            }
            let (vendor, _) = self.catalogue.packages(external.package, &external.segs).next()?;
            let webhooks = self.catalogue.vendor(vendor).webhooks.iter();
            let paths = webhooks.flat_map(|webhook| &webhook.verify).map(String::as_str);
            let named: Vec<&str> = paths.filter(|path| path.rsplit('.').next() == Some(name.as_str())).collect();
            // Only the part before it may be wrong: of what stands anywhere else nothing is known.
            let there = |path: &&str| path.rsplit('.').nth(1).is_none_or(|before| before == of.as_str());
            if named.iter().any(there) { None } else { named.first().copied() }
        })
    }
}
