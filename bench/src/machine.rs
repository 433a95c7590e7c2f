//! Where it was measured.

use std::process::Command;

/// One line for processor, operating system and compiler.
pub(crate) fn describe() -> String {
    let cpu = read("/proc/cpuinfo");
    let model = field(&cpu, "model name").unwrap_or("unknown processor");
    let (family, number) = (field(&cpu, "cpu family"), field(&cpu, "model\t"));
    let flags = field(&cpu, "flags").unwrap_or_default();
    let sha = if flags.split(' ').any(|flag| flag == "sha_ni") { "with" } else { "without" };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{model} (family {} model {}, {sha} SHA-NI), {cores} cores{}, Linux {}, {}",
        family.unwrap_or("?"),
        number.unwrap_or("?"),
        if flags.split(' ').any(|flag| flag == "hypervisor") {
            " of a virtual machine"
        } else {
            ""
        },
        kernel.trim(),
        first_line("rustc", "--version"),
    )
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

/// What a program says of itself.
pub(crate) fn first_line(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.ok().and_then(|text| text.lines().next().map(String::from)).unwrap_or_default()
}
