//! The JSON Schema of an event, made from the types that write it.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

use super::event::Event;
use super::event::burst::BurstEvent;
use super::event::new_certificate::NewCertificateEvent;

/// An event of any kind; `event.action` tells which.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "for its schema alone")]
enum AnyEvent<'a> {
    Observation(Event<'a>),
    RefusalBurst(BurstEvent<'a>),
    NewCertificate(NewCertificateEvent<'a>),
}

/// The schema (draft 2020-12). It forbids no further fields: later versions may add some.
pub fn event_schema() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .for_serialize()
        .with_transform(Tidy);
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<AnyEvent<'static>>();
    let mut ordered = Map::new();
    ordered.insert("$schema".to_owned(), schema.remove("$schema").unwrap_or_default());
    ordered.insert("title".to_owned(), "TLS Observer event".into());
    ordered.insert(
        "description".to_owned(),
        schema.remove("description").unwrap_or_default(),
    );
    schema.remove("title");
    if let Value::Object(rest) = schema.to_value() {
        ordered.extend(rest);
    }
    Value::Object(ordered)
}

/// The schema as text, as `tls-observer schema` prints it.
pub fn event_schema_text() -> String {
    format!("{:#}\n", event_schema())
}

/// Events leave out what was not seen and never say `null`; descriptions are one line each.
#[derive(Clone, Debug)]
struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    schema.insert(key, value);
                }
            }
        }
        if let Some(Value::String(description)) = schema.get_mut("description") {
            *description = description.replace('\n', " ");
        }
        transform_subschemas(self, schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::docs::check;

    #[test]
    fn the_checked_in_schema_is_up_to_date() {
        check("event.schema.json", &event_schema_text());
    }

    #[test]
    fn it_never_allows_null_and_never_forbids_more() {
        let text = event_schema_text();
        assert!(!text.contains("\"null\""));
        assert!(!text.contains("additionalProperties") && !text.contains("unevaluatedProperties"));
    }
}
