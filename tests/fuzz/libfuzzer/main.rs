//! The targets, guided by coverage. `hack/fuzz.sh` builds and runs it.
//!
//! `ZAS_FUZZ_TARGET` names the target; the arguments are libFuzzer's.
#![no_main]
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a run without a target cannot go on"
)]

use std::sync::LazyLock;

use zas_fuzz::{Target, target_named};

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("ZAS_FUZZ_TARGET").expect("ZAS_FUZZ_TARGET names the target");
    target_named(&name).unwrap_or_else(|| panic!("there is no target {name}"))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (TARGET.run)(data);
});
