//! A data folder: its first start, every later one, and every way in which its parts don't fit.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;

use plannt_core::{Keyring, MintRequest, Network, PaymentHash};
use plannt_gate::{KeyringError, KeyringFile, KeyringStore, PairId, SqliteStore};
use support::Mount;

const NOW: u64 = 1_900_000_000;

fn open(folder: &Path) -> Result<KeyringStore, KeyringError> {
    KeyringStore::open_or_create(folder, Network::Regtest, NOW)
}

fn open_code(folder: &Path) -> &'static str {
    open(folder).unwrap_err().code()
}

/// What the keyring's minting key makes of a payment.
fn token(keyring: &Keyring) -> String {
    let hash = PaymentHash::from_bytes([9; 32]);
    let request = MintRequest::new(hash, "demo", "GET", "/v1/demo", NOW, 21_000);
    keyring.mint(&request).unwrap().into_string()
}

#[test]
fn the_first_start_makes_a_pair_that_later_starts_find() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("home").join("gateway");
    let first = open(&folder).unwrap();
    assert!(first.created);
    let again = open(&folder).unwrap();
    assert!(!again.created, "several processes may have it open");
    assert_eq!(first.keyring.pair_id(), again.keyring.pair_id());
    assert_eq!(token(&first.keyring.keyring()), token(&again.keyring.keyring()));
    let pair = SqliteStore::read_pair_id(&KeyringStore::store_path(&folder)).unwrap();
    assert_eq!(first.keyring.pair_id(), pair.as_ref());
    assert_eq!(first.keyring.created_at().collect::<Vec<_>>(), [NOW]);
}

#[cfg(unix)]
#[test]
fn what_is_secret_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("home");
    let opened = open(&folder).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    let keyring = KeyringStore::keyring_path(&folder);
    let text = fs::read_to_string(&keyring).unwrap();
    let secret = text.split('"').find(|part| part.len() == 64).unwrap().to_owned();
    assert!(!format!("{opened:?}").contains(&secret));

    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o640)).unwrap();
    let error = open(&folder).unwrap_err();
    assert_eq!(error.code(), "keyring_permissions");
    assert!(error.to_string().contains("chmod 600") && !error.to_string().contains(&secret));
    fs::set_permissions(&keyring, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&keyring, text.replace("\"version\"", "\"worsion\"")).unwrap();
    let error = open(&folder).unwrap_err();
    assert_eq!(error.code(), "keyring_malformed");
    assert!(!format!("{error} {error:?}").contains(&secret));
}

#[test]
fn a_used_keyring_needs_its_own_store() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    let store = KeyringStore::store_path(folder.path());
    let aside = folder.path().join("aside");
    fs::rename(&store, &aside).unwrap();
    assert_eq!(open_code(folder.path()), "store_missing");
    assert!(!store.exists(), "it is not made anew");
    SqliteStore::create(&store, &PairId::random()).unwrap();
    assert_eq!(open_code(folder.path()), "store_foreign");
    fs::rename(&aside, &store).unwrap();
    assert!(!open(folder.path()).unwrap().created);
}

#[test]
fn a_first_start_that_was_cut_short_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let pair = PairId::random();
    SqliteStore::create(&KeyringStore::store_path(folder.path()), &pair).unwrap();
    let opened = open(folder.path()).unwrap();
    assert!(opened.created);
    assert_eq!(opened.keyring.pair_id(), Some(&pair));
}

#[test]
fn a_keyring_made_by_hand_is_paired_at_its_first_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = KeyringStore::keyring_path(folder.path());
    let made = KeyringFile::generate(Network::Regtest, NOW - 9);
    made.write(&path).unwrap();
    assert_eq!(KeyringFile::read(&path).unwrap().unwrap().pair_id(), None);
    let opened = open(folder.path()).unwrap();
    assert!(opened.created && opened.keyring.pair_id().is_some());
    assert_eq!(token(&opened.keyring.keyring()), token(&made.keyring()));
    let store = KeyringStore::store_path(folder.path());
    drop(opened);
    fs::remove_file(store).unwrap();
    assert_eq!(open_code(folder.path()), "store_missing");
}

#[test]
fn a_keyring_serves_one_network() {
    let folder = tempfile::tempdir().unwrap();
    KeyringFile::generate(Network::Bitcoin, NOW)
        .write(&KeyringStore::keyring_path(folder.path()))
        .unwrap();
    assert_eq!(open_code(folder.path()), "network_mismatch");
    assert!(!KeyringStore::store_path(folder.path()).exists());
}

#[test]
fn rotation_keeps_the_old_key_until_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.json");
    let mut file = KeyringFile::generate(Network::Regtest, NOW);
    let old = token(&file.keyring());
    file.rotate(NOW + 1);
    file.write(&path).unwrap();
    let mut file = KeyringFile::read(&path).unwrap().unwrap();
    assert_ne!(token(&file.keyring()), old);
    assert_eq!(file.keyring().len(), 2);
    assert_eq!(file.created_at().collect::<Vec<_>>(), [NOW + 1, NOW]);
    assert_eq!(file.drop_older(), 1);
    assert_eq!(file.keyring().len(), 1);
}

#[test]
fn what_is_no_keyring_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = KeyringStore::keyring_path(folder.path());
    KeyringFile::generate(Network::Regtest, NOW).write(&path).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let key = good.split('"').find(|part| part.len() == 64).unwrap().to_owned();
    let bad = [
        String::new(),
        "{}".into(),
        good.replace("\"version\": 1", "\"version\": 2"),
        good.replace("regtest", "mars"),
        good.replace(&key, &key[1..]),
        good.replace(&key, &"zz".repeat(32)),
        good.replace("null", "\"short\""),
        good.replace("\"keys\"", "\"extra\": 1, \"keys\""),
        format!("{good}{{}}"),
    ];
    for text in bad {
        assert_ne!(text, good);
        fs::write(&path, &text).unwrap();
        assert_eq!(open_code(folder.path()), "keyring_malformed", "{text}");
    }
    fs::write(&path, good).unwrap();
    open(folder.path()).unwrap();
}

#[test]
fn starts_at_the_same_time_agree_on_one_pair() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let opened: Vec<KeyringStore> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..6).map(|_| scope.spawn(|| open(path).unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let first = &opened[0];
    for other in &opened {
        assert_eq!(other.keyring.pair_id(), first.keyring.pair_id());
        assert_eq!(token(&other.keyring.keyring()), token(&first.keyring.keyring()));
    }
    assert_eq!(opened.iter().filter(|one| one.created).count(), 1);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    {
        let Some(mount) = Mount::read_only(folder.path()) else { return };
        assert_eq!(open_code(mount.path()), "keyring_io");
    }
    drop(open(folder.path()).unwrap());
    let Some(mount) = Mount::read_only(folder.path()) else { return };
    assert_eq!(open_code(mount.path()), "store_read_only");
    drop(mount);
    let Some(mount) = Mount::small_tmpfs() else { return };
    mount.fill();
    assert!(matches!(open_code(mount.path()), "keyring_io" | "store_io" | "store_disk_full"));
    assert!(!KeyringStore::keyring_path(mount.path()).exists());
}

#[test]
fn a_store_is_found_by_its_url() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("home");
    let path = folder.to_str().unwrap();
    let open = |url: &str| KeyringStore::open_url(url, Network::Regtest, NOW);
    let first = open(&format!("sqlite://{path}")).unwrap();
    assert!(first.created);
    for url in [path.to_owned(), format!("sqlite:{path}")] {
        assert_eq!(open(&url).unwrap().keyring.pair_id(), first.keyring.pair_id(), "{url}");
    }
    for url in ["redis://user:secret@host", "postgres://host/db", "sqlite:", "sqlite://", ""] {
        let error = open(url).unwrap_err();
        assert_eq!(error.code(), "store_unknown_scheme", "{url}");
        assert!(!error.to_string().contains("secret"));
    }
}
