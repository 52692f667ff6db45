//! What a file holds after power loss.

use fastrand::Rng;

use crate::Bytes;
use crate::disk::{Change, FileChange, Node};

/// What a drive writes as a whole: old ones, and new ones as well as pages of memory.
const SECTORS: [usize; 2] = [512, 4096];

/// The bytes of a file when only the first `cut` records happened.
pub(crate) fn content(node: &Node, cut: usize, bytes: Bytes, random: &mut Rng) -> Vec<u8> {
    let durable = node.durable_below(cut);
    let happened = node.changes.partition_point(|change| change.record < cut);
    let synced = node.changes.partition_point(|change| change.record < durable);
    let changes = node.changes.get(..happened).unwrap_or_default();
    let (synced, loose) = changes.split_at(synced);
    let mut content = Vec::new();
    for change in synced {
        apply(&mut content, change);
    }
    if !loose.is_empty() && bytes != Bytes::Nothing {
        survive(&mut content, loose, bytes, random);
    }
    content
}

fn apply(content: &mut Vec<u8>, change: &FileChange) {
    match &change.change {
        Change::Write { offset, bytes } => write(content, *offset, bytes),
        Change::Cut { length } => content.resize(*length, 0),
        Change::Extend { end } => content.resize(content.len().max(*end), 0),
    }
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

/// Adds what is chosen of the changes that were not synced. The size is that of one moment, the one after the first
/// `sized` changes; bytes are on the disk or not without regard to it.
fn survive(content: &mut Vec<u8>, loose: &[FileChange], bytes: Bytes, random: &mut Rng) {
    let last = loose.len() - 1;
    let sized = match bytes {
        Bytes::Nothing => 0,
        Bytes::Oldest => 1,
        Bytes::Everything | Bytes::Newest | Bytes::Sizes => loose.len(),
        Bytes::Some => random.usize(0..=loose.len()),
    };
    let size = size_after(content.len(), loose, sized, bytes == Bytes::Some, random);
    for (index, change) in loose.iter().enumerate() {
        match &change.change {
            Change::Write {
                offset,
                bytes: written,
            } => {
                let is_there = match bytes {
                    Bytes::Everything => true,
                    Bytes::Nothing | Bytes::Sizes => false,
                    Bytes::Oldest => index == 0,
                    Bytes::Newest => index == last,
                    Bytes::Some => random.bool(),
                };
                if is_there && bytes == Bytes::Some && random.bool() {
                    tear(content, *offset, written, random);
                } else if is_there {
                    write(content, *offset, written);
                }
            }
            // What is cut off comes back as zeros when the file grows again.
            Change::Cut { length } if index < sized => content.truncate(*length),
            Change::Cut { .. } | Change::Extend { .. } => {}
        }
    }
    content.resize(size, 0);
}

/// The size after the first `sized` changes, or somewhere within the next one where that grows the file.
fn size_after(size: usize, loose: &[FileChange], sized: usize, may_tear: bool, random: &mut Rng) -> usize {
    let step = |size: usize, change: &FileChange| match &change.change {
        Change::Write { offset, bytes } => size.max(offset + bytes.len()),
        Change::Cut { length } => *length,
        Change::Extend { end } => size.max(*end),
    };
    let (before, after) = loose.split_at(sized);
    let size = before.iter().fold(size, step);
    let next = after.first().map_or(size, |change| step(size, change));
    if !may_tear || next <= size || random.bool() {
        return size;
    }
    let sector = sector(random);
    (random.usize(size..next) / sector * sector).max(size)
}

fn sector(random: &mut Rng) -> usize {
    random.choice(SECTORS).unwrap_or(512)
}

/// Writes some of the sectors: the first ones, the last ones, or any.
fn tear(content: &mut Vec<u8>, offset: usize, bytes: &[u8], random: &mut Rng) {
    let sector = sector(random);
    let sectors: Vec<(usize, &[u8])> = split(offset, bytes, sector);
    let count = sectors.len();
    let (from, to) = match random.u8(..3) {
        0 => (0, random.usize(0..=count)),
        1 => (random.usize(0..=count), count),
        _ => (0, count),
    };
    let is_whole = from > 0 || to < count;
    for (index, (offset, bytes)) in sectors.into_iter().enumerate() {
        if (from..to).contains(&index) && (is_whole || random.bool()) {
            write(content, offset, bytes);
        }
    }
}

/// Cuts bytes at the boundaries of sectors.
fn split(offset: usize, bytes: &[u8], sector: usize) -> Vec<(usize, &[u8])> {
    let mut pieces = Vec::new();
    let (mut at, mut rest) = (offset, bytes);
    while !rest.is_empty() {
        let (piece, others) = rest.split_at(rest.len().min(sector - at % sector));
        pieces.push((at, piece));
        at += piece.len();
        rest = others;
    }
    pieces
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
