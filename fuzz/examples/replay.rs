//! Runs a target over one input, as an ordinary program: `cargo run --example replay TARGET FILE`.

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(target), Some(file)) = (arguments.next(), arguments.next()) else {
        panic!("give a target's name and a file");
    };
    let found = plannt_fuzz::TARGETS.iter().find(|(name, _)| *name == target);
    let (_, run) = found.expect("no such target");
    run(&std::fs::read(file).expect("a readable file"));
}
