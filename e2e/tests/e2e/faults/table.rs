//! The outcomes as docs/FAULTS.md shows them.

use std::path::PathBuf;

/// The name of a row, and its cells.
pub(super) type Row = (&'static str, [String; 3]);

const BEGIN: &str = "<!-- outcomes: written by FAULTS=write e2e/run faults -->\n";
const END: &str = "<!-- end -->\n";

/// Holds the page to the outcomes, or writes them into it where `FAULTS=write` says so.
pub(super) fn check(rows: &[Row]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/FAULTS.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).expect("the beginning of the table");
    let (shown, tail) = rest.split_once(END).expect("the end of the table");
    let table = table(rows);
    if std::env::var_os("FAULTS").is_some_and(|value| value == "write") {
        std::fs::write(path, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
    } else {
        assert!(shown == table, "docs/FAULTS.md is not what happens, which is:\n{table}");
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = "| | before the payment | during | after |\n|---|---|---|---|\n".to_owned();
    for (name, [before, during, after]) in rows {
        table += &format!("| {name} | {before} | {during} | {after} |\n");
    }
    table
}
