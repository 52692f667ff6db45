//! Memory of a process.

/// Resident memory in MiB: of the process itself, and with the pages of its program file.
pub(crate) fn resident(process: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        number.unwrap_or(0.0) / 1024.0
    };
    (field("RssAnon:"), field("VmRSS:"))
}

/// Both numbers in words.
pub(crate) fn text(process: u32) -> String {
    let (own, all) = resident(process);
    format!("{all:.1} MiB resident, {own:.1} MiB of it its own")
}
