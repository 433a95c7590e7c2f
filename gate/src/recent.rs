//! The latest payment hashes of a kind, and no more of them than there is room for.

use std::collections::{HashSet, VecDeque};

use plannt_core::PaymentHash;

pub(crate) struct Recent {
    room: usize,
    hashes: HashSet<PaymentHash>,
    order: VecDeque<PaymentHash>,
}

impl Recent {
    pub(crate) fn new(room: usize) -> Self {
        Self { room, hashes: HashSet::new(), order: VecDeque::new() }
    }

    pub(crate) fn contains(&self, hash: &PaymentHash) -> bool {
        self.hashes.contains(hash)
    }

    /// `false` when it is there already.
    pub(crate) fn add(&mut self, hash: PaymentHash) -> bool {
        if !self.hashes.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > self.room
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        true
    }
}
