//! Whose invoices are the node's own: it may be exchanged for another one behind the same name.

use crate::maker::Invoice;

/// A public key, compressed.
type Payee = [u8; 33];

/// A service with so many payees is no single node, and they tell nothing.
const MOST: usize = 8;

/// Who is paid by the invoices that the node has made here.
#[derive(Default)]
pub(super) struct Payees {
    seen: Vec<Payee>,
    /// Those since the last one that was new.
    current: Vec<Payee>,
}

impl Payees {
    /// Takes note of a payee. Whether it is a new one, so that the others' invoices are an earlier node's.
    pub(super) fn learn(&mut self, made: &Invoice) -> bool {
        let Some(payee) = made.facts.payee else { return false };
        if self.current.contains(&payee) || self.seen.len() >= MOST {
            return false;
        }
        let is_new = !self.seen.contains(&payee);
        if is_new {
            self.seen.push(payee);
            self.current.clear();
        }
        self.current.push(payee);
        is_new
    }

    /// Whether an invoice is this node's, as far as is known.
    pub(super) fn are_own(&self, invoice: &Invoice) -> bool {
        let Some(payee) = invoice.facts.payee else { return true };
        self.current.is_empty() || self.seen.len() >= MOST || self.current.contains(&payee)
    }
}

#[cfg(test)]
mod tests {
    use plannt_core::{InvoiceFacts, Network, PaymentHash};

    use super::*;

    fn of(payee: u8) -> Invoice {
        let facts = InvoiceFacts {
            amount_msat: None,
            description: None,
            expires_at: 0,
            issued_at: 0,
            network: Network::Regtest,
            payee: Some([payee; 33]),
            payment_hash: PaymentHash::from_bytes([0; 32]),
        };
        Invoice { bolt11: String::new(), facts }
    }

    #[test]
    fn a_new_payee_ends_the_others() {
        let mut payees = Payees::default();
        assert!(payees.are_own(&of(1)));
        assert!(payees.learn(&of(1)) && !payees.learn(&of(1)));
        assert!(payees.are_own(&of(1)) && !payees.are_own(&of(2)));
        assert!(payees.learn(&of(2)));
        assert!(payees.are_own(&of(2)) && !payees.are_own(&of(1)));
    }

    #[test]
    fn several_in_turns_are_one_node() {
        let mut payees = Payees::default();
        for payee in [1, 2, 1, 2, 1] {
            payees.learn(&of(payee));
        }
        assert!(payees.are_own(&of(1)) && payees.are_own(&of(2)) && !payees.are_own(&of(3)));
    }

    #[test]
    fn a_payee_for_each_invoice_tells_nothing() {
        let mut payees = Payees::default();
        let told = (0..100).filter(|payee| payees.learn(&of(*payee))).count();
        assert_eq!(told, MOST);
        assert!(payees.are_own(&of(0)) && payees.are_own(&of(200)));
    }
}
