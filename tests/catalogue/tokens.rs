//! Credentials: found whole, judged by claims and context, never shown, and stand-ins passed over.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seamcheck::catalogue::Catalogue;
use seamcheck::facts::TokenKind;

use crate::{catalogue, head};

/// Made of pieces, so that no scanner of repositories takes these tests for a leak.
const RANDOM: &str = "4eC39HqLyjWDarjtT1zdp7dc";

fn key(prefix: &str, random: &str) -> String {
    format!("{prefix}{random}")
}

fn vendors() -> Catalogue {
    let pay = head("zpay")
        + r#"
[[credential]]
name = "secret key"
kind = "secret"
pattern = '\bzk_(?:live|test)_[A-Za-z0-9]{10,247}\b'
prefix = "zk_"
test_prefix = "zk_test_"

[[credential]]
name = "publishable key"
kind = "publishable"
pattern = '\bzpk_(?:live|test)_[A-Za-z0-9]{10,}\b'
prefix = "zpk_"
"#;
    // The same prefix as zpay's, but one length only and no capitals.
    let bank = head("zbank")
        + r#"
[[credential]]
name = "API key"
kind = "secret"
pattern = '\bzk_live_[a-z0-9]{40}\b'
prefix = "zk_live_"

[[credential]]
name = "signing secret"
kind = "secret"
pattern = '\b[0-9a-f]{32}\b'
context = "zbank.*(token|secret)"
"#;
    let base = head("zbase")
        + r#"
[[credential]]
name = "demo key"
kind = "publishable"
pattern = '\beyJ[\w-]{10,}\.eyJ[\w-]{20,}\.[\w-]{20,}'
prefix = "eyJ"
checks = ["jwt:iss=zbase-demo"]

[[credential]]
name = "anon key"
kind = "publishable"
pattern = '\beyJ[\w-]{10,}\.eyJ[\w-]{20,}\.[\w-]{20,}'
prefix = "eyJ"
checks = ["jwt:role=zanon"]

[[credential]]
name = "service key"
kind = "secret"
pattern = '\beyJ[\w-]{10,}\.eyJ[\w-]{20,}\.[\w-]{20,}'
prefix = "eyJ"
checks = ["jwt:role=zservice", "jwt-not:iss=zbase-demo"]
"#;
    let other = head("zmail")
        + r#"
[[credential]]
name = "API key"
kind = "secret"
pattern = '\bzm_[A-Za-z0-9_]{16,}'
prefix = "zm_"
context = "zmail"
checks = ["entropy:3.5"]

[[credential]]
name = "hook"
kind = "secret"
pattern = 'https://hooks\.zmail\.test/(?:in|out)/[A-Za-z0-9]{20,}'

[[credential]]
name = "map key"
kind = "by-use"
pattern = '\bZIza[\w-]{35}\b'
prefix = "ZIza"

[[credential]]
name = "access token"
kind = "secret"
pattern = '\bzhp_[A-Za-z0-9]{36}\b'
prefix = "zhp_"
checks = ["crc32-base62"]

[[credential]]
name = "webhook secret"
kind = "secret"
pattern = '\bzwhsec_[A-Za-z0-9]{24,}'
prefix = "zwhsec_"
"#;
    let chat = head("zchat")
        + r#"
[[credential]]
name = "webhook secret"
kind = "secret"
pattern = '\bzwhsec_[A-Za-z0-9+/=]{24,}'
prefix = "zwhsec_"
context = "zchat"
"#;
    catalogue(&[&pay, &bank, &base, &other, &chat])
}

/// `vendor: credential kind masked`, and the text the span covers is asserted to be `value`.
fn said(text: &str) -> Vec<String> {
    let tokens = vendors().tokens(text);
    tokens.iter().map(|t| format!("{}: {} {:?} {}", t.vendor, t.credential, t.kind, t.masked)).collect()
}

fn jwt(claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(r#"{"alg":"HS256","typ":"JWT"}"#), part(claims), part("a signature of some length here"))
}

#[test]
fn a_key_is_found_masked_and_hashed() {
    let value = key("zk_live_", RANDOM);
    let text = format!("const pay = new Zpay(\"{value}\");\n// again: {value}\n");
    let tokens = vendors().tokens(&text);
    assert_eq!(tokens.len(), 2);
    assert_eq!(&text[tokens[0].span.start as usize..tokens[0].span.end as usize], value);
    assert_eq!(tokens[0].kind, TokenKind::Secret);
    assert_eq!(tokens[0].masked, "zk_live_… (32 characters)");
    assert_eq!(tokens[0].hash, tokens[1].hash);
    assert!(!format!("{tokens:?}").contains(RANDOM));
    let other = vendors().tokens(&key("zk_live_", "9fW2kHqLyjWDarjtT1zdp7dc"));
    assert_ne!(tokens[0].hash, other[0].hash);
}

#[test]
fn the_kind_is_the_catalogues() {
    assert_eq!(said(&key("zk_test_", RANDOM)), ["zpay: secret key TestSecret zk_test_… (32 characters)"]);
    assert_eq!(said(&key("zpk_live_", RANDOM)), ["zpay: publishable key Publishable zpk_live_… (33 characters)"]);
    let map = key("ZIza", "SyB7x9QmKp2Lw-8vNc4RtYh1_JdGfEoZaUiX");
    assert_eq!(said(&map[..39]), ["zmail: map key ByUse ZIza… (39 characters)"]);
}

#[test]
fn a_prefix_inside_a_word_is_none() {
    assert!(said(&key("task_zk_live_", RANDOM)).is_empty());
    assert!(said(&key("tazk_live_", RANDOM)).is_empty());
    assert_eq!(said(&key("KEY=zk_live_", RANDOM)).len(), 1);
    assert_eq!(said(&key("ü\"zk_live_", RANDOM)).len(), 1);
}

#[test]
fn stand_ins_are_none() {
    for random in [
        "xxxxxxxxxxxxxxxxxxxxxxxx",
        "XXXXXXXXXXXXXXXXXXXXXXXX",
        "yourkeyhereyourkeyhere12",
        "YOURSECRETKEYHERE1234567",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "abcdefghijklmnopqrstuvwx",
        "123456789012345678901234",
        "0000000000000000000000A1",
        "thisisnotarealkeyatallno",
        "abcabcabcabcabcabcabc123",
        "example4eC39HqLyjWDarjtT",
        "1a1a1a1a1a1a1a1a1a1a1a1a",
    ] {
        assert!(said(&key("zk_live_", random)).is_empty(), "{random}");
    }
    for after in ["...", "…", "***", "<rest>"] {
        assert!(said(&format!("{}{after}", key("zk_live_", RANDOM))).is_empty(), "{after}");
    }
}

#[test]
fn claims_decide_a_jwt() {
    let line = |claims: &str| format!("key = \"{}\"", jwt(claims));
    assert_eq!(
        said(&line(r#"{"iss":"zbase","role":"zanon","exp":2000000000}"#))[0].split(" eyJ").next(),
        Some("zbase: anon key Publishable")
    );
    assert_eq!(
        said(&line(r#"{"iss":"zbase","role":"zservice","exp":2000000000}"#))[0].split(" eyJ").next(),
        Some("zbase: service key Secret")
    );
    assert_eq!(
        said(&line(r#"{"iss":"zbase-demo","role":"zservice","exp":2000000000}"#))[0].split(" eyJ").next(),
        Some("zbase: demo key Publishable")
    );
    assert!(said(&line(r#"{"sub":"1234567890","name":"somebody else's token"}"#)).is_empty());
    assert!(said("eyJhbGciOiJIUzI1NiJ9.eyJub3QganNvbiBhdCBhbGwgaGVyZQ.c2lnbmF0dXJlIG9mIGl0IGFsbA").is_empty());
}

#[test]
fn context_is_needed_where_the_shape_is_weak() {
    let value = key("zm_", "Kq7TzW2p8vYb3NcXr5MdLf9HsA");
    assert_eq!(said(&format!("ZMAIL_API_KEY={value}")), ["zmail: API key Secret zm_… (29 characters)"]);
    assert_eq!(said(&format!("const zmail = new Client(\n  \"{value}\",\n);")).len(), 1);
    assert_eq!(said(&format!("const key = \"{value}\"; // for zmail")).len(), 1);
    assert!(said(&format!("const key = \"{value}\";")).is_empty());
    // Too regular to be random.
    assert!(said("ZMAIL_API_KEY=zm_aaabbb111222aaabbb111").is_empty());
}

#[test]
fn a_format_with_nothing_fixed_is_found_by_its_context() {
    let value = key("", "9f86d081884c7d659a2feaa0c55ad015");
    assert_eq!(said(&format!("ZBANK_TOKEN={value}\n")), ["zbank: signing secret Secret … (32 characters)"]);
    assert_eq!(said(&format!("const zbankSecret = \"{value}\";")).len(), 1);
    assert_eq!(said(&format!("zbank: {{\n  secret:\n    '{value}',\n}}")), Vec::<String>::new());
    // Another name, no name, part of a longer literal, an identifier.
    assert!(said(&format!("const etag = \"{value}\";")).is_empty());
    assert!(said(&format!("ZBANK_ID={value}\n")).is_empty());
    assert!(said(&format!("zbank secret \"x {value} y\"")).is_empty());
    assert!(said(&format!("const zbankSecret = {value};")).is_empty());
    // The line before speaks for a value that stands alone.
    assert_eq!(said(&format!("const zbankSecret =\n  \"{value}\";")).len(), 1);
}

#[test]
fn one_value_of_several_formats_is_one_token() {
    let value = key("zk_live_", "9f4e02ab71c8d3560be17a94f2c85d3061ae7b94");
    // The narrower format.
    assert_eq!(said(&value), ["zbank: API key Secret zk_live_… (48 characters)"]);
    // The line names the vendor.
    assert_eq!(said(&format!("ZPAY_SECRET={value}")), ["zpay: secret key Secret zk_live_… (48 characters)"]);
    // Context goes before everything.
    let secret = key("zwhsec_", "Kq7TzW2p8vYb3NcXr5MdLf9HsA");
    assert_eq!(said(&format!("ZCHAT={secret}")), ["zchat: webhook secret Secret zwhsec_… (33 characters)"]);
    assert_eq!(said(&format!("OTHER={secret}")), ["zmail: webhook secret Secret zwhsec_… (33 characters)"]);
}

#[test]
fn a_checksum_decides() {
    let right = key("zhp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17");
    assert_eq!(said(&right), ["zmail: access token Secret zhp_… (40 characters)"]);
    assert!(said(&key("zhp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18")).is_empty());
}

#[test]
fn a_format_without_a_prefix_is_found_by_what_is_fixed_in_it() {
    let url = format!("https://hooks.zmail.test/in/{}", RANDOM);
    assert_eq!(said(&format!("fetch('{url}')")), ["zmail: hook Secret https://hooks.zmail.test/in/… (52 characters)"]);
}

#[test]
fn tokens_come_in_the_order_of_their_places() {
    let text = format!(
        "a = \"{}\"\nb = \"{}\"\nZBANK_SECRET={}\n",
        key("zpk_live_", RANDOM),
        key("zk_test_", RANDOM),
        "9f86d081884c7d659a2feaa0c55ad015"
    );
    let tokens = vendors().tokens(&text);
    let starts: Vec<u32> = tokens.iter().map(|token| token.span.start).collect();
    assert_eq!(starts.len(), 3);
    assert!(starts.is_sorted());
}

#[test]
fn hostile_texts_take_linear_time() {
    let catalogue = vendors();
    let time = |length: usize| {
        let start = std::time::Instant::now();
        for piece in ["zk_", "eyJ", "eyJa.", "zk_live_ ", "zbank secret ", "\u{1f600}eyJ", "zbank\n", "zm_é"] {
            let text = piece.repeat(length / piece.len());
            assert!(catalogue.tokens(&text).is_empty(), "{piece}");
        }
        start.elapsed().as_secs_f64()
    };
    // Eight times the text: eight times the time, on a busy machine somewhat more; squared it were 64 times.
    let (short, long) = (time(60_000), time(480_000));
    assert!(long < 32.0 * short.max(0.02), "{short} s, then {long} s");
}

#[test]
fn any_bytes_are_survived() {
    let catalogue = vendors();
    let pieces =
        ["zk_live_", "eyJ", ".", "ü", "\u{2028}", "\n", RANDOM, "zbank secret=", "\"", "…", "zwhsec_", "\0", "€"];
    // A small generator: the same texts on every run.
    let mut state = 1_u32;
    for _ in 0..2_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(pieces[(state >> 16) as usize % pieces.len()]);
        }
        for token in catalogue.tokens(&text) {
            assert!(text.get(token.span.start as usize..token.span.end as usize).is_some());
        }
    }
}

/// GitHub documents the checksum in its tokens: with the right one a token is found, any other is made up.
#[test]
fn a_github_token_is_told_by_its_checksum() {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let sum = |text: &str| {
        let bits = |sum: u32| (0..8).fold(sum, |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 });
        let mut number = !text.bytes().fold(!0, |sum: u32, byte| bits(sum ^ u32::from(byte)));
        let mut digits = [b'0'; 6];
        for digit in digits.iter_mut().rev() {
            (*digit, number) = (DIGITS[(number % 62) as usize], number / 62);
        }
        String::from_utf8(digits.to_vec()).unwrap()
    };
    // Of the format's own description in public: the checksum of this is known.
    assert_eq!(sum(&["zQWBuTSOoRi4A9spHc", "VY5ncnsDkxkJ"].concat()), "0mLq17");
    let random = &format!("{RANDOM}Xq7Lm2")[..30];
    let catalogue = Catalogue::builtin();
    for prefix in ["ghp_", "gho_", "ghu_", "ghs_"] {
        let whole = key(prefix, &format!("{random}{}", sum(random)));
        assert_eq!(catalogue.tokens(&whole).len(), 1, "{prefix}");
        let wrong = key(prefix, &format!("{}{}", random.replace('4', "5"), sum(random)));
        assert_eq!(catalogue.tokens(&wrong).len(), 0, "{prefix}");
    }
}
