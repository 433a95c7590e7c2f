//! `plannt mcp install`: an entry in a program's configuration, with all else left alone. The server itself is tested by
//! the official SDKs (mcp/clients).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::common::{Ran, plannt, run};

fn install(home: &Path, args: &[&str]) -> Ran {
    let mut command = plannt();
    command.env("HOME", home).env_remove("XDG_CONFIG_HOME").current_dir(home);
    run(command.args(["mcp", "install", "--client"]).args(args))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_program_gets_its_entry_where_it_looks_for_it() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for (client, file, member) in [
        ("claude", ".config/Claude/claude_desktop_config.json", "mcpServers"),
        ("claude-code", ".claude.json", "mcpServers"),
        ("cursor", ".cursor/mcp.json", "mcpServers"),
        ("gemini", ".gemini/settings.json", "mcpServers"),
        ("vscode", ".config/Code/User/mcp.json", "servers"),
        ("windsurf", ".codeium/windsurf/mcp_config.json", "mcpServers"),
        ("zed", ".config/zed/settings.json", "context_servers"),
    ] {
        let printed = install(home, &[client, "--print", "--", "--max-sats", "5"]);
        assert_eq!(printed.code, Some(0), "{printed:?}");
        assert!(!home.join(file).exists(), "{client}");
        let ran = install(home, &[client, "--", "--max-sats", "5"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
        let entry = &json(&home.join(file))[member]["plannt"];
        assert_eq!(entry["command"], env!("CARGO_BIN_EXE_plannt"), "{client}");
        assert_eq!(entry["args"], serde_json::json!(["mcp", "--max-sats", "5"]));
        assert_eq!(
            serde_json::from_str::<Value>(&printed.stdout).unwrap()[member]["plannt"],
            *entry
        );
        // Options may hold a wallet's key.
        let mode = fs::metadata(home.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{client}");
    }
    assert_eq!(
        json(&home.join(".config/Code/User/mcp.json"))["servers"]["plannt"]["type"],
        "stdio"
    );

    let ran = install(home, &["codex"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let toml = fs::read_to_string(home.join(".codex/config.toml")).unwrap();
    assert!(toml.starts_with("[mcp_servers.plannt]\ncommand = \""), "{toml}");

    for (client, file) in [("claude-code", ".mcp.json"), ("cursor", ".cursor/mcp.json")] {
        let ran = install(home, &[client, "--project", "--name", "pay"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(json(&home.join(file))["mcpServers"]["pay"].is_object());
    }
}

#[test]
fn what_else_is_in_the_file_stays() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = home.join(".cursor/mcp.json");
    fs::create_dir(file.parent().unwrap()).unwrap();
    let before = "// mine\n{\n  \"z\": 1, // last but not least\n  \"mcpServers\": {\n    \"other\": {\"command\": \"x\"},\n    \
                  \"plannt\": {\"command\": \"old\", \"env\": {\"A\": \"b\"}}\n  },\n  \"a\": [1, 2],\n}\n";
    fs::write(&file, before).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(install(home, &["cursor"]).code, Some(0));
    let after = fs::read_to_string(&file).unwrap();
    for kept in [
        "// mine\n",
        "\"z\": 1, // last but not least",
        "\"other\": {\"command\": \"x\"}",
        "\"a\": [1, 2],\n}\n",
    ] {
        assert!(after.contains(kept), "{kept:?} is not in {after}");
    }
    assert!(!after.contains("\"old\"") && after.contains(env!("CARGO_BIN_EXE_plannt")), "{after}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::read_to_string(home.join(".cursor/mcp.json.bak")).unwrap(), before);
    // Once more changes nothing.
    assert_eq!(install(home, &["cursor"]).code, Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
}

#[test]
fn what_can_t_be_read_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = home.join(".gemini/settings.json");
    fs::create_dir(file.parent().unwrap()).unwrap();
    for text in ["{\"mcpServers\": ", "[1]", "{\"mcpServers\": 5}"] {
        fs::write(&file, text).unwrap();
        let ran = install(home, &["gemini"]);
        assert_eq!(ran.code, Some(2), "{text} {ran:?}");
        assert!(ran.stderr.contains("left as it is"), "{ran:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    // Nor is anything written that could not be started.
    let ran = install(home, &["cursor", "--", "--max-sat", "5"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("--max-sat"), "{ran:?}");
    assert!(!home.join(".cursor").exists());
    assert_eq!(install(home, &["windsurf", "--project"]).code, Some(2));
}
