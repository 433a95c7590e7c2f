//! `plannt mcp install`: this server's entry in an agent program's configuration.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use serde_json::{Map, Value, json};

use crate::args::{Cli, HomeArgs, McpInstallArgs};
use crate::error::CliError;
use crate::print::{err, out};

/// Programs whose configuration is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AgentProgram {
    /// Claude Desktop
    Claude,
    /// Claude Code
    ClaudeCode,
    /// Codex CLI (printed only: its configuration is TOML)
    Codex,
    /// Cursor
    Cursor,
    /// Gemini CLI
    Gemini,
    /// Visual Studio Code
    Vscode,
    /// Windsurf
    Windsurf,
    /// Zed (printed only where its settings have comments)
    Zed,
}

/// Where an entry goes: a file, and the member of it that holds all entries.
struct Place {
    file: PathBuf,
    member: &'static str,
}

pub(crate) fn run(args: &McpInstallArgs, home: &HomeArgs) -> Result<(), CliError> {
    let mut options = Vec::new();
    if let Some(dir) = &home.data_dir {
        options.extend(["--data-dir".to_owned(), dir.to_string_lossy().into_owned()]);
    }
    options.push("mcp".into());
    options.extend(args.options.iter().cloned());
    // What it could not be started with is better told now.
    let whole = std::iter::once("plannt".to_owned()).chain(options.iter().cloned());
    Cli::try_parse_from(whole).map_err(|error| CliError::Usage(error.to_string()))?;
    let command = std::env::current_exe().map_err(CliError::io("find this program"))?;
    let command = command.to_string_lossy().into_owned();

    if args.client == AgentProgram::Codex {
        let place = under_home(".codex/config.toml")?;
        err(&format!("plannt: for {}:\n", place.display()));
        return out(&toml(&args.name, &command, &options));
    }
    let place = place(args.client, args.project)?;
    let mut entry = json!({"command": command, "args": options});
    if args.client == AgentProgram::Vscode {
        entry["type"] = json!("stdio");
    }
    let alone = json!({ place.member: { &args.name: &entry } });
    let alone = serde_json::to_string_pretty(&alone).unwrap_or_default();
    if args.print {
        err(&format!("plannt: for {}:\n", place.file.display()));
        return out(&alone);
    }
    let config = match read(&place.file)? {
        Ok(mut config) => {
            let all = config.entry(place.member).or_insert_with(|| json!({}));
            let Some(all) = all.as_object_mut() else {
                return Err(unusable(&place, "its member is no object", &alone));
            };
            all.insert(args.name.clone(), entry);
            config
        }
        Err(reason) => return Err(unusable(&place, &reason, &alone)),
    };
    write(&place.file, &Value::Object(config))?;
    err(&format!(
        "plannt: wrote {:?} to {}; restart the program to use it\n",
        args.name,
        place.file.display()
    ));
    Ok(())
}

fn unusable(place: &Place, reason: &str, alone: &str) -> CliError {
    let file = place.file.display();
    CliError::Usage(format!("{file} is left as it is ({reason}): put this into it\n{alone}"))
}

fn place(client: AgentProgram, project: bool) -> Result<Place, CliError> {
    let at = |file: PathBuf, member| Ok(Place { file, member });
    let servers = "mcpServers";
    if project {
        return match client {
            AgentProgram::ClaudeCode => at(".mcp.json".into(), servers),
            AgentProgram::Cursor => at(".cursor/mcp.json".into(), servers),
            AgentProgram::Gemini => at(".gemini/settings.json".into(), servers),
            AgentProgram::Vscode => at(".vscode/mcp.json".into(), "servers"),
            AgentProgram::Zed => at(".zed/settings.json".into(), "context_servers"),
            _ => Err(CliError::Usage("this program has no configuration for a project".into())),
        };
    }
    match client {
        AgentProgram::Claude => {
            at(under_config("Claude")?.join("claude_desktop_config.json"), servers)
        }
        AgentProgram::ClaudeCode => at(under_home(".claude.json")?, servers),
        AgentProgram::Codex => at(under_home(".codex/config.toml")?, "mcp_servers"),
        AgentProgram::Cursor => at(under_home(".cursor/mcp.json")?, servers),
        AgentProgram::Gemini => at(under_home(".gemini/settings.json")?, servers),
        AgentProgram::Vscode => at(under_config("Code")?.join("User/mcp.json"), "servers"),
        AgentProgram::Windsurf => at(under_home(".codeium/windsurf/mcp_config.json")?, servers),
        AgentProgram::Zed => {
            // Zed keeps to ~/.config on macOS too.
            at(under_home(".config/zed/settings.json")?, "context_servers")
        }
    }
}

fn under_home(path: &str) -> Result<PathBuf, CliError> {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let home = std::env::var_os(name).filter(|home| !home.is_empty());
    Ok(PathBuf::from(home.ok_or(CliError::NoHome)?).join(path))
}

/// The folder in which desktop programs keep their settings.
fn under_config(name: &str) -> Result<PathBuf, CliError> {
    if cfg!(target_os = "macos") {
        return under_home(&format!("Library/Application Support/{name}"));
    }
    let variable = if cfg!(windows) { "APPDATA" } else { "XDG_CONFIG_HOME" };
    match std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(base) => Ok(base.join(name)),
        None => under_home(&format!(".config/{name}")),
    }
}

/// What a file holds now; nothing where there is none. The inner error is why it is not touched.
fn read(file: &Path) -> Result<Result<Map<String, Value>, String>, CliError> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(Map::new())),
        Err(error) => return Err(CliError::io(&format!("read {}", file.display()))(error)),
    };
    if text.trim().is_empty() {
        return Ok(Ok(Map::new()));
    }
    Ok(match serde_json::from_str(&text) {
        Ok(Value::Object(config)) => Ok(config),
        Ok(_) => Err("it is no JSON object".into()),
        // Comments, most likely, which would be lost.
        Err(error) => Err(format!("it is not plain JSON: {error}")),
    })
}

/// Replaces the file at once, through a link to where it lies; what it was stays beside it.
fn write(file: &Path, config: &Value) -> Result<(), CliError> {
    let failed = |doing: &str| CliError::io(&format!("{doing} {}", file.display()));
    let file = &fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
    let mut text = serde_json::to_string_pretty(config).unwrap_or_default();
    text.push('\n');
    // Options may hold a wallet's key, and so the file is its owner's alone unless it was there before.
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed("write"))?;
    draft.write_all(text.as_bytes()).map_err(failed("write"))?;
    if let Ok(before) = fs::metadata(file) {
        draft.as_file().set_permissions(before.permissions()).map_err(failed("write"))?;
        let mut backup = file.as_os_str().to_owned();
        backup.push(".bak");
        fs::copy(file, backup).map_err(failed("copy"))?;
    }
    draft.as_file().sync_all().map_err(failed("write"))?;
    draft.persist(file).map_err(|error| failed("write")(error.error))?;
    Ok(())
}

/// The entry as TOML: JSON's strings and lists are TOML's too.
fn toml(name: &str, command: &str, options: &[String]) -> String {
    let name = Value::from(name);
    format!("[mcp_servers.{name}]\ncommand = {}\nargs = {}\n", json!(command), json!(options))
}
