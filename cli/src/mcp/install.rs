//! `plannt mcp install`: this server's entry in an agent program's configuration.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstRootNode};
use toml_edit::{Array, DocumentMut, Item, Table, value};

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
    /// Codex CLI
    Codex,
    /// Cursor
    Cursor,
    /// Gemini CLI
    Gemini,
    /// Visual Studio Code
    Vscode,
    /// Windsurf
    Windsurf,
    /// Zed
    Zed,
}

/// Where an entry goes: a file, and the member of it that holds all entries.
struct Place {
    file: PathBuf,
    member: &'static str,
}

/// What starts the server.
struct Entry<'a> {
    name: &'a str,
    command: String,
    options: Vec<String>,
    /// Visual Studio Code wants to be told the transport.
    names_transport: bool,
}

pub(crate) fn run(args: &McpInstallArgs, home: &HomeArgs) -> Result<(), CliError> {
    let mut options = Vec::new();
    if let Some(dir) = &home.data_dir {
        // The program starts it from a folder of its own.
        let dir = std::path::absolute(dir).map_err(CliError::io("find the data folder"))?;
        options.extend(["--data-dir".to_owned(), dir.to_string_lossy().into_owned()]);
    }
    options.push("mcp".into());
    options.extend(args.options.iter().cloned());
    // What it could not be started with is better told now.
    let whole = std::iter::once("plannt".to_owned()).chain(options.iter().cloned());
    Cli::try_parse_from(whole).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        CliError::Usage(first.trim_start_matches("error: ").to_owned())
    })?;
    let command = std::env::current_exe().map_err(CliError::io("find this program"))?;
    let entry = Entry {
        name: &args.name,
        command: command.to_string_lossy().into_owned(),
        options,
        names_transport: args.client == AgentProgram::Vscode,
    };

    let place = place(args.client, args.project)?;
    let edit = if args.client == AgentProgram::Codex { in_toml } else { in_json };
    if args.print {
        err(&format!("plannt: for {}:\n", place.file.display()));
        return out(&edit("", &place, &entry)?);
    }
    let before = match fs::read_to_string(&place.file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(CliError::io(&format!("read {}", place.file.display()))(error)),
    };
    let after = edit(&before, &place, &entry)?;
    write(&place.file, &after)?;
    err(&format!(
        "plannt: wrote {:?} to {}; restart the program to use it\n",
        args.name,
        place.file.display()
    ));
    Ok(())
}

/// The text with the entry in it; all else, comments too, stays as it is.
fn in_json(text: &str, place: &Place, entry: &Entry<'_>) -> Result<String, CliError> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let root = CstRootNode::parse(text, &ParseOptions::default())
        .map_err(|error| unusable(place, &error.to_string()))?;
    let not_an_object = || unusable(place, "where entries belong is no object");
    let config = root.object_value_or_create().ok_or_else(not_an_object)?;
    let entries = config.object_value_or_create(place.member).ok_or_else(not_an_object)?;
    let string = |text: &String| CstInputValue::String(text.clone());
    let mut members = vec![
        ("command".to_owned(), string(&entry.command)),
        ("args".to_owned(), CstInputValue::Array(entry.options.iter().map(string).collect())),
    ];
    if entry.names_transport {
        members.insert(0, ("type".to_owned(), CstInputValue::String("stdio".into())));
    }
    let value = CstInputValue::Object(members);
    match entries.get(entry.name) {
        Some(there) => there.set_value(value),
        None => {
            entries.append(entry.name, value);
        }
    }
    Ok(root.to_string())
}

/// The same in TOML.
fn in_toml(text: &str, place: &Place, entry: &Entry<'_>) -> Result<String, CliError> {
    let mut config: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| unusable(place, error.message()))?;
    let entries = config.entry(place.member).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let entries = entries
        .as_table_like_mut()
        .ok_or_else(|| unusable(place, "where entries belong is no table"))?;
    let mut table = Table::new();
    table["command"] = value(&entry.command);
    table["args"] = value(entry.options.iter().collect::<Array>());
    entries.insert(entry.name, Item::Table(table));
    Ok(config.to_string())
}

fn unusable(place: &Place, reason: &str) -> CliError {
    let file = place.file.display();
    CliError::Usage(format!(
        "{file} is left as it is: {reason} (--print shows what belongs into it)"
    ))
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
            AgentProgram::Codex => at(".codex/config.toml".into(), "mcp_servers"),
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

/// Replaces the file at once, through a link to where it lies; what it was stays beside it.
fn write(file: &Path, text: &str) -> Result<(), CliError> {
    let failed = |doing: &str| CliError::io(&format!("{doing} {}", file.display()));
    let file = &fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
    // Options may hold a wallet's key, so the file is its owner's alone unless it was there before.
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
