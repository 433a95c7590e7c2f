//! A journal whose disk fills up, or was never writable: nothing is paid, or nothing is paid twice.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use plannt_client::{CredentialUse, IntentState};
use plannt_core::PaymentHash;
use plannt_lightning::{LightningError, PayOutcome, PayRequest, Payer, PaymentState};

use crate::mount::Mount;
use crate::support::*;

/// Takes all the room that is left.
fn fill(folder: PathBuf) {
    use std::io::Write;
    let mut file = std::fs::File::create(folder.join("filler")).unwrap();
    while file.write_all(&[1; 512]).is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_pays_nothing() {
    let world = World::selling(1).await;
    let home = world.folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let Some(_mount) = Mount::new(&home, &["-t", "tmpfs", "-o", "size=600k", "tmpfs"]) else {
        return;
    };
    let client = world.client();
    fill(home.clone());
    let error = client.send(world.get("/")).await.unwrap_err();
    assert_eq!(error.code(), "journal_full", "{error}");
    assert_eq!(world.attempts().await, 0);
    std::fs::remove_file(home.join("filler")).unwrap();
    assert_eq!(client.send(world.get("/")).await.unwrap().status, 200);
}

/// A wallet during whose payment the disk fills up.
struct Filling {
    inner: Arc<dyn Payer>,
    folder: PathBuf,
}

#[async_trait]
impl Payer for Filling {
    async fn pay(&self, request: &PayRequest) -> PayOutcome {
        let outcome = self.inner.pay(request).await;
        fill(self.folder.clone());
        outcome
    }

    async fn look_up_payment(&self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        self.inner.look_up_payment(hash).await
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        self.inner.balance_msat().await
    }

    fn wallet_id(&self) -> String {
        self.inner.wallet_id()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_while_paying_leaves_it_to_the_next_call() {
    let world = World::selling(1).await;
    let home = world.folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let Some(_mount) = Mount::new(&home, &["-t", "tmpfs", "-o", "size=600k", "tmpfs"]) else {
        return;
    };
    let payer = Arc::new(Filling { inner: world.payer(), folder: home.clone() });
    let client = world.builder_with(payer).build().unwrap();
    let error = client.send(world.get("/")).await.unwrap_err();
    assert_eq!(error.code(), "not_journaled");
    let text = error.to_string();
    assert!(text.contains("was paid") && text.contains("journal_full"), "{text}");
    // The preimage is not journaled, so the credential was not sent.
    assert_eq!((world.paid().await, world.seen().len()), (1, 1));

    std::fs::remove_file(home.join("filler")).unwrap();
    let client = world.client();
    assert_eq!(client.receipts(1).await.unwrap()[0].state, IntentState::Intended);
    let response = client.send(world.get("/")).await.unwrap();
    assert_eq!((response.status.as_u16(), response.credential), (200, CredentialUse::Recovered));
    assert_eq!(world.attempts().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_is_no_client() {
    let world = World::selling(1).await;
    world.client().send(world.get("/")).await.unwrap();
    let path = world.journal_path();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..4096].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(world.builder().build().unwrap_err().code(), "journal_corrupt");
}
