//! The catalogue's examples, through the real pipeline: what an entry says must be what a scan understands.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;

use seamcheck::catalogue::Catalogue;
use seamcheck::finding::{FileId, Persona};
use seamcheck::program::{Destination, Program};
use seamcheck::{Options, scan, settle, walk};

/// What a file's scan understood, in the words of `finds`.
fn understood(program: &Program, file: FileId) -> Vec<String> {
    let catalogue = &program.catalogue;
    let mut found = vec![];
    for call in program.calls_of(file) {
        if program.requests_at(call).iter().any(|http| http.to.iter().any(|to| matches!(to, Destination::Vendor(..)))) {
            found.push("host".to_owned());
        }
        for client in program.clients().iter().filter(|client| client.at == call) {
            found.push(format!("client {}", client.package));
        }
        for used in program.vendors_at(call) {
            let Some(operation) = program.operation(used) else { continue };
            let effect = format!("{:?}", operation.effect).to_lowercase();
            found.push(format!("call {effect} {}", operation.does));
        }
        let verifies = program.callee(call).externals().any(|e| catalogue.verifier(e.package, &e.segs).is_some());
        if verifies {
            found.push("verify".to_owned());
        }
    }
    let tokens = program.facts(file).tokens.iter();
    found.extend(tokens.map(|token| format!("token {}", token.credential)));
    found
}

#[test]
fn examples_are_understood_as_said() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::builtin();
    let mut wanted = BTreeMap::new();
    for vendor in catalogue.vendors() {
        for (at, example) in vendor.examples.iter().enumerate() {
            let path = format!("{}_{at}.{}", vendor.id.replace('-', "_"), example.language);
            fs::write(folder.path().join(&path), example.code.replace("{}", "")).unwrap();
            wanted.insert(path, &example.finds);
        }
    }
    assert!(wanted.len() > 80, "the catalogue's examples are gone");
    let options = Options {
        walk: walk::Choices {
            paths: vec![folder.path().to_path_buf()],
            honour_ignores: true,
            threads: 0,
            ignored: vec![],
        },
        rules: vec![],
        settle: settle::Choices::new(Persona::Auditor),
        jobs: 2,
        progress: false,
        own: Default::default(),
        cache: None,
    };
    let outcome = scan(&options).unwrap();
    let mut problems = vec![];
    for (path, finds) in wanted {
        let at = outcome.repository.position(&path).unwrap_or_else(|| panic!("{path} was not walked"));
        let found = understood(&outcome.program, FileId(at as u32));
        let mut left = found.clone();
        for want in finds {
            match left.iter().position(|found| found == want) {
                Some(at) => drop(left.remove(at)),
                None => problems.push(format!("{path}: wants `{want}`, found {found:?}")),
            }
        }
    }
    assert!(problems.is_empty(), "{}\n{} problems", problems.join("\n"), problems.len());
}
