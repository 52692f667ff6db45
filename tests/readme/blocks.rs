//! The commands in a Markdown text.

/// The info string of a block that is run.
const TESTED: &str = "```sh test";

/// The blocks marked as tested, in order.
pub(crate) fn tested_blocks(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while lines.by_ref().any(|line| line == TESTED) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

#[test]
fn given_marked_and_other_blocks_when_read_then_only_the_marked_ones_are_returned() {
    let markdown = "# T\n```sh\nrm -rf /\n```\n```sh test\na\nb\n```\ntext\n```sh test\nc\n```\n";
    assert_eq!(tested_blocks(markdown), ["a\nb", "c"]);
}
