//! A user's vendors: new ones, and ones that add to another.

use seamcheck::catalogue::Catalogue;

use crate::{catalogue, head};

#[test]
fn a_users_vendor_goes_first() {
    let catalogue = catalogue(&[&head("zz-last"), &head("zz-first")]);
    let ids: Vec<&str> = catalogue.vendors().iter().map(|vendor| vendor.id.as_str()).collect();
    assert_eq!(&ids[..2], ["zz-first", "zz-last"]);
    assert!(ids[2..].is_sorted());
}

#[test]
fn a_vendor_of_a_built_in_id_adds_to_it() {
    let built_in = Catalogue::builtin();
    let Some(known) = built_in.vendors().iter().find(|vendor| !vendor.calls.is_empty() && !vendor.packages.is_empty())
    else {
        return;
    };
    let package = &known.packages[0].name;
    let more = format!(
        "hosts = [\"own.proxy.test\"]\n[[call]]\nhttp = [\"POST /own\"]\neffect = \"send\"\ndoes = \"is ours\"\n\
         [[package]]\nname = \"{package}\"\nclients = [\"makeOurs\"]\n"
    );
    let extended = catalogue(&[&(head(&known.id) + &more)]);
    assert_eq!(extended.vendors().len(), built_in.vendors().len());
    let vendor = extended.vendor(extended.vendor_named(&known.id).unwrap());
    assert_eq!(vendor.name, known.id);
    assert_eq!(vendor.hosts[0], "own.proxy.test");
    assert_eq!(vendor.hosts[1..], known.hosts);
    assert_eq!(vendor.calls[0].does, "is ours");
    assert_eq!(vendor.calls.len(), known.calls.len() + 1);
    assert_eq!(vendor.packages.len(), known.packages.len());
    assert_eq!(vendor.packages[0].clients, ["makeOurs"]);
    assert_eq!(vendor.own_backend, known.own_backend);
    assert_eq!(vendor.idempotency.len(), known.idempotency.len());
}
