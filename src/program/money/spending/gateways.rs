//! Gateways that send messages to phones from a host that no catalogue knows: an own server, a small vendor's.

use crate::program::origins::Origin as Start;
use crate::program::values::requested::Origin;
use crate::program::verify::words;
use crate::program::{HttpUse, Program, Value};

/// Ends of paths by which such gateways send.
const SENDS: &[&str] =
    &["send-text", "sendtext", "send-message", "sendmessage", "send-sms", "sendsms", "/messages/send", "/message/send"];

/// Words of fields that say to which phone.
const PHONES: &[&str] = &["phone", "number", "chatid", "chat", "to", "recipient", "telefone", "msisdn", "jid"];

/// Words of fields that say what.
const TEXTS: &[&str] = &["message", "text", "body", "content", "msg", "mensagem"];

/// Whether a request may be one to such a gateway, by its method and address.
pub(super) fn may_be(http: &HttpUse) -> bool {
    http.method.is_some_and(|method| method == "POST") && http.url.alternatives().iter().all(sends)
}

/// Whether a request has a message sent whose phone and text both come with the app's own request.
pub(super) fn is_gateway(program: &Program, http: &HttpUse, start: &Start) -> bool {
    if !program.vendors_at(http.at).is_empty() {
        return false;
    }
    let fields = program.body_fields(http);
    let given = |any: &[&str]| {
        fields.iter().any(|(key, value)| {
            words(key).iter().any(|word| any.contains(&word.as_str()))
                && matches!(program.origin_on(&start.way, *value, &[]), Origin::Request(_))
        })
    };
    // Rooms of a chat go by the same names, phones do not.
    let says_phone = fields.iter().any(|(key, value)| {
        let of_phone = |name: &str| {
            words(name)
                .iter()
                .any(|word| matches!(word.as_str(), "phone" | "number" | "chatid" | "telefone" | "msisdn" | "jid"))
        };
        of_phone(key)
            || match program.origin_on(&start.way, *value, &[]) {
                Origin::Request(source) => source.names.iter().any(|name| of_phone(name)),
                _ => false,
            }
    });
    says_phone && given(PHONES) && given(TEXTS)
}

/// Whether an address is one of another host by which messages are sent.
fn sends(url: &Value) -> bool {
    let (text, own) = match url {
        Value::Text(text) => (text.to_string(), false),
        Value::Template(parts) => {
            let own = matches!(parts.first(), Some(Value::Env(name)) if words(name).iter().any(|word| {
                matches!(word.as_str(), "supabase" | "app" | "site" | "vercel" | "public" | "base")
            }));
            let texts = parts.iter().map(|part| match part {
                Value::Text(text) => text.to_string(),
                _ => "*".to_owned(),
            });
            (texts.collect(), own)
        }
        _ => return false,
    };
    let text = text.to_ascii_lowercase();
    let path = text.split('?').next().unwrap_or_default();
    let abroad = (text.starts_with("http") || text.starts_with('*')) && !text.contains("localhost");
    abroad && !own && !path.contains("/functions/v1/") && SENDS.iter().any(|end| path.contains(end))
}
