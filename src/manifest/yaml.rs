//! YAML as plain data: the same shape that JSON has. Where something stands is asked of the text.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

/// Deepest nesting that is followed; settings stay below ten.
const DEEPEST: usize = 64;

/// The first document of a text.
pub fn read(text: &str) -> Result<Value, String> {
    let documents = Yaml::load_from_str(text).map_err(|error| error.to_string())?;
    Ok(documents.first().map_or(Value::Null, |document| plain(document, DEEPEST)))
}

fn plain(node: &Yaml<'_>, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return Value::Null };
    match node {
        Yaml::Value(scalar) => match scalar {
            Scalar::Boolean(truth) => Value::Bool(*truth),
            Scalar::Integer(number) => Value::from(*number),
            Scalar::FloatingPoint(number) => Value::from(number.into_inner()),
            Scalar::String(text) => Value::from(text.as_ref()),
            _ => Value::Null,
        },
        Yaml::Representation(text, ..) => Value::from(text.as_ref()),
        Yaml::Sequence(items) => Value::Array(items.iter().map(|item| plain(item, depth)).collect()),
        Yaml::Mapping(entries) => {
            let named = entries.iter().filter_map(|(key, value)| {
                let key = match plain(key, depth) {
                    Value::String(key) => key,
                    Value::Bool(key) => key.to_string(),
                    Value::Number(key) => key.to_string(),
                    _ => return None,
                };
                Some((key, plain(value, depth)))
            });
            Value::Object(named.collect::<Map<String, Value>>())
        }
        Yaml::Tagged(_, inner) => plain(inner, depth),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_workflows_hold_is_read() {
        let value = read("on:\n  schedule:\n    - cron: '0 8 * * *'  # daily\njobs:\n  a:\n    steps:\n      - run: |\n          curl x\n").unwrap();
        assert_eq!(value["on"]["schedule"][0]["cron"], "0 8 * * *");
        assert_eq!(value["jobs"]["a"]["steps"][0]["run"], "curl x\n");
        assert!(read("a: [1\nb: }").is_err());
    }
}
