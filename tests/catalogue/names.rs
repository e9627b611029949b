//! Hosts, URLs, environment variables, headers and events.

use seamcheck::catalogue::{Catalogue, host_of_url, is_own_host};

use crate::{catalogue, head, id};

fn vendors() -> Catalogue {
    let list = |text: &str| text.to_owned();
    let first = list("hosts = [\"api.zpay.test\", \"*.zpay.test\", \"eu-*.zpay-edge.test\"]\n")
        + r#"
[[env]]
name = "ZPAY_SECRET_KEY"
secret = true

[[env]]
name = "ZPAY_*"
secret = false

[[env]]
name = "ZPAY_*SECRET*"
secret = true

[[env]]
name = "VITE_ZPAY_OWN"
secret = false

[[webhook]]
headers = ["Zpay-Signature", "zsvix-id"]
events = ["zpay.charge.*", "zcharge.paid"]
scheme = "hmac"
cure_js = "x"
cure_py = "x"
source = { src = "https://zpay.test", tier = "doc", date = "2026-01-31" }
"#;
    let second = list("hosts = [\"files.zpay.test\"]\n")
        + r#"
[[webhook]]
headers = ["zsvix-id"]
events = ["zcharge.*"]
scheme = "hmac"
cure_js = "x"
cure_py = "x"
source = { src = "https://zfiles.test", tier = "doc", date = "2026-01-31" }
"#;
    catalogue(&[&(head("zpay") + &first), &(head("zfiles") + &second)])
}

#[test]
fn hosts() {
    let catalogue = vendors();
    let of = |host: &str| id(&catalogue, catalogue.vendor_of_host(host)).map(str::to_owned);
    for (host, vendor) in [
        ("api.zpay.test", Some("zpay")),
        ("API.ZPAY.TEST:443", Some("zpay")),
        ("a.b.zpay.test", Some("zpay")),
        ("{}.zpay.test", Some("zpay")),
        ("files.zpay.test", Some("zfiles")),
        ("files.zpay.test.", Some("zfiles")),
        ("eu-7.zpay-edge.test", Some("zpay")),
        ("us-7.zpay-edge.test", None),
        ("zpay.test", None),
        ("notzpay.test", None),
        ("zpay.test.evil.test", None),
        ("", None),
    ] {
        assert_eq!(of(host).as_deref(), vendor, "{host}");
    }
}

#[test]
fn urls() {
    let catalogue = vendors();
    let of = |url: &str| id(&catalogue, catalogue.vendor_of_url(url)).map(str::to_owned);
    assert_eq!(of("https://api.zpay.test/v1?x=1").as_deref(), Some("zpay"));
    assert_eq!(of("https://user:pass@api.zpay.test:8443").as_deref(), Some("zpay"));
    assert_eq!(of("wss://x.zpay.test#y").as_deref(), Some("zpay"));
    assert_eq!(of("//api.zpay.test/v1").as_deref(), Some("zpay"));
    for none in [
        "/api/x",
        "api.zpay.test/v1",
        "mailto:x@api.zpay.test",
        "ftp://api.zpay.test",
        "",
        "https://",
        "https://evil.test/@api.zpay.test",
    ] {
        assert_eq!(of(none), None, "{none}");
    }
    assert_eq!(host_of_url("http://[::1]:3000/x"), Some("[::1]"));
}

#[test]
fn own_hosts() {
    for own in [
        "localhost",
        "LOCALHOST:3000",
        "127.0.0.1",
        "127.0.1.1:80",
        "0.0.0.0:8000",
        "[::1]:3000",
        "::1",
        "db.local",
        "x.localhost",
        "host.docker.internal",
    ] {
        assert!(is_own_host(own), "{own}");
    }
    for other in ["api.zpay.test", "127.evil.test", "localhost.evil.test", "128.0.0.1", "local"] {
        assert!(!is_own_host(other), "{other}");
    }
}

#[test]
fn variables() {
    let catalogue = vendors();
    let of = |name: &str| catalogue.env(name).map(|(_, secret)| secret);
    assert_eq!(of("ZPAY_SECRET_KEY"), Some(true));
    assert_eq!(of("ZPAY_PUBLIC"), Some(false));
    // The more specific form wins.
    assert_eq!(of("ZPAY_HOOK_SECRET"), Some(true));
    assert_eq!(of("VITE_ZPAY_SECRET_KEY"), None);
    let public = ["VITE_", "VITE_PUBLIC_", "NEXT_PUBLIC_", ""];
    let stripped = |name: &str| catalogue.env_with_prefixes(name, &public).map(|(_, secret)| secret);
    assert_eq!(stripped("VITE_ZPAY_SECRET_KEY"), Some(true));
    assert_eq!(stripped("VITE_PUBLIC_ZPAY_SECRET_KEY"), Some(true));
    assert_eq!(stripped("VITE_ZPAY_OWN"), Some(false));
    assert_eq!(stripped("VITE_"), None);
    assert_eq!(stripped("OTHER"), None);
}

#[test]
fn deliveries() {
    let catalogue = vendors();
    let names = |ids: Vec<_>| ids.into_iter().map(|v| catalogue.vendor(v).id.clone()).collect::<Vec<_>>();
    assert_eq!(names(catalogue.webhook_by_header("zpay-signature")), ["zpay"]);
    assert_eq!(names(catalogue.webhook_by_header("Zpay-Signature")), ["zpay"]);
    assert_eq!(names(catalogue.webhook_by_header("zsvix-id")), ["zfiles", "zpay"]);
    assert!(names(catalogue.webhook_by_header("x-other")).is_empty());
    assert_eq!(names(catalogue.webhook_by_event("zpay.charge.failed")), ["zpay"]);
    assert_eq!(names(catalogue.webhook_by_event("zcharge.paid")), ["zpay", "zfiles"]);
    assert!(names(catalogue.webhook_by_event("charge")).is_empty());
}
