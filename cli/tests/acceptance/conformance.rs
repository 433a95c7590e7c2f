//! `plannt conformance`: the vectors handed out, and run.

use serde_json::Value;

use crate::common::{plannt, run};

fn example() -> String {
    format!("{}/../conformance/examples/adapter.py", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn vectors_are_handed_out_as_json_and_as_a_list() {
    let vectors = |args: &[&str]| run(plannt().args(["conformance", "vectors"]).args(args));
    let all: Value = serde_json::from_str(&vectors(&["--format", "json"]).stdout).unwrap();
    let names: Vec<_> =
        all.as_array().unwrap().iter().map(|f| f["suite"].as_str().unwrap()).collect();
    assert!(names.contains(&"macaroon") && names.contains(&"identifier"), "{names:?}");

    let one = vectors(&["--format", "json", "--suite", "identifier"]);
    let one: Value = serde_json::from_str(&one.stdout).unwrap();
    assert_eq!(one["schema"], "schemas/identifier.schema.json");

    let list = vectors(&[]);
    assert_eq!(list.stdout.lines().count(), names.len(), "{list:?}");
    assert_eq!(vectors(&["--suite", "nonsense"]).code, Some(2));
}

#[test]
fn a_run_passes_for_us_and_for_the_example_and_fails_for_a_bad_adapter() {
    let vectors = |args: &[&str]| run(plannt().args(["conformance", "run"]).args(args));
    let ours = vectors(&["--codes"]);
    assert_eq!(ours.code, Some(0), "{ours:?}");
    assert!(ours.stdout.lines().last().unwrap().contains(" 0 failed, 0 skipped"), "{ours:?}");

    let folder = tempfile::tempdir().unwrap();
    let junit = folder.path().join("report.xml");
    let junit = junit.to_str().unwrap();
    let theirs = vectors(&["--codes", "--junit", junit, "--", "python3", &example()]);
    assert_eq!(theirs.code, Some(0), "{theirs:?}");
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains("<testsuite name=\"identifier\"") && xml.contains("failures=\"0\""));
    assert!(xml.contains("<skipped message=\"unsupported by the adapter\"/>"));

    let bad = vectors(&["--suite", "identifier", "--junit", junit, "--", "true"]);
    assert_eq!(bad.code, Some(1), "{bad:?}");
    assert!(bad.stdout.starts_with("FAILED identifier-0001: "), "{bad:?}");
    assert!(std::fs::read_to_string(junit).unwrap().contains("<failure message="));
    // An adapter that answers nothing at all has not passed.
    assert_eq!(vectors(&["--suite", "mint", "--", "python3", &example()]).code, Some(1));
    assert_eq!(vectors(&["--", "/no/such/adapter"]).code, Some(2));
}
