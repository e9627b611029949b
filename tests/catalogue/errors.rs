//! What a user can get wrong in a vendor file: each is said with its place and its cure.

use miette::{GraphicalReportHandler, GraphicalTheme};
use seamcheck::catalogue::Catalogue;

use crate::head;

/// The reports on a file, without colour.
fn reports(texts: &[&str]) -> String {
    let files =
        texts.iter().enumerate().map(|(at, text)| (format!(".seamcheck/vendors/{at}.toml"), (*text).to_owned()));
    let Err(reports) = Catalogue::load(files.collect()) else {
        panic!("nothing is said of\n{}", texts.join("\n---\n"))
    };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = String::new();
    for report in reports {
        handler.render_report(&mut text, report.as_ref()).unwrap();
        text.push('\n');
    }
    text
}

fn with_head(rest: &str) -> String {
    reports(&[&(head("zpay") + rest)])
}

#[test]
fn what_is_no_toml() {
    insta::assert_snapshot!(reports(&["id = \"zpay\nname = \"Zpay\"\n"]));
}

#[test]
fn an_unknown_field() {
    insta::assert_snapshot!(with_head("host = [\"api.zpay.test\"]\n"));
}

#[test]
fn an_unknown_word() {
    insta::assert_snapshot!(with_head("[[call]]\nsdk = [\"a.b\"]\neffect = \"creates\"\ndoes = \"x\"\n"));
}

#[test]
fn a_missing_source() {
    insta::assert_snapshot!(reports(&["id = \"zpay\"\nname = \"Zpay\"\ncategory = \"payments\"\n"]));
}

#[test]
fn a_missing_source_of_an_entry() {
    insta::assert_snapshot!(with_head(
        "[[idempotency]]\nid = \"key\"\njs = [\"key\"]\ncure_js = \"\"\ncure_py = \"\"\ncure_http = \"\"\n"
    ));
}

#[test]
fn a_wrong_type() {
    insta::assert_snapshot!(with_head("hosts = \"api.zpay.test\"\n"));
}

#[test]
fn bad_credentials() {
    insta::assert_snapshot!(with_head(
        r#"
[[credential]]
name = "unclosed"
kind = "secret"
pattern = '\bzk_(?:live|test_[A-Za-z0-9]{10,}'
prefix = "zk_"

[[credential]]
name = "bad context"
kind = "secret"
pattern = '\bzk_[a-z]{20}'
prefix = "zk_"
context = "zpay.*[z-a]"

[[credential]]
name = "empty prefix"
kind = "secret"
pattern = '\bzk_[a-z]{20}'
prefix = ""

[[credential]]
name = "bad check"
kind = "secret"
pattern = '\bzk_[a-z]{20}'
prefix = "zk_"
checks = ["entropy:3", "luhnn", "jwt:role"]

[[credential]]
name = "nothing fixed"
kind = "secret"
pattern = '\b[0-9a-f]{32}\b'
"#
    ));
}

#[test]
fn bad_paths() {
    insta::assert_snapshot!(with_head(
        r#"
hosts = ["https://api.zpay.test", "*", "*.test", "api.zpay.test"]

[[package]]
name = "zpay"
clients = ["new ", "createClient*"]
sends_nothing = ["webhooks..verify"]

[[package]]
name = "npm:zpay"

[[package]]
name = "npm:zpay"

[[call]]
sdk = ["charges create", "charges.create()", "**.a.**.b.**"]
http = ["/v1/charges", "POST v1/charges", "SEND /v1", "GET /v1/**/x", "GET /v1/{id"]
effect = "create"
does = "creates a charge"
host = "other.test"
idempotency = "kye"

[[call]]
effect = "create"
does = "does nothing"

[[idempotency]]
id = "key"
js = ["idempotencyKey"]
cure_js = "x"
cure_py = "x"
cure_http = "x"
source = { src = "https://zpay.test", tier = "doc", date = "yesterday" }

[[idempotency]]
id = "key"
cure_js = "x"
cure_py = "x"
cure_http = "x"
source = { src = "", tier = "doc", date = "2026-13-01" }
"#
    ));
}

#[test]
fn bad_names() {
    let text = head("Zpay!")
        + r#"
[[env]]
name = "*"
secret = true

[[webhook]]
headers = ["x-sig: v1"]
events = ["*"]
verify = ["a.b"]
verify_async = ["a.c"]
scheme = "hmac"
cure_js = "x"
cure_py = "x"
source = { src = "https://zpay.test", tier = "doc", date = "2026-01-31" }
"#;
    insta::assert_snapshot!(reports(&[&text]));
}

#[test]
fn one_vendor_in_two_files() {
    insta::assert_snapshot!(reports(&[&head("zpay"), &head("zpay")]));
}

#[test]
fn every_file_is_reported() {
    let text = reports(&["id = 1", "name = 2", &head("zpay")]);
    assert!(text.contains("0.toml") && text.contains("1.toml") && !text.contains("2.toml"), "{text}");
}
