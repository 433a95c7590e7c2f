//! Invoices on the disk: a file for some of one price, which is gone before one of them is handed out.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::files;
use crate::id::AttemptId;
use crate::maker::{Invoice, InvoiceKey};

const SUFFIX: &str = "invoices.json";
/// A draft that is so old is nobody's.
const LEFT: Duration = Duration::from_secs(3_600);

/// A folder of one node's blocks; processes may share it.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// [`Invoicer::invoicer_id`](plannt_lightning::Invoicer::invoicer_id): nobody gets what is paid to an earlier node.
    node: String,
}

/// Invoices that lie in a file.
pub(super) struct Block {
    pub(super) path: PathBuf,
    pub(super) invoices: Vec<Invoice>,
}

impl Block {
    /// Removes the file of a block that is of no use.
    pub(super) fn forget(&self) {
        // One that stays is read at the next start, and found useless again.
        let _ = fs::remove_file(&self.path);
    }
}

#[derive(Deserialize, Serialize)]
struct Text {
    node: String,
    amount_msat: u64,
    memo: String,
    invoices: Vec<String>,
}

impl Folder {
    pub(super) fn new(path: PathBuf, node: String) -> Self {
        Self { path, node }
    }

    /// What earlier processes left; what can't be read is removed, and what is another node's.
    pub(super) fn read(&self) -> Vec<(PathBuf, InvoiceKey, Vec<String>)> {
        let Ok(entries) = fs::read_dir(&self.path) else { return Vec::new() };
        let paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.iter().filter(|path| is_left_draft(path)).for_each(|path| {
            let _ = fs::remove_file(path);
        });
        let paths = paths.into_iter().filter(|path| path.to_string_lossy().ends_with(SUFFIX));
        let read = |path: PathBuf| match read_block(&path) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Ok(Text { node, amount_msat, memo, invoices }) if node == self.node => {
                Some((path, InvoiceKey { amount_msat, memo }, invoices))
            }
            Ok(_) => {
                let _ = fs::remove_file(path);
                None
            }
            Err(error) => {
                tracing::warn!(%error, "invoices on the disk can't be read");
                let _ = fs::remove_file(path);
                None
            }
        };
        paths.filter_map(read).collect()
    }

    /// Writes a block. `None`, where that can't be done: the log says why.
    pub(super) fn write(&self, key: &InvoiceKey, invoices: Vec<Invoice>) -> Option<Block> {
        let path = self.path.join(format!("{}.{SUFFIX}", AttemptId::random()));
        let text = Text {
            node: self.node.clone(),
            amount_msat: key.amount_msat,
            memo: key.memo.clone(),
            invoices: invoices.iter().map(|invoice| invoice.bolt11.clone()).collect(),
        };
        match write_block(&self.path, &path, &text) {
            Ok(()) => Some(Block { path, invoices }),
            Err(error) => {
                tracing::warn!(%error, "invoices can't be kept on the disk");
                None
            }
        }
    }

    /// Makes a block this process's own: its file is gone for good before this returns. `None` where another process
    /// was faster, or it can't be made sure.
    pub(super) fn claim(&self, block: Block) -> Option<Vec<Invoice>> {
        let gone = fs::remove_file(&block.path).and_then(|()| files::sync_folder_of(&block.path));
        match gone {
            Ok(()) => Some(block.invoices),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(%error, "invoices on the disk can't be taken");
                None
            }
        }
    }
}

fn read_block(path: &Path) -> io::Result<Text> {
    serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)
}

/// It appears whole, or not at all.
fn write_block(folder: &Path, path: &Path, text: &Text) -> io::Result<()> {
    files::create_private_folder(folder)?;
    let text = serde_json::to_vec(text).map_err(io::Error::other)?;
    files::write_by_draft(&path.with_extension("draft"), path, |file| file.write_all(&text))
}

/// Whether it is the draft of a process that has ended: no draft takes long.
fn is_left_draft(path: &Path) -> bool {
    let changed = || fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    path.extension().is_some_and(|extension| extension == "draft")
        && changed().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > LEFT)
}
