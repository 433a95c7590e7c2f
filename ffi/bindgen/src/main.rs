//! Writes the Swift and Kotlin sources of `plannt-ffi`: `plannt-bindgen LIBRARY CRATE OUT`. uniffi writes nearly all of it;
//! what it has no setting for is changed afterwards, and a change that finds nothing to change is an error.

use std::fs;

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate_with_bindgen_paths};
use uniffi_bindgen::{BindgenPaths, BindgenPathsLayer};

/// The crate's folder, where its uniffi.toml is.
struct Crate(Utf8PathBuf);

impl BindgenPathsLayer for Crate {
    fn get_crate_root(&self, crate_name: &str) -> Option<Utf8PathBuf> {
        (crate_name == "plannt_ffi").then(|| self.0.clone())
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(Utf8PathBuf::from);
    let mut next = || arguments.next().context("usage: plannt-bindgen LIBRARY CRATE OUT");
    let (library, folder, out) = (next()?, next()?, next()?);
    generate(TargetLanguage::Swift, &library, &folder, &out.join("swift"))?;
    generate(TargetLanguage::Kotlin, &library, &folder, &out.join("kotlin"))?;
    rewrite(&out.join("swift/Plannt.swift"), swift)?;
    rewrite(&out.join("kotlin/io/github/plannt/plannt.kt"), kotlin)
}

fn generate(
    language: TargetLanguage,
    library: &Utf8Path,
    folder: &Utf8Path,
    out: &Utf8Path,
) -> Result<()> {
    let mut paths = BindgenPaths::default();
    paths.add_layer(Crate(folder.into()));
    let options = GenerateOptions {
        languages: vec![language],
        source: library.into(),
        out_dir: out.into(),
        ..Default::default()
    };
    generate_with_bindgen_paths(options, paths)
}

fn rewrite(path: &Utf8Path, change: fn(&str) -> Result<String>) -> Result<()> {
    let text = fs::read_to_string(path).with_context(|| format!("{path} was not written"))?;
    fs::write(path, change(&text)?)?;
    Ok(())
}

/// Each error is a `PlanntError`, which tells code and message in one way for all of them.
fn swift(text: &str) -> Result<String> {
    let name = |line: &str| {
        let name = line
            .strip_suffix(": Swift.Error {")
            .or_else(|| line.split_once(": Swift.Error, ").map(|(name, _)| name));
        name.and_then(|name| name.strip_prefix("enum ")).map(str::to_owned)
    };
    let errors: Vec<String> =
        text.lines().filter_map(name).filter(|name| !name.starts_with("Uniffi")).collect();
    ensure!(!errors.is_empty(), "no error enums in the Swift source");
    let mut out = text.to_owned();
    out.push('\n');
    for error in errors {
        out.push_str(&format!("extension {error}: PlanntError {{}}\n"));
    }
    Ok(out)
}

/// Each exception is a `PlanntException`, whose message is the error's and not a list of its fields.
fn kotlin(text: &str) -> Result<String> {
    const BASE: &str = ": kotlin.Exception()";
    const MEMBERS: [&str; 2] = ["fun `errorCode`()", "fun `errorMessage`()"];
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut classes, mut members) = (false, 0, 0);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let is_class = line.starts_with("sealed class ") && line.contains(BASE);
        // The next item's comment is the end of one.
        inside = is_class || (inside && line != "/**");
        if is_class {
            out.push_str(&line.replace(BASE, ": PlanntException()"));
            classes += 1;
        } else if inside && line.trim() == "override val message" {
            let made = lines.next().unwrap_or_default();
            ensure!(made.trim().starts_with("get() = "), "a message made otherwise: {made}");
            continue;
        } else if let Some(member) = MEMBERS.into_iter().find(|m| inside && line.contains(m)) {
            out.push_str(&line.replace(member, &format!("override {member}")));
            members += 1;
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    ensure!(classes > 0 && members == 2 * classes, "{classes} exceptions with {members} members");
    Ok(out)
}
