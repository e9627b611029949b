//! Under which domains the app itself is reached: what is asked there does not leave it.

use rustc_hash::FxHashSet;

use crate::catalogue::{host_of_url, is_own_host};
use crate::facts::{ExprKind, Op};
use crate::program::Program;
use crate::program::verify::words;

/// Words of variables that hold where people find the app; `API_URL` may be anybody's.
const PAGES: &[&str] = &["app", "client", "front", "frontend", "nextauth", "site", "web", "webapp", "website"];

/// First labels of hosts beside which the others of an app stand: `app.shop.example`, `api.shop.example`.
const BESIDE: &[&str] = &["www", "app", "web", "portal", "dashboard", "my"];

impl Program {
    /// Whether a host is the app's own, or lies under its domain.
    pub fn is_of_own_domain(&self, host: &str) -> bool {
        let own = self.own_domains.get_or_init(|| self.find_own_domains());
        let host = host.to_ascii_lowercase();
        let mut rest = (!own.is_empty()).then_some(host.as_str());
        while let Some(here) = rest {
            if own.contains(here) {
                return true;
            }
            rest = here.split_once('.').map(|(_, parent)| parent);
        }
        false
    }

    /// The hosts that stand in for a variable of the app's own address: `process.env.SITE_URL ?? "https://shop.example"`.
    fn find_own_domains(&self) -> FxHashSet<String> {
        let mut found = FxHashSet::default();
        for (file, facts) in self.code() {
            let side = self.side(file);
            if side.tooling || side.dead {
                continue;
            }
            for (_, operation) in facts.operations() {
                let (Op::Or | Op::Nullish, [read @ .., last]) = operation else { continue };
                let ExprKind::Text(text) = facts.expr(*last) else { continue };
                let names_pages = read.iter().any(|&part| match facts.expr(part) {
                    ExprKind::Env(name) => {
                        self.catalogue.is_own_url(name) && words(name).iter().any(|word| PAGES.contains(&word.as_str()))
                    }
                    _ => false,
                });
                if names_pages && let Some(host) = host_of_url(text) {
                    found.extend(self.domain_of(host));
                }
            }
        }
        found
    }

    /// What the hosts of an app end with that has one of this name; none for hosts of others and of this machine.
    fn domain_of(&self, host: &str) -> Option<String> {
        let host = host.to_ascii_lowercase();
        let foreign = is_own_host(&host) || self.catalogue.is_passing_host(&host);
        if foreign || !host.contains('.') || self.catalogue.vendor_of_host(&host).is_some() {
            return None;
        }
        let parent = host.split_once('.').filter(|(label, parent)| BESIDE.contains(label) && parent.contains('.'));
        Some(parent.map_or(host.clone(), |(_, parent)| parent.to_owned()))
    }
}
