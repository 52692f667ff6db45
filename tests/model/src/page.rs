//! The page that shows what was proved.

use std::fmt::Write as _;

use crate::exploration::{explore, shortest_breach};
use crate::proofs::{KNOWN_LIMIT, NOT_NEEDED, need};
use crate::properties::SENTENCES;
use crate::rules::{self, Rule, Rules};
use crate::scenario;
use crate::witness::Witness;

/// Where the page is kept, seen from this crate.
pub const PLACE: &str = "../../docs/PROTOCOL_MODEL.md";

const HEAD: &str = "\
# The storage protocol, checked in every state

Written by `cargo run -p zas-protocol-model -- --write`; a test fails when it differs. The model is `tests/model`.

**What is modelled.** The rows that all replicas share (uploads with epoch, saved offset and extents, blob, links with
leases, edges, manifests, tags, due entries, live and doomed locations), the bytes on the disk with what a power loss
leaves of them, requests as the steps they are (claim, open, write, sync, row, answer), clients that do not hear an
answer and repeat, collectors that look outside and then reap, deleters, the sweep, the expiry of idle uploads, pushes
whose proved bytes take the place of stored ones. Every step may interleave with every other; a replica may crash between
any two; a power loss turns unsynced bytes into zeros and forgets what was noted without waiting for the disk; the
metadata store may be opened again without it while requests go on.

**Bounds.** One digest (rows of one digest do not depend on another's), at most two chunks, two repositories, two
replicas, two clients, three uploads, three claims of an upload in each of two starts of the metadata store, five
ticks; grace 1 or 2 ticks, doom delay 1. Content that fits a row, artifacts with subjects and page listings are left out. Time is one clock. Every
operation of the metadata store is atomic: that it is so is proved by the store's own tests.

";

const HISTORY: &str = "\
**Rules that went.** As long as an upload wrote one file, a successor had to cut it at the saved offset, and where
several processes wrote, each epoch had a segment of its own. Since every name is written once, by one request, there is
nothing to cut and nothing to share. In their place came: a name of its own for each request, names that are never given
out twice (the start number), and a claim that dooms what its predecessor did not list. That a successor waits in one
process no longer keeps bytes right; it keeps its predecessor from writing a name that is deleted already.

";

/// The whole page. `None` when a property that should hold does not, or one that should break holds.
pub fn page() -> Option<String> {
    let mut page = HEAD.to_owned();
    page.push_str(HISTORY);
    page.push_str("## Properties\n\n");
    for (name, sentence) in SENTENCES {
        let (number, title) = name.split_once(' ')?;
        writeln!(page, "{number}. **{title}:** {sentence}.").ok()?;
    }
    write_scenarios(&mut page)?;
    write_rules(&mut page)?;
    write_limit(&mut page)?;
    Some(page)
}

fn write_scenarios(page: &mut String) -> Option<()> {
    page.push_str(
        "\n## With all rules every property holds\n\n| scenario | what happens | states | longest way |\n|---|---|---:|---:|\n",
    );
    let witness: &'static Witness = Box::leak(Box::default());
    for world in scenario::ALL {
        let explored = explore(world, Rules::ALL, witness);
        if !explored.broken.is_empty() {
            return None;
        }
        let (states, depth) = (explored.states, explored.depth);
        writeln!(
            page,
            "| {} | {} | {states} | {depth} |",
            world.name, world.sentence
        )
        .ok()?;
    }
    Some(())
}

fn write_rules(page: &mut String) -> Option<()> {
    page.push_str(
        "\n## Without one rule\n\nThe way is the shortest there is in the scenario; `r` is a repository, `m` a manifest, a number a physical name.\n\n| rule | section | breaks | in scenario | the shortest way |\n|---|---|---|---|---|\n",
    );
    for rule in rules::ALL {
        let (world, property) = need(rule);
        let way = shortest_breach(world, Rules::without(rule), property)?.join("; ");
        let (section, sentence) = (rule.section(), rule.sentence());
        writeln!(
            page,
            "| {sentence} | {section} | {property} | {} | {way} |",
            world.name
        )
        .ok()?;
    }
    Some(())
}

/// Whether nothing breaks without a rule about deleted manifests, in the scenarios that delete some.
pub fn holds_without(rule: Rule) -> bool {
    let holds = |world| {
        let explored = explore(world, Rules::without(rule), Box::leak(Box::default()));
        explored.broken.is_empty()
    };
    [scenario::DELETE, scenario::REPLACE].into_iter().all(holds)
}

fn write_limit(page: &mut String) -> Option<()> {
    let (world, property) = KNOWN_LIMIT;
    let way = shortest_breach(world, Rules::ALL, property)?.join("; ");
    write!(
        page,
        "\n## A known limit\n\nThe link remembers one upload (2.8). When {}, property \"{property}\" breaks with all rules in force: {way}. \
         The client is told 404 and uploads again; nothing acknowledged is lost.\n",
        world.sentence
    )
    .ok()?;
    write!(
        page,
        "\n## What the model does not need\n\n- {} ({}): no property breaks without it, for a grace from now covers every promise given before now. It costs nothing and is kept.\n\
         - The epoch (2.5) guards progress and expiry alone: as each request writes names of its own, no stale writer can spoil the bytes of a finished blob.\n\
         - A duplicate that is not doomed (2.2) is found by the sweep; the rule is for stores whose sweep is off, and for space at once.\n",
        NOT_NEEDED.sentence(),
        NOT_NEEDED.section()
    )
    .ok()
}
