//! Every target over its committed seeds, with no fuzzer: what runs on the stable toolchain.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::{TARGETS, seeds};

/// What is committed, by target and name.
fn committed() -> BTreeMap<(String, String), Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut files = BTreeMap::new();
    for folder in fs::read_dir(root).expect("fuzz/seeds") {
        let folder = folder.expect("a folder");
        for file in fs::read_dir(folder.path()).expect("its files") {
            let file = file.expect("a file");
            let name = |entry: &fs::DirEntry| entry.file_name().into_string().expect("plain");
            let bytes = fs::read(file.path()).expect("readable");
            files.insert((name(&folder), name(&file)), bytes);
        }
    }
    files
}

#[test]
fn every_target_takes_its_seeds() {
    let committed = committed();
    for (target, run) in TARGETS {
        let mut seeds = committed.iter().filter(|((of, _), _)| of == target).peekable();
        assert!(seeds.peek().is_some(), "{target} has no seeds");
        for ((_, name), bytes) in seeds {
            println!("{target}/{name}");
            run(bytes);
        }
        run(&[]);
    }
}

#[test]
fn the_seeds_are_what_the_script_writes() {
    let written: BTreeMap<_, _> = seeds::all()
        .into_iter()
        .map(|seed| ((seed.target.to_owned(), seed.name), seed.bytes))
        .collect();
    assert!(written == committed(), "stale: run `cargo run --example seeds` in fuzz/");
}
