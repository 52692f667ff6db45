//! Builds a state of the disk in a directory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::content::content;
use crate::disk::{Node, NodeId, ROOT};
use crate::{Disk, Kind, Names, Survival};

impl Disk {
    /// Fills `directory`, which is there, with what is on the disk when the power fails after the first `cut` records.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn build(&self, cut: usize, survival: Survival, directory: &Path) -> io::Result<()> {
        self.build_directory(ROOT, cut, survival, directory)
    }

    fn build_directory(&self, id: NodeId, cut: usize, survival: Survival, path: &Path) -> io::Result<()> {
        for (name, child) in self.entries(id, cut, survival) {
            let path = path.join(name);
            let node = self.node(child);
            match node.kind {
                Kind::Directory => {
                    fs::create_dir(&path)?;
                    self.build_directory(child, cut, survival, &path)?;
                }
                Kind::File => {
                    let bytes = content(node, cut, survival.bytes, &mut survival.random(child));
                    fs::write(&path, bytes)?;
                }
            }
        }
        Ok(())
    }

    fn entries(&self, id: NodeId, cut: usize, survival: Survival) -> BTreeMap<String, NodeId> {
        let node = self.node(id);
        let durable = node.durable_below(cut);
        let happened = node.names.partition_point(|change| change.record < cut);
        let synced = node.names.partition_point(|change| change.record < durable);
        let mut random = survival.random(id);
        let names = match survival.names {
            Names::Some if node.keeps_order => Names::UpToSome,
            names => names,
        };
        let kept = match names {
            Names::Nothing => synced,
            Names::Everything | Names::Some => happened,
            Names::UpToSome => random.usize(synced..=happened.max(synced)),
        };
        let mut entries = BTreeMap::new();
        for (index, change) in node.names.iter().enumerate().take(kept) {
            if index >= synced && names == Names::Some && random.bool() {
                continue;
            }
            for (name, leads_to) in &change.entries {
                match leads_to {
                    Some(child) => drop(entries.insert(name.clone(), *child)),
                    None => drop(entries.remove(name)),
                }
            }
        }
        entries
    }

    fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id).expect("nodes are never removed")
    }
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
