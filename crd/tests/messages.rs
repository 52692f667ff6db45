//! What somebody reads who stated a text that does not follow the grammar of its field.

mod support;

use std::collections::BTreeSet;

use serde_json::Value;

use support::grammar::Grammar;
use support::{cases, object, verdict};

/// Where types of Kubernetes begin, which bring grammars of their own.
const EMBEDDED: [&str; 2] = ["spec.pod.extraEnv", "spec.pod.extraVolumes[]."];

#[test]
fn given_texts_that_do_not_follow_their_grammar_when_they_are_stated_then_one_sentence_with_a_valid_example_says_so()
 {
    let mut faults = Vec::new();
    for case in cases::<Grammar>("messages.yaml") {
        for text in &case.wrong {
            let verdict_on = |text: &str| verdict(&object("store", &case.stating(text)), None);
            let complaints = verdict_on(text).err().unwrap_or_default();
            let fault = match case.example(&complaints) {
                Err(fault) => fault,
                Ok(example) => match verdict_on(example) {
                    Ok(()) => continue,
                    Err(refusal) => format!("the example {example} is refused ({refusal})"),
                },
            };
            faults.push(format!("{fault}: {text:?} is answered {complaints:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn given_every_field_with_a_grammar_when_the_table_is_read_then_it_has_texts_that_are_refused() {
    let mut fields = BTreeSet::new();
    let schema = zas_crd::definition::schema().unwrap();
    collect(&schema["properties"]["spec"], "spec", &mut fields);
    let stated: BTreeSet<String> = cases::<Grammar>("messages.yaml")
        .into_iter()
        .map(|case| {
            assert!(!case.wrong.is_empty(), "{}", case.field);
            case.field
        })
        .collect();
    assert!(fields.len() > 45, "only {} fields", fields.len());
    assert_eq!(
        fields.difference(&stated).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

fn collect(schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    let has_grammar = schema["type"] == "string"
        && (schema["pattern"].is_string() || schema["x-kubernetes-validations"].is_array());
    let is_embedded = EMBEDDED
        .iter()
        .any(|start| path.starts_with(start) && path != "spec.pod.extraVolumes[].name");
    if has_grammar && !is_embedded {
        fields.insert(path.to_owned());
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        collect(property, &format!("{path}.{name}"), fields);
    }
    for (key, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[key].is_object() {
            collect(&schema[key], &format!("{path}{mark}"), fields);
        }
    }
}
