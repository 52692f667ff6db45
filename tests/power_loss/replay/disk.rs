//! The record sorted by what it changed: each file and directory with its changes and its syncs.

use std::collections::{BTreeMap, HashMap};

use crate::{Effect, Journal};

/// What a file or directory is for, as far as the proof tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// Names a file or directory, however often its inode's number was used.
pub(crate) type NodeId = usize;

/// The recorded directory itself.
pub(crate) const ROOT: NodeId = 0;

/// A change of a file, by the number of its record.
#[derive(Clone, Debug)]
pub(crate) struct FileChange {
    pub(crate) record: usize,
    pub(crate) change: Change,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Cut { length: usize },
    Extend { end: usize },
}

/// A change of a directory, by the number of its record: all of it is there or nothing.
#[derive(Clone, Debug)]
pub(crate) struct NameChange {
    pub(crate) record: usize,
    /// Names with what they lead to from now on.
    pub(crate) entries: Vec<(String, Option<NodeId>)>,
}

#[derive(Clone, Copy, Debug)]
struct Sync {
    begun: usize,
    ended: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Where it was made.
    pub(crate) path: String,
    pub(crate) changes: Vec<FileChange>,
    pub(crate) names: Vec<NameChange>,
    /// A name is never there without those that were made or removed before it.
    pub(crate) keeps_order: bool,
    syncs: Vec<Sync>,
}

impl Node {
    fn new(kind: Kind, path: &str) -> Self {
        Self {
            kind,
            path: path.to_owned(),
            changes: Vec::new(),
            names: Vec::new(),
            keeps_order: false,
            syncs: Vec::new(),
        }
    }

    /// Changes of records below this number are on the disk when only the first `cut` records happened.
    pub(crate) fn durable_below(&self, cut: usize) -> usize {
        let ended = self.syncs.iter().filter(|sync| sync.ended < cut);
        ended.map(|sync| sync.begun).max().unwrap_or(0)
    }
}

/// Everything that happened to a directory, which was empty before or held only what the processes never change.
#[derive(Clone, Debug)]
pub struct Disk {
    pub(crate) nodes: Vec<Node>,
}

impl Disk {
    /// Sorts a journal.
    pub fn of(journal: &Journal) -> Self {
        let unsupported = journal.unsupported();
        assert!(unsupported.is_empty(), "not to be replayed: {unsupported:?}");
        let mut sorter = Sorter::new();
        for (record, entry) in journal.records.iter().enumerate() {
            sorter.add(record, &entry.effect);
        }
        Self { nodes: sorter.nodes }
    }

    /// The same disk with a file system that keeps the names of some directories in order, as journals do, by the path
    /// where each was made.
    #[must_use]
    pub fn with_names_in_order(mut self, is_ordered: impl Fn(&str) -> bool) -> Self {
        for node in &mut self.nodes {
            node.keeps_order = is_ordered(&node.path);
        }
        self
    }

    /// The same disk with a drive that ignores the syncs of some files and directories, by the path where each was made.
    #[must_use]
    pub fn without_syncs(&self, is_ignored: impl Fn(Kind, &str) -> bool) -> Self {
        let mut disk = self.clone();
        for node in &mut disk.nodes {
            if is_ignored(node.kind, &node.path) {
                node.syncs.clear();
            }
        }
        disk
    }

    /// The same disk where what one record wrote is zeros, though it may have been synced: a damaged drive.
    #[must_use]
    pub fn with_hole(&self, record: usize) -> Self {
        let mut disk = self.clone();
        for node in &mut disk.nodes {
            node.changes.retain(|change| change.record != record);
        }
        disk
    }

    /// How many syncs there were of these files and directories.
    pub fn count_syncs(&self, is_counted: impl Fn(Kind, &str) -> bool) -> usize {
        let counted = self.nodes.iter().filter(|node| is_counted(node.kind, &node.path));
        counted.map(|node| node.syncs.len()).sum()
    }
}

/// What the disk looks like to the processes while the record is read.
struct Sorter {
    nodes: Vec<Node>,
    by_inode: HashMap<u64, NodeId>,
    /// The entries of each directory.
    tree: HashMap<NodeId, BTreeMap<String, NodeId>>,
    /// Syncs under way: what they sync, and since when.
    running: HashMap<u64, (NodeId, usize)>,
}

impl Sorter {
    fn new() -> Self {
        Self {
            nodes: vec![Node::new(Kind::Directory, "")],
            by_inode: HashMap::new(),
            tree: HashMap::from([(ROOT, BTreeMap::new())]),
            running: HashMap::new(),
        }
    }

    fn add(&mut self, record: usize, effect: &Effect) {
        match effect {
            Effect::Started { inode } => {
                self.by_inode.insert(*inode, ROOT);
                // Those of a process that was killed promise nothing.
                self.running.clear();
            }
            Effect::Created { inode, path } => self.make(record, *inode, path, Kind::File),
            Effect::MadeDirectory { inode, path } => self.make(record, *inode, path, Kind::Directory),
            Effect::Written { inode, offset, bytes } => {
                let offset = to_usize(*offset);
                self.change(
                    record,
                    *inode,
                    Change::Write {
                        offset,
                        bytes: bytes.clone(),
                    },
                );
            }
            Effect::Cut { inode, length } => {
                self.change(
                    record,
                    *inode,
                    Change::Cut {
                        length: to_usize(*length),
                    },
                );
            }
            Effect::Allocated { end: 0, .. } | Effect::Writeback { .. } => {}
            Effect::Allocated { inode, end } => {
                self.change(record, *inode, Change::Extend { end: to_usize(*end) });
            }
            Effect::SyncBegun { inode, sync } => {
                let node = self.node(*inode);
                self.running.insert(*sync, (node, record));
            }
            Effect::SyncEnded { sync, is_done } => self.end_sync(record, *sync, *is_done),
            Effect::Renamed { from, to } => self.rename(record, from, to),
            Effect::Linked { from, to } => {
                let node = self.find(from);
                self.name(record, to, Some(node));
            }
            Effect::Unlinked { path } | Effect::RemovedDirectory { path } => self.name(record, path, None),
            Effect::Unsupported { what } => panic!("not to be replayed: {what}"),
        }
    }

    fn node(&self, inode: u64) -> NodeId {
        let node = self.by_inode.get(&inode);
        *node.unwrap_or_else(|| panic!("inode {inode} was there before the record began"))
    }

    fn node_mut(&mut self, node: NodeId) -> &mut Node {
        self.nodes.get_mut(node).expect("nodes are never removed")
    }

    fn make(&mut self, record: usize, inode: u64, path: &str, kind: Kind) {
        let node = self.nodes.len();
        self.nodes.push(Node::new(kind, path));
        self.by_inode.insert(inode, node);
        self.tree.insert(node, BTreeMap::new());
        self.name(record, path, Some(node));
    }

    fn change(&mut self, record: usize, inode: u64, change: Change) {
        let node = self.node(inode);
        self.node_mut(node).changes.push(FileChange { record, change });
    }

    fn end_sync(&mut self, record: usize, sync: u64, is_done: bool) {
        let (node, begun) = self.running.remove(&sync).expect("a sync ends after it begins");
        if is_done {
            self.node_mut(node).syncs.push(Sync { begun, ended: record });
        }
    }

    fn find(&self, path: &str) -> NodeId {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.fold(ROOT, |directory, part| {
            let found = self.tree.get(&directory).and_then(|entries| entries.get(part));
            *found.unwrap_or_else(|| panic!("{path} was there before the record began"))
        })
    }

    fn parent<'a>(&self, path: &'a str) -> (NodeId, &'a str) {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        (self.find(parent), name)
    }

    fn name(&mut self, record: usize, path: &str, leads_to: Option<NodeId>) {
        let (parent, name) = self.parent(path);
        self.apply(record, parent, vec![(name.to_owned(), leads_to)]);
    }

    fn rename(&mut self, record: usize, from: &str, to: &str) {
        let node = self.find(from);
        let ((old, old_name), (new, new_name)) = (self.parent(from), self.parent(to));
        assert_eq!(old, new, "{from} moves to another directory: not to be replayed");
        let entries = vec![(old_name.to_owned(), None), (new_name.to_owned(), Some(node))];
        self.apply(record, old, entries);
    }

    fn apply(&mut self, record: usize, directory: NodeId, entries: Vec<(String, Option<NodeId>)>) {
        let tree = self.tree.get_mut(&directory).expect("the parent is a directory");
        for (name, leads_to) in &entries {
            match leads_to {
                Some(node) => drop(tree.insert(name.clone(), *node)),
                None => drop(tree.remove(name)),
            }
        }
        self.node_mut(directory)
            .names
            .push(NameChange { record, entries });
    }
}

fn to_usize(value: u64) -> usize {
    usize::try_from(value).expect("files of tests fit in memory")
}
