//! Puts the firmware where the board has its memory.

fn main() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/link.x");
    println!("cargo::rustc-link-arg-bins=-T{script}");
    println!("cargo::rerun-if-changed={script}");
}
