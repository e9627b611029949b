//! Paths from a package's root: clients, operations, verifiers, requests.

use std::sync::LazyLock;

use seamcheck::catalogue::{Catalogue, VerifierMatch};
use seamcheck::names::Name;

use crate::{catalogue, head, segs};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let pay = head("zpay") + "hosts = [\"api.zpay.test\", \"files.zpay.test\"]\n" + PAY;
    let base = head("zbase") + BASE;
    let cloud = head("zcloud") + CLOUD;
    catalogue(&[&pay, &base, &cloud])
});

const PAY: &str = r#"
[[package]]
name = "npm:zpay"
clients = ["new default", "auth.new_client"]
sends_nothing = ["webhooks.*", "**.toJSON"]

[[package]]
name = "pypi:zpay"
clients = ["self", "ZpayClient"]
sends_nothing = ["Webhook.**"]

[[package]]
name = "npm:@zpay/node-sdk"
clients = ["createPay", "new Pay"]

[[call]]
sdk = ["checkout.sessions.create", "checkout.Session.create", "v1.checkout.sessions.create"]
http = ["POST /v1/checkout/sessions"]
effect = "create"
does = "creates a checkout session"
money = true

[[call]]
sdk = ["webhooks.endpoints.create", "webhooks.test"]
effect = "create"
does = "creates an endpoint"

[[call]]
sdk = ["messages().cancel"]
effect = "delete"
does = "cancels a message"

[[call]]
sdk = ["*.list*", "**.search"]
http = ["GET /v1/{things}", "GET /v1/**"]
effect = "list"
does = "lists"

[[call]]
http = ["POST /v1/customers/{id}"]
effect = "update"
does = "changes a customer"

[[call]]
http = ["POST /v1/files/{name}.json"]
host = "files.zpay.test"
effect = "upload"
does = "uploads"

[[call]]
http = ["* /v2/anything"]
effect = "read"
does = "anything"

[[webhook]]
headers = ["zpay-signature"]
verify = ["webhooks.constructEvent", "webhooks.constructEventAsync", "Webhook.construct_event", "validateRequest"]
verify_async = ["webhooks.constructEventAsync"]
verify_boolean = ["validateRequest"]
scheme = "hmac"
cure_js = "x"
cure_py = "x"
source = { src = "https://zpay.test", tier = "doc", date = "2026-01-31" }
"#;

const BASE: &str = r#"
[[package]]
name = "npm:@zbase/zbase-js"
clients = ["createClient"]

[[package]]
name = "script:zbase"
clients = ["createClient"]

[[call]]
sdk = ["from.insert", "rpc"]
effect = "create"
does = "inserts rows"

[[call]]
sdk = ["from.select"]
effect = "list"
does = "selects rows"
"#;

const CLOUD: &str = r#"
[[package]]
name = "pypi:zcloud.storage"
clients = ["Client"]

[[package]]
name = "pypi:zcloud-mail"
clients = ["self"]

[[package]]
name = "npm:zpay"
clients = ["new Cloud"]

[[call]]
sdk = ["put", "bucket.put"]
effect = "upload"
does = "puts"
"#;

fn does(package: &str, path: &str) -> Option<String> {
    let found = CATALOGUE.operation(Name::new(package), &segs(path))?;
    assert_eq!(CATALOGUE.vendor(found.vendor).calls[found.index].does, found.operation.does);
    Some(format!("{}: {}", CATALOGUE.vendor(found.vendor).id, found.operation.does))
}

fn client(package: &str, path: &str) -> Option<usize> {
    CATALOGUE.client_of(Name::new(package), &segs(path))
}

#[test]
fn packages() {
    let of = |name: &str| CATALOGUE.package(Name::new(name)).map(|(_, package)| package.name.as_str());
    assert_eq!(of("npm:zpay"), Some("npm:zpay"));
    assert_eq!(of("npm:zpay/lib/deep"), Some("npm:zpay"));
    assert_eq!(of("npm:@zpay/node-sdk"), Some("npm:@zpay/node-sdk"));
    assert_eq!(of("npm:@zpay/node-sdk/resources"), Some("npm:@zpay/node-sdk"));
    assert_eq!(of("pypi:zpay.checkout"), Some("pypi:zpay"));
    assert_eq!(of("pypi:zcloud_mail"), Some("pypi:zcloud-mail"));
    for none in ["npm:zpayments", "npm:@zpay/other", "npm:@zpay", "pypi:zcloud", "zpay", "npm:", "pypi:zpa"] {
        assert_eq!(of(none), None, "{none}");
    }
    let all = CATALOGUE.packages(Name::new("npm:zpay"), &[]).count();
    assert_eq!(all, 2);
}

#[test]
fn a_default_export_is_the_module() {
    for path in ["default new", "new", "default ()", "()", "default default new", "Zpay new", "ZPay ()"] {
        let length = path.split_whitespace().count();
        assert_eq!(client("npm:zpay", path), Some(length), "{path}");
        let longer = format!("{path} checkout sessions create");
        assert_eq!(client("npm:zpay", &longer), Some(length), "{longer}");
        assert_eq!(does("npm:zpay", &longer).as_deref(), Some("zpay: creates a checkout session"), "{longer}");
    }
    for path in ["", "default", "Zpay", "Other new", "checkout sessions create", "default checkout"] {
        assert_eq!(client("npm:zpay", path), None, "{path}");
        assert_eq!(does("npm:zpay", path), None, "{path}");
    }
}

#[test]
fn clients_are_made_in_several_ways() {
    assert_eq!(client("npm:zpay", "auth new_client () checkout"), Some(3));
    assert_eq!(client("npm:@zpay/node-sdk", "createPay () x"), Some(2));
    assert_eq!(client("npm:@zpay/node-sdk", "default createPay () x"), Some(3));
    assert_eq!(client("npm:@zpay/node-sdk", "Pay new"), Some(2));
    assert_eq!(client("npm:@zpay/node-sdk", "createPay"), None);
    assert_eq!(client("pypi:zpay", ""), Some(0));
    assert_eq!(client("pypi:zpay", "ZpayClient () v1"), Some(2));
    let vendor = |path: &str| CATALOGUE.is_client(Name::new("npm:zpay"), &segs(path)).map(|v| &CATALOGUE.vendor(v).id);
    assert_eq!(vendor("default new unknownThing go").map(String::as_str), Some("zpay"));
    assert_eq!(vendor("Cloud new").map(String::as_str), Some("zcloud"));
}

#[test]
fn operations() {
    for (package, path, expected) in [
        ("pypi:zpay", "checkout Session create", Some("zpay: creates a checkout session")),
        ("pypi:zpay", "ZpayClient () v1 checkout sessions create", Some("zpay: creates a checkout session")),
        ("pypi:zpay.checkout", "Session create", Some("zpay: creates a checkout session")),
        ("npm:zpay", "default new checkout sessions create ()", None),
        ("npm:zpay", "default new checkout sessions unknown", None),
        ("npm:zpay", "default new customers list", Some("zpay: lists")),
        ("npm:zpay", "default new customers listAll", Some("zpay: lists")),
        ("npm:zpay", "default new a b list", None),
        ("npm:zpay", "default new a b search", Some("zpay: lists")),
        ("npm:zpay", "default new search", Some("zpay: lists")),
        ("npm:zpay", "default new messages () cancel", Some("zpay: cancels a message")),
        ("npm:zpay", "default new messages cancel", None),
        ("npm:zpay", "Cloud new bucket () put", Some("zcloud: puts")),
        ("npm:@zbase/zbase-js", "createClient () from () insert", Some("zbase: inserts rows")),
        ("npm:@zbase/zbase-js", "createClient () from () insert () select", None),
        ("npm:@zbase/zbase-js", "createClient () rpc", Some("zbase: inserts rows")),
        ("npm:@zbase/zbase-js", "createClient", None),
        ("script:zbase", "createClient () from () select", Some("zbase: selects rows")),
        ("npm:unknown", "default new put", None),
    ] {
        assert_eq!(does(package, path).as_deref(), expected, "{package} {path}");
    }
}

#[test]
fn a_nested_python_package_is_found_however_it_is_imported() {
    for (package, path) in [
        ("pypi:zcloud", "storage Client () bucket () put"),
        ("pypi:zcloud.storage", "Client () bucket () put"),
        ("pypi:zcloud.storage.client", "Client () bucket () put"),
    ] {
        let expected = if package.ends_with("client") { None } else { Some("zcloud: puts") };
        assert_eq!(does(package, path).as_deref(), expected, "{package} {path}");
    }
    assert_eq!(client("pypi:zcloud", "storage Client () bucket"), Some(3));
    assert_eq!(client("pypi:zcloud.storage", "Client () bucket"), Some(2));
    assert_eq!(does("pypi:zcloud_mail", "put").as_deref(), Some("zcloud: puts"));
    assert_eq!(does("pypi:zcloud", "other put"), None);
}

#[test]
fn what_sends_nothing_is_no_operation() {
    let silent = |path: &str| CATALOGUE.sends_nothing(Name::new("npm:zpay"), &segs(path));
    assert!(silent("default new webhooks constructEvent"));
    assert!(silent("default webhooks constructEvent"));
    assert!(silent("default new a b toJSON"));
    assert!(!silent("default new checkout sessions create"));
    // Named more exactly.
    assert_eq!(does("npm:zpay", "default new webhooks test").as_deref(), Some("zpay: creates an endpoint"));
    assert!(!silent("default new webhooks test"));
    assert_eq!(does("npm:zpay", "default new webhooks list"), None);
    assert!(CATALOGUE.sends_nothing(Name::new("pypi:zpay"), &segs("Webhook construct_event")));
}

#[test]
fn verifiers() {
    let of = |package: &str, path: &str| CATALOGUE.verifier(Name::new(package), &segs(path));
    let zpay = CATALOGUE.vendor_named("zpay");
    let expected = |is_async, boolean| {
        let (node_since, refuses_empty, web) = (None, false, false);
        Some(VerifierMatch { vendor: zpay, is_async, boolean, node_since, refuses_empty, web })
    };
    assert_eq!(of("npm:zpay", "default new webhooks constructEvent"), expected(false, false));
    assert_eq!(of("npm:zpay", "default webhooks constructEvent"), expected(false, false));
    assert_eq!(of("npm:zpay", "default new webhooks constructEventAsync"), expected(true, false));
    assert_eq!(of("npm:zpay", "validateRequest"), expected(false, true));
    assert_eq!(of("pypi:zpay", "Webhook construct_event"), expected(false, false));
    assert_eq!(of("npm:zpay", "default new webhooks other"), None);
    assert_eq!(of("npm:other", "validateRequest"), None);
}

#[test]
fn requests_to_a_vendor() {
    let zpay = CATALOGUE.vendor_named("zpay").unwrap();
    let of = |method: Option<&str>, host: &str, path: &str| {
        CATALOGUE.http_operation(zpay, method, host, path).map(|(at, call)| {
            assert_eq!(CATALOGUE.vendor(zpay).calls[at].does, call.does);
            call.does.as_str()
        })
    };
    let api = "api.zpay.test";
    for (method, path, expected) in [
        (Some("POST"), "/v1/checkout/sessions", Some("creates a checkout session")),
        (Some("post"), "/v1/checkout/sessions/?expand=x", Some("creates a checkout session")),
        (Some("POST"), "/v1/checkout/sessions{}", Some("creates a checkout session")),
        (Some("POST"), "v1/checkout/sessions", Some("creates a checkout session")),
        (Some("POST"), "/v1/checkout/{}", None),
        (Some("GET"), "/v1/customers", Some("lists")),
        (Some("GET"), "/v1/a/b/c", Some("lists")),
        (Some("POST"), "/v1/customers/{}", Some("changes a customer")),
        (Some("POST"), "/v1/customers/cus_{}", Some("changes a customer")),
        (Some("PUT"), "/v1/customers/{}", None),
        (Some("POST"), "/v1/customers", None),
        (Some("POST"), "/v1/customers/a/b", None),
        (Some("PATCH"), "/v2/anything", Some("anything")),
        (None, "/v2/anything", Some("anything")),
        // Both reading and creating have this path.
        (None, "/v1/checkout/sessions", None),
        (Some("POST"), "/v1/files/x.json", None),
        (Some("POST"), "", None),
        (Some("POST"), "/{}", None),
    ] {
        assert_eq!(of(method, api, path), expected, "{method:?} {path}");
    }
    assert_eq!(of(Some("POST"), "FILES.zpay.test", "/v1/files/x.json"), Some("uploads"));
}
