//! The invoices in memory, by price and description.

use std::collections::{HashMap, VecDeque};

use super::blocks::Block;
use crate::maker::{Invoice, InvoiceKey};

/// The invoices of one price.
#[derive(Default)]
pub(super) struct Shelf {
    /// Nobody has seen them, and they are nowhere else.
    pub(super) ready: VecDeque<Invoice>,
    /// On the disk, where other processes may take them.
    pub(super) blocks: VecDeque<Block>,
    /// Blocks that are on the way from the disk to `ready`.
    pub(super) claiming: usize,
    last_wanted: u64,
}

impl Shelf {
    pub(super) fn take(&mut self, least_expiry: u64) -> Option<Invoice> {
        // The oldest come first; what is too old goes.
        while let Some(invoice) = self.ready.pop_front() {
            if invoice.facts.expires_at >= least_expiry {
                return Some(invoice);
            }
        }
        None
    }

    /// The next block, to be claimed; [`Shelves::add_claimed`] follows.
    pub(super) fn next_block(&mut self) -> Option<Block> {
        let block = self.blocks.pop_front()?;
        self.claiming += 1;
        Some(block)
    }

    fn len(&self) -> usize {
        self.ready.len() + self.blocks.iter().map(|block| block.invoices.len()).sum::<usize>()
    }
}

pub(super) struct Shelves {
    room: usize,
    shelves: HashMap<InvoiceKey, Shelf>,
    wanted: u64,
    /// Of prices that had to give way.
    useless: Vec<Block>,
}

impl Shelves {
    pub(super) fn new(room: usize) -> Self {
        Self { room, shelves: HashMap::new(), wanted: 0, useless: Vec::new() }
    }

    /// The shelf of a price that somebody wants; the one that nobody wanted for longest gives way to a new one.
    pub(super) fn wanted(&mut self, key: &InvoiceKey) -> &mut Shelf {
        self.wanted += 1;
        if !self.shelves.contains_key(key) && self.shelves.len() >= self.room {
            let oldest = self.shelves.iter().min_by_key(|(_, shelf)| shelf.last_wanted);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone())
                && let Some(gone) = self.shelves.remove(&oldest)
            {
                self.useless.extend(gone.blocks);
            }
        }
        let shelf = self.shelves.entry(key.clone()).or_default();
        shelf.last_wanted = self.wanted;
        shelf
    }

    pub(super) fn ready(&self, least_expiry: u64) -> usize {
        let all = self.shelves.values().flat_map(|shelf| &shelf.ready);
        all.filter(|invoice| invoice.facts.expires_at >= least_expiry).count()
    }

    /// Drops what is too old to be handed out, and returns the blocks of which nothing is left.
    pub(super) fn drop_old(&mut self, least_expiry: u64) -> Vec<Block> {
        let mut useless = std::mem::take(&mut self.useless);
        for shelf in self.shelves.values_mut() {
            shelf.ready.retain(|invoice| invoice.facts.expires_at >= least_expiry);
            let blocks = std::mem::take(&mut shelf.blocks);
            for mut block in blocks {
                block.invoices.retain(|invoice| invoice.facts.expires_at >= least_expiry);
                if block.invoices.is_empty() {
                    useless.push(block);
                } else {
                    shelf.blocks.push_back(block);
                }
            }
        }
        useless
    }

    /// The next block of a price that has less than `low` ready.
    pub(super) fn claimable(&mut self, low: usize) -> Option<(InvoiceKey, Block)> {
        let (key, shelf) = self
            .shelves
            .iter_mut()
            .filter(|(_, shelf)| shelf.ready.len() < low && !shelf.blocks.is_empty())
            .min_by_key(|(_, shelf)| shelf.ready.len())?;
        Some((key.clone(), shelf.next_block()?))
    }

    pub(super) fn add(&mut self, key: &InvoiceKey, invoices: Vec<Invoice>) {
        // A price that gave way meanwhile needs none.
        if let Some(shelf) = self.shelves.get_mut(key) {
            shelf.ready.extend(invoices);
        }
    }

    pub(super) fn add_claimed(&mut self, key: &InvoiceKey, invoices: Vec<Invoice>) {
        if let Some(shelf) = self.shelves.get_mut(key) {
            shelf.claiming = shelf.claiming.saturating_sub(1);
        }
        self.add(key, invoices);
    }

    /// The price that misses most, and how many.
    pub(super) fn neediest(&self, size: usize) -> Option<(InvoiceKey, usize)> {
        let missing = |shelf: &Shelf| size.saturating_sub(shelf.len());
        let (key, shelf) = self.shelves.iter().max_by_key(|(_, shelf)| missing(shelf))?;
        (missing(shelf) > 0).then(|| (key.clone(), missing(shelf)))
    }

    pub(super) fn drain_ready(&mut self) -> Vec<(InvoiceKey, Vec<Invoice>)> {
        let all = self.shelves.drain().filter(|(_, shelf)| !shelf.ready.is_empty());
        all.map(|(key, shelf)| (key, shelf.ready.into())).collect()
    }
}
