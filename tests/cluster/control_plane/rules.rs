//! The tables of the resource's rules, through a real API server. The crate of the resource runs the same ones.

use std::path::Path;

use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::core::Request;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::grammar::Grammar;
use crate::kind::STORE;
use crate::stage::Stage;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    #[serde(default = "store")]
    metadata_name: String,
    spec: Value,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Update {
    name: String,
    old: Value,
    new: Value,
    message: Option<String>,
}

fn store() -> String {
    "store".to_owned()
}

fn table<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../crd/tests/cases")
        .join(name);
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn object(name: &str, spec: &Value) -> Value {
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    };
    json!({"apiVersion": zas_crd::API_VERSION, "kind": zas_crd::KIND, "metadata": metadata, "spec": spec})
}

impl Stage {
    /// What the API server would say to a new store, unknown fields included.
    async fn verdict(&self, name: &str, spec: &Value) -> Result<(), String> {
        let answer = self.answer(name, spec).await;
        answer.map_err(|error| error.to_string())
    }

    /// What it complains about, each a line that begins with its field; nothing when it takes the store.
    async fn complaints(&self, spec: &Value) -> String {
        match self.answer("store", spec).await {
            Ok(()) => String::new(),
            Err(kube::Error::Api(status)) => {
                let causes = status.details.map(|details| details.causes).unwrap_or_default();
                let lines = causes
                    .iter()
                    .map(|cause| format!("{}: {}", cause.field, cause.message));
                lines.collect::<Vec<_>>().join("\n")
            }
            Err(error) => panic!("the API server does not answer: {error}"),
        }
    }

    async fn answer(&self, name: &str, spec: &Value) -> kube::Result<()> {
        let path = self.api(STORE).resource_url().to_owned();
        let dry_run = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let body = object(name, spec).to_string().into_bytes();
        let mut request = Request::new(path).create(&dry_run, body).unwrap();
        *request.uri_mut() = format!("{}&fieldValidation=Strict", request.uri())
            .parse()
            .unwrap();
        self.client().request::<Value>(request).await.map(|_| ())
    }

    async fn apply_spec(&self, name: &str, spec: &Value, parameters: &PatchParams) -> Result<(), String> {
        let applied = self
            .api(STORE)
            .patch(name, parameters, &Patch::Apply(object(name, spec)))
            .await;
        applied.map(|_| ()).map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn given_the_tables_of_new_stores_when_they_are_sent_then_the_api_server_has_the_same_verdict_and_message()
 {
    let stage = Stage::new("rules").await;
    let (accepted, rejected): (Vec<Case>, Vec<Case>) = (table("accepted.yaml"), table("rejected.yaml"));
    assert!(accepted.len() >= 25 && rejected.len() >= 45);
    let mut differences = Vec::new();

    for case in accepted.iter().chain(&rejected) {
        match (
            stage.verdict(&case.metadata_name, &case.spec).await,
            &case.message,
        ) {
            (Ok(()), None) => {}
            (Err(refusal), Some(message)) if refusal.contains(message) => {}
            (verdict, _) => differences.push(format!("{}: {verdict:?}, not {:?}", case.name, case.message)),
        }
    }

    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn given_the_table_of_texts_when_they_are_stated_then_the_api_server_answers_one_sentence_with_a_valid_example()
 {
    let stage = Stage::new("messages").await;
    let mut faults = Vec::new();

    for case in table::<Grammar>("messages.yaml") {
        for text in &case.wrong {
            let complaints = stage.complaints(&case.stating(text)).await;
            let fault = match case.example(&complaints) {
                Err(fault) => fault,
                Ok(example) => match stage.complaints(&case.stating(example)).await {
                    refusal if refusal.is_empty() => continue,
                    refusal => format!("the example {example} is refused ({refusal})"),
                },
            };
            faults.push(format!("{fault}: {text:?} is answered {complaints:?}"));
        }
    }

    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn given_the_table_of_changes_when_they_are_applied_then_the_api_server_has_the_same_verdict_and_message()
 {
    let stage = Stage::new("changes").await;
    let updates: Vec<Update> = table("updates.yaml");
    assert!(updates.len() >= 25);
    let (for_good, dry_run) = (PatchParams::apply("table"), PatchParams::apply("table").dry_run());
    let mut differences = Vec::new();

    for (number, case) in updates.iter().enumerate() {
        let name = format!("store-{number}");
        stage.apply_spec(&name, &case.old, &for_good).await.unwrap();
        match (stage.apply_spec(&name, &case.new, &dry_run).await, &case.message) {
            (Ok(()), None) => {}
            (Err(refusal), Some(message)) if refusal.contains(message) => {}
            (verdict, _) => differences.push(format!("{}: {verdict:?}, not {:?}", case.name, case.message)),
        }
    }

    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
