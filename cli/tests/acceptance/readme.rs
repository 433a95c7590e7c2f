//! README's commands, run as they stand there.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

/// The indented block under a heading of README.
fn block<'a>(readme: &'a str, heading: &str) -> Vec<&'a str> {
    let (_, section) = readme.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section.lines().filter_map(|line| line.strip_prefix("    ")).collect()
}

#[test]
fn the_commands_to_try_work_as_written() {
    for tool in ["curl", "jq"] {
        let found = Command::new(tool).arg("--version").stdout(Stdio::null()).status().is_ok();
        if !found {
            println!("SKIPPED readme: {tool} is not on PATH");
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{tool} is needed with CI=true");
            return;
        }
    }
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let commands = block(&readme, "Try it");
    assert!(commands.len() >= 5, "{commands:?}");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();

    // The port may be taken on this machine, and a service in the background has to be waited for and
    // ended; the rest runs to the letter.
    let mut script = String::from("set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n");
    for command in commands.iter().filter(|line| !line.starts_with("make ")) {
        let command = command.replace("8402", &port.to_string());
        match command.split_once(" &") {
            Some((serve, _)) => script.push_str(&format!(
                "{serve} --listen 127.0.0.1:{port} >/dev/null &\n\
                 curl -s --retry 50 --retry-delay 0 --retry-connrefused http://127.0.0.1:{port}/status >/dev/null\n"
            )),
            None => script.push_str(&format!("{command}\n")),
        }
    }
    let home = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_plannt")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let out = Command::new("bash")
        .args(["-c", &script])
        .env("PATH", path)
        .env("PLANNT_HOME", home.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8(out.stdout).unwrap();
    let stderr = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success(), "{script}\n{stdout}\n{stderr}");
    for shown in ["HTTP/1.1 402 Payment Required", "\"verified\"\n", "21 sat"] {
        assert!(stdout.contains(shown), "{shown:?} is not in {stdout}\n{stderr}");
    }
    for shown in ["paid 21 sat", "price     100 sat"] {
        assert!(stderr.contains(shown), "{shown:?} is not in {stderr}");
    }
}
