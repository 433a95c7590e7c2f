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

/// What an app may want to keep or to read from its settings. Swift makes the conformance only in a type's own file.
const CODABLE: [&str; 19] = [
    "Budget",
    "BudgetRule",
    "BudgetStatus",
    "DriverOptions",
    "ErrorText",
    "FeeLimit",
    "Identifier",
    "InvoiceFacts",
    "Limits",
    "MintRequest",
    "Outcome",
    "PathRules",
    "Policy",
    "Receipt",
    "RequestContext",
    "RequestFacts",
    "RequestKey",
    "SplitCaveat",
    "Verified",
];

/// Each error is a `PlanntError`, which tells code and message in one way for all of them; a defect of Rust's is one, too.
fn swift(text: &str) -> Result<String> {
    const INTERNAL: &str = "fileprivate enum UniffiInternalError: LocalizedError {";
    let error = |line: &str| {
        let (name, _) = line.strip_prefix("enum ")?.split_once(": Swift.Error")?;
        Some(name.to_owned())
    };
    let errors: Vec<String> = text.lines().filter_map(error).collect();
    ensure!(!errors.is_empty(), "no errors in the Swift source");
    let internal = "enum UniffiInternalError: PlanntError {\n    \
        func errorCode() -> String { \"internal\" }\n    \
        func errorMessage() -> String { errorDescription ?? \"\" }\n";
    let mut out = once(text, INTERNAL, internal)?;
    for error in errors {
        out.push_str(&format!("\nextension {error}: PlanntError {{}}\n"));
    }
    for record in CODABLE {
        ensure!(out.contains(&format!("public struct {record}: ")), "no record {record}");
        out.push_str(&format!("\nextension {record}: Codable {{}}\n"));
    }
    Ok(out)
}

fn once(text: &str, what: &str, with: &str) -> Result<String> {
    ensure!(text.matches(what).count() == 1, "not there exactly once: {what}");
    Ok(text.replace(what, with))
}

/// Each exception is a `PlanntException`, whose message is the error's and not a list of its fields; a defect of Rust's is
/// one, too. What an app implements is guarded: uniffi's own code would leave a call without an answer, and end an Android
/// app, where it throws an `Error` or gives back what can't cross. It is asked on threads of its own, since callers may wait on
/// all of the common ones.
fn kotlin(text: &str) -> Result<String> {
    const BASE: &str = ": kotlin.Exception()";
    const MEMBERS: [&str; 2] = ["fun `errorCode`()", "fun `errorMessage`()"];
    const INTERNAL: &str = "class InternalException(message: String) : kotlin.Exception(message)\n";
    let internal = "class InternalException(private val text: String) : PlanntException() {\n    \
        override fun errorCode() = \"internal\"\n    \
        override fun errorMessage() = text\n}\n";
    const LAUNCH: &str = "GlobalScope.launch ";
    const INSERT: &str = "return handleMap.insert(value)\n";
    ensure!(text.matches(INSERT).count() == 2, "a wallet and a checker, and nothing else");
    let text = text.replace(INSERT, "return handleMap.insert(guarded(value))\n");
    let text = once(&text, INTERNAL, internal)?;
    ensure!(text.matches(LAUNCH).count() == 2, "one for what throws, and one for what does not");
    let text = text.replace(LAUNCH, "answering.launch ");
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
