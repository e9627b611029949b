//! Every file that the binary carries: it loads, it keeps to the rules, its examples' credentials are found.

use std::collections::BTreeMap;

use seamcheck::catalogue::{Catalogue, Source, Tier, Vendor};

#[test]
fn every_file_is_sound() {
    let (vendors, libraries) = (texts("vendors"), texts("libraries"));
    assert!(vendors.len() >= 85 && !libraries.is_empty());
    let mut reports = Catalogue::check_vendors(as_given(&vendors));
    reports.extend(Catalogue::check_libraries(as_given(&libraries)));
    assert!(reports.is_empty(), "{reports:?}");
}

/// The files of a folder of the catalogue: path and text.
fn texts(folder: &str) -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
    texts.collect()
}

fn as_given(texts: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
}

#[test]
fn every_fact_that_decides_a_finding_is_founded() {
    let catalogue = Catalogue::builtin();
    for vendor in catalogue.vendors() {
        for (what, source) in sources(vendor) {
            assert!(!source.src.is_empty() && !source.date.is_empty(), "{}: {what} has no source", vendor.id);
            let primary = source.tier <= Tier::Mixed;
            let named = source.src.contains("://") || source.src.contains(':') || source.src.contains('/');
            assert!(named || !primary, "{}: {what} does not say where `{}` is", vendor.id, source.src);
        }
    }
    for client in catalogue.http_clients() {
        assert!(!client.source.src.is_empty(), "{} has no source", client.id);
    }
}

/// What decides findings, with its source: the entry's own, else the vendor's.
fn sources(vendor: &Vendor) -> Vec<(String, &Source)> {
    let own = |source: &'static str, at: usize| format!("{source} {at}");
    let mut all = vec![("head".to_owned(), &vendor.source)];
    let default = &vendor.source;
    all.extend(vendor.packages.iter().map(|p| (p.name.clone(), p.source.as_ref().unwrap_or(default))));
    all.extend(vendor.packages.iter().filter_map(|p| {
        let timeout = p.timeout.as_ref()?;
        Some((format!("{} timeout", p.name), timeout.source.as_ref().or(p.source.as_ref()).unwrap_or(default)))
    }));
    all.extend(vendor.credentials.iter().map(|c| (c.name.clone(), c.source.as_ref().unwrap_or(default))));
    all.extend(vendor.calls.iter().map(|c| (c.does.clone(), c.source.as_ref().unwrap_or(default))));
    all.extend(vendor.idempotency.iter().map(|i| (i.id.clone(), &i.source)));
    all.extend(vendor.webhooks.iter().enumerate().map(|(at, w)| (own("webhook", at), &w.source)));
    all
}

#[test]
fn no_host_or_package_belongs_to_two_vendors_by_accident() {
    let catalogue = Catalogue::builtin();
    let mut hosts: BTreeMap<&str, &str> = BTreeMap::new();
    for vendor in catalogue.vendors() {
        for host in &vendor.hosts {
            if let Some(other) = hosts.insert(host, &vendor.id) {
                panic!("{host} is {other}'s and {}'s", vendor.id);
            }
        }
    }
}

#[test]
fn the_credentials_of_the_examples_are_found() {
    let catalogue = Catalogue::builtin();
    let mut wrong = Vec::new();
    for vendor in catalogue.vendors() {
        for example in &vendor.examples {
            let expected = example.finds.iter().filter_map(|find| find.strip_prefix("token "));
            let expected: Vec<(&str, &str)> = expected.map(|name| (vendor.id.as_str(), name)).collect();
            let tokens = catalogue.tokens(&example.snippet());
            let found: Vec<(&str, &str)> = tokens.iter().map(|t| (t.vendor.as_str(), t.credential.as_str())).collect();
            if found != expected {
                wrong.push(format!("{}: {found:?} in {}", vendor.id, example.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_example_holds_a_whole_credential() {
    let catalogue = Catalogue::builtin();
    for vendor in catalogue.vendors() {
        for example in vendor.examples.iter().filter(|e| e.finds.iter().any(|find| find.starts_with("token "))) {
            let tokens = catalogue.tokens(&example.code);
            assert!(tokens.is_empty(), "{}: split the credential with `{{}}`: {}", vendor.id, example.code);
        }
    }
}

#[test]
fn every_credential_format_compiles_and_every_host_is_found() {
    let catalogue = Catalogue::builtin();
    // Whatever occurs compiles its formats.
    for vendor in catalogue.vendors() {
        let text: String = vendor.credentials.iter().filter_map(|c| c.prefix.clone()).map(|p| p + "\n").collect();
        let _ = catalogue.tokens(&text);
        for host in &vendor.hosts {
            let host = host.replace('*', "abc");
            let (name, path) = host.split_at(host.find('/').unwrap_or(host.len()));
            let found = catalogue.vendor_of_path(name, path).map(|id| catalogue.vendor(id).id.as_str());
            assert_eq!(found, Some(vendor.id.as_str()), "{host}");
        }
    }
}

#[test]
fn nothing_in_the_catalogue_may_be_found_by_chance() {
    let catalogue = Catalogue::builtin();
    let harmless = include_str!("harmless.txt");
    let found: Vec<_> = catalogue.tokens(harmless).iter().map(|t| (t.vendor, t.masked)).collect();
    assert!(found.is_empty(), "{found:?}");
}
