//! The files of a Pod, laid out in a directory as a kubelet would mount them.

use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{ConfigMap, KeyToPath, Secret, Volume};
use kube::Api;
use zas_cluster_tests::Output;

use crate::kind::DEPLOYMENT;
use crate::stage::Stage;

/// Where the operator mounts what is its own. Users mount elsewhere.
const OWN: [&str; 3] = ["/config/", "/data", "/tmp"];

/// What of that configurations speak of.
const NAMED: [&str; 2] = ["/config/", "/data"];

/// The volumes of a Deployment's Pod below a directory that stands for `/`, and the arguments of its server there.
pub(crate) struct Mounted {
    root: PathBuf,
    pub(crate) arguments: Vec<String>,
}

impl Mounted {
    /// The Pod that the Deployment of this name asks for now. The files are as they are in the cluster.
    pub(crate) async fn of(stage: &Stage, deployment: &str) -> Self {
        let root = stage.cluster.scratch(&format!("root-{}", stage.namespace));
        let deployment = stage.present(DEPLOYMENT, deployment).await;
        let pod = &deployment["spec"]["template"]["spec"];
        let volumes: Vec<Volume> = serde_json::from_value(pod["volumes"].clone()).unwrap();
        let server = &pod["containers"][0];
        let mut files = 0;
        for mount in server["volumeMounts"].as_array().unwrap() {
            let path = mount["mountPath"].as_str().unwrap();
            if !OWN.iter().any(|own| path.starts_with(own)) {
                continue;
            }
            let volume = volumes.iter().find(|volume| mount["name"] == *volume.name);
            files += lay_out(stage, volume.unwrap(), &inside(&root, path)).await;
        }
        assert!(
            files >= 4,
            "two configurations and an account are mounted: {files}"
        );
        let arguments = server["args"].as_array().unwrap().iter();
        let arguments = arguments.map(|argument| argument.as_str().unwrap());
        Self {
            arguments: arguments.map(|argument| moved(&root, argument)).collect(),
            root,
        }
    }

    /// A file by the path that it has in the Pod.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        inside(&self.root, path)
    }

    /// Makes the configurations speak of the files where they are here.
    pub(crate) fn move_here(&self) {
        let configurations = self
            .arguments
            .iter()
            .filter(|argument| argument.ends_with(".yaml"));
        let mut count = 0;
        for file in configurations {
            let mut text = fs::read_to_string(file).unwrap();
            for own in NAMED {
                let here = inside(&self.root, own).to_str().unwrap().to_owned();
                for before in [": ", ": \""] {
                    text = text.replace(&format!("{before}{own}"), &format!("{before}{here}"));
                }
            }
            let is_left =
                |own: &&&str| text.contains(&format!("\"{own}")) || text.contains(&format!(" {own}"));
            assert_eq!(NAMED.iter().find(is_left), None, "{text}");
            fs::write(file, text).unwrap();
            count += 1;
        }
        assert_eq!(count, 2, "{:?}", self.arguments);
    }

    /// The arguments with another one before them.
    pub(crate) fn arguments_after(&self, first: &str) -> Vec<String> {
        let mut arguments = vec![first.to_owned()];
        arguments.extend_from_slice(&self.arguments);
        arguments
    }
}

/// What a server printed about a configuration that it took.
#[track_caller]
pub(crate) fn expect_accepted(checked: &Output) {
    let words = checked.expect_success();
    assert!(words.contains("are valid"), "{words}");
}

/// Writes what a volume holds into a directory. How many files that are.
async fn lay_out(stage: &Stage, volume: &Volume, directory: &Path) -> usize {
    fs::create_dir_all(directory).unwrap();
    let entries: Vec<(String, Vec<u8>)> = if let Some(source) = &volume.config_map {
        let api: Api<ConfigMap> = Api::namespaced(stage.client().clone(), &stage.namespace);
        let data = api.get(&source.name).await.unwrap().data.unwrap_or_default();
        let data = data.into_iter().map(|(key, text)| (key, text.into_bytes()));
        chosen(data.collect(), source.items.as_deref())
    } else if let Some(source) = &volume.secret {
        let api: Api<Secret> = Api::namespaced(stage.client().clone(), &stage.namespace);
        let name = source.secret_name.as_deref().unwrap();
        let data = api.get(name).await.unwrap().data.unwrap_or_default();
        let data = data.into_iter().map(|(key, bytes)| (key, bytes.0));
        chosen(data.collect(), source.items.as_deref())
    } else {
        // The claim, or scratch space.
        Vec::new()
    };
    for (name, bytes) in &entries {
        fs::write(directory.join(name), bytes).unwrap();
    }
    entries.len()
}

/// The entries under the names that they are mounted by.
fn chosen(entries: Vec<(String, Vec<u8>)>, items: Option<&[KeyToPath]>) -> Vec<(String, Vec<u8>)> {
    let Some(items) = items else { return entries };
    let item = |item: &KeyToPath| {
        let entry = entries.iter().find(|(key, _)| *key == item.key);
        let (_, bytes) = entry.unwrap_or_else(|| panic!("the volume has no key {}", item.key));
        (item.path.clone(), bytes.clone())
    };
    items.iter().map(item).collect()
}

/// A value that is a path of the operator's, below another root; any other value as it is.
fn moved(root: &Path, value: &str) -> String {
    if OWN.iter().any(|own| value.starts_with(own)) {
        return inside(root, value).to_str().unwrap().to_owned();
    }
    value.to_owned()
}

fn inside(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}
