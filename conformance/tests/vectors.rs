//! Every file of vectors is well-formed, and this project's own code answers every case of it.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::path::Path;

use jsonschema::Registry;
use plannt_conformance::{
    Expected, InProcess, RunOptions, Suite, run, schema, suite_names, vectors, vectors_json,
};
use serde_json::Value;

/// The fewest cases of each suite.
const MINIMUM: [(&str, usize); 9] = [
    ("authorization_header", 60),
    ("caveats", 80),
    ("challenge_header", 80),
    ("client_flow", 80),
    ("identifier", 20),
    ("invoice", 50),
    ("macaroon", 150),
    ("mint", 20),
    ("verify", 100),
];

/// Its other flag says what is right.
const DISAGREE: &str = "LibrariesDisagree";

#[test]
fn our_own_code_answers_every_case() {
    let report = run(&vectors(), &mut InProcess, &RunOptions::new().with_codes(true));
    println!("{report}");
    assert!(report.is_success());
    assert!(report.suites.iter().all(|suite| suite.counts().2 == 0), "a case was skipped");
}

#[test]
fn every_file_is_as_its_schema_says() {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let common = parsed(schema("common").unwrap());
    let uri = common["$id"].as_str().unwrap().to_owned();
    let registry = Registry::new().add(uri, common).unwrap().prepare().unwrap();
    for suite in suite_names() {
        let schema = parsed(schema(suite).unwrap());
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{suite}: {error}"));
        let validator = jsonschema::options().with_registry(&registry).build(&schema).unwrap();
        let file = parsed(vectors_json(suite).unwrap());
        let errors: Vec<_> = validator
            .iter_errors(&file)
            .take(10)
            .map(|error| format!("{}: {error:.300}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{suite}:\n{}", errors.join("\n"));
    }
}

#[test]
fn every_file_keeps_its_own_word() {
    let mut ids = HashSet::new();
    for (suite, name) in vectors().iter().zip(suite_names()) {
        assert_eq!(suite.suite, name);
        assert_eq!(suite.schema, format!("schemas/{name}.schema.json"));
        assert_eq!(suite.number_of_tests, suite.cases().count(), "{name}");
        let mut used = HashSet::new();
        for case in suite.cases() {
            assert!(case.id.starts_with(&format!("{name}-")), "{}", case.id);
            assert!(ids.insert(case.id.clone()), "{} twice", case.id);
            used.extend(case.flags.iter().map(String::as_str));
        }
        let declared: HashSet<_> = suite.flags.keys().map(String::as_str).collect();
        assert_eq!(used, declared, "{name}: flags used, and declared");
    }
}

#[test]
fn a_disagreement_names_the_rule_that_decides() {
    for suite in vectors() {
        for case in suite.cases().filter(|c| c.flags.iter().any(|f| f == DISAGREE)) {
            let mut others = case.flags.iter().filter(|flag| *flag != DISAGREE);
            let decides = |flag: &String| suite.flags[flag].rule.starts_with("docs/PROTOCOL.md");
            assert!(others.any(decides), "{}", case.id);
        }
    }
}

#[test]
fn no_case_is_asked_twice() {
    for suite in vectors() {
        let mut inputs = HashSet::new();
        for case in suite.cases() {
            assert!(inputs.insert(case.input.to_string()), "{} repeats another's input", case.id);
        }
    }
}

/// Re-encodings of one macaroon have one output, and count once.
fn distinct_valid(suite: &Suite) -> usize {
    let valid = suite.cases().filter(|case| case.result == Expected::Valid);
    if suite.suite == "macaroon" {
        valid.map(|case| case.output.as_ref().unwrap().to_string()).collect::<HashSet<_>>().len()
    } else {
        valid.count()
    }
}

#[test]
fn there_are_enough_cases_and_half_of_them_are_invalid() {
    for suite in vectors() {
        let name = &suite.suite;
        let count = |result| suite.cases().filter(|case| case.result == result).count();
        let invalid = count(Expected::Invalid);
        let all = invalid + count(Expected::Acceptable) + distinct_valid(&suite);
        assert!(2 * invalid >= all, "{name}: {invalid} of {all} are invalid");
        let minimum = MINIMUM.iter().find(|(suite, _)| suite == name).map_or(1, |(_, n)| *n);
        assert!(all >= minimum, "{name}: {all} cases, at least {minimum}");
        println!("{name}: {all} cases, {invalid} of them invalid");
    }
}

#[test]
fn no_file_is_left_out_of_the_registry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stems = |folder: &str, end: &str| -> HashSet<String> {
        std::fs::read_dir(root.join(folder))
            .unwrap()
            .filter_map(|e| e.unwrap().file_name().to_str()?.strip_suffix(end).map(str::to_owned))
            .collect()
    };
    let known: HashSet<String> = suite_names().map(str::to_owned).collect();
    assert_eq!(stems("vectors", ".json"), known);
    let mut schemas = stems("schemas", ".schema.json");
    assert!(schemas.remove("common"));
    assert_eq!(schemas, known);
}
