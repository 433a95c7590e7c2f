//! A disk that is full, and a folder that can't be written: clear errors, no access, no payment.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::node::Node;
use crate::common::{plannt_at, run};

#[test]
fn a_full_disk_lets_nobody_in_and_loses_no_credential() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Mount::small(&folder.path().join("disk")) else { return };
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(&disk.path, &["--demo"]);
    let credential = node.buy(&service.get("/v1/demo", None));

    let filler = disk.fill();
    // The store's file may have some room of its own left; then this one is spent, and the next is not.
    let mut refused = None;
    for _ in 0..64 {
        let credential = node.buy(&service.get("/v1/demo", None));
        let answer = service.get("/v1/demo", Some(&credential));
        if answer.status == 503 {
            refused = Some((credential, answer));
            break;
        }
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let (kept, answer) = refused.expect("a full disk is noticed");
    assert_eq!(answer.code(), "unavailable", "{answer:?}");
    assert!(!answer.body.contains("verified"));

    std::fs::remove_file(filler).unwrap();
    // Neither was charged.
    assert_eq!(service.get("/v1/demo", Some(&kept)).status, 200);
    assert_eq!(service.get("/v1/demo", Some(&credential)).status, 200);
    drop(service);
}

#[test]
fn a_full_disk_stops_the_client_before_it_pays() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Mount::small(&folder.path().join("disk")) else { return };
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(&folder.path().join("service"), &["--demo"]);
    let fetch = || {
        run(plannt_at(&disk.path)
            .args(["--wallet", &node.devnet.payer_url(), "--network", "regtest"])
            .arg(service.url("/v1/demo")))
    };
    disk.fill();
    let ran = fetch();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(8), ""), "{ran:?}");
    assert!(ran.stderr.contains("journal"), "{ran:?}");
    assert!(node.payments().is_empty());
}

#[test]
fn a_read_only_folder_stops_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let home = folder.path().join("home");
    let fetch = |url: &str| {
        run(plannt_at(&home)
            .args(["--wallet", &node.devnet.payer_url(), "--network", "regtest"])
            .arg(url))
    };
    // Both have run before, so that everything is there and only writing is not possible.
    let service = node.serve(&home, &["--demo"]);
    assert_eq!(fetch(&service.url("/v1/demo")).code, Some(0));
    let credential = node.buy(&service.get("/v1/demo", None));
    drop(service);
    let Some(_mount) = Mount::read_only(&home) else { return };

    let elsewhere = node.serve(&folder.path().join("elsewhere"), &["--demo"]);
    let ran = fetch(&elsewhere.url("/v1/demo"));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(8), ""), "{ran:?}");
    assert_eq!(node.paid_msat().len(), 2);

    let ran = run(plannt_at(&home)
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--network", "regtest"])
        .args(["--node", &node.devnet.invoicer_url()]));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.stderr.contains("read-only") || ran.stderr.contains("Read-only"), "{ran:?}");
    let _ = credential;
}

/// A mount that is gone when dropped.
struct Mount {
    path: PathBuf,
}

impl Mount {
    /// A file system of 2 MiB.
    fn small(path: &Path) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        Self::new(path, &["-t", "tmpfs", "-o", "size=2m", "tmpfs"], &[])
    }

    /// The folder itself, read-only from now on.
    fn read_only(path: &Path) -> Option<Self> {
        let source = path.to_str().unwrap();
        Self::new(path, &["--bind", source], &["-o", "remount,ro,bind"])
    }

    fn new(path: &Path, args: &[&str], then: &[&str]) -> Option<Self> {
        let mount = |args: &[&str]| {
            let done = Command::new("mount").args(args).arg(path).output();
            done.is_ok_and(|out| out.status.success())
        };
        if mount(args) && (then.is_empty() || mount(then)) {
            return Some(Self { path: path.to_owned() });
        }
        println!("SKIPPED mount: this needs root, and the right to mount");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "mounting is needed with CI=true");
        None
    }

    /// Leaves no byte free, and says what to remove.
    fn fill(&self) -> PathBuf {
        let path = self.path.join("filler");
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        for size in [64 * 1024, 4096, 512, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
