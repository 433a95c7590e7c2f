//! The invoices in memory, by price and description.

use std::collections::{HashMap, HashSet, VecDeque};

use super::PoolOptions;
use super::blocks::Block;
use super::payees::Payees;
use crate::maker::{Invoice, InvoiceKey};

/// The invoices of one price.
#[derive(Default)]
pub(super) struct Shelf {
    /// Nobody has seen them, and they are nowhere else.
    pub(super) ready: VecDeque<Invoice>,
    /// On the disk, where other processes may take them.
    pub(super) blocks: VecDeque<Block>,
    /// How many invoices are in the block that is on its way from the disk to `ready`, if one is.
    claiming: Option<usize>,
    /// It was prepared: it is kept full whether somebody asks or not.
    is_kept: bool,
    /// How many challenges asked for it, since it was last idle.
    asked: usize,
    /// When the last one did, unix seconds.
    asked_at: u64,
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

    /// The next block, to be claimed, unless one is on its way; [`Shelves::add_claimed`] follows.
    pub(super) fn next_block(&mut self) -> Option<Block> {
        if self.claiming.is_some() {
            return None;
        }
        let block = self.blocks.pop_front()?;
        self.claiming = Some(block.invoices.len());
        Some(block)
    }

    pub(super) fn is_claiming(&self) -> bool {
        self.claiming.is_some()
    }

    /// How many it is to have: what nobody prepared has twice what was asked for, so that a price of one request alone
    /// does not cost a pool, and none when nobody asks any more.
    fn target(&self, size: usize, now: u64) -> usize {
        match self.is_kept {
            true => size,
            false if self.is_idle(now) => 0,
            false => self.asked.saturating_mul(2).min(size),
        }
    }

    fn is_idle(&self, now: u64) -> bool {
        now.saturating_sub(self.asked_at) > u64::from(PoolOptions::SHELF_SECONDS)
    }

    fn len(&self) -> usize {
        let ahead = self.blocks.iter().map(|block| block.invoices.len()).sum::<usize>();
        self.ready.len() + self.claiming.unwrap_or(0) + ahead
    }
}

#[derive(Default)]
pub(super) struct Shelves {
    room: usize,
    shelves: HashMap<InvoiceKey, Shelf>,
    wanted: u64,
    /// Of prices that had to give way, and of other nodes.
    useless: Vec<Block>,
    /// The prices that were prepared, also while others have taken their room.
    kept: HashSet<InvoiceKey>,
    payees: Payees,
    /// What earlier processes left is not here yet.
    pub(super) is_loading: bool,
}

impl Shelves {
    pub(super) fn new(room: usize, is_loading: bool) -> Self {
        Self { room, is_loading, ..Self::default() }
    }

    /// The shelf of a price that a challenge asks for.
    pub(super) fn asked(&mut self, key: &InvoiceKey, now: u64) -> &mut Shelf {
        let shelf = self.wanted(key);
        shelf.asked = if shelf.is_idle(now) { 1 } else { shelf.asked.saturating_add(1) };
        shelf.asked_at = now;
        shelf
    }

    /// Keeps a price's shelf full from now on.
    pub(super) fn keep(&mut self, key: &InvoiceKey) {
        self.kept.insert(key.clone());
        self.wanted(key).is_kept = true;
    }

    /// The shelf of a price; the one that nobody wanted for longest gives way to a new one, and those that are to be kept
    /// last.
    pub(super) fn wanted(&mut self, key: &InvoiceKey) -> &mut Shelf {
        self.wanted += 1;
        if !self.shelves.contains_key(key) && self.shelves.len() >= self.room {
            let oldest =
                self.shelves.iter().min_by_key(|(_, shelf)| (shelf.is_kept, shelf.last_wanted));
            if let Some(oldest) = oldest.map(|(key, _)| key.clone())
                && let Some(gone) = self.shelves.remove(&oldest)
            {
                self.useless.extend(gone.blocks);
            }
        }
        let is_kept = self.kept.contains(key);
        let shelf = self.shelves.entry(key.clone()).or_default();
        shelf.is_kept = is_kept;
        shelf.last_wanted = self.wanted;
        shelf
    }

    /// How many invoices of a price are in memory.
    pub(super) fn ready_of(&self, key: &InvoiceKey) -> usize {
        self.shelves.get(key).map_or(0, |shelf| shelf.ready.len())
    }

    pub(super) fn add_block(&mut self, key: &InvoiceKey, mut block: Block) {
        block.invoices.retain(|invoice| self.payees.are_own(invoice));
        match self.shelves.get_mut(key) {
            Some(shelf) => shelf.blocks.push_back(block),
            None => self.useless.push(block),
        }
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
            .filter(|(_, shelf)| shelf.ready.len() < low && !shelf.is_claiming())
            .filter(|(_, shelf)| !shelf.blocks.is_empty())
            .min_by_key(|(_, shelf)| shelf.ready.len())?;
        Some((key.clone(), shelf.next_block()?))
    }

    pub(super) fn add(&mut self, key: &InvoiceKey, invoices: Vec<Invoice>) {
        let payees = &self.payees;
        // A price that gave way meanwhile needs none.
        if let Some(shelf) = self.shelves.get_mut(key) {
            shelf.ready.extend(invoices.into_iter().filter(|invoice| payees.are_own(invoice)));
        }
    }

    /// Takes note of who is paid by an invoice that the node has just made. At the first sight of a new payee the node was
    /// exchanged: what pays another one goes.
    pub(super) fn learn(&mut self, made: &Invoice) {
        if !self.payees.learn(made) {
            return;
        }
        let payees = &self.payees;
        for shelf in self.shelves.values_mut() {
            shelf.ready.retain(|invoice| payees.are_own(invoice));
            for block in &mut shelf.blocks {
                block.invoices.retain(|invoice| payees.are_own(invoice));
            }
        }
    }

    pub(super) fn add_claimed(&mut self, key: &InvoiceKey, invoices: Vec<Invoice>) {
        if let Some(shelf) = self.shelves.get_mut(key) {
            shelf.claiming = None;
        }
        self.add(key, invoices);
    }

    /// The price that misses most, and how many.
    pub(super) fn neediest(&self, size: usize, now: u64) -> Option<(InvoiceKey, usize)> {
        let missing = |shelf: &Shelf| shelf.target(size, now).saturating_sub(shelf.len());
        let (key, shelf) = self.shelves.iter().max_by_key(|(_, shelf)| missing(shelf))?;
        (missing(shelf) > 0).then(|| (key.clone(), missing(shelf)))
    }

    pub(super) fn drain_ready(&mut self) -> Vec<(InvoiceKey, Vec<Invoice>)> {
        let all = self.shelves.drain().filter(|(_, shelf)| !shelf.ready.is_empty());
        all.map(|(key, shelf)| (key, shelf.ready.into())).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_nobody_asks_for_any_more_is_not_refilled_unless_it_is_kept() {
        let key = |amount_msat| InvoiceKey { amount_msat, memo: String::new() };
        let mut shelves = Shelves::new(8, false);
        assert_eq!(shelves.neediest(5, 0), None);
        shelves.asked(&key(1), 1_000);
        assert_eq!(shelves.neediest(5, 1_000).unwrap(), (key(1), 2));
        shelves.asked(&key(1), 1_100);
        assert_eq!(shelves.neediest(5, 2_900).unwrap(), (key(1), 4));
        assert_eq!(shelves.neediest(5, 2_901), None);
        // Back after a pause, it begins anew.
        shelves.asked(&key(1), 2_901);
        assert_eq!(shelves.neediest(5, 2_901).unwrap(), (key(1), 2));
        shelves.keep(&key(2));
        assert_eq!(shelves.neediest(5, 1_000_000).unwrap(), (key(2), 5));
    }

    #[test]
    fn what_is_kept_gives_way_last() {
        let key = |amount_msat| InvoiceKey { amount_msat, memo: String::new() };
        let mut shelves = Shelves::new(2, false);
        shelves.keep(&key(1));
        for amount_msat in 2..9 {
            shelves.asked(&key(amount_msat), 0);
        }
        let mut left: Vec<_> = shelves.shelves.keys().map(|key| key.amount_msat).collect();
        left.sort_unstable();
        assert_eq!(left, [1, 8]);
        // Where all are kept, one gives way nevertheless, and is kept again when it is wanted.
        for amount_msat in 9..12 {
            shelves.keep(&key(amount_msat));
        }
        shelves.asked(&key(1), 0);
        assert!(shelves.shelves[&key(1)].is_kept);
    }
}
