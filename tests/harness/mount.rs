//! A directory as Kubernetes mounts it: visible names are links through `..data`, which is exchanged as a whole.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The files of a mounted ConfigMap or Secret.
#[derive(Clone, Debug)]
pub struct Mount {
    directory: PathBuf,
}

impl Mount {
    pub(crate) fn create(directory: PathBuf, files: &[(String, String)]) -> Self {
        fs::create_dir(&directory).expect("the temporary directory is writable");
        let mount = Self { directory };
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        mount.exchange(&files);
        for (name, _) in files {
            link(&Path::new("..data").join(name), &mount.directory.join(name));
        }
        mount
    }

    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Exchanges the content of all files in one step.
    #[track_caller]
    pub fn exchange(&self, files: &[(&str, &str)]) {
        let generation = (0..1000)
            .map(|number| format!("..generation-{number}"))
            .find(|name| fs::create_dir(self.directory.join(name)).is_ok())
            .expect("the temporary directory is writable");
        let folder = self.directory.join(&generation);
        for (name, text) in files {
            fs::write(folder.join(name), text).expect("the temporary directory is writable");
        }
        let new = self.directory.join("..data_tmp");
        link(Path::new(&generation), &new);
        fs::rename(&new, self.directory.join("..data")).expect("the temporary directory is writable");
    }
}

fn link(target: &Path, name: &Path) {
    symlink(target, name).expect("the temporary directory is writable");
}
