//! Adapters in programs of their own: a good one, and every way of being a bad one.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use plannt_conformance::{
    Adapter, Answer, Case, Expected, Outcome, Process, RunOptions, run, vectors,
};
use serde_json::json;

/// Answers of a shell script that reads a line for each it writes.
fn answers(script: &str, count: usize) -> Vec<Answer> {
    let mut process = Process::start("sh".as_ref(), ["-c", script]).unwrap();
    (0..count).map(|i| process.run(&format!("x-{i:04}"), "x", &json!({}))).collect()
}

fn failure(answer: &Answer) -> &str {
    match answer {
        Answer::Failure(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_answers_its_suite_and_skips_the_rest() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/adapter.py");
    let mut process = match Process::start("python3".as_ref(), [example]) {
        Ok(process) => process,
        Err(error) if std::env::var_os("CI").is_none() => {
            println!("SKIPPED: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let report = run(&vectors(), &mut process, &RunOptions::new().with_codes(true));
    assert!(report.is_success(), "{report}");
    for suite in &report.suites {
        let (passed, failed, skipped) = suite.counts();
        assert_eq!(failed, 0);
        assert_eq!(passed > 0, suite.name == "identifier");
        assert_eq!(skipped > 0, suite.name != "identifier");
    }
}

#[test]
fn answers_are_read_line_by_line() {
    let script = r#"
        read x; echo '{"id":"x-0000","output":{"a":1}}'
        read x; echo '{"id":"x-0001","error":"some_code"}'
        read x; echo '{"unsupported":true,"id":"x-0002"}'
        read x; echo '{"id":"x-0003","output":{},"error":"e"}'
        read x; echo '{"id":"x-0003","output":{}}'
        read x; echo 'hello'
        read x; echo '{"id":"x-0006","output":{}}'
        read x; printf '\377\n'
        read x; echo '{"id":"x-0008","error":"e"}'
    "#;
    let got = answers(script, 10);
    assert_eq!(got[0], Answer::Output(json!({"a": 1})));
    assert_eq!(got[1], Answer::Error("some_code".into()));
    assert_eq!(got[2], Answer::Unsupported);
    assert!(failure(&got[3]).contains("alone"));
    assert!(failure(&got[4]).contains("x-0003"));
    assert!(failure(&got[5]).contains("not an answer"));
    // One bad line does not spoil the next; a program that has ended answers nothing more.
    assert_eq!(got[6], Answer::Output(json!({})));
    assert!(failure(&got[7]).contains("not an answer"));
    assert_eq!(got[8], Answer::Error("e".into()));
    assert_eq!(failure(&got[9]), "the adapter ended");
}

#[test]
fn a_program_that_does_not_answer_is_not_waited_for() {
    // It never reads, so that a long request fills the pipe, either.
    let process = Process::start("sleep".as_ref(), ["600"]).unwrap();
    let mut process = process.with_time_limit(Duration::from_millis(50));
    let long = json!({ "text": "x".repeat(1 << 20) });
    for input in [long, json!({})] {
        let answer = process.run("x-0001", "x", &input);
        assert_eq!(failure(&answer), "no answer within 50ms");
    }
}

#[test]
fn a_program_that_ends_fails_every_case() {
    let mut process = Process::start("true".as_ref(), [""; 0]).unwrap();
    let report = run(&vectors(), &mut process, &RunOptions::new());
    assert!(!report.is_success());
    let mut cases = report.suites.iter().flat_map(|suite| &suite.cases);
    assert!(cases.all(|case| matches!(case.outcome, Outcome::Failed { .. })));
    assert!(Process::start("/no/such/program".as_ref(), [""; 0]).is_err());
}

#[test]
fn an_adapter_that_refuses_everything_does_not_pass() {
    struct Refuses;
    impl Adapter for Refuses {
        fn run(&mut self, _: &str, _: &str, _: &serde_json::Value) -> Answer {
            Answer::Error("no".into())
        }
    }
    let lenient = run(&vectors(), &mut Refuses, &RunOptions::new());
    assert!(!lenient.is_success());
    let (passed, failed, _) = lenient.suites[0].counts();
    assert!(passed > 0 && failed > 0);
    let strict = run(&vectors(), &mut Refuses, &RunOptions::new().with_codes(true));
    for (suite, report) in vectors().iter().zip(&strict.suites) {
        let any_code = |c: &&Case| c.result == Expected::Acceptable && c.error.is_none();
        assert_eq!(report.counts().0, suite.cases().filter(any_code).count(), "{}", report.name);
    }
    let xml = strict.to_junit();
    assert!(xml.contains("<failure message=\"") && xml.contains("refused with no, expected"));
}
