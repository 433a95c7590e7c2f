//! The file: private, durable, ours, and nothing is paid without it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use plannt_client::{Journal, JournalError};
use plannt_core::flow::Reservation;

use crate::mount::Mount;
use crate::support::*;

fn code(path: &Path) -> &'static str {
    match Journal::open(path) {
        Ok(_) => "opened",
        Err(error) => {
            assert!(error.to_string().contains("journal"), "{error}");
            error.code()
        }
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_its_owner_can_read_it() {
    let home = Home::new();
    let journal = home.journal();
    reserve(&journal, &intent(1, "/"));
    let folder = home.folder.path().join("home");
    assert_eq!(mode(&folder), 0o700);
    for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        let wanted = if entry.metadata().unwrap().is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&entry.path()), wanted, "{entry:?}");
    }
    drop(journal);
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o644)).unwrap();
    drop(home.journal());
    assert_eq!(mode(&home.path()), 0o600);
}

#[test]
fn it_is_in_wal_mode() {
    let home = Home::new();
    let journal = home.journal();
    reserve(&journal, &intent(1, "/"));
    let wal = home.folder.path().join("home/journal.db-wal");
    assert!(std::fs::metadata(wal).unwrap().len() > 0);
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let home = Home::new();
    std::fs::create_dir(home.folder.path().join("home")).unwrap();
    std::fs::write(home.path(), "a letter to a friend, and longer than any header is ".repeat(40))
        .unwrap();
    let before = std::fs::read(home.path()).unwrap();
    assert_eq!(code(&home.path()), "journal_corrupt");
    assert_eq!(std::fs::read(home.path()).unwrap(), before);
}

#[test]
fn another_programs_database_and_a_newer_version_are_foreign() {
    let home = Home::new();
    std::fs::create_dir(home.folder.path().join("home")).unwrap();
    let other = rusqlite::Connection::open(home.path()).unwrap();
    other.execute_batch("CREATE TABLE payments (x)").unwrap();
    drop(other);
    assert_eq!(code(&home.path()), "journal_foreign");

    let home = Home::new();
    drop(home.journal());
    let newer = rusqlite::Connection::open(home.path()).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(newer);
    assert_eq!(code(&home.path()), "journal_foreign");
}

#[test]
fn damage_is_found_before_anything_is_paid() {
    let home = Home::new();
    let journal = home.journal();
    for seed in 0..200 {
        pay(&journal, seed, &format!("/{seed}"));
    }
    drop(journal);
    let mut bytes = std::fs::read(home.path()).unwrap();
    assert!(bytes.len() > 8 * 4096);
    for page in bytes.chunks_mut(4096).skip(2) {
        page[..64].fill(0xa5);
    }
    std::fs::write(home.path(), &bytes).unwrap();
    assert_eq!(code(&home.path()), "journal_corrupt");

    bytes.truncate(3 * 4096 + 100);
    std::fs::write(home.path(), &bytes).unwrap();
    assert_eq!(code(&home.path()), "journal_corrupt");
}

#[test]
fn a_preimage_that_was_tampered_with_is_damage() {
    let home = Home::new();
    pay(&home.journal(), 1, "/");
    let other = rusqlite::Connection::open(home.path()).unwrap();
    other.execute("UPDATE payments SET preimage = zeroblob(32)", []).unwrap();
    drop(other);
    let request = request("/");
    let (journal, key) = (home.journal(), request.key("wallet"));
    let budget = plannt_client::Budget::unlimited();
    let loaded = journal.load(&request, key.as_ref(), plannt_core::Network::Regtest, &budget, NOW);
    assert!(matches!(loaded, Err(JournalError::Corrupt { .. })));
}

#[test]
fn a_path_that_cannot_be_is_an_error() {
    let home = Home::new();
    std::fs::write(home.folder.path().join("file"), "").unwrap();
    assert_eq!(code(&home.folder.path().join("file/journal.db")), "journal_io");
    std::fs::create_dir_all(home.folder.path().join("folder/journal.db")).unwrap();
    assert_eq!(code(&home.folder.path().join("folder/journal.db")), "journal_io");
}

#[test]
fn a_full_disk_is_told_and_what_was_written_stays() {
    let home = Home::new();
    let Some(_mount) = Mount::new(home.folder.path(), &["-t", "tmpfs", "-o", "size=400k", "tmpfs"])
    else {
        return;
    };
    let journal = home.journal();
    let mut granted = 0;
    let error = loop {
        let mut next = intent(granted, &format!("/{granted}"));
        next.token = "x".repeat(8_000);
        match journal.reserve(&next, &plannt_client::Budget::unlimited(), NOW) {
            Ok(Reservation::Granted) => granted += 1,
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "journal_full", "{error}");
    assert_eq!(journal.receipts(1_000).unwrap().len(), granted as usize);
}

#[test]
fn a_folder_that_is_full_from_the_start_is_told() {
    let home = Home::new();
    let Some(_mount) = Mount::new(home.folder.path(), &["-t", "tmpfs", "-o", "size=16k", "tmpfs"])
    else {
        return;
    };
    std::fs::write(home.folder.path().join("other"), [1; 12_288]).unwrap();
    assert_eq!(code(&home.path()), "journal_full");
}

#[test]
fn a_read_only_folder_is_told() {
    let home = Home::new();
    let inside = home.folder.path().join("home");
    pay(&home.journal(), 1, "/");
    let text = inside.to_str().unwrap();
    let Some(_mount) = Mount::new(&inside, &["--bind", "-o", "ro", text]) else { return };
    if std::fs::write(inside.join("probe"), "").is_ok() {
        eprintln!("skipped: this mount does not do read-only binds");
        return;
    }
    assert_eq!(code(&home.path()), "journal_read_only");
}

#[test]
fn every_name_of_the_file_leads_to_the_same_locks() {
    let home = Home::new();
    let link = home.folder.path().join("link.db");
    std::os::unix::fs::symlink(home.path(), &link).unwrap();
    let journals = [home.journal(), Journal::open(&link).unwrap()];
    let key = request("/").key("wallet").unwrap();
    let held = journals[0].try_lock(&key).unwrap();
    assert!(held.is_some());
    assert!(journals[1].try_lock(&key).unwrap().is_none());
    drop(held);
    assert!(journals[1].try_lock(&key).unwrap().is_some());
    assert!(!home.folder.path().join("link.db.locks").exists());
}

#[test]
fn a_link_to_nowhere_makes_the_file_or_an_error() {
    let home = Home::new();
    let link = home.folder.path().join("link.db");
    std::os::unix::fs::symlink(home.folder.path().join("no/such/folder/j.db"), &link).unwrap();
    assert_eq!(code(&link), "journal_io");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(home.folder.path().join("made.db"), &link).unwrap();
    assert_eq!(code(&link), "opened");
    assert_eq!(mode(&home.folder.path().join("made.db")), 0o600);
}

#[test]
fn a_file_that_went_away_under_it_takes_no_payment() {
    let budget = plannt_client::Budget::unlimited();
    for replaced in [false, true] {
        let home = Home::new();
        let journal = home.journal();
        reserve(&journal, &intent(1, "/"));
        std::fs::rename(home.path(), home.folder.path().join("moved.db")).unwrap();
        if replaced {
            std::fs::copy(home.folder.path().join("moved.db"), home.path()).unwrap();
        }
        let error = journal.reserve(&intent(2, "/2"), &budget, NOW).unwrap_err();
        assert_eq!(error.code(), "journal_replaced", "{error}");
        let key = request("/3").key("wallet").unwrap();
        assert_eq!(journal.try_lock(&key).unwrap_err().code(), "journal_replaced");
        // What was paid already can still be noted.
        journal
            .hold(&intent(1, "/").payment_hash, plannt_core::flow::IntentState::Unknown)
            .unwrap();
    }
}

#[test]
fn an_empty_journal_takes_nothing() {
    let journal = Journal::empty().unwrap();
    let budget = plannt_client::Budget::unlimited();
    let key = request("/").key("wallet").unwrap();
    assert!(journal.receipts(1).unwrap().is_empty());
    assert!(journal.reserve(&intent(1, "/"), &budget, NOW).is_err());
    assert!(journal.try_lock(&key).is_err());
}

#[test]
fn a_file_of_version_1_is_brought_up_to_date() {
    let home = Home::new();
    pay(&home.journal(), 1, "/");
    let old = rusqlite::Connection::open(home.path()).unwrap();
    old.execute_batch(
        "DROP INDEX payments_by_session; ALTER TABLE payments DROP COLUMN session; PRAGMA user_version = 1",
    )
    .unwrap();
    drop(old);
    let journal = home.journal().with_session(AMOUNT_MSAT + FEE_MSAT).unwrap();
    assert_eq!(receipt(&journal, 1).amount_msat, AMOUNT_MSAT);
    assert_eq!(reserve(&journal, &intent(2, "/2")), Reservation::Granted);
    assert_eq!(reserve(&journal, &intent(3, "/3")), Reservation::OverBudget { left_msat: 0 });
    assert_eq!(code(&home.path()), "opened");
}
