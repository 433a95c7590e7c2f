//! Writes fuzz/seeds, which is committed: `cargo run --example seeds`, in fuzz/.

use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    for seed in plannt_fuzz::seeds::all() {
        let folder = root.join(seed.target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(seed.name), seed.bytes)?;
    }
    Ok(())
}
