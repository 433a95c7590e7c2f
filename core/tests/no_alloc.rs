//! Accepting a credential allocates nothing. A binary of its own: its allocator counts for all of
//! it, and only here is `unsafe` needed.
#![allow(unsafe_code, clippy::unwrap_used)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::*;
use plannt_core::{Credential, RootKey, VerifyError, authorization_value, base64};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as this function's own contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as this function's own contract.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = ALLOCATIONS.with(Cell::get);
    let result = work();
    (ALLOCATIONS.with(Cell::get) - before, result)
}

#[test]
fn accepting_allocates_nothing() {
    let ring = keyring().with_verifying(RootKey::from_bytes([1; 32]));
    let preimage_caveat = format!("preimage={}", preimage().expose_hex().as_str());
    let small = signed(&minted_and(&["demo_color=red", &preimage_caveat]));
    let large = signed(&minted_and(&[&format!("a={}", "b".repeat(6_000))]));
    for tokens in [small.clone(), large.clone(), [&*small, &*large].join(",")] {
        let header = authorization_value(&tokens, &preimage());
        let (count, verified) = allocations(|| {
            let credential = Credential::from_authorization([header.as_bytes()]);
            credential.map(|credential| ring.verify(&credential.expect("one"), &request()))
        });
        assert!(verified.unwrap().is_ok());
        assert_eq!(count, 0, "{} bytes", tokens.len());
    }
    let bytes = base64::decode(&small).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let (count, verified) = allocations(|| {
        let credential = Credential::from_grpc_metadata(hex.as_bytes());
        credential.map(|credential| ring.verify(&credential, &request()))
    });
    assert!(verified.unwrap().is_ok());
    assert_eq!(count, 0, "gRPC");
}

#[test]
fn refusing_as_forged_allocates_nothing() {
    let header = authorization_value(&signed(&minted_and(&["a=b"])), &preimage());
    let ring =
        plannt_core::Keyring::new(plannt_core::Network::Bitcoin, RootKey::from_bytes(ROOT_KEY));
    let credential = Credential::from_authorization([header.as_bytes()]).unwrap().unwrap();
    let (count, refused) = allocations(|| ring.verify(&credential, &request()));
    assert_eq!(refused, Err(VerifyError::Invalid));
    assert_eq!(count, 0);
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| vec![1u8]).0, 1);
}
